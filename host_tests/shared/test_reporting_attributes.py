"""When a notification is sent: the algorithm of OMA Core 1.1 section 5.1.2 in tables, and against a naive model."""

from configurations import Probe, account_of, device
from peer import Peer
from support import each, eq, xorshift32

PATH = "/32801/0/0"
HORIZON_s = 60


def observed(queries="", path=PATH, **account):
    """(peer, probe) of an observation that starts at 0 s with the value 0."""
    probe = Probe()
    peer = Peer([device(), probe], lifetime=86400)
    for name, value in account.items():
        setattr(account_of(peer), name, value)
    peer.register()
    if queries:
        eq(peer.put(path + "?" + queries).code, "2.04")
    eq(peer.observe(path, token=b"o").observe, 0)
    return peer, probe


def told(peer):
    """What was notified since the last call: [(seconds, value)]."""
    found = peer.notifications(b"o")
    eq([packet.at % 1000 for packet in found], [0] * len(found))
    return [(packet.at // 1000, float(packet.text)) for packet in found]


def play(peer, probe, changes, until=HORIZON_s):
    for at, value in changes:
        peer.advance(at - peer.now // 1000)
        probe.set("value", float(value))
        peer.poll()
    peer.advance(until - peer.now // 1000)
    return told(peer)


def check(queries, changes, expected):
    """Changes as (seconds, value), what is notified likewise."""
    peer, probe = observed(queries)
    eq(play(peer, probe, changes), [(at, float(value)) for at, value in expected])


# -- one attribute, and those that go together -------------------------------------------------------------------------

PERIODS = [
    # without attributes every change is told at once, and nothing else
    ("", [(1, 1), (2, 2), (3, 2), (4, 0)], [(1, 1), (2, 2), (4, 0)]),
    # pmin: not before; then what holds by then
    ("pmin=10", [(3, 5)], [(10, 5)]),
    ("pmin=10", [(3, 5), (4, 6), (9, 7)], [(10, 7)]),
    ("pmin=10", [(3, 5), (12, 6), (13, 7)], [(10, 5), (20, 7)]),
    ("pmin=10", [(15, 5), (16, 6)], [(15, 5), (25, 6)]),
    ("pmin=10", [(10, 5)], [(10, 5)]),
    ("pmin=10", [(3, 5), (6, 0)], []),
    ("pmin=10", [(3, 5), (6, 0), (30, 1)], [(30, 1)]),
    ("pmin=0", [(1, 1), (2, 2)], [(1, 1), (2, 2)]),
    # pmax: at least so often, counted from the last one
    ("pmax=20", [], [(20, 0), (40, 0), (60, 0)]),
    ("pmax=20", [(5, 1)], [(5, 1), (25, 1), (45, 1)]),
    ("pmax=20", [(20, 1)], [(20, 0), (20, 1), (40, 1), (60, 1)]),
    ("pmin=10&pmax=20", [(5, 1), (35, 2)], [(10, 1), (30, 1), (40, 2), (60, 2)]),
    ("pmin=10&pmax=10", [(5, 1)], [(10, 1), (20, 1), (30, 1), (40, 1), (50, 1), (60, 1)]),
    ("pmin=10&pmax=25", [(3, 1), (8, 0)], [(25, 0), (50, 0)]),
    # a pmax below pmin is ignored, and so is 0
    ("pmin=30&pmax=20", [(5, 1)], [(30, 1)]),
    ("pmax=0", [(5, 1)], [(5, 1)]),
    ("pmin=5&pmax=0", [(2, 1)], [(5, 1)]),
    # epmin: not looked at more often, whatever is due; epmax alone tells nothing
    ("epmin=10", [(1, 1)], [(10, 1)]),
    ("epmin=10", [(1, 1), (2, 0)], []),
    ("epmin=10", [(12, 1), (15, 2), (24, 3)], [(12, 1), (22, 2), (32, 3)]),
    ("epmin=10&pmin=15", [(1, 1), (16, 2)], [(15, 1), (30, 2)]),
    ("epmin=20&pmin=5", [(1, 1), (22, 2)], [(20, 1), (40, 2)]),
    ("epmin=30&pmax=20", [], [(30, 0), (60, 0)]),
    ("epmax=5", [(7, 1)], [(7, 1)]),
    ("epmin=4&epmax=10", [(1, 1), (6, 2)], [(4, 1), (8, 2)]),
]

THRESHOLDS = [
    # gt and lt: each crossing, in both directions; to reach a threshold is not to cross it
    ("gt=20", [(1, 25), (2, 30), (3, 15), (4, 10), (5, 21)], [(1, 25), (3, 15), (5, 21)]),
    ("gt=20", [(1, 20)], []),
    ("gt=20", [(1, 20), (2, 20.5)], [(2, 20.5)]),
    ("gt=20", [(1, 21), (2, 20), (3, 19)], [(1, 21), (3, 19)]),
    ("lt=10", [(1, 5), (2, 11), (3, 12), (4, 9)], [(2, 11), (4, 9)]),
    ("lt=-5", [(1, -4), (2, -6), (3, -7), (4, 0)], [(2, -6), (4, 0)]),
    ("lt=10&gt=20", [(1, 15), (2, 18), (3, 25), (4, 15), (5, 5)], [(1, 15), (3, 25), (4, 15), (5, 5)]),
    ("lt=10&gt=20", [(1, 30), (2, 0)], [(1, 30), (2, 0)]),
    ("gt=0", [(1, 1), (2, -1), (3, 0), (4, 1)], [(1, 1), (2, -1), (4, 1)]),
    # st: from what was told last, exactly the step is enough; a drift counts too
    ("st=5", [(1, 4), (2, 5), (3, 9.75), (4, 10), (5, 6), (6, 5)], [(2, 5), (4, 10), (6, 5)]),
    ("st=5", [(1, 3), (2, 6), (3, 9), (4, 12)], [(2, 6), (4, 12)]),
    ("st=5", [(1, -5), (2, 100)], [(1, -5), (2, 100)]),
    ("st=0.25", [(1, 0.125), (2, 0.25), (3, 0.25)], [(2, 0.25)]),
    ("st=0", [(1, 1), (2, 1), (3, 1.5)], [(1, 1), (3, 1.5)]),
    # together any of them will do
    ("gt=20&st=10", [(1, 9), (2, 12), (3, 19), (4, 21), (5, 22)], [(2, 12), (4, 21)]),
    ("lt=5&gt=20&st=7", [(1, 6), (2, 12), (3, 13), (4, 4)], [(1, 6), (3, 13), (4, 4)]),
    # with periods: pmin puts off, and looks again then; pmax tells what is
    ("gt=20&pmin=10", [(3, 25)], [(10, 25)]),
    ("gt=20&pmin=10", [(3, 25), (6, 15)], []),
    ("gt=20&pmin=10", [(3, 25), (6, 30), (12, 15), (14, 25)], [(10, 30)]),
    ("gt=20&pmax=25", [(3, 15), (30, 25)], [(25, 15), (30, 25), (55, 25)]),
    ("st=5&pmin=10&pmax=30", [(2, 3), (4, 6), (20, 8), (39, 12)], [(10, 6), (39, 12)]),
    ("st=5&epmin=10", [(1, 6), (4, 2), (8, 7), (12, 20)], [(10, 7), (20, 20)]),
    ("gt=20&pmin=30&pmax=20", [(5, 25)], [(30, 25)]),
]


def test_periods():
    each(PERIODS, check)


def test_thresholds():
    each(THRESHOLDS, check)


def test_thresholds_of_integers():
    """And of times and unsigned: whatever is a number. Not of a text."""
    for rid, name, values, expected in (
        (1, "whole", [19, 20, 21, 22], [b"21"]),
        (2, "words", ["b", "c"], [b"b", b"c"]),
        (4, "flag", [True, True, False], [b"1", b"0"]),
    ):
        peer, probe = observed("gt=20" if name == "whole" else "pmin=0", "/32801/0/%d" % rid)
        for value in values:
            probe.set(name, value)
            peer.advance(1)
        eq([packet.payload for packet in peer.notifications()], expected)


# -- where attributes come from ----------------------------------------------------------------------------------------


def check_source(writes, account, expected):
    """A change at 1 s; then nothing until 60 s."""
    probe = Probe()
    peer = Peer([device(), probe], lifetime=86400)
    account_of(peer).default_pmin, account_of(peer).default_pmax = account
    peer.register()
    for write in writes:
        eq(peer.put(write).code, "2.04")
    peer.observe(PATH, token=b"o")
    eq([at for at, _ in play(peer, probe, [(1, 1)])], expected)


def test_nearest_level_wins():
    """Resource before instance before object before the account's /1/x/2 and 3, each attribute by itself."""
    cases = [
        ([], (10, None), [10]),
        ([], (0, 0), [1]),
        ([], (10, 40), [10, 50]),
        ([], (40, 10), [40]),
        (["/32801?pmin=5"], (10, 40), [5, 45]),
        (["/32801?pmin=5", "/32801/0?pmin=6"], (10, None), [6]),
        (["/32801?pmin=5", "/32801/0?pmin=6", "/32801/0/0?pmin=7"], (10, None), [7]),
        (["/32801/0/0?pmin=0"], (10, None), [1]),
        (["/32801/0/0?pmax=0"], (10, 20), [10]),
        (["/32801?pmax=20", "/32801/0/0?pmin=10"], (None, None), [10, 30, 50]),
        (["/32801/0?pmin=30", "/32801/0/0?pmin="], (10, None), [30]),
        (["/32801/0/0?pmin=7", "/32801/0/0?pmin"], (10, None), [10]),
        (["/3?pmin=7"], (None, None), [1]),
    ]
    each(cases, check_source)


def test_default_periods_that_a_server_writes():
    """/1/x/2 and /1/x/3 hold for observations that run already."""
    peer, probe = observed(default_pmin=0, default_pmax=0)
    eq(peer.put("/1/0/2", b"10").code, "2.04")
    eq(peer.put("/1/0/3", b"30").code, "2.04")
    eq(play(peer, probe, [(1, 1)], 50), [(10, 1.0), (40, 1.0)])


def test_attributes_below_the_observed_path():
    """They neither put off nor filter what is observed above; those above it do."""
    peer, probe = observed("gt=100&pmin=30")
    peer.observe("/32801/0", token=b"i")
    peer.observe("/32801", token=b"b")
    peer.put("/32801?pmin=5")
    probe.set("value", 1.0)
    peer.advance(20)
    eq([(packet.at, packet.token) for packet in peer.notifications()], [(5000, b"i"), (5000, b"b")])
    peer.put("/32801/0?pmin=40")
    probe.set("value", 2.0)
    peer.advance(30)
    eq([(packet.at, packet.token) for packet in peer.notifications()], [(20000, b"b"), (45000, b"i")])


def test_attributes_of_a_resource_instance():
    """Its own before those of the resource; another instance's change is nothing to it."""
    peer, probe = observed("pmin=0", "/32801/0/3/0")
    peer.put("/32801/0/3?gt=50&pmin=2")
    probe.set("numbers", {0: 40, 1: 70})
    peer.advance(5)
    eq(told(peer), [])
    probe.set("numbers", {0: 51, 1: 0})
    peer.advance(5)
    eq(told(peer), [(5, 51.0)])
    peer.put("/32801/0/3/0?gt=60")
    probe.set("numbers", {0: 45, 1: 0})
    peer.advance(5)
    eq(told(peer), [])
    peer.observe("/32801/0/3", token=b"m")
    probe.set("numbers", {0: 46, 1: 0})
    peer.advance(5)
    eq([(packet.token, packet.content_format) for packet in peer.notifications()], [(b"m", 11542)])


# -- attributes that change while an observation runs ------------------------------------------------------------------


def test_attributes_change_under_a_running_observation():
    """Timers run on from the last notification; what waits is looked at by the new attributes."""
    peer, probe = observed("pmin=50")
    eq(play(peer, probe, [(3, 1)], 5), [])
    peer.put(PATH + "?pmin=10")
    eq(play(peer, probe, [], 15), [(10, 1.0)])
    peer.put(PATH + "?pmax=3&pmin=")
    eq(play(peer, probe, [], 17), [(15, 1.0)])
    peer.put(PATH + "?pmax=30")
    eq(play(peer, probe, [], 50), [(45, 1.0)])
    peer.put(PATH + "?gt=20&pmax=")
    eq(play(peer, probe, [(51, 5), (52, 19)], 60), [])
    peer.put(PATH + "?gt=")
    eq(play(peer, probe, [], 70), [])
    eq(play(peer, probe, [(71, 19.5)], 80), [(71, 19.5)])


# -- against a model ---------------------------------------------------------------------------------------------------


def crossed(limit, before, after):
    return before <= limit < after or before >= limit > after


def matters(a, before, after):
    """Whether the difference of two values is worth a notification."""
    if "gt" not in a and "lt" not in a and "st" not in a:
        return before != after
    if "st" in a and abs(after - before) >= a["st"]:
        return True
    return any(name in a and crossed(a[name], before, after) for name in ("gt", "lt"))


def model(a, values):
    """[(second, value)] that are told of values[0], values[1] ... at seconds 0, 1 ...; second by second, no cunning."""
    found = []
    told_at = looked_at = 0
    told_value = values[0]
    waits = False
    for now in range(1, len(values)):
        waits = waits or values[now] != values[now - 1]
        too_long = a.get("pmax", 0) >= max(1, a.get("pmin", 0)) and now - told_at >= a["pmax"]
        allowed = now - told_at >= a.get("pmin", 0)
        if not (too_long or (waits and allowed) or ("epmax" in a and now - looked_at >= a["epmax"])):
            continue
        if now - looked_at < a.get("epmin", 0):
            continue
        looked_at, waits = now, False
        if too_long or matters(a, told_value, values[now]):
            if allowed:
                found.append((now, values[now]))
                told_at, told_value = now, values[now]
            else:
                waits = True
    return found


def scenario(draw):
    """(attributes, values): at most one of each attribute, and a value that wanders, jumps or stays."""
    a = {}
    for name, top in (("pmin", 12), ("pmax", 25), ("epmin", 9)):
        if draw(2):
            a[name] = draw(top)
    if draw(3) == 0:
        a["epmax"] = a.get("epmin", 0) + 1 + draw(10)
    if draw(2):
        a["st"] = draw(8) / 2
    if draw(2):
        a["lt"] = draw(20) - 10
    if draw(2):
        a["gt"] = a.get("lt", 0) + 2 * a.get("st", 0) + 1 + draw(5)
    values = [0.0]
    for _ in range(80):
        step = draw(8)
        values.append(values[-1] + (0.5, -0.5, draw(9) - 4.0, 0, 0, 0, 0, 0)[step])
    return a, values


def test_against_a_naive_model():
    """80 seconds each of 150 scenarios."""
    state = [20261122]

    def draw(limit):
        state[0] = xorshift32(state[0])
        return (state[0] >> 5) % limit

    count = 0
    for number in range(150):
        a, values = scenario(draw)
        peer, probe = observed("&".join(["%s=%s" % (name, a[name]) for name in a]))
        for value in values[1:]:
            # the change comes first, then whatever is due in the same second
            peer.world.now += 1000
            probe.set("value", value)
            peer.poll()
        found, expected = told(peer), model(a, values)
        eq((number, a, found), (number, a, expected))
        count += len(expected)
    assert count > 1000, count
