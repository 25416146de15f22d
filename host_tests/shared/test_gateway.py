"""End devices behind a client: all operations on them, what is kept apart, what is refused, rights, bootstraps."""

import json

from configurations import Bench, Probe, account_of, c1, device
from configurations_bootstrap import World
from lwm2m.config import ConfigError
from lwm2m.gateway import Gateway
from lwm2m.object import Object
from lwm2m.objects.access_control import AccessControl
from lwm2m.objects.gateway import GatewayRouting
from lwm2m.objects.ipso import Temperature
from peer import peers
from senml_judge import CBOR, JSON, packed, path_list, told
from support import each, eq, raises, unhex

LINK = 40
TLV = 11542


class Note(Object):
    """What servers create and delete."""

    OID = 32771
    VERSION = "1.3"
    RES = "\n0 RW! str text\n"
    text = "x"


def behind(own=(), **settings):
    """(peer, gateway, dev0, Bench of dev0), registered; the client has a Bench and a Probe as well."""
    peer = c1([Bench(1), Probe(1.0)] + list(own), **settings)
    gateway = Gateway(peer.client)
    dev = gateway.add_device("dev0", "sensor-17")
    bench = dev.add(Bench(2))
    peer.register()
    return peer, gateway, dev, bench


def own_bench(peer):
    return peer.client.tree.objects[32800][0]


# -- operations --------------------------------------------------------------------------------------------------------


def test_read():
    """The end device's own values, in all formats and at all levels; codes as everywhere"""
    peer, _, _, _ = behind()
    eq((peer.get("/32800/0/0").payload, peer.get("/dev0/32800/0/0").payload), (b"1", b"2"))
    eq(peer.get("/dev0/32800/0/7/1").payload, b"5")
    eq(peer.get("/dev0/32800/0/7", accept=TLV).payload, unhex("86 07 41 00 01 41 01 05"))
    for path, code in (
        ("/dev0/32800/0/99", "4.04"),
        ("/dev0/32800/1", "4.04"),
        ("/dev0/3", "4.04"),
        ("/dev0/0/0", "4.04"),
        ("/dev0/25/0", "4.04"),
        ("/dev1/32800/0/0", "4.04"),
        ("/rd/32800/0/0", "4.04"),
        ("/dev0", "4.00"),
        ("/dev0/dev0/32800/0", "4.00"),
        ("/dev0/32800/0/7/1/0", "4.00"),
        ("/dev0/65535", "4.00"),
        ("/32800/dev0", "4.00"),
        ("/dev0/32800/0/9", "4.05"),
    ):
        eq((path, peer.get(path).code), (path, code))


def test_multiple_resources_in_senml():
    peer, _, _, _ = behind()
    for format in (CBOR, JSON):
        names = told(peer.get("/dev0/32800/0", accept=format))
        eq([name for name in names if name[:13] != "/dev0/32800/0"], [])
        eq((names["/dev0/32800/0/7/1"], names["/dev0/32800/0/0"]), (5, 2))
        eq(told(peer.get("/dev0/32800/0/7", accept=format)), {"/dev0/32800/0/7/0": 1, "/dev0/32800/0/7/1": 5})
        eq(told(peer.get("/dev0/32800/0/7/1", accept=format)), {"/dev0/32800/0/7/1": 5})


