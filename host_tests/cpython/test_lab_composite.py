"""The lab server's operations on several paths, and formats of single ones, against a device of aiocoap."""

import asyncio

import cbor2
import pytest
from aiocoap import FETCH, GET, POST, PUT
from aiocoap.numbers.codes import Code

from host_tests.cpython.test_lab_management import CHANGED, CONTENT, CREATED, lab, scene
from host_tests.cpython.test_lab_observation import RawDevice
from host_tests.cpython.test_lab_observation import scene as raw_scene
from tools.lab import DeviceError, LabServer, PayloadError, UsageError, linelog, payload

CBOR, SENML_JSON, SENML_CBOR = payload.CBOR, payload.SENML_JSON, payload.SENML_CBOR
ASKED = ["/3/0/0", "/3303", "/1/0/1"]
PATH_LIST = [{0: path} for path in ASKED]
ANSWER = cbor2.dumps([{-2: "/", 0: "3/0/0", 3: "ACME"}, {0: "3303/0/5700", 2: 22.5}])
VALUE = {3: {0: {0: "ACME"}}, 3303: {0: {5700: 22.5}}}


def test_read_composite():
    """FETCH of the root with the list of paths; what the device leaves out is not there."""

    async def run():
        lines = []
        async with lab({(FETCH, "/"): (CONTENT, SENML_CBOR, ANSWER)}) as (server, device):
            server.add_listener(lambda event: lines.append(linelog.line(event)))
            result = await server.read_composite("virtual-1", ASKED)
            assert (result.value, result.paths) == (VALUE, ((3, 0, 0), (3303,), (1, 0, 1)))
            request = device.requests[-1]
            assert (request.code, request.opt.uri_path) == (FETCH, ())
            assert (request.opt.content_format, request.opt.accept) == (SENML_CBOR, SENML_CBOR)
            assert cbor2.loads(request.payload) == PATH_LIST
            device.answers[FETCH, "/"] = CONTENT, SENML_JSON, b"[]"
            result = await server.read_composite(None, ["/"], accept=SENML_JSON, content_format=SENML_JSON)
            assert (result.value, device.requests[-1].payload) == ({}, b'[{"n":"/"}]')
            device.answers[FETCH, "/"] = CONTENT, SENML_JSON, b'[{"n":"/1/0/1","v":1}]'
            with pytest.raises(PayloadError, match="carries /1/0/1, which was not asked for"):
                await server.read_composite(None, ["/3"])
        assert lines[0] == (
            'read-composite virtual-1 /3/0/0 /3303 /1/0/1 -> 2.05 Content  /3/0/0 = "ACME", /3303/0/5700 = 22.5'
        )

    scene(run)


def test_write_composite():
    """iPATCH of the root; nothing is sent for values that do not fit."""

    async def run():
        async with lab({(Code.iPATCH, "/"): (CHANGED, None, b"")}) as (server, device):
            values = {"/1/0/1": 60, "/3/0/14": "+01:00", "/2/0/2": {101: 31, 102: 1}}
            assert (await server.write_composite("virtual-1", values)).code == "2.04"
            request = device.requests[-1]
            assert (request.code, request.opt.content_format) == (Code.iPATCH, SENML_CBOR)
            assert cbor2.loads(request.payload) == [
                {0: "/1/0/1", 2: 60},
                {0: "/3/0/14", 3: "+01:00"},
                {0: "/2/0/2/101", 2: 31},
                {0: "/2/0/2/102", 2: 1},
            ]
            await server.write_composite(None, {"/1/0/6": True}, content_format=SENML_JSON)
            assert device.requests[-1].payload == b'[{"n":"/1/0/6","vb":true}]'
            device.answers.clear()
            with pytest.raises(DeviceError, match=r"write-composite virtual-1 /1/0/1 /3/0/14 -> 4\.04"):
                await server.write_composite(None, {"/1/0/1": 60, "/3/0/14": ""})
            asked = len(device.requests)
            for operation in (
                server.write_composite(None, {"/1/0/1": "x"}),
                server.write_composite(None, {"/1/0": {1: 60}}),
                server.write_composite(None, {}),
                server.write_composite(None, {"/1/0/1": 60}, content_format=payload.TLV),
                server.read_composite(None, []),
                server.read_composite(None, ["/3/0", "/3/0"]),
                server.read_composite(None, ["3/0"]),
                server.observe_composite(None, [f"/3303/{number}/5700" for number in range(100)]),
                server.cancel_composite(None, ["/3/0"]),
            ):
                with pytest.raises(UsageError):
                    await operation
            assert len(device.requests) == asked

    scene(run)


