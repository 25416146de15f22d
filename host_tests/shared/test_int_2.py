"""OMA-ETS-LightweightM2M_INT, 200-299: management. Each test is named by its number, its docstring is the title."""

from answers import changed, content, registered, updates
from configurations import c1, c3, c4
from peer import Peer
from support import each, eq, unhex

TLV = 11542
SERVER = """
    c1 00 01              # Short Server ID 1
    c4 01 00 01 51 80     # Lifetime 86400
    %s
    c1 06 %s              # Notification Storing
    c1 07 55              # Binding "U"
"""
SERVER_C1 = unhex(SERVER % ("", "00"))
SERVER_C3 = unhex(SERVER % ("c1 02 01 c1 03 0a c4 05 00 01 51 80", "00"))
DEVICE_C1 = unhex(
    """
    c4 00 41 43 4d 45              # Manufacturer "ACME"
    c7 01 42 6f 61 72 64 20 31     # Model "Board 1"
    c4 02 30 38 31 35              # Serial "0815"
    c3 03 31 2e 30                 # Firmware "1.0"
    83 0b 41 00 00                 # Error Code {0: 0}
    c4 0d 51 82 42 8f              # Current Time 1367491215
    c6 0e 2b 30 30 3a 30 30        # UTC Offset "+00:00"
    c7 0f 45 74 63 2f 55 54 43     # Timezone "Etc/UTC"
    c1 10 55                       # Supported Binding "U"
    """
)


def links(reply):
    """Link-format as a list of (path, set of parameters): their order must not matter."""
    eq((reply.code, reply.content_format), ("2.05", 40))
    parts = [link.split(";") for link in reply.text.split(",")]
    return [(part[0], set(part[1:])) for part in parts]


def test_int_201_read_text():
    """Querying basic information from the client in Plain Text format"""
    peer = registered(c1)
    content(peer.get("/3/0/0", accept=0), 0, b"ACME")
    content(peer.get("/3/0/1", accept=0), 0, b"Board 1")
    content(peer.get("/3/0/2", accept=0), 0, b"0815")


def test_int_203_read_tlv():
    """Querying basic information from the client in TLV format"""
    content(registered(c1).get("/3/0", accept=TLV), TLV, DEVICE_C1)


def test_int_205_write_text():
    """Setting basic information in Plain Text format"""
    peer = registered(c3)
    content(peer.get("/1/0", accept=TLV), TLV, SERVER_C3)
    for path, value in (("/1/0/2", b"101"), ("/1/0/3", b"1010"), ("/1/0/5", b"2000")):
        changed(peer.put(path, value, content_format=0))
    content(peer.get("/1/0", accept=TLV), TLV, unhex(SERVER % ("c1 02 65 c2 03 03 f2 c2 05 07 d0", "00")))
    for path, value in (("/1/0/2", b"1"), ("/1/0/3", b"10"), ("/1/0/5", b"86400")):
        changed(peer.put(path, value, content_format=0))
    content(peer.get("/1/0", accept=TLV), TLV, SERVER_C3)


def test_int_215_write_tlv():
    """Setting basic information in TLV format"""
    peer = registered(c3)
    update = unhex("c1 02 65 c2 03 03 f2 c2 05 07 d0 c1 06 01 c1 07 55")
    changed(peer.post("/1/0", update, content_format=TLV))
    content(peer.get("/1/0", accept=TLV), TLV, unhex(SERVER % ("c1 02 65 c2 03 03 f2 c2 05 07 d0", "01")))
    saved = unhex("c4 01 00 01 51 80 c1 02 01 c1 03 0a c4 05 00 01 51 80 c1 06 00 c1 07 55")
    changed(peer.put("/1/0", saved, content_format=TLV))
    content(peer.get("/1/0", accept=TLV), TLV, SERVER_C3)
    eq(updates(peer), [])


def test_int_221_security_object_is_closed():
    """Attempt to perform operations on the Security object"""
    peer = registered(c1)
    eq([obj.uri for obj in peer.client.tree.objects[0].values()], ["coap://server1"])
    asked = [
        ("GET", "/0", {}),
        ("PUT", "/0/0/0", {"payload": b"coap://evil", "content_format": 0}),
        ("PUT", "/0?pmin=30&pmax=45", {}),
        ("GET", "/0", {"accept": 40}),
        ("GET", "/0/0", {"accept": TLV}),
        ("GET", "/0/0/0", {"accept": 0}),
        ("GET", "/0/0/0", {"observe": 0}),
        ("GET", "/0", {"observe": 0}),
        ("PUT", "/0/0", {"payload": unhex("c1 01 00"), "content_format": TLV}),
        ("POST", "/0/0", {"payload": unhex("c1 01 00"), "content_format": TLV}),
        ("POST", "/0", {"payload": unhex("c1 01 00"), "content_format": TLV}),
        ("POST", "/0/0/0", {}),
        ("DELETE", "/0/0", {}),
        ("DELETE", "/0", {}),
    ]
    for oid in ("/0", "/21"):
        for method, path, more in asked:
            reply = peer.request(method, oid + path[2:], **more)
            eq((method, path, reply.code, reply.observe), (method, path, "4.01", None))
    eq([obj.uri for obj in peer.client.tree.objects[0].values()], ["coap://server1"])


def test_int_222_read_object():
    """Read on an Object"""
    peer = registered(c1)
    content(peer.get("/1", accept=TLV), TLV, unhex("08 00 0f") + SERVER_C1)
    content(peer.get("/3", accept=TLV), TLV, unhex("08 00 39") + DEVICE_C1)