def test_write():
    """Text, TLV, SenML; whole instances; names in SenML must have the prefix of the path"""
    peer, _, _, bench = behind()
    eq(peer.put("/dev0/32800/0/0", b"77").code, "2.04")
    eq(peer.post("/dev0/32800/0", unhex("c1 00 4e"), content_format=TLV).code, "2.04")
    eq(bench.whole, 78)
    for format in (CBOR, JSON):
        for name, code in (
            ("/dev0/32800/0/0", "2.04"),
            ("dev0/32800/0/0", "2.04"),
            ("/32800/0/0", "4.00"),
            ("/dev9/32800/0/0", "4.00"),
            ("/dev0/32800/0", "4.00"),
            ("/dev0", "4.00"),
            ("dev0", "4.00"),
        ):
            payload = packed([{"n": name, "v": format}], format)
            eq((name, peer.put("/dev0/32800/0/0", payload, content_format=format).code), (name, code))
        eq(bench.whole, format)
        payload = packed([{"n": "/dev0/32800/0/0", "v": 9}], format)
        eq(peer.put("/32800/0/0", payload, content_format=format).code, "4.00")
    payload = packed([{"bn": "/dev0/", "n": "32800/0/0", "v": 5}, {"n": "32800/0/7/1", "v": 6}], CBOR)
    eq(peer.post("/dev0/32800/0", payload, content_format=CBOR).code, "2.04")
    eq((bench.whole, bench.numbers, own_bench(peer).whole), (5, {0: 1, 1: 6}, 1))


def test_written_links():
    """An Objlnk names an object of the same end device"""
    peer, _, _, _ = behind()
    for text, code in ((b"32800:0", "2.04"), (b"3:0", "4.00"), (b"32801:0", "4.00"), (b"65535:65535", "2.04")):
        eq((text, peer.put("/dev0/32800/0/6", text).code), (text, code))
    eq(peer.put("/32800/0/6", b"3:0").code, "2.04")


def test_execute():
    peer, _, _, bench = behind()
    eq(peer.post("/dev0/32800/0/9", b"1='on'").code, "2.04")
    eq((bench.acts, own_bench(peer).acts), ([{1: "on"}], []))


def test_create_and_delete():
    """The answer names the new instance with its prefix; observers of /25 see that the list is another"""
    peer, _, dev, _ = behind()
    eq(peer.post("/dev0/32771", unhex("c1 00 61"), content_format=TLV).code, "4.04")
    dev.allow_create(Note)
    peer.advance(1)
    eq(peer.get("/25/0/3").text, "</32771>;ver=1.3,</32800/0>")
    eq(peer.get("/dev0/32771", accept=LINK).text, "</32771>;ver=1.3")
    eq(peer.post("/32771", unhex("c1 00 61"), content_format=TLV).code, "4.04")
    peer.observe("/25/0/3", token=b"list")
    reply = peer.post("/dev0/32771", unhex("c1 00 61"), content_format=TLV)
    eq((reply.code, reply.location), ("2.01", ["dev0", "32771", "0"]))
    peer.advance(1)
    payload = packed([{"n": "/dev0/32771/5/0", "vs": "b"}], JSON)
    reply = peer.post("/dev0/32771", payload, content_format=JSON)
    eq((reply.code, reply.location, peer.get("/dev0/32771/5/0").text), ("2.01", ["dev0", "32771", "5"], "b"))
    peer.advance(1)
    eq((peer.delete("/dev0/32771/0").code, peer.delete("/dev0/32800/0").code), ("2.02", "4.05"))
    peer.advance(1)
    lists = [packet.text.split(",")[1:-1] for packet in peer.notifications(b"list")]
    eq(lists, [["</32771/0>"], ["</32771/0>", "</32771/5>"], ["</32771/5>"]])


def test_blocks():
    """A body that comes in blocks and one that leaves in blocks are those of the end device"""
    peer, _, _, bench = behind(BLOCK_SIZE=64)
    body = bytes(range(200))
    eq([reply.code for reply in peer.put_blocks("/dev0/32800/0/4", body, content_format=42)][-1], "2.04")
    eq((bench.blob, own_bench(peer).blob), (body, b"\0\1"))
    eq(peer.get_blocks("/dev0/32800/0/4")[0], body)
    eq(peer.get("/32800/0/4").payload, b"\0\1")


# -- attributes and observations ---------------------------------------------------------------------------------------


