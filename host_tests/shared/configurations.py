"""Clients as the conformance tests of OMA want them (configurations C.1 and on), and objects to try all on.

Each function makes a Peer that is not yet registered; keywords are those of Peer. The objects of C.5 and on are
imported by the function, so that a test loads only what it needs.
"""

from lwm2m.object import Object
from lwm2m.objects.access_control import AccessControl
from lwm2m.objects.device import Device
from lwm2m.objects.security import Security
from peer import Peer, peers

IDENTITY = {"manufacturer": "ACME", "model": "Board 1", "serial": "0815", "firmware_version": "1.0"}


def device(reboot=print, **more):
    """Object 3 with the resources that C.1 asks for, and more of its resources by name. Its clock stands still."""
    return Device(reboot, now=lambda: 1367491215, **dict(IDENTITY, **more))


def c1(objects=(), reboot=print, resources=(), **settings):
    """C.1: one account with lifetime 86400 and without storing; Security, Server and Device. Not yet registered."""
    settings = dict({"lifetime": 86400}, **settings)
    peer = Peer([Security("coap://server1", 1), device(reboot, **dict(resources))] + list(objects), **settings)
    account_of(peer).notification_storing = False
    return peer


def c3(objects=(), **settings):
    """C.3: C.1 with default periods of 1 and 10 s, and a Disable Timeout."""
    peer = c1(objects, **settings)
    account = account_of(peer)
    account.default_pmin, account.default_pmax, account.disable_timeout = 1, 10, 86400
    return peer


def c4(objects=(), **settings):
    """C.4: C.3 with two power sources and a battery."""
    resources = {
        "power_sources": {0: 1, 1: 2},
        "power_voltage": {0: 0, 1: 0},
        "power_current": {0: 0, 1: 0},
        "battery_level": 0,
    }
    return c3(objects, resources=resources, **settings)


def c5(**settings):
    """C.5: C.3 with all of Connectivity Monitoring, in a cellular network."""
    from lwm2m.objects.connectivity import ConnectivityMonitoring

    monitor = ConnectivityMonitoring(
        bearer=7,
        bearers={0: 7, 1: 21},
        rssi=-92,
        link_quality=-11,
        addresses=("192.0.2.7", "2001:db8::7"),
        routers={0: "192.0.2.1"},
        link_utilization=5,
        apn={0: "lab"},
        cell_id=268435455,
        smnc=1,
        smcc=262,
    )
    return c3([monitor], **settings)


def c6(**settings):
    """C.6: C.4 with everything else that a Device may tell."""
    resources = {
        "power_sources": {0: 1, 1: 2},
        "power_voltage": {0: 3800, 1: 5000},
        "power_current": {0: 125, 1: 900},
        "battery_level": 100,
        "memory_free": 15,
        "device_type": "Sensor",
        "hardware_version": "A1",
        "software_version": "1.0",
        "battery_status": 0,
        "memory_total": 64,
        "ext_dev_info": {0: (4, 0)},
        "factory_reset": print,
    }
    resources.update(settings.pop("resources", {}))
    return c3(resources=resources, **settings)


def c7(**settings):
    """C.7: C.3 with a Location."""
    from lwm2m.objects.location import Location

    there = {"latitude": 43.5723, "longitude": 153.2176, "altitude": 140.0, "radius": 100.0}
    place = Location(velocity=b"\0", timestamp=1367491215, speed=3.0, now=lambda: 1367491300, **there)
    return c3([place], **settings)


def c9(**settings):
    """C.9: C.3 with Connectivity Statistics."""
    from lwm2m.objects.statistics import ConnectivityStatistics

    return c3([ConnectivityStatistics()], **settings)


