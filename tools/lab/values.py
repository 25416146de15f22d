"""The data types of LwM2M (OMA CORE, "Data Types"), each as text, as bytes in a TLV and as a Python value.

Python values: str, int, float, bool, bytes (Opaque), int (Time, seconds since 1970 UTC), "oid:iid" (Objlnk).
A type of None means that the registry does not know the resource: bytes stay bytes, text stays text.
"""

import base64
import binascii
import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .errors import PayloadError, UsageError

_INTEGER = re.compile(r"-?[0-9]{1,20}")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_OBJLNK = re.compile(r"([0-9]{1,5}):([0-9]{1,5})")
_COMMAND_LINE_BOOLEANS = {"true": True, "1": True, "on": True, "false": False, "0": False, "off": False}


@dataclass(frozen=True)
class _Type:
    """Four directions and a test; every function raises ValueError for what does not fit."""

    check: Callable[[Any], Any]
    from_text: Callable[[str], Any]
    to_text: Callable[[Any], str]
    from_bytes: Callable[[bytes], Any]
    to_bytes: Callable[[Any], bytes]


def from_text(type_name: str | None, payload: bytes) -> Any:
    """The value in a text/plain payload. Raises PayloadError."""
    try:
        text = payload.decode("utf-8")
        return _TYPES[type_name].from_text(text) if type_name else text
    except ValueError:
        raise PayloadError(f"{payload!r} is not the text of a value of type {type_name or 'String'}") from None


def from_bytes(type_name: str | None, value: bytes) -> Any:
    """The value of a TLV leaf. Raises PayloadError."""
    if not type_name:
        return value
    try:
        return _TYPES[type_name].from_bytes(value)
    except ValueError:
        raise PayloadError(f"the TLV value {value.hex()!r} is not a value of type {type_name}") from None


def to_text(type_name: str | None, value: Any) -> bytes:
    return _TYPES[type_name or type_of(value)].to_text(check(type_name, value)).encode("utf-8")


def to_bytes(type_name: str | None, value: Any) -> bytes:
    return _TYPES[type_name or type_of(value)].to_bytes(check(type_name, value))


def check(type_name: str | None, value: Any) -> Any:
    """The value as its type has it (5 becomes 5.0 for a Float). Raises UsageError when it does not fit."""
    type_name = type_name or type_of(value)
    try:
        return _TYPES[type_name].check(value)
    except (ValueError, OverflowError):  # the latter for an integer beyond every Float
        raise UsageError(f"{value!r} is not a value of type {type_name}") from None


def from_device(type_name: str | None, value: Any) -> Any:
    """`check` for a value that a device sent in JSON or CBOR. Raises PayloadError."""
    try:
        return check(type_name, value)
    except UsageError as problem:
        raise PayloadError(str(problem)) from None


def from_command_line(type_name: str | None, word: str) -> Any:
    """The value that a person typed: true/false for a Boolean, hex digits for an Opaque. Raises UsageError."""
    try:
        if type_name == "Boolean":
            return _COMMAND_LINE_BOOLEANS[word.lower()]
        if type_name == "Opaque":
            return bytes.fromhex(word)
        return _TYPES[type_name].from_text(word) if type_name else word
    except (ValueError, KeyError):
        raise UsageError(f"{word!r} is not a value of type {type_name}") from None


def from_json(type_name: str | None, value: Any) -> Any:
    """The value that stands in JSON, where an Opaque is a string of hex digits. Raises UsageError."""
    if type_name == "Opaque" and isinstance(value, str):
        return from_command_line(type_name, value)
    return check(type_name, value)


def type_of(value: Any) -> str:
    """The type that a Python value has by itself. Raises UsageError."""
    names = {bool: "Boolean", int: "Integer", float: "Float", str: "String", bytes: "Opaque"}
    if type(value) not in names:
        raise UsageError(f"{value!r} is not a value that a resource can have")
    return names[type(value)]


def _expect(condition: bool) -> None:
    if not condition:
        raise ValueError


def _string(value: Any) -> str:
    _expect(isinstance(value, str))
    return value


