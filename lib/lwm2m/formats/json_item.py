"""JSON (RFC 8259), as the formats over it need it: a bounded reader, and a writer of values.

MicroPython's json lets much pass that is no JSON, and CPython's recurses as deep as the sender likes.
"""

from binascii import b2a_base64
from json import dumps

from coap.errors import FormatError
from compat import const

from . import text, utf8
from .senml import label

_QUOTE = const(0x22)
_BACKSLASH = const(0x5C)
_COMMA = const(0x2C)
_COLON = const(0x3A)
_ARRAY = const(0x5B)
_ARRAY_END = const(0x5D)
_OBJECT = const(0x7B)
_OBJECT_END = const(0x7D)
_DEPTH = const(6)  # levels of arrays and objects, as in CBOR
_DIGITS = const(40)  # of an int: a longer one becomes a float, as the time that int() takes grows with their square
_CHUNK = const(240)  # bytes of base64 at a time, a multiple of 3
_WORDS = {b"true": True, b"false": False, b"null": None}


class Reader:
    """Reads items one after the other. Raises FormatError, or BadRequest for what is no UTF-8 or no number."""

    def __init__(self, payload):
        self._data = bytes(payload)
        self._at = 0

    def peek(self):
        """The byte with which the next token begins; 0 at the end."""
        data = self._data
        while data[self._at : self._at + 1] in (b" ", b"\n", b"\r", b"\t"):
            self._at += 1
        return data[self._at] if self._at < len(data) else 0

    def take(self, byte):
        """Skip a token of one byte; FormatError if there is another one."""
        if self.peek() != byte:
            raise FormatError("no JSON")
        self._at += 1

    def items(self):
        """Yields the items of an array."""
        self.take(_ARRAY)
        for _ in self._members(_ARRAY_END):
            yield self.item()

    def item(self, depth=_DEPTH):
        """The next item, of the Python type that json gives it; keys must differ."""
        first = self.peek()
        if first == _QUOTE:
            return self._string()
        if first not in (_ARRAY, _OBJECT):
            return self._word()
        if not depth:
            raise FormatError("too deep")
        self._at += 1
        if first == _ARRAY:
            return [self.item(depth - 1) for _ in self._members(_ARRAY_END)]
        found = {}
        for _ in self._members(_OBJECT_END):
            key = self._string()
            if key in found:
                raise FormatError("a key twice")
            self.take(_COLON)
            found[key] = self.item(depth - 1)
        return found

    def end(self):
        """FormatError if there is more."""
        if self.peek() or self._at < len(self._data):
            raise FormatError("more than one item")

    def _members(self, closing):
        """Yields once for each member of what has just been opened."""
        if self.peek() != closing:
            yield
            while self.peek() == _COMMA:
                self._at += 1
                yield
        self.take(closing)

    def _string(self):
        self.take(_QUOTE)
        data, start = self._data, self._at
        end = data.find(b'"', start)
        while end > start and _is_escaped(data, start, end):
            end = data.find(b'"', end + 1)
        if end < 0:
            raise FormatError("no JSON")
        self._at = end + 1
        raw = data[start:end]
        if raw and min(raw) < 0x20:
            raise FormatError("no JSON")
        return utf8(_unescaped(raw) if b"\\" in raw else raw)

    def _word(self):
        data, start = self._data, self._at
        end = start
        while end < len(data) and data[end] not in b" \n\r\t,:]}":
            end += 1
        self._at = end
        word = data[start:end]
        if word in _WORDS:
            return _WORDS[word]
        number = text.value(word, "float")  # the grammar is that of JSON but for leading zeros
        whole = word[1:] if word.startswith(b"-") else word
        if whole.startswith(b"0") and whole[1:2].isdigit():
            raise FormatError("no JSON")
        return int(word) if whole.isdigit() and len(whole) < _DIGITS else number


def _is_escaped(data, start, end):
    """Whether an odd number of backslashes is right before the end."""
    at = end
    while at > start and data[at - 1] == _BACKSLASH:
        at -= 1
    return (end - at) % 2


def _unescaped(raw):
    """Bytes for bytes: on MicroPython, finding the n-th character of a str takes a time that grows with n."""
    out = bytearray()
    at = 0
    while True:
        slash = raw.find(b"\\", at)
        if slash < 0:
            out.extend(raw[at:])
            return out
        out.extend(raw[at:slash])
        place = b'"\\/bfnrtu'.find(raw[slash + 1 : slash + 2])
        at = slash + 2
        if place < 0:
            raise FormatError("no JSON")
        if place < 8:
            out.append(b'"\\/\b\f\n\r\t'[place])
            continue
        code = _hex(raw, at)
        at += 4
        if 0xD800 <= code < 0xE000:  # a surrogate: of a character beyond U+FFFF there are two
            low = _hex(raw, at + 2) if raw[at : at + 2] == b"\\u" else 0
            if code > 0xDBFF or not 0xDC00 <= low < 0xE000:
                raise FormatError("half a character")
            code = 0x10000 + (code - 0xD800 << 10) + low - 0xDC00
            at += 6
        out.extend(chr(code).encode())


def _hex(raw, at):
    digits = raw[at : at + 4]
    if len(digits) < 4 or digits.lower().strip(b"0123456789abcdef"):
        raise FormatError("no JSON")
    return int(digits, 16)


def put(out, labels, type, value, url):
    """Append `"label":value` to a bytearray; labels as senml.label has them.

    Opaque is base64, if url in the alphabet for URLs without padding (RFC 4648 section 5). Raises NotAcceptable for a
    float that is no number, CoapError for an integer beyond 64 bits.
    """
    out.extend(label(labels, type))
    if type == "bool":
        out.extend(b"true" if value else b"false")
    elif type in ("str", "corelnk"):
        out.extend(dumps(value).encode())
    elif type == "opaque":
        _put_base64(out, value, url)
    elif type == "link":
        out.extend(b'"%d:%d"' % value)
    else:
        out.extend(text.encode((0, 0, 0), ((0, 0, type, value),)))


def finite(items, at, depth=0):
    """Items, or records, without the floats that are no numbers, as JSON cannot tell them; their types are at the place
    `at`, their values behind. Of one that is asked for alone, by a path of `depth` ids, put has to tell."""
    for item in items:
        value = item[at + 1]
        if item[at] != "float" or depth == 4:
            yield item
        elif isinstance(value, dict):
            yield item[: at + 1] + ({riid: value[riid] for riid in value if _is_finite(value[riid])},) + item[at + 2 :]
        elif depth == 3 or _is_finite(value):
            yield item


def _is_finite(value):
    value = float(value)
    return value - value == 0


def _put_base64(out, value, url):
    out.append(_QUOTE)
    for start in range(0, len(value), _CHUNK):
        chunk = b2a_base64(value[start : start + _CHUNK], newline=False)
        out.extend(chunk.rstrip(b"=").replace(b"+", b"-").replace(b"/", b"_") if url else chunk)
    out.append(_QUOTE)
