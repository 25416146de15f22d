"""Write, Create and Delete: values of all types, partial and replacing, all or nothing, also when hardware fails."""

from configurations import Bench, Probe, device
from lwm2m.object import Object
from peer import Peer
from support import each, eq, unhex

TLV = 11542


def registered(objects=(), **settings):
    """(peer, bench)."""
    bench = Bench(4)
    peer = Peer([device(), bench] + list(objects), **settings)
    peer.register()
    return peer, bench


# -- Write to a resource -----------------------------------------------------------------------------------------------

GOOD = [
    ("/0", 0, b"-100", "whole", -100),
    ("/0", 0, b"1000", "whole", 1000),
    ("/0", None, b"7", "whole", 7),
    ("/0", TLV, unhex("c1 00 9c"), "whole", -100),
    ("/0", TLV, unhex("c8 00 08 ff ff ff ff ff ff ff 9c"), "whole", -100),
    ("/1", 0, b"-2.5e1", "real", -25.0),
    ("/1", TLV, unhex("c8 01 08 40 35 40 00 00 00 00 00"), "real", 21.25),
    ("/2", 0, b"", "words", ""),
    ("/2", 0, "gr\u00fc\u00df".encode(), "words", "gr\u00fc\u00df"),
    ("/2", TLV, unhex("c2 02 68 69"), "words", "hi"),
    ("/3", 0, b"1", "flag", True),
    ("/3", TLV, unhex("c1 03 01"), "flag", True),
    ("/4", 42, b"\xff\0", "blob", b"\xff\0"),
    ("/4", 0, b"/wA=", "blob", b"\xff\0"),
    ("/4", TLV, unhex("c2 04 ff 00"), "blob", b"\xff\0"),
    ("/5", 0, b"1700000000", "moment", 1700000000),
    ("/6", 0, b"32800:0", "target", (32800, 0)),
    ("/6", 0, b"65535:65535", "target", (65535, 65535)),
    ("/6", 0, b"3:65535", "target", (3, 65535)),
    ("/6", TLV, unhex("c4 06 80 20 00 00"), "target", (32800, 0)),
    ("/7/1", 0, b"9", "numbers", {0: 1, 1: 9}),
    ("/7/1", TLV, unhex("83 07 41 01 09"), "numbers", {0: 1, 1: 9}),
    ("/7", TLV, unhex("86 07 41 01 07 41 02 00"), "numbers", {1: 7, 2: 0}),
    ("/7", TLV, unhex("80 07"), "numbers", {}),
    ("/10", 0, b"psst", "secret", "psst"),
    ("/12", 0, b"18446744073709551615", "count", 0xFFFFFFFFFFFFFFFF),
    ("/14", 0, b'</3/0>;x="1"', "links", '</3/0>;x="1"'),
]

BAD = [
    ("/0", 0, b"12a"),
    ("/0", 0, b""),
    ("/0", 0, b"1.5"),
    ("/0", 0, b" 1"),
    ("/0", 0, b"-101"),
    ("/0", 0, b"1001"),
    ("/0", TLV, unhex("c2 00 03 e9")),
    ("/0", TLV, unhex("c0 00")),
    ("/0", TLV, unhex("c1 01 05")),
    ("/0", TLV, unhex("c1 00 05 c1 00 06")),
    ("/0", TLV, unhex("c1 00 05 c1 01 06")),
    ("/0", TLV, unhex("83 00 41 00 05")),
    ("/1", 0, b"nan"),
    ("/1", 0, b"1e999"),
    ("/1", TLV, unhex("c1 01 05")),
    ("/1", TLV, unhex("c4 01 7f c0 00 00")),
    ("/1", TLV, unhex("c4 01 ff 80 00 00")),
    ("/2", 0, b"abcdefghijk"),
    ("/2", 0, b"\xff"),
    ("/3", 0, b"2"),
    ("/3", 0, b"true"),
    ("/3", TLV, unhex("c1 03 02")),
    ("/4", 0, b"???"),
    ("/5", 0, b"now"),
    ("/6", 0, b"3"),
    ("/6", 0, b"3:1"),
    ("/6", 0, b"99:0"),
    ("/6", 0, b"65535:0"),
    ("/7", 0, b"1"),
    ("/7", TLV, unhex("c1 07 01")),
    ("/7", TLV, unhex("86 07 41 01 07 41 01 00")),
    ("/7", TLV, unhex("83 07 41 00")),
    ("/7/1", TLV, unhex("83 07 41 00 09")),
    ("/12", 0, b"-1"),
    ("/12", 0, b"18446744073709551616"),
]
NAMES = "whole real words flag blob moment target numbers secret count links".split()


