"""The lab server's SenML, CBOR and LwM2M JSON by known bytes: of the standards, and what json and cbor2 say of ours."""

import json
import random

import cbor2
import pytest

from tools.lab import PayloadError, Record, UsageError, paths, payload, senml, show

CBOR, SENML_JSON, SENML_CBOR, LWM2M_JSON = payload.CBOR, payload.SENML_JSON, payload.SENML_CBOR, payload.LWM2M_JSON

DEVICE = """90 A3 21 65 2F332F302F 00 61 30 03 74 4F70656E204D6F62696C6520416C6C69616E6365
    A2 00 61 31 03 76 4C69676874776569676874204D324D20436C69656E74 A2 00 61 32 03 69 333435303030313233
    A2 00 61 33 03 63 312E30 A2 00 63 362F30 02 01 A2 00 63 362F31 02 05 A2 00 63 372F30 02 190ED8
    A2 00 63 372F31 02 191388 A2 00 63 382F30 02 187D A2 00 63 382F31 02 190384 A2 00 61 39 02 1864
    A2 00 62 3130 02 0F A2 00 64 31312F30 02 00 A2 00 62 3133 02 1A5182428F A2 00 62 3134 03 66 2B30323A3030
    A2 00 62 3136 03 61 55"""
DEVICE_VALUE = {
    0: "Open Mobile Alliance",
    1: "Lightweight M2M Client",
    2: "345000123",
    3: "1.0",
    6: {0: 1, 1: 5},
    7: {0: 3800, 1: 5000},
    8: {0: 125, 1: 900},
    9: 100,
    10: 15,
    11: {0: 0},
    13: 1367491215,
    14: "+02:00",
    16: "U",
}


def decode(content_format, data, path):
    return payload.decode(content_format, data, paths.parse(path))


def encode(content_format, value, path):
    return payload.encode(content_format, value, paths.parse(path))


def test_full_device_in_senml_cbor():
    """OMA's sample of a whole /3/0, base name in the first record."""
    assert decode(SENML_CBOR, bytes.fromhex(DEVICE), "/3/0") == DEVICE_VALUE


@pytest.mark.parametrize(
    ("path", "value", "bytes_hex"),
    [
        ("/3303/0/5700", 22.5, "81 A2 21 6C 2F333330332F302F35373030 02 F94DA0"),
        ("/3303/0/5700", 22.5, "81 A2 00 6C 2F333330332F302F35373030 02 FB4036800000000000"),
        ("/3303/0/5700", 22.0, "81 A2 00 6C 2F333330332F302F35373030 02 16"),
        ("/3303/0/5700", 22.5, "9F BF 21 65 2F33333033 00 67 2F302F35373030 02 F94DA0 FF FF"),
        ("/3/0/22/0", "3345:0", "81 A2 00 69 2F332F302F32322F30 63 766C6F 66 333334353A30"),
        ("/19/0/0/0", b"\x01\x02", "81 A2 00 69 2F31392F302F302F30 08 42 0102"),
        ("/1/0/6", True, "81 A2 00 66 2F312F302F36 04 F5"),
        ("/7/0/2", 2**40, "81 A2 00 66 2F372F302F32 02 1B 0000010000000000"),
        ("/3303/0", {}, "80"),
    ],
)
def test_senml_cbor_that_devices_send(path, value, bytes_hex):
    """Base names, floats of any width and integers for them, indefinite lengths, a text label among the numbers."""
    decoded = decode(SENML_CBOR, bytes.fromhex(bytes_hex), path)
    assert (decoded, type(decoded)) == (value, type(value))


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("/3/0", {0: "ACME", 9: 87, 6: {0: 1}, 22: {0: "66:1"}},
         '[{"bn":"/3/0/","n":"0","vs":"ACME"},{"n":"9","v":87},{"n":"6/0","v":1},{"n":"22/0","vlo":"66:1"}]'),
        ("/3303", {0: {5700: 1.0}, 7: {5700: 2.5}}, '[{"bn":"/3303/","n":"0/5700","v":1},{"n":"7/5700","v":2.5}]'),
        ("/3/0/0", "x", '[{"bn":"/3/0/0","vs":"x"}]'),
        ("/5/0/0", b"\xfb\xff", '[{"n":"/5/0/0","vd":"-_8"}]'),
        ("/3303/0/5700", 22.5, '[{"bn":"/3303/0/","bu":"Cel","bver":10,"bv":20,"n":"5700","u":"K","ut":9,"v":2.5}]'),
        ("/32769/0/1", "unknown", '[{"n":"/32769/0/1","vs":"unknown"}]'),
        ("/3303", {}, "[]"),
    ],
)  # fmt: skip
def test_senml_json_that_devices_send(path, value, text):
    """Names from base and own, base64url without padding, base value, fields that are of no interest."""
    assert decode(SENML_JSON, text.encode(), path) == value


