"""text/plain, Content-Format 0: one value as UTF-8 text (OMA LwM2M CORE, data types, column "Text Format")."""

from binascii import a2b_base64, b2a_base64

from coap.errors import BadRequest, CoapError, NotAcceptable

from . import decode_single, in_64_bits, single, utf8

CT = 0


def encode(path, records):
    """The one value as text, in few characters (22 for 22.0): those of repr, which on
    a board with 32-bit floats means 7 to 8 significant digits.

    Raises NotAcceptable also for a float that is no number, CoapError for an integer beyond 64 bits.
    """
    type, value = single(path, records)
    if type == "float":
        text = b"%r" % float(value)
        if text[-1] in b"nf":  # nan, inf
            raise NotAcceptable("text has no nan and no inf")
        return text[:-2] if text.endswith(b".0") else text
    if type == "bool":
        return b"1" if value else b"0"
    if type == "opaque":
        return b2a_base64(value, newline=False)
    if type == "link":
        return b"%d:%d" % value
    if type in ("str", "corelnk"):
        return value.encode()
    return b"%d" % in_64_bits(int(value), type, CoapError)


decode = decode_single


def value(raw, type):
    """The value whose text form is raw, to the letter: no spaces, no "+", no underscores, no newline."""
    if type in ("str", "corelnk"):
        return utf8(raw)
    raw = bytes(raw)
    if type == "bool" and raw in (b"0", b"1"):
        return raw == b"1"
    if type == "float" and _is_decimal(raw):
        number = float(raw)
        if number - number == 0:  # not so for infinity, which 1e999 becomes
            return number
    elif type == "opaque":
        return _base64(raw)
    elif type == "link":
        oid, _, iid = raw.partition(b":")
        if oid.isdigit() and iid.isdigit() and len(raw) < 12 and int(oid) < 65536 and int(iid) < 65536:
            return int(oid), int(iid)
    elif type in ("int", "uint", "time") and _is_whole(raw, b"-") and len(raw) < 21:
        return in_64_bits(int(raw), type, BadRequest)
    raise BadRequest("not a value of type " + type)


def _is_whole(raw, signs):
    """Whether raw is ASCII digits after at most one of the signs; int() and float() let far more pass."""
    return (raw[1:] if raw[:1] in signs else raw).isdigit()


def _is_decimal(raw):
    mantissa, e, exponent = raw.lower().partition(b"e")
    whole, point, fraction = mantissa.partition(b".")
    return _is_whole(whole, b"-") and (not point or fraction.isdigit()) and (not e or _is_whole(exponent, b"+-"))


def _base64(raw):
    try:
        content = a2b_base64(raw)
    except ValueError:
        content = b""
    if b2a_base64(content, newline=False) != raw:  # a2b_base64 skips what is not base64
        raise BadRequest("not base64")
    return content
