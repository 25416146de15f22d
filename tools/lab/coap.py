"""One CoAP endpoint that is server and client on the same UDP socket: aiocoap 0.4 and what an LwM2M server adds.

The classes below change five behaviours of aiocoap, whose managers have no switches for them:
* a request can reuse a token: Observe=1 must carry the token of the observation that it cancels (RFC 7641 3.6);
* an observation outlives a moment in which its device cannot be reached (aiocoap ends it);
* a request whose caller gave up is not retransmitted and does not hold up the next one (NSTART is 1);
* an unexpected NON notification is answered with a Reset (aiocoap does that for CON only): passive cancellation;
* a datagram that is not CoAP is one line in the log.
"""

import asyncio
import contextlib
import errno
import functools
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

from aiocoap import FETCH, Context, Message, error
from aiocoap.messagemanager import MessageManager
from aiocoap.numbers.codes import EMPTY
from aiocoap.numbers.types import CON, NON, RST
from aiocoap.pipe import Pipe
from aiocoap.protocol import BlockwiseRequest
from aiocoap.tokenmanager import TokenManager
from aiocoap.transports.udp6 import MessageInterfaceUDP6, UDP6EndpointAddress

from .errors import DeviceError, PayloadError, StartError, Timeout

log = logging.getLogger("lab")
_library_log = log.getChild("aiocoap")

# A caller may give up in the very moment in which its response arrives: aiocoap then sets a cancelled future.
_caller_gave_up = contextlib.suppress(asyncio.InvalidStateError)


class Fetch(Message):
    """A FETCH: when its answer comes in blocks, each request for one repeats the body (RFC 8132 2.5), which aiocoap
    leaves out."""

    def __init__(self, **fields: Any):
        super().__init__(**{"code": FETCH, **fields})

    def _generate_next_block2_request(self, response: Message) -> Message:
        following = super()._generate_next_block2_request(response)
        following.payload = self.payload
        return following


class OpenRequest(Pipe):
    """A request under a token of one's own choice that may stay open for notifications."""

    def __init__(self, message: Message, token: bytes | None):
        super().__init__(message, _library_log)
        self.token = token  # None: any new one
        self.established = False  # whether the device accepted to be observed


class _Tokens(TokenManager):
    token_interface: "_Messages"

    def __init__(self, context: Context):
        super().__init__(context)
        self._wanted_token: bytes | None = None

    def request(self, request: Pipe) -> None:
        self._wanted_token = getattr(request, "token", None)
        super().request(request)

    def next_token(self) -> bytes:
        return self._wanted_token or super().next_token()

    def process_response(self, response: Message) -> bool:
        request = self.outgoing_requests.get((response.token, response.remote))
        if request and request.request.opt.observe == 1 and response.opt.observe is not None:
            return True  # a notification that met our cancellation on the way; the answer is still to come
        if request and request.request.opt.observe is None:
            response.opt.observe = None  # aiocoap stumbles over what was not asked for
        if request and request.request.opt.block1 is None:
            response.opt.block1 = None  # such as the hint of a block size in 4.13
        with _caller_gave_up:
            return super().process_response(response)
        return True

    def dispatch_error(self, exception: Exception, remote: Any) -> None:
        kept = {key: each for key, each in self.outgoing_requests.items() if getattr(each, "established", False)}
        for key in kept:
            del self.outgoing_requests[key]
        super().dispatch_error(exception, remote)
        self.outgoing_requests.update(kept)

    async def shutdown(self) -> None:
        for request in list(self.outgoing_requests.values()):
            with _caller_gave_up:
                request.add_exception(error.LibraryShutdown())
        self.outgoing_requests.clear()
        await super().shutdown()

    def forget(self, request: OpenRequest) -> None:
        """From now on, nobody waits for responses to `request`."""
        for key in [key for key, each in self.outgoing_requests.items() if each is request]:
            del self.outgoing_requests[key]

    def move(self, request: OpenRequest, remote: Any) -> None:
        """Expect the notifications for `request` from another address."""
        self.forget(request)
        self.outgoing_requests[request.request.token, remote] = request