def snapshot(obj):
    return [getattr(obj, name) for name in NAMES]


def test_values_are_written():
    """Each type in each format that can carry it; nothing else changes."""

    def check(path, content_format, payload, name, value):
        peer, bench = registered()
        expected = snapshot(bench)
        expected[NAMES.index(name)] = value
        eq(peer.put("/32800/0" + path, payload, content_format=content_format).code, "2.04")
        eq(snapshot(bench), expected)

    each(GOOD, check)


def test_wrong_values_are_refused():
    """4.00, and nothing changes."""
    peer, bench = registered()
    before = snapshot(bench)

    def check(path, content_format, payload):
        eq(peer.put("/32800/0" + path, payload, content_format=content_format).code, "4.00")
        eq(snapshot(bench), before)

    each(BAD, check)


# -- Write to an instance ----------------------------------------------------------------------------------------------


def test_partial_write_merges():
    """Only what the payload holds changes; a multiple resource keeps its other instances (as in CORE 6.3.3)."""
    peer, bench = registered()
    before = snapshot(bench)
    eq(peer.post("/32800/0", unhex("c1 00 05 86 07 41 01 07 41 02 00"), content_format=TLV).code, "2.04")
    eq((bench.whole, bench.numbers), (5, {0: 1, 1: 7, 2: 0}))
    eq(snapshot(bench)[1:7], before[1:7])
    eq(peer.post("/32800/0", unhex("08 00 03 c1 03 01"), content_format=TLV).code, "2.04")
    eq((bench.whole, bench.flag), (5, True))


def test_replacing_write_resets():
    """What is left out goes back to its default or away; a multiple resource becomes exactly the payload."""
    peer, bench = registered()
    bench.words, bench.flag, bench.secret = "changed", True, "changed"
    eq(peer.put("/32800/0", unhex("c1 00 05 86 07 41 01 07 41 02 00"), content_format=TLV).code, "2.04")
    eq((bench.whole, bench.numbers), (5, {1: 7, 2: 0}))
    eq((bench.words, bench.flag, bench.secret, bench.real), ("abc", False, "hidden", 1.5))
    eq(peer.put("/32800/0", unhex("c1 00 06"), content_format=TLV).code, "2.04")
    eq((bench.numbers, peer.get("/32800/0/7").code), (None, "4.04"))
    eq(peer.put("/32800/0", unhex("c1 01 06"), content_format=TLV).code, "4.00")
    eq(bench.whole, 6)


def test_unknown_resources_inside_an_instance_are_ignored():
    """CORE 6.3.3: optional ones that the client does not know; on a path of their own they are 4.04."""
    peer, bench = registered()
    for method in ("POST", "PUT"):
        eq(peer.request(method, "/32800/0", unhex("c1 63 01 c1 00 09 e1 13 88 00"), content_format=TLV).code, "2.04")
        eq(bench.whole, 9)
        bench.whole = 4
    eq(peer.put("/32800/0/99", b"1").code, "4.04")


