"""One board of a soak: a process of tools.device, and what of it can be counted."""

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

from tools.mpy import ROOT

PROGRAM = Path(__file__).parent / "programs" / "soaked.py"
# A message is given up after 0.3 s * (2 ** 3 - 1) = 2.1 s, at most 3.2 s; so what takes minutes takes seconds.
LIMITS = {"ACK_TIMEOUT_ms": 300, "MAX_RETRANSMIT": 2, "MAX_LATENCY_ms": 1000, "RETRY_FIRST_s": 1, "RETRY_MAX_s": 4}
LIMITS |= {"SAMPLE_ms": 200, "BLOCK_SIZE": 128, "INSTANCES": 8, "HANDSHAKE_s": 4}
LIFETIME_s = 20


class Board:
    """A board at `uri` with its flash in `folder`; `lines` are the last that it has printed."""

    def __init__(self, name: str, interpreter: str, folder: Path, uri: str, *options: str):
        self.name, self.interpreter, self.folder = name, interpreter, folder
        words = ["--server", uri, "--endpoint", name, "--interpreter", interpreter, "--state-dir", str(folder)]
        words += ["--program", str(PROGRAM), "--lifetime", str(LIFETIME_s), "--log", "warning", *options]
        for limit, value in LIMITS.items():
            words += ["--set", f"{limit}={value}"]
        self._words = words
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task | None = None
        self.lines: list[str] = []
        self.starts = 0

    async def start(self) -> None:
        """Switch it on."""
        self.starts += 1
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tools.device", *self._words),
            cwd=ROOT,
            stdin=nothing,
            stdout=pipe,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process and self._process.stdout
        async for line in self._process.stdout:
            self.lines = [*self.lines[-20:], line.decode(errors="replace").rstrip()]

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.returncode is None

    def pids(self) -> list[int]:
        """The board's supervisor and the interpreter that it runs; Linux alone tells."""
        assert self._process
        found = [self._process.pid]
        for pid in found:
            with contextlib.suppress(OSError):
                found += [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return found

    def descriptors(self) -> int:
        """How many files and sockets they have open."""
        count = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                count += len(os.listdir(f"/proc/{pid}/fd"))
        return count

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all of it."""
        for pid in self.pids():
            with contextlib.suppress(OSError):
                os.kill(pid, number)

    async def kill(self) -> None:
        """Power off."""
        self.signal(signal.SIGKILL)
        await self._gone()

    async def stop(self) -> int | None:
        """As Ctrl-C: it de-registers; the exit status."""
        assert self._process
        if self.runs:
            self._process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), 20)
        if self.runs:
            await self.kill()
        await self._gone()
        return self._process.returncode

    async def _gone(self) -> None:
        assert self._process and self._reader
        await self._process.wait()
        await self._reader
