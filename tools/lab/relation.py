"""The observer's end of one observation at the level of CoAP (RFC 7641): a token, and notifications in order."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiocoap import Message
from aiocoap.pipe import Pipe

from .coap import CoapEndpoint, OpenRequest, log, one_error
from .errors import LabError

_HALF_OF_SEQUENCE = 2**23  # sequence numbers have 24 bits and are compared modulo (RFC 7641 3.4)
_FRESH_AGAIN_S = 128

Events = asyncio.Queue[Pipe.Event]


class Relation:
    """`deliver` is called with every notification that is newer than the last, `ended` with the reason when the
    device ends the observation. aiocoap's own observations lose notifications that come close together."""

    def __init__(self, coap: CoapEndpoint, deliver: Callable[[Message], None], ended: Callable[[str], None]):
        self.token: bytes | None = None
        self._coap, self._deliver, self._ended = coap, deliver, ended
        self._request: OpenRequest | None = None
        self._unlisten: Callable[[], None] | None = None
        self._worker: asyncio.Task | None = None
        self._newest: tuple[int, float] = (0, 0.0)  # its sequence number and when it came (loop time)

    @property
    def active(self) -> bool:
        return self._worker is not None

    async def establish(self, message: Message, timeout_s: float, what: str) -> Message:
        """Send Observe=0, under the same token if there was one, and return the first response.

        The relation is `active` afterwards if the device agreed. Raises Timeout, DeviceError, PayloadError.
        """
        message.opt.observe = 0
        events: Events = asyncio.Queue()
        try:
            async with one_error(what, timeout_s):
                first = await self._exchange(message, events)
                response = await self._coap.complete(message, first)
            if self._request and self._request.established:
                self._newest = (first.opt.observe, asyncio.get_running_loop().time())
                self._worker = asyncio.create_task(self._work(message, events, timeout_s, what), name=what)
        finally:
            if not self._worker:
                self.drop()
        return response

    async def cancel(self, message: Message, timeout_s: float, what: str) -> Message:
        """Send Observe=1 under the token of the observation and return the response (RFC 7641 3.6)."""
        message.opt.observe = 1
        try:
            async with one_error(what, timeout_s):
                return await self._coap.complete(message, await self._exchange(message, asyncio.Queue()))
        finally:
            self.drop()

    def drop(self) -> None:
        """Forget the observation without a word; the next notification is answered with a Reset."""
        if self._request and self._unlisten:
            self._unlisten()
            self._coap.forget(self._request)
        if self._worker:
            self._worker.cancel()
        self._request = self._unlisten = self._worker = None

    def move(self, remote: Any) -> None:
        """Expect notifications from another address of the same device."""
        if self._request:
            self._coap.move(self._request, remote)

    async def _exchange(self, message: Message, events: Events) -> Message:
        """Replace the open request by `message`, same token, and wait for the first event."""
        self.drop()
        request = OpenRequest(message, self.token)

        def listen(event: Pipe.Event) -> bool:
            request.established = event.message is not None and not event.is_last
            events.put_nowait(event)
            return not event.is_last

        self._request, self._unlisten = request, request.on_event(listen)
        self._coap.send(request)
        self.token = message.token
        event = await events.get()
        if event.exception:
            raise event.exception
        return event.message

    async def _work(self, message: Message, events: Events, timeout_s: float, what: str) -> None:
        while True:
            event = await events.get()
            if event.exception:
                return self._end(str(event.exception))
            if self._is_newer(event.message):
                try:
                    async with one_error(what, timeout_s):
                        complete = await self._coap.complete(message, event.message)
                    self._deliver(complete)
                except LabError as problem:
                    log.warning("notify      lost a notification: %s", problem)
            if event.is_last:
                return self._end(f"the device ended it with {event.message.code}")

    def _end(self, reason: str) -> None:
        self._worker = None  # it is this task, and it ends by itself
        self.drop()
        self._ended(reason)

    def _is_newer(self, notification: Message) -> bool:
        sequence, now = notification.opt.observe, asyncio.get_running_loop().time()
        if sequence is None:
            return True
        newest, at = self._newest
        newer = 0 < (sequence - newest) % (2 * _HALF_OF_SEQUENCE) < _HALF_OF_SEQUENCE or now - at > _FRESH_AGAIN_S
        if newer:
            self._newest = (sequence, now)
        return newer