def test_kept_apart():
    """The same path of the client and of two end devices: values, attributes, observations"""
    peer, gateway, dev, _ = behind()
    one = dev.add(Probe(2.0))
    two = gateway.add_device("dev1", "sensor-18").add(Probe(3.0))
    own = peer.client.tree.objects[32801][0]
    peer.advance(1)
    for prefix in ("", "/dev0", "/dev1"):
        eq(peer.observe(prefix + "/32801/0/0", token=b"t" + prefix.encode()).observe, 0)
    eq(peer.put("/dev0/32801?pmin=10").code, "2.04")
    eq(peer.put("/dev1/32801/0/0?gt=5").code, "2.04")
    eq(peer.get("/32801/0/0", accept=LINK).text, "</32801/0/0>")
    eq(peer.get("/dev0/32801/0/0", accept=LINK).text, "</32801/0/0>;pmin=10")
    eq(peer.get("/dev1/32801/0/0", accept=LINK).text, "</32801/0/0>;gt=5")
    peer.take()
    peer.notifications()
    for probe in (own, one, two):
        probe.set("value", 4.5)
    peer.advance(1)
    eq([(packet.token, packet.text) for packet in peer.notifications()], [(b"t", "4.5")])
    two.set("value", 6.0)
    peer.advance(20)
    eq([(packet.token, packet.text) for packet in peer.notifications()], [(b"t/dev1", "6"), (b"t/dev0", "4.5")])
    eq(peer.cancel("/dev0/32801/0/0", b"t/dev0").code, "2.05")
    one.set("value", 9.0)
    own.set("value", 9.0)
    peer.advance(20)
    eq([packet.token for packet in peer.notifications()], [b"t"])


def test_sampled():
    """A sensor of an end device is sampled as the client's own are, until its device goes"""
    peer, gateway, dev, _ = behind()
    readings = []

    def read():
        readings.append(20.0)
        return 20.0 + len(readings)

    dev.add(Temperature(read))
    peer.advance(1)
    peer.observe("/dev0/3303/0/5700", token=b"o")
    peer.advance(60)
    assert len(readings) > 5 and len(peer.notifications(b"o")) > 5
    gateway.remove_device("dev0")
    count = len(readings)
    peer.advance(60)
    eq(len(readings), count)


def test_objects_that_go():
    """Observations end with 4.04, attributes are forgotten; what goes may come back, here or elsewhere"""
    peer, gateway, dev, bench = behind()
    peer.observe("/dev0/32800/0/0", token=b"a")
    peer.observe("/32800/0/0", token=b"b")
    peer.put("/dev0/32800/0/0?pmin=1")
    dev.remove(bench)
    peer.advance(1)
    eq([(packet.token, packet.code) for packet in peer.notifications()], [(b"a", "4.04")])
    eq((peer.get("/dev0/32800/0/0").code, peer.get("/25/0/3").text), ("4.04", ""))
    dev.add(bench, 7)
    eq(peer.get("/dev0/32800/7/0").payload, b"2")
    dev.remove(bench)
    peer.client.add(bench, 7)
    eq((peer.get("/32800/7/0").payload, peer.get("/25/0/3").text), (b"2", ""))
    gateway.remove_device("dev0")
    again = gateway.add_device("dev0", "sensor-99")
    again.add(Bench(3))
    eq((peer.get("/25/0/0").text, peer.get("/dev0/32800/0/0").payload), ("sensor-99", b"3"))
    eq(peer.get("/dev0/32800/0/0", accept=LINK).text, "</32800/0/0>")


# -- several paths -----------------------------------------------------------------------------------------------------


