"""UDP on loopback for tests: a socket, a server whose every datagram the test sees, a proxy that loses and records."""

import asyncio
import contextlib
import random
import socket
from collections.abc import AsyncIterator, Callable

from packet import Packet, build

Address = tuple[str, int]


def free_port() -> int:
    """A UDP port that nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


class Socket(asyncio.DatagramProtocol):
    """A UDP socket; what arrives goes to `heard(datagram, address)`, and that is a queue unless somebody sets it."""

    transport: asyncio.DatagramTransport

    def __init__(self) -> None:
        self.arrived: asyncio.Queue[tuple[bytes, Address]] = asyncio.Queue()
        self.heard: Callable[[bytes, Address], None] = lambda data, address: self.arrived.put_nowait((data, address))

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, port: int = 0, host: str = "127.0.0.1", **options) -> AsyncIterator:
        """Bind to a port of loopback, 0 for any; closed at the end."""
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_datagram_endpoint(lambda: cls(**options), local_addr=(host, port))
        try:
            yield protocol
        finally:
            transport.close()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Address) -> None:
        self.heard(data, address)

    async def close(self) -> None:
        """Give the port back at once: from now on it is unreachable."""
        self.transport.close()
        await asyncio.sleep(0)  # asyncio closes in its next round

    @property
    def port(self) -> int:
        return self.transport.get_extra_info("sockname")[1]

    @property
    def uri(self) -> str:
        return f"coap://127.0.0.1:{self.port}"

    def send(self, datagram: bytes, address: Address) -> None:
        """Send, unless the test is over and this is what was under way."""
        if self.transport.is_closing():
            return
        if datagram:
            self.transport.sendto(datagram, address)
        else:  # which asyncio does not send
            with self.transport.get_extra_info("socket").dup() as sock:
                sock.sendto(b"", address)

    async def receive(self, timeout_s: float = 5) -> bytes:
        """The next datagram from anybody."""
        async with asyncio.timeout(timeout_s):
            return (await self.arrived.get())[0]


class ScriptedServer(Socket):
    """An LwM2M server of one device, with the codec of host_tests/shared/packet.py.

    The device's requests are kept in `requests` and answered by `answer(packet)`: a code, (code, options), or None for
    silence. Everything else that it sends, responses, notifications, ACK and RST, goes to `reply`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.heard = self._from_device
        self.device: Address | None = None
        self.requests: list[Packet] = []
        self.answer: Callable[[Packet], str | tuple | None] = self.accept
        self.last = b""  # the last request of ours
        self._replies: asyncio.Queue[Packet] = asyncio.Queue()
        self.relay: Callable[[bytes], None] = lambda data: self._replies.put_nowait(Packet(data))
        self._mid = random.randrange(0x10000)

    def accept(self, packet: Packet) -> str | tuple:
        """2.01 with a Location-Path, 2.04, 2.02: the answers of a server that is content."""
        if packet.path == "/rd":
            return "2.01", [(8, "rd"), (8, "1")]
        return "2.04" if packet.code == "POST" else "2.02"

    def _from_device(self, data: bytes, address: Address) -> None:
        self.device = address
        packet = Packet(data)
        if not packet.is_request:
            self.relay(data)
            return
        self.requests.append(packet)
        answer = self.answer(packet)
        if answer is not None:
            code, options = answer if isinstance(answer, tuple) else (answer, [])
            self.send(build("ACK", code, packet.mid, packet.token, options), address)

    def paths(self) -> list[str]:
        """What the device has asked for, without repeats of the same message: ["POST /rd", "POST /rd/1"]."""
        distinct = {packet.mid: f"{packet.code} {packet.path}" for packet in self.requests}
        return list(distinct.values())

    async def asked(self, wanted: str, times: int = 1, timeout_s: float = 10) -> Packet:
        """Wait until the device has sent `wanted`, as in "POST /rd", so many times; returns the last one."""
        async with asyncio.timeout(timeout_s):
            while self.paths().count(wanted) < times:
                await asyncio.sleep(0.01)
        return next(packet for packet in reversed(self.requests) if f"{packet.code} {packet.path}" == wanted)

    def to_device(self, datagram: bytes) -> None:
        """Any bytes from the server's address."""
        self.send(datagram, self.device)

    def ask(self, method: str, path: str = "", payload: bytes = b"", type: str = "CON", token: bytes = b"\x4d", **more):
        """Send a request; `accept`, `content_format`, `observe` and `options` [(number, value)] are in `more`."""
        self._mid = self._mid + 1 & 0xFFFF
        options = [(11, segment) for segment in path.split("/")[1:]] + more.get("options", [])
        for name, number in (("observe", 6), ("content_format", 12), ("accept", 17)):
            if name in more:
                options.append((number, more[name]))
        self.last = build(type, method, self._mid, token, options, payload)
        self.to_device(self.last)

    async def reply(self, timeout_s: float = 5) -> Packet:
        """The next thing from the device that is no request."""
        async with asyncio.timeout(timeout_s):
            return await self._replies.get()

    @property
    def silent(self) -> bool:
        """Whether nothing waits to be taken by `reply`."""
        return self._replies.empty()


class Proxy(Socket):
    """Stands between a device and its server. Every datagram is in `passed`, as (from the device?, bytes), when it
    arrives here; `loss`, `repeats` are chances, `delay_s` the longest delay of any one, all drawn by `seed`.

    Once per datagram that goes on, the random delay makes later ones overtake earlier ones. While `cut` nothing passes;
    `rebind` is what a NAT does that has forgotten the device; `server` may be changed.
    """

    def __init__(self, server: Address, loss: float = 0, repeats: float = 0, delay_s: float = 0, seed: int = 1):
        super().__init__()
        self.heard = self._from_device
        self.passed: list[tuple[bool, bytes]] = []
        self.lost = self.repeated = 0
        self.ports: list[int] = []  # of the device, each once
        self.cut = False
        self.server, self._device = server, None
        self.loss, self.repeats, self.delay_s = loss, repeats, delay_s
        self._random = random.Random(seed)
        self._back: Socket | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def before(cls, server: int, port: int = 0, host: str = "127.0.0.1", **bad) -> AsyncIterator["Proxy"]:
        """A proxy in front of the server at a port of loopback; `port` and `host` are its own."""
        async with cls.open(port, host, server=("127.0.0.1", server), **bad) as proxy:
            await proxy.rebind()
            try:
                yield proxy
            finally:
                await proxy._back.close()

    async def rebind(self) -> None:
        """From now on the server sees the device at another port, and what it sends to the old one is lost."""
        if self._back:
            await self._back.close()
        loop = asyncio.get_running_loop()
        _, self._back = await loop.create_datagram_endpoint(Socket, local_addr=("127.0.0.1", 0))
        self._back.heard = lambda data, _: self._pass(False, data)

    def _from_device(self, data: bytes, address: Address) -> None:
        self._device = address
        if address[1] not in self.ports:
            self.ports.append(address[1])
        self._pass(True, data)

    def _pass(self, from_device: bool, data: bytes) -> None:
        self.passed.append((from_device, data))
        if self.cut or self._random.random() < self.loss:
            self.lost += 1
            return
        copies = 2 if self._random.random() < self.repeats else 1
        self.repeated += copies - 1
        for _ in range(copies):
            delay_s = self._random.random() * self.delay_s
            asyncio.get_running_loop().call_later(delay_s, self._deliver, from_device, data)

    def _deliver(self, from_device: bool, data: bytes) -> None:
        if from_device:
            self._back.send(data, self.server)
        else:
            self.send(data, self._device)
