"""CoAP messages (RFC 7252 section 3): known bytes both ways, the borders of every length, and bytes that break it."""

from coap.errors import FormatError
from coap.message import ACK, CON, NON, RST, decode, encode, uint
from support import each, eq, noise, raises, truncated, unhex

# Bytes, then type, code, Message ID, token, options, payload.
VECTORS = (
    (
        """41 02 12 34 A1                        # CON POST, token A1: a Register
           B2 72 64  11 28                        # Uri-Path rd, Content-Format 40
           37 65 70 3D 64 65 76 31  06 6C 74 3D 33 30 30  # Uri-Query ep=dev1 lt=300
           09 6C 77 6D 32 6D 3D 31 2E 31  03 62 3D 55  01 51  # lwm2m=1.1 b=U Q
           FF 3C 2F 31 2F 30 3E 2C 3C 2F 33 2F 30 3E""",
        CON,
        0x02,
        0x1234,
        b"\xa1",
        ((11, b"rd"), (12, b"\x28"), (15, b"ep=dev1"), (15, b"lt=300"), (15, b"lwm2m=1.1"), (15, b"b=U"), (15, b"Q")),
        b"</1/0>,</3/0>",
    ),
    ("61 41 12 34 A1  82 72 64  04 35 61 33 66", ACK, 0x41, 0x1234, b"\xa1", ((8, b"rd"), (8, b"5a3f")), b""),
    ("41 02 12 35 A2  B2 72 64  04 35 61 33 66", CON, 2, 0x1235, b"\xa2", ((11, b"rd"), (11, b"5a3f")), b""),  # Update
    (  # Read /3/0/9 as text; Accept 0 has no byte
        "42 01 20 01 01 02  B1 33  01 30  01 39  60",
        CON,
        1,
        0x2001,
        b"\x01\x02",
        ((11, b"3"), (11, b"0"), (11, b"9"), (17, b"")),
        b"",
    ),
    ("62 45 20 01 01 02  C0  FF 38 37", ACK, 0x45, 0x2001, b"\x01\x02", ((12, b""),), b"87"),
    (  # Observe /3303/0/5700
        "41 01 20 02 0B  60  54 33 33 30 33  01 30  04 35 37 30 30  61 70",
        CON,
        1,
        0x2002,
        b"\x0b",
        ((6, b""), (11, b"3303"), (11, b"0"), (11, b"5700"), (17, b"\x70")),
        b"",
    ),
    ("51 45 00 07 0B  61 02  61 70  FF 81", NON, 0x45, 7, b"\x0b", ((6, b"\x02"), (12, b"\x70")), b"\x81"),
    (  # Write-Attributes /3/0/9?pmin=5&pmax=60
        "41 03 20 03 0C  B1 33  01 30  01 39  46 70 6D 69 6E 3D 35  07 70 6D 61 78 3D 36 30",
        CON,
        3,
        0x2003,
        b"\x0c",
        ((11, b"3"), (11, b"0"), (11, b"9"), (15, b"pmin=5"), (15, b"pmax=60")),
        b"",
    ),
    (  # Block1 NUM 1 M 1 SZX 5 of a PUT to /5/0/0, Size1 5000
        "41 03 21 00 20  B1 35  01 30  01 30  11 2A  D1 02 1D  D2 14 13 88",
        CON,
        3,
        0x2100,
        b"\x20",
        ((11, b"5"), (11, b"0"), (11, b"0"), (12, b"\x2a"), (27, b"\x1d"), (60, b"\x13\x88")),
        b"",
    ),
    ("40 00 AB CD", CON, 0, 0xABCD, b"", (), b""),  # ping
    ("70 00 AB CD", RST, 0, 0xABCD, b"", (), b""),
    ("60 00 00 00", ACK, 0, 0, b"", (), b""),
    ("48 01 FF FF 01 02 03 04 05 06 07 08", CON, 1, 65535, b"\1\2\3\4\5\6\7\x08", (), b""),
)


def fields(message):
    """What a vector says about a message."""
    options = tuple([(number, bytes(value)) for number, value in message.options.pairs])
    return message.type, message.code, message.mid, bytes(message.token), options, bytes(message.payload)