@pytest.mark.parametrize("content_format", [SENML_JSON, SENML_CBOR, LWM2M_JSON])
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/3/0", DEVICE_VALUE),
        ("/3303/0/5700", 0.1),
        ("/5/0/0", b"\x00\xff"),
        ("/1/0/6", False),
        ("/2/0/2", {0: 1, 101: 31}),
        ("/1/0/10", "65535:65535"),
        ("/3/0/0", "Gr\u00fc\u00dfe"),
        ("/0", {1: {0: "coap://127.0.0.1", 1: False, 5: b""}}),
    ],
)
def test_there_and_back(content_format, path, value):
    """Every type survives; that the bytes are right is what the next tests say."""
    assert decode(content_format, encode(content_format, value, path), path) == value


def test_what_the_server_sends_as_senml():
    """Read by json and cbor2 themselves."""
    value = {5700: 22.5, 5701: "Cel"}
    assert json.loads(encode(SENML_JSON, value, "/3303/0")) == [
        {"n": "/3303/0/5700", "v": 22.5},
        {"n": "/3303/0/5701", "vs": "Cel"},
    ]
    assert cbor2.loads(encode(SENML_CBOR, value, "/3303/0")) == [
        {0: "/3303/0/5700", 2: 22.5},
        {0: "/3303/0/5701", 3: "Cel"},
    ]
    assert json.loads(encode(SENML_JSON, b"\xfb\xff", "/5/0/0")) == [{"n": "/5/0/0", "vd": "-_8"}]
    assert cbor2.loads(encode(SENML_CBOR, "66:1", "/1/0/10")) == [{0: "/1/0/10", "vlo": "66:1"}]
    assert (
        encode(SENML_CBOR, 22.5, "/3303/0/5700").hex(" ") == "81 a2 00 6c " + b"/3303/0/5700".hex(" ") + " 02 f9 4d a0"
    )


def test_path_lists():
    """The worked example of a composite read, and lists with base names and without the leading slash."""
    listed = "83 A1 00 66 2F332F302F30 A1 00 66 2F332F302F39 A1 00 66 2F312F302F31"
    several = [(3, 0, 0), (3, 0, 9), (1, 0, 1)]
    assert senml.encode_paths(SENML_CBOR, several) == bytes.fromhex(listed)
    assert senml.decode_paths(SENML_CBOR, bytes.fromhex(listed)) == several
    assert senml.encode_paths(SENML_JSON, [(), (3303,)]) == b'[{"n":"/"},{"n":"/3303"}]'
    text = b'[{"bn":"/4/0/","n":"0"},{"n":"1"},{"bn":"/6/","n":"0"},{"bn":"/","n":"1/0/2"}]'
    assert senml.decode_paths(SENML_JSON, text) == [(4, 0, 0), (4, 0, 1), (6, 0), (1, 0, 2)]
    etsi_257 = "83 A3 21 61 2F 00 65 312F302F32 02 1865 A2 00 65 312F302F36 04 F5 A2 00 66 332F302F3133 02 00"
    records = payload.decode_records(SENML_CBOR, bytes.fromhex(etsi_257))
    assert records == [Record((1, 0, 2), 101), Record((1, 0, 6), True), Record((3, 0, 13), 0)]


@pytest.mark.parametrize(
    ("content_format", "text"),
    [
        (SENML_CBOR, "82 A4 21 6C 2F333330332F302F35373030 22 1A6553F100 02 F94DA0 06 00 A2 02 F94D90 06 383B"),
        (SENML_JSON, '[{"bn":"/3303/0/5700","bt":1700000000,"v":22.5,"t":0},{"v":22.25,"t":-60}]'),
        (LWM2M_JSON, '{"bn":"/3303/0/5700","bt":1700000000,"e":[{"n":"","v":22.5},{"n":"","v":22.25,"t":-60}]}'),
    ],
)
def test_times(content_format, text):
    """A series keeps its times; the value is the newest; a person sees a date or an age."""
    data = bytes.fromhex(text) if content_format == SENML_CBOR else text.encode()
    path = (3303, 0, 5700)
    records = payload.decode_records(content_format, data)
    newest, older = 22.5, 22.25
    assert records == [Record(path, newest, 1700000000), Record(path, older, 1699999940)]
    assert payload.decode(content_format, data, path) == newest
    assert payload.decode(content_format, data, ()) == {3303: {0: {5700: newest}}}
    assert show.record_lines(records, {})[1] == (
        "/3303/0/5700 Sensor Value = 22.25 at 1699999940 (2023-11-14 22:12:20 UTC)"
    )
    ages = [show.time_text(Record(path, 1, time)) for time in (None, 0, -60, 2.5)]
    assert ages == ["", " now", " 60 s ago", " in 2.5 s"]
    old, new = Record(path, 1.0, -60), Record(path, 2.0, None)
    assert payload.nest([new, old], path) == payload.nest([old, new], path) == 2.0


