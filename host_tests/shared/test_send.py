"""Send: what is told and to whom, what waits while a server is away or asleep, series, long ones, outcomes."""

from configurations import Bench, Probe, account_of, c1, c14
from lwm2m.config import ConfigError
from lwm2m.send import Series
from peer import Peer
from senml_judge import CBOR, JSON, timed, told
from support import eq, raises

NOW_s = 1700000000  # at the start of each test


def registered(objects=(), **settings):
    """C.1 with Send, registered, with a clock that tells the time."""
    peer = c1(objects, **settings)
    account_of(peer).mute_send = False
    peer.client.unix_time_s = lambda: NOW_s + peer.now // 1000
    peer.register()
    return peer


def sends(peer, seconds=1):
    """The Sends of the next seconds, and those since the last call."""
    peer.advance(seconds)
    return [packet for packet in peer.requests() if packet.path == "/dp"]


def collected():
    """(list, on_outcome that adds to it)"""
    outcomes = []
    return outcomes, lambda ssid, outcome: outcomes.append(outcome)


def cut(peer):
    peer.link_works = False
    peer.registration.link_down("cut", peer.now)


def back(peer):
    peer.link_works = True
    found = sends(peer, 90)
    eq(peer.state, "REGISTERED")
    return found


# -- what is told ------------------------------------------------------------------------------------------------------


def test_formats_and_paths():
    peer = registered([Bench()])
    for paths, wanted in (
        ("/32800/0/8", {"/32800/0/8": 8}),
        (["/32800/0/8", "32800/0/8", "/32800/0/7"], {"/32800/0/8": 8, "/32800/0/7/0": 1, "/32800/0/7/1": 5}),
        ("/32800/0/7/1", {"/32800/0/7/1": 5}),
        (["/32800/0/9", "/32800/0/10", "/32800/0/8", "/32800/0/11"], {"/32800/0/8": 8}),
    ):
        for content_format in (CBOR, JSON):
            eq(peer.client.send(paths, content_format=content_format), 1)
            (packet,) = sends(peer)
            eq((packet.content_format, told(packet)), (content_format, wanted))
            eq([time for _, _, time in timed(packet)], [None] * len(wanted))


def test_mistakes_of_the_program():
    peer = registered()
    for paths in ("/x", "/1/2/3/4/5", "/65535", "/0", "/21/0", "/23", ["/3", "/0/0/2"], [], ()):
        raises(ConfigError, peer.client.send, paths)
    raises(ConfigError, lambda: peer.client.send("/3/0/0", content_format=0))
    eq(sends(peer), [])


def test_values_of_now():
    """Those of the call, even if they change before the datagram leaves."""
    probe = Probe(1.5)
    peer = registered([probe])
    peer.client.send("/32801/0/0")
    probe.set("value", 2.5)
    peer.client.send("/32801/0/0")
    eq([told(packet) for packet in sends(peer)], [{"/32801/0/0": 1.5}, {"/32801/0/0": 2.5}])


def test_one_at_a_time():
    """The next one leaves when the answer to the one before is here."""
    probe = Probe()
    peer = registered([probe])
    peer.script("", "2.04")
    for value in (1.0, 2.0):
        probe.set("value", value)
        peer.client.send("/32801/0/0")
    (first,) = sends(peer, 20)
    peer.respond(first, "2.04")
    eq([told(packet) for packet in sends(peer)], [{"/32801/0/0": 2.0}])


def test_new_instances():
    """The server hears of them by an Update first, even if something is under way."""
    probe = Probe()
    peer = registered([probe], CON_EVERY=1)
    peer.observe("/32801/0/0", token=b"o")
    peer.acks = False
    probe.set("value", 1.0)
    peer.poll()
    peer.client.add(Bench())
    peer.client.send("/32800/0/8")
    peer.advance(3)
    (told_again,) = peer.notifications()[-1:]
    eq(peer.requests(), [])
    peer.ack(told_again)
    peer.advance(3)
    eq([packet.path for packet in peer.requests()], ["/rd/5a3f", "/dp"])


# -- to whom -----------------------------------------------------------------------------------------------------------


def test_several_servers():
    """Each gets what it may read, and only those that listen."""
    one, two = c14([Probe()])
    client = one.client
    for peer in (one, two):
        account_of(peer).mute_send = False
    outcomes = []

    def on_outcome(ssid, outcome):
        outcomes.append((ssid, outcome))

    eq(client.send(["/1/0/0", "/1/1/0", "/3/0/0"], on_outcome=on_outcome), 2)
    one.advance(1)
    found = [[packet for packet in peer.requests() if packet.path == "/dp"] for peer in (one, two)]
    eq([told(packet) for packet in found[0]], [{"/1/0/0": 1, "/3/0/0": "ACME"}])
    eq([told(packet) for packet in found[1]], [{"/1/1/0": 2, "/3/0/0": "ACME"}])
    eq(sorted(outcomes), [(1, "2.04"), (2, "2.04")])
    eq(client.send("/3/0/0", server=2), 1)
    one.advance(1)
    eq((len(one.requests()), len(two.requests())), (0, 1))
    eq(client.send("/1/0/0", server=2), 0)
    account_of(one).mute_send = True
    eq(client.send("/3/0/0"), 1)


