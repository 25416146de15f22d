"""How the core objects behave, objects through the whole client, and what mistakes in a table say."""

from coap.errors import BadRequest, CoapError, MethodNotAllowed, ServiceUnavailable
from doubles import Client, Lamp, read
from lwm2m.change import apply, check_range, default
from lwm2m.config import ConfigError
from lwm2m.object import Object
from lwm2m.objects.connectivity import ConnectivityMonitoring
from lwm2m.objects.device import Device
from lwm2m.objects.ipso import Buzzer, LightControl
from lwm2m.objects.security import Security
from lwm2m.objects.server import Server
from lwm2m.table import check_table
from lwm2m.tree import Tree
from peer import Peer
from support import each, eq, raises, unhex

# -- device ------------------------------------------------------------------------------------------------------------


def test_device_acts_after_the_response():
    acts = []
    device = Device(reboot=lambda: acts.append("reboot"), factory_reset=lambda: acts.append("reset"))
    later = [device.reboot({}), device.factory_reset({})]
    eq(acts, [])
    for act in later:
        act()
    eq(acts, ["reboot", "reset"])
    plain = Device(reboot=print)
    raises(CoapError, read, plain, 5)
    eq(plain.has(plain.row(5)), False)


def test_device_error_codes():
    device = Device(reboot=print)
    client = Client(device)
    eq(device.error_code, {0: 0})
    for change, code, codes in (
        (device.remove_error, 1, {0: 0}),
        (device.add_error, 8, {0: 8}),
        (device.add_error, 7, {0: 8, 1: 7}),
        (device.add_error, 8, {0: 8, 1: 7}),
        (device.remove_error, 8, {1: 7}),
        (device.add_error, 1, {1: 7, 0: 1}),
        (device.remove_error, 7, {0: 1}),
        (device.remove_error, 1, {0: 0}),
        (device.add_error, 5, {0: 5}),
    ):
        change(code)
        eq(device.error_code, codes)
    eq(len(client.told), 7)
    eq(device.reset_error_code({}), None)
    eq(device.error_code, {0: 0})
    for code in (0, 9, -1):
        raises(ValueError, device.add_error, code)


def test_device_time_goes_on_from_what_was_written():
    clock = [1000]
    device = Device(reboot=print, now=lambda: clock[0])
    client = Client(device)
    eq(read(device, 13), 1000)
    apply(device, [("current_time", 1767225600)])
    clock[0] += 90
    eq((read(device, 13), client.told), (1767225690, ["current_time"]))
    written = []
    device = Device(reboot=print, now=lambda: clock[0], set_time=written.append)
    apply(device, [("current_time", 1767225600)])
    eq((written, device.current_time()), ([1767225600], 1090))  # its clock is the one that was set
    raises(BadRequest, check_range, device.row(13), -1)


def test_device_time_is_put_back():
    def refuse(value):
        raise BadRequest("no")

    device = Device(reboot=print, now=lambda: 1000)
    device.write_timezone = refuse
    raises(BadRequest, apply, device, [("current_time", 5), ("timezone", "nowhere")])
    eq((device.current_time(), device.timezone), (1000, "Etc/UTC"))


def test_device_tells_what_it_was_told():
    level = [80]
    device = Device(reboot=print, manufacturer="ACME", battery_level=lambda: level[0], power_sources={0: 1, 1: 5})
    eq([read(device, rid) for rid in (0, 9, 6, 16)], ["ACME", 80, {0: 1, 1: 5}, "U"])
    level[0] = 79
    eq(read(device, 9), 79)
    assert read(device, 3)
    for absent in (1, 2, 7, 8, 10, 17, 18, 19, 20, 21, 22):
        eq(device.has(device.row(absent)), False)
    client = Client(device)
    device.sample()  # so that an observer hears of it
    eq(client.told, ["battery_level"])
    eq(hasattr(Device(reboot=print, battery_level=80), "sample"), False)


