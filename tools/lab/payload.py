"""Payloads by Content-Format: text (0), link-format (40), opaque (42) and TLV (11542) to and from Python values.

A decoded value is shaped like its path: a resource is a value (a multiple resource {instance: value}), an instance is
{resource: ...}, an object is {instance: {resource: ...}}; a link list is {target: attributes}.
"""

import json
from collections.abc import Sequence
from typing import Any

from . import definitions, links, tlv, values
from .errors import PayloadError, UsageError
from .paths import MAX_ID, Path, text_of

TEXT, LINKS, OPAQUE, TLV = 0, 40, 42, 11542

FORMATS = {"text": TEXT, "link-format": LINKS, "opaque": OPAQUE, "tlv": TLV}
_NAMES: dict[int | None, str] = {number: name for name, number in FORMATS.items()}

Entries = Sequence[tlv.Entry]


def format_name(content_format: int | None) -> str:
    return _NAMES.get(content_format, f"Content-Format {content_format}")


def decode(content_format: int | None, payload: bytes, path: Path) -> Any:
    """The value that a device sent for `path`; the bytes themselves in a format that is not decoded here.

    Raises PayloadError for bytes that the format does not allow or that are not about `path`.
    """
    if content_format == TLV:
        return _decode_tlv(tlv.read(payload), path)
    if content_format == LINKS:
        return links.parse(payload)
    if content_format == TEXT:
        if len(path) < 3:
            raise PayloadError(f"text cannot carry {text_of(path)}, only a single resource")
        return values.from_text(_type(path), payload)
    return payload


def default_format(path: Path, value: Any) -> int:
    """How a value is written when nobody says: TLV where there is structure, opaque for bytes, else text."""
    if len(path) < 3 or isinstance(value, dict):
        return TLV
    return OPAQUE if isinstance(value, bytes) else TEXT


def encode(content_format: int, value: Any, path: Path) -> bytes:
    """The payload that writes `value` to `path`; bytes go out as they are in a format that is not encoded here.

    Raises UsageError when value, path and format do not fit.
    """
    if content_format == TLV:
        return tlv.write(_encode_tlv(value, path))
    if isinstance(value, dict):
        raise UsageError(f"{format_name(content_format)} carries a single value, {text_of(path)} has several")
    if content_format == TEXT:
        return values.to_text(_type(path), value)
    if isinstance(value, bytes) and content_format != LINKS:  # opaque, or a format that the caller encoded
        return value
    raise UsageError(f"{value!r} cannot be sent as {format_name(content_format)}")


def encode_new_instance(oid: int, iid: int | None, resources: dict) -> bytes:
    """The TLV payload of a Create; without `iid` the device chooses one. Raises UsageError."""
    entries = _encode_resources((oid, iid or 0), resources)
    return tlv.write(entries if iid is None else [tlv.Entry(tlv.OBJECT_INSTANCE, iid, children=tuple(entries))])


def from_command_line(word: str, path: Path) -> Any:
    """What a person typed for `path`: a plain value, or JSON with ids as keys ({"5850": true}) where a path has
    several values. Raises UsageError."""
    resource = definitions.resource(path)
    single = len(path) == 4 or (len(path) == 3 and resource is not None and not resource.multiple)
    if single or (len(path) == 3 and not word.startswith("{")):
        return values.from_command_line(_type(path), word)
    try:
        structure = json.loads(word)
    except ValueError:
        structure = None
    if not isinstance(structure, dict):
        raise UsageError(f'{text_of(path)} takes a JSON object such as {{"5850": true}}, not {word!r}')
    return from_json(structure, path)


def from_json(value: Any, path: Path) -> Any:
    """`value` as JSON carries it: ids are strings, an Opaque is a string of hex digits. Raises UsageError."""
    if isinstance(value, dict) and len(path) < 4:
        return {_id(key): from_json(item, (*path, _id(key))) for key, item in value.items()}
    return values.from_json(_type(path), value)


def to_json(value: Any) -> Any:
    """A decoded value as JSON can carry it: bytes become hex digits."""
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    return value.hex() if isinstance(value, bytes) else value


def _decode_tlv(entries: Entries, path: Path) -> Any:
    if path[1:] and entries and entries[0].kind == tlv.OBJECT_INSTANCE:
        entries = _only(entries, path[1], path).children  # servers must tolerate a wrapper (OMA issue 276)
    match path:
        case (_,):
            _expect_kinds(entries, (tlv.OBJECT_INSTANCE,), path)
            return {entry.id: _decode_resources(entry.children, (*path, entry.id)) for entry in entries}
        case (_, _):
            return _decode_resources(entries, path)
        case (_, _, rid):
            return _decode_resources([_only(entries, rid, path)], path[:2])[rid]
        case (_, _, rid, riid):
            if entries and entries[0].kind == tlv.MULTIPLE_RESOURCE:
                entries = _only(entries, rid, path).children
            _expect_kinds(entries, (tlv.RESOURCE_INSTANCE,), path)
            return values.from_bytes(_type(path), _only(entries, riid, path).value)
        case _:
            raise PayloadError(f"a TLV cannot carry {text_of(path)}")


def _decode_resources(entries: Entries, instance: Path) -> dict:
    _expect_kinds(entries, (tlv.RESOURCE, tlv.MULTIPLE_RESOURCE), instance)
    return {entry.id: _decode_resource(entry, (*instance, entry.id)) for entry in entries}


def _decode_resource(entry: tlv.Entry, path: Path) -> Any:
    if entry.kind == tlv.RESOURCE:
        return values.from_bytes(_type(path), entry.value)
    return {item.id: values.from_bytes(_type(path), item.value) for item in entry.children}


def _expect_kinds(entries: Entries, kinds: tuple[int, ...], path: Path) -> None:
    if any(entry.kind not in kinds for entry in entries):
        raise PayloadError(f"the TLV has the wrong kind of entry for {text_of(path)}")


def _only(entries: Entries, number: int, path: Path) -> tlv.Entry:
    if len(entries) != 1 or entries[0].id != number:
        raise PayloadError(f"the TLV is not about {text_of(path)}")
    return entries[0]


def _encode_tlv(value: Any, path: Path) -> list[tlv.Entry]:
    match path:
        case (_, _):
            return _encode_resources(path, value)
        case (_, _, _):
            return [_encode_resource(path, value)]
        case (_, _, _, riid):
            return [_encode_resource(path[:3], {riid: value})]
        case _:
            raise UsageError(f"a TLV cannot be written to {text_of(path)}")


def _encode_resources(instance: Path, resources: Any) -> list[tlv.Entry]:
    if not isinstance(resources, dict):
        raise UsageError(f"{text_of(instance)} takes {{resource: value}}, not {resources!r}")
    return [_encode_resource((*instance, rid), value) for rid, value in resources.items()]


def _encode_resource(path: Path, value: Any) -> tlv.Entry:
    if not isinstance(value, dict):
        return tlv.Entry(tlv.RESOURCE, path[2], values.to_bytes(_type(path), value))
    items = (tlv.Entry(tlv.RESOURCE_INSTANCE, riid, values.to_bytes(_type(path), item)) for riid, item in value.items())
    return tlv.Entry(tlv.MULTIPLE_RESOURCE, path[2], children=tuple(items))


def _id(key: str) -> int:
    if not (key.isascii() and key.isdigit() and int(key) <= MAX_ID):
        raise UsageError(f"{key!r} is not an id of a resource or instance")
    return int(key)


def _type(path: Path) -> str | None:
    resource = definitions.resource(path)
    return resource.type if resource else None
