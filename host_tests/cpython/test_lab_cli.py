"""`python -m tools.lab` as a student meets it: the server in a process of its own, and commands that talk to it."""

import asyncio
import contextlib
import io
import json
import re
import signal
import socket
import sys
from pathlib import Path

import pytest
from aiocoap import GET, POST, PUT
from aiocoap.numbers.codes import Code

from host_tests.cpython.test_lab_management import FakeDevice
from tools.lab import cli, control

ROOT = Path(__file__).parents[2]
PATIENCE_S = 40  # with a line of a program, and with its end: the machine may be busy
CONTENT, CHANGED = Code.CONTENT, Code.CHANGED

ANSWERS = {
    (GET, "/3/0"): (CONTENT, 11542, bytes.fromhex("C3 03 31 2E 30 C1 09 64")),
    (GET, "/3303/0"): (CONTENT, 11542, bytes.fromhex("E4 16 44 41 AC 00 00 E3 16 45") + b"Cel"),
    (GET, "/3303/0/5700"): (CONTENT, 0, b"21.5"),
    (GET, "/3303"): (CONTENT, 40, b"</3303>;pmin=1,</3303/0/5700>"),
    (GET, "/1/0"): (CONTENT, 11544, b"\xa0"),
    (PUT, "/3311/0/5850"): (CHANGED, None, b""),
    (PUT, "/3303/0/5700"): (CHANGED, None, b""),
    (PUT, "/3303/0/5601"): (CHANGED, None, b""),
    (POST, "/3311/0"): (CHANGED, None, b""),
    (POST, "/3/0/4"): (CHANGED, None, b""),
    (POST, "/3303"): (Code.CREATED, None, b""),
}


class Program:
    """One running `python -m tools.lab ...`."""

    def __init__(self, process):
        self.process = process

    @classmethod
    async def start(cls, *arguments):
        pipe = asyncio.subprocess.PIPE
        command = [sys.executable, "-m", "tools.lab", *arguments]
        return cls(await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=pipe, stderr=pipe))

    async def line(self):
        async with asyncio.timeout(PATIENCE_S):
            return (await self.process.stdout.readline()).decode().rstrip("\n")

    async def end(self, number=None):
        """Exit code, stdout, stderr; sends the signal `number` first."""
        if number is not None:
            self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE_S):
            output, errors = await self.process.communicate()
        return self.process.returncode, output.decode(), errors.decode()


class Lab:
    """A server process, its control socket and a fake device that is registered with it."""

    def __init__(self, server, control, device):
        self.server, self.control, self.device = server, control, device

    async def start(self, command, *words):
        return await Program.start(command, "--control", self.control, *words)

    async def run(self, command, *words):
        """The same without a process: exit code, stdout, stderr."""
        output, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            status = await asyncio.to_thread(cli.main, [command, "--control", self.control, *words])
        return status, output.getvalue(), errors.getvalue()

    async def good(self, command, *words):
        """The lines that a command prints."""
        status, output, errors = await self.run(command, *words)
        assert (status, errors) == (0, ""), output
        return output.splitlines()


@contextlib.asynccontextmanager
async def lab(tmp_path):
    control = str(tmp_path / "lab.sock")
    server = await Program.start("serve", "--port", "0", "--control", control)
    first = await server.line()
    uris = r"coap://127.0.0.1:(\d+)  coaps://127.0.0.1:\d+"
    port = re.fullmatch(rf"[0-9:]{{8}} listening   {uris}  control {re.escape(control)}", first)[1]
    async with FakeDevice.registered(int(port), ANSWERS) as device:
        assert re.search(r"register    virtual-1  lt=300 lwm2m=1.1 b=U from 127", await server.line())
        yield Lab(server, control, device)
    if server.process.returncode is None:
        assert (await server.end(signal.SIGTERM))[::2] == (0, "")
    assert not Path(control).exists()


