"""Cases that OMA's test specification leaves open: the rights of several servers, and the end of one's account."""

from configurations import Bench, Probe, account_of, c1, c14
from lwm2m.objects.access_control import AccessControl
from lwm2m.objects.server import Server
from support import each, eq

TLV = 11542
RULES = "</2>;ver=1.1,</2/1>,</2/2>,</2/3>,"


def test_x_33_deleting_ones_own_account():
    """Delete of /1/x: 2.02, a De-register, silence; the other server goes on and learns that the account is gone"""
    one, two = c14(rules=[AccessControl(32801, 0, owner=1, acl={2: 3})], objects=[Probe()])
    one.observe("/32801/0/1", token=b"o")
    one.put("/32801/0?pmax=5")
    two.observe("/32801/0/1", token=b"t", accept=0)
    one.take(), two.take()
    eq((two.delete("/1/0").code, one.delete("/1/1").code), ("4.01", "4.01"))
    one.take()
    eq(one.delete("/1/0").code, "2.02")
    one.advance(1)
    answer, goodbye = one.take()
    eq((answer.type, answer.code), ("ACK", "2.02"))
    eq((goodbye.type, goodbye.code, goodbye.path, goodbye.payload), ("CON", "DELETE", "/rd/5a3f", b""))
    eq((one.state, one.registration.link, two.state), ("STOPPED", "closed", "REGISTERED"))
    eq((one.registration in one.client.sessions, len(one.client.registrations)), (False, 1))
    updates = [packet for packet in two.requests() if packet.path == "/rd/two"]
    eq([packet.text.partition(",")[2] for packet in updates], ["</1/1>,%s</3>;ver=1.1,</3/0>,</32801/0>" % RULES])
    one.client.tree.objects[32801][0].set("whole", 5)
    one.advance(600)
    eq(one.take(), [])
    eq([packet.payload for packet in two.notifications(b"t")], [b"5"])
    eq((one.get("/3/0/0"), two.get("/3/0/0").code, two.get("/1/0").code), (None, "2.05", "4.04"))
    eq(sorted(two.client.tree.objects[0]), [1, 2])  # the Bootstrap-Server's and its own
    eq(two.get("/2/3/3", accept=0).payload, b"2")
    eq(two.get("/2/2/2", accept=TLV).payload, b"\x83\x02\x41\x02\x0f")


def test_x_33_deleting_another_account():
    """Delete of the other's /1/x, where its /2/x gives the right; that server has been away"""
    one, two = c14()
    control = one.client.tree.objects[2][1]
    control.set("acl", {1: 9, 2: 15})
    two.registration.link_down("cut", two.now)
    two.link_works = False
    eq(one.delete("/1/1").code, "2.02")
    one.advance(600)
    eq((two.state, two.registration in two.client.sessions, two.sent[1:]), ("STOPPED", False, []))
    eq((one.state, one.get("/1").code, one.get("/1/1").code), ("REGISTERED", "2.05", "4.04"))


def test_x_33_deleting_half_an_account():
    """Delete of a /1/x without Security instance, which no server is managed by"""
    peer = c1([Server(7)])
    peer.register()
    eq((peer.delete("/1/1").code, peer.get("/1/1").code, peer.get("/3/0").code), ("2.02", "4.04", "2.05"))


def test_x_33_deleting_the_only_account():
    """A single server may do everything: afterwards nobody manages the device"""
    peer = c1()
    peer.register()
    eq(peer.delete("/1/0").code, "2.02")
    peer.advance(1)
    eq(([packet.code for packet in peer.requests()][-1], peer.client.sessions), ("DELETE", []))
    peer.advance(100000)
    eq((peer.state, peer.requests()), ("STOPPED", []))


def test_x_33_creating_an_account():
    """Create of /1: 4.01 without the right, else 4.05: a server cannot say whose account it would be"""
    one, two = c14(rules=[AccessControl(1, acl={1: 16})])
    body = b"\xc1\x01\x3c"
    eq((one.post("/1", body, content_format=TLV).code, two.post("/1", body, content_format=TLV).code), ("4.05", "4.01"))
    eq(sorted(one.client.tree.objects[1]), [0, 1])


def test_x_49_access_without_the_right():
    """No right: 4.01; nothing there: 4.04; an object shows what may be read; Discover needs no right"""
    rules = [AccessControl(32801, 0, owner=1), AccessControl(32801, 1, acl={1: 15, 2: 1})]
    one, two = c14(objects=[Probe(), Probe(), Bench()], rules=rules)

    def refused(method, path, payload=b"", **more):
        eq(two.request(method, path, payload, **more).code, "4.01")

    cases = [
        ("GET", "/32801/0"),
        ("GET", "/32801/0/1"),
        ("GET", "/32801/0/3/0"),
        ("PUT", "/32801/0?pmin=1"),
        ("PUT", "/32801/0/1?pmin=1"),
        ("PUT", "/32800/0/0", b"1"),
        ("PUT", "/32801/1/1", b"1"),
        ("POST", "/32800/0", b"\xc1\x00\x05"),
        ("POST", "/32800/0/9"),
        ("DELETE", "/32800/0"),
        ("DELETE", "/32801/1"),
        ("GET", "/32800"),
        ("GET", "/1/0"),
        ("POST", "/32800"),
    ]
    each(cases, refused)
    eq(two.observe("/32801/0/1", token=b"o").code, "4.01")
    for path in ("/32801/2", "/32801/2/0", "/32801/1/9", "/4711", "/4711/0/1"):
        eq(two.get(path).code, "4.04")
    eq((two.put("/32801/7/0", b"1").code, two.delete("/32801/7").code, two.post("/4711").code), ("4.04",) * 3)
    reply = two.get("/32801", accept=TLV)
    eq((reply.code, reply.payload[:2]), ("2.05", b"\x08\x01"))
    eq(len(reply.payload), 3 + reply.payload[2])
    for path in ("/32801", "/32801/0", "/32801/0/1", "/32800/0"):
        eq(two.get(path, accept=40).code, "2.05")
    eq(one.get("/32801/0/1", accept=0).payload, b"0")


def test_x_50_deleting_object_2():
    """A server deletes or creates an instance of object 2: 4.01, even if it owns it"""
    one, two = c14(rules=[AccessControl(2, 0, owner=1, acl={1: 31}), AccessControl(2, acl={0: 16})])
    for peer in (one, two):
        for iid in range(5):
            eq(peer.delete("/2/%d" % iid).code, "4.01")
        eq(peer.delete("/2/9").code, "4.04")
        eq(peer.post("/2", b"\xc1\x00\x03", content_format=TLV).code, "4.01")
    eq(sorted(one.client.tree.objects[2]), [0, 1, 2, 3, 4])


def test_disable_is_one_servers_own():
    """Execute /1/x/4 by one of two: the other is served on, and observed values go on being told"""
    one, two = c14(objects=[Probe()], rules=[AccessControl(32801, 0, acl={0: 15})])
    account_of(one).disable_timeout = 60
    two.observe("/32801/0/1", token=b"t", accept=0)
    eq(two.post("/1/0/4").code, "4.01")
    eq(one.post("/1/0/4").code, "2.04")
    one.advance(2)
    eq((one.state, two.state), ("DISABLED", "REGISTERED"))
    one.client.tree.objects[32801][0].set("whole", 9)
    one.advance(1)
    eq(([packet.payload for packet in two.notifications()], one.get("/3/0/0")), ([b"9"], None))
    one.advance(60)
    eq((one.state, one.get("/3/0/0").code), ("REGISTERED", "2.05"))
    eq([packet for packet in two.requests() if packet.code == "DELETE"], [])
