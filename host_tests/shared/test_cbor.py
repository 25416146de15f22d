"""application/cbor and the items below it: RFC 8949's examples, OMA's test specification, and what must be refused."""

from coap.errors import BadRequest, CoapError, FormatError, NotAcceptable, UnsupportedContentFormat
from lwm2m.formats import cbor
from lwm2m.formats.cbor_item import Reader, put_int
from support import each, eq, raises, truncated, unhex

REFUSALS = (FormatError, BadRequest)
BINARY64 = 1e300 - 1e300 == 0  # boards have binary32 floats
PATH = (33000, 0, 5)

# Both ways: type, value, bytes. OMA's test specification (211, 212), RFC 8949 appendix A.
VECTORS = (
    ("int", 1, "01"),
    ("bool", False, "f4"),
    ("bool", True, "f5"),
    ("str", "U", "61 55"),
    ("int", 101, "18 65"),
    ("int", 1010, "19 03f2"),
    ("int", 100, "18 64"),
    ("int", -5, "24"),
    ("opaque", b"\1\2", "42 01 02"),
    ("opaque", b"", "40"),
    ("link", (66, 1), "64 36363a31"),
    ("link", (65535, 65535), "6b 36353533353a3635353335"),
    ("corelnk", "</3>", "64 3c2f333e"),
    ("time", 1700000000, "1a 6553f100"),
    ("int", 0, "00"),
    ("int", 10, "0a"),
    ("int", 23, "17"),
    ("int", 24, "18 18"),
    ("int", 25, "18 19"),
    ("int", 255, "18 ff"),
    ("int", 256, "19 0100"),
    ("int", 1000, "19 03e8"),
    ("int", 65536, "1a 00010000"),
    ("int", 1000000, "1a 000f4240"),
    ("int", 1000000000000, "1b 000000e8d4a51000"),
    ("uint", 18446744073709551615, "1b ffffffffffffffff"),
    ("int", 9223372036854775807, "1b 7fffffffffffffff"),
    ("int", -9223372036854775808, "3b 7fffffffffffffff"),
    ("int", -1, "20"),
    ("int", -10, "29"),
    ("int", -100, "38 63"),
    ("int", -1000, "39 03e7"),
    ("float", 0.0, "f9 0000"),
    ("float", 1.0, "f9 3c00"),
    ("float", 1.5, "f9 3e00"),
    ("float", 22.5, "f9 4da0"),
    ("float", 65504.0, "f9 7bff"),
    ("float", 100000.0, "fa 47c35000"),
    ("float", 65536.0, "fa 47800000"),
    ("float", 65505.0, "fa 477fe100"),
    ("float", 5.960464477539063e-8, "f9 0001"),
    ("float", 0.00006103515625, "f9 0400"),
    ("float", 6.097555160522461e-5, "f9 03ff"),
    ("float", 2.9802322387695312e-8, "fa 33000000"),  # half of the least binary16
    ("float", 8.940696716308594e-8, "fa 33c00000"),  # between the first two of them
    ("float", -4.0, "f9 c400"),
    ("float", float("inf"), "f9 7c00"),
    ("float", float("-inf"), "f9 fc00"),
    ("str", "", "60"),
    ("str", "IETF", "64 49455446"),
    ("str", '"\\', "62 225c"),
    ("str", "\u00fc", "62 c3bc"),
    ("str", "\u6c34", "63 e6b0b4"),
    ("str", "\U00010151", "64 f0908591"),
)
DOUBLES = (
    ("float", 0.1, "fb 3fb999999999999a"),
    ("float", 1.1, "fb 3ff199999999999a"),
    ("float", 3.4028234663852886e38, "fa 7f7fffff"),
    ("float", 3.402823669209385e38, "fb 47f0000000000000"),
    ("float", 1.0e300, "fb 7e37e43c8800759c"),
    ("float", -4.1, "fb c010666666666666"),
)
# One way: type, value, bytes.
READ_ONLY = (
    ("time", 1700000000, "c1 1a 6553f100"),
    ("time", 1363896240, "c1 1a 514b67b0"),
    ("float", 22.0, "16"),
    ("float", -1.0, "20"),
    ("float", 18446744073709551616.0, "fa 5f800000"),
    ("int", 22, "f9 4d80"),
    ("int", 3, "fa 40400000"),
    ("int", -4, "fb c010000000000000"),
    ("int", 1, "18 01"),
    ("int", 1, "19 0001"),
    ("int", 1, "1b 0000000000000001"),
    ("int", -1, "38 00"),
    ("opaque", b"\1\2\3\4\5", "5f 42 0102 43 030405 ff"),
    ("opaque", b"", "5f ff"),
    ("str", "streaming", "7f 65 73747265 61 64 6d696e67 ff"),
    ("opaque", b"\1\2", "58 02 0102"),
    ("link", (3303, 0), "66 333330333a30"),
    ("link", (65535, 65535), "69 464646463a46464646"),
    ("float", 273.15, "c4 82 21 19 6ab3"),
    ("float", -1.5, "c4 82 20 2e"),
    ("int", 12000, "c4 82 03 0c"),
)
REFUSED = (
    ("int", "", "nothing"),
    ("int", "00 00", "two items"),
    ("int", "1c", "reserved"),
    ("int", "1d", "reserved"),
    ("int", "1e", "reserved"),
    ("int", "1f", "an int of indefinite length"),
    ("int", "3f", "an int of indefinite length"),
    ("int", "df 00", "a tag of indefinite length"),
    ("int", "ff", "a break"),
    ("int", "f5", "a bool is no int"),
    ("float", "f4", "a bool is no float"),
    ("bool", "01", "an int is no bool"),
    ("int", "f9 3e00", "a fraction"),
    ("int", "f9 7e00", "nan"),
    ("int", "f9 7c00", "inf"),
    ("int", "f6", "null"),
    ("int", "f7", "undefined"),
    ("int", "e0", "a simple value"),
    ("int", "f8 18", "a simple value in two bytes that fits into one"),
    ("bool", "f8 15", "true in two bytes"),
    ("int", "f8 ff", "a simple value"),
    ("int", "1b 8000000000000000", "beyond int64"),
    ("int", "3b 8000000000000000", "beyond int64"),
    ("int", "3b ffffffffffffffff", "beyond int64"),
    ("uint", "20", "negative"),
    ("str", "42 3132", "bytes are no str"),
    ("opaque", "62 3132", "a str is no bytes"),
    ("str", "61 ff", "no UTF-8"),
    ("str", "7f 61 c3 61 bc ff", "a character over two chunks"),
    ("str", "7f 41 31 ff", "a chunk of bytes in a text"),
    ("str", "7f 7f 61 31 ff ff", "chunks in chunks"),
    ("opaque", "5f 01 ff", "an int as a chunk"),
    ("opaque", "5b ffffffffffffffff 00", "a huge length"),
    ("str", "7b 7fffffffffffffff 00", "a huge length"),
    ("int", "9b ffffffffffffffff 00", "a huge array"),
    ("int", "bb 7fffffffffffffff 00", "a huge map"),
    ("int", "81 01", "an array"),
    ("int", "80", "an array"),
    ("int", "a1 00 01", "a map"),
    ("opaque", "c2 42 0102", "a bignum is no opaque"),
    ("int", "c2 42 0102", "a bignum"),
    ("str", "c0 61 31", "a date as text"),
    ("int", "c4 82 1b ffffffffffffffff 01", "a huge exponent"),
    ("float", "c4 82 19 0190 01", "a huge exponent"),
    ("float", "c4 81 01", "half a decimal fraction"),
    ("link", "63 312c32", "not oid:iid"),
    ("link", "67 36353533363a30", "65536:0"),
    ("link", "82 01 02", "an array"),
    ("int", "a1 a0 01", "a map as a key"),
    ("int", "a1 f5 01", "a bool as a key"),
    ("int", "a2 00 01 00 02", "a key twice"),
)


