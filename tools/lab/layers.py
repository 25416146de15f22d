"""The layers of one CoAP endpoint: aiocoap 0.4's, and what an LwM2M server changes in them.

aiocoap's managers have no switches for these:
* a request can reuse a token: Observe=1 must carry the token of the observation that it cancels (RFC 7641 3.6);
* an observation outlives a moment in which its device cannot be reached (aiocoap ends it);
* a request whose caller gave up is not retransmitted and does not hold up the next one (NSTART is 1);
* an unexpected NON notification is answered with a Reset (aiocoap does that for CON only): passive cancellation;
* a datagram that is not CoAP is one line in the log.
"""

import asyncio
import contextlib
import contextvars
import functools
import logging
from collections.abc import Callable
from typing import Any

from aiocoap import Context, Message, error
from aiocoap.messagemanager import MessageManager
from aiocoap.numbers.codes import EMPTY
from aiocoap.numbers.types import CON, NON, RST
from aiocoap.pipe import Pipe
from aiocoap.tokenmanager import TokenManager
from aiocoap.transports.udp6 import MessageInterfaceUDP6, UDP6EndpointAddress

log = logging.getLogger("lab")
library_log = log.getChild("aiocoap")

# A caller may give up in the very moment in which its response arrives: aiocoap then sets a cancelled future.
_caller_gave_up = contextlib.suppress(asyncio.InvalidStateError)


class OpenRequest(Pipe):
    """A request under a token of one's own choice that may stay open for notifications."""

    def __init__(self, message: Message, token: bytes | None):
        super().__init__(message, library_log)
        self.token = token  # None: any new one
        self.established = False  # whether the device accepted to be observed


class Tokens(TokenManager):
    token_interface: "Messages"

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
        ended = [key for key, each in self.outgoing_requests.items() if each._event_callbacks is False]
        for key in {*kept, *ended}:  # aiocoap cannot tell an error to those that nobody waits for any more
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
        waiting: dict[Any, Any] = self.outgoing_requests or {}  # None once the endpoint is closed
        for key in [key for key, each in waiting.items() if each is request]:
            del waiting[key]

    def move(self, request: OpenRequest, remote: Any) -> None:
        """Expect the notifications for `request` from another address."""
        self.forget(request)
        self.outgoing_requests[request.request.token, remote] = request


class Messages(MessageManager):
    message_interface: "Datagrams"

    def owns(self, remote: Any) -> bool:
        """Whether messages for this address go out here."""
        return remote.interface is self.message_interface

    def send_message(self, message: Message, messageerror_monitor: Any) -> Callable[[], None] | None:
        """Send; returns what stops the retransmission of a request, None if nothing is under way any more."""
        super().send_message(message, messageerror_monitor)
        if message.mtype is CON and message.code.is_request() and message.remote in self._backlogs:
            return functools.partial(self._abandon, message)
        return None

    def dispatch_error(self, error: Exception, remote: Any) -> None:
        """A little later, and as by nobody: it may come from within a sending, and would send what waits next."""
        loop = asyncio.get_running_loop()
        loop.call_soon(super().dispatch_error, error, remote, context=contextvars.Context())

    def _continue_backlog(self, remote: Any) -> None:
        if remote in self._backlogs:  # else an error has removed it
            super()._continue_backlog(remote)

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


class Datagrams(MessageInterfaceUDP6):
    def datagram_msg_received(self, data: bytes, ancdata: Any, flags: int, address: Any) -> None:
        if is_well_formed(data):
            super().datagram_msg_received(data, ancdata, flags, address)
        else:
            ignored(UDP6EndpointAddress(address, self), data)


def is_well_formed(data: bytes) -> bool:
    """Whether a datagram is a CoAP message."""
    try:
        Message.decode(data)
        return data[0] & 0x0F <= 8  # RFC 7252 3: longer tokens are a format error
    except (error.UnparsableMessage, ValueError, IndexError):
        return False


def ignored(sender: UDP6EndpointAddress, data: bytes) -> None:
    """Say that a datagram was no CoAP message."""
    log.warning("ignored     %s  %d bytes that are not a CoAP message", sender.hostinfo, len(data))
