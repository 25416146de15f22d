"""OMA-ETS-LightweightM2M_INT, 100-199: registration. Each test is named by its number, its docstring is the title."""

from configurations import account_of, c1, c3
from support import eq

OBJECTS = b'</>;rt="oma.lwm2m";ct=11542,</1/0>,</3>;ver=1.1,</3/0>'


def is_register(packet, lifetime):
    """A Register with everything."""
    eq((packet.type, packet.code, packet.path), ("CON", "POST", "/rd"))
    eq(packet.queries, ["ep=dev1", "lt=%d" % lifetime, "lwm2m=1.1", "b=U"])
    eq((packet.content_format, packet.payload), (40, OBJECTS))


def is_update(packet, queries=()):
    """An Update with these queries and no object list."""
    eq((packet.type, packet.code, packet.path), ("CON", "POST", "/rd/5a3f"))
    eq((packet.queries, packet.content_format, packet.payload), (list(queries), None, b""))


def changed(reply):
    eq((reply.type, reply.code, reply.payload), ("ACK", "2.04", b""))


def test_int_101_initial_registration():
    """Initial registration"""
    peer = c1()
    is_register(peer.register(), 86400)
    eq(peer.state, "REGISTERED")
    eq(peer.get("/3/0/0", accept=0).payload, b"ACME")


def test_int_102_registration_update():
    """Registration update"""
    peer = c1()
    peer.register()
    changed(peer.put("/1/0/1", b"20", content_format=0))
    peer.poll()
    answer, update = peer.take()
    eq(answer.type, "ACK")
    is_update(update, ["lt=20"])
    last = update.at
    peer.requests()
    peer.advance(100)
    for update in peer.requests():
        is_update(update)
        assert update.at - last < 20000
        last = update.at
    assert peer.now - last < 20000
    eq(peer.state, "REGISTERED")


def test_int_103_deregistration():
    """De-registration"""
    peer = c3()
    account_of(peer).disable_timeout = 600
    peer.register()
    changed(peer.post("/1/0/4"))
    peer.advance(2)
    answer, goodbye = peer.take()
    eq(answer.type, "ACK")
    eq((goodbye.type, goodbye.code, goodbye.path, goodbye.payload), ("CON", "DELETE", "/rd/5a3f", b""))
    eq(peer.get("/3/0/0"), None)
    peer.advance(597)
    eq(peer.take(), [])
    peer.advance(3)
    (again,) = peer.take()
    is_register(again, 86400)
    assert 600000 <= again.at - goodbye.at <= 601000


def test_int_104_registration_update_trigger():
    """Registration update trigger"""
    peer = c1(lifetime=20)
    peer.register()
    changed(peer.post("/1/0/8"))
    peer.poll()
    answer, update = peer.take()
    eq(answer.type, "ACK")
    is_update(update)
    peer.advance(40)
    eq(peer.state, "REGISTERED")
    for update in peer.requests()[1:]:
        is_update(update)


def test_int_105_update_refused():
    """Registration update refused because the server does not know the client"""
    peer = c1(lifetime=20)
    peer.register()
    peer.script("4.04")
    peer.advance(11)
    update, register = peer.take()
    is_update(update)
    is_register(register, 20)
    assert register.token != update.token and register.mid != update.mid
    eq(peer.get("/3/0/0", accept=0).payload, b"ACME")


def test_int_107_extending_the_lifetime():
    """Extending the lifetime of a registration"""
    peer = c1(lifetime=60)
    peer.register()
    peer.advance(10)
    changed(peer.put("/1/0/1", b"120", content_format=0))
    peer.poll()
    update = peer.requests()[0]
    is_update(update, ["lt=120"])
    eq(update.at, peer.now)
    peer.advance(119)
    following = peer.requests()
    assert following
    for update in following:
        is_update(update)
