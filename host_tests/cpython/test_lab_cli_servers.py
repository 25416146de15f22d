"""`python -m tools.lab`: composite operations, formats, Send, queue mode and the bootstrap servers."""

import asyncio
import json
import re
import signal
import socket

import cbor2
import pytest
from aiocoap import FETCH, GET, POST, PUT, Message
from aiocoap.numbers.codes import Code

from host_tests.cpython.test_lab_bootstrap import Newcomer
from host_tests.cpython.test_lab_cli import Lab, Program, lab
from host_tests.cpython.test_lab_management import CHANGED, CONTENT, CREATED, FakeDevice
from tools.lab import cli

TEMPERATURE = cbor2.dumps([{-2: "/3303/0/5700", 2: 21.5}])


def scene(coroutine):
    asyncio.run(coroutine())


def test_composite_commands(tmp_path):
    """What they send and print; observing ends by --count, cancelling names the same paths."""

    async def run():
        async with lab(tmp_path) as it:
            device = it.device
            device.answers[FETCH, "/"] = CONTENT, 112, cbor2.dumps([{0: "/3/0/9", 2: 7}, {0: "/3303/0/5700", 2: 21.5}])
            device.answers[Code.iPATCH, "/"] = CHANGED, None, b""
            shown = ["/3/0/9 Battery Level = 7 /100", "/3303/0/5700 Sensor Value = 21.5"]
            assert await it.good("read-composite", "/3/0/9", "/3303") == shown
            assert cbor2.loads(device.requests[-1].payload) == [{0: "/3/0/9"}, {0: "/3303"}]
            words = ("virtual-1", "/3/0/9", "/3303", "--format", "senml-json", "--accept", "senml-json", "--json")
            data = json.loads((await it.good("read-composite", *words))[0])
            assert (data["value"], data["paths"]) == (
                {"3": {"0": {"9": 7}}, "3303": {"0": {"5700": 21.5}}}, ["/3/0/9", "/3303"]
            )  # fmt: skip
            assert data["records"][0] == {"path": "/3/0/9", "value": 7, "time": None}
            assert device.requests[-1].opt.accept == 110
            assert device.requests[-1].payload == b'[{"n":"/3/0/9"},{"n":"/3303"}]'
            written = await it.good("write-composite", "/1/0/1=60", "/3/0/14=+01:00", '/2/0/2={"101": 31}')
            assert written == ["2.04 Changed"]
            assert cbor2.loads(device.requests[-1].payload) == [
                {0: "/1/0/1", 2: 60}, {0: "/3/0/14", 3: "+01:00"}, {0: "/2/0/2/101", 2: 31}
            ]  # fmt: skip

            counted = await it.start("observe-composite", "/3/0/9", "/3303", "--count", "1")
            assert [await counted.line(), await counted.line()] == shown
            assert "  /3303 Temperature  observed" in await it.good("list")
            device.answers[FETCH, "/"] = CONTENT, 112, cbor2.dumps([{0: "/3/0/9", 2: 8, 6: -60}])
            device.notify()
            assert await counted.line() == "/3/0/9 Battery Level = 8 /100 60 s ago"
            assert await counted.end() == (0, "", "")
            endless = await it.start("observe-composite", "/3/0/9", "/3303")
            await endless.line()
            device.answers[FETCH, "/"] = CONTENT, 112, b"\x80"
            assert await it.good("cancel", "/3/0/9", "/3303") == ["/3/0/9 /3303 -> nothing"]
            assert (await endless.end())[0] == 1

    scene(run)