def encoded(type, value):
    return cbor.encode(PATH, ((0, 5, type, value),))


def both_ways(type, value, text):
    payload = unhex(text)
    eq(encoded(type, value), payload)
    read(type, value, text)


def read(type, value, text):
    ((iid, rid, raw),) = cbor.decode(PATH, unhex(text))
    eq((iid, rid), PATH[1:])
    eq(cbor.value(raw, type), value)
    eq(cbor.value(memoryview(raw), type), value)


def test_vectors_both_ways():
    each(VECTORS, both_ways)


def test_doubles_both_ways():
    if BINARY64:
        each(DOUBLES, both_ways)


def test_a_board_never_claims_more_digits_than_it_has():
    if not BINARY64:
        eq(len(encoded("float", 0.1)), 5)


def test_nan():
    eq(encoded("float", float("nan")), unhex("f9 7e00"))
    for text in ("f9 7e00", "fa 7fc00000", "fb 7ff8000000000000", "f9 fe01"):
        value = cbor.value(unhex(text), "float")
        assert value != value


def test_every_half_is_read_and_written_as_it_was():
    """All 65,536 but the many nans, in steps that still meet each exponent."""
    for bits in list(range(0, 0x7C01, 7)) + list(range(0x8000, 0xFC01, 11)):
        raw = b"\xf9" + bits.to_bytes(2, "big")
        value = cbor.value(raw, "float")
        eq(encoded("float", value), raw)


