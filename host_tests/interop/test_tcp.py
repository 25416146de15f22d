"""CoAP over TCP against aiocoap: the board registers, is managed, and says goodbye."""

import asyncio
import socket

import aiocoap
from aiocoap import resource

from host_tests.interop import board


class _Directory(resource.Resource):
    """POST /rd, and whatever follows below the Location-Path."""

    def __init__(self):
        super().__init__()
        self.registers = asyncio.Queue()

    async def render_post(self, request):
        self.registers.put_nowait(request)
        return aiocoap.Message(code=aiocoap.CREATED, location_path=("rd", "7"))


class _Registered(resource.Resource):
    """Update and De-register."""

    def __init__(self):
        super().__init__()
        self.ended = asyncio.Event()

    async def render_post(self, request):
        return aiocoap.Message(code=aiocoap.CHANGED)

    async def render_delete(self, request):
        self.ended.set()
        return aiocoap.Message(code=aiocoap.DELETED)


async def _ask(context, remote, code, path, **more):
    request = aiocoap.Message(code=code, uri_path=path, **more)
    request.remote = remote
    return await asyncio.wait_for(context.request(request).response, 10)


async def test_int_106_tcp_binding(interpreter):
    """TCP binding"""
    port = free_tcp_port()
    site, directory, registered = resource.Site(), _Directory(), _Registered()
    site.add_resource(["rd"], directory)
    site.add_resource(["rd", "7"], registered)
    context = await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", port), transports=["tcpserver"])
    try:
        options = ("--interpreter", interpreter)
        async with board.running(f"coap+tcp://127.0.0.1:{port}", options=options) as device:
            register = await asyncio.wait_for(directory.registers.get(), 15)
            assert "b=T" in register.opt.uri_query
            await device.printed("-> REGISTERED")
            assert (await _ask(context, register.remote, aiocoap.GET, ("3", "0", "16"))).payload == b"U"
            on = {"payload": b"1", "content_format": 0}
            assert (await _ask(context, register.remote, aiocoap.PUT, ("3311", "0", "5850"), **on)).code.is_successful()
            assert (await _ask(context, register.remote, aiocoap.GET, ("3",))).code == aiocoap.CONTENT
            assert await device.stop() == 0
        assert registered.ended.is_set()
    finally:
        await context.shutdown()


def free_tcp_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
