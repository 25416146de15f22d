"""The lab server's payloads against the bytes of the standard; nothing here comes from the device's codec."""

import base64
import json
import random

import pytest

from tools.lab import PayloadError, UsageError, definitions, links, paths, payload, show, tlv

TEXT, LINKS, OPAQUE, TLV = payload.TEXT, payload.LINKS, payload.OPAQUE, payload.TLV


def both_ways(path, value, bytes_hex):
    """`value` at `path` encodes to these bytes and they decode to it."""
    ids, data = paths.parse(path), bytes.fromhex(bytes_hex)
    assert payload.encode(TLV, value, ids).hex(" ") == data.hex(" ")
    assert payload.decode(TLV, data, ids) == value


@pytest.mark.parametrize(
    ("path", "value", "bytes_hex"),
    [
        ("/3/0/9", -5, "C1 09 FB"),  # battery level
        ("/3/0/9", 129, "C2 09 00 81"),
        ("/1/0/1", 86400, "C4 01 00 01 51 80"),
        ("/7/0/2", 2**33, "C8 02 08 00 00 00 02 00 00 00 00"),
        ("/3303/0/5700", 22.5, "E4 16 44 41 B4 00 00"),
        ("/3303/0/5700", 0.1, "E8 16 44 08 3F B9 99 99 99 99 99 9A"),
        ("/1/0/6", True, "C1 06 01"),
        ("/1/0/7", "U", "C1 07 55"),
        ("/19/0/0", {0: b"\x01" * 300}, "90 00 01 30 50 00 01 2C" + "01" * 300),
        ("/1/0/10", "66:1", "C4 0A 00 42 00 01"),  # APN link
        ("/1/0/10", "65535:65535", "C4 0A FF FF FF FF"),
        ("/3/0/6", {0: 1, 1: 5}, "86 06 41 00 01 41 01 05"),
        ("/3/0/6", {}, "80 06"),
        ("/3/0/22", {0: "66:0", 1: "66:1"}, "88 16 0C 44 00 00 42 00 00 44 01 00 42 00 01"),
        ("/2/0/2", {310: 1}, "84 02 61 01 36 01"),
        ("/3/0/6/1", 5, "83 06 41 01 05"),
    ],
)
def test_tlv_of_a_resource(path, value, bytes_hex):
    """The worked examples, with resources of the registry that have these types."""
    both_ways(path, value, bytes_hex)


def test_tlv_of_long_values():
    """300 bytes take a 16-bit length, 70,000 a 24-bit one."""
    for size, header in ((300, "D0 00 01 2C"), (70000, "D8 00 01 11 70")):
        entry = tlv.Entry(tlv.RESOURCE, 0, b"\x55" * size)
        data = tlv.write([entry])
        assert data == bytes.fromhex(header) + b"\x55" * size
        assert tlv.read(data) == [entry]


def test_float_in_eight_bytes_is_read():
    """A device may send doubles where floats would do."""
    data = bytes.fromhex("E8 16 44 08 40 36 80 00 00 00 00 00")
    assert payload.decode(TLV, data, (3303, 0, 5700)) == 22.5


DEVICE = bytes.fromhex(
    "C8 00 14 4F 70 65 6E 20 4D 6F 62 69 6C 65 20 41 6C 6C 69 61 6E 63 65"
    "C8 01 16 4C 69 67 68 74 77 65 69 67 68 74 20 4D 32 4D 20 43 6C 69 65 6E 74"
    "C8 02 09 33 34 35 30 30 30 31 32 33 C3 03 31 2E 30 86 06 41 00 01 41 01 05"
    "88 07 08 42 00 0E D8 42 01 13 88 87 08 41 00 7D 42 01 03 84 C1 09 64 C1 0A 0F"
    "83 0B 41 00 00 C4 0D 51 82 42 8F C6 0E 2B 30 32 3A 30 30 C1 10 55"
)
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