def test_writes_are_all_or_nothing():
    """Whatever is wrong, wherever it stands: nothing is written."""
    peer, bench = registered()
    before = snapshot(bench)
    for payload, code in (
        ("c1 00 05 c8 02 0b 61 62 63 64 65 66 67 68 69 6a 6b", "4.00"),
        ("c8 02 0b 61 62 63 64 65 66 67 68 69 6a 6b c1 00 05", "4.00"),
        ("c1 00 05 c1 08 01", "4.05"),
        ("c1 08 01 c1 00 05", "4.05"),
        ("c1 00 05 c1 09 01", "4.05"),
        ("c1 00 05 c1 07 01", "4.00"),
        ("c1 00 05 83 03 41 00 01", "4.00"),
        ("c1 00 05 c4 06 00 63 00 00", "4.00"),
        ("c1 00 05 c1", "4.00"),
        ("c1 00 05 c1 00 06", "4.00"),
        ("08 01 03 c1 00 05", "4.00"),
        ("08 00 03 c1 00 05 08 01 03 c1 00 05", "4.00"),
        ("", "4.00"),
    ):
        for method in ("POST", "PUT"):
            reply = peer.request(method, "/32800/0", unhex(payload), content_format=TLV)
            eq((method, payload, reply.code), (method, payload, code))
            eq(snapshot(bench), before)


class Valve(Object):
    """Three outputs; what they are told is in `told`, and that called `broken` fails."""

    OID = 32805
    RES = "1 RW! int a\n2 RW! int b\n3 RW! int c\n"
    a = b = c = 0
    broken = None

    def __init__(self):
        self.told = []

    def _drive(self, name, value):
        self.told.append((name, value))
        if self.broken == name:
            raise OSError(5)
        self.set(name, value)

    def write_a(self, value):
        self._drive("a", value)

    def write_b(self, value):
        self._drive("b", value)

    def write_c(self, value):
        self._drive("c", value)


def test_hardware_that_fails_in_the_middle():
    """5.03, and what had been set before is set back, the last one first; observers see nothing of it."""
    valve = Valve()
    peer, _ = registered([valve])
    peer.observe("/32805/0/1", token=b"a")
    payload = unhex("c1 01 0b c1 02 0c c1 03 0d")
    for broken, told in (
        ("b", [("a", 11), ("b", 12), ("a", 0)]),
        ("c", [("a", 11), ("b", 12), ("c", 13), ("b", 0), ("a", 0)]),
        ("a", [("a", 11)]),
    ):
        valve.broken = broken
        for method in ("PUT", "POST"):
            valve.told.clear()
            eq(peer.request(method, "/32805/0", payload, content_format=TLV).code, "5.03")
            eq((valve.told, (valve.a, valve.b, valve.c)), (told, (0, 0, 0)))
    peer.advance(1)
    eq(peer.notifications(), [])
    valve.broken = None
    eq(peer.put("/32805/0", payload, content_format=TLV).code, "2.04")
    eq((valve.a, valve.b, valve.c), (11, 12, 13))
    peer.advance(1)
    eq([packet.text for packet in peer.notifications()], ["11"])


# -- Create ------------------------------------------------------------------------------------------------------------


def creating(**settings):
    peer = Peer([device(), Probe()], creators=[Bench], **settings)
    peer.register()
    return peer


def instances(peer):
    return {iid: obj.whole for iid, obj in peer.client.tree.objects[32800].items()}


def test_create():
    """The id is given or the lowest that is free; what is read-only or unknown is skipped; defaults fill the rest."""
    peer = creating()
    for payload, iid, whole in (
        ("", "0", 0),
        ("c1 00 07", "1", 7),
        ("08 05 03 c1 00 08", "5", 8),
        ("28 01 2c 00", "300", 0),
        ("c1 00 09 c1 08 63 c1 63 01 c1 0b 01", "2", 9),
        ("08 03 00", "3", 0),
    ):
        reply = peer.post("/32800", unhex(payload), content_format=TLV if payload else None)
        eq((payload, reply.code, reply.location, reply.payload), (payload, "2.01", ["32800", iid], b""))
        eq(instances(peer)[int(iid)], whole)
        obj = peer.client.tree.objects[32800][int(iid)]
        eq((obj.fixed, obj.measured, obj.words), (8, None, "abc"))
    eq(peer.post("/32800", unhex("83 07 41 02 09"), content_format=TLV).location, ["32800", "4"])
    eq(peer.client.tree.objects[32800][4].numbers, {2: 9})
    eq(sorted(instances(peer)), [0, 1, 2, 3, 4, 5, 300])
    eq(peer.get("/32800/300/0").payload, b"0")