def test_observe_composite():
    """First values, notifications, a second observation of other paths beside it, the cancellation with the body."""

    async def run():
        lines = []
        async with lab({(FETCH, "/"): (CONTENT, SENML_CBOR, ANSWER)}) as (server, device):
            server.add_listener(lambda event: lines.append(linelog.line(event)))
            observation = await server.observe_composite("virtual-1", ASKED)
            other = await server.observe_composite("virtual-1", ["/3", "/3303"])
            assert observation.first.value == VALUE and observation.token != other.token
            device.answers[FETCH, "/"] = CONTENT, SENML_CBOR, cbor2.dumps([{0: "/3303/0/5700", 2: 23}])
            device.notify()
            assert (await observation.next()).value == (await other.next()).value == {3303: {0: {5700: 23.0}}}
            assert [each.paths for each in server.observations] == [observation.paths, ((3,), (3303,))]
            await server.cancel_composite("virtual-1", ASKED)
            request = device.requests[-1]
            assert (request.code, request.opt.observe, request.token) == (FETCH, 1, observation.token)
            assert cbor2.loads(request.payload) == PATH_LIST
            assert [item async for item in observation] == [] and server.observations == [other]
            assert await server.cancel_composite("virtual-1", ["/3", "/3303"], passive=True) is None
        assert "notify      virtual-1 /3/0/0 /3303 /1/0/1 = /3303/0/5700 = 23.0  (CON 1)" in lines
        assert "ended       virtual-1  observation of /3/0/0 /3303 /1/0/1: cancelled" in lines

    scene(run)


def test_composite_answer_in_blocks():
    """Each request for a block repeats the body, of the first answer and of a notification, without Observe there."""

    async def run(server, device):
        body = b'[{"n":"/3/0/0","vs":"%s"}]' % (b"x" * 40)

        def blocks(number):
            return {"payload": body[number * 32 : number * 32 + 32], "content_format": SENML_JSON}

        observing = asyncio.create_task(server.observe_composite("raw", ["/3/0/0"], timeout_s=5))
        request = await device.receive()
        options = {"observe": 1, "block2": (0, True, 1)}
        device.send(CONTENT, 2, request.token, request.mid, **blocks(0), **options)
        for _ in range(2):
            following = await device.receive()
            assert (following.code, following.payload, following.opt.observe) == (FETCH, request.payload, None)
            assert (following.opt.content_format, following.opt.block2.block_number) == (SENML_CBOR, 1)
            device.send(CONTENT, 2, following.token, following.mid, **blocks(1), block2=(1, False, 1))
            if observing:
                observation = await observing
                assert observation.first.value == {3: {0: {0: "x" * 40}}}
                observing = None
                device.send(CONTENT, 1, request.token, **blocks(0), observe=2, block2=(0, True, 1))
        assert (await observation.next()).value == {3: {0: {0: "x" * 40}}}

    raw_scene(run)