def test_read_only():
    each(READ_ONLY, read)


def test_refused():
    each(REFUSED, lambda type, text, why: raises(REFUSALS, cbor.value, unhex(text), type))


def test_cut_anywhere():
    for type, _, text in VECTORS + READ_ONLY:
        for cut in truncated(unhex(text)):
            raises(REFUSALS, cbor.value, cut, type)


def test_one_more_byte():
    for type, _, text in VECTORS + READ_ONLY:
        raises(REFUSALS, cbor.value, unhex(text) + b"\0", type)


def test_nesting_has_an_end():
    for head in (b"\x81", b"\x9f", b"\xc1", b"\xa1\0", b"\xbf\0", b"\xd9\xd9\xf7"):
        for levels in (7, 50, 5000):
            raises(REFUSALS, cbor.value, head * levels + b"\0", "int")
    eq(Reader(unhex("81 81 81 81 81 81 07")).item(), [[[[[[7]]]]]])


def test_items_of_every_kind():
    text = "a3 00 9f 01 20 ff  61 61 bf 02 c1 03 ff  19 0100 83 f6 f7 c2 41 05"
    found = Reader(unhex(text)).item()
    eq(sorted(found, key=str), [0, 256, "a"])
    eq((found[0], found["a"]), ([1, -1], {2: 3}))
    eq(found[256][:2], [None, [23]])
    eq((found[256][2][0], bytes(found[256][2][1])), (2, b"\5"))


def test_one_value_only():
    resource = (33000, 0, 5)
    raises(NotAcceptable, cbor.encode, (33000, 0), ((0, 5, "int", 1),))
    raises(NotAcceptable, cbor.encode, resource, ((0, 5, "int", {0: 1}),))
    eq(cbor.encode(resource + (3,), ((0, 5, "int", {3: 7}),)), b"\7")
    eq(cbor.decode(resource + (3,), b"\7"), [(0, 5, {3: b"\7"})])
    raises(UnsupportedContentFormat, cbor.decode, (33000, 0), b"\7")


def test_integers_beyond_64_bits_are_not_written():
    for type, value in (("int", 1 << 63), ("int", -(1 << 63) - 1), ("uint", 1 << 64), ("uint", -1), ("time", 1 << 63)):
        raises(CoapError, encoded, type, value)


def test_lengths_of_strings():
    for size in (0, 23, 24, 255, 256, 65535, 65536):
        content = b"x" * size
        raw = encoded("opaque", content)
        head = unhex({0: "40", 23: "57", 24: "58 18", 255: "58 ff", 256: "59 0100"}.get(size, ""))
        head = head or unhex("59 ffff" if size == 65535 else "5a 00010000")
        eq(raw[: len(head)], head)
        eq(cbor.value(raw, "opaque"), content)
        eq(cbor.value(encoded("str", "x" * size), "str"), "x" * size)


def test_put_int():
    out = bytearray(b"\xff")
    put_int(out, -60)
    eq(out, unhex("ff 38 3b"))