def test_composite():
    """Names of the client and of end devices in one list; the root is the client's own"""
    peer, _, _, bench = behind()
    own_path, path, nowhere = "/32800/0/0", "/dev0/32800/0/0", "/dev0/77/0"
    payload = path_list(path, own_path, nowhere)
    eq(told(peer.request("FETCH", "/", payload, content_format=CBOR)), {own_path: 1, path: 2})
    for name in ("/dev9/3", "/dev9/3/0/0/0", "nodev/3303"):
        eq(peer.request("FETCH", "/", path_list(name), content_format=CBOR).payload, b"\x80")
        reply = peer.request("FETCH", "/", path_list(name, path), content_format=CBOR, observe=0, token=b"u")
        eq((told(reply), reply.observe), ({path: 2}, 0))
        peer.request("FETCH", "/", path_list(name, path), content_format=CBOR, observe=1, token=b"u")
        payload = packed([{"n": own_path, "v": 9}, {"n": name, "v": 9}], CBOR)
        eq(peer.request("iPATCH", "/", payload, content_format=CBOR).code, "4.00")
    for name in ("/dev9", "/dev9/x", "/dev9/65535", "/dev9/3/0/0/0/0", "/dev0/3/00", "//3", "/dev0/dev0/3"):
        eq((name, peer.request("FETCH", "/", path_list(name, path), content_format=CBOR).code), (name, "4.00"))
    eq([name for name in told(peer.request("FETCH", "/", path_list("/"), content_format=CBOR)) if "dev" in name], [])
    payload = packed([{"n": path, "v": 12}, {"n": own_path, "v": 11}], CBOR)
    eq(peer.request("iPATCH", "/", payload, content_format=CBOR).code, "2.04")
    eq((bench.whole, own_bench(peer).whole), (12, 11))
    payload = packed([{"n": path, "v": 13}, {"n": "/dev0/32800/0/8", "v": 1}], CBOR)
    eq((peer.request("iPATCH", "/", payload, content_format=CBOR).code, bench.whole), ("4.05", 12))

    payload = path_list(own_path, path)
    eq(told(peer.request("FETCH", "/", payload, content_format=CBOR, observe=0, token=b"c")), {own_path: 11, path: 12})
    peer.notifications()
    bench.set("whole", 14)
    peer.advance(1)
    eq([told(packet) for packet in peer.notifications(b"c")], [{own_path: 11, path: 14}])


def test_send():
    peer, _, _, _ = behind()
    account_of(peer).mute_send = False
    eq(peer.client.send(["/dev0/32800/0/0", "/32800/0/0"]), 1)
    peer.advance(1)
    (sent,) = [packet for packet in peer.requests() if packet.path == "/dp"]
    eq(told(sent), {"/32800/0/0": 1, "/dev0/32800/0/0": 2})
    for path in ("/dev9/32800/0/0", "/dev0", "/dev0/dev0/3"):
        raises(ConfigError, peer.client.send, path)


# -- what a program may do wrong ---------------------------------------------------------------------------------------


def test_mistakes():
    peer = c1()
    gateway = Gateway(peer.client)
    raises(ConfigError, Gateway, peer.client)
    for prefix in ("", "0", "3303", "bs", "rd", "dp", ".well-known", "a/b", "a b", "a?", "\u00e9", "x" * 256):
        raises(ConfigError, gateway.add_device, prefix, "id")
    eq(sorted(peer.client.tree.objects), [0, 1, 3])
    for prefix in ("3a", "a.b-c:d_e", "RD"):
        gateway.add_device(prefix, "id")
    raises(ConfigError, gateway.add_device, "RD", "id")
    raises(ConfigError, gateway.remove_device, "rd")
    dev = gateway.devices["RD"]
    for oid in (0, 1, 2, 21, 25, 65535, 70000, -1):
        note = Note()
        note.OID = oid
        raises(ConfigError, dev.add, note)
        raises(ConfigError, dev.allow_create, note)
    note = dev.add(Note(), 4)
    other = Note()
    eq(str(raises(ConfigError, dev.add, other, 4)), "/RD/32771/4 is there already")
    eq((other.OID, dev.add(other).iid, note.iid), (32771, 0, 4))


