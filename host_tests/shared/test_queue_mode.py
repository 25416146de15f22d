"""Queue mode (OMA Core 1.1 section 6.5): awake after each message, deaf in between, and what wakes the device."""

from configurations import Probe, account_of, c1
from lwm2m.object import Object
from support import eq


def queueing(objects=(), **settings):
    """A registered client in queue mode."""
    peer = c1(objects, **settings)
    peer.client.queue_mode = True
    peer.register()
    return peer


def asleep(objects=(), **settings):
    """The same after its awake time."""
    peer = queueing(objects, **settings)
    peer.advance(94)
    eq(peer.state, "ASLEEP")
    peer.take()
    return peer


def updates(peer):
    return [packet for packet in peer.requests() if packet.path == "/rd/5a3f"]


def test_x_61_queued_requests_after_an_update():
    """Update, then five queued requests, then idle: all are answered, and 93 s count from the last"""
    peer = asleep(lifetime=300)
    peer.advance(300 - 93 - 94)
    eq((peer.state, len(updates(peer))), ("REGISTERED", 1))
    for _ in range(5):
        peer.advance(60)
        eq(peer.get("/3/0/0", accept=0).payload, b"ACME")
    last = peer.now
    peer.advance(92)
    eq(peer.state, "REGISTERED")
    peer.advance(1.1)
    eq(peer.state, "ASLEEP")
    assert peer.now - last < 94000


def test_x_62_pending_notification_in_sleep():
    """A notification that is due in sleep wakes the device: Update, notification, 93 s awake"""
    probe = Probe()
    peer = queueing([probe])
    peer.observe("/32801/0/0", token=b"o", accept=0)
    peer.advance(94)
    eq(peer.state, "ASLEEP")
    peer.take(), peer.notifications(), peer.requests()
    probe.set("value", 2.5)
    peer.poll()
    eq(len(updates(peer)), 1)
    (told,) = peer.notifications()
    eq((told.token, told.payload, peer.state), (b"o", b"2.5", "REGISTERED"))
    woken = peer.now
    peer.advance(92)
    eq((peer.state, peer.get("/3/0/0", accept=0).payload), ("REGISTERED", b"ACME"))
    assert peer.now - woken < 93000
    peer.advance(94)
    eq(peer.state, "ASLEEP")


def test_a_change_that_does_not_matter_lets_it_sleep():
    """st=1: 0.5 more is nothing to wake up for; nor is what changes before pmin ends."""
    probe = Probe()
    peer = queueing([probe])
    peer.put("/32801/0/0?st=1")
    peer.put("/32801/0/1?pmin=500")
    peer.observe("/32801/0/0", token=b"o", accept=0)
    peer.observe("/32801/0/1", token=b"p", accept=0)
    start = peer.now
    peer.advance(94)
    peer.requests(), peer.notifications()
    probe.set("value", 0.5)
    probe.set("whole", 7)
    peer.advance(300)
    eq((peer.state, updates(peer), peer.notifications()), ("ASLEEP", [], []))
    peer.advance(500 - (peer.now - start) / 1000)
    eq(len(updates(peer)), 1)
    (told,) = peer.notifications()
    eq((told.token, told.payload), (b"p", b"7"))


def test_pmax_wakes_it():
    """An observation's pmax of 200 s ends in sleep."""
    probe = Probe()
    peer = queueing([probe])
    peer.put("/32801/0/0?pmax=200")
    peer.observe("/32801/0/0", token=b"o", accept=0)
    peer.advance(199)
    eq((peer.state, peer.notifications()), ("ASLEEP", []))
    peer.advance(2)
    eq((peer.state, [packet.token for packet in peer.notifications()]), ("REGISTERED", [b"o"]))


def test_awake_time_is_a_bound():
    """AWAKE_ms=10000 in place of 93 s; with other CoAP timers it follows MAX_TRANSMIT_WAIT."""
    peer = queueing(AWAKE_ms=10000)
    peer.advance(9.9)
    eq(peer.state, "REGISTERED")
    peer.advance(0.2)
    eq(peer.state, "ASLEEP")
    peer = queueing(ACK_TIMEOUT_ms=500, MAX_RETRANSMIT=1)  # 0.5 s x 3 x 1.5
    peer.advance(2.2)
    eq(peer.state, "REGISTERED")
    peer.advance(0.1)
    eq(peer.state, "ASLEEP")


def test_new_objects_and_lifetimes_wake_it():
    """What a Register or an Update must tell does not wait for the next one."""
    peer = asleep()
    peer.client.add(Probe())
    peer.poll()
    (update,) = updates(peer)
    assert b"</32801/0>" in update.payload
    eq(peer.state, "REGISTERED")
    peer.advance(94)
    account_of(peer).set("lifetime", 600)
    peer.poll()
    eq([packet.queries for packet in updates(peer)], [["lt=600"]])


def test_an_unanswered_update_in_sleep_is_tried_again():
    """The server is away when the device wakes: LOST, and back as soon as it answers."""
    peer = asleep(lifetime=300)
    peer.silent = True
    peer.advance(300 - 93 - 94 + 50)
    peer.silent = False
    peer.advance(120)
    eq(peer.state, "REGISTERED")


def test_it_does_not_fall_asleep_in_mid_exchange():
    """A confirmable notification that waits for its ACK, an Update without answer: awake as long as it lasts."""
    probe = Probe()
    peer = queueing([probe], CON_EVERY=1, AWAKE_ms=1000)
    peer.observe("/32801/0/0", token=b"o", accept=0)
    peer.acks = False
    probe.set("value", 1.0)
    peer.advance(20)
    eq(peer.state, "REGISTERED")


def test_a_sleeping_device_says_goodbye():
    """Ctrl-C in sleep: the De-register goes out."""
    peer = asleep()
    peer.client.stop(peer.now)
    peer.poll()
    eq([packet.code for packet in peer.requests()], ["DELETE"])
    eq(peer.state, "STOPPED")


class Slow(Object):
    """An Execute of two minutes."""

    OID = 32802
    RES = "\n0 E none go\n1 R! int done\n"
    done = 0

    def go(self, args):
        yield 120000
        self.set("done", 1)


def test_it_does_not_sleep_while_it_owes_a_response():
    """An Execute that takes longer than the awake time; from its response on the time counts anew."""
    peer = queueing([Slow()], AWAKE_ms=10000)
    start = peer.now
    eq(peer.post("/32802/0/0", wait=0).code, "")
    peer.advance(119)
    eq((peer.state, peer.get("/32802/0/1", accept=0).payload), ("REGISTERED", b"0"))
    peer.advance(2)
    (answer,) = peer.notifications()
    eq((answer.code, answer.at - start, peer.state), ("2.04", 120000, "REGISTERED"))
    peer.advance(10)
    eq((peer.state, peer.client.tree.objects[32802][0].done), ("ASLEEP", 1))


def test_a_change_whose_update_is_lost():
    """What woke the device is stored while the server is away, if /1/x/6 says so; else the last value is told."""
    for stores, told in ((True, [b"1", b"2"]), (False, [b"2"])):
        probe = Probe()
        peer = queueing([probe], lifetime=1000)
        account_of(peer).notification_storing = stores
        peer.observe("/32801/0/0", token=b"o", accept=0)
        peer.advance(200)
        eq(peer.state, "ASLEEP")
        peer.silent = True
        probe.set("value", 1.0)
        peer.advance(400)
        probe.set("value", 2.0)
        peer.advance(100)
        eq(peer.state, "LOST")
        peer.silent = False
        peer.notifications()
        peer.advance(150)
        eq([packet.payload for packet in peer.notifications(b"o")], told)