def test_not_before_it_is_registered_and_not_to_1_0():
    peer = c1()
    account_of(peer).mute_send = False
    eq(peer.client.send("/3/0/0"), 0)
    peer.register()
    eq(peer.client.send("/3/0/0"), 1)
    old = registered(version="1.0")
    eq((old.client.send("/3/0/0"), sends(old)), (0, []))


# -- what waits --------------------------------------------------------------------------------------------------------


def test_while_the_server_is_away():
    """In order, with the time of the value; the newest, if there are too many."""
    for count, bound, expected in ((3, 4, [1, 2, 3]), (6, 2, [5, 6])):
        probe = Probe()
        outcomes, on_outcome = collected()
        peer = registered([probe], SENDS=bound)
        cut(peer)
        for value in range(1, count + 1):
            probe.set("value", float(value))
            eq(peer.client.send("/32801/0/0", on_outcome=on_outcome), 1)
            peer.advance(1)
        found = back(peer)
        eq([timed(packet) for packet in found], [[("/32801/0/0", float(n), NOW_s + n - 1)] for n in expected])
        eq(outcomes, ["dropped"] * (count - bound if count > bound else 0) + ["2.04"] * len(expected))


def test_link_that_breaks_under_way():
    peer = registered([Probe()])
    peer.silent = True
    peer.client.send("/32801/0/0")
    eq(len(sends(peer)), 1)
    cut(peer)
    peer.silent = False
    eq(len(back(peer)), 1)
    eq(sends(peer, 300), [])


