"""text/plain (CORE, data types, column "Text Format"), and the choice of a format by its number."""

from coap.errors import BadRequest, CoapError, NotAcceptable, UnsupportedContentFormat
from lwm2m import formats
from lwm2m.formats import text
from support import eq, noise, raises

PATH = (3303, 0, 5700)


def encode(type, value):
    return text.encode(PATH, iter([(0, 5700, type, value)]))


# Both ways: the text, its type, its value.
VECTORS = (
    (b"22.5", "float", 22.5),
    (b"22", "float", 22.0),
    (b"-0.5", "float", -0.5),
    (b"0", "float", 0.0),
    (b"100000", "float", 100000.0),
    (b"1e+20", "float", 1e20),
    (b"0", "int", 0),
    (b"-5", "int", -5),
    (b"127", "int", 127),
    (b"-128", "int", -128),
    (b"32767", "int", 32767),
    (b"-32768", "int", -32768),
    (b"2147483647", "int", 2147483647),
    (b"-2147483648", "int", -2147483648),
    (b"9223372036854775807", "int", 9223372036854775807),
    (b"-9223372036854775808", "int", -9223372036854775808),
    (b"129", "uint", 129),
    (b"18446744073709551615", "uint", 18446744073709551615),
    (b"1700000000", "time", 1700000000),
    (b"-1", "time", -1),
    (b"1", "bool", True),
    (b"0", "bool", False),
    (b"", "str", ""),
    (b"U", "str", "U"),
    (b" 1\n", "str", " 1\n"),
    (b"\xc2\xb0C \xe2\x82\xac \xf0\x9f\x8c\xa1", "str", "\u00b0C \u20ac \U0001f321"),
    (b"3303:0", "link", (3303, 0)),
    (b"65535:65535", "link", (65535, 65535)),
    (b"", "opaque", b""),
    (b"AQI=", "opaque", b"\x01\x02"),
    (b"+/+/", "opaque", b"\xfb\xff\xbf"),
    (b"</3/0>,</3303/0>", "corelnk", "</3/0>,</3303/0>"),
)


def test_vectors_in_both_directions():
    for payload, kind, value in VECTORS:
        eq(encode(kind, value), payload, kind)
        for raw in (payload, memoryview(payload)):
            eq(text.value(raw, kind), value, kind)


def test_other_spellings_of_a_number_that_are_read():
    for raw, expected in ((b"-1e-3", -0.001), (b"25E-2", 0.25), (b"1.5e+2", 150.0), (b"007.50", 7.5), (b"-0", 0.0)):
        eq(text.value(raw, "float"), expected)
    eq(text.value(b"007", "int"), 7)
    eq(text.value(b"-0", "int"), 0)


def test_numbers_of_another_python_type_are_written_as_the_type_of_the_resource():
    eq(encode("float", 7), b"7")
    eq(encode("float", True), b"1")
    eq(encode("int", True), b"1")
    eq(encode("int", 87.0), b"87")
    eq(encode("bool", 0), b"0")


def test_what_is_no_value_of_the_type_is_a_bad_request():
    junk = (b"", b" 1", b"1 ", b"1\n", b"+1", b"--1", b"-", b"12a", b"a", b"1_0", b"0x10", b"\xb2", b"\xd9\xa1", b"\0")
    for kind in ("int", "uint", "time", "float"):
        for raw in junk:
            raises(BadRequest, text.value, raw, kind)
    for raw in (b"1.0", b"1e3", b"9" * 21, b"0" * 5000, b"9223372036854775808", b"-9223372036854775809"):
        raises(BadRequest, text.value, raw, "int")
    for raw in (b"-1", b"18446744073709551616"):
        raises(BadRequest, text.value, raw, "uint")
    not_floats = b"nan inf -inf infinity NaN . -. 1. .5 e5 1e 1e+ 1e5.5 1e5e5 1.2.3 1-2 1e--5 1.-5 -e1 1e999 -1e999"
    for raw in not_floats.split():
        raises(BadRequest, text.value, raw, "float")
    for raw in (b"", b"2", b"01", b"true", b" 1", b"1\n"):
        raises(BadRequest, text.value, raw, "bool")
    for raw in (b"", b":", b"1:", b":1", b"1", b"1:2:3", b"-1:2", b"1: 2", b"65536:0", b"0:65536", b"0000000000001:1"):
        raises(BadRequest, text.value, raw, "link")
    for raw in (b"A", b"AQ", b"AQI", b"AQI==", b"AQI=\n", b" AQI=", b"A!QI=", b"AQ=I", b"AQJ=", b"____", b"\xff" * 4):
        raises(BadRequest, text.value, raw, "opaque")
    for kind in ("str", "corelnk"):
        raises(BadRequest, text.value, b"\xff\xfe", kind)
        raises(BadRequest, text.value, b"\xe2\x82", kind)


def test_a_refusal_says_what_was_expected():
    assert "int" in raises(BadRequest, text.value, b"12a", "int").args[0]
    assert "base64" in raises(BadRequest, text.value, b"?", "opaque").args[0]


def test_numbers_that_cannot_be_written():
    for value in (float("nan"), float("inf"), float("-inf")):
        raises(NotAcceptable, encode, "float", value)
    for kind, value in (("int", 1 << 63), ("int", -1 - (1 << 63)), ("time", 1 << 63), ("uint", 1 << 64), ("uint", -1)):
        eq(raises(CoapError, encode, kind, value).code, 0xA0)


def test_only_one_single_value_can_be_read():
    one = ((0, 5700, "float", 1.0),)
    several = ((0, 6, "int", {0: 1, 1: 5}),)
    for path in ((3303,), (3303, 0)):
        raises(NotAcceptable, text.encode, path, one)
        raises(NotAcceptable, text.encode, path, ())
    raises(NotAcceptable, text.encode, (3, 0, 6), several)
    raises(NotAcceptable, text.encode, (3, 0, 6), ((0, 6, "int", {0: 1}),))
    raises(NotAcceptable, text.encode, (3, 0, 6), ((0, 6, "int", {}),))
    eq(text.encode((3, 0, 6, 1), ((0, 6, "int", {1: 5}),)), b"5")


def test_only_one_single_value_can_be_written():
    eq(text.decode(PATH, b"1.5"), [(0, 5700, b"1.5")])
    eq(text.decode((3, 0, 6, 1), b"5"), [(0, 6, {1: b"5"})])
    raises(UnsupportedContentFormat, text.decode, (3303,), b"1")
    raises(UnsupportedContentFormat, text.decode, (3303, 0), b"1")


def test_random_bytes_are_a_value_or_a_bad_request():
    alphabet = b"0123456789+-.eE:=/ \x00\xff_xnaif"
    for line in noise(3000, 7):
        for raw in (line, bytes([alphabet[byte % len(alphabet)] for byte in line])):
            for kind in ("str", "int", "uint", "float", "bool", "opaque", "time", "link", "corelnk"):
                try:
                    text.value(raw, kind)
                except BadRequest:
                    pass


def test_formats_are_found_by_their_number():
    for ct in formats.SUPPORTED:
        module = formats.get(ct)
        eq(module.CT, ct)
        assert module is formats.get(ct)
        for name in ("encode", "decode", "value"):
            assert hasattr(module, name)
    eq(formats.get(0).__name__, text.__name__)
    for ct in (None, 40, 61, 65000):
        assert formats.get(ct) is None
    assert {0, 42, 60, 110, 112, 11542, 11543} <= set(formats.SUPPORTED)
