"""Payloads by Content-Format to and from Python values: text, link-format, opaque, CBOR, SenML, TLV, LwM2M JSON.

A decoded value is shaped like its path: a resource is a value (a multiple resource {instance: value}), an instance is
{resource: ...}, an object is {instance: {resource: ...}}; a link list is {target: attributes}.
"""

import json
from collections.abc import Sequence
from typing import Any

import cbor2

from . import definitions, links, lwm2m_json, senml, strict, tlv, values
from .errors import PayloadError, UsageError
from .paths import MAX_ID, Path, text_of
from .records import Record, flatten, nest

TEXT, LINKS, OPAQUE, CBOR, TLV = 0, 40, 42, 60, 11542
SENML_JSON, SENML_CBOR, LWM2M_JSON = senml.JSON, senml.CBOR, lwm2m_json.CT

FORMATS = {
    "text": TEXT,
    "link-format": LINKS,
    "opaque": OPAQUE,
    "cbor": CBOR,
    "senml-json": SENML_JSON,
    "senml-cbor": SENML_CBOR,
    "tlv": TLV,
    "lwm2m-json": LWM2M_JSON,
}
COMPOSITE = (SENML_JSON, SENML_CBOR)  # what composite operations and Send can be written in
_NAMES: dict[int | None, str] = {number: name for name, number in FORMATS.items()}

Entries = Sequence[tlv.Entry]


def format_name(content_format: int | None) -> str:
    return _NAMES.get(content_format, f"Content-Format {content_format}")


def decode(content_format: int | None, payload: bytes, path: Path) -> Any:
    """The value that a device sent for `path`; the bytes themselves in a format that is not decoded here.

    Raises PayloadError for bytes that the format does not allow or that are not about `path`.
    """
    records = decode_records(content_format, payload)
    if records is not None:
        return nest(records, path)
    if content_format == TLV:
        return _decode_tlv(tlv.read(payload), path)
    if content_format == LINKS:
        return links.parse(payload)
    if content_format in (TEXT, CBOR):
        if len(path) < 3:
            raise PayloadError(f"{format_name(content_format)} cannot carry {text_of(path)}, only a single resource")
        if content_format == CBOR:
            return values.from_device(definitions.type_of(path), strict.from_cbor(payload))
        return values.from_text(definitions.type_of(path), payload)
    return payload


def decode_records(content_format: int | None, payload: bytes) -> list[Record] | None:
    """The values with their paths and times in SenML and LwM2M JSON, None in any other format. Raises PayloadError."""
    if content_format in COMPOSITE:
        return senml.decode(content_format, payload)
    return lwm2m_json.decode(payload) if content_format == LWM2M_JSON else None


def default_format(path: Path, value: Any) -> int:
    """How a value is written when nobody says: TLV where there is structure, opaque for bytes, else text."""
    if len(path) < 3 or isinstance(value, dict):
        return TLV
    return OPAQUE if isinstance(value, bytes) else TEXT


def encode(content_format: int, value: Any, path: Path) -> bytes:
    """The payload that writes `value` to `path`; bytes that cannot be the value go out as they are, encoded already.

    Raises UsageError when value, path and format do not fit.
    """
    if isinstance(value, bytes) and _is_structured(content_format) and not _is_opaque(path):
        return value
    if content_format in COMPOSITE:
        return senml.encode(content_format, flatten(path, value))
    if content_format == LWM2M_JSON:
        return lwm2m_json.encode(path, flatten(path, value))
    if content_format == TLV:
        return tlv.write(_encode_tlv(value, path))
    if isinstance(value, dict):
        raise UsageError(f"{format_name(content_format)} carries a single value, {text_of(path)} has several")
    if content_format == TEXT:
        return values.to_text(definitions.type_of(path), value)
    if content_format == CBOR:
        return cbor2.dumps(values.check(definitions.type_of(path), value), canonical=True)
    if isinstance(value, bytes) and content_format != LINKS:  # opaque, or a format that the caller encoded
        return value
    raise UsageError(f"{value!r} cannot be sent as {format_name(content_format)}")


