"""Registration while all goes well: lifetimes over weeks, what an Update says, versions, several servers, Disable."""

from configurations import Bench, Probe, account_of, device
from packet import build
from peer import Peer, peers
from support import each, eq

DAY_s = 86400


def registered(objects=(), **settings):
    peer = Peer([device()] + list(objects), **settings)
    peer.register()
    return peer


def updates(peer):
    """The Updates since the last call; nothing else has been asked."""
    found = peer.requests()
    eq([packet.path for packet in found], ["/rd/5a3f"] * len(found))
    return found


# -- lifetimes ---------------------------------------------------------------------------------------------------------


def check_lifetime(lifetime_s, margin_s, seconds, **settings):
    peer = registered(lifetime=lifetime_s, **settings)
    start = peer.now
    peer.advance(seconds)
    distance = int((lifetime_s - margin_s) * 1000)
    expected = [start + number * distance for number in range(1, seconds * 1000 // distance + 1)]
    found = updates(peer)
    eq([packet.at for packet in found], expected)
    eq([(packet.queries, packet.payload) for packet in found], [([], b"")] * len(expected))
    eq((peer.state, peer.get("/3/0/0").payload), ("REGISTERED", b"ACME"))


def test_updates_come_before_the_lifetime_ends():
    """min(lifetime / 2, MAX_TRANSMIT_WAIT) before, so that all retransmissions have their time."""
    cases = [
        (20, 10, 1800),
        (60, 30, 3600),
        (186, 93, 7200),
        (187, 93, 7200),
        (300, 93, 7200),
        (1, 0.5, 60),
        (DAY_s, 93, 40 * DAY_s),
        (0x7FFFFFFF, 93, 0x7FFFFFFF + 10),
    ]
    each(cases, check_lifetime)


def test_margin_follows_the_timers():
    """MAX_TRANSMIT_WAIT with an ACK_TIMEOUT of 0.5 s and one retransmission: 0.5 s x 3 x 1.5."""
    check_lifetime(60, 2.25, 600, ACK_TIMEOUT_ms=500, MAX_RETRANSMIT=1)


def test_lifetime_0_is_without_end():
    """No Update in four weeks; the client sleeps until something happens."""
    peer = registered(lifetime=0)
    eq(peer.client.poll(peer.now), None)
    peer.advance(28 * DAY_s)
    eq(peer.take(), [])
    eq(peer.get("/3/0/0").payload, b"ACME")
    peer.post("/1/0/8")
    peer.poll()
    eq(len(updates(peer)), 1)
    peer.put("/1/0/1", b"60")
    peer.advance(31)
    eq([packet.queries for packet in updates(peer)], [["lt=60"], []])
    peer.put("/1/0/1", b"0")
    peer.advance(DAY_s)
    eq([packet.queries for packet in updates(peer)], [["lt=0"]])


def test_timers_work_after_weeks():
    """Beyond 2**30 ms, where a board's ticks wrap: observations, retransmissions and the next Update."""
    probe = Probe()
    peer = registered([probe], lifetime=DAY_s)
    peer.advance(30 * DAY_s)
    assert peer.now > 1 << 31
    updates(peer)
    peer.put("/32801/0/0?pmin=5&pmax=20")
    peer.observe("/32801/0/0", token=b"o")
    start = peer.now
    peer.advance(3)
    probe.set("value", 1.0)
    peer.advance(30)
    eq([packet.at - start for packet in peer.notifications()], [5000, 25000])
    peer.post("/1/0/8")
    peer.lose(2)
    peer.advance(15)
    found = updates(peer)
    eq(len(found), 3)
    assert 2000 <= found[1].at - found[0].at <= 3000
    eq(found[2].at - found[1].at, 2 * (found[1].at - found[0].at))


def test_lifetime_begins_with_the_answer():
    """Not with the request, whose retransmissions may take a minute and a half."""
    peer = Peer([device()], lifetime=60)
    peer.lose(3)
    peer.client.start(peer.now)
    peer.advance(30)
    answered = peer.sent[-1].at
    eq(peer.registration.expires, answered + 60000)
    peer.advance(30)
    eq([packet.at for packet in peer.requests()[4:5]], [answered + 30000])


# -- what an Update says -----------------------------------------------------------------------------------------------


def test_location_path_is_kept_to_the_letter():
    """Each segment is one option, whatever is in it."""
    peer = Peer([device()])
    peer.location = [b"rd/x", b"", b"5a3f", "\u00fc".encode(), b"?a=b"]
    peer.register()
    peer.post("/1/0/8")
    peer.poll()
    eq(peer.requests()[-1].all(11), peer.location)
    peer.client.stop(peer.now)
    peer.poll()
    goodbye = peer.requests()[-1]
    eq((goodbye.code, goodbye.all(11), goodbye.queries), ("DELETE", peer.location, []))
    eq(peer.state, "STOPPED")


def test_update_says_only_what_has_changed():
    """Lifetime, binding, objects: those that differ from what the server knows, in one Update."""
    peer = registered(version="1.0")
    account = account_of(peer)
    objects = b"</1>;ver=1.1,</1/0>,</3>;ver=1.1,</3/0>"
    account.set("lifetime", 299)
    account.set("binding", "UQ")
    first = peer.client.add(Bench())
    peer.poll()
    (update,) = updates(peer)
    eq((update.type, update.code, update.queries), ("CON", "POST", ["lt=299", "b=UQ"]))
    eq((update.content_format, update.payload), (40, objects + b",</32800/0>"))
    second = peer.client.add(Bench(), 7)
    peer.client.add(Probe())
    peer.poll()
    (update,) = updates(peer)
    eq((update.queries, update.payload), ([], objects + b",</32800/0>,</32800/7>,</32801/0>"))
    peer.client.remove(first)
    peer.client.remove(second)
    peer.poll()
    eq([packet.payload for packet in updates(peer)], [objects + b",</32801/0>"])
    account.set("lifetime", 77)
    account.set("lifetime", 299)
    peer.poll()
    eq(updates(peer), [])


def test_objects_that_servers_may_create_are_listed_empty():
    """An object without instance, and its version once it is not 1.0."""

    class Newer(Probe):
        OID = 32802
        VERSION = "1.2"

    peer = Peer([device(), Newer()], creators=[Bench])
    register = peer.register()
    root = b'</>;rt="oma.lwm2m";ct="60 110 112 11542",'
    eq(register.payload, root + b"</1/0>,</3>;ver=1.1,</3/0>,</32800>,</32802>;ver=1.2,</32802/0>")
    peer.post("/32800")
    peer.poll()
    (update,) = updates(peer)
    assert b",</32800/0>,</32802>;ver=1.2," in update.payload
    peer.delete("/32800/0")
    peer.poll()
    (update,) = updates(peer)
    assert b",</32800>,</32802>;ver=1.2," in update.payload
    peer.client.allow_create(Probe)
    peer.poll()
    (update,) = updates(peer)
    assert b",</32800>,</32801>,</32802>;ver=1.2," in update.payload


def test_what_changes_during_an_update_is_told_in_the_next():
    """Also another trigger."""
    peer = registered()
    account_of(peer).set("lifetime", 100)
    peer.script("")
    peer.poll()
    update = peer.requests()[0]
    eq((update.queries, peer.state), (["lt=100"], "UPDATING"))
    account_of(peer).set("lifetime", 200)
    peer.post("/1/0/8")
    peer.advance(5)
    eq(updates(peer), [])
    peer.send(build("NON", "2.04", 0x7001, update.token))
    peer.poll()
    eq([packet.queries for packet in updates(peer)], [["lt=200"]])
    peer.advance(1)
    eq((peer.state, updates(peer)), ("REGISTERED", []))


def test_what_a_lost_update_said_is_said_again():
    """A server that never answered has not learned of the new lifetime and the new object."""
    peer = registered(lifetime=3600)
    account_of(peer).set("lifetime", 7200)
    peer.client.add(Probe())
    peer.silent = True
    while peer.state != "LOST":
        peer.advance(1)
    before = updates(peer)
    eq({packet.raw for packet in before}, {before[0].raw})
    peer.silent = False
    peer.advance(10)
    after = updates(peer)
    eq([(packet.queries, packet.payload) for packet in after], [(["lt=7200"], before[0].payload)])
    assert before[0].payload.endswith(b",</32801/0>")
    eq(peer.registration.expires, after[0].at + 7200000)


# -- versions ----------------------------------------------------------------------------------------------------------


def test_version_1_0():
    """No root link, and the versions of objects that 1.0 does not imply."""
    peer = Peer([device()], version="1.0")
    register = peer.register()
    eq(register.queries, ["ep=dev1", "lt=300", "lwm2m=1.0", "b=U"])
    eq(register.payload, b"</1>;ver=1.1,</1/0>,</3>;ver=1.1,</3/0>")


def test_a_lower_version_is_tried_and_remembered():
    """4.12 to a 1.1 client: 1.0 at once; and 1.0 again whenever it registers anew."""
    peer = Peer([device()])
    peer.script("4.12")
    eq(peer.register().queries[2], "lwm2m=1.0")
    peer.requests()
    peer.script("4.04")
    peer.advance(300)
    eq([packet.queries[2:3] for packet in peer.requests()], [[], ["lwm2m=1.0"]])
    eq([packet.queries[2] for packet in peer.sent if packet.path == "/rd"], ["lwm2m=1.1", "lwm2m=1.0", "lwm2m=1.0"])
    eq(peer.get("/3/0/0").code, "2.05")


def test_a_server_that_speaks_neither_version():
    """4.12 to 1.0 is a refusal like any other."""
    peer = Peer([device()])
    peer.script("4.12", "4.12")
    peer.client.start(peer.now)
    peer.advance(1)
    eq((peer.state, len(peer.take())), ("WAITING", 2))


# -- several servers ---------------------------------------------------------------------------------------------------


def both(**settings):
    one, two = peers(2, [device(), Probe()], **settings)
    two.location = [b"r", b"2"]
    one.register()
    two.poll()
    one.requests(), two.requests()
    return one, two


def test_two_servers_have_their_own_registrations():
    """Each has its account, location, lifetime and state; both learn of a new object."""
    one, two = both()
    eq((one.state, two.state), ("REGISTERED", "REGISTERED"))
    eq([packet.path for packet in two.sent], ["/rd"])
    eq((one.get("/1/0/0").payload, two.get("/1/1/0").payload), (b"1", b"2"))
    eq(two.put("/1/1/1", b"100").code, "2.04")
    two.poll()
    eq((one.requests(), [packet.queries for packet in two.requests()]), ([], [["lt=100"]]))
    one.client.add(Bench())
    one.poll()
    eq([packet.path for packet in one.requests()], ["/rd/5a3f"])
    eq([packet.path for packet in two.requests()], ["/r/2"])
    one.post("/1/0/4")
    one.advance(1)
    eq((one.state, two.state), ("DISABLED", "REGISTERED"))
    eq((one.get("/3/0/0"), two.get("/3/0/0").payload), (None, b"ACME"))


def test_two_servers_have_their_own_attributes_and_observations():
    """One's thresholds, tokens, resets and troubles are nothing to the other."""
    one, two = both()
    probe = one.client.tree.objects[32801][0]
    one.put("/32801/0/0?pmin=10")
    two.put("/32801/0/0?gt=5")
    eq(one.get("/32801/0/0", accept=40).text, "</32801/0/0>;pmin=10")
    eq(two.get("/32801/0/0", accept=40).text, "</32801/0/0>;gt=5")
    one.observe("/32801/0/0", token=b"t")
    two.observe("/32801/0/0", token=b"t")
    probe.set("value", 1.0)
    one.advance(20)
    probe.set("value", 6.0)
    one.advance(20)
    first, second = one.notifications(), two.notifications()
    eq([packet.payload for packet in first], [b"1", b"6"])
    eq([packet.payload for packet in second], [b"6"])
    one.reset(first[-1])
    probe.set("value", 3.0)
    one.advance(20)
    eq(([], [b"3"]), (one.notifications(), [packet.payload for packet in two.notifications()]))
    two.registration.link_down("cut", two.now)
    eq((one.state, two.state), ("REGISTERED", "LOST"))


# -- Disable -----------------------------------------------------------------------------------------------------------


def test_disable_without_timeout_lasts_a_day():
    """The default of /1/x/5. All observations are gone afterwards."""
    peer = registered([Probe()])
    peer.observe("/32801/0/0", token=b"o")
    eq(peer.post("/1/0/4").code, "2.04")
    peer.advance(2)
    goodbye = peer.take()[-1]
    eq((goodbye.code, peer.state), ("DELETE", "DISABLED"))
    peer.client.tree.objects[32801][0].set("value", 1.0)
    peer.advance(DAY_s - 3)
    eq(peer.take(), [])
    peer.advance(3)
    eq([packet.path for packet in peer.take()], ["/rd"])
    peer.client.tree.objects[32801][0].set("value", 2.0)
    peer.advance(10)
    eq(peer.take(), [])


def test_disable_does_not_wait_for_the_server():
    """A De-register that nobody answers: silence all the same, for the time that was asked."""
    peer = registered()
    account_of(peer).disable_timeout = 1000
    peer.post("/1/0/4")
    peer.silent = True
    peer.advance(100)
    eq(({packet.code for packet in peer.requests()}, peer.state), ({"DELETE"}, "DISABLED"))
    peer.silent = False
    peer.advance(1000)
    eq((peer.state, [packet.path for packet in peer.requests()]), ("REGISTERED", ["/rd"]))