def _integer(low: int, high: int) -> Callable[[Any], int]:
    def check_integer(value: Any) -> int:
        _expect(isinstance(value, int) and not isinstance(value, bool) and low <= value <= high)
        return value

    return check_integer


_signed = _integer(-(2**63), 2**63 - 1)
_unsigned = _integer(0, 2**64 - 1)


def _float(value: Any) -> float:
    _expect(isinstance(value, int | float) and not isinstance(value, bool))
    return float(value)


def _boolean(value: Any) -> bool:
    _expect(isinstance(value, bool))
    return value


def _opaque(value: Any) -> bytes:
    _expect(isinstance(value, bytes))
    return value


def _objlnk(value: Any) -> str:
    match = _OBJLNK.fullmatch(_string(value))
    _expect(match is not None and all(int(number) <= 0xFFFF for number in match.groups()))
    return value


def _integer_from_text(check_integer: Callable[[Any], int]) -> Callable[[str], int]:
    def parse(text: str) -> int:
        _expect(_INTEGER.fullmatch(text) is not None)
        return check_integer(int(text))

    return parse


def _float_from_text(text: str) -> float:
    _expect(_FLOAT.fullmatch(text) is not None)
    return float(text)


def _boolean_from_text(text: str) -> bool:
    _expect(text in ("0", "1"))
    return text == "1"


def _opaque_from_text(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError from None


def _integer_from_bytes(signed: bool) -> Callable[[bytes], int]:
    def parse(value: bytes) -> int:
        _expect(1 <= len(value) <= 8)  # 3, 5, 6 and 7 bytes are not in the standard but unambiguous
        return int.from_bytes(value, "big", signed=signed)

    return parse


def _integer_to_bytes(value: int) -> bytes:
    """Two's complement in 1, 2, 4 or 8 bytes. An unsigned value that servers could take for a negative one gets
    the next size, 129 -> 00 81, except where there is no next size."""
    for size in (1, 2, 4, 8):
        if -(1 << size * 8 - 1) <= value < 1 << size * 8 - 1:
            return value.to_bytes(size, "big", signed=True)
    return value.to_bytes(8, "big")


def _float_from_bytes(value: bytes) -> float:
    _expect(len(value) in (4, 8))
    return struct.unpack(">f" if len(value) == 4 else ">d", value)[0]


def _float_to_bytes(value: float) -> bytes:
    """Single precision where that loses nothing."""
    try:
        short = struct.pack(">f", value)
    except OverflowError:
        return struct.pack(">d", value)
    exact = math.isnan(value) or struct.unpack(">f", short)[0] == value
    return short if exact else struct.pack(">d", value)


def _boolean_from_bytes(value: bytes) -> bool:
    _expect(value in (b"\x00", b"\x01"))
    return value == b"\x01"


def _objlnk_from_bytes(value: bytes) -> str:
    _expect(len(value) == 4)
    return "{}:{}".format(*struct.unpack(">HH", value))


def _objlnk_to_bytes(value: str) -> bytes:
    return struct.pack(">HH", *(int(number) for number in value.split(":")))


def _utf8(value: bytes) -> str:
    return value.decode("utf-8")


_STRING = _Type(_string, _string, str, _utf8, str.encode)
_INT = _Type(_signed, _integer_from_text(_signed), str, _integer_from_bytes(True), _integer_to_bytes)

_TYPES = {
    "String": _STRING,
    "Corelnk": _STRING,
    "Integer": _INT,
    "Time": _INT,
    "Unsigned Integer": _Type(
        _unsigned, _integer_from_text(_unsigned), str, _integer_from_bytes(False), _integer_to_bytes
    ),
    "Float": _Type(_float, _float_from_text, repr, _float_from_bytes, _float_to_bytes),
    "Boolean": _Type(
        _boolean, _boolean_from_text, lambda value: str(int(value)), _boolean_from_bytes, lambda v: bytes([v])
    ),
    "Opaque": _Type(_opaque, _opaque_from_text, lambda value: base64.b64encode(value).decode(), bytes, bytes),
    "Objlnk": _Type(_objlnk, _objlnk, str, _objlnk_from_bytes, _objlnk_to_bytes),
}
