"""OMA-ETS-LightweightM2M_INT, 100-199: registration. Each test is named by its number, its docstring is the title."""

from answers import changed
from configurations import account_of, c1, c3
from lwm2m.objects.connectivity import ConnectivityMonitoring
from lwm2m.profile import Profile
from support import eq

OBJECTS = b'</>;rt="oma.lwm2m";ct="60 110 112 11542",</1/0>,</3>;ver=1.1,</3/0>'

PID = "19668ad1"  # of the SHA-256 of "</1/0>,</3>,</3/0>"


def is_register(packet, lifetime):
    """A Register with everything."""
    eq((packet.type, packet.code, packet.path), ("CON", "POST", "/rd"))
    eq(packet.queries, ["ep=dev1", "lt=%d" % lifetime, "lwm2m=1.1", "b=U"])
    eq((packet.content_format, packet.payload), (40, OBJECTS))


def is_update(packet, queries=()):
    """An Update with these queries and no object list."""
    eq((packet.type, packet.code, packet.path), ("CON", "POST", "/rd/5a3f"))
    eq((packet.queries, packet.content_format, packet.payload), (list(queries), None, b""))


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


def test_int_108_queue_mode_on():
    """Registration in queue mode"""
    peer = c1()
    peer.client.queue_mode = True
    register = peer.register()
    eq(register.queries, ["ep=dev1", "lt=86400", "lwm2m=1.1", "b=U", "Q"])
    peer = c1(version="1.0")
    peer.client.queue_mode = True
    eq(peer.register().queries, ["ep=dev1", "lt=86400", "lwm2m=1.0", "b=UQ"])


def test_int_109_behaviour_in_queue_mode():
    """Queue mode: awake for 93 s, deaf until the Update, and then there for what was queued"""
    peer = c1()
    peer.client.queue_mode = True
    peer.register()
    changed(peer.put("/1/0/1", b"240", content_format=0))
    peer.poll()
    answer, update = peer.take()
    eq(answer.type, "ACK")
    is_update(update, ["lt=240"])
    peer.advance(92.9)
    eq((peer.state, peer.take()), ("REGISTERED", []))
    peer.advance(0.2)
    eq((peer.state, peer.get("/3/0/0", accept=0)), ("ASLEEP", None))
    peer.advance(240 - 93 - 93)
    (next_update,) = peer.take()
    is_update(next_update)
    assert next_update.at - update.at < 240000
    eq(peer.get("/3/0/0", accept=0).payload, b"ACME")
    eq(peer.state, "REGISTERED")


def with_profile(*paths):
    """A client of LwM2M 1.2 that tells a profile."""
    peer = c1(version="1.2")
    peer.client.profile = Profile(*paths)
    return peer


def test_int_110_profile_id():
    """Registration with a Profile ID in place of the object list, and with all of it if the server knows no such"""
    peer = with_profile("/1/0", "/3", "/3/0")
    register = peer.register()
    eq((register.content_format, register.payload), (None, b""))
    eq(register.queries, ["ep=dev1", "lt=86400", "lwm2m=1.2", "b=U", "pid=6:" + PID])
    for refusal in ("4.04", "4.00", "4.12"):
        peer = with_profile("/1/0", "/3", "/3/0")
        peer.script(refusal)
        register = peer.register()
        eq(register.queries, ["ep=dev1", "lt=86400", "lwm2m=1.2", "b=U"])
        assert b"</1/0>" in register.payload and b"</3/0>" in register.payload, register.payload


def test_int_111_profile_id_and_objects():
    """Registration with a Profile ID and the objects beyond it"""
    peer = with_profile("/1/0", "/3", "/3/0")
    peer.client.add(ConnectivityMonitoring())
    register = peer.register()
    eq((register.queries[-1], register.content_format), ("pid=6:" + PID, 40))
    assert b"</4/0>" in register.payload and b"</1/0>" not in register.payload, register.payload
