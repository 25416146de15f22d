"""An observation as the users of LabServer see it."""

import asyncio
from collections.abc import Callable

from aiocoap import Message

from .errors import LabError, Timeout
from .paths import Path
from .relation import Relation
from .results import Result, what


class Observation:
    """`first` is the device's first answer; `async for result in observation` gives every notification after it
    until the observation ends (`end_reason` says why). One reader; several listen to "notify" events instead.

    A notification with a broken payload raises PayloadError in the reader, one with an error code DeviceError. A
    composite observation has several `paths`, its `path` is the root.
    """

    def __init__(self, endpoint: str, path: Path, paths: tuple[Path, ...] = ()):
        self.endpoint, self.path, self.paths = endpoint, path, paths
        self.end_reason: str | None = None
        self.request: Callable[[], Message]  # makes the request that observes; the cancellation repeats it
        self.first: Result  # these three are set by LabServer.observe and observe_composite
        self.relation: Relation
        self._queue: asyncio.Queue[Result | LabError | None] = asyncio.Queue()

    @property
    def token(self) -> bytes:
        return self.relation.token or b""

    def __aiter__(self) -> "Observation":
        return self

    async def __anext__(self) -> Result:
        item = await self._queue.get()
        if item is None:
            self._queue.put_nowait(None)  # whoever asks again hears it again
            raise StopAsyncIteration
        if isinstance(item, LabError):
            raise item
        return item

    async def next(self, timeout_s: float = 10) -> Result:
        """The next notification. Raises Timeout, also when the observation has ended."""
        try:
            async with asyncio.timeout(timeout_s):
                return await anext(self)
        except TimeoutError:
            reason = f"no notification within {timeout_s:g} s"
        except StopAsyncIteration:
            reason = f"the observation has ended: {self.end_reason}"
        raise Timeout(f"{what('observe', self.endpoint, self.path, self.paths)}: {reason}")

    def put(self, notification: Result | LabError) -> None:
        self._queue.put_nowait(notification)

    def end(self, reason: str) -> None:
        self.end_reason = reason
        self._queue.put_nowait(None)