def test_known_bytes_forwards():
    """encode makes exactly these bytes."""
    each(VECTORS, lambda text, *given: eq(encode(*given), unhex(text)))


def test_known_bytes_backwards():
    """decode reads them, and knows every option in them."""

    def check(text, *wanted):
        message = decode(unhex(text))
        eq(fields(message), wanted)
        eq(message.options.bad, 0)

    each(VECTORS, check)


def test_truncated_vectors():
    """Cut at any length a message is another message or a FormatError; never anything else, never more than it was."""

    def check(text, *wanted):
        for part in truncated(unhex(text)):
            try:
                message = decode(part)
            except FormatError:
                continue
            assert len(part) >= 4 + len(message.token)
            assert wanted[5].startswith(bytes(message.payload))

    each(VECTORS, check)


def test_options_at_the_borders_of_length():
    """Lengths and deltas in the nibble, in one byte more and in two bytes more (section 3.1)."""
    heads = (
        (12, "DELTA 12", "C0"),
        (13, "in one byte", "D0 00"),
        (268, "in one byte", "D0 FF"),
        (269, "in two bytes", "E0 00 00"),
        (65535, "the last number", "E0 FE F2"),
    )
    for number, _, head in heads:
        eq(encode(CON, 1, 1, b"", ((number, b""),))[4:], unhex(head))
        eq(encode(CON, 1, 1, b"", ((11, b"x"), (number, b"")))[:6], unhex("40 01 00 01 B1 78"))
    lengths = ((12, "0C"), (13, "0D 00"), (268, "0D FF"), (269, "0E 00 00"), (1034, "0E 02 FD"), (65804, "0E FF FF"))
    for length, head in lengths:
        head = unhex(head)
        datagram = encode(CON, 1, 1, b"", ((2, b"z" * length),))
        eq(datagram[4 : 4 + len(head)], bytes([0x20 | head[0]]) + head[1:])
        eq(decode(datagram).options.get(2), b"z" * length)


def test_delta_and_length_both_extended():
    """The bytes of the delta come before those of the length."""
    datagram = encode(CON, 1, 1, b"", ((258, b"a" * 300),))
    eq(datagram[4:9], unhex("DE F5  00 1F 61"))
    eq(decode(datagram).options.get(258), b"a" * 300)


def test_repeated_and_empty_options():
    """Uri-Path may come often, and be empty."""
    options = ((11, b""), (11, b"0"), (11, b""), (15, b""))
    datagram = encode(CON, 1, 9, b"", options)
    eq(datagram, unhex("40 01 00 09 B0 01 30 00 40"))
    message = decode(datagram)
    eq(fields(message)[4], options)
    eq(message.options.bad, 0)
    eq(message.options.all(11), [b"", b"0", b""])
    eq(message.options.all(8), [])


def test_uint():
    """Shortest form, nothing for 0 (section 3.2); leading zeros of a peer are read."""
    cases = (
        (0, ""),
        (1, "01"),
        (255, "FF"),
        (256, "01 00"),
        (11542, "2D 16"),
        (0xFFFFFF, "FF FF FF"),
        (1 << 31, "80000000"),
    )
    for value, text in cases:
        eq(uint(value), unhex(text))
    message = decode(encode(CON, 1, 1, b"", ((6, 0), (12, 11542), (17, b"\0\x70"))))
    eq([message.options.uint(number) for number in (6, 12, 17, 27)], [0, 11542, 112, None])


def test_options_must_ascend():
    """A mistake of ours is no message."""
    raises(ValueError, encode, CON, 1, 1, b"", ((12, 0), (11, b"x")))


def test_tokens():
    """0 to 8 bytes; the lengths 9 to 15 are reserved."""
    for length in range(9):
        token = bytes(range(length))
        message = decode(encode(CON, 1, 1, token, ((11, b"3"),), b"p"))
        eq(fields(message)[3:], (token, ((11, b"3"),), b"p"))
    for length in range(9, 16):
        raises(FormatError, decode, bytes([0x40 | length, 1, 0, 1]) + bytes(40))
    raises(FormatError, decode, unhex("44 01 00 01 AA BB CC"))


