"""application/senml+json, Content-Format 110 (RFC 8428 section 5, OMA LwM2M TRANS "SenML JSON")."""

from coap.errors import BadRequest

from . import json_item, senml, text

CT = 110

_LABELS = ("bn", "n", "bver", "bv", "v", "vs", "vb", "vd", "vlo")
_VALUES = (b'"v":', b'"vs":', b'"vb":', b'"vd":', b'"vlo":')

value = senml.value


def encode(path, records, time=None):
    """The content under a path; time is that of all values, in s since 1970, or None.

    A float that is no number is left out; alone, it raises NotAcceptable. CoapError is for an integer beyond 64 bits.
    """
    out = bytearray(b"[")
    senml.write(out, _put, path, json_item.finite(records, 2, len(path)), time)
    out.append(0x5D)
    return out


def encode_many(items):
    """Values of any resources but for floats that are no numbers: items are (path, type, value, time); see
    senml.write_many."""
    out = bytearray(b"[")
    senml.write_many(out, _put, json_item.finite(items, 1))
    out.append(0x5D)
    return out


def decode(path, payload):
    """The records of a Write or Create, all under the path."""
    return senml.decode(path, _resolve(payload) if payload or len(path) > 1 else ())


def decode_many(payload):
    """[(path, raw)] of any resources; raw is None for a record without a value."""
    return list(_resolve(payload))


def _put(out, bn, bt, n, type, value, t):
    out.extend(b",{" if len(out) > 1 else b"{")
    if bn is not None:
        out.extend(b'"bn":"%s/",' % bn if n else b'"bn":"%s",' % bn)
    if bt is not None:
        out.extend(b'"bt":%d,' % bt)
    if n:
        out.extend(b'"n":"%s",' % n)
    json_item.put(out, _VALUES, type, value, True)
    if t:
        out.extend(b',"t":%d' % t)
    out.append(0x7D)


def _resolve(payload):
    return senml.resolve(_records(payload), _LABELS, _data)


def _records(payload):
    reader = json_item.Reader(payload)
    yield from reader.items()
    reader.end()


def _data(raw):
    """Bytes of base64 for URLs, without padding."""
    raw = senml.string(raw).encode()
    if b"+" in raw or b"/" in raw or b"=" in raw:
        raise BadRequest("not base64url")
    raw = raw.replace(b"-", b"+").replace(b"_", b"/")
    return text.value(raw + b"=" * (-len(raw) % 4), "opaque")
