"""JSON and CBOR from a device, read strictly: whatever is not exactly one well-formed item raises PayloadError."""

import io
import json
from datetime import datetime
from typing import Any

import cbor2

from .errors import PayloadError

_DEEPEST = 16  # levels of nesting; SenML needs two


def from_json(data: bytes) -> Any:
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_members, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise PayloadError("the payload is not JSON") from None


def from_cbor(data: bytes) -> Any:
    """The one item in `data`; a date (tag 0 or 1) becomes whole seconds since 1970."""
    stream = io.BytesIO(data)
    try:
        item = cbor2.CBORDecoder(stream, max_depth=_DEEPEST, allow_duplicate_keys=False, read_size=1).decode()
        if isinstance(item, datetime):
            item = int(item.timestamp())
    except (cbor2.CBORDecodeError, ValueError, OverflowError, TypeError):
        raise PayloadError("the payload is not CBOR") from None
    if stream.read():
        raise PayloadError("the payload goes on after its CBOR item")
    return item


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name twice")
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(name)
