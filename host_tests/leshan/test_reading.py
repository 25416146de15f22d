"""OMA's cases of reading (200-299), with Leshan as the server: every operation and every format."""

from host_tests.leshan.device import (
    CBOR,
    JSON,
    OPAQUE,
    SENML_CBOR,
    SENML_JSON,
    TEXT,
    TLV,
    code,
    contains,
    content,
)

DEVICE = {"0": "ACME", "1": "Board 1", "2": "0815", "3": "1.0", "11": {"0": 0}, "16": "U"}
SERVER = {"0": 1, "1": 86400, "6": False, "7": "U"}


async def test_int_201_read_text(lab):
    """Read, text"""
    device = await lab.shared("c1.py")
    for path, text in (("/3/0/0", "ACME"), ("/3/0/1", "Board 1"), ("/3/0/2", "0815")):
        answer = await device.read(path, TEXT)
        content(answer, TEXT, text)
        assert bytes.fromhex(answer["payload"]) == text.encode()


async def test_int_203_read_tlv(lab):
    """Read, TLV"""
    device = await lab.shared("c1.py")
    contains(await device.read("/3/0", TLV), TLV, DEVICE)


async def test_int_204_read_json(lab):
    """Read, LwM2M JSON"""
    device = await lab.shared("c1.py")
    contains(await device.read("/3/0", JSON), JSON, DEVICE)


async def test_int_211_read_cbor(lab):
    """Read, CBOR"""
    device = await lab.shared("c1.py")
    for path, value, payload in (("/1/0/0", 1, "01"), ("/1/0/6", False, "f4"), ("/1/0/7", "U", "6155")):
        answer = await device.read(path, CBOR)
        content(answer, CBOR, value)
        assert answer["payload"] == payload


async def test_int_221_security_object_closed(lab):
    """The Security object is closed"""
    device = await lab.shared("c1.py")
    code(await device.read("/0", TLV), "4.01")
    code(await device.write("/0/0/0", "coap://evil", TEXT), "4.01")
    code(await device.attributes("/0", "pmin=30&pmax=45"), "4.01")
    code(await device.discover("/0"), "4.01")
    code(await device.create("/0", {"1": True}), "4.01")
    code(await device.delete("/0/0"), "4.01")
    code(await device.observe("/0/0/0", TEXT), "4.01")
    code(await device.raw("GET", "/21", accept=TLV), "4.01")


async def test_int_222_read_object(lab):
    """Read an object"""
    device = await lab.shared("c1.py")
    for path, resources in (("/1", SERVER), ("/3", DEVICE)):
        answer = await device.read(path, TLV)
        assert answer["code"] == "2.05" and list(answer["content"]) == ["0"]
        assert answer["content"]["0"].items() >= resources.items()
        assert bytes.fromhex(answer["payload"])[0] >> 6 == 0  # the instance's own TLV


async def test_int_223_read_instance(lab):
    """Read an instance"""
    device = await lab.shared("c1.py")
    account = await device.read("/1/0", TLV)
    contains(account, TLV, SERVER)
    assert not {"4", "8", "9"} & set(account["content"])
    device_read = await device.read("/3/0", TLV)
    contains(device_read, TLV, DEVICE)
    assert not {"4", "5", "12"} & set(device_read["content"])


async def test_int_224_read_resource(lab):
    """Read a resource"""
    device = await lab.shared("c1.py")
    for rid, value in SERVER.items():
        content(await device.read(f"/1/0/{rid}", TLV), TLV, value)
        content(await device.read(f"/1/0/{rid}", TEXT), TEXT, value)
    content(await device.read("/3/0/16", TLV), TLV, "U")


async def test_int_225_read_resource_instance(lab):
    """Read a resource instance"""
    device = await lab.shared("c1.py")
    for accept in (TLV, TEXT):
        content(await device.read("/3/0/11/0", accept), accept, 0)


async def senml_reads(device, accept):
    """The four reads of 231 and 232."""
    answer = await device.read("/1", accept)
    assert (answer["code"], answer["format"]) == ("2.05", accept)
    assert answer["content"]["0"].items() >= SERVER.items()
    contains(await device.read("/3/0", accept), accept, DEVICE)
    content(await device.read("/3/0/16", accept), accept, "U")
    content(await device.read("/3/0/11/0", accept), accept, 0)


async def test_int_231_read_senml_json(lab):
    """Read, SenML JSON"""
    await senml_reads(await lab.shared("c1.py"), SENML_JSON)


async def test_int_232_read_senml_cbor(lab):
    """Read, SenML CBOR"""
    await senml_reads(await lab.shared("c1.py"), SENML_CBOR)


async def test_int_237_read_without_accept(lab):
    """Read without Accept"""
    device = await lab.shared("c1.py")
    since = device.mark()
    for path, resources in (("/1", SERVER), ("/3", DEVICE)):
        answer = await device.read(path)
        assert answer["code"] == "2.05" and answer["format"] in (TLV, SENML_JSON, SENML_CBOR)
        assert answer["content"]["0"].items() >= resources.items()
    assert all("accept" not in message for message in device.messages(since, way="out", code="GET"))


async def test_x_27_unsupported_formats(lab):
    """Unsupported formats"""
    device = await lab.shared("c1.py")
    code(await device.read("/3/0/0", 9999), "4.06")
    code(await device.read("/3/0/0", OPAQUE), "4.06")
    code(await device.raw("PUT", "/1/0/1", format=9999, payload="3630"), "4.15")
    code(await device.raw("PUT", "/1/0/1", format=OPAQUE, payload="3c"), "4.15")
    content(await device.read("/1/0/1", TLV), TLV, 86400)
