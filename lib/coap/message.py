"""One CoAP message <-> bytes (RFC 7252 section 3).

`decode` is strict and raises nothing but FormatError; `encode` takes what it is given by our own code.
"""

from coap.errors import FormatError
from compat import const

CON, NON, ACK, RST = 0, 1, 2, 3

_VERSION_1 = const(0x40)
_PAYLOAD_MARKER = const(0xFF)
_MAX_NUMBER = const(65535)
_MEMO = const(16)  # requests that are remembered, each about 400 bytes on 32 bits
_MEMO_LENGTH = const(64)  # longest options that are remembered

# Options that this library understands: number -> longest value, negative if it may be repeated (RFC 7252 section
# 5.10, RFC 7641, RFC 7959). A critical one that is not here, is too long or comes twice is answered with 4.02.
_KNOWN = {
    3: 255,
    4: -8,
    6: 3,
    7: 2,
    8: -255,
    11: -255,
    12: 2,
    14: 4,
    15: -255,
    17: 2,
    20: -255,
    23: 3,
    27: 3,
    28: 4,
    60: 4,
}


class Options:
    """The options of one message: `pairs` of (number, value bytes), ascending.

    `bad` is the number of the first critical option that cannot be honoured, else 0. `route` is a place where the
    layer above keeps what it made of these options: equal option bytes give the same Options object again.
    """

    def __init__(self, pairs, bad=0):
        self.pairs = pairs
        self.bad = bad
        self.route = None

    def get(self, number):
        """The value of the first option `number`, or None."""
        for found, value in self.pairs:
            if found == number:
                return value
        return None

    def all(self, number):
        """The values of every option `number`, in order."""
        return [value for found, value in self.pairs if found == number]

    def uint(self, number):
        """Option `number` as an unsigned int (RFC 7252 section 3.2), or None."""
        value = self.get(number)
        return None if value is None else int.from_bytes(value, "big")


NO_OPTIONS = Options(())


class Message:
    """Type, code, Message ID, token, options and payload of one message."""

    def __init__(self):
        self.type = CON
        self.code = self.mid = 0
        self.token = self.payload = b""
        self.options = NO_OPTIONS


def decode(datagram, message=None, memo=None):
    """Fill `message` (or a new one) from a datagram and return it; raises FormatError.

    `memo` is a dict that remembers the Options of messages without payload by their bytes: a server asks the same
    few questions over and over, and parsing one costs more than all the rest of a Read.
    """
    end = len(datagram)
    if end < 4:
        raise FormatError("shorter than a header")
    first = datagram[0]
    if first & 0xC0 != _VERSION_1:
        raise FormatError("unknown version")
    pos = 4 + (first & 0x0F)
    if pos > 12 or pos > end:
        raise FormatError("bad token length")
    if message is None:
        message = Message()
    message.type = first >> 4 & 3
    message.code = code = datagram[1]
    message.mid = datagram[2] << 8 | datagram[3]
    if code == 0 and end != 4:
        raise FormatError("empty message with content")
    message.token = datagram[4:pos]
    message.payload = b""
    tail = datagram[pos:]
    options = memo.get(tail) if memo is not None else None
    if options is None:
        options, start = decode_options(tail)
        if start < len(tail):
            message.payload = tail[start:]
        elif memo is not None and len(tail) <= _MEMO_LENGTH:
            if len(memo) >= _MEMO:
                del memo[next(iter(memo))]
            memo[tail] = options
    message.options = options
    return message


def decode_options(buf):
    """(Options, where the payload starts) of all that follows the token."""
    end = len(buf)
    pos = number = bad = 0
    pairs = []
    while pos < end:
        head = buf[pos]
        pos += 1
        if head == _PAYLOAD_MARKER:
            if pos == end:
                raise FormatError("payload marker without payload")
            break
        delta, pos = _extended(buf, pos, head >> 4)
        length, pos = _extended(buf, pos, head & 15)
        stop = pos + length
        number += delta
        if stop > end or number > _MAX_NUMBER:
            raise FormatError("option past the end")
        limit = _KNOWN.get(number, 0)
        if limit == 0 or length > abs(limit) or (limit > 0 and delta == 0 and pairs):
            if number & 1:
                bad = bad or number
            elif limit:
                pos = stop
                continue
        pairs.append((number, buf[pos:stop]))
        pos = stop
    return Options(pairs, bad), pos


def _extended(buf, pos, nibble):
    """An option delta or length behind its nibble, and where the next byte is (RFC 7252 section 3.1)."""
    if nibble < 13:
        return nibble, pos
    if nibble == 15 or pos + nibble - 12 > len(buf):
        raise FormatError("bad option header")
    if nibble == 13:
        return buf[pos] + 13, pos + 1
    return (buf[pos] << 8 | buf[pos + 1]) + 269, pos + 2


def encode(type, code, mid, token=b"", options=(), payload=b""):
    """The bytes of one message. `options` are (number, value) pairs, ascending, each value bytes or an unsigned int."""
    out = bytearray(4 + len(token))
    out[0] = _VERSION_1 | type << 4 | len(token)
    out[1] = code
    out[2] = mid >> 8
    out[3] = mid & 255
    out[4:] = token
    last = 0
    for number, value in options:
        if isinstance(value, int):
            value = uint(value)
        delta = number - last
        length = len(value)
        if 0 <= delta < 13 and length < 13:
            out.append(delta << 4 | length)
            out += value
        else:
            _encode_long_option(out, delta, value)
        last = number
    if payload:
        out.append(_PAYLOAD_MARKER)
        out += payload
    return bytes(out)


def _encode_long_option(out, delta, value):
    length = len(value)
    if delta < 0:
        raise ValueError("options must ascend")
    at = len(out)
    out.append(0)
    out[at] = _append_extended(out, delta) << 4 | _append_extended(out, length)
    out += value


def _append_extended(out, value):
    """Append the extension bytes of a delta or length, and return its nibble."""
    if value < 13:
        return value
    if value < 269:
        out.append(value - 13)
        return 13
    out.append(value - 269 >> 8)
    out.append(value - 269 & 255)
    return 14


def uint(value):
    """An unsigned int as an option value: big endian, no leading zero byte, 0 is empty (RFC 7252 section 3.2)."""
    length = 0
    while value >> 8 * length:
        length += 1
    return value.to_bytes(length, "big")
