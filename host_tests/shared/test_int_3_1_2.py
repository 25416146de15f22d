"""OMA-ETS-LightweightM2M_INT, what came with LwM2M 1.2: depth of a Discover, Observe with parameters; and X-44."""

from configurations import Probe, account_of, c1, c4, device_of
from support import eq

TLV = 11542


def registered(make=c4, *objects, **settings):
    settings = dict({"version": "1.2"}, **settings)
    peer = make(*objects, **settings)
    peer.register()
    return peer


def links(reply):
    """Link-format as a list of (path, set of parameters)."""
    eq((reply.code, reply.content_format), ("2.05", 40))
    parts = [link.split(";") for link in reply.text.split(",")]
    return [(part[0][1:-1], set(part[1:])) for part in parts]


def paths(reply):
    return [path for path, _ in links(reply)]


RESOURCES = ["/3/0/%d" % rid for rid in (0, 1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16)]


def test_int_264_discover_with_depth_1():
    """Discover with depth 1: the object and its instances"""
    peer = registered()
    found = links(peer.get("/3?depth=1", accept=40))
    eq(found, [("/3", {"pmin=1", "pmax=10", "ver=1.1"}), ("/3/0", set())])
    eq(peer.put("/3/0?pmax=200").code, "2.04")
    found = links(peer.get("/3?depth=1", accept=40))
    eq(found, [("/3", {"pmin=1", "pmax=10", "ver=1.1"}), ("/3/0", {"pmax=200"})])
    eq(paths(peer.get("/3?depth=0", accept=40)), ["/3"])


def test_int_266_discover_with_depth_3():
    """Discover with depth 2 and 3: down to the resource instances"""
    peer = registered()
    eq(paths(peer.get("/3?depth=2", accept=40)), ["/3", "/3/0"] + RESOURCES)
    for query in ("/3?pmin=10&pmax=200", "/3/0/7?lt=1&gt=6&st=1", "/3/0/7/1?gt=8"):
        eq(peer.put(query).code, "2.04")
    found = links(peer.get("/3?depth=3", accept=40))
    wanted = ["/3", "/3/0"]
    for path in RESOURCES:
        wanted.append(path)
        if path in ("/3/0/6", "/3/0/7", "/3/0/8"):
            wanted += [path + "/0", path + "/1"]
        if path == "/3/0/11":
            wanted.append(path + "/0")
    eq([path for path, _ in found], wanted)
    told = dict(found)
    eq(told["/3"], {"pmin=10", "pmax=200", "ver=1.1"})
    eq((told["/3/0/7"], told["/3/0/7/0"]), ({"dim=2", "lt=1", "gt=6", "st=1"}, set()))
    eq(told["/3/0/7/1"], {"gt=8"})


def test_depth_of_instances_and_resources():
    """What else may be asked; before 1.2 it has no meaning"""
    peer = registered()
    eq(paths(peer.get("/3/0?depth=0", accept=40)), ["/3/0"])
    eq(paths(peer.get("/3/0?depth=1", accept=40)), ["/3/0"] + RESOURCES)
    eq(len(paths(peer.get("/3/0?depth=2", accept=40))), 1 + len(RESOURCES) + 7)
    eq(paths(peer.get("/3/0/7?depth=0", accept=40)), ["/3/0/7"])
    eq(paths(peer.get("/3/0/7?depth=1", accept=40)), ["/3/0/7", "/3/0/7/0", "/3/0/7/1"])
    for query in ("depth=", "depth=4", "depth=-1", "depth=x", "depth"):
        eq(peer.get("/3?" + query, accept=40).code, "4.00")
    old = registered(version="1.1")
    eq(paths(old.get("/3?depth=0", accept=40)), ["/3", "/3/0"] + RESOURCES)


