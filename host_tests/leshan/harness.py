"""Eclipse Leshan as two processes, an LwM2M server and a bootstrap server, each behind java/Harness.java: commands in,
answers and events out, as lines of JSON."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
LESHAN = ROOT / "build" / "leshan"
REGISTRY = ROOT / "tools" / "lab" / "registry" / "objects.json"
SET_UP_LIMIT_S = 200  # pytest ends a test after 300
START_LIMIT_S = 30
ANSWER_LIMIT_S = 30
EVENT_LIMIT_S = 10

# How long Leshan holds a device in queue mode for awake after its last message; our rows give the device the same.
AWAKE_MS = 2000

Event = dict
Wanted = Callable[[Event], bool]


class LeshanError(Exception):
    """Leshan could not be made to send a request, or got no response; Leshan's own words."""


def set_up() -> str:
    """Download and compile what is missing; returns why that failed, or ""."""
    script = str(ROOT / "tools" / "setup_leshan.sh")
    pipe = subprocess.PIPE
    with subprocess.Popen(["sh", script], stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        try:
            _, words = process.communicate(timeout=SET_UP_LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return f"Leshan was not downloaded within {SET_UP_LIMIT_S} s; sh tools/setup_leshan.sh goes on with it"
    return words.strip() or f"setup_leshan.sh ended with {process.returncode}" if process.returncode else ""


class Harness:
    """One running server. `events` is what has happened so far, `ready` its first event, with its URI."""

    def __init__(self, process: asyncio.subprocess.Process):
        self.events: list[Event] = []
        self.endpoints: dict[int, str] = {}  # by the port they were last registered from
        self.ready: Event = {}
        self._process = process
        self._answers: dict[int, asyncio.Future] = {}
        self._told = asyncio.Condition()
        self._last = 0
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, part: str, name: str, *arguments: str) -> "Harness":
        """Start java with the class `name` of build/leshan/`part`."""
        classpath = f"{LESHAN / part / 'classes'}:{LESHAN / part / 'jars' / '*'}"
        options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xmx256m"]
        command = ["java", *options, "-cp", classpath, name, str(REGISTRY), *arguments]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, cwd=LESHAN, stdin=pipe, stdout=pipe, limit=1 << 22)
        harness = cls(process)
        harness.ready = await harness.wait(lambda event: event["event"] == "ready", 0, START_LIMIT_S)
        return harness

    async def stop(self) -> None:
        """End it: its stdin ends."""
        self._process.stdin.close()
        async with asyncio.timeout(10):
            await self._process.wait()
            await self._reader

    async def _read(self) -> None:
        while line := await self._process.stdout.readline():
            message = json.loads(line)
            if "event" in message:
                self.events.append(message)
                if "ep" in message and "port" in message:
                    self.endpoints[message["port"]] = message["ep"]
                async with self._told:
                    self._told.notify_all()
            elif message["id"] in self._answers:
                self._answers.pop(message["id"]).set_result(message)

    async def call(self, op: str, **values) -> dict:
        """One command and its answer; raises LeshanError if there is none but an error."""
        answer = await self._call(op, **values)
        if "error" in answer:
            raise LeshanError(answer["error"])
        return answer

    async def _call(self, op: str, **values) -> dict:
        self._last += 1
        number = self._last
        self._answers[number] = asyncio.get_running_loop().create_future()
        line = json.dumps(
            {"id": number, "op": op, **{name: value for name, value in values.items() if value is not None}}
        )
        self._process.stdin.write(line.encode() + b"\n")
        async with asyncio.timeout(ANSWER_LIMIT_S):
            return await self._answers[number]

    def mark(self) -> int:
        """Now, as a place in `events`: for `since`."""
        return len(self.events)

    def seen(self, wanted: Wanted, since: int = 0) -> list[Event]:
        """The events that have happened since a mark."""
        return [event for event in self.events[since:] if wanted(event)]

    async def wait(self, wanted: Wanted, since: int, timeout_s: float = EVENT_LIMIT_S, times: int = 1) -> Event:
        """The n-th event of this kind since a mark; waits until it happens."""
        try:
            async with asyncio.timeout(timeout_s), self._told:
                while len(found := self.seen(wanted, since)) < times:
                    assert not self._reader.done(), "Leshan ended"
                    await self._told.wait()
                return found[times - 1]
        except TimeoutError:
            happened = "\n".join(str(event)[:300] for event in self.events[since:][-30:])
            raise AssertionError(f"not within {timeout_s} s; what happened instead:\n{happened}") from None


@contextlib.asynccontextmanager
async def running(part: str, name: str, *arguments: str) -> AsyncIterator[Harness]:
    """A server for as long as the block lasts."""
    harness = await Harness.start(part, name, *arguments)
    try:
        yield harness
    finally:
        await harness.stop()