@pytest.mark.parametrize(
    ("path", "value", "bytes_hex"),
    [
        ("/3/0/9", 100, "18 64"),
        ("/3/0/9", -5, "24"),
        ("/1/0/6", True, "F5"),
        ("/3303/0/5700", 22.5, "F9 4DA0"),
        ("/3303/0/5700", 0.1, "FB 3FB999999999999A"),
        ("/1/0/7", "U", "61 55"),
        ("/5/0/0", b"\x01\x02", "42 0102"),
        ("/1/0/10", "66:1", "64 36363A31"),
        ("/3/0/13", 1700000000, "1A 6553F100"),
    ],
)
def test_cbor(path, value, bytes_hex):
    """A single value, both ways."""
    data = bytes.fromhex(bytes_hex)
    assert encode(CBOR, value, path) == data
    assert decode(CBOR, data, path) == value


def test_cbor_that_devices_may_send():
    """A date with tag 1 for a Time, single precision and an integer for a Float."""
    assert decode(CBOR, bytes.fromhex("C1 1A 6553F100"), "/3/0/13") == 1700000000
    assert decode(CBOR, bytes.fromhex("FA 41B40000"), "/3303/0/5700") == 22.5
    assert decode(CBOR, b"\x16", "/3303/0/5700") == 22.0


def test_lwm2m_json():
    """The sample of LwM2M 1.0, and the array that OMA's test suite prints."""
    entries = [{"n": "0", "sv": "ACME"}, {"n": "9", "v": 87}, {"n": "6/0", "v": 1}, {"n": "22/0", "ov": "66:1"}]
    value = {0: "ACME", 9: 87, 6: {0: 1}, 22: {0: "66:1"}}
    assert decode(LWM2M_JSON, json.dumps({"bn": "/3/0/", "bt": 0, "e": entries}).encode(), "/3/0") == value
    array = [{"bn": "/3/0/", **entries[0]}, *entries[1:]]
    assert decode(LWM2M_JSON, json.dumps(array).encode(), "/3/0") == value
    for text in ('{"e":[{"n":"/1/0/6","bv":true}]}', '{"e":[{"n":"1/0/6","bv":true}]}'):
        assert decode(LWM2M_JSON, text.encode(), "/1/0/6") is True
    assert json.loads(encode(LWM2M_JSON, {5850: True, 5851: 50}, "/3311/0")) == {
        "bn": "/3311/0/",
        "e": [{"n": "5850", "bv": True}, {"n": "5851", "v": 50}],
    }
    assert json.loads(encode(LWM2M_JSON, b"\x00\xff", "/5/0/0")) == {"bn": "/5/0/0", "e": [{"n": "", "sv": "AP8="}]}


