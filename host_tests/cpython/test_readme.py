"""README.md is true: its commands run, its programs work on both Pythons, and what it names exists."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys

import pytest

from lwm2m import Client, settings
from lwm2m.objects.ipso import Temperature
from tools import state_diagram
from tools.bench import table
from tools.board import Steering
from tools.lab import DeviceError, LabServer
from tools.mpy import ROOT

README = (ROOT / "README.md").read_text()
NEEDS_A_BOARD = "# needs a board on a cable: not run by the tests\n"
STAYS = "# until Ctrl-C"
PASSED_ON = ("PATH", "HOME", "TMPDIR", "MICROPYTHON", "XDG_STATE_HOME")
# What a program that stays says once it is ready for the next command.
READY = {
    "make server": "listening",
    "make device": "-> REGISTERED",
    ".venv/bin/python -m tools.lab sends": "waiting for what devices send",
    ".venv/bin/python -m tools.lab bootstrap": "bootstraps",
}


def blocks(language):
    """The texts of all fenced blocks in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def environment():
    """What a newcomer's shell has, and the MicroPython of this run."""
    named = {name: value for name, value in os.environ.items() if name in PASSED_ON}
    return {**named, "PYTHONUNBUFFERED": "1"}


class Stays:
    """A command that runs until Ctrl-C; a context manager."""

    def __init__(self, command):
        self._process = subprocess.Popen(
            command,
            shell=True,
            cwd=ROOT,
            env=environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        (ready,) = (line for start, line in READY.items() if command.startswith(start))
        seen = ""
        for line in self._process.stdout:
            seen += line
            if ready in line:
                return
        if "already in use" in seen:
            pytest.skip("something else listens on UDP port 5683, which the README's commands use")
        raise AssertionError(f"{command} ended without {ready!r}:\n{seen}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self._process.pid, signal.SIGINT)  # as a terminal does; make itself then ends by the signal
        output, _ = self._process.communicate(timeout=30)
        assert "Traceback" not in output, output


def run(command):
    """A command that ends by itself, with status 0."""
    if command == "make test":
        command = "make -n test"  # we are in it
    done = subprocess.run(command, shell=True, cwd=ROOT, env=environment(), text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    assert "Traceback" not in done.stdout + done.stderr


def test_commands_run_one_after_the_other(micropython):
    """Every line of every block, as it stands; what stays is ended by Ctrl-C after the last."""
    commands = [line for block in blocks("sh") if not block.startswith(NEEDS_A_BOARD) for line in block.splitlines()]
    assert len(commands) > 15
    with contextlib.ExitStack() as stack:
        for command in commands:
            if command.endswith(STAYS):
                stack.enter_context(Stays(command.removesuffix(STAYS).rstrip()))
            else:
                run(command)


def test_only_blocks_with_a_cable_are_left_out():
    assert README.count(NEEDS_A_BOARD) == 1


PROGRAMS = dict(zip(("sensor", "object"), blocks("python"), strict=True))


def with_program(text, folder, interpreter, conversation):
    """Run a program as a board does, registered with a lab server, while conversation(server, room) goes on."""
    (folder / "mine.py").write_text(text)

    async def live():
        async with LabServer(port=0) as server:
            device = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tools.device", "--server", server.uri, "--endpoint", "mine"),
                *("--program", str(folder / "mine.py"), "--control", str(folder / "room")),
                *("--interpreter", interpreter, "--set", "SAMPLE_ms=50"),
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            try:
                await server.wait_registered("mine")
                await conversation(server, Steering(folder / "room"))
            finally:
                device.terminate()
                output, _ = await device.communicate()
            assert device.returncode == 0, output.decode()
            assert not server.registrations

    asyncio.run(live())


async def read_until(server, path, wanted):
    """Read until the value is there: sensors are read now and then."""
    for _ in range(100):
        value = None
        with contextlib.suppress(DeviceError):  # 5.03 before the first one
            value = (await server.read("mine", path)).value
        if value is not None and float(value) == wanted:  # of an object that the server does not know it is text
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{path} is {value} and should be {wanted}")


@pytest.mark.parametrize("interpreter", ["unix", "cpython"])
def test_sensor(tmp_path, interpreter, micropython):
    """Without its sensor the resource has no value; with 750 mV it is 25 degrees; unplugged, it keeps that."""

    async def conversation(server, room):
        with pytest.raises(DeviceError, match=r"5\.03"):
            await server.read("mine", "/3303/0/5700")
        room.voltage(34, 750)
        await read_until(server, "/3303/0/5700", 25.0)
        room.voltage(34, 0)
        await asyncio.sleep(0.2)
        assert (await server.read("mine", "/3303/0/5700")).value == 25.0

    with_program(PROGRAMS["sensor"], tmp_path, interpreter, conversation)


@pytest.mark.parametrize("interpreter", ["unix", "cpython"])
def test_object(tmp_path, interpreter, micropython):
    """It is read, written within its range, executed and observed; its pump is the LED."""

    async def conversation(server, room):
        assert "/32770/0" in server.registration("mine").objects
        room.voltage("knob", 1650)
        await read_until(server, "/32770/0/0", 50.0)
        await server.write("mine", "/32770/0/2", "1")
        assert room.get("led") == 1
        await server.write("mine", "/32770/0/1", "70")
        with pytest.raises(DeviceError, match=r"4\.00 .*target must be 0\.\.100"):
            await server.write("mine", "/32770/0/1", "101")
        observation = await server.observe("mine", "/32770/0/0")
        room.voltage("knob", 330)
        assert float((await observation.next()).payload) == 10.0
        assert (await server.execute("mine", "/32770/0/3")).code == "2.04"

    with_program(PROGRAMS["object"], tmp_path, interpreter, conversation)


@pytest.mark.parametrize("interpreter", ["unix", "cpython"])
def test_mistake_in_the_table_names_the_row(tmp_path, interpreter, micropython):
    """As the README promises: one sentence, exit status 2."""
    text = PROGRAMS["object"].replace("1 RW  int ", "1 RW  integer ")
    assert text != PROGRAMS["object"]
    (tmp_path / "mine.py").write_text(text)
    command = [sys.executable, "-m", "tools.device", "--server", "coap://127.0.0.1:1", "--interpreter", interpreter]
    done = subprocess.run(
        [*command, "--program", str(tmp_path / "mine.py")], cwd=ROOT, text=True, capture_output=True, timeout=60
    )
    assert done.returncode == 2
    assert re.fullmatch(r"Plant: row '1 RW integer target 0\.\.100': type must be one of .*\n", done.stderr)


def test_config_json_is_valid_and_complete(tmp_path):
    """The examples pass the client's own check, and every setting that there is is shown or explained."""
    plain, secure, protected = (json.loads(text) for text in blocks("json"))
    assert settings.check(plain)["servers"][0]["uri"] == "coap://192.168.1.10:5683"
    for name in ("server_cert", "cert", "key"):
        (tmp_path / f"{name}.der").write_bytes(name.encode())
    security = settings.check(secure, f"{tmp_path}/config.json")["servers"][0]["security"]
    assert (security.server_key, security.identity, security.secret_key) == (b"server_cert", b"cert", b"key")
    assert settings.check(protected)["servers"][0]["security"].oscore
    with pytest.raises(settings.ConfigError, match="there are ") as error:
        settings.check({"no such setting": 1})
    known = set(str(error.value).partition("there are ")[2].split(", "))
    cells = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", README.partition("## config.json")[2], re.MULTILINE)
    assert set(re.findall(r"\w+", " ".join(cells))) == known
    credentials = {"psk_identity", "psk_key", "server_cert", "ca", "cert", "key", "sni"}
    assert set(plain) == known - credentials


def test_lines_for_programs():
    """They run in a program with two servers and a thermometer, and do what the text says."""
    servers = [{"uri": f"coap://server{ssid}", "ssid": ssid, "lifetime": 300, "binding": "U"} for ssid in (1, 2)]
    client = Client("dev1", servers)
    client.clock = lambda: 0
    client.unix_time_s = lambda: 1_700_000_000
    client.add(Temperature(lambda: 21.5)).sample()
    names = {"client": client, "Temperature": Temperature, "read_over_ble": lambda: 4.0}
    for text in blocks("py"):
        exec(text, names)
    assert len(names["series"]) == 1  # nobody is registered: it waits
    rules = [(rule.object_id, rule.instance_id) for rule in client.tree.objects[2].values()]
    assert rules == [(3, 0), (3303, 0), (32770, 65535)]
    assert names["dev"] and not names["gateway"].devices


def test_what_is_linked_or_named_exists():
    """Links, and paths in the text."""
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) > 10
    named = re.findall(r"\b(?:lib|tools|host_tests)/[\w/]+\.\w+", README)
    assert [path for path in links + named if "://" not in path and not (ROOT / path).exists()] == []


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"(?:`|^)make ([a-z]+)", README, re.MULTILINE))
    assert {"demo", "test", "device", "server"} <= targets
    assert [name for name in targets if not re.search(rf"^[\w ]*\b{name}\b[\w ]*:", makefile, re.MULTILINE)] == []


def test_state_machine_is_the_present_one():
    assert state_diagram.main(["--check"]) == 0


def test_budgets_are_measured_ones():
    """The table is one that the bench wrote."""
    section = README.partition(table.BEGIN)[2].partition(table.END)[0]
    assert len(re.findall(r"^\| .* \| .* \| .* \| (?:ok|MISSED)? ?\|$", section, re.MULTILINE)) > 15