def test_broken_messages():
    """Each of these is no message."""
    cases = (
        "",
        "40",
        "40 01 00",
        "00 01 00 01",  # version 0
        "80 01 00 01",  # version 2
        "C0 01 00 01",
        "41 00 00 01 AA",  # empty with a token
        "40 00 00 01 FF 01",  # empty with a payload
        "40 00 00 01 B1 33",  # empty with an option
        "40 01 00 01 FF",  # marker without payload
        "40 01 00 01 B1 33 FF",
        "40 01 00 01 F0",  # delta 15
        "40 01 00 01 F1 00",
        "40 01 00 01 BF 00",  # length 15
        "40 01 00 01 D0",  # delta 13 without its byte
        "40 01 00 01 E0 00",  # delta 14 with one of two
        "40 01 00 01 BD",  # length 13 without its byte
        "40 01 00 01 BE 00",
        "40 01 00 01 DD 00",
        "40 01 00 01 B2 33",  # value past the end
        "40 01 00 01 BD 00",
        "40 01 00 01 BE FF FF 00",
        "40 01 00 01 E0 FE F3",  # option number 65536
        "40 01 00 01 E0 FE F2 10",  # and reached in two steps
    )
    for text in cases:
        raises(FormatError, decode, unhex(text))


def test_critical_options():
    """`bad` is the first critical option that is unknown, too long or there twice; elective ones are left out then."""
    cases = (
        (((2049, b""),), 2049),
        (((9, b"x"), (2049, b"")), 9),
        (((35, b"coap://x"),), 35),
        (((1, b"etag"),), 1),
        (((258, b"\x02"), (292, b"tag"), (2048, b"")), 0),
        (((11, b"x" * 255),), 0),
        (((11, b"x" * 256),), 11),
        (((17, b"\0\0\0"),), 17),
        (((17, b"\0"), (17, b"")), 17),
        (((23, b"\0\0\0\0"),), 23),
        (((27, b""), (27, b"")), 27),
        (((12, b"\0\0\0"),), 0),
        (((12, b""), (12, b"\x28")), 0),
        (((6, b"\1\2\3\4"),), 0),
    )
    each(cases, lambda options, bad: eq(decode(encode(CON, 1, 1, b"", options)).options.bad, bad))


def test_elective_options_that_cannot_be_honoured():
    """An over-long one is not there; of a repeated one the first counts."""
    message = decode(encode(CON, 1, 1, b"", ((6, b"\1\2\3\4"), (12, b"\x28"), (12, b"\x2a"))))
    eq(message.options.get(6), None)
    eq(message.options.all(12), [b"\x28"])


def test_memo_gives_the_same_options_again():
    """Equal option bytes are parsed once; a payload, other bytes, or very many of them are not remembered."""
    memo = {}
    one = encode(CON, 1, 1, b"\1", ((11, b"3"), (11, b"0")))
    options = decode(one, None, memo).options
    again = decode(encode(CON, 1, 2, b"\2\2", ((11, b"3"), (11, b"0"))), None, memo)
    assert again.options is options
    eq(again.token, b"\2\2")
    assert decode(encode(CON, 1, 1, b"\1", ((11, b"3"), (11, b"1"))), None, memo).options is not options
    with_payload = decode(encode(CON, 3, 1, b"\1", ((11, b"3"), (11, b"0")), b"x"), None, memo)
    assert with_payload.options is not options
    eq(with_payload.payload, b"x")
    for number in range(100):
        decode(encode(CON, 1, 1, b"", ((11, b"%d" % number),)), None, memo)
        decode(encode(CON, 1, 1, b"", ((15, b"q" * 100 + b"%d" % number),)), None, memo)
    assert len(memo) <= 16 and sum([len(key) for key in memo]) <= 8 * 64


def test_noise():
    """Random bytes are a message or a FormatError."""
    decoded = 0
    for data in noise(3000, 40):
        data = bytes([0x40 | data[0] & 0x38]) + data[1:] if data else data
        try:
            message = decode(data)
        except FormatError:
            continue
        decoded += 1
        assert max([number for number, _ in message.options.pairs] or [0]) < 65536
    assert decoded > 100
