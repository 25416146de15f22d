"""The LwM2M TLV format, Content-Format 11542 (OMA TRANS, "TLV"): the nesting of entries, not yet their types.

Written apart from the device's codec on purpose: a test against this one is a second opinion.
"""

from collections.abc import Iterable
from typing import NamedTuple

from .errors import PayloadError, UsageError
from .paths import MAX_ID

OBJECT_INSTANCE, RESOURCE_INSTANCE, MULTIPLE_RESOURCE, RESOURCE = range(4)

_KIND_SHIFT = 6  # bits 7-6 of the type byte: one of the four kinds
_WIDE_ID = 0x20  # bit 5: the id has 16 bits
_LENGTH_SHIFT = 3  # bits 4-3: how many bytes the length has; 0 = it is in bits 2-0
_SHORT_LENGTH = 0x07

# What each container may hold; the other two kinds are leaves.
_CHILDREN = {OBJECT_INSTANCE: (MULTIPLE_RESOURCE, RESOURCE), MULTIPLE_RESOURCE: (RESOURCE_INSTANCE,)}


class Entry(NamedTuple):
    """One TLV: object instances and multiple resources have `children`, the other two kinds a `value`."""

    kind: int
    id: int
    value: bytes = b""
    children: tuple["Entry", ...] = ()


def read(data: bytes) -> list[Entry]:
    """Entries of a whole payload. Raises PayloadError for truncated, surplus or wrongly nested bytes."""
    return _read_level(data, (OBJECT_INSTANCE, RESOURCE_INSTANCE, MULTIPLE_RESOURCE, RESOURCE))


def write(entries: Iterable[Entry]) -> bytes:
    """The shortest encoding of `entries`. Raises UsageError for an id or a length that does not fit."""
    return b"".join(_write_entry(entry) for entry in entries)


def _read_level(data: bytes, allowed: tuple[int, ...]) -> list[Entry]:
    entries = []
    position = 0
    while position < len(data):
        entry, position = _read_entry(data, position, allowed)
        entries.append(entry)
    ids = [(entry.kind in (OBJECT_INSTANCE, RESOURCE_INSTANCE), entry.id) for entry in entries]
    if len(set(ids)) != len(ids):
        raise PayloadError("the TLV carries the same id twice on one level")
    return entries


def _read_entry(data: bytes, position: int, allowed: tuple[int, ...]) -> tuple[Entry, int]:
    head = data[position]
    kind = head >> _KIND_SHIFT
    if kind not in allowed:  # before going down: nesting is bounded by the kinds, not by the peer
        raise PayloadError("the TLV holds an entry where its kind does not belong")
    number, position = _read_number(data, position + 1, 2 if head & _WIDE_ID else 1)
    length_bytes = head >> _LENGTH_SHIFT & 3
    if length_bytes:
        length, position = _read_number(data, position, length_bytes)
    else:
        length = head & _SHORT_LENGTH
    end = position + length
    if end > len(data):
        raise PayloadError(f"the TLV of id {number} announces {length} bytes, {len(data) - position} are left")
    value = data[position:end]
    if kind in _CHILDREN:
        return Entry(kind, number, children=tuple(_read_level(value, _CHILDREN[kind]))), end
    return Entry(kind, number, value), end


def _read_number(data: bytes, position: int, size: int) -> tuple[int, int]:
    end = position + size
    if end > len(data):
        raise PayloadError("the TLV ends within a header")
    return int.from_bytes(data[position:end], "big"), end


def _write_entry(entry: Entry) -> bytes:
    body = entry.value or write(entry.children)
    head = entry.kind << _KIND_SHIFT
    length = b""
    if len(body) <= _SHORT_LENGTH:
        head |= len(body)
    else:
        length = _shortest(len(body))
        if len(length) > 3:
            raise UsageError(f"{len(body)} bytes are too long for one TLV")
        head |= len(length) << _LENGTH_SHIFT
    if not 0 <= entry.id <= MAX_ID:
        raise UsageError(f"{entry.id} is not an id from 0 to {MAX_ID}")
    number = _shortest(entry.id)
    if len(number) == 2:
        head |= _WIDE_ID
    return bytes([head]) + number + length + body


def _shortest(number: int) -> bytes:
    return number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