def test_formats(tmp_path):
    """--accept and --format by name."""

    async def run():
        async with lab(tmp_path) as it:
            device = it.device
            device.answers[GET, "/3303/0/5700"] = CONTENT, 112, TEMPERATURE
            device.answers[PUT, "/1/0/1"] = CHANGED, None, b""
            device.answers[POST, "/3303"] = CREATED, None, b""
            read = await it.good("read", "/3303/0/5700", "--accept", "senml-cbor")
            assert read == ["/3303/0/5700 Sensor Value = 21.5"]
            assert device.requests[-1].opt.accept == 112
            for name, data in (
                ("cbor", b"\x18\x3c"),
                ("lwm2m-json", b'{"bn":"/1/0/1","e":[{"n":"","v":60}]}'),
                ("senml-json", b'[{"n":"/1/0/1","v":60}]'),
            ):
                await it.good("write", "/1/0/1", "60", "--format", name)
                assert device.requests[-1].payload == data
            await it.good("create", "/3303", '{"5700": 1}', "--instance", "7", "--format", "senml-json")
            assert device.requests[-1].payload == b'[{"n":"/3303/7/5700","v":1.0}]'

    scene(run)


def test_sends(tmp_path):
    """As they come, of everybody or of one device; then --count is reached."""

    async def run():
        async with lab(tmp_path) as it:
            device = it.device

            async def send(text):
                message = Message(code=POST, uri=f"{device.server}/dp", payload=text, content_format=110)
                return (await device.context.request(message).response).code

            watching = [await it.start("sends", *words, "--count", "2") for words in ((), ("virtual-1",))]
            nobody = await it.start("sends", "nobody")
            for program in (*watching, nobody):
                assert await program.process.stderr.readline() == b"lab: waiting for what devices send\n"
            series = b'[{"bn":"/3303/0/5700","bt":1700000000,"v":22.5},{"t":-60,"v":22.25}]'
            assert await send(series) == await send(b'[{"n":"/3/0/9","v":7}]') == CHANGED
            for program in watching:
                status, output, errors = await program.end()
                assert (status, errors) == (0, "")
                assert output.splitlines() == [
                    "virtual-1 /3303/0/5700 Sensor Value = 22.5 at 1700000000 (2023-11-14 22:13:20 UTC)",
                    "virtual-1 /3303/0/5700 Sensor Value = 22.25 at 1699999940 (2023-11-14 22:12:20 UTC)",
                    "virtual-1 /3/0/9 Battery Level = 7 /100",
                ]
            assert await nobody.end(signal.SIGINT) == (0, "", "")
            _, log, _ = await it.server.end(signal.SIGINT)
            assert f"send        virtual-1  senml-json, {len(series)} bytes, 2 values" not in log
            assert "send        virtual-1  /3/0/9 = 7 /100" in log

    scene(run)


def test_waiting_for_a_device_in_queue_mode(tmp_path):
    """A notice on stderr, so that --json stays JSON; the answer once the device wakes; the timeout covers it."""

    async def run():
        control = str(tmp_path / "lab.sock")
        server = await Program.start("serve", "--port", "0", "--control", control, "--awake", "0.5")
        port = int(re.search(r"coap://127.0.0.1:(\d+) ", await server.line())[1])
        async with FakeDevice.registered(port, {(GET, "/3/0/9"): (CONTENT, 0, b"7")}) as device:
            it = Lab(server, control, device)
            query = "ep=virtual-1&lt=300&lwm2m=1.1&b=U&Q"
            response = await device.send(POST, f"/rd?{query}", b"</3/0>")
            location = "/" + "/".join(response.opt.location_path)
            assert "queue mode (awake)" in (await it.good("list"))[0]
            await asyncio.sleep(0.6)
            assert "queue mode (asleep)" in (await it.good("list"))[0]
            notice = "lab: waiting until the device wakes (virtual-1 is in queue mode)\n"
            status, output, errors = await it.run("read", "/3/0/9", "--timeout", "0.2")
            sentence = "lab: read virtual-1 /3/0/9: the device did not wake within 0.2 s\n"
            assert (status, output, errors) == (1, "", notice + sentence)
            reading = await it.start("read", "/3/0/9", "--json", "--timeout", "30")
            assert (await reading.process.stderr.readline()).decode() == notice
            assert (await device.send(POST, location)).code == CHANGED
            status, output, errors = await reading.end()
            assert (status, json.loads(output)["value"], errors) == (0, 7, "")
        _, log, _ = await server.end(signal.SIGTERM)
        assert "queued      virtual-1  read /3/0/9 waits until the device wakes" in log

    scene(run)