def observed(peer, path, seconds):
    """When notifications came, s after the first answer; the values change each second."""
    start = peer.now
    reply = peer.observe(path, token=b"o", accept=TLV)
    eq((reply.code, reply.observe), ("2.05", 0))
    for _ in range(seconds):
        peer.advance(1)
        device_of(peer).set("power_voltage", {0: peer.now // 1000 % 50, 1: 0})
        peer.poll()
    return [(packet.at - start) // 1000 for packet in peer.notifications()]


def test_int_312_observe_with_parameters():
    """Observe with pmin and pmax; a client before 1.2 refuses"""
    peer = registered()
    at = observed(peer, "/3/0/7?pmin=5&pmax=15", 41)
    eq(at, [5, 10, 15, 20, 25, 30, 35, 40])
    eq(peer.get("/3/0/7", accept=TLV).payload[:2], b"\x86\x07")
    peer.advance(60)
    found = peer.notifications()
    for number in range(1, len(found)):
        assert found[number].at - found[number - 1].at <= 15000
    eq(len(found), 4)
    for version in ("1.0", "1.1"):
        reply = registered(version=version).observe("/3/0/7?pmin=5&pmax=15")
        eq((reply.code, reply.observe), ("4.00", None))


def test_int_313_parameters_override():
    """Observe with parameters where attributes are attached"""
    peer = registered()
    eq(peer.put("/3/0/7?pmin=5&pmax=60").code, "2.04")
    peer.observe("/3/0/7?pmin=5&pmax=10", token=b"o")
    peer.advance(35)
    eq([packet.at for packet in peer.notifications()], [10000, 20000, 30000])
    eq(links(peer.get("/3/0/7?depth=0", accept=40)), [("/3/0/7", {"dim=2", "pmin=5", "pmax=60"})])
    peer.observe("/3/0/7", token=b"o")
    peer.advance(50)
    eq(peer.notifications(), [])


def test_parameters_that_are_refused():
    peer = registered(c1, [Probe()])
    for query in ("pmin=x", "pmin", "foo=1", "pmin=1&pmin=2", "epmin=5&epmax=5", "lt=2&gt=1", "edge=1", "hqmax=x"):
        eq((query, peer.observe("/32801/0/0?" + query).code), (query, "4.00"))
    eq(peer.observe("/32801/0?gt=1").code, "4.00")
    eq(peer.observe("/32801/0/9?pmin=1").code, "4.04")
    eq(peer.registration.attributes, {})


def test_parameters_replace_all_attributes():
    """Also those of other kinds, such as a threshold."""
    probe = Probe()
    peer = registered(c1, [probe])
    peer.put("/32801/0/0?pmin=100&gt=50")
    peer.observe("/32801/0/0?epmin=2", token=b"o")
    for value in (1.0, 2.0, 3.0, 4.0):
        probe.set("value", value)
        peer.advance(1)
    eq([packet.text for packet in peer.notifications()], ["2", "4"])


# -- X-44 --------------------------------------------------------------------------------------------------------------


def test_x_44_edge():
    """edge=1 tells each rise of a bool, edge=0 each fall"""
    for edge, expected in ((1, [b"1"] * 3), (0, [b"0"] * 2)):
        probe = Probe()
        peer = registered(c1, [probe])
        eq(peer.put("/32801/0/4?edge=%d" % edge).code, "2.04")
        peer.observe("/32801/0/4", token=b"o")
        for flag in (True, False, True, False, True):
            probe.set("flag", flag)
            peer.advance(1)
        eq([packet.payload for packet in peer.notifications()], expected)


def test_x_44_con():
    """con=1 has each notification acknowledged"""
    probe = Probe()
    peer = registered(c1, [probe], CON_EVERY=0)
    peer.observe("/32801/0/0", token=b"o")
    types = []
    for query in ("", "con=1", "con=0", "con=1", "con="):
        if query:
            eq(peer.put("/32801/0?" + query).code, "2.04")
        probe.set("value", probe.value + 1)
        peer.advance(1)
        types += [packet.type for packet in peer.notifications()]
    eq(types, ["NON", "CON", "NON", "CON", "NON"])


def test_con_of_what_was_stored():
    """con=1 holds for what was stored as well: one after the other, none lost"""
    peer = registered(c1, [Probe()])
    probe = peer.client.tree.objects[32801][0]
    account_of(peer).notification_storing = True
    peer.put("/32801/0/0?con=1")
    peer.observe("/32801/0/0", token=b"o", accept=0)
    peer.link_works = False
    peer.registration.link_down("cut", peer.now)
    for value in range(1, 5):
        probe.set("value", float(value))
        peer.advance(1)
    peer.link_works = True
    peer.advance(60)
    found = [(packet.type, packet.text) for packet in peer.notifications()]
    eq(found, [("CON", "1"), ("CON", "2"), ("CON", "3"), ("CON", "4")])


def test_hqmax_0_during_an_update():
    """Nothing is stored, so what holds now is told when the server has answered"""
    peer = registered(c1, [Probe()])
    probe = peer.client.tree.objects[32801][0]
    account_of(peer).notification_storing = True
    peer.put("/32801/0/0?hqmax=0")
    peer.observe("/32801/0/0", token=b"o", accept=0)
    peer.script("")
    peer.post("/1/0/8")
    peer.advance(1)
    for value in (8.0, 9.0):
        probe.set("value", value)
        peer.advance(1)
    eq((peer.state, peer.notifications()), ("UPDATING", []))
    peer.respond(peer.requests()[-1], "2.04")
    peer.advance(1)
    eq([packet.text for packet in peer.notifications()], ["9"])


def test_x_44_hqmax():
    """How many of one observation are kept while the server is away"""
    for query, expected in (("hqmax=2", ["3", "4"]), ("hqmax=0", []), ("hqmax=9", ["1", "2", "3", "4"])):
        probe = Probe()
        peer = registered(c1, [probe])
        account_of(peer).notification_storing = True
        eq(peer.put("/32801/0/0?" + query).code, "2.04")
        peer.observe("/32801/0/0", token=b"o")
        peer.observe("/32801/0/1", token=b"w")
        peer.link_works = False
        peer.registration.link_down("cut", peer.now)
        for value in (1, 2, 3, 4):
            probe.set("value", float(value))
            probe.set("whole", value)
            peer.advance(1)
        peer.link_works = True
        peer.advance(30)
        found = peer.notifications()
        eq([packet.text for packet in found if packet.token == b"o"], expected)
        eq([packet.text for packet in found if packet.token == b"w"], ["1", "2", "3", "4"])


def test_x_44_refused():
    """Before 1.2, on the wrong level, wrong values"""
    peer = registered(c1, [Probe()])
    for path in ("/32801/0/4?edge=2", "/32801/0/0?edge=1", "/32801/0?edge=1", "/32801?con=2", "/32801?hqmax=-1"):
        eq((path, peer.put(path).code), (path, "4.00"))
    eq(peer.put("/32801/0/4?edge=1&con=1&hqmax=5").code, "2.04")
    eq(links(peer.get("/32801/0/4", accept=40)), [("/32801/0/4", {"edge=1", "con=1", "hqmax=5"})])
    eq(peer.put("/32801/0/4?edge&con=&hqmax=").code, "2.04")
    eq(links(peer.get("/32801/0/4", accept=40)), [("/32801/0/4", set())])
    old = registered(c1, [Probe()], version="1.1")
    for path in ("/32801/0/4?edge=1", "/32801?con=1", "/32801?hqmax=1"):
        eq((path, old.put(path).code), (path, "4.00"))
