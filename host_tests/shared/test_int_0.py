"""Bootstrap (OMA test cases 0 to 99) against scripted servers. Each test is named by its case number."""

from configurations_bootstrap import PSK, TLV, c13, security, server, tlv
from lwm2m.objects.access_control import AccessControl
from support import eq


def bootstrapping(**settings):
    """C.13 after the answer to its Request."""
    world = c13(**settings)
    world.start()
    eq(world.bootstrap.state, "BOOTSTRAPPING")
    return world


def test_int_000_client_initiated_bootstrap():
    """Client-initiated bootstrap"""
    world = c13()
    world.start()
    (request,) = world.bs.requests()
    eq((request.type, request.code, request.path, request.queries), ("CON", "POST", "/bs", ["ep=dev1", "pct=112"]))
    eq(world.write("/0", security(uri=b"coaps://server1", mode=0, identity=b"id1", key=PSK)), "2.04")
    eq(world.write("/1", server()), "2.04")
    found = world.bs.get("/", accept=40)
    eq((found.code, found.content_format), ("2.05", 40))
    links = '</>;lwm2m=1.1,</0/0>;ssid=1;uri="coaps://server1",</0/1>,</1/0>;ssid=1,</3>;ver=1.1,</3/0>'
    eq(found.text, links)
    eq(world.bs.requests(), [])
    peer = world.peer("coaps://server1")
    eq(world.bs.post("/bs").code, "2.04")
    world.advance(1)
    account, own = [world.client.tree.objects[0][iid] for iid in (0, 1)]
    eq((account.uri, account.mode, account.identity, account.secret_key), ("coaps://server1", 0, b"id1", PSK))
    eq((account.bootstrap, own.bootstrap, own.uri), (False, True, "coap://bs"))
    eq(peer.state, "REGISTERED")
    eq(world.bs.requests(), [])


def secured(values):
    """A bootstrap with credentials; what is asked of the link before the Register, and after."""
    world = bootstrapping()
    eq(world.write("/0", security(uri=b"coaps://server.example.com", **values)), "2.04")
    eq(world.write("/1", server()), "2.04")
    peer = world.peer("coaps://server.example.com")
    peer.link_works = False
    world.advance(1)
    eq(peer.registration, None)  # not before the Finish
    eq(world.bs.post("/bs").code, "2.04")
    world.advance(1)
    eq((peer.state, peer.requests()), ("WAITING", []))
    peer.link_works = True
    world.advance(100)
    eq((peer.state, [packet.path for packet in peer.requests()]), ("REGISTERED", ["/rd"]))
    return peer.registration.security


def test_int_001_full_bootstrap_psk():
    """Full bootstrap PSK"""
    found = secured({"mode": 0, "identity": b"id1", "key": PSK})
    eq((found.mode, found.identity, found.secret_key), (0, b"id1", PSK))


def test_int_002_full_bootstrap_certificate():
    """Full bootstrap, certificate"""
    certificate, key, authority = b"c" * 400, b"k" * 121, b"a" * 380
    found = secured({"mode": 2, "identity": certificate, "key": key, "values": {4: authority}})
    eq((found.mode, found.identity, found.secret_key, found.server_key), (2, certificate, key, authority))


def test_int_004_bootstrap_delete():
    """Bootstrap-Delete"""
    world = bootstrapping()
    eq([world.write("/0", security()), world.write("/1", server())], ["2.04"] * 2)
    eq(world.bs.get("/1", accept=TLV).payload, server())
    eq([world.bs.delete("/0").code, world.bs.delete("/1").code], ["2.02"] * 2)
    eq(world.bs.get("/", accept=40).text, "</>;lwm2m=1.1,</0/1>,</3>;ver=1.1,</3/0>")
    found = world.bs.get("/1", accept=TLV)
    eq((found.code, found.payload), ("2.05", b""))
    world.finish()
    eq((world.server.state, world.instances(0), world.instances(1)), ("REGISTERED", [0, 1], [0]))


def test_int_005_server_initiated_bootstrap():
    """Server-initiated bootstrap"""
    world = bootstrapping()
    world.finish()
    world.server.requests()
    world.bs.requests()
    reply = world.server.post("/1/0/9", wait=0)
    eq((reply.code, world.bs.requests()), ("2.04", []))
    world.advance(1)
    eq([packet.path for packet in world.bs.requests()], ["/bs"])
    eq(world.server.get("/3/0/0", wait=1), None)
    eq(world.write("/0", security(uri=b"coap://server2")), "2.04")
    eq(world.write("/1", server(lifetime=43200)), "2.04")
    eq(world.bs.get("/", accept=40).code, "2.05")
    eq(world.bs.post("/bs").code, "2.04")
    world.advance(1)
    (register,) = world.server2.requests()
    eq((register.path, register.queries[1], world.server2.state), ("/rd", "lt=43200", "REGISTERED"))
    eq([packet.code for packet in world.server.requests()], [])


