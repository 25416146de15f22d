"""Clients as the conformance tests of OMA want them (configurations C.1, C.3, C.4), and objects to try all on."""

from lwm2m.object import Object
from lwm2m.objects.device import Device
from lwm2m.objects.security import Security
from peer import Peer

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
