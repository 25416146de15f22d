"""Values of formats that tell number, text, boolean and bytes apart, as CBOR and JSON do, and a resource's type."""

from coap.errors import BadRequest

from . import in_64_bits, text

_NULL = "FFFF:FFFF"  # so OMA's test specification writes 65535:65535 in one place


def is_number(raw):
    """Whether raw is an int or a float; True and False are none."""
    return isinstance(raw, (int, float)) and not isinstance(raw, bool)


def link(raw):
    """(oid, iid) of an Objlnk as text, "66:1"; raises BadRequest."""
    return (65535, 65535) if raw == _NULL else text.value(raw.encode(), "link")


def typed(raw, type):
    """The value of a resource of this type that raw (int, float, str, bool, bytes-like, a link's tuple) stands for.

    An int may be given for a float, and a float without fraction for an int. Raises BadRequest for what does not fit.
    """
    if type == "float" or type in ("int", "uint", "time"):
        if is_number(raw):
            return _number(raw, type)
    elif type == "bool":
        if isinstance(raw, bool):
            return raw
    elif type == "opaque":
        if isinstance(raw, (bytes, bytearray, memoryview)):
            return bytes(raw)
    elif isinstance(raw, str):
        return link(raw) if type == "link" else raw
    elif type == "link" and isinstance(raw, tuple):
        return raw
    raise BadRequest("not a value of type " + type)


def _number(raw, type):
    try:
        if type == "float":
            return float(raw)
        whole = int(raw)
    except (OverflowError, ValueError):  # inf and nan
        raise BadRequest("not a value of type " + type)
    if whole != raw:
        raise BadRequest("not a whole number")
    return in_64_bits(whole, type, BadRequest)
