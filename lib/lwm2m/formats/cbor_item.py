"""CBOR data items (RFC 8949), as the formats over it need them: a bounded reader, and writers, exact and short."""

from struct import pack, unpack

from coap.errors import CoapError, FormatError
from compat import const

from . import in_64_bits, utf8

_UINT = const(0)  # major types
_NEGATIVE = const(1)
_BYTES = const(2)
_TEXT = const(3)
_ARRAY = const(4)
_MAP = const(5)
_TAG = const(6)
_BREAK = const(0xFF)
_DEPTH = const(6)  # levels of arrays, maps and tags: more cannot exhaust a board's stack, and no format here has more
_EXPONENT = const(400)  # of a decimal fraction: beyond any float


class Reader:
    """Reads items one after the other; every length is checked against what is there. Raises FormatError."""

    def __init__(self, data):
        self._data = memoryview(data)
        self._at = 0

    def head(self):
        """(major type, argument) of the next item; the argument is None for an indefinite length."""
        first = self._take(1)[0]
        info = first & 31
        if info < 24:
            return first >> 5, info
        if info < 28:
            return first >> 5, int.from_bytes(self._take(1 << info - 24), "big")
        if info == 31 and _BYTES <= first >> 5 <= _MAP:
            return first >> 5, None
        raise FormatError("no CBOR")

    def members(self, count):
        """Yields once for each member of an array, or pair of a map, whose head told this count."""
        if count is None:
            while not self._ended():
                yield
        elif count > len(self._data) - self._at:
            raise FormatError("cut CBOR")
        else:
            for _ in range(count):
                yield

    def item(self, depth=_DEPTH):
        """The next item: int, float, str, view of bytes, bool, None (null), list or dict; a list for all else.

        A time's tag (1) is dropped and a decimal fraction (tag 4) is its number; keys are ints or strs.
        """
        start = self._at
        major, argument = self.head()
        if major == _UINT:
            return argument
        if major == _NEGATIVE:
            return ~argument  # pyright: ignore[reportOptionalOperand] - an int, as head() refuses the rest
        if major <= _TEXT:
            return self._string(major, argument)
        if major > _TAG:
            return _simple(self._data[start : self._at], argument)
        if not depth:
            raise FormatError("too deep")
        if major == _TAG:
            return _tagged(argument, self.item(depth - 1))
        if major == _ARRAY:
            return [self.item(depth - 1) for _ in self.members(argument)]
        found = {}
        for _ in self.members(argument):
            key = self.item(depth - 1)
            if isinstance(key, bool) or not isinstance(key, (int, str)) or key in found:
                raise FormatError("bad key")
            found[key] = self.item(depth - 1)
        return found

    def end(self):
        """FormatError if there is more."""
        if self._at < len(self._data):
            raise FormatError("more than one item")

    def _take(self, size):
        start = self._at
        if size > len(self._data) - start:
            raise FormatError("cut CBOR")
        self._at = start + size
        return self._data[start : start + size]

    def _ended(self):
        """Whether the end of an indefinite length comes next; it is taken then."""
        if self._take(1)[0] == _BREAK:
            return True
        self._at -= 1
        return False

    def _string(self, major, size):
        if size is not None:
            content = self._take(size)
            return content if major == _BYTES else utf8(content)
        chunks = []
        while not self._ended():
            kind, size = self.head()
            if kind != major or size is None:
                raise FormatError("bad chunk")
            chunk = self._string(major, size)
            chunks.append(bytes(chunk) if isinstance(chunk, memoryview) else chunk)  # MicroPython joins no views
        return b"".join(chunks) if major == _BYTES else "".join(chunks)


def _simple(raw, argument):
    """A float by its bytes, or one of the few simple values."""
    if len(raw) > 3:
        return unpack(">f" if len(raw) == 5 else ">d", raw[1:])[0]
    if len(raw) == 3:
        return _half(argument)
    if len(raw) == 2 and argument < 32:
        raise FormatError("no CBOR")
    if argument in (20, 21):
        return argument == 21
    return None if argument == 22 else [argument]


def _half(bits):
    exponent = bits >> 10 & 31
    fraction = bits & 1023
    if exponent == 31:
        value = float("nan" if fraction else "inf")
    elif exponent:
        value = (1024 + fraction) * 2.0 ** (exponent - 25)
    else:
        value = fraction * 2.0**-24
    return -value if bits >> 15 else value


def _tagged(tag, content):
    if tag == 1 and isinstance(content, (int, float)):
        return content
    if tag == 4 and isinstance(content, list) and len(content) == 2:
        exponent, mantissa = content
        if isinstance(exponent, int) and isinstance(mantissa, int) and -_EXPONENT < exponent < _EXPONENT:
            return mantissa * 10**exponent if 0 <= exponent < 20 else float("%de%d" % (mantissa, exponent))
        raise FormatError("bad decimal fraction")
    return [tag, content]


def put(out, type, value):
    """Append a value of a resource (the types are those of lwm2m.formats) to a bytearray.

    Raises CoapError for an integer beyond 64 bits.
    """
    if type == "float":
        _put_float(out, float(value))
    elif type == "bool":
        out.append(0xF5 if value else 0xF4)
    elif type == "opaque":
        _put_head(out, _BYTES, len(value))
        out.extend(value)
    elif type == "link":
        put_text(out, b"%d:%d" % value)
    elif type in ("str", "corelnk"):
        put_text(out, value.encode())
    else:
        put_int(out, in_64_bits(int(value), type, CoapError))


def put_text(out, raw):
    """Append a text string; raw is its UTF-8."""
    _put_head(out, _TEXT, len(raw))
    out.extend(raw)


def put_int(out, number):
    """Append an int of at most 64 bits."""
    if number < 0:
        _put_head(out, _NEGATIVE, -1 - number)
    else:
        _put_head(out, _UINT, number)


def _put_head(out, major, argument):
    if argument < 24:
        out.append(major << 5 | argument)
        return
    info = 0
    while argument >> (8 << info):
        info += 1
    out.append(major << 5 | 24 + info)
    out.extend(argument.to_bytes(1 << info, "big"))


def _put_float(out, value):
    """In 2, 4 or 8 bytes, the fewest that hold the value exactly (RFC 8949 section 4.2.1); never nan with a payload."""
    try:
        short = pack(">f", value)
    except OverflowError:  # CPython; MicroPython packs infinity, which differs from the value too
        short = b""
    if short and value == value and unpack(">f", short)[0] != value:
        short = b""
    half = _to_half(unpack(">I", short)[0]) if short else None
    if half is not None:
        out.extend(pack(">BH", 0xF9, half))
    elif short:
        out.append(0xFA)
        out.extend(short)
    else:
        out.extend(pack(">Bd", 0xFB, value))


def _to_half(bits):
    """binary16 of the binary32 with these bits, None if that is not exact; there is one nan."""
    sign = bits >> 16 & 0x8000
    exponent = (bits >> 23 & 255) - 112  # in binary16's bias
    fraction = bits & 0x7FFFFF
    if exponent == 143:
        return 0x7E00 if fraction else sign | 0x7C00
    if not bits & 0x7FFFFFFF:
        return sign
    if 0 < exponent < 31 and not fraction & 0x1FFF:
        return sign | exponent << 10 | fraction >> 13
    shift = 14 - exponent
    fraction |= 0x800000
    if 13 < shift < 24 and not fraction & (1 << shift) - 1:  # subnormal
        return sign | fraction >> shift
    return None
