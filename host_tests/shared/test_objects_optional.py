"""How the optional objects behave beyond what the conformance tests ask: location, statistics, software, event log."""

from coap.errors import BadRequest, MethodNotAllowed
from doubles import Client, Script, read
from lwm2m.change import apply
from lwm2m.config import ConfigError
from lwm2m.objects.apn import ApnProfile
from lwm2m.objects.bearer import BearerSelection
from lwm2m.objects.binary_data import BinaryAppData
from lwm2m.objects.cellular import CellularConnectivity
from lwm2m.objects.connectivity import ConnectivityMonitoring
from lwm2m.objects.event_log import EventLog
from lwm2m.objects.location import Location
from lwm2m.objects.portfolio import Portfolio
from lwm2m.objects.software import SoftwareManagement
from lwm2m.objects.statistics import ConnectivityStatistics
from lwm2m.objects.wlan import WlanConnectivity
from lwm2m.sink import ConnectionLost, InstallFailed, IntegrityFailure, UnsupportedPackage, too_big
from lwm2m.table import check_table
from peer import Peer, peers
from support import each, eq, raises, unhex

# -- location, connectivity --------------------------------------------------------------------------------------------


def test_location_of_a_receiver():
    place = Location(Script((53.5, 10), OSError(5), (-90, -180, 12), (91, 0)), now=lambda: 1000, speed=lambda: 3.0)
    client = Client(place)
    place.sample()
    eq([read(place, rid) for rid in (0, 1, 5, 6)], [53.5, 10.0, 1000, 3.0])
    eq((place.altitude, client.told), (None, ["speed", "latitude", "longitude", "timestamp"]))
    raises(OSError, place.sample)
    place.sample()
    eq((place.latitude, place.longitude, place.altitude), (-90.0, -180.0, 12.0))
    raises(ValueError, place.sample)
    eq(place.latitude, -90.0)


def test_location_that_stays():
    place = Location(latitude=1.0, longitude=2.0, now=lambda: 77)
    eq((place.timestamp, hasattr(place, "sample")), (77, False))
    assert "ConfigError" in repr(raises(ConfigError, Location, height=1))


def test_connectivity_tells_more():
    monitor = ConnectivityMonitoring(link_utilization=lambda: 40, cell_id=5)
    client = Client(monitor)
    eq((read(monitor, 6), read(monitor, 8), monitor.has(monitor.row(9))), (40, 5, False))
    monitor.sample()
    eq(client.told, ["link_utilization"])


# -- statistics --------------------------------------------------------------------------------------------------------


def counted(peer):
    return [read_now(peer, rid) for rid in (2, 3, 4, 5)]


def read_now(peer, rid):
    obj = peer.client.tree.objects[7][0]
    return obj.value_of(obj.row(rid))


def test_statistics_end_with_their_period():
    peer = Peer([ConnectivityStatistics(headers=1000)])
    peer.register()
    exchange = peer.registration.exchange
    own = exchange.transmit
    peer.put("/7/0/8", b"10", content_format=0)
    peer.post("/7/0/6")
    eq(exchange.transmit is own, False)
    peer.advance(9)
    peer.get("/3303/0")
    eq(counted(peer)[:2], [2, 1])
    peer.advance(1)
    for _ in range(3):
        peer.get("/3303/0")
    eq((counted(peer)[:2], exchange.transmit is own), ([2, 1], True))
    eq(peer.get("/7/0/2", accept=0).payload, b"2")


def test_statistics_of_all_servers():
    one, two = peers(2, [ConnectivityStatistics(headers=1000)])
    one.register()
    one.post("/7/0/6")
    for peer in (one, two):
        peer.get("/7/0/0")
    eq(counted(one)[:2], [3, 2])
    one.post("/7/0/6")  # from zero again; what was tapped is not tapped twice
    two.get("/7/0/0")
    eq(counted(one)[:2], [2, 1])
    two.post("/7/0/7")
    eq(counted(one)[:2], [2, 2])
    one.post("/7/0/7")
    eq(counted(one)[:2], [2, 2])


def test_statistics_do_not_feed_themselves():
    peer = Peer([ConnectivityStatistics(headers=1000)])
    peer.register()
    peer.post("/7/0/6")
    peer.observe("/7/0", token=b"o")
    peer.advance(100)
    eq(peer.notifications(b"o"), [])


# -- software ----------------------------------------------------------------------------------------------------------


class Sink:
    """Where a package goes. `fails` is {step: exception}."""

    name, version = "app", "1.1"

    def __init__(self):
        self.fails = {}
        self.done = []

    def step(self, name):
        self.done.append(name)
        if name in self.fails:
            raise self.fails[name]

    def begin(self, size):
        self.got = b""
        self.step("begin")

    def write(self, data):
        self.got += bytes(data)
        self.step("write")

    def finish(self):
        self.step("finish")

    def abort(self):
        self.step("abort")

    def install(self):
        self.step("install")

    def uninstall(self, update):
        self.step("uninstall for update" if update else "uninstall")

    def activate(self):
        self.step("activate")

    def deactivate(self):
        self.step("deactivate")