def test_device_mistakes():
    assert "restarts it" in str(raises(ConfigError, Device, manufacturer="ACME"))
    assert "called serial_number;" in str(raises(ConfigError, Device, reboot=print, serial_number="1"))
    assert "power_sources must be a dict" in str(
        raises(ConfigError, check_table, Device(reboot=print, power_sources=1))
    )


# -- server, security, connectivity ------------------------------------------------------------------------------------


def test_server_executables():
    class Registration:
        update_wanted = False
        client = None

        def __init__(self):
            self.client = self
            self.calls = []

        def disable_soon(self):
            self.calls.append("disable")

        def wake(self):
            self.calls.append("wake")

    server = Server(1)
    server.registration = registration = Registration()
    eq(server.update_trigger({}), None)
    eq((registration.update_wanted, registration.calls), (True, ["wake"]))
    act = server.disable({})
    eq(registration.calls, ["wake"])
    act()
    eq(registration.calls, ["wake", "disable"])


def test_server_writes():
    server = Server(7, lifetime=300)
    apply(server, [("lifetime", 60), ("default_pmin", 5), ("notification_storing", False), ("binding", "U")])
    eq([read(server, rid) for rid in (0, 1, 2, 6, 7)], [7, 60, 5, False, "U"])
    raises(BadRequest, apply, server, [("lifetime", 90), ("binding", "T")])
    eq((server.lifetime, server.binding), (60, "U"))
    for rid in (1, 2, 3, 5):
        raises(BadRequest, check_range, server.row(rid), -1)
    eq([default(server, name) for name in ("default_pmin", "default_pmax", "mute_send")], [None, None, None])


def test_server_has_what_its_table_names():
    server = Server(1)
    eq((server.retry_count, server.priority, server.mute_send), (None, None, None))
    raises(AttributeError, getattr, server, "retry")
    raises(AttributeError, getattr, server, "uint")


def test_what_only_a_bootstrap_server_may_touch():
    server = Server(1)
    server.set("retry_count", 3)
    raises(MethodNotAllowed, read, server, 17)
    tree = Tree()
    tree.add(server)
    eq([rid for _, rid, _, _ in tree.walk(tree.instances(1))], [0, 1, 6, 7])
    account = Security("coap://lab.example:5683", 1)
    check_table(account)
    eq((account.mode, account.bootstrap, account.secret_key), (3, False, b""))
    eq([row[0] for row in account.rows() if account.has(row)], "0 1 2 3 4 5 10".split())


def test_connectivity_of_a_wlan():
    class Wlan:
        rssi = -58

        def status(self, name):
            if self.rssi is None:
                raise OSError(128)
            return {"rssi": self.rssi}[name]

        def ipconfig(self, name):
            return {"addr4": ("192.168.4.7", "255.255.255.0"), "gw4": "192.168.4.1"}[name]

    wlan = Wlan()
    monitor = ConnectivityMonitoring(wlan)
    check_table(monitor)
    raises(ServiceUnavailable, read, monitor, 2)
    eq(read(monitor, 4), {})
    monitor.sample()
    values = [read(monitor, rid) for rid in (0, 1, 2, 4, 5)]
    eq(values, [21, {0: 21}, -58, {0: "192.168.4.7"}, {0: "192.168.4.1"}])
    client = Client(monitor)
    wlan.rssi = -70
    monitor.sample()
    eq(client.told, ["rssi"])
    wlan.rssi = None
    raises(OSError, monitor.sample)
    eq(monitor.rssi, -70)


def test_connectivity_of_a_computer():
    monitor = ConnectivityMonitoring(addresses=("10.0.0.2", "fe80::1"))
    values = [read(monitor, rid) for rid in (0, 1, 2, 4)]
    eq(values, [41, {0: 41}, 0, {0: "10.0.0.2", 1: "fe80::1"}])
    eq((hasattr(monitor, "sample"), monitor.has(monitor.row(5))), (False, False))


# -- through the client ------------------------------------------------------------------------------------------------