def test_int_006_bootstrap_sequence():
    """Bootstrap sequence"""
    world = c13()  # no account: the client asks
    world.start()
    eq(world.bootstrap.state, "BOOTSTRAPPING")
    world.finish()
    world.client.stop(world.now)
    world.advance(1)
    again = c13(store=world.store)  # an account from the bootstrap: it registers
    again.start()
    eq((again.server.state, again.bs.requests()), ("REGISTERED", []))
    factory = c13(count=1)  # an account from the factory: it registers
    factory.start()
    eq((factory.server.state, factory.bs.requests()), ("REGISTERED", []))


def test_int_007_fallback_to_bootstrap():
    """Fallback to bootstrap"""
    world = c13(count=1, RETRY_COUNT=3, RETRY_TIMER_s=10)
    world.server.silent = True
    world.start()
    while world.server.state != "FAILED":
        eq(world.bs.requests(), [])
        world.advance(1)
    assert 3 * 93 > world.now / 1000 - 30 > 3 * 62
    world.advance(1)
    eq([packet.path for packet in world.bs.requests()], ["/bs"])
    eq(world.write("/0/0", security(uri=b"coap://server2")), "2.04")
    eq(world.bs.post("/bs").code, "2.04")
    world.advance(1)
    eq(world.server2.state, "REGISTERED")


def test_int_008_bootstrap_read():
    """Bootstrap-Read"""
    world = bootstrapping()
    eq([world.write("/0", security()), world.write("/1", server())], ["2.04"] * 2)
    control = b"\xc1\0\3\xc1\1\0\x83\2\x41\0\x1f\xc2\3\xff\xff"
    eq(world.write("/2/0", control.replace(b"\xc2\3\xff\xff", b"\xc4\3\0\0\xff\xff")), "2.04")
    found = world.bs.get("/1", accept=TLV)
    eq((found.code, found.content_format, found.payload), ("2.05", TLV, server()))
    found = world.bs.get("/2", accept=TLV)
    rights = b"\xc1\0\3\xc1\1\0\x83\2\x41\0\x1f\xc4\3\0\0\xff\xff"
    eq((found.code, found.payload), ("2.05", tlv(0, 0, rights)))
    eq([world.bs.get(path).code for path in ("/0", "/0/1", "/3", "/3/0")], ["4.05"] * 4)
    eq(world.bs.post("/bs").code, "2.04")
    world.advance(1)
    (control,) = world.client.tree.objects[2].values()
    assert isinstance(control, AccessControl)
    eq((world.server.state, control.acl, control.owner), ("REGISTERED", {0: 31}, 65535))


def test_int_009_inconsistent_configuration():
    """Inconsistent configuration"""
    world = bootstrapping()
    eq(world.bs.put("/1/0/5", b"86400", content_format=0).code, "2.04")
    eq(world.bs.post("/bs").code, "4.06")
    eq((world.instances(0), world.instances(1), world.store.found), ([1], [], {}))
    world.bs.requests()
    world.advance(13)
    eq(([packet.path for packet in world.bs.requests()], world.bootstrap.state), (["/bs"], "BOOTSTRAPPING"))
    world.finish()
    eq(world.server.state, "REGISTERED")


PACK = (
    b"\x8b\xa3\x21\x65/0/0/\x00\x610\x03\x6ecoap://server1\xa2\x00\x611\x04\xf4\xa2\x00\x612\x02\x03"
    b"\xa2\x00\x613\x08\x40\xa2\x00\x614\x08\x40\xa2\x00\x615\x08\x40\xa2\x00\x62\x31\x30\x02\x01"
    b"\xa3\x21\x65/1/5/\x00\x610\x02\x01\xa2\x00\x611\x02\x19\x0e\x10\xa2\x00\x616\x04\xf5\xa2\x00\x617\x03\x61U"
)


def test_int_012_bootstrap_pack():
    """Bootstrap-Pack"""
    world = c13(version="1.2")
    world.bs.script(("2.05", [(12, 112)], PACK))
    world.start()
    (request,) = world.bs.requests()
    eq((request.code, request.path, request.queries, request.accept), ("GET", "/bspack", ["ep=dev1"], 112))
    world.advance(1)
    (register,) = world.server.requests()
    eq((world.server.state, register.queries[1], world.bootstrap.state), ("REGISTERED", "lt=3600", "FINISHED"))
    eq((world.instances(0), world.instances(1)), ([0, 1], [5]))
    for answer in ("4.04", "5.01", ("2.05", [(12, 112)], PACK[:-1]), ("2.05", [(12, 40)], b"x"), ("2.05", [], b"\x80")):
        world = c13(version="1.2")
        world.bs.script(answer)
        world.start()
        eq([packet.path for packet in world.bs.requests()], ["/bspack", "/bs"])
        world.finish()
        eq(world.server.state, "REGISTERED")
