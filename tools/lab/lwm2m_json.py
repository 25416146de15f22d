"""LwM2M JSON of LwM2M 1.0, Content-Format 11543 (OMA TS 1.0, "JSON"): {"bn": "/3/0/", "e": [{"n": "9", "v": 87}]}."""

import base64
import json
from collections.abc import Iterable
from typing import Any

from . import definitions, paths, strict, values
from .errors import PayloadError, UsageError
from .paths import Path, text_of
from .records import Record

CT = 11543

_VALUES = {"v": (int, float), "bv": bool, "sv": str, "ov": str}
_LABEL_OF_TYPE = {"String": "sv", "Corelnk": "sv", "Opaque": "sv", "Boolean": "bv", "Objlnk": "ov"}  # others: v


def decode(payload: bytes) -> list[Record]:
    """The records in a payload. Raises PayloadError."""
    document = strict.from_json(payload)
    if isinstance(document, list):  # an array with bn in its first entry, as OMA's test suite prints it
        document = {"e": document, **{key: document[0][key] for key in ("bn", "bt") if _has(document, key)}}
    entries = document.get("e") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise PayloadError('LwM2M JSON is an object with an array "e" of entries')
    base, base_time = document.get("bn"), document.get("bt")
    return [_record(entry, base, base_time) for entry in entries]


def encode(base: Path, records: Iterable[Record]) -> bytes:
    """A payload with names relative to `base`. Raises UsageError."""
    entries = [{"n": "/".join(map(str, each.path[len(base) :])), **_value_fields(each)} for each in records]
    is_single = [entry["n"] for entry in entries] == [""]
    document = {"bn": text_of(base) if is_single or not base else text_of(base) + "/", "e": entries}
    try:
        return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        raise UsageError("JSON has no infinity and no NaN") from None


def _has(document: list[Any], key: str) -> bool:
    return bool(document) and isinstance(document[0], dict) and key in document[0]


def _record(entry: dict[str, Any], base: Any, base_time: Any) -> Record:
    name = entry.get("n", "")
    if base is None:
        base = "" if isinstance(name, str) and name.startswith("/") else "/"
    labels = [label for label in _VALUES if label in entry]
    times = [time for time in (base_time, entry.get("t")) if time is not None]
    if not isinstance(name, str) or not isinstance(base, str) or not all(_is_number(time) for time in times):
        raise PayloadError("LwM2M JSON has a name or a time of the wrong type")
    try:
        path = paths.parse(base + name)
    except UsageError:
        raise PayloadError(f"LwM2M JSON names {base + name!r}, which is not a path") from None
    if len(labels) != 1:
        raise PayloadError(f"LwM2M JSON has {len(labels)} values for {text_of(path)}")
    return Record(path, _value(path, labels[0], entry[labels[0]]), sum(times) if times else None)


def _value(path: Path, label: str, value: Any) -> Any:
    type_name = definitions.type_of(path)
    if type_name and label != _LABEL_OF_TYPE.get(type_name, "v"):
        raise PayloadError(f"LwM2M JSON has {text_of(path)}, of type {type_name}, as {label}")
    if not isinstance(value, _VALUES[label]) or (label == "v" and isinstance(value, bool)):
        raise PayloadError(f"LwM2M JSON has {value!r} for {label}")
    if type_name == "Opaque":
        return values.from_text(type_name, value.encode())
    return values.from_device(type_name, value)


def _value_fields(record: Record) -> dict[str, Any]:
    type_name = definitions.type_of(record.path)
    value = values.check(type_name, record.value)
    label = _LABEL_OF_TYPE.get(type_name or values.type_of(value), "v")
    return {label: base64.b64encode(value).decode() if isinstance(value, bytes) else value}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
