"""X-32 of the conformance list, and all of what is stored for a server that is away. Named by its number."""

from configurations import Bench, Probe, account_of, c1
from senml_judge import CBOR, JSON, timed
from support import eq

NOW_s = 1700000000
PATH = "/32801/0/0"


def observed(accept, path=PATH, objects=(), **settings):
    """(peer, probe): C.1 that stores, registered, with a clock that tells the time, and one observation."""
    probe = Probe()
    peer = c1([probe] + list(objects), **settings)
    account_of(peer).notification_storing = True
    peer.client.unix_time_s = lambda: NOW_s + peer.now // 1000
    peer.register()
    eq(peer.observe(path, token=b"o", accept=accept).observe, 0)
    return peer, probe


def away(peer, probe, values, name="value"):
    """The link is cut; a value changes every ten seconds; the link is back. Returns the notifications."""
    peer.link_works = False
    peer.registration.link_down("cut", peer.now)
    for value in values:
        peer.advance(10)
        probe.set(name, value)
        peer.poll()
    peer.advance(10)
    eq(peer.notifications(), [])
    peer.link_works = True
    peer.advance(70)
    eq(peer.state, "REGISTERED")
    return peer.notifications()


def test_x_32_stored_with_time():
    """In order and with their times after the server is back; what is told afterwards has none"""
    for accept in (CBOR, JSON):
        peer, probe = observed(accept)
        found = away(peer, probe, [1.5, 2.5, 3.5])
        expected = [[(PATH, value, NOW_s + at)] for value, at in ((1.5, 10), (2.5, 20), (3.5, 30))]
        eq([timed(packet) for packet in found], expected)
        numbers = [packet.observe for packet in found]
        eq((numbers, {packet.token for packet in found}), ([1, 2, 3], {b"o"}))
        probe.set("value", 4.5)
        peer.poll()
        eq([timed(packet) for packet in peer.notifications()], [[(PATH, 4.5, None)]])


def test_x_32_not_stored():
    """/1/x/6 false: what holds now, once and without a time"""
    peer, probe = observed(CBOR)
    eq(peer.put("/1/0/6", b"0", content_format=0).code, "2.04")
    eq([timed(packet) for packet in away(peer, probe, [1.5, 2.5, 3.5])], [[(PATH, 3.5, None)]])


def test_x_32_the_newest_are_kept():
    """Bounded over all observations of a server"""
    peer, probe = observed(CBOR, STORED=3)
    peer.observe("/32801/0/1", token=b"w", accept=CBOR)
    probe.set("whole", 1)
    peer.poll()
    peer.notifications()
    peer.link_works = False
    peer.registration.link_down("cut", peer.now)
    for number in range(5):
        probe.set("value", number + 0.5)
        peer.advance(1)
        probe.set("whole", number + 10)
        peer.advance(1)
    peer.link_works = True
    peer.advance(60)
    found = [timed(packet)[0] for packet in peer.notifications()]
    w = "/32801/0/1"
    eq(found, [(w, 13, NOW_s + 7), (PATH, 4.5, NOW_s + 8), (w, 14, NOW_s + 9)])


def test_x_32_formats_without_time():
    """Text and TLV: the values alone, in order"""
    for accept, expected in (
        (0, [b"1.5", b"2.5"]),
        (11542, [b"\xe4\x16\x44\x3f\xc0\0\0", b"\xe4\x16\x44\x40\x20\0\0"]),
    ):
        peer, probe = observed(accept)
        if accept:
            expected = [b"\xc4\0" + payload[3:] for payload in expected]
        eq([packet.payload for packet in away(peer, probe, [1.5, 2.5])], expected)


def test_x_32_without_a_clock():
    """No time is made up"""
    peer, probe = observed(CBOR)
    peer.client.unix_time_s = None
    eq([timed(packet) for packet in away(peer, probe, [1.5])], [[(PATH, 1.5, None)]])


def test_x_32_of_an_instance():
    """Every value of one notification has the same time"""
    peer, probe = observed(CBOR, "/32801/0")
    (packet,) = away(peer, probe, [1.5])
    found = timed(packet)
    eq((len(found), {time for _, _, time in found}), (6, {NOW_s + 10}))
    eq(found[0], (PATH, 1.5, NOW_s + 10))


def test_x_32_sensor_that_fails_the_second_time():
    """The value that was measured is kept, though without its time"""
    bench = Bench()
    peer, _ = observed(CBOR, "/32800/0/1", [bench])
    results = [2.5]

    def moody():
        if not results:
            raise OSError(5)
        return results.pop()

    bench.real = moody
    peer.link_works = False
    peer.registration.link_down("cut", peer.now)
    bench.changed("real")
    peer.poll()
    peer.link_works = True
    peer.advance(60)
    eq([timed(packet) for packet in peer.notifications()], [[("/32800/0/1", 2.5, None)]])


def test_x_32_a_cancelled_observation():
    """Nothing that was stored for it is told"""
    peer, probe = observed(CBOR)
    peer.link_works = False
    peer.registration.link_down("cut", peer.now)
    probe.set("value", 1.5)
    peer.poll()
    peer.registration.reporting.cancel(b"o")
    peer.link_works = True
    peer.advance(60)
    eq((peer.state, peer.notifications()), ("REGISTERED", []))