def encode_new_instance(oid: int, iid: int | None, resources: dict, content_format: int = TLV) -> bytes:
    """The payload of a Create; without `iid` the device chooses one, which only TLV can say. Raises UsageError."""
    if content_format != TLV:
        if iid is None:
            raise UsageError(f"a Create in {format_name(content_format)} has to number the new instance")
        if not 0 <= iid <= MAX_ID:
            raise UsageError(f"{iid} is not an id from 0 to {MAX_ID}")
        if content_format not in (*COMPOSITE, LWM2M_JSON):
            raise UsageError(f"an instance cannot be created in {format_name(content_format)}")
        return encode(content_format, {iid: resources}, (oid,))
    entries = _encode_resources((oid, iid or 0), resources)
    return tlv.write(entries if iid is None else [tlv.Entry(tlv.OBJECT_INSTANCE, iid, children=tuple(entries))])


def from_command_line(word: str, path: Path) -> Any:
    """What a person typed for `path`: a plain value, or JSON with ids as keys ({"5850": true}) where a path has
    several values. Raises UsageError."""
    resource = definitions.resource(path)
    single = len(path) == 4 or (len(path) == 3 and resource is not None and not resource.multiple)
    if single or (len(path) == 3 and not word.startswith("{")):
        return values.from_command_line(definitions.type_of(path), word)
    try:
        structure = json.loads(word)
    except (ValueError, RecursionError):
        structure = None
    if not isinstance(structure, dict):
        raise UsageError(f'{text_of(path)} takes a JSON object such as {{"5850": true}}, not {word!r}')
    return from_json(structure, path)


def from_json(value: Any, path: Path) -> Any:
    """`value` as JSON carries it: ids are strings, an Opaque is a string of hex digits. Raises UsageError."""
    if isinstance(value, dict) and len(path) < 4:
        return {_id(key): from_json(item, (*path, _id(key))) for key, item in value.items()}
    return values.from_json(definitions.type_of(path), value)


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
            return values.from_bytes(definitions.type_of(path), _only(entries, riid, path).value)
        case _:
            raise PayloadError(f"a TLV cannot carry {text_of(path)}")


def _decode_resources(entries: Entries, instance: Path) -> dict:
    _expect_kinds(entries, (tlv.RESOURCE, tlv.MULTIPLE_RESOURCE), instance)
    return {entry.id: _decode_resource(entry, (*instance, entry.id)) for entry in entries}


def _decode_resource(entry: tlv.Entry, path: Path) -> Any:
    if entry.kind == tlv.RESOURCE:
        return values.from_bytes(definitions.type_of(path), entry.value)
    return {item.id: values.from_bytes(definitions.type_of(path), item.value) for item in entry.children}


def _expect_kinds(entries: Entries, kinds: tuple[int, ...], path: Path) -> None:
    if any(entry.kind not in kinds for entry in entries):
        raise PayloadError(f"the TLV has the wrong kind of entry for {text_of(path)}")


def _only(entries: Entries, number: int, path: Path) -> tlv.Entry:
    if len(entries) != 1 or entries[0].id != number:
        raise PayloadError(f"the TLV is not about {text_of(path)}")
    return entries[0]


def _encode_tlv(value: Any, path: Path) -> list[tlv.Entry]:
    match path:
        case (_,) if isinstance(value, dict):  # only a bootstrap server writes whole objects
            inside = ((iid, tuple(_encode_resources((*path, iid), resources))) for iid, resources in value.items())
            return [tlv.Entry(tlv.OBJECT_INSTANCE, iid, children=children) for iid, children in inside]
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
        return tlv.Entry(tlv.RESOURCE, path[2], values.to_bytes(definitions.type_of(path), value))
    items = (
        tlv.Entry(tlv.RESOURCE_INSTANCE, riid, values.to_bytes(definitions.type_of(path), item))
        for riid, item in value.items()
    )
    return tlv.Entry(tlv.MULTIPLE_RESOURCE, path[2], children=tuple(items))


def _is_opaque(path: Path) -> bool:
    return len(path) > 2 and definitions.type_of(path) in ("Opaque", None)


def _is_structured(content_format: int) -> bool:
    return content_format in (CBOR, *COMPOSITE, LWM2M_JSON)


def _id(key: str) -> int:
    if not (key.isascii() and key.isdigit() and int(key) <= MAX_ID):
        raise UsageError(f"{key!r} is not an id of a resource or instance")
    return int(key)