def test_tlv_of_the_device_object():
    """The 121 bytes of /3/0 in the standard, and how a student reads them."""
    both_ways("/3/0", DEVICE_VALUE, DEVICE.hex())
    lines = show.lines((3, 0), DEVICE_VALUE, {})
    assert lines[0] == '/3/0/0 Manufacturer = "Open Mobile Alliance"'
    assert "/3/0/7/1 Power Source Voltage = 5000" in lines
    assert "/3/0/9 Battery Level = 100 /100" in lines
    assert "/3/0/13 Current Time = 1367491215 (2013-05-02 10:40:15 UTC)" in lines


@pytest.mark.parametrize(
    ("path", "value", "bytes_hex"),
    [
        (
            "/2",
            {0: {0: 1, 1: 0, 2: {127: 7}, 3: 127}, 2: {0: 3, 1: 0, 2: {127: 7, 310: 1}, 3: 127}},
            "08 00 0E C1 00 01 C1 01 00 83 02 41 7F 07 C1 03 7F"
            "08 02 12 C1 00 03 C1 01 00 87 02 41 7F 07 61 01 36 01 C1 03 7F",
        ),
        (
            "/1",
            {0: {0: 1, 1: 86400, 6: True, 7: "U"}},
            "08 00 0F C1 00 01 C4 01 00 01 51 80 C1 06 01 C1 07 55",
        ),
        ("/3303", {0: {5700: 22.5, 5701: "Cel"}}, "08 00 0D E4 16 44 41 B4 00 00 E3 16 45 43 65 6C"),
        ("/3303", {}, ""),
    ],
)
def test_tlv_of_an_object(path, value, bytes_hex):
    """Reading an object gives object instances."""
    assert payload.decode(TLV, bytes.fromhex(bytes_hex), paths.parse(path)) == value


def test_tlv_of_writes_and_creates():
    """OMA tests 215 (set of Server resources), 651 (Device) and 1630 (Create in Portfolio)."""
    both_ways("/1/0", {2: 101, 3: 1010, 5: 2000, 6: True, 7: "U"}, "C10265 C20303F2 C20507D0 C10601 C10755")
    both_ways(
        "/3/0",
        {13: 1367491215, 14: "+02:00", 15: "Europe/Paris"},
        "C4 0D 51 82 42 8F C6 0E 2B 30 32 3A 30 30 C8 0F 0C" + b"Europe/Paris".hex(),
    )
    names = {0: "Host Device ID #2", 1: "Host Device Model #2"}
    expected = "08 01 2E 88 00 2B 48 00 11" + names[0].encode().hex() + "48 01 14" + names[1].encode().hex()
    assert payload.encode_new_instance(16, 1, {0: names}) == bytes.fromhex(expected)
    assert payload.encode_new_instance(16, None, {0: names}) == bytes.fromhex(expected)[3:]
    assert payload.encode_new_instance(3303, None, {}) == b""


def test_tlv_wrapper_is_tolerated():
    """An object-instance TLV around what was asked for is legal; one of another instance is not."""
    wrapped = bytes.fromhex("08 00 03 C1 09 64")
    assert payload.decode(TLV, wrapped, (3, 0, 9)) == 100
    assert payload.decode(TLV, wrapped, (3, 0)) == {9: 100}
    assert payload.decode(TLV, bytes.fromhex("41 01 05"), (3, 0, 6, 1)) == 5
    with pytest.raises(PayloadError, match="not about /3/0"):
        payload.decode(TLV, bytes.fromhex("08 01 03 C1 09 64"), (3, 0))


