"""A CoAP codec for tests that shares nothing with lib/coap: build() makes a message's bytes, Packet parses them."""

TYPES = ("CON", "NON", "ACK", "RST")
METHODS = ("", "GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH")


def _extend(number):
    if number < 13:
        return number, b""
    if number < 269:
        return 13, bytes([number - 13])
    return 14, bytes([(number - 269) // 256, (number - 269) % 256])


def as_uint(number):
    """Shortest big-endian bytes of an unsigned int."""
    out = b""
    while number:
        out = bytes([number % 256]) + out
        number //= 256
    return out


def block(num, more, szx):
    """The value of a Block option as an int."""
    return num * 16 + (8 if more else 0) + szx


def code_byte(code):
    """ "2.05" or "GET" or "" or an int -> the byte."""
    if isinstance(code, int):
        return code
    if code in METHODS:
        return METHODS.index(code)
    return int(code[0]) * 32 + int(code[2:])


def build(type, code, mid, token=b"", options=(), payload=b""):
    """The bytes of a message. Option values are bytes, str or int; they may be given in any order."""
    out = bytes([64 + 16 * TYPES.index(type) + len(token), code_byte(code), mid // 256, mid % 256]) + token
    last = 0
    for number, _, value in sorted([(option[0], at, option[1]) for at, option in enumerate(options)]):
        if isinstance(value, int):
            value = as_uint(value)
        elif isinstance(value, str):
            value = value.encode()
        delta, more_delta = _extend(number - last)
        length, more_length = _extend(len(value))
        out += bytes([delta * 16 + length]) + more_delta + more_length + value
        last = number
    return out + (b"\xff" + payload if payload else b"")


class Packet:
    """A parsed datagram; AssertionError if it breaks RFC 7252.

    type "CON" "NON" "ACK" "RST", code "2.05" (a request's: "POST"; an empty message's: ""), mid, token, options
    [(number, bytes)], payload, raw; at (when it was sent, ms) and lost are for the Peer. The properties are the options
    by name, None if not there: path, queries, location, content_format, accept, observe, max_age, block1 and block2 as
    (num, more, szx), etag, size1, size2; and text, the payload as str.
    """

    def __init__(self, raw, at=0):
        self.raw = bytes(raw)
        self.at = at
        self.lost = False
        assert raw[0] >> 6 == 1 and raw[0] & 15 <= 8, "no CoAP: %r" % raw
        self.type = TYPES[raw[0] >> 4 & 3]
        detail = raw[1] & 31
        self.code = METHODS[raw[1]] if raw[1] < 8 else "%d.%02d" % (raw[1] >> 5, detail)
        self.mid = raw[2] * 256 + raw[3]
        start = 4 + (raw[0] & 15)
        assert len(raw) >= start and (self.code or len(raw) == 4)
        self.token = self.raw[4:start]
        self.options, self.payload = _parse_options(self.raw[start:])

    def all(self, number):
        return [value for found, value in self.options if found == number]

    def get(self, number):
        found = self.all(number)
        assert len(found) < 2, "option %d is there twice" % number
        return found[0] if found else None

    def uint(self, number):
        value = self.get(number)
        assert not value or value[0], "option %d begins with a zero byte" % number
        return None if value is None else int.from_bytes(value, "big")

    def _block(self, number):
        value = self.uint(number)
        return None if value is None else (value >> 4, bool(value & 8), value & 7)

    path = property(lambda self: "/" + "/".join([value.decode() for value in self.all(11)]))
    queries = property(lambda self: [value.decode() for value in self.all(15)])
    location = property(lambda self: [value.decode() for value in self.all(8)])
    content_format = property(lambda self: self.uint(12))
    accept = property(lambda self: self.uint(17))
    observe = property(lambda self: self.uint(6))
    max_age = property(lambda self: self.uint(14))
    block1 = property(lambda self: self._block(27))
    block2 = property(lambda self: self._block(23))
    etag = property(lambda self: self.get(4))
    size1 = property(lambda self: self.uint(60))
    size2 = property(lambda self: self.uint(28))
    text = property(lambda self: self.payload.decode())

    @property
    def is_request(self):
        return self.code in METHODS[1:]

    def __repr__(self):
        return "<%d ms %s %s mid=%04x token=%s %r %r>" % (
            self.at,
            self.type,
            self.code,
            self.mid,
            "".join(["%02x" % byte for byte in self.token]),
            self.options,
            self.payload,
        )


def _parse_options(buf):
    options, number, pos = [], 0, 0
    while pos < len(buf):
        head = buf[pos]
        pos += 1
        if head == 0xFF:
            assert pos < len(buf), "payload marker without payload"
            return options, buf[pos:]
        sizes = []
        for nibble in (head >> 4, head & 15):
            assert nibble != 15
            if nibble == 13:
                nibble = 13 + buf[pos]
                pos += 1
            elif nibble == 14:
                nibble = 269 + buf[pos] * 256 + buf[pos + 1]
                pos += 2
            sizes.append(nibble)
        number += sizes[0]
        assert pos + sizes[1] <= len(buf), "option past the end"
        options.append((number, buf[pos : pos + sizes[1]]))
        pos += sizes[1]
    return options, b""
