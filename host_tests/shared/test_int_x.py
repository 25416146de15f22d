"""Cases beyond the ETS (X-rows of the conformance list) that management, reporting and registration must pass.

X-01 to X-26, those for CoAP and blocks, are in test_exchange*.py and test_block*.py. Each test is named by its number.
"""

from configurations import Bench, Probe, account_of, c1, c3, device, device_of
from peer import Peer
from support import each, eq, unhex

TLV = 11542
PATH = "/32801/0/0"


def bench_and_probe(creators=(), **settings):
    """(peer, bench, probe), registered."""
    bench, probe = Bench(), Probe()
    peer = Peer([device(), bench, probe], creators=creators, **dict({"lifetime": 86400}, **settings))
    peer.register()
    return peer, bench, probe


def told(peer, probe, values, token=b"o"):
    """Set one value a second; the texts of what is notified."""
    for value in values:
        probe.set("value", float(value))
        peer.advance(1)
    return [packet.text for packet in peer.notifications(token)]


def codes(peer, *asked):
    return [peer.request(method, path, **more).code for method, path, more in asked]


# -- formats and operations --------------------------------------------------------------------------------------------


def test_x_27_unsupported_formats():
    """Unsupported Accept, unsupported Content-Format"""
    peer, bench, _ = bench_and_probe()
    for number in (320, 322, 11544, 50, 65535):
        eq(codes(peer, ("GET", "/32800/0", {"accept": number}), ("GET", PATH, {"accept": number})), ["4.06"] * 2)
        body = {"payload": b"\1", "content_format": number}
        eq(codes(peer, ("PUT", "/32800/0/0", body), ("POST", "/32800/0", body)), ["4.15"] * 2)
    eq(bench.whole, 0)


def test_x_28_bad_values():
    """Text and TLV that do not fit the type, the range or the path"""
    peer, bench, _ = bench_and_probe()
    for path, content_format, payload in (
        ("/32800/0/0", 0, b"12a"),
        ("/32800/0/3", 0, b"2"),
        ("/32800/0/4", 0, b"%%%"),
        ("/32800/0/0", 0, b"99999"),
        ("/32800/0/0", TLV, unhex("c1 01 05")),
    ):
        eq(peer.put(path, payload, content_format=content_format).code, "4.00")
    eq((bench.whole, bench.flag, bench.blob), (0, False, b"\0\1"))


def test_x_29_operations_on_the_wrong_level():
    """The root, an instance without payload, whole objects and resources"""
    peer, _, _ = bench_and_probe(creators=[Bench])
    body = {"payload": b"\1", "content_format": TLV}
    asked = [("GET", "/", {}), ("PUT", "/", body), ("POST", "/", body), ("DELETE", "/", {})]
    asked += [("POST", "/32800/0", {}), ("POST", "/32800/0", {"content_format": TLV})]
    eq(codes(peer, *asked), ["4.00"] * 6)
    asked = [("DELETE", "/32800", {}), ("DELETE", "/32800/0/0", {}), ("PUT", "/32800", body)]
    eq(codes(peer, *asked), ["4.05"] * 3)
    eq(sorted(peer.client.tree.objects[32800]), [0])


# -- Server and Device -------------------------------------------------------------------------------------------------


def test_x_30_disable():
    """Disable with a timeout that the server has written"""
    peer = c3()
    peer.register()
    eq(peer.put("/1/0/5", b"50", content_format=0).code, "2.04")
    eq(peer.post("/1/0/4").code, "2.04")
    peer.advance(1)
    goodbye = peer.take()[-1]
    eq((goodbye.code, goodbye.path), ("DELETE", "/rd/5a3f"))
    peer.advance(48)
    eq(peer.take(), [])
    peer.advance(2)
    (again,) = peer.take()
    eq((again.path, again.at - goodbye.at), ("/rd", 50000))


