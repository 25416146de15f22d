"""A virtual board in a process of its own, as `make device` starts it: its lines, its room, its end."""

import asyncio
import contextlib
import json
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from host_tests.interop.network import ScriptedServer
from tools.board.steering import Steering
from tools.lab import LabServer

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "programs"
ENDPOINT = "board-1"

# CoAP's timers and ours, short enough for tests: a message is given up after 0.2 s * (2 ** 4 - 1) = 3 s, at most 4.5 s.
QUICK = {"ACK_TIMEOUT_ms": 200, "MAX_RETRANSMIT": 3, "RETRY_FIRST_s": 1, "SPREAD_s": 0, "SAMPLE_ms": 50}


class Board:
    """A running board. `lines` is what it has printed, stdout and stderr; `room` steers it, if it was started so."""

    def __init__(self, process: asyncio.subprocess.Process, state_dir: Path):
        self.lines: list[str] = []
        self.room = Steering(state_dir / "control")
        self.state_dir = state_dir
        self._process = process
        self._printed = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while line := await self._process.stdout.readline():
            self.lines.append(line.decode().rstrip("\n"))
            self._printed.set()
        self._printed.set()

    @property
    def runs(self) -> bool:
        return self._process.returncode is None

    def count(self, pattern: str) -> int:
        """How many lines match a regular expression so far."""
        return sum(bool(re.search(pattern, line)) for line in self.lines)

    async def printed(self, pattern: str, times: int = 1, timeout_s: float = 10) -> None:
        """Wait until so many lines match a regular expression."""
        async with asyncio.timeout(timeout_s):
            while self.count(pattern) < times:
                assert not self._reader.done(), f"the board ended without a line like {pattern!r}: {self.lines}"
                self._printed.clear()
                await self._printed.wait()

    async def warm(self, celsius: float) -> None:
        """Give the thermometer of programs/workshop.py something to read, and wait until it has."""
        pattern = rf"^thermometer: {celsius:.1f}$"
        before = self.count(pattern)
        self.room.voltage("knob", celsius * 50)
        await self.printed(pattern, before + 1)

    async def ended(self, timeout_s: float = 10) -> int:
        """Wait for the exit status."""
        async with asyncio.timeout(timeout_s):
            status = await self._process.wait()
            await self._reader
        return status

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal; returns the exit status. tools.device ends at the latest 10 s later."""
        self._process.send_signal(number)
        return await self.ended(15)


async def start(state_dir: Path, *arguments: str) -> Board:
    """Start `python -m tools.device` with these arguments."""
    command = [sys.executable, "-m", "tools.device", "--state-dir", str(state_dir), *arguments]
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdin=nothing, stdout=pipe, stderr=asyncio.subprocess.STDOUT
    )
    return Board(process, state_dir)


@contextlib.asynccontextmanager
async def running(
    *servers: str,
    program: str | None = None,
    steered: bool = False,
    options: tuple[str, ...] = (),
    config: dict | None = None,
    **limits: float,
) -> AsyncIterator[Board]:
    """A board towards these servers; at the end it must end well, and must have printed no trace of an error.

    `program` is one of programs/ in place of main.py, `limits` are bounds beside QUICK, `options` any of tools.device;
    `config` is what config.json says beside these.
    """
    with tempfile.TemporaryDirectory(prefix="interop-") as state_dir:
        if config:
            (Path(state_dir) / "config.json").write_text(json.dumps(config))
        arguments = ["--endpoint", ENDPOINT, *options]
        for server in servers:
            arguments += ["--server", server]
        if program:
            arguments += ["--program", str(PROGRAMS / program)]
        if steered:
            arguments += ["--control", str(Path(state_dir) / "control")]
        for name, value in {**QUICK, **limits}.items():
            arguments += ["--set", f"{name}={value}"]
        board = await start(Path(state_dir), *arguments)
        try:
            yield board
        finally:
            status = await board.stop() if board.runs else await board.ended()
            print(*board.lines, sep="\n")  # pytest shows them if the test fails
        assert status == 0
        assert not [line for line in board.lines if re.match("Traceback|error|board: the program did not", line)]


@contextlib.asynccontextmanager
async def registered(**options) -> AsyncIterator[tuple[LabServer, Board]]:
    """A lab server and a board that has registered there; the options are those of `running`."""
    async with LabServer(port=0) as server, running(server.uri, **options) as board:
        await server.wait_registered(ENDPOINT, 15)
        yield server, board


@contextlib.asynccontextmanager
async def scripted(program: str = "workshop.py", **options) -> AsyncIterator[tuple[ScriptedServer, Board]]:
    """A scripted server and a board that has registered there; the options are those of `running`."""
    async with ScriptedServer.open() as server, running(server.uri, program=program, **options) as board:
        await board.printed("-> REGISTERED")
        yield server, board


async def until(condition, timeout_s: float = 10, pause_s: float = 0.02) -> None:
    """Wait until `condition()` is true: for what nobody tells us about."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(pause_s)