def test_create_several():
    """All of them in one request, or none."""
    peer = creating()
    reply = peer.post("/32800", unhex("08 04 03 c1 00 01 08 02 03 c1 00 02"), content_format=TLV)
    eq((reply.code, instances(peer)), ("2.01", {4: 1, 2: 2}))
    for payload in ("08 07 03 c1 00 01 08 02 03 c1 00 02", "08 07 03 c1 00 01 08 08 04 c2 00 7f ff"):
        eq(peer.post("/32800", unhex(payload), content_format=TLV).code, "4.00")
        eq(instances(peer), {4: 1, 2: 2})


class Strict(Object):
    """Two mandatory resources without a default, one of them for writing only."""

    OID = 32806
    RES = "0 RW! int a\n1 RW! str b\n2 R! int c\n"
    a = b = c = None


def test_create_refused():
    """Id in use or reserved, wrong values, a mandatory resource missing, formats for single values; nothing is made."""
    peer = Peer([device()], creators=[Bench, Strict])
    peer.register()
    peer.post("/32800")
    for path, content_format, payload, code in (
        ("/32800", TLV, "08 00 03 c1 00 01", "4.00"),
        ("/32800", TLV, "28 ff ff 00", "4.00"),
        ("/32800", TLV, "c2 00 7f ff", "4.00"),
        ("/32800", TLV, "c1 00", "4.00"),
        ("/32800", 0, "31", "4.15"),
        ("/32800", 42, "31", "4.15"),
        ("/32800", 50, "31", "4.15"),
        ("/32806", None, "", "4.00"),
        ("/32806", TLV, "c1 00 01", "4.00"),
        ("/32806", TLV, "c1 01 61", "4.00"),
        ("/3", TLV, "", "4.05"),
        ("/1", TLV, "c1 00 05", "4.05"),
        ("/9", TLV, "", "4.04"),
    ):
        reply = peer.post(path, unhex(payload), content_format=content_format)
        eq((path, payload, reply.code), (path, payload, code))
    eq((sorted(instances(peer)), len(peer.client.tree.objects[32806])), ([0], 0))
    eq(peer.post("/32806", unhex("c1 00 01 c1 01 61"), content_format=TLV).location, ["32806", "0"])


def test_create_has_a_bound():
    """Config.INSTANCES: 5.03; a deleted one makes room."""
    peer = creating(INSTANCES=2)
    eq([peer.post("/32800").code for _ in range(3)], ["2.01", "2.01", "5.03"])
    eq(peer.delete("/32800/0").code, "2.02")
    eq(peer.post("/32800", unhex("08 04 00 08 05 00"), content_format=TLV).code, "5.03")
    eq([peer.post("/32800").code for _ in range(2)], ["2.01", "5.03"])
    eq(sorted(instances(peer)), [0, 1])


# -- Delete ------------------------------------------------------------------------------------------------------------


def test_delete():
    """2.02 once; only of objects that servers may create; the object stays known."""
    peer = creating()
    peer.post("/32800")
    eq(peer.get("/32800/0/0").code, "2.05")
    eq([peer.delete("/32800/0").code, peer.delete("/32800/0").code], ["2.02", "4.04"])
    eq((peer.get("/32800/0/0").code, peer.get("/32800").code), ("4.04", "2.05"))
    for path, code in (
        ("/3/0", "4.05"),
        ("/32801/0", "4.05"),
        ("/32800", "4.05"),
        ("/32801/0/0", "4.05"),
        ("/", "4.00"),
    ):
        eq((path, peer.delete(path).code), (path, code))
    eq(peer.post("/32800").location, ["32800", "0"])