@pytest.mark.parametrize(
    ("path", "bytes_hex", "sentence"),
    [
        ("/3/0/9", "C1 0A 64", "not about /3/0/9"),
        ("/3/0", "C1 09", "announces 1 bytes, 0 are left"),
        ("/3/0", "C8 09", "within a header"),
        ("/3/0", "C1 09 64 C1", "within a header"),
        ("/3/0", "41 09 64", "wrong kind of entry"),
        ("/3/0", "83 06 C1 00 01", "where its kind does not belong"),
        ("/3/0", "08 00 03 08 00 00", "where its kind does not belong"),
        ("/3/0", "C1 09 64 C1 09 64", "twice"),
        ("/3", "C1 09 64", "wrong kind of entry"),
        ("/1/0/6", "C1 06 02", "not a value of type Boolean"),
        ("/1/0/6", "C0 06", "not a value of type Boolean"),
        ("/3/0/9", "C0 09", "not a value of type Integer"),
        ("/3303/0/5700", "E3 16 44 01 02 03", "not a value of type Float"),
        ("/3/0/0", "C1 00 FF", "not a value of type String"),
        ("/3/0/22", "83 16 41 00 01", "not a value of type Objlnk"),
    ],
)
def test_broken_tlv(path, bytes_hex, sentence):
    """Each mistake is refused with a sentence."""
    with pytest.raises(PayloadError, match=sentence):
        payload.decode(TLV, bytes.fromhex(bytes_hex), paths.parse(path))


def test_tlv_survives_noise():
    """Changed, cut and nested bytes give a value or PayloadError, never anything else."""
    dice = random.Random(7252)
    deep = b""
    for _ in range(3000):
        deep = bytes([0x10, 0]) + len(deep).to_bytes(2, "big") + deep
    with pytest.raises(PayloadError):
        tlv.read(deep)
    for _ in range(3000):
        data = bytearray(DEVICE[: dice.randrange(len(DEVICE))])
        for _ in range(dice.randrange(4)):
            data[dice.randrange(len(data) or 1) : 1] = bytes([dice.randrange(256)])
        for path in ((3,), (3, 0), (3, 0, 6), (3, 0, 6, 0)):
            try:
                payload.decode(TLV, bytes(data), path)
            except PayloadError:
                continue


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("/3/0/9", 87, b"87"),
        ("/3/0/9", -5, b"-5"),
        ("/3303/0/5700", 22.5, b"22.5"),
        ("/1/0/6", True, b"1"),
        ("/1/0/6", False, b"0"),
        ("/3/0/0", "", b""),
        ("/3/0/0", "Gr\u00fc\u00dfe", "Gr\u00fc\u00dfe".encode()),
        ("/3/0/13", 1367491215, b"1367491215"),
        ("/1/0/10", "3303:0", b"3303:0"),
        ("/5/0/0", b"\x00\xff\x10", base64.b64encode(b"\x00\xff\x10")),
        ("/32769/0/1", "no such object in the registry", b"no such object in the registry"),
    ],
)
def test_text(path, value, text):
    """Values as text/plain, both ways."""
    assert payload.encode(TEXT, value, paths.parse(path)) == text
    assert payload.decode(TEXT, text, paths.parse(path)) == value


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/3/0/9", b"12.5"),
        ("/3/0/9", b"1_0"),
        ("/3/0/9", b" 1"),
        ("/3/0/9", b"9223372036854775808"),
        ("/3303/0/5700", b"nan"),
        ("/3303/0/5700", b"1_0.5"),
        ("/1/0/6", b"true"),
        ("/1/0/10", b"70000:1"),
        ("/5/0/0", b"AP8Q!"),
        ("/3/0/0", b"\xff"),
        ("/3/0", b"x"),
    ],
)
def test_broken_text(path, text):
    """Python's own idea of numbers is wider than the standard's; it is not asked."""
    with pytest.raises(PayloadError):
        payload.decode(TEXT, text, paths.parse(path))


def test_values_that_do_not_fit():
    """Writing is refused before anything is sent."""
    for path, value in (("/1/0/6", 1), ("/3/0/9", "x"), ("/3/0/9", 2**63), ("/3/0/9", None), ("/3/0", 5)):
        with pytest.raises(UsageError):
            payload.encode(TLV, value, paths.parse(path))
    with pytest.raises(UsageError):
        payload.encode(TEXT, {0: 1}, (3, 0, 6))
    with pytest.raises(UsageError, match="70000 is not an id"):
        payload.encode_new_instance(3303, 70000, {})
    assert payload.default_format((5, 0, 0), b"image") == OPAQUE
    assert payload.encode(112, b"\x80", (3, 0)) == b"\x80"


