"""Chance that is the same on both Pythons, and what it does to bytes and to CoAP messages; for all that is fuzzed."""

from packet import Packet, as_uint, block, build
from support import xorshift32

INTERESTING = (0, 1, 7, 8, 12, 13, 14, 15, 0x40, 0x7F, 0x80, 0x9F, 0xBF, 0xC0, 0xDD, 0xEE, 0xFE, 0xFF)
SPICE = b"[]{}\":,;=<>/\\u0e-+.9'\xff\x9f\xbf\x5f\x7f\x1b\x3b\xfb\xf9\xf6\xc1\xc4\x81\xa1\x98\xb8\x00\x80"

SEGMENTS = (
    b"0 1 2 3 4 5 6 7 8 9 10 13 16 19 21 23 25 3303 3311 33000 33001 5700 5701 5850 5605 65534 65535 65536 00 01 -1 "
    b"dev0 dev1 rd bs dp .well-known core \xff\xfe x"
).split(b" ")
QUERIES = (
    b"pmin=0 pmin=1 pmax=2 pmax=0 pmin=5 pmax=5 epmin=1 epmax=3 gt=1 lt=-1 st=0.5 st=-1 gt=nan lt=inf gt=1e999 pmin= "
    b"pmax pmin=99999999999999 pmax=2147483648 con=1 edge=1 hqmax=2 depth=1 x = =1 pmin=1=2 pmin=\xff gt=1e-300"
).split(b" ")
FORMATS = (0, 40, 42, 60, 110, 112, 11542, 11543, 1, 50, 65535)


class Chance:
    """Pseudo-random numbers from a seed: the same ones on both Pythons."""

    def __init__(self, seed):
        self.state = (seed * 2654435761 ^ 0x9E3779B9) & 0xFFFFFFFF or 1

    def below(self, limit):
        """0 <= n < limit."""
        self.state = xorshift32(self.state)
        return (self.state >> 4) % limit

    def pick(self, choices):
        """One of them."""
        return choices[self.below(len(choices))]

    def bytes(self, longest):
        """0 to `longest` of them."""
        return bytes([self.below(256) for _ in range(self.below(longest + 1))])


# -- bytes -------------------------------------------------------------------------------------------------------------


def scrambled(data, other, chance):
    """The bytes with one to four changes; `other` is where foreign pieces come from."""
    data = bytearray(data)
    for _ in range(1 + chance.below(4)):
        at = chance.below(len(data) + 1)
        _CHANGES[chance.below(len(_CHANGES))](data, at, other, chance)
    return bytes(data)


def _bit(data, at, other, chance):
    if at < len(data):
        data[at] ^= 1 << chance.below(8)


def _byte(data, at, other, chance):
    data[at : at + 1] = bytes([chance.pick(INTERESTING) if chance.below(2) else chance.below(256)])


def _spice(data, at, other, chance):
    data[at : at + chance.below(2)] = bytes([chance.pick(SPICE)])


def _gap(data, at, other, chance):
    data[at : at + 1 + chance.below(4)] = b""


def _cut(data, at, other, chance):
    data[at:] = b""


def _graft(data, at, other, chance):
    start = chance.below(len(other) + 1)
    data[at : at + chance.below(3)] = other[start : start + 1 + chance.below(24)]


def _repeat(data, at, other, chance):
    length = 1 + chance.below(8)
    data[at:at] = bytes(data[at : at + length]) * (1 + chance.below(1 << chance.below(8)))


def _counter(data, at, other, chance):
    """A number of up to four bytes becomes an extreme one: lengths are made of such."""
    length = 1 << chance.below(3)
    data[at : at + length] = chance.pick((b"\x00", b"\xff", b"\x7f", b"\x80")) + chance.pick((b"\x00", b"\xff")) * (
        length - 1
    )


_CHANGES = (_bit, _bit, _byte, _byte, _spice, _gap, _cut, _graft, _repeat, _counter)


# -- messages ----------------------------------------------------------------------------------------------------------


def reshaped(datagram, others, chance):
    """A CoAP message with one to three things changed in it that keep it one: code, options, token, payload. What is
    no message is scrambled."""
    try:
        message = Packet(datagram)
    except (AssertionError, IndexError, ValueError):
        return scrambled(datagram, chance.pick(others), chance)
    parts = [message.type, datagram[1], message.mid, message.token, list(message.options), message.payload]
    for _ in range(1 + chance.below(3)):
        chance.pick(_RESHAPES)(parts, others, chance)
    if len(parts[5]) > 1200 or not parts[1]:
        parts[5] = parts[5][:1200] if parts[1] else b""
    return build(*parts) if parts[1] else build(parts[0], "", parts[2])


def _code(parts, others, chance):
    parts[1] = chance.below(8) if chance.below(8) else chance.below(256)


def _type(parts, others, chance):
    parts[0] = chance.pick(("CON", "NON", "CON", "NON", "ACK", "RST"))


def _token(parts, others, chance):
    parts[3] = chance.bytes(8)


def _drop(parts, others, chance):
    if parts[4]:
        parts[4].pop(chance.below(len(parts[4])))


def _more(parts, others, chance):
    parts[4].append(option(chance))


def _double(parts, others, chance):
    if parts[4]:
        parts[4].append(chance.pick(parts[4]))


def _segment(parts, others, chance):
    """Another id in the path, or one more."""
    at = [index for index in range(len(parts[4])) if parts[4][index][0] == 11]
    if at and chance.below(4):
        parts[4][chance.pick(at)] = (11, chance.pick(SEGMENTS))
    else:
        parts[4].append((11, chance.pick(SEGMENTS)))


def _value(parts, others, chance):
    """Another value of an option."""
    if parts[4]:
        at = chance.below(len(parts[4]))
        number, value = parts[4][at]
        parts[4][at] = (number, scrambled(value, b"\0", chance)[: 1 << chance.below(10)])


def _payload(parts, others, chance):
    parts[5] = scrambled(parts[5], chance.pick(others), chance)


def _other_payload(parts, others, chance):
    """The payload and the Content-Format of another message."""
    try:
        other = Packet(chance.pick(others))
    except (AssertionError, IndexError, ValueError):
        return
    parts[5] = other.payload
    parts[4] = [pair for pair in parts[4] if pair[0] != 12] + [(12, value) for value in other.all(12)]


_RESHAPES = (_code, _type, _token, _drop, _more, _more, _double, _segment, _segment, _value, _payload, _payload)
_RESHAPES += (_other_payload,)


def option(chance):
    """(number, value) of an option that means something to somebody."""
    kind = chance.below(10)
    if kind < 2:
        return (chance.pick((12, 17)), as_uint(chance.pick(FORMATS)))
    if kind == 2:
        return (6, chance.pick((b"", b"\x01", b"\x02", b"\0")))
    if kind < 5:
        number = chance.pick((0, 0, 1, 1, 2, 3, 60, 65535))
        return (chance.pick((23, 27)), as_uint(block(number, chance.below(2), chance.below(8))))
    if kind == 5:
        return (chance.pick((28, 60)), as_uint(chance.pick((0, 1, 64, 100, 4096, 4097, 1 << 31))))
    if kind == 6:
        return (15, chance.pick(QUERIES))
    if kind == 7:
        return (11, chance.pick(SEGMENTS))
    if kind == 8:
        return (chance.pick((1, 3, 4, 5, 7, 8, 9, 14, 16, 20, 35, 39, 252, 258, 292, 65001)), chance.bytes(9))
    return (chance.below(65536), chance.bytes(3))
