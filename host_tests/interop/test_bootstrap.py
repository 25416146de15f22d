"""Interface 1 with a board in its own process: a Bootstrap-Server scripted with aiocoap, then the lab server."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

import aiocoap
from aiocoap.resource import Resource, Site

from configurations_bootstrap import security, server
from host_tests.interop.board import ENDPOINT, running, start, until
from host_tests.interop.network import free_port
from tools.lab import LabServer

TLV = 11542
LINK = 40


class BootstrapServer(Resource):
    """Answers POST /bs with 2.04, and then does what the test says, towards the device that asked last."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: asyncio.Queue[aiocoap.Message] = asyncio.Queue()
        self.context: aiocoap.Context
        self.uri = ""

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls) -> AsyncIterator["BootstrapServer"]:
        """Listen on a free port of loopback."""
        self, site, port = cls(), Site(), free_port()
        site.add_resource(["bs"], self)
        self.uri = f"coap://127.0.0.1:{port}"
        self.context = await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", port))
        try:
            yield self
        finally:
            await self.context.shutdown()

    async def render_post(self, request: aiocoap.Message) -> aiocoap.Message:
        """A Bootstrap-Request."""
        self.asked.put_nowait(request)
        return aiocoap.Message(code=aiocoap.CHANGED)

    async def request(self, timeout_s: float = 20) -> aiocoap.Message:
        """The next Bootstrap-Request."""
        async with asyncio.timeout(timeout_s):
            self._device = await self.asked.get()
        await asyncio.sleep(0.05)  # its answer leaves first
        return self._device

    async def ask(self, code: aiocoap.Code, *path: str, payload: bytes = b"", **options) -> aiocoap.Message:
        """A request to the device; returns its answer."""
        message = aiocoap.Message(code=code, payload=payload, uri_path=path, **options)
        message.remote = self._device.remote
        async with asyncio.timeout(10):
            return await self.context.request(message).response

    async def write(self, uri: str, lifetime: int = 86400) -> None:
        """One account of a server."""
        for path, payload in (("0", security(0, uri.encode())), ("1", server(0, 1, lifetime))):
            answer = await self.ask(aiocoap.PUT, path, payload=payload, content_format=TLV)
            assert answer.code == aiocoap.CHANGED, answer

    async def finish(self) -> aiocoap.Code:
        return (await self.ask(aiocoap.POST, "bs")).code


def options(interpreter: str = "unix") -> tuple[str, ...]:
    return ("--bootstrap", "--interpreter", interpreter)


async def test_bootstrap_and_register(interpreter):
    """Request, Discover, Write, Read, Delete, Finish with aiocoap; the board registers with the server it was given."""
    async with (
        LabServer(port=0) as lab,
        BootstrapServer.open() as bs,
        running(bs.uri, options=options(interpreter)) as board,
    ):
        request = await bs.request()
        assert request.opt.uri_query == (f"ep={ENDPOINT}", "pct=112")
        found = await bs.ask(aiocoap.GET, accept=LINK)
        assert found.payload.startswith(b"</>;lwm2m=1.1,</0/1>,</3>;ver=1.1,</3/0>")
        assert (await bs.ask(aiocoap.DELETE, "0")).code == aiocoap.DELETED
        await bs.write(lab.uri)
        found = await bs.ask(aiocoap.GET, "1", accept=TLV)
        assert found.payload == server(0, 1)
        assert not lab.registrations
        assert await bs.finish() == aiocoap.CHANGED
        await lab.wait_registered(ENDPOINT, 10)
        assert lab.registration(ENDPOINT).lifetime_s == 86400
        assert (await lab.read(ENDPOINT, "/3/0/16")).value == "U"
        assert board.count("-> BOOTSTRAPPING") == 1