@pytest.mark.parametrize("command", ["read-composite", "write-composite", "observe-composite", "sends", "bootstrap"])
def test_help(command, capsys):
    """Every command explains itself."""
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0 and f"python -m tools.lab {command}" in capsys.readouterr().out


def test_mistakes(tmp_path):
    """Exit code 2, one sentence."""

    async def run():
        async with lab(tmp_path) as it:
            for words, sentence in (
                (("read-composite", "virtual-1"), "read-composite needs a path such as /3/0"),
                (("read-composite", "/3/0", "/3/0"), "a composite operation names each path once"),
                (("read-composite", "/3/0", "--format", "tlv"), "are written in senml-json or senml-cbor, not in tlv"),
                (("write-composite", "/3/0/14"), "is written `write-composite [ENDPOINT] PATH=VALUE [PATH=VALUE...]`"),
                (("write-composite", "/1/0/1=x"), "'x' is not a value of type Integer"),
                (("write-composite", "/1/0/1=1", "/1/0/1=2"), "names each path once"),
                (("sends", "a", "b"), "sends is written `sends [ENDPOINT]`"),
                (("cancel", "/3/0", "/1/0"), "/3/0 /1/0 of virtual-1 is not observed"),
            ):
                status, output, errors = await it.run(*words)
                assert (status, output) == (2, "") and sentence in errors, errors
            assert it.device.requests == []

    scene(run)


@pytest.mark.parametrize("kind", ["alone", "beside"])
def test_bootstrap_servers(tmp_path, kind):
    """`bootstrap` hands out what it is told, `serve --bootstrap-port` itself; each step is a line."""

    async def run():
        if kind == "alone":
            words = ("--server", "coap://192.0.2.1:5683", "--ssid", "7", "--lifetime", "60", "--format", "senml-json")
            program = await Program.start("bootstrap", "--port", "0", *words, "--allow-send", "--delete", "/1")
            uri, ssid = "coap://192.0.2.1:5683", 7
        else:
            control = str(tmp_path / "lab.sock")
            program = await Program.start("serve", "--port", "0", "--control", control, "--bootstrap-port", "0")
            uri, ssid = re.search(r"listening   (\S+)", await program.line())[1], 101
        first = await program.line()
        port = int(re.fullmatch(r"\S+ bootstraps  coap://127.0.0.1:(\d+)  coaps://127.0.0.1:\d+", first)[1])

        class Server:
            uri = f"coap://127.0.0.1:{port}"

        async with Newcomer.of(Server) as device:
            await device.ask("ep=board-1&pct=110")
            steps = [
                "bootstrap",
                "bs-discover",
                "bs-delete",
                "bs-delete",
                "bs-write",
                "bs-write",
                "bs-finish",
                "finished",
            ]
            if kind == "alone":
                steps.remove("bs-delete")
            for step in steps:
                line = await program.line()
                assert re.match(rf"[0-9:]{{8}} {step} +board-1 ", line)
            assert line.endswith(f"has its accounts: {uri}")
            written = {each["n"]: each for step in device.steps if step[0] == PUT for each in json.loads(step[3])}
            assert (written["/0/1/0"]["vs"], written["/0/1/10"]["v"]) == (uri, ssid)
            assert written["/1/0/1"]["v"] == (60 if kind == "alone" else 300)
            assert ("/1/0/23" in written) == (kind == "alone")
        assert (await program.end(signal.SIGINT))[::2] == (0, "")

    scene(run)


def test_bootstrap_port_in_use(tmp_path):
    """Alone or beside: exit code 2, one sentence, no control socket left."""

    async def run():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
            holder.bind(("127.0.0.1", 0))
            port = str(holder.getsockname()[1])
            control = tmp_path / "lab.sock"
            for words in (
                ("bootstrap", "--port", port, "--server", "coap://127.0.0.1"),
                ("serve", "--port", "0", "--control", str(control), "--bootstrap-port", port),
            ):
                status, _, errors = await (await Program.start(*words)).end()
                assert status == 2 and f"UDP port {port} on 127.0.0.1 is already in use" in errors
                assert "Traceback" not in errors and not control.exists()

    scene(run)
