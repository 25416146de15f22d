"""Observe-Composite: each path has its own attributes, one token, one notification; what comes, goes and fails."""

from configurations import Bench, Probe, account_of, c1, c14
from senml_judge import CBOR, JSON, path_list, timed, told
from support import eq

NOW_s = 1700000000
TOKEN = b"c"


def observed(objects, *paths, before=(), **settings):
    """C.1 with objects, registered; attributes written, and one composite observation running."""
    peer = c1(objects, **settings)
    peer.client.unix_time_s = lambda: NOW_s + peer.now // 1000
    peer.register()
    for query in before:
        eq(peer.put(query).code, "2.04")
    reply = fetch(peer, *paths)
    eq((reply.code, reply.observe), ("2.05", 0))
    return peer


def fetch(peer, *paths, **more):
    more = dict({"content_format": CBOR, "observe": 0, "token": TOKEN}, **more)
    query = more.pop("query", "")
    return peer.request("FETCH", "/" + query, path_list(*paths), **more)


def heard(peer, seconds=0):
    peer.advance(seconds)
    return [(packet.at // 1000, told(packet)) for packet in peer.notifications(TOKEN)]


# -- which path calls for a notification -------------------------------------------------------------------------------


def test_thresholds_of_one_path():
    """They hold for that path only, and compare with what was told last"""
    probe = Probe()
    peer = observed([probe], "/32801/0/0", "/32801/0/1", before=["/32801/0/0?st=10"])
    for name, value in (
        ("value", 5.0),
        ("value", 9.0),
        ("whole", 1),
        ("value", 18.0),
        ("value", 19.0),
        ("value", 29.0),
    ):
        probe.set(name, value)
        peer.advance(1)
    expected = [(9.0, 1), (19.0, 1), (29.0, 1)]
    eq([(values["/32801/0/0"], values["/32801/0/1"]) for _, values in heard(peer)], expected)


def test_periods_of_one_path():
    """pmin of the path that changed, the least pmax; each notification starts the periods of all"""
    probe = Probe()
    before = ["/32801/0/0?pmin=10&pmax=60", "/32801/0/1?pmax=100"]
    peer = observed([probe], "/32801/0/0", "/32801/0/1", before=before)
    eq([at for at, _ in heard(peer, 65)], [60])
    probe.set("value", 1.0)
    eq([at for at, _ in heard(peer, 15)], [70])
    probe.set("whole", 7)
    probe.set("value", 2.0)
    eq(heard(peer, 1), [(80, {"/32801/0/0": 2.0, "/32801/0/1": 7})])
    eq([at for at, _ in heard(peer, 60)], [140])


def test_evaluation_periods():
    """epmin and epmax of each path"""
    probe = Probe()
    peer = observed([probe], "/32801/0/0", "/32801/0/1", before=["/32801/0/0?epmin=5"])
    for number in range(1, 13):
        probe.set("value", float(number))
        peer.advance(1)
    eq([(at, values["/32801/0/0"]) for at, values in heard(peer)], [(5, 5.0), (10, 10.0)])
    probe.set("whole", 3)
    eq([at for at, _ in heard(peer, 1)], [12])


def test_bools_and_texts_and_multiple_resources():
    probe = Probe()
    peer = observed([probe], "/32801/0/2", "/32801/0/3/1", "/32801/0/4")
    for name, value, expected in (
        ("words", "b", 1),
        ("flag", True, 1),
        ("numbers", {0: 99, 1: 20}, 0),
        ("numbers", {0: 99, 1: 21}, 1),
        ("value", 5.0, 0),
        ("numbers", {0: 99}, 1),
    ):
        probe.set(name, value)
        eq((name, len(heard(peer, 1))), (name, expected))
    eq(told(fetch(peer, "/32801/0/3/1", "/32801/0/4")), {"/32801/0/4": True})


def test_parameters():
    """LwM2M 1.2: periods and con, in place of those of each path; thresholds stay"""
    probe = Probe()
    peer = observed([probe], "/32801/0/0", before=["/32801/0/0?st=10&pmin=50"], version="1.2", CON_EVERY=0)
    for query in ("?gt=1", "?st=1", "?edge=1", "?hqmax=1", "?foo=1", "?pmin=x"):
        eq(fetch(peer, "/32801/0/0", query=query).code, "4.00")
    eq(fetch(peer, "/32801/0/0", query="?pmin=5&pmax=20&con=1").code, "2.05")
    probe.set("value", 9.0)
    peer.advance(10)
    eq(peer.notifications(TOKEN), [])
    probe.set("value", 10.0)
    peer.advance(31)
    eq([(packet.at, packet.type) for packet in peer.notifications(TOKEN)], [(10000, "CON"), (30000, "CON")])


def test_edge_and_con_of_one_path():
    probe = Probe()
    before = ["/32801/0/4?edge=1&con=1"]
    peer = observed([probe], "/32801/0/4", "/32801/0/1", before=before, version="1.2", CON_EVERY=0)
    for flag in (True, False, True):
        probe.set("flag", flag)
        peer.advance(1)
    eq([(packet.type, told(packet)["/32801/0/4"]) for packet in peer.notifications()], [("CON", True)] * 2)


# -- tokens, cancellation, bounds --------------------------------------------------------------------------------------


def test_cancellation():
    """By reset, by Observe 1, by another observation under the token, by a new registration"""
    probe = Probe()
    for number in range(4):
        peer = observed([probe], "/32801/0/0")
        probe.set("value", probe.value + 1)
        peer.advance(1)
        (packet,) = peer.notifications(TOKEN)
        if number == 0:
            peer.reset(packet)
        elif number == 1:
            eq(fetch(peer, "/32801/0/0", observe=1).observe, None)
        elif number == 2:
            eq(peer.observe("/32801/0/1", token=TOKEN).observe, 2)
        else:
            peer.script("4.04")
            peer.post("/1/0/8")
        probe.set("value", probe.value + 1)
        peer.advance(5)
        eq((number, peer.notifications(TOKEN)), (number, []))


def test_bounds():
    """More paths than MEMBERS, or more observations than OBSERVATIONS: a plain answer"""
    probe = Probe()
    peer = observed([probe], "/32801/0/0", MEMBERS=2, OBSERVATIONS=2)
    eq(fetch(peer, "/32801/0/0", "/32801/0/1", token=b"d").observe, 0)
    eq(fetch(peer, "/32801/0/0", "/32801/0/1", "/32801/0/2", token=b"d").observe, None)
    eq(fetch(peer, "/32801/0/0", "/32801/0/1", "/32801", token=b"d").observe, 0)
    reply = fetch(peer, "/32801/0/0", token=b"e")
    eq((reply.code, reply.observe, told(reply)), ("2.05", None, {"/32801/0/0": 0.0}))
    probe.set("value", 1.0)
    peer.advance(1)
    eq(sorted([packet.token for packet in peer.notifications()]), [b"c", b"d"])


def test_formats():
    probe = Probe()
    peer = observed([probe], "/32801/0/0")
    reply = fetch(peer, "/32801/0/0", accept=JSON, token=b"j")
    eq((reply.observe, reply.content_format), (0, JSON))
    probe.set("value", 1.0)
    peer.advance(1)
    eq(sorted([packet.content_format for packet in peer.notifications()]), [JSON, CBOR])


# -- what comes and goes -----------------------------------------------------------------------------------------------


def test_paths_that_lead_nowhere():
    """They are watched; a deleted instance does not end the observation"""
    peer = observed([Probe()], "/32800/0/0", "/32800/1", "/32801/0/1", creators=[Bench])
    for number in (0, 1):
        eq(peer.post("/32800", b"\xc1\x00\x07", content_format=11542).code, "2.01")
        peer.poll()
        (packet,) = peer.notifications(TOKEN)
        eq((told(packet)["/32800/0/0"], "/32800/1/0" in told(packet)), (7, number == 1))
    eq(peer.delete("/32800/0").code, "2.02")
    ((_, values),) = heard(peer, 1)
    eq(("/32800/0/0" in values, values["/32800/1/0"]), (False, 7))
    eq(peer.delete("/32800/1").code, "2.02")
    eq([values for _, values in heard(peer, 1)], [{"/32801/0/1": 0}])


def test_everything():
    """The root"""
    probe = Probe()
    peer = observed([probe], "/")
    probe.set("whole", 9)
    ((_, values),) = heard(peer, 1)
    eq((values["/32801/0/1"], values["/3/0/0"]), (9, "ACME"))


def test_value_that_fails():
    """It is left out, and comes back; the others are told as ever"""
    bench = Bench()
    peer = observed([bench], "/32800/0/1", "/32800/0/0")
    bench.set("whole", 1)
    good = bench.real

    def broken():
        raise OSError(5)

    eq([values for _, values in heard(peer, 1)], [{"/32800/0/0": 1, "/32800/0/1": 1.5}])
    bench.real = broken
    bench.changed("real")
    eq([values for _, values in heard(peer, 1)], [{"/32800/0/0": 1}])
    bench.real = good
    bench.changed("real")
    eq([values for _, values in heard(peer, 1)], [{"/32800/0/0": 1, "/32800/0/1": 1.5}])


def test_what_is_no_number():
    """JSON cannot tell it: it is left out, and the observation goes on; so does CBOR, which can"""
    for value in ("nan", "inf", "-inf"):
        probe = Probe(1.0)
        peer = observed([probe], "/3/0/0", "/32801/0/0")
        for token, path in ((b"j", "/32801/0/0"), (b"i", "/32801/0")):
            eq(fetch(peer, "/3/0/0", path, accept=JSON, token=token).observe, 0)
        values = []
        for next_value in (float(value), 3.0):
            probe.set("value", next_value)
            peer.advance(1)
            found = {packet.token: told(packet).get("/32801/0/0") for packet in peer.notifications()}
            values.append([found[token] for token in (TOKEN, b"j", b"i")])
        eq((repr(values[0][0]), values[0][1:], values[1]), (value, [None, None], [3.0, 3, 3]))


def test_threshold_after_what_is_no_number():
    probe = Probe(float("nan"))
    peer = observed([probe], "/32801/0/0", before=["/32801/0/0?st=5"])
    probe.set("value", 1.0)
    eq([values for _, values in heard(peer, 1)], [{"/32801/0/0": 1.0}])


def test_rights():
    """Each server hears what it may read, and as it changes"""
    one, two = c14([Probe()])
    for peer in (one, two):
        eq(fetch(peer, "/1/0/1", "/1/1/1").observe, 0)
    account_of(one).set("lifetime", 500)
    one.advance(1)
    eq([values for _, values in heard(one)], [{"/1/0/1": 500}])
    eq(heard(two), [])


def test_x_24_composite_notification_in_blocks():
    """Block 0 with Observe; the rest by FETCH with the same list"""
    probe = Probe()
    peer = observed([probe], "/32801", "/3", BLOCK_SIZE=64)
    probe.set("whole", 77)
    peer.advance(1)
    (first,) = peer.notifications(TOKEN)
    eq((first.block2, first.observe), ((0, True, 2), 1))
    body = first.payload
    while len(body) < first.size2:
        reply = fetch(peer, "/32801", "/3", observe=None, token=b"r", block2=(len(body) // 64, False, 2))
        eq((reply.code, reply.etag, reply.observe), ("2.05", first.etag, None))
        body += reply.payload
    whole = c1([probe])
    whole.register()
    eq(body, fetch(whole, "/32801", "/3").payload)


def test_block_size_of_the_observer():
    """Notifications come in no larger blocks than the first answer."""
    probe = Probe()
    peer = observed([probe], "/32801")
    eq(fetch(peer, "/32801", block2=(0, False, 1)).block2, (0, True, 1))
    probe.set("whole", 77)
    peer.advance(1)
    (packet,) = peer.notifications(TOKEN)
    eq((packet.block2, len(packet.payload), packet.observe), ((0, True, 1), 32, 2))
    rest = fetch(peer, "/32801", observe=None, token=b"r", block2=(1, False, 1))
    eq((rest.block2[0], rest.etag), (1, packet.etag))


def test_long_list():
    """Block1: the token of the last block is that of the observation"""
    probe = Probe()
    peer = observed([probe], "/32801/0/0", BLOCK_SIZE=32)
    body = path_list(*["/32801/0/%d" % rid for rid in range(5)], "/77/0/1", "/77/0/2", "/77/0/3")
    replies = peer.put_blocks("/", body, szx=1, method="FETCH", content_format=CBOR, observe=0)
    eq([reply.code for reply in replies], ["2.31"] * (len(replies) - 1) + ["2.05"])
    probe.set("whole", 5)
    peer.advance(1)
    (packet,) = peer.notifications(replies[-1].token)
    eq((replies[-1].observe, packet.observe), (0, 1))
    rest, number = packet.payload, 1
    while len(rest) < packet.size2:
        more = peer.request("FETCH", "/", b"", content_format=CBOR, block2=(number, False, 1))
        eq((more.code, more.etag), ("2.05", packet.etag))
        rest, number = rest + more.payload, number + 1
    packet.payload = rest
    eq(told(packet)["/32801/0/1"], 5)


# -- while the server is away ------------------------------------------------------------------------------------------


def test_storing():
    """With times, in order, the newest; without storing what holds now"""
    for storing, bound, expected in ((True, 10, [1, 2, 3]), (True, 2, [2, 3]), (False, 10, [3])):
        probe = Probe()
        peer = observed([probe], "/32801/0/0", "/32801/0/1", STORED=bound)
        account_of(peer).notification_storing = storing
        peer.link_works = False
        peer.registration.link_down("cut", peer.now)
        for value in (1, 2, 3):
            peer.advance(10)
            probe.set("whole", value)
            peer.poll()
        peer.advance(10)
        peer.link_works = True
        peer.advance(70)
        found = [timed(packet) for packet in peer.notifications(TOKEN)]
        times = [NOW_s + 10 * value if storing else None for value in expected]
        wanted = [[("/32801/0/0", 0.0, times[n]), ("/32801/0/1", expected[n], times[n])] for n in range(len(expected))]
        eq(found, wanted)


def test_asleep():
    """An Update first"""
    probe = Probe()
    peer = observed([probe], "/32801/0/0", before=["/32801/0/0?pmax=100"], binding="UQ", AWAKE_ms=5000)
    peer.advance(30)
    eq(peer.state, "ASLEEP")
    peer.take()
    probe.set("value", 1.0)
    peer.advance(1)
    eq([packet.path for packet in peer.requests()][-1:], ["/rd/5a3f"])
    eq(heard(peer), [(30, {"/32801/0/0": 1.0})])
    eq([at for at, _ in heard(peer, 100)], [130])


def test_confirmable_that_nobody_acknowledges():
    probe = Probe()
    for storing, expected in ((True, [1.0, 2.0]), (False, [2.0])):
        peer = observed([probe], "/32801/0/0", CON_EVERY=1)
        account_of(peer).notification_storing = storing
        peer.silent = True
        probe.set("value", 1.0)
        peer.advance(100)
        probe.set("value", 2.0)
        peer.notifications()
        peer.silent = False
        peer.advance(100)
        eq([values["/32801/0/0"] for _, values in heard(peer)], expected)
        probe.set("value", 0.0)
