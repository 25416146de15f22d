"""What happens in the lab server, for everybody who wants to know: the log, the control channel, a web page."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .errors import LabError, Timeout
from .paths import Path

_QUEUE_LENGTH = 1000  # events that wait for one reader; the oldest give way

log = logging.getLogger("lab")


@dataclass(frozen=True)
class Event:
    """`kind` is "register", "update", "deregister", "expire", "operation", "notify", "send", "queued" (an operation
    waits for its device to wake) or "ended" (an observation); of a bootstrap server "bootstrap", "operation" and
    "finished".

    `registration` is the device's Registration, its Session at a bootstrap server. `changes` has the fields that an
    Update changed, `result` what a device answered or sent (operation, notify, send), `error` why there is none, `path`
    (composite: `paths`) what an operation, notify or ended is about, `reason` why an observation ended or what is
    queued. `at` is Unix time in seconds.
    """

    kind: str
    registration: Any
    changes: dict[str, Any] = field(default_factory=dict)
    result: Any = None
    error: LabError | None = None
    path: Path | None = None
    paths: tuple[Path, ...] = ()
    reason: str | None = None
    at: float = field(default_factory=time.time)

    @property
    def endpoint(self) -> str:
        return self.registration.endpoint


class Subscription:
    """A queue of events: `async for event in subscription`, or `await subscription.wait("update")`.

    Leave it with `close` or as a context manager. A slow reader loses the oldest of more than 1000 events.
    """

    def __init__(self, hub: "Events"):
        self._hub = hub
        self._queue: asyncio.Queue[Event] = asyncio.Queue(_QUEUE_LENGTH)
        hub.add(self._put)

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Event:
        return await self._queue.get()

    async def wait(self, kind: str, endpoint: str | None = None, timeout_s: float = 10) -> Event:
        """The next event of that kind (and endpoint), skipping others. Raises Timeout."""
        try:
            async with asyncio.timeout(timeout_s):
                async for event in self:
                    if event.kind == kind and endpoint in (None, event.endpoint):
                        return event
        except TimeoutError:
            pass
        raise Timeout(f"no {kind} event{f' of {endpoint}' if endpoint else ''} within {timeout_s:g} s")

    def close(self) -> None:
        self._hub.remove(self._put)

    def _put(self, event: Event) -> None:
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(event)


class Events:
    """Hands every event to every listener, in order."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []

    def add(self, listener: Callable[[Event], None]) -> None:
        self._listeners.append(listener)

    def remove(self, listener: Callable[[Event], None]) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def emit(self, event: Event) -> None:
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception:  # a listener's mistake is its own: the server and the other listeners go on
                log.exception("a listener failed on an event of kind %s", event.kind)
