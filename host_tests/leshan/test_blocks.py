"""Block-wise transfers with Californium's at the other end: X-13, X-19, X-22, X-24."""

from host_tests.leshan.device import OPAQUE, SENML_CBOR, TLV, changed, content

BIG = bytes(number * 7 % 256 for number in range(3000)).hex()
BLOCKS = 6  # of 512 bytes, Californium's choice


async def test_x_13_big_write(lab):
    """Block1: big opaque write"""
    device = await lab.shared("c15.py")
    since = device.mark()
    changed(await device.write("/19/1/0/0", BIG, OPAQUE))
    answers = [(one["code"], one["block1"]) for one in device.messages(since, way="in") if "block1" in one]
    assert answers == [("2.31", number) for number in range(BLOCKS - 1)] + [("2.04", BLOCKS - 1)]
    content(await device.read("/19/1/0/0", OPAQUE), OPAQUE, BIG)
    changed(await device.write("/19/1/0", {"0": "00"}))


async def test_x_19_token_of_each_block(lab):
    """Block1: other token in each block"""
    device = await lab.shared("c15.py")
    since = device.mark()
    changed(await device.write("/19/1/0/0", BIG, OPAQUE))
    tokens = [one["token"] for one in device.messages(since, way="out", code="PUT")]
    assert len(tokens) == BLOCKS and len(set(tokens)) == BLOCKS
    changed(await device.write("/19/1/0", {"0": "00"}))


async def test_x_22_big_read(lab):
    """Block2: big read"""
    device = await lab.shared("c15.py")
    changed(await device.write("/19/1/0/0", BIG, OPAQUE))
    for accept in (TLV, SENML_CBOR):
        since = device.mark()
        answer = await device.read("/19", accept)
        assert answer["content"]["1"]["0"] == {"0": BIG}
        blocks = [one for one in device.messages(since, way="in") if "block2" in one]
        assert [one["block2"] for one in blocks] == list(range(len(blocks))) and len(blocks) >= BLOCKS
        assert len({one["etag"] for one in blocks}) == 1
    answer = await device.read_composite("/")
    assert answer["content"]["/"]["19"]["1"]["0"] == {"0": BIG}
    changed(await device.write("/19/1/0", {"0": "00"}))


async def test_x_24_big_notification(lab):
    """Block2: big notification"""
    async with lab.registered("c15.py") as device:
        changed(await device.attributes("/19/1/0", "pmin=0"))
        await device.observe("/19/1/0", TLV)
        since = device.mark()
        changed(await device.write("/19/1/0/0", BIG, OPAQUE))
        told = await device.event("notification", since)
        assert told["content"] == {"0": BIG}
        first = next(one for one in device.messages(since, way="in") if "observe" in one)
        assert first["block2"] == 0
        asked = device.messages(since, way="out", code="GET")
        assert [one["block2"] for one in asked] == list(range(1, BLOCKS))
        assert not [one for one in asked if "observe" in one]
