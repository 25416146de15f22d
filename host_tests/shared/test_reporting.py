"""How notifications travel: confirmable or not, cancelled, stored for a server that is away, ended by an error."""

from configurations import Bench, Probe, account_of, device
from peer import Peer
from support import each, eq, unhex

PATH = "/32801/0/0"
TLV = 11542


def registered(objects=(), **settings):
    """(peer, probe)."""
    probe = Probe()
    peer = Peer([device(), probe] + list(objects), lifetime=settings.pop("lifetime", 86400), **settings)
    peer.register()
    return peer, probe


def observed(path=PATH, **settings):
    peer, probe = registered(**settings)
    eq(peer.observe(path, token=b"o").observe, 0)
    return peer, probe


def change(peer, probe, count=1):
    """New values, each told before the next; returns the notifications."""
    for _ in range(count):
        probe.set("value", probe.value + 1)
        peer.poll()
    return peer.notifications()


def texts(packets):
    return [packet.text for packet in packets]


# -- what a notification looks like ------------------------------------------------------------------------------------


def test_bytes_of_a_notification():
    """NON 2.05, the token, Observe 1, Content-Format 0."""
    peer, probe = registered()
    peer.observe(PATH, token=b"\x0b\x0c")
    probe.set("value", 21.25)
    peer.poll()
    (packet,) = peer.notifications()
    eq(packet.raw, unhex("52 45 %04x 0b 0c 61 01 60 ff 32 31 2e 32 35" % packet.mid))


def test_first_answer_and_format():
    """Observe 0 in the answer; every notification in its format, whatever level is observed."""
    cases = [
        (PATH, None, 0, b"0", b"1"),
        (PATH, TLV, TLV, unhex("c4 00 00 00 00 00"), unhex("c4 00 3f 80 00 00")),
        ("/32801/0/3/1", None, 0, b"20", None),
        ("/32801/0/3", None, TLV, unhex("86 03 41 00 0a 41 01 14"), None),
    ]
    for path, accept, content_format, first, second in cases:
        peer, probe = registered()
        reply = peer.observe(path, accept=accept, token=b"o")
        eq((reply.type, reply.code, reply.observe), ("ACK", "2.05", 0))
        eq((reply.content_format, reply.payload), (content_format, first))
        found = change(peer, probe)
        eq([(packet.content_format, packet.payload) for packet in found], [(content_format, second)] if second else [])


def test_observing_an_instance_and_an_object():
    """One notification for all that is below, in TLV; also when an instance comes or goes."""
    peer, probe = registered(creators=[Bench])
    eq(peer.observe("/32800", token=b"b").payload, b"")
    eq(peer.observe("/32801", token=b"p").payload[:3], unhex("08 00 17"))
    eq(peer.observe("/32801/0", token=b"i").payload[:6], unhex("c4 00 00 00 00 00"))
    probe.set("flag", True)
    peer.poll()
    found = peer.notifications()
    eq([(packet.token, packet.payload[-3:]) for packet in found], [(b"p", b"\xc1\4\1"), (b"i", b"\xc1\4\1")])
    peer.post("/32800", unhex("c1 00 07"), content_format=TLV)
    peer.poll()
    found = peer.notifications()
    eq([(packet.token, packet.payload[3:6]) for packet in found], [(b"b", unhex("c1 00 07"))])
    peer.delete("/32800/0")
    peer.poll()
    eq([(packet.token, packet.code, packet.payload) for packet in peer.notifications()], [(b"b", "2.05", b"")])


def test_sequence_wraps_at_24_bits():
    peer, probe = observed()
    peer.registration.reporting.observations[0].sequence = 0xFFFFFD
    eq([packet.observe for packet in change(peer, probe, 4)], [0xFFFFFE, 0xFFFFFF, 0, 1])


# -- confirmable or not ------------------------------------------------------------------------------------------------


