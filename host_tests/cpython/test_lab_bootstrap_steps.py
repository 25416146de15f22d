"""The lab's bootstrap server step by step from a script, its packs, and the lab server beside it."""

import asyncio
import json

import cbor2
import pytest
from aiocoap import DELETE, GET, POST, PUT, Message, error
from aiocoap.numbers.codes import Code

from host_tests.cpython.test_lab_bootstrap import SERVER, Newcomer, bootstrap, handing_out, scene
from host_tests.cpython.test_lab_management import CHANGED, CONTENT, DELETED
from tools.lab import (
    Account,
    Configuration,
    Configurations,
    DeviceError,
    LabBootstrapServer,
    LabServer,
    StartError,
    Timeout,
    UnknownEndpoint,
    UsageError,
    payload,
)


def test_steps_of_a_script():
    """Without configurations nothing happens by itself, and a test says each step, also wrong ones."""

    async def run():
        async with bootstrap() as (server, device, _):
            waiting = asyncio.create_task(server.wait_request("board-1"))
            await asyncio.sleep(0)
            await device.ask("ep=board-1&pct=112")
            session = await waiting
            assert (session.endpoint, session.preferred, session.state) == ("board-1", 112, "requested")
            device.answers[GET, "/1"] = CONTENT, 112, cbor2.dumps([{0: "/1/0/0", 2: 101}])
            device.answers[PUT, "/1/0"] = device.answers[PUT, "/1/0/1"] = CHANGED, None, b""
            device.answers[DELETE, "/1/0"] = DELETED, None, b""
            assert (await server.discover("board-1")).value["/"] == {"lwm2m": "1.1"}
            assert (await server.read("board-1", "/1", accept=112)).value == {0: {0: 101}}
            await server.write("board-1", "/1/0", {1: 60})
            assert device.steps[-1] == (PUT, "/1/0", 112, cbor2.dumps([{0: "/1/0/1", 2: 60}], canonical=True))
            await server.write("board-1", "/1/0/1", 60, content_format=payload.TLV)
            assert device.steps[-1] == (PUT, "/1/0/1", 11542, bytes.fromhex("C1 01 3C"))
            assert (await server.delete(None, "/1/0")).code == "2.02"
            response = await server.request(None, "/1/0/1", Message(code=DELETE))
            assert response.code == Code.NOT_FOUND
            device.answers[POST, "/bs"] = error.ConstructionRenderableError("none")
            device.answers[POST, "/bs"].code = Code.NOT_ACCEPTABLE
            with pytest.raises(DeviceError, match=r"bs-finish board-1 / -> 4\.06"):
                await server.finish("board-1")
            asked = len(device.requests)
            for step in (
                server.discover(None, "/1/0"),
                server.read(None, "/"),
                server.write(None, "/", {}),
                server.write(None, "/1", 5),
                server.delete(None, "/1/0/1"),
            ):
                with pytest.raises(UsageError):
                    await step
            with pytest.raises(UnknownEndpoint, match="board-2 did not ask"):
                await server.finish("board-2")
            with pytest.raises(Timeout):
                await server.wait_request("board-2", timeout_s=0.05)
            assert len(device.requests) == asked

    scene(run)


def test_pack():
    """Bootstrap-Pack of LwM2M 1.2: all in one answer, when it is enabled."""

    async def run():
        async with bootstrap(handing_out(), pack=True) as (_, device, lines):
            answer = await device.ask(code=GET, path="/bspack", accept=112)
            assert (answer.code, answer.opt.content_format) == (CONTENT, 112)
            pack = {record[0]: record for record in cbor2.loads(answer.payload)}
            assert pack["/0/1/0"][3] == SERVER and pack["/1/0/1"][2] == 300
            answer = await device.ask(code=GET, path="/bspack", accept=110)
            assert json.loads(answer.payload)[0] == {"n": "/0/1/0", "vs": SERVER}
            assert (await device.ask(code=GET, path="/bspack", accept=11542)).code.dotted == "4.06"
            assert (await device.ask("", code=GET, path="/bspack")).code.dotted == "4.00"
            assert (await device.ask(path="/bspack")).code.dotted == "4.05"
            assert device.requests == [] and "gets a pack in senml-cbor from" in lines[0]
            assert lines[1] == f"finished    board-1  has its accounts: {SERVER}"

    scene(run)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_lab_server_beside(host):
    """An account without a URI is the lab server of the same process, at an address that the device can reach."""

    async def run():
        configurations = Configurations(Configuration((Account(),)))
        async with (
            LabServer(host, 0) as lab,
            LabBootstrapServer("127.0.0.1", 0, configurations=configurations, lab=lab) as server,
            Newcomer.of(server) as device,
        ):
            await device.ask("ep=board-1&pct=110")
            await server.wait_finished("board-1")
            written = {each["n"]: each for each in json.loads(device.steps[3][3])}
            assert written["/0/1/0"]["vs"] == f"coap://127.0.0.1:{lab.port}"
            with pytest.raises(StartError, match="already in use"):
                await LabBootstrapServer(port=server.port).start()
        with pytest.raises(UsageError, match="needs a lab server"):
            LabBootstrapServer(configurations=configurations)

    scene(run)
