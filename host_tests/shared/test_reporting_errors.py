"""Observations of what fails: sensors, methods of objects, instances that go away."""

from configurations import Bench, Probe, account_of, device
from doubles import Script
from lwm2m import log
from lwm2m.object import Object
from lwm2m.objects.ipso import Temperature
from peer import Peer
from support import each, eq, raises, unhex

PATH = "/3303/0/5700"


class Meter(Object):
    """An object whose value is computed when it is read; what is not a number is raised."""

    OID = 32803
    RES = """
0 R! float level
1 R  float spare
2 R* int   numbers
"""
    numbers = None

    def __init__(self, *readings):
        self.readings = list(readings)
        self._last = None

    def level(self):
        """The next reading; the last one for ever."""
        if self.readings:
            self._last = self.readings.pop(0)
        if isinstance(self._last, Exception):
            raise self._last
        return self._last

    spare = level


def metered(*readings):
    """(peer, meter) of an observation that runs."""
    meter = Meter(*readings)
    peer = Peer([device(), meter], lifetime=86400)
    peer.register()
    eq(peer.observe("/32803/0/0", token=b"o").observe, 0)
    return peer, meter


def looked_at(peer, meter, name="level"):
    """What is notified when the meter says that it has changed: [(code, payload)]."""
    meter.changed(name)
    peer.advance(1)
    return [(packet.code, packet.payload) for packet in peer.notifications()]


def test_sensor_that_fails_keeps_its_last_value():
    """5.03 before the first value; then the value stays readable, and is told when it changes again."""
    broken = OSError(19)
    readings = [broken, broken, 20.5, 21.0, broken, ValueError("checksum"), None, 21.0, 22.0]
    sensor = Script(*readings)
    peer = Peer([device(), Temperature(lambda: sensor() if sensor.readings else 22.0)], lifetime=86400)
    peer.register()
    eq(peer.get(PATH).code, "5.03")
    eq(peer.observe(PATH, token=b"o").code, "5.03")
    peer.advance(2)
    eq((peer.get(PATH).payload, peer.observe(PATH, token=b"o").observe), (b"20.5", 0))
    for _ in range(4):
        peer.advance(1)
        eq(peer.get(PATH).payload, b"21")
    peer.advance(10)
    eq([packet.text for packet in peer.notifications()], ["21", "22"])
    eq(peer.get(PATH).payload, b"22")


def test_sensor_that_fails_is_told_once():
    """One line when it begins to fail, one when it works again."""
    sensor = Script(20.5, OSError(5), OSError(5), 20.0, 20.0, OSError(5))
    peer = Peer([device(), Temperature(sensor)], lifetime=86400)
    peer.register()
    lines = []
    info, warning = log.info, log.warning
    log.info = log.warning = lambda text, *args: lines.append((peer.now, text.split(": ")[1]))
    try:
        peer.advance(6)
    finally:
        log.info, log.warning = info, warning
    fails, works = "the sensor fails", "the sensor works again"
    eq(lines, [(1000, fails), (3000, works), (5000, fails)])


def test_sensor_that_fails_is_told_by_pmax():
    """The last value, as often as pmax wants it."""
    sensor = Script(20.5, OSError(5), OSError(5), OSError(5))
    peer = Peer([device(), Temperature(sensor)], lifetime=86400)
    peer.register()
    peer.put(PATH + "?pmax=5")
    peer.observe(PATH, token=b"o")
    peer.advance(12)
    eq([packet.text for packet in peer.notifications()], ["20.5", "20.5"])


def test_a_read_of_many_leaves_out_what_fails():
    """A neighbour that fails does not hide the others, neither in a Read nor in a notification."""
    peer, meter = metered(1.0)
    meter.spare = None
    meter.numbers = {0: 7}
    peer.observe("/32803/0", token=b"i")
    meter.readings = [OSError(5)]
    eq(peer.get("/32803/0").payload, unhex("83 02 41 00 07"))
    meter.changed("numbers")
    peer.advance(1)
    eq([(packet.token, packet.payload) for packet in peer.notifications()], [(b"i", unhex("83 02 41 00 07"))])
    eq(peer.get("/32803/0/0").code, "5.03")


def test_method_that_fails_for_a_while():
    """OSError: no notification, the observation lives on and tells the next value."""
    peer, meter = metered(1.0, OSError(5), OSError(5), 2.0, 3.0)
    eq(looked_at(peer, meter), [])
    eq(looked_at(peer, meter), [])
    eq(looked_at(peer, meter), [("2.05", b"2")])
    eq(looked_at(peer, meter), [("2.05", b"3")])
    eq(peer.state, "REGISTERED")


def test_method_that_fails_under_pmax():
    """It is asked once in pmax, not over and over."""
    peer, _ = metered(1.0, OSError(5), OSError(5), 4.0)
    peer.put("/32803/0/0?pmax=10")
    peer.advance(35)
    eq([(packet.at, packet.text) for packet in peer.notifications()], [(30000, "4")])


def test_method_with_a_mistake():
    """5.00 ends the observation, and the client lives on."""
    peer, meter = metered(1.0, ValueError("a bug"), 2.0)
    eq(looked_at(peer, meter), [("5.00", b"")])
    eq(looked_at(peer, meter), [])
    eq(peer.get("/32803/0/0").payload, b"2")
    peer.observe("/32803/0/0", token=b"o")
    meter.readings = [5.0]
    eq(looked_at(peer, meter), [("2.05", b"5")])


