"""OMA's cases of information reporting (300-399), with Leshan as the server. Periods are shorter than OMA's."""

import asyncio
import itertools

from host_tests.leshan.device import SENML_CBOR, SENML_JSON, TLV, changed, code, composite, contains, content

LATE_MS = 700  # what a busy machine may add to a period


async def stream(device, answer, since, count, pmin_s, pmax_s):
    """The next notifications: neither too close nor too far apart, with growing Observe, in one format."""
    token = answer["observation"]
    await device.event("notification", since, observation=token, times=count, timeout_s=count * pmax_s + 5)
    found = device.events("notification", since, observation=token)
    for before, after in itertools.pairwise(found):
        gap = after["ms"] - before["ms"]
        assert pmin_s * 1000 - 100 <= gap <= pmax_s * 1000 + LATE_MS, (before, after)
        assert after["observe"] > before["observe"]
    assert {(one["code"], one["format"]) for one in found} == {("2.05", answer["format"])}
    return found


async def ended(device, answer, while_s):
    """Assert that no notification with this token comes any more."""
    since = device.mark()
    await asyncio.sleep(while_s)
    messages = device.messages(since, way="in")
    assert not [one for one in messages if one.get("token", "").lower() == answer["observation"]]


async def observed(device, accept=TLV):
    """The observations of 301: voltage, current."""
    content(await device.read("/3/0/6", TLV), TLV, {"0": 1, "1": 2})
    changed(await device.attributes("/3/0/7", "pmin=0&pmax=1"))
    changed(await device.attributes("/3/0/8", "pmin=1&pmax=2"))
    answers = [await device.observe(f"/3/0/{rid}", accept) for rid in (7, 8)]
    for answer in answers:
        content(answer, accept, {"0": 0, "1": 0})
        assert "observe" in answer
    return answers


async def test_int_301_observe_and_notify(lab):
    """Observe and notify"""
    async with lab.registered("c4.py", steered=True) as device:
        since = device.mark()
        voltage, current = await observed(device)
        await stream(device, voltage, since, 2, 0, 1)
        device.board.room.drift("knob", 100, 3000, 5)
        last = (await stream(device, voltage, since, 5, 0, 1))[-1]
        assert last["content"]["0"] > 0
        await stream(device, current, since, 3, 1, 2)


async def test_int_302_cancel_by_reset(lab):
    """Cancel by reset"""
    async with lab.registered("c4.py") as device:
        voltage, current = await observed(device)
        since = device.mark()
        await device.event("notification", since, observation=voltage["observation"])
        await device.cancel(voltage["observation"], active=False)
        await device.message(since, way="out", type="RST")
        after = device.mark()
        await stream(device, current, after, 2, 1, 2)
        assert not device.messages(after, way="in", token=voltage["observation"].upper())
        await device.cancel(current["observation"], active=False)
        await device.message(after, way="out", type="RST")
        await ended(device, current, 2.5)


async def test_int_303_cancel_by_observe_1(lab):
    """Cancel by Observe"""
    async with lab.registered("c4.py") as device:
        voltage, current = await observed(device)
        since = device.mark()
        await device.event("notification", since, observation=voltage["observation"])
        answer = await device.cancel(voltage["observation"], active=True)
        assert answer["code"] == "2.05" and "observe" not in answer
        after = device.mark()
        await stream(device, current, after, 2, 1, 2)
        assert not device.messages(after, way="in", token=voltage["observation"].upper())
        code(await device.raw("GET", "/3/0", accept=TLV, observe=1), "2.05")
        await device.event("notification", device.mark(), observation=current["observation"])
        assert "observe" not in await device.cancel(current["observation"], active=True)
        await ended(device, current, 2.5)


async def test_int_304_observe_composite(lab):
    """Observe-Composite"""
    async with lab.registered("c1.py") as device:
        values = {"/1/0/1": 86400, "/3/0/11/0": 0, "/3/0/16": "U"}
        changed(await device.attributes("/1/0/1", "pmin=1&pmax=2"))
        for accept in (SENML_CBOR, SENML_JSON):
            since = device.mark()
            answer = await device.observe_composite(*values, accept=accept)
            composite(answer, accept, values)
            for one in await stream(device, answer, since, 2, 1, 2):
                composite(one, accept, values)
            await device.cancel(answer["observation"], active=True)


async def test_int_305_cancel_observe_composite(lab):
    """Cancel Observe-Composite"""
    async with lab.registered("c1.py") as device:
        values = {"/1/0/1": 86400, "/3/0/11/0": 0, "/3/0/16": "U"}
        changed(await device.attributes("/1/0/1", "pmin=1&pmax=2"))
        since = device.mark()
        answer = await device.observe_composite(*values)
        await device.event("notification", since, observation=answer["observation"])
        last = await device.cancel(answer["observation"], active=True)
        composite(last, SENML_CBOR, values)
        assert "observe" not in last
        await ended(device, answer, 2.5)


async def press(device):
    """Press the button of c1_send.py: a Send."""
    device.board.room.press()
    await asyncio.sleep(0.1)
    device.board.room.release()


