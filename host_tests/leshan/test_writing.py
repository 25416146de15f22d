"""OMA's cases of writing, executing and refusing (200-299), with Leshan as the server."""

from host_tests.leshan.device import CBOR, JSON, SENML_CBOR, SENML_JSON, TEXT, TLV, changed, code, contains, content

BASICS = {"1": 86400, "2": 1, "3": 10, "5": 86400, "6": False, "7": "U"}
OTHERS = {"2": 101, "3": 1010, "5": 2000, "6": True, "7": "U"}


async def write_resources(device, values, content_format):
    """PUT each resource of /1/0, and look."""
    for rid, value in values.items():
        changed(await device.write(f"/1/0/{rid}", value, content_format))
    contains(await device.read("/1/0", TLV), TLV, values)


async def test_int_205_write_text(lab):
    """Write, text"""
    device = await lab.shared("c3.py")
    await write_resources(device, {"2": 101, "3": 1010, "5": 2000}, TEXT)
    await write_resources(device, {"2": 1, "3": 10, "5": 86400}, TEXT)


async def test_int_212_write_cbor(lab):
    """Write, CBOR"""
    device = await lab.shared("c3.py")
    since = device.mark()
    await write_resources(device, {"2": 101, "3": 1010, "6": True}, CBOR)
    assert [one["payload"] for one in device.messages(since, code="PUT")] == ["1865", "1903f2", "f5"]
    await write_resources(device, {"2": 1, "3": 10, "6": False}, CBOR)


async def write_instance(device, content_format):
    """A partial write of /1/0 that leaves the rest alone, and a replacing one that puts all back."""
    contains(await device.read("/1/0", TLV), TLV, BASICS)
    changed(await device.update("/1/0", OTHERS, content_format))
    contains(await device.read("/1/0", TLV), TLV, {**BASICS, **OTHERS})
    changed(await device.write("/1/0", BASICS, content_format))
    contains(await device.read("/1/0", TLV), TLV, BASICS)


async def test_int_215_write_tlv(lab):
    """Write, TLV"""
    device = await lab.shared("c3.py")
    since = device.mark()
    await write_instance(device, TLV)
    (post,) = device.messages(since, code="POST")
    assert post["payload"] == "c10265c20303f2c20507d0c10601c10755"


async def test_int_220_write_json(lab):
    """Write, LwM2M JSON"""
    await write_instance(await lab.shared("c3.py"), JSON)


async def test_int_226_partial_write(lab):
    """Partial write of an instance"""
    device = await lab.shared("c1.py")
    since = device.mark()
    before = (await device.read("/1/0", TLV))["content"]
    changed(await device.update("/1/0", {"1": 61, "6": True}))
    assert (await device.event("updated", since))["lifetime"] == 61
    content(await device.read("/1/0", TLV), TLV, {**before, "1": 61, "6": True})
    changed(await device.update("/1/0", {"1": 86400, "6": False}))
    assert (await device.event("updated", since, times=2))["lifetime"] == 86400


async def write_lifetime(device, content_format):
    """PUT the lifetime, look, and put it back; an Update each time."""
    for lifetime in (63, 86400):
        since = device.mark()
        changed(await device.write("/1/0/1", lifetime, content_format))
        assert (await device.event("updated", since))["lifetime"] == lifetime
        content(await device.read("/1/0/1", TLV), TLV, lifetime)


async def test_int_227_write_resource(lab):
    """Write a resource"""
    await write_lifetime(await lab.shared("c1.py"), TEXT)


async def write_identity(device, content_format):
    """PUT one instance of a multiple resource, and put it back; the others stay."""
    before = (await device.read("/16/0/0", TLV))["content"]
    changed(await device.write("/16/0/0/1", "test", content_format))
    content(await device.read("/16/0/0", TLV), TLV, {**before, "1": "test"})
    changed(await device.write("/16/0/0/1", before["1"], content_format))
    content(await device.read("/16/0/0", TLV), TLV, before)


async def test_int_228_write_resource_instance(lab):
    """Write a resource instance"""
    device = await lab.shared("c12.py")
    for content_format in (TEXT, TLV):
        await write_identity(device, content_format)
    code(await device.write("/16/0/0/9", "test", TEXT), "4.04")


async def write_senml(device, content_format):
    """The writes of 233 and 234."""
    since = device.mark()
    changed(await device.update("/1/0", {"1": 61, "6": True}, content_format))
    assert (await device.event("updated", since))["lifetime"] == 61
    contains(await device.read("/1/0", TLV), TLV, {"1": 61, "6": True})
    await write_lifetime(device, content_format)
    changed(await device.update("/1/0", {"6": False}, content_format))
    await write_identity(device, content_format)
    before = (await device.read("/16/0/0", TLV))["content"]
    changed(await device.write("/16/0/0", {"0": "one", "1": "two"}, content_format))
    content(await device.read("/16/0/0", TLV), TLV, {"0": "one", "1": "two"})
    changed(await device.write("/16/0/0", before, content_format))


async def test_int_233_write_senml_cbor(lab):
    """Write, SenML CBOR"""
    await write_senml(await lab.shared("c12.py"), SENML_CBOR)


async def test_int_234_write_senml_json(lab):
    """Write, SenML JSON"""
    await write_senml(await lab.shared("c12.py"), SENML_JSON)


async def test_int_241_reboot(lab):
    """Reboot"""
    async with lab.registered("c1.py") as device:
        since = device.mark()
        changed(await device.execute("/3/0/4"))
        await device.event("registered", since)
        done = await device.message(since, way="in", code="2.04")
        assert done["ms"] <= (await device.message(since, way="in", code="POST", path="/rd"))["ms"]
        assert device.board.count("^board: .*reset|REGISTERED$") >= 2


async def test_int_256_write_refused(lab):
    """Write refused"""
    device = await lab.shared("c1.py")
    code(await device.write("/1/0/0", 123, TEXT), "4.05")
    content(await device.read("/1/0/0", TLV), TLV, 1)


async def test_int_651_device_writable_resources(lab):
    """Writable resources of Device"""
    device = await lab.shared("c6.py")
    before = (await device.read("/3/0", TLV))["content"]
    since = device.mark()
    changed(await device.update("/3/0", {"13": 1367491215, "14": "+02:00", "15": "Europe/Paris"}))
    assert device.messages(since, code="POST")[0]["payload"] == (
        "c40d5182428fc60e2b30323a3030c80f0c4575726f70652f5061726973"
    )
    answer = await device.read("/3/0", TLV)
    contains(answer, TLV, {"14": "+02:00", "15": "Europe/Paris"})
    assert 1367491215 <= answer["content"]["13"] <= 1367491220
    changed(await device.write("/3/0", {"13": before["13"], "14": before["14"], "15": before["15"]}))
    contains(await device.read("/3/0", TLV), TLV, {"14": before["14"], "15": before["15"]})


async def test_int_680_device_single_instance(lab):
    """Device is a single instance"""
    device = await lab.shared("c1.py")
    code(await device.create("/3", {"15": "Europe/Paris"}), "4.05")


async def test_int_685_device_not_deletable(lab):
    """Device cannot be deleted"""
    device = await lab.shared("c1.py")
    code(await device.delete("/3/0"), "4.05")
    content(await device.read("/3/0/0", TEXT), TEXT, "ACME")


async def test_x_35_reset_error_code(lab):
    """Reset of error codes"""
    async with lab.registered("c6.py") as device:
        content(await device.read("/3/0/11", TLV), TLV, {"0": 1, "1": 3})
        changed(await device.execute("/3/0/12"))
        content(await device.read("/3/0/11", TLV), TLV, {"0": 0})
