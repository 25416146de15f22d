"""coap.message against two codecs that share nothing with it: aiocoap's Message, and the one of the shared tests."""

import aiocoap
from aiocoap.message import Direction
from aiocoap.numbers import Code, OptionNumber, Type
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coap.block import pack
from coap.errors import FormatError
from coap.message import decode, encode, uint
from packet import Packet

TEXT, UINT, OPAQUE = "text", "uint", "opaque"
# Options both know: number -> kind, longest value, whether it may be repeated.
KNOWN = {
    4: (OPAQUE, 8, True),
    6: (UINT, 3, False),
    8: (TEXT, 60, True),
    11: (TEXT, 60, True),
    12: (UINT, 2, False),
    14: (UINT, 4, False),
    15: (TEXT, 60, True),
    17: (UINT, 2, False),
    20: (TEXT, 60, True),
    28: (UINT, 4, False),
    60: (UINT, 4, False),
}
UNKNOWN = st.integers(1200, 32767).map(lambda half: 2 * half)  # elective


def values(kind, longest):
    """Bytes of one option value."""
    if kind is TEXT:
        return st.text(st.characters(codec="utf-8"), max_size=longest // 4).map(str.encode)
    if kind is UINT:
        return st.integers(0, 256**longest - 1).map(uint)
    return st.binary(min_size=1, max_size=longest)


@st.composite
def option_lists(draw):
    """(number, value bytes) pairs, ascending."""
    pairs = []
    for number in draw(st.lists(st.sampled_from(sorted(KNOWN)), unique=True)):
        kind, longest, repeatable = KNOWN[number]
        for value in draw(st.lists(values(kind, longest), min_size=1, max_size=4 if repeatable else 1)):
            pairs.append((number, value))
    for number in draw(st.sets(st.sampled_from((23, 27)))):
        num, more, szx = draw(st.tuples(st.integers(0, (1 << 20) - 1), st.booleans(), st.integers(0, 6)))
        pairs.append((number, uint(pack(num, more, szx))))
    for number in draw(st.lists(UNKNOWN, unique=True, max_size=3)):
        for value in draw(st.lists(st.binary(max_size=400), min_size=1, max_size=2)):
            pairs.append((number, value))
    return sorted(pairs, key=lambda pair: pair[0])


codes = st.sampled_from([code for code in Code if 0 < code < 192])
messages = st.tuples(
    st.integers(0, 3), codes, st.integers(0, 65535), st.binary(max_size=8), option_lists(), st.binary(max_size=1200)
)


def options_of(message):
    """What aiocoap sees, as (number, value bytes) pairs."""
    return [(int(option.number), option.encode()) for option in message.opt.option_list()]


@given(messages)
@example((0, Code.GET, 0, b"", [], b""))
@example((3, Code.CONTENT, 65535, b"\xff" * 8, [(11, b"")] * 4 + [(65534, b"x" * 400)], b"\xff"))
def test_aiocoap_reads_what_we_write(fields):
    """Every field arrives, and aiocoap writes the very same bytes again."""
    type, code, mid, token, options, payload = fields
    datagram = encode(type, int(code), mid, token, options, payload)
    message = aiocoap.Message.decode(datagram)
    assert (message.mtype, message.code, message.mid, message.token) == (Type(type), code, mid, token)
    assert options_of(message) == options
    assert message.payload == payload
    message.direction = Direction.OUTGOING
    assert message.encode() == datagram


@given(messages)
def test_we_read_what_aiocoap_writes(fields):
    """Every field arrives, and no option is bad."""
    type, code, mid, token, options, payload = fields
    theirs = aiocoap.Message(code=code, payload=payload, _mid=mid, _mtype=Type(type), _token=token)
    for number, value in options:
        theirs.opt.add_option(OptionNumber(number).create_option(decode=value))
    message = decode(theirs.encode())
    assert (message.type, message.code, message.mid, message.token) == (type, int(code), mid, token)
    assert message.options.pairs == options
    assert message.options.bad == 0
    assert message.payload == payload


@st.composite
def broken(draw):
    """A message with a few bytes changed, inserted or cut off."""
    type, code, mid, token, options, payload = draw(messages)
    data = bytearray(encode(type, int(code), mid, token, options[:4], payload[:8]))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(0, min(len(data) - 1, 40))))
        data[at : at + draw(st.integers(0, 2))] = draw(st.binary(max_size=2))
    return bytes(data)


def reference(data):
    """The message in data as the shared tests' codec reads it, or None if there is none."""
    try:
        packet = Packet(data)
    except (AssertionError, IndexError):
        return None
    return None if any(number > 65535 for number, _ in packet.options) else packet


@settings(max_examples=500)
@given(st.one_of(broken(), st.binary(max_size=60), st.binary(max_size=60).map(lambda data: b"\x44\x01" + data)))
def test_broken_messages(data):
    """Both find a message in the same bytes, and the same one; options that cannot be honoured may be missing."""
    packet = reference(data)
    try:
        message = decode(data)
    except FormatError:
        assert packet is None
        return
    assert packet is not None
    assert (message.mid, message.token, message.payload) == (packet.mid, packet.token, packet.payload)
    left = list(packet.options)
    for pair in message.options.pairs:
        assert pair in left
        left = left[left.index(pair) + 1 :]
    dropped = len(packet.options) - len(message.options.pairs)
    assert not dropped or any(number in KNOWN and number % 2 == 0 for number, _ in packet.options)
