"""`python -m tools.device` and `python -m tools.board`: what people type, and the sentences they get back."""

import errno
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from host_tests.cpython.boards import ROOT, Board
from tools import device, mpy
from tools.board import Steering, SteeringError
from tools.board.__main__ import main as steer

MISTAKES = [
    ("--server localhost", "--server must look like coap://host:port or coaps://host:port, not localhost"),
    ("--server http://localhost", "--server must look like"),
    ("--server coap://", "--server must look like"),
    ("--server coap://host:0", "--server must look like"),
    ("--server coap://host:65536", "--server must look like"),
    ("--server coap://host:port", "--server must look like"),
    ("--server coap://host/path", "--server must look like"),
    ("--server coap://me@host", "--server must look like"),
    ("--lifetime -1", "--lifetime must be"),
    ("--lifetime 2147483648", "--lifetime must be"),
    ("--lifetime soon", "--lifetime"),
    ("--local-port 65536", "--local-port must be"),
    ("--binding S", "--binding must be U, UQ, T or TQ, not S"),
    ("--bootstrap --server coap://a --server coap://b", "--bootstrap makes the --server a bootstrap server, and"),
    ("--endpoint=", "--endpoint must not be empty"),
    ("--endpoint \udcff", "--endpoint must be UTF-8"),
    ("--heap 1k", "--heap must be"),
    ("--heap much", "--heap must be"),
    ("--heap 48k", "--heap must be a number of bytes from 176k to 1024m, not 48k"),
    ("--heap 8388608m", "--heap must be a number of bytes from 176k to 1024m, not 8388608m"),
    ("--heap " + "9" * 5000, "--heap must be"),
    ("--program nothing.py", "--program nothing.py is not a file"),
    ("--set NSTART", "--set must look like NAME=VALUE, not NSTART"),
    ("--set NSTART=", "--set NSTART needs a number"),
    ("--set =1", "--set must look like"),
    ("--set OBSERVATIONS=NaN", "--set OBSERVATIONS needs a number, not NaN"),
    ("--set OBSERVATIONS=-Infinity", "--set OBSERVATIONS needs a number"),
    ("--set OBSERVATIONS=1e999", "--set OBSERVATIONS needs a number, not 1e999"),
    ("--set OBSERVATIONS=true", "--set OBSERVATIONS needs a number, not true"),
    ("--set OBSERVATIONS=[1]", "--set OBSERVATIONS needs a number"),
    ("--set OBSERVATIONS=" + "[" * 100000, "--set OBSERVATIONS needs a number"),
    ("--set OBSERVATIONS=" + "9" * 5000, "--set OBSERVATIONS needs a number"),
    ("--log loud", "--log"),
    ("--chip z80", "--chip"),
    ("--lwm2m-version 2", "--lwm2m-version"),
    ("--no-such-option", "--no-such-option"),
    ("--state-dir /dev/null/board", "/dev/null/board cannot be used"),
    ("--control /no/such/folder/sock", "--control /no/such/folder/sock cannot be opened"),
    ("--control 99999", "--control must be a path or a port from 1 to 65535, not 99999"),
    ("--control 0", "--control must be a path or a port from 1 to 65535, not 0"),
    ("--control=", "--control must be a path or a port, and not empty"),
    ("--psk-identity me", "--psk-identity and --psk-key come together"),
    ("--psk-key 00", "--psk-identity and --psk-key come together"),
    ("--psk-identity me --psk-key 0", "--psk-key must be 1 to 64 bytes in hex, two digits each"),
    ("--psk-identity me --psk-key 6g", "--psk-key must be 1 to 64 bytes in hex"),
    ("--psk-identity me --psk-key " + "00" * 65, "--psk-key must be 1 to 64 bytes in hex"),
    (f"--psk-identity {'i' * 129} --psk-key 00", "--psk-identity must have at most 128 bytes"),
    ("--psk-identity me --psk-key 00 --ca README.md", "--server-cert or --ca, and only one of them"),
    ("--ca README.md --server-cert README.md", "and only one of them"),
    ("--cert nothing.pem", "--cert and --key come together"),
    ("--cert nothing.pem --key nothing.pem", "nothing.pem cannot be read: No such file or directory"),
    ("--ca README.md", "README.md is no certificate in PEM or DER"),
]


@pytest.mark.parametrize(("options", "sentence"), MISTAKES)
def test_mistakes_are_one_sentence(capsys, options, sentence, tmp_path):
    """On stderr, with exit status 2, and the board never starts."""
    main = tmp_path / "main.py"
    main.write_text("print('started')")
    arguments = [] if "--program" in options else ["--program", str(main)]
    assert device.main([*arguments, *options.split()]) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert (told.err.count("\n"), told.out) == (1, "")