async def test_int_306_send(lab):
    """Send"""
    async with lab.registered("c1_send.py", steered=True) as device:
        since = device.mark()
        await press(device)
        sent = await device.event("send", since)
        assert sent["format"] in (SENML_CBOR, SENML_JSON)
        message = await device.message(since, way="in", path="/dp")
        assert (message["code"], message["format"]) == ("POST", sent["format"])
        await device.message(since, way="out", code="2.04")
        await device.board.printed("^send: 1 2.04$")


async def test_int_307_mute_send(lab):
    """Mute Send"""
    async with lab.registered("c1_send.py", steered=True) as device:
        since = device.mark()
        changed(await device.write("/1/0/23", True))
        await press(device)
        await device.board.printed("^send: to 0$")
        changed(await device.write("/1/0/23", False))
        assert not device.messages(since, way="in", path="/dp")
        await press(device)
        await device.event("send", since)


async def test_int_311_send_content(lab):
    """Content of a Send"""
    async with lab.registered("c1_send.py", steered=True) as device:
        since = device.mark()
        await press(device)
        assert (await device.event("send", since))["content"] == {"/1/0/1": 86400, "/3/0/11/0": 0}


async def portfolio(device):
    """The observation of 308 and 309, of /16/0 and /16/1."""
    changed(await device.attributes("/16/0", "pmin=1&pmax=2"))
    return await device.observe_composite("/16/0", "/16/1")


def instances(event):
    """Which of the observed instances a composite answer or notification has."""
    return [path for path, value in event["content"].items() if value]


async def test_int_308_observe_composite_and_create(lab):
    """Observe-Composite and Create"""
    async with lab.registered("c12.py") as device:
        since = device.mark()
        answer = await portfolio(device)
        assert instances(answer) == ["/16/0"]
        assert [instances(one) for one in await stream(device, answer, since, 2, 1, 2)] == [["/16/0"]] * 2
        code(await device.create("/16/1", {"0": {"0": "Host Device ID #2"}}), "2.01")
        since = device.mark()
        await device.event("notification", since, observation=answer["observation"], times=2)
        last = device.events("notification", since, observation=answer["observation"])[-1]
        assert last["content"]["/16/1"] == {"0": {"0": "Host Device ID #2"}}
        assert sorted(instances(last)) == ["/16/0", "/16/1"]


async def test_int_309_observe_composite_and_delete(lab):
    """Observe-Composite and Delete"""
    async with lab.registered("c12.py") as device:
        code(await device.create("/16/1", {"0": {"0": "Host Device ID #2"}}), "2.01")
        since = device.mark()
        answer = await portfolio(device)
        assert sorted(instances(answer)) == ["/16/0", "/16/1"]
        await device.event("notification", since, observation=answer["observation"])
        code(await device.delete("/16/1"), "2.02")
        since = device.mark()
        await device.event("notification", since, observation=answer["observation"], times=3)
        found = device.events("notification", since, observation=answer["observation"])
        assert [instances(one) for one in found[1:]] == [["/16/0"]] * len(found[1:])


async def test_int_310_observe_composite_and_attribute_change(lab):
    """Observe-Composite and changed attributes"""
    async with lab.registered("c1.py") as device:
        answer = await device.observe_composite("/1/0/1", "/3/0")
        contains({**answer, "content": answer["content"]["/3/0"]}, SENML_CBOR, {"0": "ACME"})
        changed(await device.attributes("/3", "pmax=1"))
        since = device.mark()
        for one in await stream(device, answer, since, 3, 0, 1):
            assert one["content"]["/1/0/1"] == 86400


async def test_x_43_crossings_and_steps(lab):
    """Thresholds"""
    async with lab.registered("c4.py", steered=True) as device:

        async def turn(level):
            """Turn the knob, and return the levels that the server was told within 0.6 s."""
            since = device.mark()
            device.board.room.voltage("knob", level * 100 + 200)
            await asyncio.sleep(0.6)
            return [one["content"] for one in device.events("notification", since)]

        changed(await device.attributes("/3/0/9", "pmin=0&pmax=60&lt=5&gt=10"))
        answer = await device.observe("/3/0/9", TLV)
        content(answer, TLV, 0)
        for level, told in ((3, []), (7, [7]), (9, []), (12, [12]), (20, []), (7, [7]), (2, [2]), (1, [])):
            assert await turn(level) == told
        await device.cancel(answer["observation"], active=True)
        changed(await device.attributes("/3/0/9", "lt&gt&st=5"))
        content(await device.observe("/3/0/9", TLV), TLV, 1)
        for level, told in ((5, []), (6, [6]), (10, []), (2, []), (1, [1])):
            assert await turn(level) == told
        changed(await device.attributes("/3/0/9", "pmin=2&pmax=4"))
        since = device.mark()
        device.board.room.voltage("knob", 1000)
        assert (await device.event("notification", since))["content"] == 8
        assert await turn(14) == []
        assert (await device.event("notification", since, times=2))["content"] == 14
