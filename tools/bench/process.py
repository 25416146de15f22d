"""What is measured runs in processes of its own: how they start, what they cost, how they end."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tools import mpy

from .server import Server

PROGRAMS = Path(__file__).parent / "programs"
_HEAP = 320 << 10  # bytes, as tools.device gives


class BenchError(Exception):
    """Something cannot be measured here; one sentence."""


def micropython() -> str:
    """The Unix port. Raises BenchError."""
    found = mpy.micropython()
    if found is None:
        raise BenchError("no MicroPython for this machine: set MICROPYTHON=/path/to/micropython")
    return found


class Process:
    """One process; leave it with `end` or as a context manager. `folder` is its working directory, thrown away."""

    def __init__(self, command: list[str], files: dict[str, str] | None = None, path: str = ""):
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        for name, text in (files or {}).items():
            Path(self._folder.name, name).write_text(text)
        self._process = subprocess.Popen(
            command,
            cwd=self._folder.name,
            env={**os.environ, "MICROPYPATH": ".frozen:" + path, "BOARD_CHIP": "esp32"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._output: str | None = None

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> str:
        """Stop it; returns everything that it printed."""
        if self._output is None:
            self._process.kill()
            self._output, _ = self._process.communicate()
            self._folder.cleanup()
        return self._output

    def cpu_s(self) -> float:
        """User and system time so far. Linux counts in ns; elsewhere `ps` gives hundredths of a second."""
        try:
            return int(Path(f"/proc/{self._process.pid}/schedstat").read_text().split()[0]) / 1e9
        except FileNotFoundError:
            words = subprocess.run(
                ["ps", "-o", "time=", "-p", str(self._process.pid)], capture_output=True, text=True
            ).stdout
            return sum(float(part) * 60**place for place, part in enumerate(reversed(re.split("[-:]", words.strip()))))

    def wake_ups(self) -> int:
        """How often it has gone to sleep so far. Raises BenchError where the system does not say."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text()
        except FileNotFoundError:
            raise BenchError("this system does not count wake-ups (it has no /proc)") from None
        return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])


def device(
    server: Server, program: str = "device.py", heap: int = _HEAP, lifetime_s: int = 86400, **limits: int
) -> Process:
    """MicroPython with a program of this folder, lib/ from .mpy, towards a server."""
    command = [micropython(), "-X", f"heapsize={heap}", str(PROGRAMS / program)]
    return Process(command, {"config.json": _config(server, lifetime_s, limits)}, _library())


def virtual_board(server: Server, heap: int) -> Process:
    """The demo itself, boot.py and main.py on a virtual board; lib/ and the make-believe hardware from .mpy."""
    modules = mpy.deployed(mpy.ROOT / "tools/board/modules")
    files = [str(mpy.ROOT / name) for name in ("tools/board/start.py", "boot.py", "main.py")]
    command = [micropython(), "-X", f"heapsize={heap}", *files]
    return Process(command, {"config.json": _config(server, 86400, {})}, f"{modules}:{_library()}")


def echo(port: int, program: str = "echo.py") -> Process:
    """A UDP echo in the same interpreter."""
    return Process([micropython(), "-X", f"heapsize={_HEAP}", str(PROGRAMS / program), str(port)], path=_library())


def peer(port: int, paths: list[str]) -> Process:
    """aiocoap's server on this Python."""
    return Process([sys.executable, str(PROGRAMS / "peer.py"), str(port), *paths])


def free_port() -> int:
    """A UDP port that nobody uses at the moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def evaluate(expression: str) -> str:
    """What an otherwise empty MicroPython prints for an expression over gc and sys."""
    program = f"import gc, sys; gc.collect(); print({expression})"
    return subprocess.run([micropython(), "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def _library() -> str:
    return str(mpy.deployed())


def _config(server: Server, lifetime_s: int, limits: dict[str, int]) -> str:
    uri = f"coap://127.0.0.1:{server.port}"
    config = {"endpoint": "dev1", "server": uri, "lifetime": lifetime_s, "log": "error", "limits": limits}
    return json.dumps(config)
