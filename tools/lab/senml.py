"""SenML (RFC 8428) as JSON, Content-Format 110, and as CBOR, 112, with the Objlnk of LwM2M (OMA CORE, "SenML").

Written apart from the device's codec on purpose: json and cbor2 do the work, this maps their items to values.
"""

import base64
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import cbor2

from . import definitions, paths, strict, values
from .errors import PayloadError, UsageError
from .paths import Path, text_of
from .records import Record

JSON, CBOR = 110, 112

_VERSION = 10  # the newest that may be understood (RFC 8428 4.4)
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")

_CBOR_LABELS = {"bs": -6, "bv": -5, "bu": -4, "bt": -3, "bn": -2, "bver": -1}
_CBOR_LABELS |= {label: number for number, label in enumerate(("n", "u", "v", "vs", "vb", "s", "t", "ut", "vd"))}
_LABELS = {number: label for label, number in _CBOR_LABELS.items()}  # vlo has no number: it stays text

_VALUES = ("v", "vs", "vb", "vd", "vlo")
_LABEL_OF_TYPE = {"String": "vs", "Corelnk": "vs", "Boolean": "vb", "Opaque": "vd", "Objlnk": "vlo"}  # others: v


class _Entry(NamedTuple):
    """A record with its base fields worked in; `label` is None if it has no value."""

    path: Path
    label: str | None
    value: Any
    time: float | None


def decode(content_format: int, payload: bytes) -> list[Record]:
    """The records in a payload. Raises PayloadError."""
    return [_record(entry, content_format) for entry in _entries(content_format, payload)]


def decode_paths(content_format: int, payload: bytes) -> list[Path]:
    """The paths in the path list of a composite operation. Raises PayloadError."""
    return [entry.path for entry in _entries(content_format, payload)]


def encode(content_format: int, records: Iterable[Record]) -> bytes:
    """A payload of one record with its full name for each value. Raises UsageError."""
    return _write(content_format, [_fields(content_format, record) for record in records])


def encode_paths(content_format: int, asked: Sequence[Path]) -> bytes:
    """The path list of a composite operation."""
    return _write(content_format, [{"n": text_of(path)} for path in asked])


def _entries(content_format: int, payload: bytes) -> list[_Entry]:
    items = strict.from_json(payload) if content_format == JSON else strict.from_cbor(payload)
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise PayloadError("SenML is an array of records")
    entries, base = [], {"bn": "", "bt": None, "bv": 0}
    for item in items:
        fields = _labelled(item, content_format)
        base |= {label: fields[label] for label in base if label in fields}
        entries.append(_entry(fields, base))
    return entries


def _labelled(item: dict[Any, Any], content_format: int) -> dict[str, Any]:
    """The record's fields by their labels in JSON."""
    fields: dict[Any, Any] = item
    if content_format == CBOR:
        fields = {_LABELS.get(key, key): value for key, value in item.items()}
    for label, value in fields.items():
        if isinstance(label, str) and label.endswith("_"):
            raise PayloadError(f"SenML has the label {label!r}, which nobody here understands")
        kinds = str if label in ("bn", "n") else (int, float) if label in ("bt", "bv", "t") else object
        if not isinstance(value, kinds) or (kinds is not object and isinstance(value, bool)):
            raise PayloadError(f"SenML has {value!r} for {label}")
    version = fields.get("bver", _VERSION)
    if not isinstance(version, int) or version > _VERSION:
        raise PayloadError(f"SenML has the version {version!r}, newer than {_VERSION}")
    return fields


def _entry(fields: dict[str, Any], base: dict[str, Any]) -> _Entry:
    name = base["bn"] + fields.get("n", "")
    try:
        path = paths.parse(name)
    except UsageError:
        raise PayloadError(f"SenML names {name!r}, which is not a path") from None
    time = None if base["bt"] is None and "t" not in fields else (base["bt"] or 0) + fields.get("t", 0)
    labels = [label for label in _VALUES if label in fields]
    if len(labels) > 1:
        raise PayloadError(f"SenML has two values for {name}")
    if not labels:
        return _Entry(path, None, None, time)
    value = fields[labels[0]]
    if labels == ["v"]:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise PayloadError(f"SenML has {value!r} for v")
        value += base["bv"]
    return _Entry(path, labels[0], value, time)


def _record(entry: _Entry, content_format: int) -> Record:
    path, label, value, time = entry
    if label is None:
        raise PayloadError(f"SenML has no value for {text_of(path)}")
    type_name = definitions.type_of(path)
    if type_name and label != _label(type_name):
        raise PayloadError(f"SenML has {text_of(path)}, of type {type_name}, as {label}")
    if label == "vd" and content_format == JSON:
        value = _from_base64url(value)
    kinds = {"v": (int, float), "vb": bool, "vd": bytes}.get(label, str)
    if not isinstance(value, kinds) or (label == "v" and isinstance(value, bool)):
        raise PayloadError(f"SenML has {value!r} for {label}")
    return Record(path, values.from_device(type_name, value), time)


def _fields(content_format: int, record: Record) -> dict[str, Any]:
    type_name = definitions.type_of(record.path)
    value = values.check(type_name, record.value)
    label = _label(type_name or values.type_of(value))
    if label == "vd" and content_format == JSON:
        value = base64.urlsafe_b64encode(value).rstrip(b"=").decode()
    return {"n": text_of(record.path), label: value}


def _label(type_name: str) -> str:
    return _LABEL_OF_TYPE.get(type_name, "v")


def _from_base64url(text: Any) -> bytes:
    """RFC 8428 4.3: base64url without padding."""
    if not isinstance(text, str) or not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        raise PayloadError(f"SenML has {text!r} for vd, which is not base64url without padding")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _write(content_format: int, records: list[dict[str, Any]]) -> bytes:
    if content_format == CBOR:
        numbered = [{_CBOR_LABELS.get(label, label): value for label, value in each.items()} for each in records]
        return cbor2.dumps(numbered, canonical=True)  # which makes floats as short as they can be
    try:
        return json.dumps(records, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise UsageError("JSON has no infinity and no NaN") from None
