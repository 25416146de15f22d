"""make demo: what a student sees, how it ends, and one sentence when it cannot go on."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tools import mpy
from tools.demo import __main__ as command_line
from tools.demo import story
from tools.lab import LabServer, Timeout
from tools.mpy import ROOT

_LIMIT_S = 60

# In this order, whatever stands between them.
_SHOWN = [
    r"1\. The device registers",
    r"POST /rd\?ep=demo&lt=60&lwm2m=1\.1&b=U +-> 2\.01 Created, Location /rd/\w+",
    r"/3/0 +Device",
    r"/3303/0 +Temperature",
    r"/3311/0 +Light Control",
    r"GET /3/0 +-> 2\.05 Content, tlv, \d+ bytes",
    r"/3/0/16 Supported Binding and Modes = \"U\"",
    r"GET /3303/0/5700 +-> 2\.05 Content, text",
    r"/3303/0/5700 Sensor Value = \d+\.?\d* Cel",
    r"PUT /3311/0/5850 1 +-> 2\.04 Changed",
    r"the board's LED is on",
    r"the board's LED is off",
    r"GET /3347/0/5500 Observe=0 +-> 2\.05 Content, Observe",
    r"the button is pressed\) +-> 2\.05 Content, Observe=1",
    r"/3347/0/5500 .* = true",
    r"the button is let go\) +-> 2\.05 Content, Observe=2",
    r"/3347/0/5500 .* = false",
    r"PUT /3303/0/5700\?pmin=1&st=0\.5 +-> 2\.04 Changed",
    r"GET /3303/0/5700 Observe=0 +-> 2\.05 Content, Observe",
    r"it has moved\) +-> 2\.05 Content, Observe=3",
    r"From here on live",
    r"notify +demo /3303/0/5700 = ",
]
_LEAVES = [r"The device leaves", r"DELETE /rd/\w+ +-> 2\.02 Deleted"]


class Demo:
    """A running `python -m tools.demo`; a context manager."""

    def __init__(self, *arguments, **environment):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tools.demo", *arguments],
            cwd=ROOT,
            env={**os.environ, **environment},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self.pid = self._process.pid
        self.output = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._process.poll() is None:
            self._process.terminate()
            self._process.communicate(timeout=_LIMIT_S)

    def until(self, pattern):
        """Read its output until a line matches."""
        for line in self._process.stdout:
            self.output += line
            if re.search(pattern, line):
                return
        raise AssertionError(f"the demo ended without {pattern!r}:\n{self.output}")

    def signal(self, number):
        """As Ctrl-C or kill do."""
        self._process.send_signal(number)

    def ended(self):
        """Wait for its end: the exit status. Nowhere is a traceback."""
        rest, _ = self._process.communicate(timeout=_LIMIT_S)
        self.output += rest
        assert "Traceback" not in self.output, self.output
        return self._process.returncode


def shows(output, patterns):
    """All patterns are found in this order."""
    at = 0
    for pattern in patterns:
        found = re.compile(pattern).search(output, at)
        assert found, f"{pattern!r} is not in the rest of the output:\n{output[at:]}"
        at = found.end()


def children(pid):
    """Process ids of the children."""
    listing = subprocess.run(["ps", "-o", "pid=,ppid=", "-A"], capture_output=True, text=True, check=True).stdout
    pairs = [line.split() for line in listing.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]


def test_two_demos_at_once_show_everything_until_they_are_stopped(micropython):
    """One on each Python; Ctrl-C ends one, SIGTERM the other, both with a de-registration and exit status 0."""
    with Demo() as one, Demo("--interpreter", "cpython") as other:
        for demo, number in ((one, signal.SIGINT), (other, signal.SIGTERM)):
            demo.until(r"notify +demo /3303/0/5700")
            demo.signal(number)
        for demo in (one, other):
            assert demo.ended() == 0, demo.output
            shows(demo.output, _SHOWN + _LEAVES)
    assert "on the Unix port of MicroPython" in one.output
    assert "on CPython on this machine" in other.output


def test_with_seconds_it_ends_by_itself(micropython):
    """Status 0, as everything was shown."""
    with Demo("--seconds", "15") as demo:
        assert demo.ended() == 0, demo.output
    shows(demo.output, _SHOWN + _LEAVES)


def test_too_few_seconds_name_the_step_that_is_missing():
    with Demo("--seconds", "1") as demo:
        assert demo.ended() == 1
    assert re.fullmatch(r"demo: the demo ended before the board could [a-z].*", demo.output.splitlines()[-1])


def test_ctrl_c_at_once_ends_it_without_a_word():
    """The board may not even have registered."""
    with Demo() as demo:
        demo.until("Ctrl-C ends both")
        demo.signal(signal.SIGINT)
        assert demo.ended() == 0, demo.output


def test_a_board_that_dies_is_told(micropython):
    """Its interpreter is killed while it is live: status 1, and the sentence of its supervisor."""
    with Demo() as demo:
        demo.until("2. The server reads")
        (device,) = children(demo.pid)
        (interpreter,) = children(device)
        os.kill(interpreter, signal.SIGKILL)
        assert demo.ended() == 1
    last = demo.output.splitlines()[-1]
    assert last == "demo: the board ended by itself with status 1: board: the interpreter died of SIGKILL"


def test_a_board_that_dies_at_once_is_told():
    with Demo(MICROPYTHON="/bin/false") as demo:
        assert demo.ended() == 1
    assert demo.output.splitlines()[-1] == "demo: the board ended by itself with status 1: without a word"


def test_no_interpreter_is_told():
    with Demo(MICROPYTHON="/no/such/program") as demo:
        assert demo.ended() == 2
    assert demo.output.splitlines()[-1].endswith("MICROPYTHON=/no/such/program is not a program")


def test_a_machine_without_a_wheel_is_told_that_cpython_runs(monkeypatch, capsys):
    monkeypatch.delenv("MICROPYTHON", raising=False)
    monkeypatch.setattr(mpy, "micropython", lambda: None)
    command_line._introduce(LabServer(port=5683), "coap://127.0.0.1:5683", "unix", Path("board.sock"))
    assert "boot.py and main.py on CPython on this machine" in capsys.readouterr().out


def test_port_in_use_is_told():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with Demo("--port", str(taken.getsockname()[1])) as demo:
            assert demo.ended() == 2
    assert re.fullmatch(r"demo: UDP port \d+ on 127\.0\.0\.1 is already in use.*\n", demo.output)


@pytest.mark.parametrize("words", [("--seconds", "0"), ("--seconds", "soon"), ("--port", "70000")])
def test_mistakes_in_the_command_line(words):
    with Demo(*words) as demo:
        assert demo.ended() == 2
    assert f"'{words[1]}' is not a" in demo.output


def test_an_led_that_stays_dark_is_noticed(monkeypatch):
    """The demo believes the pin, not the 2.04."""
    monkeypatch.setattr(story, "_LOOK_S", 0.1)

    class Dark:
        """A room whose LED never shines."""

        def get(self, name):
            """Every output is 0."""
            return 0

    with pytest.raises(Timeout, match="the board's led is 0 and should be 1"):
        asyncio.run(story.Story(None, Dark())._see("led", 1))