def software(**more):
    """(peer, sink, function that returns state and result)."""
    sink = Sink()
    peer = Peer([SoftwareManagement(sink, sink.uninstall, sink.activate, sink.deactivate, **more)])
    peer.register()
    return peer, sink, lambda: [int(peer.get("/9/0/%d" % rid, accept=0).text) for rid in (7, 9)]


def execute(peer, rid, args=b""):
    """The code of an Execute; what follows it is done as well."""
    code = peer.post("/9/0/%d" % rid, args).code
    peer.advance(1)
    return code


def test_software_from_package_to_removal():
    peer, sink, state = software()
    eq([execute(peer, rid) for rid in (4, 6, 10, 11)], ["4.05"] * 4)
    body = bytes(range(100))
    eq([reply.code for reply in peer.put_blocks("/9/0/2", body, content_format=42)], ["2.31", "2.04"])
    eq((state(), sink.got, sink.done), ([3, 3], body, ["begin", "write", "write", "finish"]))
    eq([peer.get("/9/0/%d" % rid).payload for rid in (0, 1, 12)], [b"app", b"1.1", b"0"])
    eq(peer.put("/9/0/2", b"x", content_format=42).code, "4.05")
    eq((peer.post("/9/0/4").code, state()), ("2.04", [3, 3]))  # respond first
    peer.advance(1)
    eq((state(), execute(peer, 4)), ([4, 2], "4.05"))
    eq((execute(peer, 10), peer.get("/9/0/12").payload), ("2.04", b"1"))
    eq((execute(peer, 11), peer.get("/9/0/12").payload), ("2.04", b"0"))
    execute(peer, 10)
    eq((execute(peer, 6, b"1"), state()), ("2.04", [0, 0]))
    eq(sink.done[4:], ["install", "activate", "deactivate", "activate", "deactivate", "uninstall for update", "abort"])
    eq((peer.get("/9/0/12").payload, peer.get("/9/0/2").code), (b"0", "4.05"))
    eq(peer.put("/9/0/2", b"small", content_format=42).code, "2.04")
    eq((state(), sink.got), ([3, 3], b"small"))
    eq((execute(peer, 6), state(), sink.done[-1]), ("2.04", [0, 0], "abort"))  # delivered, never installed


def test_software_in_a_whole_instance():
    """A replacing Write with a package: the URI that it leaves out does not take the package back."""
    for method in ("PUT", "POST"):
        peer, sink, state = software()
        eq(peer.request(method, "/9/0", unhex("c8 02 0a") + bytes(10), content_format=11542).code, "2.04")
        eq((state(), sink.got, sink.done), ([3, 3], bytes(10), ["begin", "write", "finish"]))


def test_software_that_is_refused():
    def check(step, error, code, result):
        peer, sink, state = software()
        sink.fails[step] = error
        replies = peer.put_blocks("/9/0/2", bytes(100), content_format=42)
        eq((replies[-1].code, state(), sink.done[-1]), (code, [0, result], "abort"))
        sink.fails = {}
        eq(peer.put_blocks("/9/0/2", bytes(100), content_format=42)[-1].code, "2.04")

    cases = [
        ("begin", too_big(50), "4.13", 50),
        ("write", OSError(28), "5.03", 50),
        ("write", MemoryError(), "5.03", 51),
        ("write", OSError(5), "5.03", 57),
        ("write", UnsupportedPackage("not a package"), "4.00", 54),
        ("finish", IntegrityFailure("hash"), "4.00", 53),
        ("finish", ValueError(), "5.00", 57),
    ]
    each(cases, check)


def test_software_that_does_not_come_to_an_end():
    peer, sink, state = software()
    eq(peer.put("/9/0/2", bytes(64), content_format=42, block1=(0, True, 2)).code, "2.31")
    eq(state(), [1, 1])
    eq(peer.put("/9/0/2", bytes(64), content_format=42, block1=(0, True, 2)).code, "2.31")  # it begins anew
    eq((state(), sink.done), ([1, 1], ["begin", "write", "abort", "begin", "write"]))
    sink.fails = {"abort": OSError(5)}  # it is told, and that is all
    peer.advance(300)
    eq((state(), sink.done[-1]), ([0, 52], "abort"))


def test_software_that_fails_later():
    peer, sink, state = software()
    peer.put("/9/0/2", b"x", content_format=42)
    sink.fails = {"install": InstallFailed("no")}
    eq((execute(peer, 4), state()), ("2.04", [3, 58]))
    sink.fails = {}
    eq((execute(peer, 4), state()), ("2.04", [4, 2]))
    sink.fails = {"activate": OSError(5), "uninstall": OSError(5)}
    eq((execute(peer, 10), peer.get("/9/0/12").payload), ("2.04", b"0"))
    eq((execute(peer, 6), state()), ("2.04", [4, 59]))
    sink.fails = {}
    eq((execute(peer, 6), state()), ("2.04", [0, 0]))


def test_software_executed_twice():
    peer, sink, state = software()
    peer.put("/9/0/2", b"x", content_format=42)
    eq([peer.post("/9/0/4").code for _ in range(2)], ["2.04"] * 2)
    peer.advance(1)
    eq((state(), sink.done.count("install")), ([4, 2], 1))


