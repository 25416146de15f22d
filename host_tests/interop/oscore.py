"""aiocoap's OSCORE as the other side of a board: an LwM2M server, or Bootstrap-Server, that says nothing unprotected.

Only aiocoap protects and opens here. Its own server and client around OSCORE need a package for EDHOC that has no part
in this, so requests and responses are handed to its security context directly.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiocoap
from aiocoap import oscore
from aiocoap.resource import Resource, Site

from host_tests.interop.network import free_port

SECRET = "0102030405060708090a0b0c0d0e0f10"
DEVICE, SERVER = "d1", "5e"  # what they call each other


def options(**changes: str) -> tuple[str, ...]:
    """What tools.device has to be told."""
    keys = {"sender-id": DEVICE, "recipient-id": SERVER, "secret": SECRET, **changes}
    return tuple(word for name, value in keys.items() for word in (f"--oscore-{name}", value))


def context_in(folder: Path, sequence: dict | None = None, **changes: str) -> oscore.FilesystemSecurityContext:
    """The server's side of these keys, with aiocoap's files in a folder. `sequence` is what an earlier life left."""
    folder.mkdir(exist_ok=True)
    keys = {"sender-id_hex": SERVER, "recipient-id_hex": DEVICE, "secret_hex": SECRET, **changes}
    (folder / "settings.json").write_text(json.dumps(keys))
    if sequence:
        (folder / "sequence.json").write_text(json.dumps(sequence))
    return oscore.FilesystemSecurityContext(str(folder))


class OscoreServer(Resource):
    """Answers the device by `answer(request)`, a Message; `heard` is every request that could be opened."""

    def __init__(self, context: oscore.FilesystemSecurityContext) -> None:
        super().__init__()
        self.security = context
        self.heard: list[aiocoap.Message] = []
        self.refused: list[Exception] = []
        self.answer: Callable[[aiocoap.Message], aiocoap.Message] = self.accept
        self.coap: aiocoap.Context
        self.uri = ""
        self.port = 0
        self.device = None

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, context: oscore.FilesystemSecurityContext, port: int = 0) -> AsyncIterator["OscoreServer"]:
        """Listen on a port of loopback, 0 for a free one."""
        self = cls(context)
        self.port = port or free_port()
        self.uri = f"coap://127.0.0.1:{self.port}"
        site = Site()
        site.add_resource([], self)
        self.coap = await aiocoap.Context.create_server_context(site, bind=("127.0.0.1", self.port))
        try:
            yield self
        finally:
            await self.coap.shutdown()

    def accept(self, request: aiocoap.Message) -> aiocoap.Message:
        """What a friendly server answers."""
        if request.opt.uri_path == ("rd",):
            return aiocoap.Message(code=aiocoap.CREATED, location_path=("rd", "1"))
        return aiocoap.Message(code=aiocoap.DELETED if request.code == aiocoap.DELETE else aiocoap.CHANGED)

    async def render_to_pipe(self, pipe) -> None:
        """A request as it comes."""
        self.device = pipe.request.remote
        try:
            request, binding = self.security.unprotect(pipe.request)
        except oscore.ReplayErrorWithEcho as error:
            self.refused.append(error)
            pipe.add_response(error.to_message(), is_last=True)
            return
        except oscore.ProtectionInvalid as error:
            self.refused.append(error)
            pipe.add_response(aiocoap.Message(code=aiocoap.BAD_REQUEST), is_last=True)
            return
        self.heard.append(request)
        response, _ = self.security.protect(self.answer(request), binding)
        pipe.add_response(response, is_last=True)

    async def asked(self, path: str, times: int = 1, timeout_s: float = 15) -> aiocoap.Message:
        """Wait for the so-manieth request for a path such as "rd/1"; returns it."""
        async with asyncio.timeout(timeout_s):
            while True:
                found = [one for one in self.heard if "/".join(one.opt.uri_path) == path]
                if len(found) >= times:
                    await asyncio.sleep(0.05)  # its answer leaves first
                    return found[times - 1]
                await asyncio.sleep(0.01)

    async def ask(self, code: aiocoap.Code, path: str, payload: bytes = b"", **opts) -> aiocoap.Message:
        """A request to the device; the answer, opened. One that is not protected raises NotAProtectedMessage."""
        request, binding = self._protected(code, path, payload, opts)
        async with asyncio.timeout(10):
            response = await self.coap.request(request, handle_blockwise=False).response
        return self.security.unprotect(response, binding)[0]

    @contextlib.asynccontextmanager
    async def observe(self, path: str, **opts) -> AsyncIterator[asyncio.Queue]:
        """Observe a path: every answer that comes, opened, in a queue."""
        request, binding = self._protected(aiocoap.GET, path, b"", {"observe": 0, **opts})
        relation = self.coap.request(request, handle_blockwise=False)
        told: asyncio.Queue[aiocoap.Message] = asyncio.Queue()

        async def listen():
            told.put_nowait(self.security.unprotect(await relation.response, binding)[0])
            async for notification in relation.observation:
                told.put_nowait(self.security.unprotect(notification, binding)[0])

        task = asyncio.create_task(listen())
        try:
            yield told
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def _protected(self, code, path, payload, opts):
        segments = tuple(part for part in path.split("/") if part)
        request, binding = self.security.protect(aiocoap.Message(code=code, payload=payload, uri_path=segments, **opts))
        request.remote = self.device
        return request, binding


async def read_in_blocks(server: OscoreServer, path: str, szx: int) -> bytes:
    """A body by inner Block2 options, one request each."""
    body, number = b"", 0
    while True:
        answer = await server.ask(aiocoap.GET, path, accept=42, block2=(number, False, szx))
        assert answer.code == aiocoap.CONTENT
        body += answer.payload
        if not answer.opt.block2 or not answer.opt.block2.more:
            return body
        number += 1


async def write_in_blocks(server: OscoreServer, path: str, body: bytes, szx: int) -> list[aiocoap.Code]:
    """A body by inner Block1 options; the codes of the answers."""
    size, codes = 16 << szx, []
    for number in range((len(body) + size - 1) // size):
        part, more = body[number * size : (number + 1) * size], (number + 1) * size < len(body)
        answer = await server.ask(aiocoap.PUT, path, part, content_format=42, block1=(number, more, szx))
        codes.append(answer.code)
    return codes