BROKEN_SENML_JSON = [
    "",
    "{}",
    "[",
    "[1]",
    "[NaN]",
    "[" * 100000,
    '[{"n":"/3/0/9"}]',  # no value
    '[{"n":"/3/0/9","vs":"x"}]',  # a String for an Integer
    '[{"n":"/3/0/9","v":1,"vs":"x"}]',
    '[{"n":"/3/0/9","v":true}]',
    '[{"n":"/3/0/9","v":1.5}]',
    '[{"n":"/3/0/9","v":1e999}]',
    '[{"n":"/3/0/9","v":99999999999999999999}]',
    '[{"n":"3/0/9","v":1}]',
    '[{"n":"/3/0/x","v":1}]',
    '[{"n":"/3/0","v":1}]',
    '[{"n":"/1/0/1","v":1}]',  # not what was asked
    '[{"bn":7,"n":"/3/0/9","v":1}]',
    '[{"n":"/3/0/9","v":1,"t":"now"}]',
    '[{"bver":11,"n":"/3/0/9","v":1}]',
    '[{"n":"/3/0/9","v":1,"odd_":1}]',  # a label that has to be understood
    '[{"n":"/3/0/6","v":1},{"n":"/3/0/6/0","v":1}]',
    '[{"n":"/3/0/9","v":1,"v":2}]',
]
BROKEN_SENML_CBOR = [
    "",
    "A0",
    "81",
    "80 01",
    "81 01",
    "81" * 300,
    "9B 7FFFFFFFFFFFFFFF",  # an array of that many
    "81 A1 00 FF",
    "81 A2 00 66 2F332F302F39 02 C1 1A6553F100",  # a date instead of a number
    "81 A2 00 60 00 01 00 02",
    "81 A2 00 66 2F332F302F39 02 C1 FB 7FF0000000000000",
]
BROKEN_CBOR = ["", "F9", "1864 00", "F6", "F5", "61 39", "F9 3E00", "C1 FB 7E37E43C8800759C"]
BROKEN_LWM2M_JSON = [
    "",
    "7",
    "[7]",
    "[]x",
    "{}",
    '{"e":7}',
    '{"e":[7]}',
    '{"bn":7,"e":[{"v":1}]}',
    '{"bn":"/3/0/","e":[{"n":"9"}]}',
    '{"bn":"/3/0/","e":[{"n":"9","sv":"x"}]}',
    '{"bn":"/3/0/","e":[{"n":"9","v":1,"bv":true}]}',
    '{"bn":"/3/0/","bt":"x","e":[{"n":"9","v":1}]}',
    '{"bn":"/3/0/","e":[{"n":"9/","v":1}]}',
]
BROKEN = [
    *((SENML_JSON, "/3/0", text.encode()) for text in BROKEN_SENML_JSON),
    *((SENML_JSON, "/5/0/0", b'[{"n":"/5/0/0","vd":%s}]' % data) for data in (b'"AP8="', b'"+/8"', b'"A"', b"7")),
    (SENML_JSON, "/3/0", b"\xff"),
    *((SENML_CBOR, "/3/0", bytes.fromhex(text)) for text in BROKEN_SENML_CBOR),
    *((CBOR, "/3/0/9", bytes.fromhex(text)) for text in BROKEN_CBOR),
    (CBOR, "/3/0", b"\x01"),
    (CBOR, "/3303/0/5700", bytes.fromhex("C4 82 01 02")),  # a decimal fraction
    *((LWM2M_JSON, "/3/0", text.encode()) for text in BROKEN_LWM2M_JSON),
]


@pytest.mark.parametrize(("content_format", "path", "data"), BROKEN)
def test_broken(content_format, path, data):
    """One kind of error, whatever a device sends."""
    with pytest.raises(PayloadError):
        decode(content_format, data, path)


def test_noise():
    """Mutations of good payloads either decode or raise PayloadError."""
    dice = random.Random(8428)
    samples = [
        (SENML_CBOR, bytes.fromhex(DEVICE)),
        (SENML_JSON, encode(SENML_JSON, DEVICE_VALUE, "/3/0")),
        (LWM2M_JSON, encode(LWM2M_JSON, DEVICE_VALUE, "/3/0")),
    ]
    for content_format, sample in samples:
        for _ in range(1500):
            data = bytearray(sample)
            for _ in range(dice.randrange(1, 4)):
                data[dice.randrange(len(data))] = dice.randrange(256)
            try:
                decode(content_format, bytes(data[: dice.randrange(len(data) + 1)]), "/3/0")
            except PayloadError:
                continue


def test_values_that_cannot_be_written():
    """Said before anything is sent; bytes that are encoded already go out as they are."""
    for content_format in (SENML_JSON, SENML_CBOR, LWM2M_JSON):
        for path, value in (("/1/0/6", 1), ("/3/0", 5), ("/3/0/9", "x"), ("/3/0/6/0", {0: 1}), ("/3/0/9", None)):
            with pytest.raises(UsageError):
                encode(content_format, value, path)
        with pytest.raises(UsageError, match="has to number the new instance"):
            payload.encode_new_instance(3303, None, {5700: 1.0}, content_format)
        assert encode(content_format, b"\x80", "/3/0") == b"\x80"
    for content_format in (SENML_JSON, LWM2M_JSON):
        with pytest.raises(UsageError, match="no infinity"):
            encode(content_format, float("inf"), "/3303/0/5700")
    with pytest.raises(UsageError):
        encode(CBOR, {0: 1}, "/3/0/6")
    with pytest.raises(UsageError):
        payload.encode_new_instance(3303, 0, {}, CBOR)
    created = payload.encode_new_instance(3303, 7, {5700: 1.5}, SENML_CBOR)
    assert cbor2.loads(created) == [{0: "/3303/7/5700", 2: 1.5}]