def test_each_nth_is_confirmable():
    """Of each observation by itself."""
    for every, expected in ((10, [10, 20, 30]), (1, list(range(1, 31))), (0, [])):
        peer, probe = observed(CON_EVERY=every)
        peer.observe("/32801/0/1", token=b"w")
        found = change(peer, probe, 30)
        eq([number + 1 for number in range(30) if found[number].type == "CON"], expected)


def test_one_a_day_is_confirmable():
    """RFC 7641 section 4.5: at least every 24 hours."""
    peer, _ = observed(CON_EVERY=0)
    peer.put(PATH + "?pmax=3600")
    peer.advance(3 * 86400)
    found = peer.notifications()
    eq(len(found), 72)
    eq([packet.at // 3600000 for packet in found if packet.type == "CON"], [24, 48, 72])


def test_confirmable_ones_are_retransmitted():
    """Meanwhile nothing else is sent for this observation; then the newest value is."""
    peer, probe = observed(CON_EVERY=1)
    peer.lose(2)
    change(peer, probe)
    probe.set("value", 5.0)
    peer.advance(1)
    probe.set("value", 6.0)
    peer.advance(1)
    eq(peer.notifications(), [])
    peer.advance(8)
    found = peer.notifications()
    eq(texts(found), ["1", "1", "6"])
    eq(found[0].mid, found[1].mid)
    assert found[2].at == found[1].at and found[2].mid != found[1].mid


def test_pmax_goes_on_after_an_acknowledgement():
    """With nothing else that would wake the client."""
    peer, _ = observed(CON_EVERY=1, lifetime=0)
    peer.put(PATH + "?pmax=10")
    peer.advance(30)
    eq([packet.at for packet in peer.notifications()], [10000, 20000, 30000])


def test_what_wakes_the_client():
    """Without it the runner would sleep on: it has asked before when it has to come back."""
    peer, probe = observed(CON_EVERY=1, lifetime=0)
    change(peer, probe)
    for act in (
        lambda: peer.observe("/32801/0/1", token=b"w"),
        lambda: probe.set("value", 7.0),
        lambda: probe.changed("value"),
        lambda: peer.put(PATH + "?pmax=50"),
        lambda: peer.put("/1/0/1", b"99"),
        lambda: peer.post("/1/0/8"),
        lambda: peer.post("/3/0/4"),
        lambda: peer.client.add(Probe()),
        lambda: peer.client.allow_create(Bench),
        lambda: peer.post("/32800"),
        lambda: peer.delete("/32800/0"),
        lambda: peer.registration.link_down("cut", peer.now),
    ):
        peer.advance(10)
        woken = []
        peer.client.on_wake = lambda woken=woken: woken.append(peer.client.due)
        act()
        eq(woken[-1:], [0])


# -- cancelled ---------------------------------------------------------------------------------------------------------


def check_reset(every, late):
    """A RST to the last notification, or to one of those before it."""
    peer, probe = observed(CON_EVERY=every)
    peer.observe("/32801/0/1", token=b"w")
    peer.acks = False
    found = change(peer, probe, late + 1)
    peer.reset(found[0])
    eq(change(peer, probe, 3), [])
    probe.set("whole", 1)
    peer.poll()
    eq([packet.token for packet in peer.notifications()], [b"w"])


def test_reset_cancels():
    """In answer to CON and NON, also to one that is not the last; other observations go on."""
    each([(1, 0), (10, 0), (10, 5)], check_reset)


def test_observe_1_cancels():
    """By token; the answer is a Read. What is not observed cannot be cancelled, and that is no error."""
    peer, probe = observed()
    eq(peer.cancel(PATH, b"x").observe, None)
    eq(len(change(peer, probe)), 1)
    reply = peer.cancel(PATH, b"o")
    eq((reply.code, reply.observe, reply.payload), ("2.05", None, b"1"))
    eq(change(peer, probe), [])
    eq(peer.cancel(PATH, b"o").code, "2.05")
    eq(peer.cancel("/32801/7", b"o").code, "4.04")


def test_a_token_observes_one_thing():
    """Asked again it is replaced, and its sequence goes on (RFC 7641 section 3.4); another token of the same path
    stands beside it."""
    peer, probe = observed()
    peer.observe(PATH, token=b"p")
    eq([packet.token for packet in change(peer, probe)], [b"o", b"p"])
    eq(peer.observe("/32801/0/1", token=b"o").observe, 2)
    eq([packet.token for packet in change(peer, probe)], [b"p"])
    probe.set("whole", 9)
    peer.poll()
    eq([(packet.token, packet.text, packet.observe) for packet in peer.notifications()], [(b"o", "9", 3)])


def test_no_room_for_one_more():
    """A plain Read without Observe (RFC 7641 section 4.1), and no notification; one that goes makes room."""
    peer, probe = registered(OBSERVATIONS=2)
    seen = [peer.observe(PATH, token=token).observe for token in (b"1", b"2", b"3")]
    eq(seen, [0, 0, None])
    eq([packet.token for packet in change(peer, probe)], [b"1", b"2"])
    eq(peer.observe(PATH, token=b"2").observe, 2)
    peer.cancel(PATH, b"1")
    eq(peer.observe(PATH, token=b"3").observe, 0)


def test_what_cannot_be_read_cannot_be_observed():
    """The codes of Read; nothing is kept."""
    peer, _ = registered([Bench()])
    for path, more, code in (
        ("/32800/0/10", {}, "4.05"),
        ("/32800/0/9", {}, "4.05"),
        ("/32800/0/11", {}, "4.04"),
        ("/32800/0/99", {}, "4.04"),
        ("/32800/1", {}, "4.04"),
        ("/9", {}, "4.04"),
        (PATH, {"accept": 42}, "4.06"),
        (PATH, {"accept": 50}, "4.06"),
        ("/32801/0", {"accept": 0}, "4.06"),
        (PATH + "?pmin=5&pmax=10", {}, "4.00"),
    ):
        reply = peer.observe(path, token=b"o", **more)
        eq((path, reply.code, reply.observe), (path, code, None))
    eq(peer.registration.reporting is None or peer.registration.reporting.observations == [], True)


# -- while the server is away ------------------------------------------------------------------------------------------


def away(storing, changes, **settings):
    """(peer, probe) with a link that is cut while the value goes to 1, 2, 3 ..., and comes back."""
    peer, probe = observed(**settings)
    account_of(peer).notification_storing = storing
    peer.link_works = False
    peer.registration.link_down("cut", peer.now)
    for _ in range(changes):
        peer.advance(1)
        change(peer, probe)
    eq(peer.notifications(), [])
    peer.link_works = True
    peer.advance(30)
    eq(peer.state, "REGISTERED")
    return peer, probe


def test_storing_while_offline():
    """/1/x/6 true: all of them in order, the newest if there are too many; false: what holds now, once."""
    for storing, changes, bound, expected in (
        (True, 4, 10, ["1", "2", "3", "4"]),
        (True, 8, 3, ["6", "7", "8"]),
        (True, 0, 3, []),
        (True, 3, 1, ["3"]),
        (False, 4, 10, ["4"]),
        (False, 0, 10, []),
    ):
        peer, probe = away(storing, changes, STORED=bound)
        found = peer.notifications()
        eq(texts(found), expected)
        update = next(packet for packet in peer.sent if packet.path == "/rd/5a3f")
        eq([packet.at for packet in found], [update.at] * len(expected))
        sequence = [packet.observe for packet in found + change(peer, probe)]
        eq(sequence, list(range(1, len(expected) + 2)))


def test_stored_notifications_of_several_observations():
    """In the order in which they became due."""
    peer, probe = observed()
    peer.observe("/32801/0/1", token=b"w")
    peer.registration.link_down("cut", peer.now)
    peer.link_works = False
    for name, value in (("value", 1.0), ("whole", 2), ("value", 3.0), ("whole", 4)):
        probe.set(name, value)
        peer.advance(1)
    peer.link_works = True
    peer.advance(20)
    eq([packet.payload for packet in peer.notifications()], [b"1", b"2", b"3", b"4"])


def test_what_waits_for_its_ack_keeps_its_place():
    """Confirmable ones leave one by one; what a link takes along comes once more, before all that is newer."""
    peer, probe = observed(CON_EVERY=1)
    account_of(peer).notification_storing = True
    peer.link_works = peer.acks = False
    peer.registration.link_down("cut", peer.now)
    for _ in range(5):
        peer.advance(1)
        change(peer, probe)
    peer.link_works = True
    peer.advance(20)
    found = peer.notifications()
    eq((peer.state, set(texts(found)), {packet.type for packet in found}), ("REGISTERED", {"1"}, {"CON"}))
    peer.ack(found[0])
    peer.poll()
    eq(texts(peer.notifications()), ["2"])
    eq(change(peer, probe), [])
    peer.registration.link_down("cut again", peer.now)
    peer.acks = True
    peer.advance(60)
    found += peer.notifications()
    eq(texts(found)[-5:], ["2", "3", "4", "5", "6"])
    eq([packet.observe for packet in found[-5:]], list(range(found[-5].observe, found[-5].observe + 5)))
    eq(found[-5].observe > found[0].observe, True)


def test_room_for_what_was_not_acknowledged():
    """It is the oldest: where there is no room, it is the one that goes."""
    peer, probe = observed(CON_EVERY=1, STORED=2)
    account_of(peer).notification_storing = True
    peer.acks = peer.link_works = False
    change(peer, probe)
    peer.registration.link_down("cut", peer.now)
    for _ in range(2):
        peer.advance(1)
        change(peer, probe)
    peer.acks = peer.link_works = True
    peer.advance(60)
    eq(texts(peer.notifications()), ["2", "3"])


def test_pmin_and_pmax_while_offline():
    """They hold for what is stored as well."""
    peer, probe = observed()
    peer.put(PATH + "?pmin=10&pmax=25")
    peer.link_works = False
    peer.registration.link_down("cut", peer.now)
    for value in range(1, 31):
        probe.set("value", float(value))
        peer.advance(1)
    probe.set("value", 0.5)
    peer.advance(40)
    peer.link_works = True
    peer.advance(70)
    found = texts(peer.notifications())
    eq(found[:5], ["10", "20", "30", "0.5", "0.5"])


def test_what_is_due_during_an_update_waits_for_its_answer():
    """As the server may have forgotten the device."""
    for code, expected in (("2.04", ["1"]), ("4.04", [])):
        peer, probe = observed()
        peer.script("")
        peer.post("/1/0/8")
        peer.advance(1)
        eq(peer.state, "UPDATING")
        eq(change(peer, probe), [])
        update = peer.requests()[-1]
        peer.respond(update, code)
        peer.advance(1)
        eq(texts(peer.notifications()), expected)


def test_confirmable_notification_that_nobody_acknowledges():
    """The registration is checked by an Update; then what was not delivered comes again, or what holds now."""
    for storing, expected in ((True, ["1", "1"]), (False, ["1", "3"])):
        peer, probe = observed(CON_EVERY=1)
        account_of(peer).notification_storing = storing
        peer.acks = False
        change(peer, probe)
        probe.set("value", 3.0)
        peer.advance(50)
        peer.acks = True
        eq(peer.requests(), [])
        peer.advance(50)
        eq([packet.path for packet in peer.requests()], ["/rd/5a3f"])
        found = peer.sent[:]
        texts_in_order = [packet.text for packet in found if packet.token == b"o" and packet.type == "CON"]
        eq(texts_in_order[4:6], expected)
        eq(texts_in_order[-1], "3")


def test_new_registration_drops_observations():
    """Those that run, and what was stored for them."""
    peer, probe = observed(lifetime=300)
    peer.link_works = False
    peer.registration.link_down("cut", peer.now)
    change(peer, probe, 3)
    peer.advance(301)
    peer.link_works = True
    peer.advance(60)
    eq((peer.state, [packet.path for packet in peer.requests()]), ("REGISTERED", ["/rd"]))
    eq(change(peer, probe, 3), [])
    eq(peer.observe(PATH, token=b"o").observe, 0)
    eq(len(change(peer, probe)), 1)