async def test_a_body_in_blocks():
    """A certificate that aiocoap writes block by block, and a Read that comes in blocks."""
    roomy = (*options(), "--heap", "512k")  # ten accounts are more than a small board has RAM for
    async with BootstrapServer.open() as bs, running(bs.uri, options=roomy, BLOCK_SIZE=64) as board:
        await bs.request()
        payload = security(5, b"coaps://x", 9, 2, bytes(range(256)) * 8, b"key")
        answer = await bs.ask(aiocoap.PUT, "0", payload=payload, content_format=TLV)
        assert answer.code == aiocoap.CHANGED
        many = b"".join(server(iid, iid + 1) for iid in range(10))
        assert (await bs.ask(aiocoap.PUT, "1", payload=many, content_format=TLV)).code == aiocoap.CHANGED
        assert (await bs.ask(aiocoap.GET, "1", accept=TLV)).payload == many
        assert board.runs


async def test_restart_server_initiated_and_factory_reset(interpreter):
    """After a power cut the board registers by itself; Execute /1/0/9 and /3/0/5 lead to the Bootstrap-Server."""
    async with (
        LabServer(port=0) as lab,
        BootstrapServer.open() as bs,
        running(bs.uri, options=options(interpreter), steered=True) as board,
    ):
        await bs.request()
        await bs.write(lab.uri)
        await bs.finish()
        await lab.wait_registered(ENDPOINT, 10)
        await lab.write(ENDPOINT, "/1/0/1", 120)
        await board.printed("PUT /1/0/1 -> 2.04")
        with lab.subscribe() as events:
            board.room.reset()
            await events.wait("register")
        assert (lab.registration(ENDPOINT).lifetime_s, bs.asked.empty()) == (120, True)
        assert (await lab.execute(ENDPOINT, "/1/0/9")).code == "2.04"
        await bs.request()
        await bs.write(lab.uri, 77)
        with lab.subscribe() as events:
            await bs.finish()
            await events.wait("register")
        assert lab.registration(ENDPOINT).lifetime_s == 77
        assert (await lab.execute(ENDPOINT, "/3/0/5")).code == "2.04"
        await bs.request()
        found = await bs.ask(aiocoap.GET, accept=LINK)
        assert b"</1/0>" not in found.payload


async def test_power_cuts(tmp_path):
    """Ten times the process is killed somewhere in a bootstrap: the board comes back with the old account or the new
    one, and with the new one if its Finish was answered."""
    async with LabServer(port=0) as lab, BootstrapServer.open() as bs:
        arguments = ["--endpoint", ENDPOINT, "--server", bs.uri, "--bootstrap", "--control", str(tmp_path / "control")]
        board = await start(tmp_path, *arguments)
        try:
            await bs.request()
            await bs.write(lab.uri, 1000)
            await bs.finish()
            await lab.wait_registered(ENDPOINT, 10)
            lifetime = 1000
            for number in range(10):
                await lab.execute(ENDPOINT, "/1/0/9")
                await bs.request()
                session = asyncio.create_task(_bootstrap(bs, lab.uri, lifetime + 1))
                await asyncio.sleep(random.uniform(0, 0.06))
                before = len(board.lines)
                board.room.reset()
                finished = session.done() and session.result()
                session.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await session
                await until(lambda start=before: _is_back(board.lines[start:]), 20)
                found = lab.registration(ENDPOINT).lifetime_s
                assert found == lifetime + 1 or (found == lifetime and not finished), (number, found, lifetime)
                lifetime = found
        finally:
            await board.stop()
            print(*board.lines, sep="\n")


def _is_back(lines: list[str]) -> bool:
    """Whether the board has started anew and registered since."""
    starts = [number for number, line in enumerate(lines) if line.startswith("info endpoint")]
    return bool(starts) and any("-> REGISTERED" in line for line in lines[starts[-1] :])


async def _bootstrap(bs: BootstrapServer, uri: str, lifetime: int) -> bool:
    """A whole bootstrap; whether its Finish was answered by 2.04."""
    try:
        await bs.write(uri, lifetime)
        return await bs.finish() == aiocoap.CHANGED
    except (aiocoap.error.Error, TimeoutError):  # nobody is there any more
        return False
