"""application/vnd.oma.lwm2m+json, Content-Format 11543 (OMA LwM2M 1.0 section 6.4.4): only servers of 1.0 use it.

{"bn":"/3/0/","e":[{"n":"0","sv":"ACME"},{"n":"9","v":87},{"n":"22/0","ov":"66:1"}]}; some put bn into a record.
"""

from coap.errors import FormatError

from . import json_item, senml, text

CT = 11543

_LABELS = ("bn", "n", None, None, "v", "sv", "bv", None, "ov")
_VALUES = (b'"v":', b'"sv":', b'"bv":', b'"sv":', b'"ov":')


def encode(path, records):
    """The content under a path.

    A float that is no number is left out; alone, it raises NotAcceptable. CoapError is for an integer beyond 64 bits.
    """
    out = bytearray(b"{")
    senml.write(out, _put, path, json_item.finite(records, 2, len(path)))
    out.extend(b'"e":[]}' if len(out) == 1 else b"]}")
    return out


def _put(out, bn, _bt, n, type, value, _t):
    if bn is None:
        out.append(0x2C)
    else:
        out.extend(b'"bn":"%s/","e":[' % bn if n else b'"bn":"%s","e":[' % bn)
    out.extend(b'{"n":"%s",' % n)
    json_item.put(out, _VALUES, type, value, False)
    out.append(0x7D)


def decode(path, payload):
    """The records of a Write or Create, all under the path; without a base name, names are relative to it."""
    if not payload and len(path) == 1:
        return []
    reader = json_item.Reader(payload)
    found = reader.item()
    reader.end()
    base = None
    if isinstance(found, dict):
        base = found.get("bn")
        found = found.get("e")
    if not isinstance(found, list):
        raise FormatError("no entries")
    if base is None:
        base = "" if _is_absolute(found) else "/%s/" % str(senml.join(path), "utf-8")
    return senml.decode(path, senml.resolve(found, _LABELS, None, base))


def _is_absolute(entries):
    """Whether the names need no base: those of a payload without one either all begin with a slash or none does."""
    name = entries[0].get("n") if entries and isinstance(entries[0], dict) else None
    return isinstance(name, str) and name.startswith("/")


def value(raw, type):
    """The value of one raw; raises BadRequest if it does not fit the type."""
    if type == "opaque":
        return text.value(senml.string(raw).encode(), "opaque")
    return senml.value(raw, type)