def test_x_31_change_of_binding():
    """Only U and UQ are there: queue mode is told by an Update in LwM2M 1.0, by a new Register in 1.1"""
    peer = c1()
    peer.register()
    eq([peer.put("/1/0/7", value).code for value in (b"T", b"TQ", b"", b"US", b"U")], ["4.00"] * 4 + ["2.04"])
    peer.poll()
    eq((peer.requests(), peer.get("/1/0/7").payload), ([], b"U"))
    eq(peer.put("/1/0/7", b"UQ").code, "2.04")
    peer.poll()
    eq([(packet.path, packet.queries[3:]) for packet in peer.requests()], [("/rd", ["b=U", "Q"])])
    eq(peer.put("/1/0/7", b"U").code, "2.04")
    peer.poll()
    eq([(packet.path, packet.queries[3:]) for packet in peer.requests()], [("/rd", ["b=U"])])
    peer = c1(version="1.0")
    peer.register()
    eq(peer.put("/1/0/7", b"UQ").code, "2.04")
    peer.poll()
    eq([(packet.path, packet.queries) for packet in peer.requests()], [("/rd/5a3f", ["b=UQ"])])


def test_x_35_reset_of_error_codes():
    """Error codes, then Execute /3/0/12"""
    peer = c1()
    peer.register()
    peer.observe("/3/0/11", token=b"o")
    device_of(peer).add_error(1)
    device_of(peer).add_error(8)
    eq(peer.get("/3/0/11").payload, unhex("86 0b 41 00 01 41 01 08"))
    eq(peer.post("/3/0/12").code, "2.04")
    eq(peer.get("/3/0/11").payload, unhex("83 0b 41 00 00"))
    peer.poll()
    eq(peer.notifications()[-1:], [])


# -- Create, Execute, Write --------------------------------------------------------------------------------------------


def test_x_36_create():
    """With and without instance id, in use, mandatory missing, unknown optional, single-value formats"""
    peer = Peer([device()], creators=[Bench])
    peer.register()
    for payload, code, location in (
        ("c1 00 07", "2.01", ["32800", "0"]),
        ("08 09 03 c1 00 07", "2.01", ["32800", "9"]),
        ("08 09 03 c1 00 07", "4.00", []),
        ("c1 00 01 c1 08 05 c1 63 00", "2.01", ["32800", "1"]),
    ):
        reply = peer.post("/32800", unhex(payload), content_format=TLV)
        eq((payload, reply.code, reply.location), (payload, code, location))
    eq([peer.post("/32800", b"1", content_format=number).code for number in (0, 42)], ["4.15"] * 2)
    eq((sorted(peer.client.tree.objects[32800]), peer.get("/32800/1/8").payload), ([0, 1, 9], b"8"))


def test_x_37_execute():
    """Arguments, malformed arguments, not executable, not there"""
    peer, bench, _ = bench_and_probe()
    eq(peer.post("/32800/0/9", b"0='a',1", content_format=0).code, "2.04")
    eq(peer.post("/32800/0/9", b"0='a", content_format=0).code, "4.00")
    eq(codes(peer, ("POST", "/32800/0/0", {}), ("POST", "/32800/0/15", {})), ["4.05", "4.04"])
    eq(codes(peer, ("POST", "/32800/0/99", {}), ("POST", "/32800/7/9", {})), ["4.04"] * 2)
    eq(bench.acts, [{0: "a", 1: None}])


def test_x_38_half_a_write():
    """A replace without a mandatory resource, an update with a read-only one"""
    peer, bench, _ = bench_and_probe()
    eq(peer.put("/32800/0", unhex("c1 03 01"), content_format=TLV).code, "4.00")
    eq(peer.post("/32800/0", unhex("c1 03 01 c1 08 01"), content_format=TLV).code, "4.05")
    eq((bench.flag, bench.fixed), (False, 8))


