"""OMA-ETS-LightweightM2M_INT, 200-299: the same operations in all Content-Formats. Each test is named by its number."""

import json

from answers import DEVICE, SERVER, changed, content, registered, updates
from configurations import account_of, c1, c3, c15
from lwm2m.objects.portfolio import Portfolio
from senml_judge import CBOR, JSON, packed, told
from support import eq, unhex

TLV, OPAQUE, PLAIN_CBOR, OLD_JSON = 11542, 42, 60, 11543


def old_json(reply):
    """{name: value} of the JSON of LwM2M 1.0."""
    eq((reply.code, reply.content_format), ("2.05", OLD_JSON))
    found = json.loads(reply.text)
    told = {}
    for entry in found["e"]:
        name = found["bn"] + entry.pop("n", "")
        ((label, told[name]),) = entry.items()
        assert label in ("v", "sv", "bv", "ov"), label
    return told


def test_int_202_read_opaque():
    """Reading octets as they are; anything else is not acceptable as octets"""
    peer = registered(c15)
    content(peer.get("/19/0/0/0", accept=OPAQUE), OPAQUE, b"\1\2\3")
    content(peer.get("/19/0/0/0"), OPAQUE, b"\1\2\3")
    for path in ("/3/0/0", "/3/0/11", "/3/0", "/3", "/19/0", "/1/0/1"):
        eq((path, peer.get(path, accept=OPAQUE).code), (path, "4.06"))


def test_int_204_read_json():
    """Querying basic information from the client in LwM2M JSON format"""
    eq(old_json(registered().get("/3/0", accept=OLD_JSON)), DEVICE)


def test_int_210_write_opaque():
    """Writing octets as they are; nowhere else"""
    peer = registered(c15)
    changed(peer.put("/19/1/0/0", b"\xff\0", content_format=OPAQUE))
    content(peer.get("/19/1/0/0"), OPAQUE, b"\xff\0")
    for path in ("/1/0", "/19/1"):
        eq((path, peer.put(path, b"\1", content_format=OPAQUE).code), (path, "4.15"))
    eq(peer.put("/1/0/1", b"\1", content_format=OPAQUE).code[0], "4")
    eq(account_of(peer).lifetime, 86400)


def test_int_211_read_cbor():
    """Querying basic information from the client in CBOR format"""
    peer = registered()
    content(peer.get("/1/0/0", accept=PLAIN_CBOR), PLAIN_CBOR, b"\x01")
    content(peer.get("/1/0/6", accept=PLAIN_CBOR), PLAIN_CBOR, b"\xf4")
    content(peer.get("/1/0/7", accept=PLAIN_CBOR), PLAIN_CBOR, b"\x61\x55")


def test_int_212_write_cbor():
    """Setting basic information in CBOR format"""
    peer = registered(c3)
    for path, payload in (("/1/0/2", "18 65"), ("/1/0/3", "19 03f2"), ("/1/0/6", "f5")):
        changed(peer.put(path, unhex(payload), content_format=PLAIN_CBOR))
    wanted = {"/1/0/2": 101, "/1/0/3": 1010, "/1/0/5": 86400, "/1/0/6": True}
    eq(told(peer.get("/1/0", accept=CBOR)), dict(SERVER, **wanted))


def test_int_220_write_json():
    """Setting basic information in LwM2M JSON format"""
    peer = registered(c3)
    before = old_json(peer.get("/1/0", accept=OLD_JSON))
    update = '{"bn":"/1/0/","e":[{"n":"2","v":101},{"n":"3","v":1010},{"n":"5","v":2000},{"n":"6","bv":true},'
    update += '{"n":"7","sv":"U"}]}'
    changed(peer.post("/1/0", update.encode(), content_format=OLD_JSON))
    wanted = {"/1/0/2": 101, "/1/0/3": 1010, "/1/0/5": 2000, "/1/0/6": True}
    eq(old_json(peer.get("/1/0", accept=OLD_JSON)), dict(before, **wanted))
    saved = '{"bn":"/1/0/","e":[{"n":"1","v":86400},{"n":"2","v":1},{"n":"3","v":10},{"n":"5","v":86400},'
    saved += '{"n":"6","bv":false},{"n":"7","sv":"U"}]}'
    changed(peer.put("/1/0", saved.encode(), content_format=OLD_JSON))
    eq(old_json(peer.get("/1/0", accept=OLD_JSON)), before)


def read_senml(content_format):
    peer = registered()
    for path, wanted in (
        ("/1", SERVER),
        ("/3/0", DEVICE),
        ("/3/0/16", {"/3/0/16": "U"}),
        ("/3/0/11/0", {"/3/0/11/0": 0}),
    ):
        reply = peer.get(path, accept=content_format)
        eq((reply.code, reply.content_format, told(reply)), ("2.05", content_format, wanted))


def write_senml(content_format):
    """Write an instance in part, a resource instance and a resource, and read them back."""
    peer = registered(c1, [Portfolio({0: "x", 1: "y"})])

    def payload(*records):
        return packed(list(records), content_format)

    body = payload({"bn": "/1/0/", "n": "1", "v": 61}, {"n": "6", "vb": True})
    changed(peer.post("/1/0", body, content_format=content_format))
    eq(updates(peer), [["lt=61"]])
    changed(peer.put("/16/0/0/0", payload({"n": "/16/0/0/0", "vs": "test"}), content_format=content_format))
    changed(peer.put("/1/0/1", payload({"bn": "/1/0/1", "v": 63}), content_format=content_format))
    eq(updates(peer), [["lt=63"]])
    eq(told(peer.get("/1/0", accept=content_format)), dict(SERVER, **{"/1/0/1": 63, "/1/0/6": True}))
    eq(told(peer.get("/16/0", accept=content_format)), {"/16/0/0/0": "test", "/16/0/0/1": "y"})


def test_int_228_write_resource_instance():
    """Write (Replace) on a Resource Instance"""
    peer = registered(c1, [Portfolio({0: "a", 1: "b", 2: "c"})])
    for content_format, payload in (
        (0, b"test"),
        (TLV, b"\x44\x01test"),
        (PLAIN_CBOR, b"\x64test"),
        (CBOR, packed([{"n": "/16/0/0/1", "vs": "test"}])),
        (JSON, packed([{"n": "/16/0/0/1", "vs": "test"}], JSON)),
    ):
        changed(peer.put("/16/0/0/1", b"b", content_format=0))
        changed(peer.put("/16/0/0/1", payload, content_format=content_format))
        content(peer.get("/16/0/0/1"), 0, b"test")
        eq(told(peer.get("/16/0/0", accept=CBOR)), {"/16/0/0/0": "a", "/16/0/0/1": "test", "/16/0/0/2": "c"})
        eq(peer.put("/16/0/0/7", payload, content_format=content_format).code, "4.04")


def test_int_231_read_senml_json():
    """Querying basic information from the client in SenML JSON format"""
    read_senml(JSON)


def test_int_232_read_senml_cbor():
    """Querying basic information from the client in SenML CBOR format"""
    read_senml(CBOR)
    reply = registered().get("/1/0", accept=CBOR)
    wanted = "84 A3 21 65 2F312F302F 00 61 30 02 01 A2 00 61 31 02 1A 00015180 A2 00 61 36 04 F4 A2 00 61 37 03 61 55"
    eq(reply.payload, unhex(wanted))


def test_int_233_write_senml_cbor():
    """Setting basic information in SenML CBOR format"""
    write_senml(CBOR)


def test_int_234_write_senml_json():
    """Setting basic information in SenML JSON format"""
    write_senml(JSON)