def test_commands(tmp_path):
    """What each command prints, in one session."""

    async def scene():
        async with lab(tmp_path) as it:
            device = it.device
            listed = await it.good("list")
            assert re.fullmatch(r"virtual-1  127\S+  LwM2M 1.1  binding U  lifetime 300 s, \d+ s left", listed[0])
            assert listed[1:] == ["  /1/0 LwM2M Server", "  /3/0 Device", "  /3303/0 Temperature"]
            assert await it.good("read", "virtual-1", "/3/0") == [
                '/3/0/3 Firmware Version = "1.0"',
                "/3/0/9 Battery Level = 100 /100",
            ]
            assert (await it.good("read", "/3303/0"))[0] == "/3303/0/5700 Sensor Value = 21.5 Cel"
            assert await it.good("read", "/3303/0/5700") == ["/3303/0/5700 Sensor Value = 21.5 Cel"]
            assert device.requests[-1].opt.accept is None
            value = json.loads((await it.good("read", "/3303/0/5700", "--json", "--accept", "text"))[0])
            assert (value["code"], value["value"], device.requests[-1].opt.accept) == ("2.05", 21.5, 0)
            assert await it.good("discover", "/3303") == [
                "/3303 Temperature pmin=1",
                "/3303/0/5700 Sensor Value",
            ]
            assert "Content-Format 11544, which is not decoded here: a0" in (await it.good("read", "/1/0"))[0]
            assert await it.good("write", "virtual-1", "/3311/0/5850", "true") == ["2.04 Changed"]
            assert device.requests[-1].payload == b"1"
            assert await it.good("write", "/3311/0", '{"5851": 50}', "--partial") == ["2.04 Changed"]
            assert (device.requests[-1].code, device.requests[-1].payload) == (POST, bytes.fromhex("E1 16 DB 32"))
            await it.good("write", "/3303/0/5601", "-5.5")
            assert device.requests[-1].payload == b"-5.5"
            await it.good("execute", "/3/0/4", "0='reboot'")
            assert device.requests[-1].payload == b"0='reboot'"
            await it.good("attributes", "/3303/0/5700", "pmin=1", "gt=")
            assert device.requests[-1].opt.uri_query == ("pmin=1", "gt")
            assert await it.good("create", "/3303", '{"5700": -5}', "--instance", "3") == ["2.01 Created"]
            assert device.requests[-1].payload == bytes.fromhex("07 03 E4 16 44 C0 A0 00 00")
            _, log, _ = await it.server.end(signal.SIGINT)
            assert "read        virtual-1 /3/0 -> 2.05 Content  tlv, 8 bytes" in log

    asyncio.run(scene())


def test_observe(tmp_path):
    """--count ends it and cancels; Ctrl-C does the same; `cancel` ends that of somebody else."""

    async def scene():
        async with lab(tmp_path) as it:
            path = "/3303/0/5700"
            counted = await it.start("observe", path, "--count", "2")
            assert await counted.line() == f"{path} Sensor Value = 21.5"
            for celsius in (b"22", b"23"):
                it.device.answers[GET, path] = CONTENT, 0, celsius
                it.device.notify()
                assert await counted.line() == f"{path} Sensor Value = {celsius.decode()}.0"
            assert await counted.end() == (0, "", "")
            assert it.device.requests[-1].opt.observe == 1 and not it.device._observations

            endless = await it.start("observe", path)
            await endless.line()
            assert f"  {path} Sensor Value  observed" in await it.good("list")
            assert await endless.end(signal.SIGINT) == (0, "", "")

            endless = await it.start("observe", path)
            await endless.line()
            assert await it.good("cancel", path) == [f"{path} Sensor Value = 23.0"]
            assert await endless.end() == (1, "", "lab: the observation ended: cancelled\n")

    asyncio.run(scene())


def test_exit_codes(tmp_path):
    """1 for what the device refused, 2 for what cannot be meant, one sentence each."""

    async def scene():
        async with lab(tmp_path) as it:
            cases = [
                (("read", "/3/0/99"), 1, "read virtual-1 /3/0/99 -> 4.04 Not Found (no such path)"),
                (("write", "/3/0/0", "x"), 1, "write virtual-1 /3/0/0 -> 4.04 Not Found (no such path)"),
                (("read", "nobody", "/3/0"), 2, "'nobody' is not registered (registered: virtual-1)"),
                (
                    ("read", "/3/0/"),
                    2,
                    "'/3/0/' is not a path: write /object/instance/resource with ids from 0 to 65534",
                ),
                (("read", "virtual-1"), 2, "read needs a path such as /3/0"),
                (("execute", "/3/0"), 2, "execute needs the path of a resource, not /3/0"),
                (("write", "/3311/0/5850"), 2, "write is written `write [ENDPOINT] PATH VALUE`"),
                (("write", "/3311/0/5850", "perhaps"), 2, "'perhaps' is not a value of type Boolean"),
                (("cancel", "/3/0"), 2, "/3/0 of virtual-1 is not observed"),
                (
                    ("write", "/3311/0", "[" * 100000),
                    2,
                    f"/3311/0 takes a JSON object such as {{\"5850\": true}}, not '{'[' * 100000}'",
                ),
            ]
            for words, status, sentence in cases:
                assert await it.run(*words) == (status, "", f"lab: {sentence}\n"), words
            program = await it.start("read", "/3/0/99")
            assert await program.end() == (1, "", f"lab: {cases[0][2]}\n")
            it.device.render = lambda request: asyncio.sleep(60)
            status, _, errors = await it.run("read", "/3/0", "--timeout", "0.3")
            assert (status, errors) == (1, "lab: read virtual-1 /3/0: no answer within 0.3 s\n")

    asyncio.run(scene())


