"""application/senml+cbor, Content-Format 112 (RFC 8428 section 6, OMA LwM2M TRANS "SenML CBOR")."""

from coap.errors import BadRequest, FormatError

from . import senml
from .cbor_item import Reader, put, put_int, put_text

CT = 112

_LABELS = (-2, 0, -1, -5, 2, 3, 4, 8, "vlo")
_VALUES = (b"\2", b"\3", b"\4", b"\x08", b"\x63vlo")

value = senml.value


def encode(path, records, time=None):
    """The content under a path; time is that of all values, in s since 1970, or None."""
    out = bytearray(b"\x80")
    senml.write(out, _put, path, records, time)
    return out


def encode_many(items):
    """Values of any resources: items are (path, type, value, time); see senml.write_many."""
    out = bytearray(b"\x80")
    senml.write_many(out, _put, items)
    return out


def decode(path, payload):
    """The records of a Write or Create, all under the path."""
    return senml.decode(path, _resolve(payload) if payload or len(path) > 1 else ())


def decode_many(payload):
    """[(path, raw)] of any resources; raw is None for a record without a value."""
    return list(_resolve(payload))


def _put(out, bn, bt, n, type, value, t):
    """One more record, and one more in the array's head, which grows while little is behind it."""
    if out[0] < 0x97:
        out[0] += 1
    elif out[0] == 0x97:
        out[0:1] = b"\x98\x18"
    elif out[0] == 0x98 and out[1] < 255:
        out[1] += 1
    elif out[0] == 0x98:
        out[0:2] = b"\x99\1\0"
    else:
        count = (out[1] << 8 | out[2]) + 1
        out[1] = count >> 8
        out[2] = count & 255
    out.append(0xA1 + (bn is not None) + (bt is not None) + (n != b"") + (t != 0))
    if bn is not None:
        out.append(0x21)
        put_text(out, bn + b"/" if n else bn)
    if bt is not None:
        out.append(0x22)
        put_int(out, bt)
    if n:
        out.append(0)
        put_text(out, n)
    out.extend(senml.label(_VALUES, type))
    put(out, type, value)
    if t:
        out.append(6)
        put_int(out, t)


def _resolve(payload):
    return senml.resolve(_records(payload), _LABELS, _data)


def _records(payload):
    reader = Reader(payload)
    major, count = reader.head()
    if major != 4:
        raise FormatError("SenML is an array")
    for _ in reader.members(count):
        yield reader.item()
    reader.end()


def _data(raw):
    if not isinstance(raw, (bytes, memoryview)):
        raise BadRequest("not bytes")
    return raw
