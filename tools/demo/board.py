"""The demo's board: `python -m tools.device` in a process of its own, its lines passed on, steered through a socket."""

import asyncio
import contextlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.board import Steering
from tools.board.supervisor import STOP_LIMIT_S
from tools.mpy import ROOT


class Board:
    """A running board. `steering` is the way to its button, its sensors and its LED; `last_line` what it said last."""

    def __init__(self, process: asyncio.subprocess.Process, control: Path, heard: Callable[[str], None]):
        self.steering = Steering(control)
        self.control = control
        self.last_line = ""
        self._process = process
        self._heard = heard
        self._listening = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, folder: Path, options: Sequence[str], heard: Callable[[str], None]) -> "Board":
        """Switch it on, with options of tools.device; `heard` gets each line that it prints."""
        control = folder / "board.sock"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tools.device", "--control", str(control), *options),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        return cls(process, control, heard)

    async def ended(self) -> int:
        """Its exit status, once it has one."""
        await self._listening
        return await self._process.wait()

    async def end(self) -> int:
        """Ask it to end, which it does with a de-registration; its exit status."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            return await asyncio.wait_for(self._process.wait(), STOP_LIMIT_S + 5)
        except TimeoutError:
            self._process.kill()
            return await self._process.wait()
        finally:
            await self._listening

    async def _listen(self) -> None:
        assert self._process.stdout
        async for line in self._process.stdout:
            self.last_line = line.decode(errors="replace").rstrip()
            self._heard(self.last_line)