def test_x_39_multiple_resources():
    """Replace sets all instances, update merges them"""
    peer, bench, _ = bench_and_probe()
    eq(peer.post("/32800/0", unhex("86 07 41 01 07 41 02 00"), content_format=TLV).code, "2.04")
    eq(bench.numbers, {0: 1, 1: 7, 2: 0})
    eq(peer.put("/32800/0/7", unhex("86 07 41 01 07 41 02 00"), content_format=TLV).code, "2.04")
    eq(bench.numbers, {1: 7, 2: 0})


# -- attributes and observations ---------------------------------------------------------------------------------------


def test_x_40_bad_attributes():
    """Not a number, negative, thresholds that contradict each other, unknown, on what is no number"""
    peer, _, _ = bench_and_probe()
    bad = (
        "pmin=abc pmin=-1 pmin=1.5 pmin=%20 st=-1 gt=1&lt=1 lt=10&gt=20&st=5 lt=2&gt=1 gt=x gt=1e gt=0x1 gt=inf gt=nan"
    )
    for query in bad.split() + ["st=--1", "foo=1", "edge=1", "con=1", "epmin=5&epmax=5", "pmin=1&pmax=1&foo"]:
        eq((query, peer.put(PATH + "?" + query).code), (query, "4.00"))
    for path in ("/32801/0/2", "/32801/0/4", "/32801/0", "/32801", "/32800/0/9"):
        eq((path, peer.put(path + "?gt=1").code), (path, "4.00"))
    eq(peer.get(PATH, accept=40).text, "</32801/0/0>")
    eq(peer.put(PATH + "?lt=1&gt=6&st=1").code, "2.04")
    eq(
        codes(peer, ("PUT", PATH + "?st=3", {}), ("PUT", PATH + "?gt=3", {}), ("PUT", PATH + "?gt=4", {})),
        ["4.00"] * 2 + ["2.04"],
    )


def test_x_41_pmax_that_is_ignored():
    """Smaller than pmin, or 0"""
    for query in ("pmin=20&pmax=10", "pmax=0", "pmin=30&pmax=0"):
        peer, _, _ = bench_and_probe()
        eq(peer.put(PATH + "?" + query).code, "2.04")
        peer.observe(PATH, token=b"o")
        peer.advance(200)
        eq(peer.notifications(), [])


def test_x_42_removed_attribute():
    """pmin with an empty value: what is above holds again"""
    peer, _, probe = bench_and_probe()
    peer.put("/32801?pmin=4")
    peer.put(PATH + "?pmin=20")
    eq(peer.put(PATH + "?pmin=").code, "2.04")
    eq(peer.get(PATH, accept=40).text, "</32801/0/0>;pmin=4")
    peer.observe(PATH, token=b"o")
    start = peer.now
    probe.set("value", 1.0)
    peer.advance(10)
    eq([packet.at - start for packet in peer.notifications()], [4000])


def test_x_43_thresholds():
    """gt and lt crossed both ways, st to the step, with pmin and pmax"""

    def check(query, values, expected):
        peer, _, probe = bench_and_probe()
        peer.put(PATH + "?" + query)
        peer.observe(PATH, token=b"o")
        eq(told(peer, probe, values), expected)

    cases = [
        ("gt=45", [40, 46, 50, 44, 45, 46], ["46", "44", "46"]),
        ("lt=10", [5, 11, 9, 20], ["11", "9", "20"]),
        ("st=10", [9, 10, 19, 20, 10], ["10", "20", "10"]),
        ("gt=45&st=10", [9, 12, 23, 40, 44, 46, 50], ["12", "23", "40", "46"]),
        ("gt=45&pmin=3", [46, 40, 46, 46], ["46"]),
        ("st=10&pmax=4", [1, 2, 3, 4, 5, 30], ["4", "30"]),
    ]
    each(cases, check)


def test_x_45_tokens():
    """The same token again, another token of the same path"""
    peer, _, probe = bench_and_probe()
    for token in (b"o", b"o", b"p"):
        assert peer.observe(PATH, token=token).observe is not None
    probe.set("value", 1.0)
    peer.poll()
    eq([packet.token for packet in peer.notifications()], [b"o", b"p"])