def test_software_that_was_there():
    peer, sink, state = software(installed=("app", "1.0"))
    eq((state(), peer.get("/9/0/1").payload), ([4, 0], b"1.0"))
    eq((execute(peer, 10), sink.done), ("2.04", ["activate"]))


def test_software_from_a_uri():
    peer, sink, state = software()
    for uri in (b"", b"nonsense", b"coap://", b"https://files.example/app"):
        eq((uri, peer.put("/9/0/3", uri, content_format=0).code, state()), (uri, "2.04", [0, 56]))
    eq((peer.put("/9/0/3", b"coap://files.example/app", content_format=0).code, state()), ("2.04", [1, 1]))
    eq(peer.put("/9/0/3", b"coap://other", content_format=0).code, "4.05")
    (fetch,) = [one for one in peer.client.sessions if one is not peer.registration]
    eq((fetch.uri[:20], fetch.link), ("coap://files.example", "opening"))
    software_of(peer)._fetched(ConnectionLost("gone"))
    eq((state(), sink.done[-1]), ([0, 52], "abort"))
    peer.put("/9/0/3", b"coap://files.example/app", content_format=0)
    sink.begin(None)
    sink.write(b"ab")
    software_of(peer)._fetched(None)
    eq((state(), sink.got), ([3, 3], b"ab"))


def software_of(peer):
    return peer.client.tree.objects[9][0]


# -- the others --------------------------------------------------------------------------------------------------------


def test_event_log_drops_its_oldest_lines():
    log = EventLog(capacity=12)
    client = Client(log)
    for line in ("one", "two", "three", "four"):
        eq(log.log(line), True)
    eq((log.data, log.status), (b"three\nfour\n", 2))
    assert "data" in client.told and "status" in client.told
    log.log("a line that is too long")
    eq(log.data, b"is too long\n")
    log.log("12345678901")
    eq(log.data, b"12345678901\n")


def test_event_log_start_and_stop():
    log = EventLog(runs=False)
    Client(log)
    eq((log.log("x"), log.data, log.status), (False, b"", 1))
    log.start({})
    log.log("x")
    log.stop({})
    eq((log.data, log.status), (b"x\n", 3))
    log.start({0: "1"})
    eq((log.data, log.status), (b"x\n", 2))
    log.stop({0: "1"})
    eq((log.data, log.status), (b"", 1))


def test_binary_data_is_handed_on():
    seen = []
    obj = BinaryAppData({0: b"a"}, on_data=seen.append, priority=2)
    Client(obj)
    apply(obj, [("data", {0: memoryview(b"bc")}), ("description", "x")])
    apply(obj, [("data", {0: b"bc"})])
    eq((seen, obj.data, obj.description), ([{0: b"bc"}], {0: b"bc"}, "x"))


def test_power_saving_modes_that_are_not_supported():
    obj = CellularConnectivity(supported_modes=1, active_modes=0)
    eq(obj.activated(), {})
    raises(BadRequest, apply, obj, [("active_modes", 3)])
    apply(obj, [("active_modes", 1)])
    eq(obj.active_modes, 1)


def test_profile_keeps_when_it_was_enabled():
    profile = ApnProfile("lab")
    Client(profile)
    apply(profile, [("enabled", False)])
    eq((profile.established, profile.ended), (None, None))
    apply(profile, [("name", "x"), ("authentication", 0)])
    profile.client = None
    apply(profile, [("enabled", True)])
    eq((profile.enabled, profile.results, list(profile.established)), (True, {0: 0}, [0]))
    apply(profile, [("enabled", False)])
    eq(list(profile.ended), [0])


def test_wlan_shows_what_it_cannot_change():
    obj = WlanConnectivity(ssid=lambda: "lab-7", name="w0")
    Client(obj)
    eq((read(obj, 5), hasattr(obj, "sample")), ("lab-7", True))
    raises(MethodNotAllowed, apply, obj, [("name", "w1"), ("ssid", "other")])
    eq((read(obj, 5), obj.name), ("lab-7", "w0"))
    apply(obj, [("enabled", False)])
    eq((obj.status, obj.radio), (0, 0))


def test_bearer_selection_keeps_what_is_written():
    peer = Peer([BearerSelection()])
    peer.register()
    eq(peer.put("/13/0", b"\x86\x00A\x00\x07A\x01\x01", content_format=11542).code, "2.04")
    eq(peer.get("/13/0/0").payload, b"\x86\x00A\x00\x07A\x01\x01")
    eq(peer.put("/13/0/1", b"-47", content_format=0).code, "4.04")  # absent until it is written with the instance
    eq(peer.post("/13/0", b"\xc1\x01\xd1", content_format=11542).code, "4.00")
    eq(peer.post("/13/0", b"\xc1\x01\xd0", content_format=11542).code, "2.04")
    eq(peer.get("/13/0/1").payload, b"-48")


def test_portfolio_needs_an_identity():
    raises(ConfigError, check_table, Portfolio())
    check_table(Portfolio({0: "x"}))
