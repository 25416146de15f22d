"""Operations on several paths at once (OMA CORE 1.1): FETCH and iPATCH on the root, with SenML.

They raise what those of `management` raise. A result's `value` is nested from the object down,
{3: {0: {9: 87}}, 1: {0: {1: 300}}}; a device leaves out of an answer what is not there or not allowed.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from aiocoap import Message
from aiocoap.numbers.codes import Code

from . import paths, payload, senml
from .coap import Fetch
from .errors import UsageError
from .observation import Observation
from .operating import Operating, Paths
from .records import flatten
from .results import Result

_ROOT: paths.Path = ()
_LONGEST = 1024  # bytes: one block, as the request for each further block of the answer repeats them


class Composite(Operating):
    """The operations; each takes paths such as "/3/0/9", "/3303" or "/"."""

    async def read_composite(
        self,
        endpoint: str | None,
        targets: Iterable[str],
        *,
        accept: int | None = payload.SENML_CBOR,
        content_format: int = payload.SENML_CBOR,
        timeout_s: float | None = None,
    ) -> Result:
        """Read objects, instances and resources in one exchange; `content_format` is how the paths are written."""
        several = _several(targets)
        message = _fetch(several, accept, content_format)
        return await self._operate("read-composite", endpoint, _ROOT, message, timeout_s, several)

    async def write_composite(
        self,
        endpoint: str | None,
        values: Mapping[str, Any],
        *,
        content_format: int = payload.SENML_CBOR,
        timeout_s: float | None = None,
    ) -> Result:
        """Write resources, {"/1/0/1": 60, "/3/0/14": "+01:00"}, of which the device takes all or none."""
        several = _several(values)
        if any(len(path) < 3 for path in several):
            raise UsageError("write-composite needs the paths of resources, such as /1/0/1")
        records = [
            record for path, value in zip(several, values.values(), strict=True) for record in flatten(path, value)
        ]
        data = senml.encode(_multiple(content_format), records)
        message = Message(code=Code.iPATCH, content_format=content_format, payload=data)
        return await self._operate("write-composite", endpoint, _ROOT, message, timeout_s, several)

    async def observe_composite(
        self,
        endpoint: str | None,
        targets: Iterable[str],
        *,
        accept: int | None = payload.SENML_CBOR,
        content_format: int = payload.SENML_CBOR,
        timeout_s: float | None = None,
    ) -> Observation:
        """Observe several paths: each notification carries them all. The same paths again renew the observation."""
        several = _several(targets)
        _fetch(several, accept, content_format)  # what cannot be meant is said now, not when the device wakes

        def request() -> Message:
            return _fetch(several, accept, content_format)

        return await self._observe("observe-composite", endpoint, _ROOT, request, timeout_s, several)

    async def cancel_composite(
        self,
        endpoint: str | None,
        targets: Iterable[str],
        *,
        passive: bool = False,
        timeout_s: float | None = None,
    ) -> Result | None:
        """End the observation of these paths, in the order in which it began; see `cancel`."""
        return await self._cancel("cancel-composite", endpoint, _ROOT, passive, timeout_s, _several(targets))


def _fetch(several: Paths, accept: int | None, content_format: int) -> Message:
    data = senml.encode_paths(_multiple(content_format), several)
    if len(data) > _LONGEST:
        raise UsageError(f"the list of paths takes {len(data)} bytes, more than the {_LONGEST} of one block")
    return Fetch(accept=accept, content_format=content_format, payload=data)


def _multiple(content_format: int) -> int:
    if content_format not in payload.COMPOSITE:
        names = " or ".join(payload.format_name(each) for each in payload.COMPOSITE)
        raise UsageError(f"composite operations are written in {names}, not in {payload.format_name(content_format)}")
    return content_format


def _several(targets: Iterable[str]) -> Paths:
    several = tuple(paths.parse(target) for target in targets)
    if not several:
        raise UsageError("a composite operation needs at least one path")
    if len(set(several)) != len(several):
        raise UsageError("a composite operation names each path once")
    return several
