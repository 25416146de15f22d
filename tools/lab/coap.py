"""The CoAP endpoint of a server, which is a client, too: one UDP socket for coap, one for coaps, or both."""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

from aiocoap import FETCH, Context, Message, error
from aiocoap.protocol import BlockwiseRequest

from .errors import DeviceError, PayloadError, StartError, Timeout
from .layers import Datagrams, Messages, OpenRequest, Tokens, library_log, log
from .library import DtlsError
from .secure import SecureDatagrams, SecureMessages
from .trust import Trust

__all__ = ["CoapEndpoint", "Fetch", "OpenRequest", "log", "one_error"]


class Fetch(Message):
    """A FETCH: when its answer comes in blocks, each request for one repeats the body (RFC 8132 2.5), which aiocoap
    leaves out."""

    def __init__(self, **fields: Any):
        super().__init__(**{"code": FETCH, **fields})

    def _generate_next_block2_request(self, response: Message) -> Message:
        following = super()._generate_next_block2_request(response)
        following.payload = self.payload
        return following


class CoapEndpoint:
    """The server's sockets. Make one, `await open_coap(host, port)` or `open_coaps(host, port, trust)` or both, and end
    it with `close`."""

    def __init__(self, site: Any):
        self._context = Context(loop=asyncio.get_running_loop(), serversite=site, loggername=library_log.name)

    async def open_coap(self, host: str, port: int) -> int:
        """Bind to host and port (0: any free one); returns the port. Raises StartError."""
        tokens = Tokens(self._context)
        return await self._open(Datagrams, tokens, Messages(tokens), host, port)

    async def open_coaps(self, host: str, port: int, trust: Trust) -> int:
        """The same for DTLS with those whom `trust` knows."""
        tokens = Tokens(self._context)
        return await self._open(SecureDatagrams, tokens, SecureMessages(tokens, trust), host, port)

    async def _open(self, kind: type[Datagrams], tokens: Tokens, messages: Messages, host: str, port: int) -> int:
        bound = await _bound_socket(host, port)
        datagrams = await kind._create_transport_endpoint(bound, messages, library_log, self._context.loop)
        messages.message_interface, tokens.token_interface = datagrams, messages
        self._context.request_interfaces.append(tokens)
        return datagrams._local_port()

    async def close(self) -> None:
        if self._context.request_interfaces:  # none if none could be opened
            await self._context.shutdown()

    async def request(self, message: Message, timeout_s: float, what: str) -> Message:
        """The response to `message`, block-wise both ways where needed; `what` begins the sentence of an error.

        Raises Timeout, DeviceError (only for a Reset: a response with an error code is returned), PayloadError.
        """
        async with one_error(what, timeout_s):
            return await self._context.request(message).response

    async def complete(self, request: Message, response: Message) -> Message:
        """`response` with all its blocks; `request` is what it answers (RFC 7959 2.4, and 2.6 for a notification)."""
        return await BlockwiseRequest._complete_by_requesting_block2(self._context, request, response, library_log)

    def send(self, request: OpenRequest) -> None:
        self._tokens(request.request.remote).request(request)

    def forget(self, request: OpenRequest) -> None:
        with contextlib.suppress(error.LibraryShutdown):  # then nobody waits any more
            self._tokens(request.request.remote).forget(request)

    def move(self, request: OpenRequest, remote: Any) -> None:
        self._tokens(remote).move(request, remote)

    def _tokens(self, remote: Any) -> Tokens:
        """The layer that talks to `remote`: a device stays with coap or coaps as long as it is registered. Raises
        LibraryShutdown once the endpoint is closed."""
        for each in self._context.request_interfaces:
            if each.token_interface.owns(remote):
                return each
        raise error.LibraryShutdown()


@contextlib.asynccontextmanager
async def one_error(what: str, timeout_s: float) -> AsyncIterator[None]:
    """Turn everything that can go wrong between two CoAP endpoints into one of our exceptions."""
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError:
        raise Timeout(f"{what}: no answer within {timeout_s:g} s") from None
    except error.MessageError:
        raise DeviceError(what, "RST", "Reset", "the device knows nothing of this exchange") from None
    except error.NetworkError as problem:
        cause = problem.__cause__
        reason = os.strerror(cause.errno) if isinstance(cause, OSError) and cause.errno else "no answer"
        reason = str(cause) if isinstance(cause, DtlsError) else reason
        raise Timeout(f"{what}: the device cannot be reached ({reason})") from None
    except error.LibraryShutdown:
        raise Timeout(f"{what}: the lab server closed") from None
    except (error.Error, ValueError, AssertionError):  # all that aiocoap raises while it puts blocks together
        raise PayloadError(f"{what}: the blocks of the device's answer do not fit together") from None


async def _bound_socket(host: str, port: int) -> socket.socket:
    """A socket as aiocoap wants it, IPv6 that takes IPv4 too, but without its SO_REUSEPORT: with that, two servers
    would silently share a port. Raises StartError."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError, OverflowError):
        raise StartError(f"cannot listen on {host!r} port {port}: this machine does not know such an address") from None
    family, *_, address = min(found, key=lambda each: each[0] != socket.AF_INET)  # IPv4 first: boards have no other
    if family == socket.AF_INET:
        address = (f"::ffff:{address[0]}", port)
    try:
        return _bind(address)
    except OSError as problem:
        raise StartError(_bind_sentence(problem, host, port)) from None


def _bind(address: tuple) -> socket.socket:
    bound = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def _bind_sentence(problem: OSError, host: str, port: int) -> str:
    if problem.errno == errno.EADDRINUSE:
        return f"UDP port {port} on {host} is already in use: is another lab server running? Choose another port"
    if problem.errno == errno.EACCES:
        return f"UDP port {port} needs more rights than you have: choose a port above 1023"
    return f"cannot listen on {host} port {port}: {problem.strerror}"
