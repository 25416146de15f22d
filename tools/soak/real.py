"""Minutes of real time: boards on both Pythons, each behind a network of its own, a lab server, and everything at
random. In the end each board is registered once, is served, and nobody has more open or more in use than before."""

import asyncio
import contextlib
import gc
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from host_tests.interop.network import Proxy
from tools.lab import LabError, LabServer
from tools.lab.credentials import Credentials
from tools.lab.events import Event
from tools.lab.listening import Security

from .board import Board

LABEL, NUMBER, COUNT, ADD, SLOW, NOTE, HEAP = (f"/32770/0/{rid}" for rid in range(7))
_NOISE = {"unix": 6 << 10, "cpython": 48 << 10}  # bytes on the heap: what has grown once stays as big
_PEACE_s = 60  # at most, until every board is there again


class SoakError(Exception):
    """Something is not where it began; one sentence."""


class Life:
    """One board, its network, and what was in use when its present life began. One that is `spared` is never switched
    off: it has to show that nothing grows."""

    def __init__(self, board: Board, proxy: Proxy, spared: bool = False):
        self.board, self.proxy, self.spared = board, proxy, spared
        self.heap = self.descriptors = 0


class Soak:
    """`seconds` of it, by a seed. Of each of `interpreters` there is a board with coap and one with coaps."""

    def __init__(self, seconds: float, seed: int, folder: Path, interpreters: list[str]):
        self.seconds, self.folder, self.interpreters = seconds, folder, interpreters
        self.credentials = Credentials()
        self.restarts = asyncio.Lock()  # one at a time
        self.chance = random.Random(seed)
        self.lives: list[Life] = []
        self.counts: dict[str, int] = {}
        self.surprises: list[str] = []  # what nobody has caught
        self.answers = self.errors = self.notifications = 0

    async def run(self) -> None:
        """All of it. Raises SoakError."""
        asyncio.get_running_loop().set_exception_handler(self._surprised)
        async with contextlib.AsyncExitStack() as stack:
            self.server = self._new_server(0, 0)
            await self.server.start()
            stack.push_async_callback(self._close)
            for interpreter in self.interpreters:
                await self._add(stack, interpreter, False)
                await self._add(stack, interpreter, True)
            await self._everything()

    async def _close(self) -> None:
        await self.server.close()  # the one that is there then

    def _surprised(self, loop: asyncio.AbstractEventLoop, context: dict) -> None:
        self.surprises.append(f"{context['message']}: {context.get('exception')!r}")
        loop.default_exception_handler(context)

    def _new_server(self, port: int, secure_port: int) -> LabServer:
        server = LabServer(port=port, security=Security(secure_port, self.credentials), timeout_s=4)
        server.add_listener(self._heard)
        return server

    async def _add(self, stack: contextlib.AsyncExitStack, interpreter: str, is_secure: bool) -> None:
        """One more board, behind a network of its own."""
        name = f"board-{len(self.lives) + 1}"
        port = self.server.secure_port if is_secure else self.server.port
        assert port
        proxy = await stack.enter_async_context(Proxy.before(port, seed=self.chance.randrange(1 << 30)))
        folder, uri, words = self.folder / name, proxy.uri, []
        folder.mkdir()
        if is_secure:
            identity, key = self.credentials.new_psk(name)
            uri, words = uri.replace("coap:", "coaps:"), ["--psk-identity", identity.decode(), "--psk-key", key.hex()]
        board = Board(name, interpreter, folder, uri, *words)
        await board.start()
        stack.push_async_callback(board.stop)
        self.lives.append(Life(board, proxy, is_secure != (interpreter == self.interpreters[0])))

    def _heard(self, event: Event) -> None:
        if event.kind == "notify":
            self.notifications += 1

    async def _everything(self) -> None:
        for life in self.lives:
            await self._settled(life)
            await self._begin(life)
        own = self._own_descriptors()
        until = time.monotonic() + self.seconds
        await asyncio.gather(*(self._live(life, until) for life in self.lives))
        await self._peace()
        for life in self.lives:
            await self._check(life)
        gc.collect()  # tasks that failed unseen are seen then
        if self.surprises:
            raise SoakError(f"{len(self.surprises)} exceptions in the server that nobody caught: {self.surprises[0]}")
        if (now := self._own_descriptors()) > own:
            raise SoakError(f"the server had {own} files and sockets open in the beginning, and has {now} in the end")

    @staticmethod
    def _own_descriptors() -> int:
        """What this process, and with it the server, has open; 0 where nobody tells."""
        return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

    # -- what happens -----------------------------------------------------------------------------------------------

    async def _live(self, life: Life, until: float) -> None:
        """One event after the other, for one board; the server is everybody's."""
        while time.monotonic() < until:
            name, act = self.chance.choice(_EVENTS)
            self.counts[name] = self.counts.get(name, 0) + 1
            await act(self, life)
            await asyncio.sleep(self.chance.random())

    async def _surely(self, operation: Awaitable) -> object | None:
        """The answer, or None: the device may be away, and does not have to answer."""
        try:
            found = await operation
            self.answers += 1
            return found
        except LabError:
            self.errors += 1
            return None

    async def _ask(self, life: Life) -> None:
        name, server, number = life.board.name, self.server, self.chance.randrange(1000)
        await self._surely(
            self.chance.choice(
                (
                    lambda: server.read(name, "/32770/0"),
                    lambda: server.read(name, "/3303/0/5700"),
                    lambda: server.write(name, NUMBER, number),
                    lambda: server.write(name, LABEL, "x" * (number % 300)),
                    lambda: server.write(name, NOTE, bytes(number % 400)),
                    lambda: server.execute(name, ADD),
                    lambda: server.execute(name, SLOW),
                    lambda: server.discover(name, "/32770"),
                    lambda: server.observe(name, "/3303/0/5700"),
                    lambda: server.observe(name, NUMBER),
                    lambda: server.cancel(name, NUMBER),
                    lambda: server.write_attributes(name, NUMBER, {"pmin": 1, "pmax": 2}),
                    lambda: server.create(name, "/32771", {0: "a note"}),
                    lambda: server.delete(name, f"/32771/{number % 4}"),
                    lambda: server.execute(name, "/1/0/8"),
                )
            )()
        )

    async def _flood(self, life: Life) -> None:
        await asyncio.gather(*(self._surely(self.server.read(life.board.name, LABEL)) for _ in range(60)))

    async def _kill(self, life: Life) -> None:
        if life.spared:
            return
        await life.board.kill()
        await asyncio.sleep(self.chance.random())
        await life.board.start()
        life.heap = 0  # another life, measured anew in peace

    async def _reboot(self, life: Life) -> None:
        """The device's own restart, of which the server knows the reason."""
        if life.spared:
            return
        await self._surely(self.server.execute(life.board.name, "/3/0/4"))
        life.heap = 0

    async def _stop_and_go(self, life: Life) -> None:
        life.board.signal(signal.SIGSTOP)
        await asyncio.sleep(self.chance.random() * 4)
        life.board.signal(signal.SIGCONT)

    async def _cut(self, life: Life) -> None:
        life.proxy.cut = True
        await asyncio.sleep(self.chance.random() * 6)
        life.proxy.cut = False

    async def _weather(self, life: Life) -> None:
        life.proxy.loss = life.proxy.repeats = self.chance.choice((0, 0, 0.05, 0.3))
        life.proxy.delay_s = self.chance.choice((0, 0.05, 0.3))

    async def _rebind(self, life: Life) -> None:
        await life.proxy.rebind()

    async def _restart_server(self, life: Life) -> None:
        """Cleanly, with its registrations; or hard, as one that knows nobody."""
        async with self.restarts:
            ports = self.server.port, self.server.secure_port
            await self.server.close()
            await asyncio.sleep(self.chance.random() * 3)
            if self.chance.random() < 0.5:
                self.server = self._new_server(*ports)
            await self.server.start()

    # -- peace --------------------------------------------------------------------------------------------------------

    async def _peace(self) -> None:
        for life in self.lives:
            life.proxy.loss = life.proxy.repeats = life.proxy.delay_s = 0
            life.proxy.cut = False
        for life in self.lives:
            await self._settled(life)
            if not life.heap:
                await self._begin(life)
            await self._tidy(life)

    async def _settled(self, life: Life) -> None:
        """Wait until the board answers. Raises SoakError."""
        until = time.monotonic() + _PEACE_s
        while time.monotonic() < until:
            if not life.board.runs:
                break
            with contextlib.suppress(LabError):
                await self.server.read(life.board.name, LABEL)
                return
            await asyncio.sleep(0.2)
        state = "" if life.board.runs else ", and has ended"
        raise SoakError(f"{life.board.name} is not served within {_PEACE_s} s{state}: {life.board.lines}")

    async def _tidy(self, life: Life) -> None:
        name = life.board.name
        for iid in range(8):
            with contextlib.suppress(LabError):
                await self.server.delete(name, f"/32771/{iid}")
        for path, value in ((LABEL, ""), (NOTE, b""), (NUMBER, 0)):
            await self.server.write(name, path, value)
        await self.server.write_attributes(name, NUMBER, {"pmin": None, "pmax": None})
        for path in (NUMBER, "/3303/0/5700"):
            with contextlib.suppress(LabError):
                await self.server.observe(name, path)
                await self.server.cancel(name, path)

    async def _begin(self, life: Life) -> None:
        """Do once what opens the rooms of the client, and measure."""
        for _ in range(3):
            for _ in range(12):
                await self._ask(life)
            for act in (ADD, SLOW, "/1/0/8"):
                await self._surely(self.server.execute(life.board.name, act))
            await self._surely(self.server.write(life.board.name, NOTE, bytes(400)))
            await self._surely(self.server.create(life.board.name, "/32771", {0: "a note"}))
            await self._flood(life)
        await self._tidy(life)
        life.heap, life.descriptors = await self._heap(life), life.board.descriptors()

    async def _heap(self, life: Life) -> int:
        found = []
        for _ in range(5):
            found.append(int((await self.server.read(life.board.name, HEAP)).value))
        return max(found)

    async def _check(self, life: Life) -> None:
        name = life.board.name
        await self.server.write(name, NUMBER, 4711)
        told = int((await self.server.read(name, NUMBER)).value)
        await self.server.write(name, NUMBER, 0)
        if told != 4711:
            raise SoakError(f"{name} has {told} where 4711 was written")
        if len([one for one in self.server.registrations if one.endpoint == name]) != 1:
            raise SoakError(f"{name} is not registered once")
        if (now := life.board.descriptors()) > life.descriptors:
            raise SoakError(f"{name} had {life.descriptors} files and sockets open, and has {now}")
        grown = await self._heap(life) - life.heap
        if grown > _NOISE[life.board.interpreter]:
            raise SoakError(f"{name} has {grown} bytes more on its heap than in the beginning")


_Act = Callable[[Soak, Life], Awaitable[None]]
_EVENTS: list[tuple[str, _Act]] = [
    *[("request", Soak._ask)] * 24,
    ("flood", Soak._flood),
    ("kill", Soak._kill),
    ("reboot", Soak._reboot),
    ("stop", Soak._stop_and_go),
    ("cut", Soak._cut),
    ("weather", Soak._weather),
    ("weather", Soak._weather),
    ("NAT", Soak._rebind),
    ("server", Soak._restart_server),
]
