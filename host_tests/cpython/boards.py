"""What the tests of the virtual board share: its modules in this process, and a whole board as a process."""

import importlib
import subprocess
import sys
import time
from pathlib import Path

from tools.board import Steering, SteeringError

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "tools" / "board" / "modules"


class Bench:
    """The fakes and the drivers, freshly imported into this process, with a clock that the test or a sleep moves."""

    def __init__(self, monkeypatch, chip="esp32"):
        self._monkeypatch = monkeypatch
        monkeypatch.syspath_prepend(str(MODULES))
        monkeypatch.setenv("BOARD_CHIP", chip)
        monkeypatch.delenv("BOARD_LINK", raising=False)
        for name in [*sys.modules]:
            if (MODULES / f"{name}.py").exists() or name.split(".")[0] == "sensors":
                monkeypatch.delitem(sys.modules, name)
        monkeypatch.setattr(time, "sleep", lambda s: self.pass_ms(s * 1000))
        self.now_ms = 1000
        self.sim = importlib.import_module("board_sim")
        self.sim.now_ms = lambda: self.now_ms
        self.sim.facts["chip"] = chip
        self.shown = {}
        self.sim.show = self.shown.__setitem__

    def load(self, name):
        """Import a module of the board."""
        module = importlib.import_module(name)
        self._monkeypatch.setitem(sys.modules, name, module)  # so that it is gone after the test
        return module

    def set(self, **values):
        """Change the world as the supervisor does; two underscores stand for a dot."""
        self.sim._take({"set": {name.replace("__", "."): value for name, value in values.items()}})

    def pass_ms(self, ms):
        """Let time go by and timers run."""
        self.now_ms += ms
        self.sim.poll()


class Board:
    """A virtual board in a process of its own, from `python -m tools.device`; use it in a with statement."""

    def __init__(self, folder, program, *options, interpreter="unix"):
        """`program` is the text of a main.py; the state directory is folder/state."""
        self.folder = Path(folder)
        (self.folder / "main.py").write_text(program)
        self.control = self.folder / "c"
        state = [] if "--state-dir" in options else ["--state-dir", str(self.folder / "state")]
        self._command = [
            *(sys.executable, "-m", "tools.device", "--program", str(self.folder / "main.py")),
            *("--control", str(self.control), "--interpreter", interpreter, *state, *options),
        ]
        self.steering = Steering(self.control)
        self._seen = ""

    def __enter__(self):
        self._log = open(self.folder / "log", "w+")
        self.process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a process group of its own, as a terminal gives it to a command
        )
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.wait()
        self._log.close()

    def wait(self, timeout_s=15):
        """The exit status."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the board did not end; it said:\n{self.output}") from None

    @property
    def output(self):
        """Everything that was printed so far."""
        return (self.folder / "log").read_text()

    def expect(self, text, timeout_s=10):
        """Wait until the board has printed `text`."""
        self.until(lambda: text in self.output, f"{text!r} in what was printed", timeout_s)

    def until(self, condition, what, timeout_s=10):
        """Wait until condition() is true; AssertionError with the output if it never is."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            ended = self.process.poll() is not None
            if (ended and not condition()) or time.monotonic() > deadline:
                raise AssertionError(f"waited for {what}; the board said:\n{self.output}")
            time.sleep(0.01)

    def get(self, name):
        """A value of the world or an output, None while nobody answers."""
        try:
            return self.steering.get(name)
        except SteeringError:
            return None