def test_control_channel_survives_nonsense(tmp_path):
    """Broken requests get a sentence, and the server goes on."""

    async def scene():
        async with lab(tmp_path) as it:
            for line in (
                b"\n",
                b"{",
                b"[]\n",
                b"[" * 100000 + b"\n",
                b'{"command": "stop"}\n',
                b'{"command": "read", "path": 7}\n',
                b"x" * 2**21,
            ):
                reader, writer = await asyncio.open_unix_connection(it.control)
                writer.write(line)
                writer.write_eof()
                async with asyncio.timeout(5):
                    reply = json.loads(await reader.readline() or b'{"exit_code": 2}')
                assert reply["exit_code"] == 2
                writer.close()
            assert len(await it.good("list")) == 4

    asyncio.run(scene())


def test_mistakes_of_the_server_are_answered_and_logged(tmp_path, monkeypatch, capsys, caplog):
    """Who asks hears of it, the log tells where, and the server goes on."""

    async def fail(server, request):
        yield {"lines": ["first"], "data": {}}
        raise KeyError(request["command"])

    async def scene():
        monkeypatch.setattr(control.commands, "run", fail)
        server = control.ControlServer(None, tmp_path / "lab.sock")
        await server.start()
        for _ in range(2):
            assert await asyncio.to_thread(cli.main, ["list", "--control", str(server.path)]) == 1
        await server.close()

    asyncio.run(scene())
    assert capsys.readouterr() == ("first\n" * 2, "lab: the lab server failed: KeyError('list')\n" * 2)
    assert caplog.text.count("the command 'list' failed") == 2
    assert "in fail" in caplog.text


def test_starts_that_fail(tmp_path):
    """Port in use, unknown host, a control socket that cannot be, no server: exit 2 and one sentence."""

    async def scene():
        async with lab(tmp_path) as it:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
                holder.bind(("127.0.0.1", 0))
                port = str(holder.getsockname()[1])
                file = tmp_path / "file"
                file.write_text("")
                cases = [
                    (("serve", "--port", port), f"UDP port {port} on 127.0.0.1 is already in use"),
                    (("serve", "--host", "no-such-host.invalid"), "cannot listen on 'no-such-host.invalid'"),
                    (("serve", "--port", "0", "--control", it.control), "another lab server listens on"),
                    (("serve", "--port", "0", "--control", "/no/such/folder/x"), "No such file or directory"),
                    (("serve", "--port", "0", "--control", "/tmp/" + "x" * 200), "path too long"),
                    (("serve", "--port", "0", "--control", str(file)), "cannot make the control socket"),
                    (("list", "--control", "/no/such/socket"), "start one with `python -m tools.lab serve`"),
                    (("serve", "--port", "70000"), "'70000' is not a port from 0 to 65535"),
                    (("fly",), "invalid choice"),
                ]
                programs = [await Program.start(*words) for words, _ in cases]
                for (words, sentence), program in zip(cases, programs, strict=True):
                    status, output, errors = await program.end()
                    assert (status, output) == (2, ""), words
                    assert sentence in errors and "Traceback" not in errors, errors

    asyncio.run(scene())


def test_stale_control_socket(tmp_path):
    """What a killed server left behind does not stop the next one."""

    async def scene():
        control = str(tmp_path / "lab.sock")
        for _ in range(2):
            server = await Program.start("serve", "--port", "0", "--control", control)
            assert "listening" in await server.line()
            status, _, _ = await server.end(signal.SIGKILL)
            assert status == -signal.SIGKILL and Path(control).exists()

    asyncio.run(scene())


def test_server_goes_away(tmp_path):
    """A running command says so."""

    async def scene():
        async with lab(tmp_path) as it:
            watching = await it.start("observe", "/3303/0/5700")
            await watching.line()
            assert (await it.server.end(signal.SIGTERM))[0] == 0
            status, _, errors = await watching.end()
            assert (status, errors) == (1, "lab: the lab server went away\n")

    asyncio.run(scene())


@pytest.mark.parametrize("command", ["serve", "list", "read", "write", "observe", "attributes"])
def test_help(command, capsys):
    """Every command explains itself."""
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0 and f"python -m tools.lab {command}" in capsys.readouterr().out