def test_routing():
    """Object 26 tells what the program has said"""
    peer, _, _, _ = behind([GatewayRouting(3303, "</dev0/3303/0>")])
    eq([peer.get("/26/0/%d" % rid).text for rid in (0, 1)], ["3303", "</dev0/3303/0>"])


# -- servers and bootstraps --------------------------------------------------------------------------------------------


def test_rights_of_two_servers():
    """The rights on /25/x hold for what its end device has"""
    control = AccessControl(25, 0, owner=65535, acl={1: 1 | 16, 2: 2 | 4})
    one, two = peers(2, [device(), control])
    dev = Gateway(one.client).add_device("dev0", "sensor-17")
    dev.add(Bench(2))
    dev.allow_create(Note)
    two.location = [b"r", b"2"]
    one.register()
    two.poll()

    def check(peer, *codes):
        found = [
            peer.get("/dev0/32800/0/0").code,
            peer.get("/dev0/32800", accept=TLV).code,
            peer.put("/dev0/32800/0/0", b"3").code,
            peer.post("/dev0/32800/0/9").code,
            peer.post("/dev0/32771", unhex("c1 00 61"), content_format=TLV).code,
            peer.delete("/dev0/32771/0").code,
        ]
        eq(found, list(codes))

    each(
        [
            (one, "2.05", "2.05", "4.01", "4.01", "2.01", "4.01"),
            (two, "4.01", "4.01", "2.04", "2.04", "4.01", "4.01"),
        ],
        check,
    )
    eq(sorted(one.client.tree.objects[2]), [0])
    control.set("acl", {1: 8})
    eq((one.get("/dev0/32800/0/0").code, one.delete("/dev0/32771/0").code), ("4.01", "2.02"))


def test_bootstrap():
    """A Bootstrap-Server neither sees, writes nor deletes what end devices have"""
    world = World()
    dev = Gateway(world.client).add_device("dev0", "sensor-17")
    bench = dev.add(Bench(2))
    dev.allow_create(Note)
    world.start()
    bs = world.bs
    eq(bs.get("/", accept=LINK).text.split(",")[-2:], ["</25>;ver=2.0", "</25/0>"])
    eq((bs.get("/dev0/32800", accept=LINK).code, bs.get("/dev0/32800").code), ("4.04", "4.05"))
    for path in ("/dev0/32800/0", "/dev0/32800", "/dev0/32771/0"):
        eq((path, bs.put(path, unhex("c1 00 09"), content_format=TLV).code), (path, "4.04"))
    eq((bs.delete("/dev0/32800/0").code, bs.delete("/25/0").code), ("4.00", "4.00"))
    eq([bs.delete(path).code for path in ("/dev0/32800", "/25", "/")], ["2.02"] * 3)
    eq((bench.whole, world.client.tree.objects[25][0].objects()), (2, "</32771>;ver=1.3,</32800/0>"))


def test_version_1_0():
    """A server of LwM2M 1.0 with its JSON: names have the prefix, or are relative to the path"""
    peer, _, _, bench = behind(version="1.0")
    reply = peer.get("/dev0/32800/0/7", accept=11543)
    eq(json.loads(reply.text), {"bn": "/dev0/32800/0/7/", "e": [{"n": "0", "v": 1}, {"n": "1", "v": 5}]})
    for number, name in enumerate(("0", "/dev0/32800/0/0"), 30):
        payload = b'{"e":[{"n":"%s","v":%d}]}' % (name.encode(), number)
        eq((peer.post("/dev0/32800/0", payload, content_format=11543).code, bench.whole), ("2.04", number))


def test_without_gateway():
    """A client without one, in the same program: prefixes are bad paths, as ever"""
    peer = c1([Bench()])
    peer.register()
    eq((peer.client.gateway, peer.get("/dev0/32800/0/0").code), (None, "4.00"))
    eq(peer.request("FETCH", "/", path_list("/nodev/3"), content_format=CBOR).code, "4.00")