def test_x_46_unanswered_notification():
    """Confirmable and never acknowledged: kept by /1/x/6, and the registration is checked"""
    for storing, expected in ((True, ["1", "2"]), (False, ["2"])):
        peer, _, probe = bench_and_probe(CON_EVERY=1)
        account_of(peer).notification_storing = storing
        peer.observe(PATH, token=b"o")
        peer.silent = True
        eq(told(peer, probe, [1]), ["1"])
        while not peer.requests():
            peer.advance(1)
        eq(peer.state, "UPDATING")
        peer.notifications()
        probe.set("value", 2.0)
        peer.silent = False
        peer.advance(60)
        eq((peer.state, [packet.path for packet in peer.requests()][1:]), ("REGISTERED", []))
        eq([packet.text for packet in peer.notifications()], expected)


def test_x_47_deleted_instance():
    """4.04 ends the observation"""
    peer = Peer([device()], creators=[Bench])
    peer.register()
    peer.post("/32800")
    peer.observe("/32800/0/0", token=b"o")
    eq(peer.delete("/32800/0").code, "2.02")
    peer.advance(1)
    eq([(packet.token, packet.code, packet.observe) for packet in peer.notifications()], [(b"o", "4.04", None)])


def test_x_48_new_registration():
    """All earlier observations of that server are gone"""
    peer, _, probe = bench_and_probe()
    peer.observe(PATH, token=b"o")
    eq(told(peer, probe, [1]), ["1"])
    peer.script("4.04")
    peer.post("/1/0/8")
    peer.advance(1)
    eq([packet.path for packet in peer.requests()], ["/rd/5a3f", "/rd"])
    eq(told(peer, probe, [2, 3]), [])


# -- registration ------------------------------------------------------------------------------------------------------


def attempts(peer, seconds):
    """When Registers were sent within some seconds of the start."""
    peer.client.start(peer.now)
    peer.advance(seconds)
    return [packet.at / 1000 for packet in peer.requests() if packet.path == "/rd"]


def test_x_56_refused_register():
    """4.00 and 4.03: no hammering; 4.12: the lower version; 5.03: Max-Age"""
    for code in ("4.00", "4.03"):
        peer = Peer([device()])
        peer.script(*[code] * 9)
        at = attempts(peer, 200)
        assert len(at) <= 5 and at[1] >= 10 and at[2] - at[1] >= 20 and at[3] - at[2] >= 40, at
    peer = Peer([device()])
    peer.script("4.12")
    eq(attempts(peer, 10), [0.0, 0.0])
    eq(peer.sent[-1].queries[2], "lwm2m=1.0")
    peer = Peer([device()])
    peer.script(("5.03", [(14, 90)]))
    at = attempts(peer, 200)
    assert len(at) == 2 and 90 <= at[1] <= 112.5, at


def test_x_57_unanswered_update():
    """Full retransmission, and again as long as the registration holds; then one Register"""
    peer = Peer([device()], lifetime=300)
    peer.register()
    peer.silent = True
    peer.advance(300)
    updates = peer.requests()
    eq({packet.path for packet in updates}, {"/rd/5a3f"})
    first = [packet for packet in updates if packet.mid == updates[0].mid]
    eq((len(first), len({packet.raw for packet in first})), (5, 1))
    while peer.state != "REGISTERING":
        peer.advance(1)
    peer.silent = False
    peer.advance(60)
    eq((peer.state, len({packet.mid for packet in peer.requests() if packet.path == "/rd"})), ("REGISTERED", 1))


def test_x_64_lifetime_0():
    """Infinite: no periodic Update"""
    peer = Peer([device()], lifetime=0)
    eq(peer.register().queries[1], "lt=0")
    peer.advance(10000000)
    eq((peer.requests(), peer.get("/1/0/1").payload), ([], b"0"))