class _Messages(MessageManager):
    message_interface: "_Datagrams"

    def send_message(self, message: Message, messageerror_monitor: Any) -> Callable[[], None] | None:
        """Send; returns what stops the retransmission of a request, None if nothing is under way any more."""
        super().send_message(message, messageerror_monitor)
        if message.mtype is CON and message.code.is_request() and message.remote in self._backlogs:
            return functools.partial(self._abandon, message)
        return None

    def _abandon(self, message: Message) -> None:
        exchanges: dict[Any, Any] = self._active_exchanges or {}  # None once the endpoint is closed
        if (message.remote, message.mid) in exchanges:
            _, retransmission = exchanges.pop((message.remote, message.mid))
            retransmission.cancel()
            self._continue_backlog(message.remote)
        elif message.remote in self._backlogs:
            waiting = self._backlogs[message.remote]
            self._backlogs[message.remote] = [entry for entry in waiting if entry[0] is not message]

    def _process_response(self, response: Message) -> bool:
        expected = super()._process_response(response)
        if not expected and response.mtype is NON:
            reset = Message(_mtype=RST, _mid=response.mid, code=EMPTY)
            reset.remote = response.remote.as_response_address()
            self._send_initially(reset)
        return expected


class _Datagrams(MessageInterfaceUDP6):
    def datagram_msg_received(self, data: bytes, ancdata: Any, flags: int, address: Any) -> None:
        try:
            Message.decode(data)
            well_formed = data[0] & 0x0F <= 8  # RFC 7252 3: longer tokens are a format error
        except (error.UnparsableMessage, ValueError, IndexError):
            well_formed = False
        if well_formed:
            super().datagram_msg_received(data, ancdata, flags, address)
        else:
            sender = UDP6EndpointAddress(address, self).hostinfo
            log.warning("ignored     %s  %d bytes that are not a CoAP message", sender, len(data))


class CoapEndpoint:
    """The server's socket. Make one with `await CoapEndpoint.open(site, host, port)`, end it with `close`."""

    def __init__(self, context: Context, tokens: _Tokens, datagrams: _Datagrams):
        self._context, self._tokens, self._datagrams = context, tokens, datagrams

    @classmethod
    async def open(cls, site: Any, host: str, port: int) -> "CoapEndpoint":
        """Bind to host and port (0: any free one). Raises StartError."""
        bound = await _bound_socket(host, port)
        context = Context(loop=asyncio.get_running_loop(), serversite=site, loggername=_library_log.name)
        tokens = _Tokens(context)
        messages = _Messages(tokens)
        datagrams = await _Datagrams._create_transport_endpoint(bound, messages, _library_log, context.loop)
        messages.message_interface, tokens.token_interface = datagrams, messages
        context.request_interfaces.append(tokens)
        return cls(context, tokens, datagrams)

    @property
    def port(self) -> int:
        return self._datagrams._local_port()

    async def close(self) -> None:
        await self._context.shutdown()

    async def request(self, message: Message, timeout_s: float, what: str) -> Message:
        """The response to `message`, block-wise both ways where needed; `what` begins the sentence of an error.

        Raises Timeout, DeviceError (only for a Reset: a response with an error code is returned), PayloadError.
        """
        async with one_error(what, timeout_s):
            return await self._context.request(message).response

    async def complete(self, request: Message, response: Message) -> Message:
        """`response` with all its blocks; `request` is what it answers (RFC 7959 2.4, and 2.6 for a notification)."""
        return await BlockwiseRequest._complete_by_requesting_block2(self._context, request, response, _library_log)

    def send(self, request: OpenRequest) -> None:
        self._tokens.request(request)

    def forget(self, request: OpenRequest) -> None:
        self._tokens.forget(request)

    def move(self, request: OpenRequest, remote: Any) -> None:
        self._tokens.move(request, remote)


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
