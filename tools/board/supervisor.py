"""The virtual board's power, reset logic and watchdog: keeps one interpreter running, and starts it again when it must.

The interpreter says over a socket pair what a chip would do (modules/board_sim.py tells the protocol); this side stops
the process at once, as a reset does, and starts a new one with the reset cause and the memory that survives.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from tools.board.modules import board_world
from tools.board.room import Room
from tools.board.steering import SteeringError, address_of

STOP_LIMIT_S = 10.0  # what the program gets for its de-registration
_NOTICE_S = 0.5  # within which the board answers that it has been asked to stop
_CAUSES = {"power-on": 1, "hard": 2, "watchdog": 3, "deepsleep": 4, "soft": 5}  # machine.*_RESET
_TIMER_WAKE = 4


class SupervisorError(Exception):
    """The board cannot be started; one sentence."""


class Supervisor:
    """Runs one virtual board until its program ends or somebody stops it."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        state_dir: Path,
        chip: str,
        mac: str,
        control: str | None = None,
    ):
        self._command = command
        self._environment = {**os.environ, **environment, "BOARD_CHIP": chip}
        self._state_dir = state_dir
        self._control = control
        self._facts = {"chip": chip, "mac": mac, "state_dir": str(state_dir), "steered": control is not None}
        self._power_on()
        self.room = Room(chip)
        self.room.changed = self._changed
        self.room.reset = lambda: self._kill("power-on")
        self._process: asyncio.subprocess.Process | None = None
        self._line: asyncio.StreamWriter | None = None
        self._ending = ""  # why the process was killed
        self._sleep: dict = {}
        self._woken = asyncio.Event()
        self._watchdog: asyncio.TimerHandle | None = None
        self._stopping = False
        self._stopped_s = 0.0
        self._noticed = False  # whether the board knows that it has to stop

    async def run(self) -> int:
        """The program's exit status; 0 when it was stopped by SIGINT or SIGTERM."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        async with contextlib.AsyncExitStack() as stack:
            if self._control is not None:
                await stack.enter_async_context(self._serving(self._control))
            cause = "power-on"
            while True:
                status = await self._live(cause)
                if self._stopping:
                    return status if status > 0 else 0
                if not self._ending:
                    return self._died(status)
                cause = self._ending
                if cause == "deepsleep":
                    await self._asleep()
                    if self._stopping:
                        return 0
                    cause = self._ending  # EN wakes, too

    async def _live(self, cause: str) -> int:
        """One life of the interpreter, from start to exit; its exit status."""
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        if cause == "power-on":
            self._power_on()
        self._facts["reset_cause"] = _CAUSES[cause]
        self._facts["wake_reason"] = self._sleep.get("reason", 0) if cause == "deepsleep" else 0
        self.room.outputs.clear()
        self.room.state.update(state="running", starts=self.room.state["starts"] + 1, cause=cause)
        self._ending, self._sleep = "", {}
        reader, self._line = await asyncio.open_connection(sock=ours)
        self._tell({"facts": self._facts, "set": self.room.world})
        self._process = await self._start(theirs)
        theirs.close()
        if self._stopping:  # the signal came while the interpreter was being started
            self._ask_to_stop()
        listening = asyncio.create_task(self._listen(reader))
        status = await self._process.wait()
        await listening
        self._feed(None)
        self._line.close()
        self._process = self._line = None
        return status

    async def _start(self, link: socket.socket) -> asyncio.subprocess.Process:
        try:
            return await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                cwd=self._state_dir,
                env={**self._environment, "BOARD_LINK": str(link.fileno())},
                pass_fds=[link.fileno()],
                start_new_session=True,  # Ctrl-C in the terminal must reach the program once, by us
                umask=0o077,  # what it writes may hold keys
            )
        except OSError as error:
            raise SupervisorError(f"{self._command[0]} cannot be started: {error.strerror}") from error

    def _power_on(self) -> None:
        self._facts.update(rtc_memory="", rtc_offset_s=0)

    def _died(self, status: int) -> int:
        if status >= 0:
            return status
        print(f"board: the interpreter died of {signal.Signals(-status).name}", file=sys.stderr)
        return 1

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        """Do what the board says, until the process is gone and with it the other end."""
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                self._heed(json.loads(line))

    def _heed(self, message: dict) -> None:
        for name, value in message.get("show", {}).items():
            self.room.outputs[name] = value
            if value is None:
                del self.room.outputs[name]
        self._facts.update(message.get("rtc", {}))
        self._noticed = self._noticed or "stopping" in message
        if "wdt" in message:
            self._feed(message["wdt"])
        if "leave" in message:
            self._sleep = message["leave"]
            self._kill(message["leave"]["kind"])

    def _tell(self, message: dict) -> None:
        if self._line:
            self._line.write(json.dumps(message).encode() + b"\n")

    def _changed(self, changes: dict) -> None:
        """The room changed: tell the board, or wake it if that is what it sleeps for."""
        self._tell({"set": {name: self.room.world.get(name) for name in changes}})
        for reason, pins, level in self._sleep.get("wake", ()):
            if board_world.wakes(self.room.world, pins, level):
                self._sleep["reason"] = reason
                self._woken.set()

    def _feed(self, timeout_ms: int | None) -> None:
        if self._watchdog:
            self._watchdog.cancel()
            self._watchdog = None
        if timeout_ms:
            loop = asyncio.get_running_loop()
            self._watchdog = loop.call_later(timeout_ms / 1000, self._bark)

    def _bark(self) -> None:
        # On a busy PC the saving message may have come and wait to be read: read first.
        self._watchdog = asyncio.get_running_loop().call_later(0.05, self._kill, "watchdog")

    def _kill(self, why: str) -> None:
        """Stop the process as a reset does: at once."""
        if self.room.state["state"] == "asleep":
            self._ending = why
            self._woken.set()
        elif self._process and self._process.returncode is None and not self._ending:
            self._ending = why
            print(f"board: {why}{'' if why == 'deepsleep' else ' reset'}", file=sys.stderr)
            self._process.kill()

    async def _asleep(self) -> None:
        """Deep sleep: until the time is over, a pin wakes it, or somebody presses EN or stops us."""
        self.room.state["state"] = "asleep"
        self._woken.clear()
        self._changed({})  # a pin may be at its level already
        self._sleep.setdefault("reason", _TIMER_WAKE)
        ms = self._sleep.get("ms")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), None if ms is None else ms / 1000)

    def _stop(self) -> None:
        """Ctrl-C or SIGTERM: let the program de-register. A second signal, or 10 s, end our patience."""
        now = asyncio.get_running_loop().time()
        if self._stopping:
            if now - self._stopped_s > 1:  # a terminal, make and a parent may all pass on the same Ctrl-C
                self._end()
            return
        self._stopping, self._stopped_s = True, now
        self._woken.set()
        if self._process and self._process.returncode is None:
            self._ask_to_stop()
            asyncio.get_running_loop().call_later(STOP_LIMIT_S, self._end)

    def _ask_to_stop(self) -> None:
        """Ctrl-C by word. A signal would hit MicroPython anywhere, also where its heap is locked to collect garbage: it
        is for programs that never look at their board."""
        self._tell({"stop": True})
        asyncio.get_running_loop().call_later(_NOTICE_S, self._interrupt)

    def _interrupt(self) -> None:
        if self._process and self._process.returncode is None and not self._noticed:
            self._process.send_signal(signal.SIGINT)

    def _end(self) -> None:
        if self._process and self._process.returncode is None:
            print("board: the program did not end by itself and was killed", file=sys.stderr)
            self._process.kill()

    @contextlib.asynccontextmanager
    async def _serving(self, control: str) -> AsyncIterator[None]:
        """Listen to those who steer; a socket that others have made in its place meanwhile stays."""
        server = await self._serve_control(control)
        path = Path(control) if server.sockets[0].family == socket.AF_UNIX else None
        made = path and _file_at(path)
        async with server:
            try:
                yield
            finally:
                if path and made == _file_at(path):
                    path.unlink(missing_ok=True)

    async def _serve_control(self, control: str) -> asyncio.Server:
        try:
            family, address = address_of(control)
            if family == socket.AF_INET:
                return await asyncio.start_server(self._attend, *address)
            if _is_alive(Path(control)):
                raise SupervisorError(f"--control {control} is in use: another board listens there")
            return await asyncio.start_unix_server(self._attend, address)
        except SteeringError as error:
            raise SupervisorError(str(error)) from error
        except OSError as error:
            raise SupervisorError(f"--control {control} cannot be opened: {error.strerror or error}") from error

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one who steers, line by line, until they hang up or send an endless line."""
        with contextlib.suppress(ConnectionError, ValueError):
            while line := await reader.readline():
                writer.write(json.dumps(self.room.answer(line)).encode() + b"\n")
                await writer.drain()
        writer.close()


def _file_at(path: Path) -> tuple[int, int] | None:
    """Which file lies at this path: what tells it from any other; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_alive(path: Path) -> bool:
    """Whether somebody listens at this path; what a killed board leaves behind is dead."""
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(path))
        return True
    except OSError:
        return False