def test_words_of_the_command_line():
    """What a person types becomes the value of the resource's type."""
    cases = [
        ("/3311/0/5850", "true", True),
        ("/3311/0/5850", "off", False),
        ("/3303/0/5601", "-5", -5.0),
        ("/5/0/0", "00ff", b"\x00\xff"),
        ("/3/0/0", '{"a": 1}', '{"a": 1}'),
        ("/3/0/6", '{"0": 1}', {0: 1}),
        ("/3311/0", '{"5850": true, "5851": 50}', {5850: True, 5851: 50}),
        ("/19/0", '{"0": {"0": "0102"}}', {0: {0: b"\x01\x02"}}),
    ]
    for path, word, value in cases:
        assert payload.from_command_line(word, paths.parse(path)) == value
    for path, word in (("/3311/0/5850", "maybe"), ("/3311/0", "5"), ("/3311/0", "[1]"), ("/3311/0", '{"x": 1}')):
        with pytest.raises(UsageError):
            payload.from_command_line(word, paths.parse(path))
    for word in ("[" * 100000, '{"5850": ' * 100000, '{"5850": ' + "9" * 5000 + "}"):
        with pytest.raises(UsageError):
            payload.from_command_line(word, (3311, 0))
    with pytest.raises(UsageError, match="is not a value of type Float"):
        payload.from_command_line('{"5601": 1' + "0" * 400 + "}", (3303, 0))
    assert json.dumps(payload.to_json({0: {1: b"\x01"}})) == '{"0": {"1": "01"}}'


def test_links():
    """Both ways of quoting, valueless attributes, and what is no link-format."""
    targets = links.parse(b'</>;rt="oma.lwm2m";ct="60 110",</3>;ver=1.1,</3/0/6>;dim=2;x')
    assert targets == {
        "/": {"rt": "oma.lwm2m", "ct": "60 110"},
        "/3": {"ver": "1.1"},
        "/3/0/6": {"dim": "2", "x": None},
    }
    assert links.text_of(targets) == '</>;rt=oma.lwm2m;ct="60 110",</3>;ver=1.1,</3/0/6>;dim=2;x'
    for broken in (b"/3/0", b"</3/0", b"</3/0>,</3/0>", b"\xff"):
        with pytest.raises(PayloadError):
            links.parse(broken)


@pytest.mark.parametrize("text", ["", "3/0", "/3/", "//3", "/3/x", "/65535", "/1/2/3/4/5", "/\u0663", "/-1", "/3 "])
def test_what_is_no_path(text):
    """One sentence says how a path looks."""
    with pytest.raises(UsageError, match="is not a path"):
        paths.parse(text)


def test_registry():
    """The definitions that the tools and the tests of the objects rely on."""
    objects = definitions.objects()
    assert set(range(8)) | {3303, 3311, 10266} <= set(objects)
    device = objects[3]
    assert (device.version, device.multiple, device.mandatory) == ("1.2", False, True)
    assert device.resources[6].multiple and device.resources[4].operations == "E"
    assert device.resources[9].units == "/100" and device.resources[9].range == "0..100"
    types = {resource.type for each in objects.values() for resource in each.resources.values()}
    assert types == {
        "", "String", "Integer", "Unsigned Integer", "Float", "Boolean", "Opaque", "Time", "Objlnk", "Corelnk"
    }  # fmt: skip


def test_units_from_the_device():
    """IPSO sensors say their unit in resource 5701; it is remembered for later values."""
    units = {}
    assert show.value_text((3303, 0, 5700), 21.5, units) == "21.5"
    show.learn_units(units, (3303,), {0: {5700: 21.5, 5701: "Cel"}, 1: {5701: "\x1b[2J"}})
    assert show.lines((3303, 0, 5700), 21.5, units) == ["/3303/0/5700 Sensor Value = 21.5 Cel"]
    assert show.value_text((3303, 1, 5700), 21.5, units) == "21.5"
    assert show.value_text((3303, 0, 5750), "\x1b[2J", units) == '"\\u001b[2J"'