@pytest.mark.parametrize(
    "uri",
    ["coap://a", "coap://a:5683", "coap://192.168.1.2/", "coap://[::1]:1", "coap://[fe80::1]", "coap://a-b.c:65535"],
)
def test_good_uris_pass(uri):
    """With and without port, names, IPv4 and IPv6."""
    device.check(device.parser().parse_args(["--server", uri, "--program", __file__]))


def test_as_a_process(tmp_path):
    """The same from the shell; and --help names every option of the house."""
    command = [sys.executable, "-m", "tools.device"]
    done = subprocess.run([*command, "--server", "x"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n"), done.stdout) == (2, 1, "")
    shown = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True)
    assert shown.returncode == 0
    for option in (
        "server endpoint lifetime binding queue-mode lwm2m-version bootstrap psk-identity psk-key cert key ca "
        "local-port interpreter heap state-dir program set log chip control"
    ).split():
        assert f"--{option}" in shown.stdout


def write(path, *arguments):
    """config.json as the options make it."""
    device.write_config(path, device.settings(device.parser().parse_args([*arguments])))
    return json.loads(path.read_text())


def test_config_says_what_the_options_say(tmp_path):
    """In the words of config.json, readable by nobody else."""
    path = tmp_path / "config.json"
    wifi = {"ssid": "microlwm2m", "password": "virtual-board"}
    options = "--server coap://a --endpoint me --lifetime 60 --binding U --lwm2m-version 1.0 --local-port 7 --log debug"
    assert write(path, *options.split(), "--set", "NSTART=2", "--set", "ACK_RANDOM_FACTOR=1.5") == {
        "wifi": wifi,
        "server": "coap://a",
        "endpoint": "me",
        "lifetime": 60,
        "binding": "U",
        "lwm2m": "1.0",
        "local_port": 7,
        "log": "debug",
        "limits": {"NSTART": 2, "ACK_RANDOM_FACTOR": 1.5},
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.unlink()
    options = "--server coap://bs --bootstrap --queue-mode --binding UQ --lwm2m-version 1.2"
    assert write(path, *options.split()) == {
        "wifi": wifi,
        "server": "coap://bs",
        "bootstrap": True,
        "queue_mode": True,
        "binding": "UQ",
        "lwm2m": "1.2",
    }


def test_config_keeps_what_was_there(tmp_path):
    """Options change their own settings only; without options nothing is written."""
    path = tmp_path / "config.json"
    path.write_text('{"wifi": null, "endpoint": "old", "lifetime": 5, "limits": {"NSTART": 3, "QUEUE": 9}}')
    config = write(path, "--server", "coap://a", "--server", "coap://b", "--endpoint", "new", "--set", "NSTART=1")
    assert config == {
        "wifi": None,
        "server": ["coap://a", "coap://b"],
        "endpoint": "new",
        "lifetime": 5,
        "limits": {"NSTART": 1, "QUEUE": 9},
    }
    path.write_text("not JSON, and the board shall see it so")
    device.write_config(path, {})
    assert path.read_text().startswith("not JSON")
    for broken in ("{", "[]", "[" * 100000, '{"limits": [1]}', '{"limits": 5}', '{"limits": null}'):
        path.write_text(broken)
        with pytest.raises(device.UsageError, match=r"config\.json"):
            device.write_config(path, {"endpoint": "a"})
        assert path.read_text() == broken


class PowerCut(BaseException):
    """Nothing can catch it."""


@pytest.mark.parametrize("step", ["unlink", "touch", "open", "fsync", "replace"])
def test_power_cut_while_files_are_written(tmp_path, monkeypatch, step):
    """Configuration and credentials: the old content, and the next attempt works."""

    def cut(*args, **more):
        raise PowerCut

    path, key = tmp_path / "config.json", tmp_path / "key.der"
    write(path, "--server", "coap://old")
    device.write_files(tmp_path, {"key.der": b"old"})
    before = path.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr(device.os if step == "fsync" else Path, step, cut)
        with pytest.raises(PowerCut):
            device.write_config(path, {"server": "coap://new"})
        with pytest.raises(PowerCut):
            device.write_files(tmp_path, {"key.der": b"new"})
    assert (path.read_bytes(), key.read_bytes()) == (before, b"old")
    device.write_files(tmp_path, {"key.der": b"new"})
    assert (write(path, "--server", "coap://new")["server"], key.read_bytes()) == ("coap://new", b"new")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_full_disk_is_a_sentence(tmp_path, monkeypatch, capsys):
    """As is any folder that cannot be written; the configuration that was there stays whole."""

    def fsync(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "config.json").write_text('{"endpoint": "old"}')
    monkeypatch.setattr(device.os, "fsync", fsync)
    assert device.main(["--server", "coap://a", "--state-dir", str(tmp_path), "--program", __file__]) == 2
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("config.json", '{"endpoint": "old"}')]
    assert capsys.readouterr().err == f"the board's folder {tmp_path} cannot be used: No space left on device\n"


def test_interpreters(monkeypatch, capsys):
    """MicroPython with its heap; CPython and a line about it where there is none; a wrong MICROPYTHON is a mistake."""
    options = device.parser().parse_args(["--heap", "128k"])
    monkeypatch.delenv("MICROPYTHON", raising=False)
    monkeypatch.setattr(mpy, "micropython", lambda: "/bin/upy")
    assert device.command(options)[0][:3] == ["/bin/upy", "-X", "heapsize=131072"]
    monkeypatch.setattr(mpy, "micropython", lambda: None)
    assert device.command(options)[0][0] == sys.executable
    assert "CPython instead" in capsys.readouterr().out
    monkeypatch.setenv("MICROPYTHON", "/no/such/file")
    with pytest.raises(device.UsageError, match="MICROPYTHON=/no/such/file is not a program"):
        device.command(options)


def test_mac_address_is_stable():
    """By endpoint, else by folder; different boards differ; locally administered, unicast."""

    def mac(*arguments):
        return device.mac_address(device.parser().parse_args([*arguments]))

    assert mac("--endpoint", "a") == mac("--endpoint", "a", "--state-dir", "b")
    assert len({mac("--endpoint", "a"), mac("--endpoint", "b"), mac("--state-dir", "a1")}) == 3
    assert len(mac()) == len(mac("--state-dir", "\udcff")) == 12
    assert int(mac()[:2], 16) & 3 == 2


ENDS = [
    ("print('done')", 0, "done\n"),
    ("import sys\nsys.exit(3)", 3, ".\n"),
    ("def f():\n    {}['key']\nf()", 1, "KeyError: key\n"),
    ("class ConfigError(ValueError): pass\nraise ConfigError('the lifetime is odd')", 2, "the lifetime is odd\n"),
    ("raise KeyboardInterrupt", 0, ".\n"),
    ("assert __name__ == '__main__'\nimport json\nprint(json.load(open('config.json'))['endpoint'])", 0, "me\n"),
]


@pytest.mark.parametrize(("program", "status", "ends"), ENDS)
def test_ends_of_a_program(micropython, tmp_path, program, status, ends):
    """Exit statuses, and a traceback only for what nobody caught."""
    with Board(tmp_path, program, "--endpoint", "me") as board:
        assert board.wait() == status
    assert board.output.endswith(ends)
    assert ("Traceback" in board.output) == (status == 1)


@pytest.mark.parametrize(("program", "status", "ends"), ENDS[2:4])
def test_ends_on_cpython(tmp_path, program, status, ends):
    """The same where there is no MicroPython."""
    with Board(tmp_path, program, interpreter="cpython") as board:
        assert board.wait() == status
    assert board.output.replace("'", "").endswith(ends)


@pytest.mark.parametrize("interpreter", ["unix", "cpython"])
def test_what_lies_beside_the_program(tmp_path, micropython, interpreter):
    """It can be imported, as on a board; what lies in the board's own folder comes first."""
    (tmp_path / "state").mkdir()
    for folder, name in ((tmp_path, "mine"), (tmp_path, "twice"), (tmp_path / "state", "twice")):
        (folder / f"{name}.py").write_text(f"PLACE = {folder.name!r}")
    program = "from mine import PLACE\nimport twice\nprint(PLACE, twice.PLACE)"
    with Board(tmp_path, program, interpreter=interpreter) as board:
        assert board.wait() == 0
    assert board.output.endswith(f"{tmp_path.name} state\n")


@pytest.mark.parametrize("bound", ["BOUNDS=1", "self=1", "ACK_RANDOM_FACTOR=1e308", "QUEUE=" + "9" * 400])
def test_bounds_that_the_client_refuses(tmp_path, micropython, capfd, bound):
    """One sentence and status 2 from the board itself."""
    options = ["--server", "coap://127.0.0.1:1", "--set", bound]
    assert device.main(options) == 2
    told = capfd.readouterr()
    assert (told.err.count("\n"), "limits: " in told.err) == (1, True)


def test_thrown_away_state_is_gone(tmp_path, micropython):
    """Without --state-dir the board's folder lives as long as the board."""
    main = tmp_path / "main.py"
    main.write_text("import os\nprint(os.getcwd())")
    command = [sys.executable, "-m", "tools.device", "--program", str(main)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
    folder = done.stdout.splitlines()[-1]
    assert "board-" in folder
    assert not Path(folder).exists()


BLINK = """
import asyncio
from sensors import board
board.button.on_change = lambda pressed: board.led.level(60 if pressed else 0)
async def main():
    print("ready")
    await asyncio.sleep(60)
asyncio.run(main())
"""


def test_command_line_steers(tmp_path, micropython, capsys):
    """Every command reaches the board; mistakes are one sentence and status 2."""
    with Board(tmp_path, BLINK) as board:
        board.expect("ready")

        def do(*words):
            return steer(["--control", str(board.control), *words])

        assert do("press") == 0
        board.until(lambda: board.get("led") == 0.6, "the LED")
        capsys.readouterr()
        assert do("show", "led") == 0
        assert json.loads(capsys.readouterr().out) == 0.6
        for words in (
            "release",
            "temperature 21.5",
            "humidity 40",
            "pressure 990",
            "adc knob 1200",
            "adc 35 7",
            "rssi -80",
            "set dht.temperature 30",
            "fail bme280",
            "drift chip.temperature 10 20 60",
            "wifi off",
        ):
            assert do(*words.split()) == 0
        shown = board.steering.show()
        world = shown["world"]
        names = ["temperature", "humidity", "pressure", "adc.34", "adc.35", "wifi.rssi", "dht.temperature", "wifi.up"]
        assert [world[name] for name in names] == [21.5, 40, 990, 1200, 7, -80, 30, False]
        assert (world["bme280.fail"], "pin.0" in world) == (True, False)
        assert 10 <= world["chip.temperature"] < 11
        assert (shown["state"], shown["starts"], shown["cause"]) == ("running", 1, "power-on")
        assert do("repair", "bme280") == do("set", "temperature", "null") == 0
        assert "bme280.fail" not in board.steering.show()["world"]
        assert 19 <= board.get("temperature") <= 25  # its own movement again
        assert do("show") == 0
        capsys.readouterr()
        for words, sentence in (
            ("fail toaster", "knows nothing called toaster.fail"),
            ("set temperature warm", 'temperature takes a number, not "warm"'),
            ("set wifi.up 1", "wifi.up takes true or false, not 1"),
            ("set temperature NaN", "temperature takes a number, not NaN"),
            ("show toaster", "knows nothing called toaster"),
        ):
            assert do(*words.split()) == 2
            assert sentence in capsys.readouterr().err
        for line in (b"\xff", b"[" * 50000, b"[]", b'{"do": 1}', b'{"set": {"temperature": {"from": 1}}}'):
            assert "error" in talk(board, line)
    assert do("press") == 2
    assert "no virtual board answers" in capsys.readouterr().err
    assert steer(["press"]) == 2
    assert "which board?" in capsys.readouterr().err
    for port in ("99999", "0", "9" * 5000):
        assert steer(["--control", port, "show"]) == 2
        assert "--control must be a path or a port from 1 to 65535" in capsys.readouterr().err


def talk(board, line):
    """The answer to one line as it is."""
    import socket

    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(board.control))
        peer.sendall(line + b"\n")
        return json.loads(peer.makefile().readline())


def test_control_is_not_stolen(tmp_path, micropython, capfd):
    """A second board with the same --control is refused; the socket of a killed board, or of others, is not ours."""
    main = tmp_path / "main.py"
    with Board(tmp_path, BLINK) as board:
        board.expect("ready")
        assert device.main(["--program", str(main), "--control", str(board.control)]) == 2
        sentence = f"--control {board.control} is in use: another board listens there\n"
        assert capfd.readouterr() == ("", sentence)
        board.steering.press()
        board.process.kill()
        board.wait()
    assert board.control.is_socket()
    with Board(tmp_path, BLINK) as board:
        board.until(lambda: board.get("led") is not None, "the control socket")
        board.control.unlink()
        board.control.write_text("mine")
    assert board.control.read_text() == "mine"
    board.control.unlink()
    with Board(tmp_path, BLINK) as board:
        board.until(lambda: board.get("led") is not None, "the control socket")
    assert not board.control.exists()


def test_control_by_port(tmp_path, micropython):
    """A port works as well as a path."""
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with Board(tmp_path, BLINK, "--control", str(port)) as board:
        board.expect("ready")
        Steering(port).set(temperature=3)
        assert Steering(port).get("temperature") == 3
    with pytest.raises(SteeringError, match="no virtual board answers"):
        Steering(port).press()