def test_int_223_read_instance():
    """Read on an Object Instance"""
    peer = registered(c1)
    content(peer.get("/1/0", accept=TLV), TLV, SERVER_C1)
    content(peer.get("/3/0", accept=TLV), TLV, DEVICE_C1)


def test_int_224_read_resource():
    """Read on a Resource"""
    peer = registered(c1)
    values = [("/1/0/0", b"1"), ("/1/0/1", b"86400"), ("/1/0/6", b"0"), ("/1/0/7", b"U"), ("/3/0/16", b"U")]
    each(values, lambda path, value: content(peer.get(path), 0, value))
    content(peer.get("/1/0/1", accept=TLV), TLV, unhex("c4 01 00 01 51 80"))


def test_int_225_read_resource_instance():
    """Read on a Resource Instance"""
    peer = registered(c1)
    content(peer.get("/3/0/11/0"), 0, b"0")
    content(peer.get("/3/0/11/0", accept=TLV), TLV, unhex("41 00 00"))
    eq(peer.get("/3/0/11/1").code, "4.04")


def test_int_226_partial_write_of_an_instance():
    """Write (Partial Update) on an Object Instance"""
    peer = registered(c1)
    changed(peer.post("/1/0", unhex("c1 01 3d c1 06 01"), content_format=TLV))
    eq(updates(peer), [["lt=61"]])
    content(peer.get("/1/0", accept=TLV), TLV, unhex("c1 00 01 c1 01 3d c1 06 01 c1 07 55"))
    changed(peer.post("/1/0", unhex("c4 01 00 01 51 80 c1 06 00"), content_format=TLV))
    eq(updates(peer), [["lt=86400"]])
    content(peer.get("/1/0", accept=TLV), TLV, SERVER_C1)


def test_int_227_write_resource():
    """Write (Replace) on a Resource"""
    peer = registered(c1)
    changed(peer.put("/1/0/1", b"63", content_format=0))
    eq(updates(peer), [["lt=63"]])
    content(peer.get("/1/0/1", accept=0), 0, b"63")
    changed(peer.put("/1/0/1", unhex("c4 01 00 01 51 80"), content_format=TLV))
    eq(updates(peer), [["lt=86400"]])
    content(peer.get("/1/0/1", accept=0), 0, b"86400")


def test_int_237_read_without_content_format():
    """Read on Object without specifying Content-Format"""
    peer = registered(c1)
    content(peer.get("/1"), TLV, unhex("08 00 0f") + SERVER_C1)
    content(peer.get("/3"), TLV, unhex("08 00 39") + DEVICE_C1)


def test_int_241_executable_resource_reboot():
    """Executable Resource: Rebooting the device"""
    reboots = []
    peer = c1(reboot=lambda: reboots.append([packet.code for packet in peer.take()]))
    peer.register()
    changed(peer.post("/3/0/4"))
    eq(reboots, [])
    peer.advance(1)
    eq(reboots, [["2.04"]])
    anew = Peer(list(peer.client.tree.objects[3].values()))
    eq(anew.register().path, "/rd")


def test_int_256_write_refused():
    """Write operation failure"""
    peer = registered(c1)
    eq(peer.put("/1/0/0", b"123", content_format=0).code, "4.05")
    content(peer.get("/1/0/0"), 0, b"1")


RESOURCES = [("</3/0/%d>" % rid, set()) for rid in (0, 1, 2, 3, 4)]
RESOURCES += [("</3/0/%d>" % rid, {"dim=2"}) for rid in (6, 7, 8)]
RESOURCES += [("</3/0/9>", set()), ("</3/0/11>", {"dim=1"})]
RESOURCES += [("</3/0/%d>" % rid, set()) for rid in (12, 13, 14, 15, 16)]


def test_int_260_discover():
    """Discover Command"""
    peer = registered(c4)
    eq(links(peer.get("/3", accept=40)), [("</3>", {"ver=1.1"}), ("</3/0>", set())] + RESOURCES)
    changed(peer.put("/3?pmin=10&pmax=200"))
    eq(links(peer.get("/3/0", accept=40)), [("</3/0>", {"pmin=10", "pmax=200"})] + RESOURCES)
    changed(peer.put("/3/0/7?lt=1&gt=6&st=1"))
    shown = [(path, found | {"lt=1", "gt=6", "st=1"} if path == "</3/0/7>" else found) for path, found in RESOURCES]
    eq(links(peer.get("/3/0", accept=40)), [("</3/0>", {"pmin=10", "pmax=200"})] + shown)
    found = links(peer.get("/3/0/7", accept=40))
    eq(found[0], ("</3/0/7>", {"dim=2", "pmin=10", "pmax=200", "lt=1", "gt=6", "st=1"}))
    eq(found[1:], [("</3/0/7/0>", set()), ("</3/0/7/1>", set())])


def test_int_261_attributes_on_a_resource_instance():
    """Write-Attributes Operation on a multiple resource"""
    peer = registered(c1)
    eq(links(peer.get("/3/0/11", accept=40)), [("</3/0/11>", {"dim=1"}), ("</3/0/11/0>", set())])
    changed(peer.put("/3?pmin=10&pmax=200"))
    changed(peer.put("/3/0?pmax=320"))
    changed(peer.put("/3/0/11/0?pmax=100&epmin=1&epmax=20"))
    eq(
        links(peer.get("/3/0/11", accept=40)),
        [("</3/0/11>", {"dim=1", "pmin=10", "pmax=320"}), ("</3/0/11/0>", {"pmax=100", "epmin=1", "epmax=20"})],
    )
