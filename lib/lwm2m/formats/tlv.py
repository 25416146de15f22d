"""application/vnd.oma.lwm2m+tlv, Content-Format 11542 (OMA LwM2M TRANS "TLV"): type byte | id | length | content.

The type byte: bits 7-6 say what it is (the constants below), bit 5 whether the id takes two bytes instead of one,
bits 4-3 how many bytes the length takes; when that is none, bits 2-0 are the length.
"""

from struct import pack, unpack

from coap.errors import BadRequest, CoapError, FormatError
from compat import const

from . import in_64_bits, utf8

CT = 11542

_INSTANCE = const(0)  # contains resources
_RESOURCE_INSTANCE = const(1)  # contains a value
_MULTIPLE = const(2)  # contains resource instances
_RESOURCE = const(3)  # contains a value
_MAX_ID = const(65535)  # reserved: never the id of anything


def encode(path, records):
    """All records as TLVs; object instances are wrapped only when the path is that of an object.

    Raises CoapError for an integer beyond 64 bits.
    """
    out = bytearray()
    last = None
    start = 0
    for iid, rid, type, value in records:
        if iid != last and len(path) == 1:
            if last is not None:
                _put_header(out, start, _INSTANCE, last)
            last = iid
            start = len(out)
        if len(path) == 4:  # the instance alone, without the resource around it
            for riid in value:
                _put(out, _RESOURCE_INSTANCE, riid, type, value[riid])
        elif rid is not None:
            _put(out, _RESOURCE, rid, type, value)
    if last is not None:
        _put_header(out, start, _INSTANCE, last)
    return out


def _put(out, kind, ident, type, value):
    start = len(out)
    if isinstance(value, dict):
        kind = _MULTIPLE
        for riid in sorted(value):
            _put(out, _RESOURCE_INSTANCE, riid, type, value[riid])
    else:
        out.extend(_content(type, value))
    _put_header(out, start, kind, ident)


def _put_header(out, start, kind, ident):
    """Insert the header of the TLV whose content is the end of `out`, from `start`."""
    size = len(out) - start
    if size < 8 and kind != _INSTANCE:  # an empty instance is 08 00 00, not a mere 00 00
        width = 0
    else:
        width = 1 if size < 256 else 2 if size < 65536 else 3
    head = kind << 6 | (width << 3 or size)
    head = pack(">BH", head | 0x20, ident) if ident > 255 else pack("BB", head, ident)
    out[start:start] = head + size.to_bytes(width, "big") if width else head


def _content(type, value):
    if type == "float":
        return _float(float(value))
    if type == "bool":
        return b"\1" if value else b"\0"
    if type == "opaque":
        return value
    if type == "link":
        return pack(">HH", *value)
    if type in ("str", "corelnk"):
        return value.encode()
    return _integer(in_64_bits(int(value), type, CoapError))


def _float(value):
    """4 bytes when they hold the value exactly, or when it is nan or infinite (then value - value is nan); else 8."""
    try:
        short = pack(">f", value)
    except OverflowError:  # CPython; MicroPython packs infinity, which differs from the value too
        return pack(">d", value)
    return short if unpack(">f", short)[0] == value or value - value else pack(">d", value)


def _integer(value):
    """Two's complement in 1, 2, 4 or 8 bytes; unsigned sets the top bit only of 8: many servers read it signed."""
    size = 1
    while size < 8 and not -1 <= value >> 8 * size - 1 <= 0:
        size *= 2
    return (value & (1 << 8 * size) - 1).to_bytes(size, "big")


def decode(path, payload):
    """The records of a Write or Create. An object instance around what the path names is accepted at every level."""
    data = memoryview(payload)
    kind = data[0] >> 6 if payload else _INSTANCE  # no payload: no instance
    iid = path[1] if len(path) > 1 else None
    records = []
    if kind == _RESOURCE_INSTANCE and len(path) == 4:
        records.append((iid, path[2], dict(_tlvs(data, _RESOURCE_INSTANCE))))
    else:
        for ident, content in _tlvs(data, _INSTANCE) if kind == _INSTANCE else ((iid, data),):
            if iid not in (None, ident):
                raise BadRequest("instance %d is not in the path" % ident)
            records += [(ident, rid, raw) for rid, raw in _tlvs(content, _RESOURCE)] or [(ident, None, None)]
    if len(path) > 2:
        _check_only(path[2:], records)
    return records


def _check_only(path, records):
    """BadRequest unless the one record is what `path`, (rid,) or (rid, riid), names."""
    if len(records) == 1:
        _, rid, raw = records[0]
        if path == ((rid,) + tuple(raw) if len(path) == 2 and isinstance(raw, dict) else (rid,)):
            return
    raise BadRequest("not just what the path names")


def _tlvs(data, wanted):
    """Yield (id, content) of the TLVs side by side in data; every length, nesting and id is checked here.

    A multiple resource may be where a resource is wanted; its content is {riid: content}.
    """
    position = 0
    seen = {_MAX_ID}
    while position < len(data):
        head = data[position]
        kind = head >> 6
        length_at = position + (3 if head & 0x20 else 2)
        start = length_at + (head >> 3 & 3)
        if (_RESOURCE if kind == _MULTIPLE else kind) != wanted or start > len(data):
            raise FormatError("misplaced or cut TLV")
        ident = int.from_bytes(data[position + 1 : length_at], "big")
        if ident in seen:
            raise BadRequest("id %d is there twice, or reserved" % ident)
        seen.add(ident)
        position = start + (int.from_bytes(data[length_at:start], "big") if head & 0x18 else head & 7)
        if position > len(data):
            raise FormatError("TLV longer than its container")
        content = data[start:position]
        yield ident, dict(_tlvs(content, _RESOURCE_INSTANCE)) if kind == _MULTIPLE else content


def value(raw, type):
    """The value in the content of a TLV; BadRequest when its length or bytes do not fit the type."""
    size = len(raw)
    if type in ("str", "corelnk"):
        return utf8(raw)
    if type == "opaque":
        return bytes(raw)
    if type == "bool" and size == 1 and raw[0] < 2:
        return raw[0] == 1
    if type == "float" and size in (4, 8):
        return unpack(">f" if size == 4 else ">d", raw)[0]
    if type == "link" and size == 4:
        return unpack(">HH", raw)
    if type in ("int", "uint", "time") and 0 < size < 9:
        number = int.from_bytes(raw, "big")
        return number - (1 << 8 * size) if type != "uint" and raw[0] & 0x80 else number
    raise BadRequest("%d bytes are no %s" % (size, type))