def c10(resources=(), **settings):
    """C.10: C.1 with Cellular Connectivity, a profile and a WLAN. Servers may create more profiles.

    The registry no longer has resource 6, and 8 and 9 as octets: 2 is 20.48 s, 3 is 40.96 s (no code says 51.2 s).
    """
    from lwm2m.objects.apn import ApnProfile
    from lwm2m.objects.cellular import CellularConnectivity
    from lwm2m.objects.wlan import WlanConnectivity

    cellular = CellularConnectivity(
        psm_timer=3600, active_timer=600, edrx_wb=b"\x02", edrx_nb=b"\x03", **dict(resources)
    )
    objects = [cellular, ApnProfile("lab", enabled=True), WlanConnectivity()]
    return c1(objects, creators=[ApnProfile], **settings)


def c11(**settings):
    """C.11: C.10 with power saving modes."""
    return c10({"active_modes": 3, "release_assistance": 1}, **settings)


def c12(**settings):
    """C.12: C.3 with a Portfolio; servers may create and delete its instances."""
    from lwm2m.objects.portfolio import Portfolio

    identity = {0: "Host Device ID #1", 1: "Host Device Manufacturer #1", 2: "Host Device Model #1"}
    identity[3] = "Host Device Software Version #1"
    return c3([Portfolio(identity)], creators=[Portfolio], **settings)


def c15(**settings):
    """C.15: C.3 with two containers of binary data."""
    from lwm2m.objects.binary_data import BinaryAppData

    return c3([BinaryAppData({0: b"\1\2\3"}), BinaryAppData({0: b"\0"})], **settings)


def c16(**settings):
    """C.16: C.3 with a log that has stopped (status 3) and holds something."""
    from lwm2m.objects.event_log import EventLog

    log = EventLog()
    log.log("boot")
    log.stop({})
    return c3([log], **settings)


def c14(objects=(), rules=(), **settings):
    """C.14: two servers, both registered, and the account of a Bootstrap-Server. Each server has all rights on its own
    account, both have them on the Device; `rules` are more instances of object 2. Returns both Peers."""
    bootstrap = Security("coap://bootstrap", None)
    bootstrap.bootstrap = True
    accounts = [Security("coap://server1", 1), bootstrap, Security("coap://server2", 2)]
    common = [
        AccessControl(1, 0, owner=1, acl={1: 15}),
        AccessControl(1, 1, owner=2, acl={2: 15}),
        AccessControl(3, 0, acl={1: 15, 2: 15}),
    ]
    one, two = peers(2, accounts + [device()] + list(objects) + common + list(rules), **settings)
    two.location = [b"rd", b"two"]
    one.register()
    two.poll()
    return one, two


def account_of(peer):
    """The Server object instance of a peer."""
    return peer.registration.account


def device_of(peer):
    """The Device object instance of a peer's client."""
    return peer.client.tree.objects[3][0]


class Bench(Object):
    """One resource of each kind."""

    OID = 32800
    RES = """
0 RW! int whole -100..1000
1 RW float real
2 RW str words 0..10
3 RW bool flag
4 RW opaque blob
5 RW time moment
6 RW link target
7 RW* int numbers
8 R! int fixed
9 E none act
10 W str secret
11 R float measured
12 RW uint count
13 R* str names
14 RW corelnk links
15 E none absent_act
"""
    real = 1.5
    words = "abc"
    flag = False
    blob = b"\0\1"
    moment = 1000
    target = (3, 0)
    fixed = 8
    secret = "hidden"
    measured = None  # absent
    count = 7
    names = None
    links = "</3>"
    absent_act = None

    def __init__(self, whole=0):
        self.whole = whole
        self.numbers = {0: 1, 1: 5}
        self.acts = []

    def act(self, args):
        """Execute."""
        self.acts.append(args)


class Probe(Object):
    """What the tests of reporting observe: change it with set()."""

    OID = 32801
    RES = """
0 R! float value
1 R! int whole
2 R! str words
3 R!* int numbers
4 R! bool flag
"""

    def __init__(self, value=0.0):
        self.value = value
        self.whole = 0
        self.words = "a"
        self.numbers = {0: 10, 1: 20}
        self.flag = False