def test_formats_of_single_operations():
    """What is asked for and sent in a format is it; without one the old defaults hold."""

    async def run():
        answers = {
            (GET, "/3303/0"): (CONTENT, SENML_CBOR, cbor2.dumps([{-2: "/3303/0/", 0: "5700", 2: 1.5}])),
            (GET, "/3303/0/5700"): (CONTENT, CBOR, cbor2.dumps(1.5)),
            (PUT, "/3311/0"): (CHANGED, None, b""),
            (PUT, "/1/0/1"): (CHANGED, None, b""),
            (POST, "/3303"): (CREATED, None, b""),
        }
        async with lab(answers) as (server, device):
            assert (await server.read(None, "/3303/0", accept=SENML_CBOR)).value == {5700: 1.5}
            assert device.requests[-1].opt.accept == SENML_CBOR
            assert (await server.observe(None, "/3303/0/5700", accept=CBOR)).first.value == 1.5
            await server.write(None, "/3311/0", {5850: True}, content_format=SENML_JSON)
            assert device.requests[-1].payload == b'[{"n":"/3311/0/5850","vb":true}]'
            await server.write(None, "/1/0/1", 60, content_format=CBOR)
            assert device.requests[-1].payload == b"\x18\x3c"
            await server.create(None, "/3303", {5700: 1.5}, instance=7, content_format=SENML_CBOR)
            request = device.requests[-1]
            assert (request.opt.content_format, cbor2.loads(request.payload)) == (
                SENML_CBOR, [{0: "/3303/7/5700", 2: 1.5}]
            )  # fmt: skip
            with pytest.raises(UsageError, match="has to number"):
                await server.create(None, "/3303", {5700: 1.5}, content_format=SENML_CBOR)

    scene(run)


def test_series_in_a_notification():
    """Stored values arrive with their times, which the log counts and the result keeps."""

    async def run():
        lines = []
        answers = {(GET, "/3303/0/5700"): (CONTENT, SENML_JSON, b'[{"n":"/3303/0/5700","v":20}]')}
        async with lab(answers) as (server, device):
            server.add_listener(lambda event: lines.append(linelog.line(event)))
            observation = await server.observe(None, "/3303/0/5700", accept=SENML_JSON)
            series = b'[{"bn":"/3303/0/5700","bt":1700000000,"v":22.5},{"t":-60,"v":22.25}]'
            device.answers[GET, "/3303/0/5700"] = CONTENT, SENML_JSON, series
            device.notify()
            result = await observation.next()
            assert result.value == 22.5
            assert [(each.value, each.time) for each in result.records] == [(22.5, 1700000000), (22.25, 1699999940)]
        assert f"/3303/0/5700 = senml-json, {len(series)} bytes, 2 values  (" in lines[1]

    scene(run)


def test_send():
    """From a registered device only; an event, a line, the units that it tells; what is no Send is refused."""

    async def run():
        async with LabServer(port=0) as server, RawDevice.at(server) as device, RawDevice.at(server) as stranger:
            lines = []
            await device.register()
            server.add_listener(lambda event: lines.append(linelog.line(event)))

            async def send(data, content_format=SENML_JSON, sender=device, **options):
                fields = {"payload": data, "content_format": content_format, "uri_path": ["dp"], **options}
                sender.send(POST, 0, b"s", **fields)
                return (await sender.receive()).code.dotted

            good = b'[{"bn":"/3303/0/","n":"5700","v":22.5,"t":-5},{"n":"5701","vs":"Cel"}]'
            with server.subscribe() as events:
                assert await send(good) == "2.04"
                event = await events.wait("send", "raw")
            assert event.result.value == {3303: {0: {5700: 22.5, 5701: "Cel"}}}
            assert [each.time for each in event.result.records] == [-5, None]
            assert await send(cbor2.dumps([{0: "/3/0/9", 2: 7}]), SENML_CBOR) == "2.04"
            assert await send(good, sender=stranger) == "4.04"
            assert await send(b"[{]") == "4.00"
            assert await send(b'[{"n":"/3303/0/5700"}]') == "4.00"
            assert await send(good, content_format=11542) == "4.15"
            assert await send(good, content_format=None) == "4.15"
            device.send(GET, 0, b"g", uri_path=["dp"])
            assert (await device.receive()).code.dotted == "4.05"
            assert await send(good[:32], block1=(0, True, 1)) == "2.31"
            assert await send(good[32:64], block1=(1, True, 1)) == "2.31"
            assert await send(good[64:], block1=(2, False, 1)) == "2.04"
            await asyncio.sleep(0)
        text = '/3303/0/5700 = 22.5 Cel 5 s ago, /3303/0/5701 = "Cel"'
        assert lines == [f"send        raw  {text}", "send        raw  /3/0/9 = 7 /100", f"send        raw  {text}"]

    scene(run)
