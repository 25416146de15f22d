"""OMA's composite operations (229-236, 257, 280, 281), with Leshan as the server.

Leshan's own classes refuse a list of paths that overlap; where OMA has one, it goes out as bytes.
"""

import cbor2

from host_tests.leshan.device import SENML_CBOR, SENML_JSON, TLV, changed, composite, contains, content

BASE_NAME, NAME = -2, 0  # labels of SenML CBOR (RFC 8428 section 6)

SERVER = {"0": 1, "1": 86400, "6": False, "7": "U"}

# [{0: "/3"}, {0: "/1/0"}, {0: "/1/0/1"}, {0: "/3/0/11/0"}]
OVERLAPPING = "84 a100622f33 a100642f312f30 a100662f312f302f31 a100692f332f302f31312f30".replace(" ", "")
# [{0: "/1/0"}, {0: "/1/0/1"}, {0: "/3/0/11/0"}, {0: "/3339/0/5522"}, {0: "/3353/0/6030"}]
PARTLY_ABSENT = (
    "85 a100642f312f30 a100662f312f302f31 a100692f332f302f31312f30"
    " a1006c2f333333392f302f35353232 a1006c2f333335332f302f36303330"
).replace(" ", "")


def named(answer):
    """{name: value} of a raw answer, as cbor2 reads it: Leshan would not look at what it would not ask for."""
    assert (answer["code"], answer["format"]) == ("2.05", SENML_CBOR), answer
    found, base = {}, ""
    for record in cbor2.loads(bytes.fromhex(answer["payload"])):
        base = record.get(BASE_NAME, base)
        values = [value for label, value in record.items() if label not in (BASE_NAME, NAME)]
        found[base + record.get(NAME, "")] = values[0]
    return found


async def test_int_229_read_composite(lab):
    """Read-Composite"""
    device = await lab.shared("c1.py")
    for accept in (SENML_CBOR, SENML_JSON):
        answer = await device.read_composite("/3", "/1/0", accept=accept)
        composite(answer, accept, {"/3": {}, "/1/0": SERVER})
        assert answer["content"]["/3"]["0"].items() >= {"0": "ACME", "11": {"0": 0}, "16": "U"}.items()
    answer = await device.raw("FETCH", "/", format=SENML_CBOR, accept=SENML_CBOR, payload=OVERLAPPING)
    values = {"/3/0/0": "ACME", "/3/0/11/0": 0, **{f"/1/0/{rid}": value for rid, value in SERVER.items()}}
    assert named(answer).items() >= values.items()


async def test_int_230_write_composite(lab):
    """Write-Composite"""
    device = await lab.shared("c12.py")
    before = (await device.read("/16/0/0", TLV))["content"]
    texts = ["aa", "bb", "cc", "dd"]
    for content_format in (SENML_CBOR, SENML_JSON):
        since = device.mark()
        identity = {f"/16/0/0/{riid}": text for riid, text in enumerate(texts)}
        changed(await device.write_composite({"/1/0/1": 61, "/1/0/6": True, **identity}, content_format))
        assert (await device.event("updated", since))["lifetime"] == 61
        contains(await device.read("/1/0", TLV), TLV, {"1": 61, "6": True})
        content(await device.read("/16/0/0", TLV), TLV, {str(riid): text for riid, text in enumerate(texts)})
        since = device.mark()
        identity = {f"/16/0/0/{riid}": text for riid, text in before.items()}
        changed(await device.write_composite({"/1/0/1": 86400, "/1/0/6": False, **identity}, content_format))
        assert (await device.event("updated", since))["lifetime"] == 86400
        contains(await device.read("/1/0", TLV), TLV, {"1": 86400, "6": False})
        content(await device.read("/16/0/0", TLV), TLV, before)


async def test_int_230_write_composite_all_or_nothing(lab):
    """Write-Composite: all or nothing"""
    device = await lab.shared("c12.py")
    answer = await device.write_composite({"/1/0/1": 61, "/1/0/0": 5})
    assert answer["code"] == "4.05", answer
    content(await device.read("/1/0/1", TLV), TLV, 86400)


async def test_int_235_read_composite_root(lab):
    """Read-Composite of the root"""
    device = await lab.shared("c1.py")
    for accept in (SENML_CBOR, SENML_JSON):
        answer = await device.read_composite("/", accept=accept)
        assert (answer["code"], answer["format"]) == ("2.05", accept)
        root = answer["content"]["/"]
        assert set(root) == {"1", "3"}
        assert root["1"]["0"].items() >= SERVER.items()
        assert root["3"]["0"].items() >= {"0": "ACME", "11": {"0": 0}, "16": "U"}.items()


async def test_int_236_read_composite_partly_absent(lab):
    """Read-Composite, partly absent"""
    device = await lab.shared("c1.py")
    answer = await device.read_composite("/1/0", "/3/0/11/0", "/3339/0/5522", "/3353/0/6030")
    assert answer["code"] == "2.05", answer
    found = {path: value for path, value in answer["content"].items() if value is not None}
    assert set(found) == {"/1/0", "/3/0/11/0"}
    assert found["/3/0/11/0"] == 0 and found["/1/0"].items() >= SERVER.items()
    values = named(await device.raw("FETCH", "/", format=SENML_CBOR, accept=SENML_CBOR, payload=PARTLY_ABSENT))
    assert values.items() >= {"/3/0/11/0": 0, **{f"/1/0/{rid}": value for rid, value in SERVER.items()}}.items()
    assert not [name for name in values if not name.startswith(("/1/0/", "/3/0/11/"))]


async def test_int_257_write_composite_server_and_device(lab):
    """Write-Composite to Server and Device"""
    device = await lab.shared("c6.py")
    now = (await device.read("/3/0/13", TLV))["content"]
    payload = "83a321612f0065312f302f32021865a20065312f302f3604f5a20066332f302f31330200"
    changed(await device.raw("IPATCH", "/", format=SENML_CBOR, payload=payload))
    contains(await device.read("/1/0", TLV), TLV, {"2": 101, "6": True})
    assert (await device.read("/3/0/13", TLV))["content"] <= 5
    changed(await device.write_composite({"/1/0/2": 1, "/1/0/6": False, "/3/0/13": now}))


async def test_int_280_read_composite_exact(lab):
    """Read-Composite, exact"""
    device = await lab.shared("c1.py")
    for accept in (SENML_CBOR, SENML_JSON):
        answer = await device.read_composite("/3/0/16", "/3/0/11/0", "/1/0", accept=accept)
        composite(answer, accept, {"/3/0/16": "U", "/3/0/11/0": 0, "/1/0": SERVER})


async def test_int_281_read_composite_partial(lab):
    """Read-Composite, partial"""
    device = await lab.shared("c1.py")
    answer = await device.read_composite("/1/0/1", "/1/0/7", "/1/0/8")
    assert answer["code"] == "2.05", answer
    assert {path: value for path, value in answer["content"].items() if value is not None} == {
        "/1/0/1": 86400,
        "/1/0/7": "U",
    }