def test_no_answer():
    """Sent again when an Update shows that the server is there; at most three times."""
    peer = registered([Probe()])
    outcomes = []
    peer.answer = lambda packet: None if packet.path == "/dp" else peer.usual_answer(packet)
    peer.client.send("/32801/0/0", on_outcome=lambda ssid, outcome: outcomes.append((peer.now // 1000, outcome)))
    found = sends(peer, 1000)
    eq(len({packet.mid for packet in found}), 3)
    eq(([outcome for _, outcome in outcomes], peer.state), (["dropped"], "REGISTERED"))
    peer.answer = peer.usual_answer
    peer.client.send("/32801/0/0")
    eq(len(sends(peer)), 1)


def test_reset():
    peer = registered()
    outcomes = []
    peer.script("RST")
    peer.client.send("/3/0/0", on_outcome=lambda ssid, outcome: outcomes.append(outcome))
    eq((len(sends(peer, 300)), outcomes), (1, ["RST"]))


def test_muted_while_it_waits():
    peer = registered()
    outcomes = []
    cut(peer)
    peer.client.send("/3/0/0", on_outcome=lambda ssid, outcome: outcomes.append(outcome))
    account_of(peer).mute_send = True
    eq((back(peer), outcomes), ([], ["muted"]))


def test_asleep():
    """An Update goes first."""
    peer = Peer([Probe()], lifetime=86400, binding="UQ", AWAKE_ms=5000)
    peer.client.queue_mode = True
    account_of(peer).mute_send = False
    peer.register()
    peer.advance(30)
    eq(peer.state, "ASLEEP")
    peer.take()
    peer.client.send("/32801/0/0")
    peer.advance(1)
    eq([packet.path for packet in peer.requests()][-2:], ["/rd/5a3f", "/dp"])
    peer.advance(30)
    eq(peer.state, "ASLEEP")
    eq(sends(peer, 60), [])


def test_callback_that_fails():
    """It does not stop what follows."""
    peer = registered()

    def on_outcome(ssid, outcome):
        raise ValueError("a mistake in a program")

    peer.client.send("/3/0/0", on_outcome=on_outcome)
    raises(ValueError, peer.advance, 1)
    peer.client.send("/3/0/1")
    eq([told(packet) for packet in sends(peer)][-1], {"/3/0/1": "Board 1"})


def test_long_one():
    """Block1, smaller blocks if the server wishes so."""
    peer = registered([Bench()], BLOCK_SIZE=64)
    bodies = [b""]

    def answer(packet):
        if packet.path != "/dp":
            return peer.usual_answer(packet)
        num, more, szx = packet.block1
        eq((packet.content_format, num * (16 << szx)), (CBOR, len(bodies[0])))
        bodies[0] += packet.payload
        return ("2.31" if more else "2.04", [(27, num * 16 + (8 if more else 0) + szx)])

    peer.answer = answer
    outcomes = []
    peer.client.send(["/3/0", "/32800/0"], on_outcome=lambda ssid, outcome: outcomes.append(outcome))
    assert len(sends(peer)) > 2
    eq(outcomes, ["2.04"])
    whole = registered([Bench()])
    whole.client.send(["/3/0", "/32800/0"])
    eq(bodies[0], sends(whole)[0].payload)


def blockwise(peer, bodies):
    """Have a server that wants blocks of 64 bytes: bodies gets what comes."""

    def answer(packet):
        if packet.path != "/dp":
            return peer.usual_answer(packet)
        if packet.block1 is None and len(packet.payload) > 64:
            return "4.13", [(27, 2)]
        num, more, szx = packet.block1 or (0, False, 2)
        eq(szx, 2)
        bodies[-1] += packet.payload
        if more:
            return "2.31", [(27, num * 16 + 8 + szx)]
        bodies.append(b"")
        return "2.04", [(27, num * 16 + szx)] if packet.block1 else []

    peer.answer = answer


def test_too_large_with_a_hint():
    """4.13 to one that came at once: again in blocks, and the next ones in blocks from the beginning."""
    peer = registered([Bench()])
    bodies = [b""]
    blockwise(peer, bodies)
    outcomes, on_outcome = collected()
    peer.client.send("/3/0/0", on_outcome=on_outcome)
    eq([packet.block1 for packet in sends(peer)], [None])
    peer.client.send(["/3/0", "/32800/0"], on_outcome=on_outcome)
    whole, *parts = sends(peer)
    eq((whole.block1, len(parts) > 2, bodies[1], outcomes), (None, True, whole.payload, ["2.04"] * 2))
    peer.client.send(["/3/0", "/32800/0"], on_outcome=on_outcome)
    eq([packet.block1 for packet in sends(peer)], [packet.block1 for packet in parts])
    eq((bodies[2], len(outcomes)), (whole.payload, 3))


def test_too_large_without_a_hint():
    """Or one of no use: the size that was sent already, the reserved one."""
    for options in ((), [(27, 5)], [(27, 6)], [(27, 7)]):
        peer = registered([Bench()])
        eq(peer.client.config.BLOCK_SIZE, 512)
        outcomes, on_outcome = collected()
        peer.script(("4.13", options))
        peer.client.send("/32800/0", on_outcome=on_outcome)
        eq((len(sends(peer, 60)), outcomes), (1, ["4.13"]))


def test_what_is_no_number():
    """It is left out of JSON; nothing is sent if nothing is left."""
    peer = registered([Probe(float("nan"))])
    eq(peer.client.send("/32801/0/0", content_format=JSON), 0)
    eq(peer.client.send(["/32801/0/0", "/32801/0/1"], content_format=JSON), 1)
    eq([told(packet) for packet in sends(peer)], [{"/32801/0/1": 0}])


# -- series ------------------------------------------------------------------------------------------------------------


def test_series():
    probe = Probe()
    peer = registered([probe])
    series = Series(peer.client, "/32801/0/0", 3)
    eq((series.send(), len(series)), (0, 0))
    for value in (1.0, 2.0, 3.0, 4.0):
        probe.set("value", value)
        series.add()
        peer.advance(60)
    eq(len(series), 3)
    series.add(9.5, 1600000000)
    eq((series.send(), len(series)), (1, 0))
    (packet,) = sends(peer)
    name = "/32801/0/0"
    eq(timed(packet), [(name, 3.0, NOW_s + 120), (name, 4.0, NOW_s + 180), (name, 9.5, 1600000000)])
    eq(series.send(content_format=JSON), 0)


def test_series_of_other_kinds():
    bench = Bench()
    peer = registered([bench])
    several, one, texts = [Series(peer.client, path) for path in ("/32800/0/7", "/32800/0/7/1", "/32800/0/2")]
    for series in (several, one, texts):
        series.add()
    bench.set("numbers", {0: 2, 1: 6})
    bench.set("words", "xyz")
    for series in (several, one, texts):
        series.add(time_s=NOW_s + 9)
        series.send(content_format=JSON)
    found = [[(name, value) for name, value, _ in timed(packet)] for packet in sends(peer)]
    a, b = "/32800/0/7/0", "/32800/0/7/1"
    eq(found[0], [(a, 1), (b, 5), (a, 2), (b, 6)])
    eq(found[1:], [[(b, 5), (b, 6)], [("/32800/0/2", "abc"), ("/32800/0/2", "xyz")]])


def test_series_waits_for_a_server():
    """What nobody can be told yet is kept."""
    peer = registered([Probe(1.0)])
    series = Series(peer.client, "/32801/0/0")
    series.add()
    account_of(peer).mute_send = True
    eq((series.send(), len(series)), (0, 1))
    account_of(peer).mute_send = False
    eq((series.send(), len(series)), (1, 0))


def test_series_mistakes():
    peer = c1([Probe()])
    for path in ("/32801/0", "/0/0/0", "/", "/x/0/0"):
        raises(ConfigError, Series, peer.client, path)
    raises(ConfigError, Series(peer.client, "/32801/0/0").add)
    peer.client.unix_time_s = lambda: NOW_s
    raises(ConfigError, Series(peer.client, "/32801/7/0").add)
    peer.client.tree.objects[32801][0].value = None
    series = Series(peer.client, "/32801/0/0")
    series.add()
    eq(len(series), 0)
