"""Hours in seconds: an event loop with a clock of its own, for a whole device and a whole server in one process.

The sockets are real ones of loopback, which hands a datagram over before `send` returns; so when no socket is readable
nothing is under way, and the clock can jump to the next timer. The device is the product as it is, runner and transport
included; only its clock is the loop's. OpenSSL's clock is its own: in virtual time a DTLS handshake repeats nothing.
"""

import asyncio
import contextlib
import random
import selectors
import socket
import time
from collections.abc import AsyncIterator, Coroutine
from unittest import mock

from lwm2m import Client
from lwm2m.config import Config
from lwm2m.credentials import make
from tools.lab import LabServer
from tools.lab.credentials import Credentials
from tools.lab.listening import Security

ENDPOINT = "virtual"
IDENTITY, KEY = b"virtual", bytes(range(16))
_SETTLE_s = 0.00002  # what a busy machine may need to hand a datagram over after all, in real time
_LONGEST_RUN_s = 10_000_000


class _Selector(selectors.DefaultSelector):
    """Never waits: it moves the loop's clock."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list:
        found = super().select(0)
        if found or timeout == 0:
            return found
        time.sleep(_SETTLE_s)
        found = super().select(0)
        if found:
            return found
        assert timeout is not None, "nothing will ever happen again"
        self.now_s += max(0, timeout)
        assert self.now_s < _LONGEST_RUN_s, "this goes on for months"
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """time() is what the timers say, not what the wall says."""

    def __init__(self) -> None:
        self._moving = _Selector()
        super().__init__(self._moving)
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._moving.now_s

    async def getaddrinfo(self, host, port, *, family=0, type=0, proto=0, flags=0):
        """Without a thread, for which the clock would not wait."""
        return socket.getaddrinfo(host, port, family, type, proto, flags)


class _Clock:
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._start_s = self._loop.time()

    def ms(self) -> int:
        return int((self._loop.time() - self._start_s) * 1000)


def run(main: Coroutine, seed: int = 1) -> None:
    """Run a coroutine to its end in virtual time; chance, aiocoap's included, is that of the seed."""
    random.seed(seed)
    with (
        mock.patch("lwm2m.runner.Clock", _Clock),
        mock.patch("lwm2m.transport.dtls.Clock", _Clock),
        asyncio.Runner(loop_factory=VirtualLoop) as runner,
    ):
        runner.run(main)


def now_s() -> float:
    """Virtual seconds since the start."""
    return asyncio.get_running_loop().time()


def server(port: int = 0, timeout_s: float = 200, secure: bool = False) -> LabServer:
    """A lab server in the time of the loop; a secure one has coaps in place of coap, and knows the device's key."""
    clock = asyncio.get_running_loop().time
    if not secure:
        return LabServer(port=port, timeout_s=timeout_s, clock=clock)
    credentials = Credentials()
    credentials.add_psk(ENDPOINT, IDENTITY, KEY)
    return LabServer(port=None, security=Security(port, credentials), timeout_s=timeout_s, clock=clock)


def device(uri: str | list[str], objects=(), seed: int = 1, lifetime: int = 3600, **bounds) -> Client:
    """A client of these servers; `randbelow` is that of the seed, and `states` [(when in s, state)] are kept."""
    servers = []
    for number, one in enumerate([uri] if isinstance(uri, str) else uri, 1):
        servers.append({"uri": one, "ssid": number, "lifetime": lifetime, "binding": "U"})
        if one.startswith("coaps"):
            psk = {"psk_identity": IDENTITY.decode(), "psk_key": KEY.hex()}
            servers[-1]["security"] = make(servers[-1], psk)
    client = Client(ENDPOINT, servers, Config(**bounds), "1.1", random.Random(seed).randrange)
    client.states = []
    client.on_event = lambda state, _: client.states.append((now_s(), state))
    for obj in objects:
        client.add(obj)
    return client


@contextlib.asynccontextmanager
async def running(client: Client) -> AsyncIterator[Client]:
    """The client runs; at the end it is cancelled, as by Ctrl-C."""
    task = asyncio.create_task(client.run())
    try:
        yield client
    finally:
        assert not task.done(), "the client ended"
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def block(seconds: float) -> None:
    """Time passes in which the whole process does nothing."""
    asyncio.get_running_loop()._moving.now_s += seconds


async def until(condition, limit_s: float, pause_s: float = 0.05) -> float:
    """Wait until `condition()` is true, at most limit_s; returns how long it took. Raises AssertionError."""
    start = now_s()
    while not condition():
        assert now_s() - start <= limit_s, f"not within {limit_s} s"
        await asyncio.sleep(pause_s)
    return now_s() - start