def test_value_that_disappears():
    """An optional resource that is not there any more: 4.04 ends its observation."""
    peer, meter = metered(1.0)
    peer.observe("/32803/0/1", token=b"s")
    meter.spare = None
    found = looked_at(peer, meter, "spare")
    eq(found, [("4.04", b"")])
    meter.spare = 5.0
    eq(looked_at(peer, meter, "spare"), [])


def test_resource_instance_that_disappears():
    """4.04, too; the resource as a whole is told as it is now."""
    probe = Probe()
    peer = Peer([device(), probe], lifetime=86400)
    peer.register()
    peer.observe("/32801/0/3/1", token=b"1")
    peer.observe("/32801/0/3", token=b"m")
    probe.set("numbers", {0: 10})
    peer.advance(1)
    found = [(packet.token, packet.code, packet.payload) for packet in peer.notifications()]
    eq(found, [(b"1", "4.04", b""), (b"m", "2.05", unhex("83 03 41 00 0a"))])
    probe.set("numbers", {0: 10, 1: 20})
    peer.advance(1)
    eq([packet.token for packet in peer.notifications()], [b"m"])


def test_deleted_instance():
    """4.04 for all that lies below, once; attributes and observations do not come back with its id."""
    peer = Peer([device()], creators=[Bench], lifetime=86400)
    peer.register()
    eq(peer.post("/32800").location, ["32800", "0"])
    peer.put("/32800/0?pmin=100")
    peer.put("/32800/0/0?gt=5")
    for path, token in (("/32800/0/0", b"r"), ("/32800/0", b"i"), ("/32800/0/7/1", b"n"), ("/3/0", b"d")):
        eq(peer.observe(path, token=token).observe, 0)
    eq(peer.delete("/32800/0").code, "2.02")
    peer.advance(1)
    found = [(packet.token, packet.code, packet.observe) for packet in peer.notifications()]
    eq(found, [(token, "4.04", None) for token in (b"r", b"i", b"n")])
    eq(peer.post("/32800").location, ["32800", "0"])
    eq(peer.get("/32800/0/0", accept=40).text, "</32800/0/0>")
    peer.client.tree.objects[32800][0].set("whole", 50)
    peer.advance(200)
    eq(peer.notifications(), [])


def test_instance_that_the_device_removes():
    """The same, without a request."""
    probe = Probe()
    peer = Peer([device(), probe], lifetime=86400)
    peer.register()
    peer.observe("/32801/0/0", token=b"o")
    peer.client.remove(probe)
    peer.advance(1)
    eq([(packet.token, packet.code) for packet in peer.notifications()], [(b"o", "4.04")])
    probe.set("value", 7.0)
    peer.advance(1)
    eq((peer.notifications(), peer.get("/32801/0/0").code), ([], "4.04"))


def test_value_that_fails_while_it_is_stored():
    """The server is away, and the sensor fails now and then: what could be measured is told afterwards."""
    peer, meter = metered(1.0, 2.0, OSError(5), 3.0)
    account_of(peer).notification_storing = True
    peer.link_works = False
    peer.registration.link_down("cut", peer.now)
    for _ in range(3):
        eq(looked_at(peer, meter), [])
    peer.link_works = True
    peer.advance(20)
    eq((peer.state, [packet.text for packet in peer.notifications()]), ("REGISTERED", ["2", "3"]))


def test_a_full_heap_delays_a_notification():
    """It ends the turn, which the runner survives, but neither the observation nor what has changed."""
    peer, meter = metered(1.0, MemoryError(), 2.0)
    meter.changed("level")
    raises(MemoryError, peer.poll)
    eq(peer.notifications(), [])
    peer.advance(2)
    eq([packet.payload for packet in peer.notifications()], [b"2"])


# -- links and servers that are not what they were ---------------------------------------------------------------------


def observed(**settings):
    """A peer that observes a number, which is 0.5, and the object."""
    peer = Peer([device(), Probe()], lifetime=86400, **settings)
    peer.register()
    peer.observe("/32801/0/0", token=b"o")
    return peer, peer.client.tree.objects[32801][0]


def check_unsent(stores, every):
    peer, probe = observed(CON_EVERY=every)
    account_of(peer).notification_storing = stores
    peer.advance(10)
    probe.set("value", 7.5)
    peer.client.poll(peer.now)
    eq(len(peer.registration.outbox), 1)
    peer.registration.link_down("the radio is off", peer.now)
    peer.registration.outbox.clear()
    eq(peer.notifications(), [])
    peer.advance(20)
    eq((peer.state, [packet.payload for packet in peer.notifications(b"o")]), ("REGISTERED", [b"7.5"]))
    peer.advance(300)
    eq(peer.notifications(), [])


def test_a_notification_that_could_not_leave():
    """The one over which the link broke is told when it is back, confirmable or not, once."""
    each([(True, 10), (False, 10), (True, 1), (False, 1)], check_unsent)


def test_a_reset_asks_for_an_update():
    """The server may only have cancelled; it may as well have restarted, and not know us: then Register."""
    for knows_us in (True, False):
        peer, probe = observed(CON_EVERY=1)
        peer.acks = False
        probe.set("value", 7.5)
        peer.poll()
        if not knows_us:
            peer.script("4.04")
        peer.requests()
        peer.reset(peer.notifications()[0])
        peer.advance(1)
        eq([packet.path for packet in peer.requests()], ["/rd/5a3f"] if knows_us else ["/rd/5a3f", "/rd"])
        eq(peer.state, "REGISTERED")