def test_client_gives_objects_their_clock():
    lamp = Lamp()
    light, buzzer = LightControl(lamp, application="desk"), Buzzer(Lamp())
    peer = Peer([light, buzzer])
    peer.register()
    eq(peer.put("/3311/0/5850", b"1", content_format=0).code, "2.04")
    eq(peer.put("/3311/0/5851", b"30", content_format=0).code, "2.04")
    eq(peer.put("/3311/0/5851", b"101", content_format=0).code, "4.00")
    peer.advance(5)
    eq(peer.get("/3311/0/5852", accept=0).payload, b"5")
    replaced = peer.put("/3311/0", unhex("e1 16da 01  # 5850: true"), content_format=11542)
    eq((replaced.code, lamp.seen[-1], light.level, light.application), ("2.04", 100, 100, None))
    eq(peer.put("/3338/0/5521", b"2", content_format=0).code, "2.04")
    eq(peer.put("/3338/0/5850", b"1", content_format=0).code, "2.04")
    peer.advance(1.75)
    eq(peer.get("/3338/0/5850", accept=0).payload, b"1")
    peer.advance(0.5)
    eq(peer.get("/3338/0/5850", accept=0).payload, b"0")


def test_hardware_that_does_not_obey_is_unavailable():
    lamp = Lamp()
    light = LightControl(lamp)
    peer = Peer([light])
    peer.register()
    lamp.works = False
    eq(peer.put("/3311/0/5850", b"1", content_format=0).code, "5.03")
    eq((light.on, light.on_time()), (False, 0))


def test_reboot_runs_when_the_response_is_out():
    acts = []
    peer = Peer([Device(reboot=lambda: acts.append("reboot"))])
    peer.register()
    eq((peer.post("/3/0/4").code, acts), ("2.04", []))
    peer.advance(1)
    eq(acts, ["reboot"])
    eq((peer.get("/3/0/5").code, peer.get("/3/0/4").code, peer.post("/3/0/13").code), ("4.04", "4.05", "4.05"))
    eq((peer.get("/1/0/17").code, peer.put("/1/0/7", b"T", content_format=0).code), ("4.04", "4.00"))


# -- tables ------------------------------------------------------------------------------------------------------------


def test_mistakes_in_a_table_name_the_row():
    def check(rows, sentence):
        class Mine(Object):
            OID = 32769
            RES = rows
            text = "x"
            number = None

            def act(self, args):
                pass

        eq(str(raises(ConfigError, check_table, Mine())), "Mine: " + sentence)

    each(
        [
            ("", "its table RES has no rows"),
            ("0 R str", "row '0 R str': a row is: id, operations, type, attribute, and perhaps a range"),
            ("x R str text", "row 'x R str text': a row is: id, operations, type, attribute, and perhaps a range"),
            ("0 R str text\n\n0 E none act", "row '0 E none act': this id is there twice"),
            (
                "0  X  str  text",
                "row '0 X str text': operations are R, W, RW, E or -, with ! for mandatory and * for multiple",
            ),
            (
                "0 R string text",
                "row '0 R string text': type must be one of str int uint float bool opaque time link corelnk none",
            ),
            ("0 R str text 1", "row '0 R str text 1': a range is like 0..255"),
            ("0 R str text a..b", "row '0 R str text a..b': a range is like 0..255"),
            ("0 R! str txet", "row '0 R! str txet': mandatory, but there is no attribute txet"),
            ("0 E! none number", "row '0 E! none number': number must be a method, as it is executable"),
            ("0 E none text", "row '0 E none text': text must be a method, as it is executable"),
            ("0 R* str text", "row '0 R* str text': text must be a dict, as it is multiple"),
            ("0 R!* int number", "row '0 R!* int number': number must be a dict, as it is multiple"),
            ("0 R str rows", "row '0 R str rows': every object has a rows already, take another name"),
        ],
        check,
    )


def test_tables_without_mistakes():
    class Mine(Object):
        OID = 32769
        RES = "0 R! int number\n1 RW str text 0..8\n2 -! opaque key\n3 E none act\n4 R float nothing 0..\n5 R* int many"
        text = number = None
        key = b""

        def act(self, args):
            pass

        def many(self):
            return {0: 1}

    check_table(Mine())
