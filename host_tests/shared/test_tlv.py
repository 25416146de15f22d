"""application/vnd.oma.lwm2m+tlv: the worked bytes of the standard and of OMA's test specification, both ways."""

from coap.errors import BadRequest, CoapError, FormatError
from lwm2m.formats import tlv
from support import eq, noise, raises, truncated, unhex, xorshift32

REFUSALS = (FormatError, BadRequest)
TYPES = ("str", "int", "uint", "float", "bool", "opaque", "time", "link", "corelnk")
BINARY64 = 1e300 - 1e300 == 0  # boards have binary32 floats


def decoded(path, payload, types):
    """decode() with every raw turned into its value; types is {rid: type}."""
    records = []
    for iid, rid, raw in tlv.decode(path, payload):
        if isinstance(raw, dict):
            raw = {riid: tlv.value(one, types[rid]) for riid, one in raw.items()}
        elif rid is not None:
            raw = tlv.value(raw, types[rid])
        records.append((iid, rid, raw))
    return records


def single(type, value):
    """The content bytes of one value, taken out of a resource TLV with a one-byte id."""
    payload = tlv.encode((3303, 0, 9), ((0, 9, type, value),))
    assert payload[0] >> 6 == 3 and payload[1] == 9
    if payload[0] & 0x18:
        assert payload[0] & 0x18 == 8 and payload[2] == len(payload) - 3
        return payload[3:]
    eq(payload[0] & 7, len(payload) - 2)
    return payload[2:]


# Both ways: path, bytes, records. Floats are exact in binary32, so that they hold on a board too.
VECTORS = (
    ((1, 0, 9), "C1 09 FB", ((0, 9, "int", -5),)),
    ((1, 0, 9), "C2 09 00 81", ((0, 9, "int", 129),)),
    ((1, 0, 9), "C2 09 00 81", ((0, 9, "uint", 129),)),
    ((1, 0, 1), "C4 01 00 01 51 80", ((0, 1, "int", 86400),)),
    ((1, 0, 2), "C8 02 08 00 00 00 02 00 00 00 00", ((0, 2, "int", 1 << 33),)),
    ((3303, 0, 5700), "E4 16 44 41 B4 00 00", ((0, 5700, "float", 22.5),)),
    ((1, 0, 6), "C1 06 01", ((0, 6, "bool", True),)),
    ((1, 0, 7), "C1 07 55", ((0, 7, "str", "U"),)),
    ((1, 0, 2), "C4 02 00 42 00 01", ((0, 2, "link", (66, 1)),)),
    ((1, 0, 2), "C4 02 FF FF FF FF", ((0, 2, "link", (65535, 65535)),)),
    ((3, 0, 6), "86 06 41 00 01 41 01 05", ((0, 6, "int", {0: 1, 1: 5}),)),
    ((3, 0, 6), "80 06", ((0, 6, "int", {}),)),
    ((2, 0, 2, 310), "61 01 36 01", ((0, 2, "int", {310: 1}),)),
    (
        (3303,),
        "08 00 0D E4 16 44 41 B4 00 00 E3 16 45 43 65 6C",
        ((0, 5700, "float", 22.5), (0, 5701, "str", "Cel")),
    ),
    (  # ETS 215
        (1, 0),
        "C1 02 65  C2 03 03 F2  C2 05 07 D0  C1 06 01  C1 07 55",
        ((0, 2, "int", 101), (0, 3, "int", 1010), (0, 5, "int", 2000), (0, 6, "bool", True), (0, 7, "str", "U")),
    ),
    (  # TRANS, two Access Control instances
        (2,),
        """08 00 0E C1 00 01 C1 01 00 83 02 41 7F 07 C1 03 7F
           08 02 12 C1 00 03 C1 01 00 87 02 41 7F 07 61 01 36 01 C1 03 7F""",
        ((0, 0, "int", 1), (0, 1, "int", 0), (0, 2, "int", {127: 7}), (0, 3, "int", 127))
        + ((2, 0, "int", 3), (2, 1, "int", 0), (2, 2, "int", {127: 7, 310: 1}), (2, 3, "int", 127)),
    ),
    (  # TRANS, one Server instance; the length there is misprinted as 0D
        (1,),
        "08 00 0F C1 00 01 C4 01 00 01 51 80 C1 06 01 C1 07 55",
        ((0, 0, "int", 1), (0, 1, "int", 86400), (0, 6, "bool", True), (0, 7, "str", "U")),
    ),
    (
        (65, 0, 0),
        "88 00 0C 44 00 00 42 00 00 44 01 00 42 00 01",
        ((0, 0, "link", {0: (66, 0), 1: (66, 1)}),),
    ),
    (  # ETS 1630
        (16,),
        """08 01 2E 88 00 2B 48 00 11 48 6F 73 74 20 44 65 76 69 63 65 20 49 44 20 23 32
           48 01 14 48 6F 73 74 20 44 65 76 69 63 65 20 4D 6F 64 65 6C 20 23 32""",
        ((1, 0, "str", {0: "Host Device ID #2", 1: "Host Device Model #2"}),),
    ),
    (  # ETS 651
        (3, 0),
        "C4 0D 51 82 42 8F C6 0E 2B 30 32 3A 30 30 C8 0F 0C 45 75 72 6F 70 65 2F 50 61 72 69 73",
        ((0, 13, "time", 1367491215), (0, 14, "str", "+02:00"), (0, 15, "str", "Europe/Paris")),
    ),
    (  # TRANS, Read of /3/0 (121 bytes; the model string there lacks a letter)
        (3, 0),
        """C8 00 14 4F 70 65 6E 20 4D 6F 62 69 6C 65 20 41 6C 6C 69 61 6E 63 65
           C8 01 16 4C 69 67 68 74 77 65 69 67 68 74 20 4D 32 4D 20 43 6C 69 65 6E 74
           C8 02 09 33 34 35 30 30 30 31 32 33
           C3 03 31 2E 30
           86 06 41 00 01 41 01 05
           88 07 08 42 00 0E D8 42 01 13 88
           87 08 41 00 7D 42 01 03 84
           C1 09 64
           C1 0A 0F
           83 0B 41 00 00
           C4 0D 51 82 42 8F
           C6 0E 2B 30 32 3A 30 30
           C1 10 55""",
        (
            (0, 0, "str", "Open Mobile Alliance"),
            (0, 1, "str", "Lightweight M2M Client"),
            (0, 2, "str", "345000123"),
            (0, 3, "str", "1.0"),
            (0, 6, "int", {0: 1, 1: 5}),
            (0, 7, "int", {0: 3800, 1: 5000}),
            (0, 8, "int", {0: 125, 1: 900}),
            (0, 9, "int", 100),
            (0, 10, "int", 15),
            (0, 11, "int", {0: 0}),
            (0, 13, "time", 1367491215),
            (0, 14, "str", "+02:00"),
            (0, 16, "str", "U"),
        ),
    ),
    # An instance without anything to read; nothing at all.
    ((3303,), "08 00 00", ((0, None, None, None),)),
    (
        (3303,),
        "08 00 00 08 01 03 C1 09 01 08 02 00",
        ((0, None, None, None), (1, 9, "int", 1), (2, None, None, None)),
    ),
    ((3303, 0), "", ()),
    ((3303,), "", ()),
    # Every header that takes two bytes of id.
    (
        (3303,),
        "28 01 00 09 E1 01 00 01 83 09 41 FF 01 28 FF FE 09 A4 FF FE 61 FF FE 01 C0 FF",
        (
            (256, 256, "int", 1),
            (256, 9, "int", {255: 1}),
            (65534, 65534, "int", {65534: 1}),
            (65534, 255, "str", ""),
        ),
    ),
)


def test_vectors_are_written():
    for path, text, records in VECTORS:
        payload = tlv.encode(path, (record for record in records))
        assert type(payload) in (bytes, bytearray)
        eq(payload, unhex(text), text)


def test_vectors_are_read():
    for path, text, records in VECTORS:
        expected = [(iid, rid, value) for iid, rid, _, value in records]
        types = {rid: kind for _, rid, kind, _ in records}
        payload = unhex(text)
        eq(decoded(path, payload, types), expected, text)
        eq(decoded(path, memoryview(payload), types), expected)


def test_a_cut_vector_is_refused_or_lacks_whole_tlvs_at_its_end():
    for path, text, _ in VECTORS:
        whole = tlv.decode(path, unhex(text))
        for cut in truncated(unhex(text)):
            try:
                part = tlv.decode(path, cut)
            except REFUSALS:
                continue
            assert len(path) < 3 and len(part) < len(whole), (text, cut)
            eq(part, whole[: len(part)], text)


def test_a_cut_container_is_refused():
    for cut in truncated(unhex("08 00 0D E4 16 44 41 B4 00 00 E3 16 45 43 65 6C")):
        if cut:
            raises(FormatError, tlv.decode, (3303,), cut)


def test_random_damage_gives_a_refusal_and_nothing_else():
    state = 1
    for path, text, _ in VECTORS:
        for _ in range(150):
            payload = bytearray(unhex(text))
            for _ in range(1 + state % 4):
                state = xorshift32(state)
                at = (state >> 8) % (len(payload) + 1)
                payload[at : at + (state >> 4) % 2] = bytes((state >> 20 & 255,))
            try:
                for _, _, raw in tlv.decode(path[: 1 + state % 4], payload):
                    for one in raw.values() if isinstance(raw, dict) else () if raw is None else (raw,):
                        tlv.value(one, TYPES[state % len(TYPES)])
            except REFUSALS:
                pass


def test_noise_gives_a_refusal_and_nothing_else():
    for payload in noise(2000, 24):
        for depth in range(1, 5):
            try:
                tlv.decode((0, 0, 0, 0)[:depth], payload)
            except REFUSALS:
                pass


def test_integers_take_the_shortest_size_that_a_signed_reader_understands():
    for value, content in (
        (0, "00"),
        (127, "7F"),
        (-128, "80"),
        (128, "00 80"),
        (-129, "FF 7F"),
        (255, "00 FF"),
        (32767, "7F FF"),
        (-32768, "80 00"),
        (32768, "00 00 80 00"),
        (-32769, "FF FF 7F FF"),
        (65535, "00 00 FF FF"),
        ((1 << 31) - 1, "7F FF FF FF"),
        (-1 << 31, "80 00 00 00"),
        (1 << 31, "00 00 00 00 80 00 00 00"),
        ((-1 << 31) - 1, "FF FF FF FF 7F FF FF FF"),
        ((1 << 32) - 1, "00 00 00 00 FF FF FF FF"),
        ((1 << 63) - 1, "7F FF FF FF FF FF FF FF"),
        (-1 << 63, "80 00 00 00 00 00 00 00"),
    ):
        for kind in ("int", "time") if value < 0 else ("int", "uint", "time"):
            eq(single(kind, value), unhex(content), value)
            eq(tlv.value(unhex(content), kind), value)
    for value, content in ((1 << 63, "80 00 00 00 00 00 00 00"), ((1 << 64) - 1, "FF FF FF FF FF FF FF FF")):
        eq(single("uint", value), unhex(content))
        eq(tlv.value(unhex(content), "uint"), value)


def test_integers_of_any_size_are_read():
    for content, signed, unsigned in (
        ("81", -127, 129),
        ("FF FB", -5, 65531),
        ("FF FF FB", -5, 16777211),
        ("00 00 05", 5, 5),
        ("80 00 00 00", -1 << 31, 1 << 31),
        ("80 00 00 00 00", -1 << 39, 1 << 39),
        ("FF FF FF FF FF FB", -5, (1 << 48) - 5),
        ("00 00 00 00 00 01 00", 256, 256),
        ("00 00 00 00 00 00 00 05", 5, 5),
    ):
        eq(tlv.value(unhex(content), "int"), signed)
        eq(tlv.value(unhex(content), "time"), signed)
        eq(tlv.value(unhex(content), "uint"), unsigned)


def test_integers_beyond_64_bits_are_an_internal_error():
    for kind, value in (("int", 1 << 63), ("int", -1 - (1 << 63)), ("time", 1 << 63), ("uint", 1 << 64), ("uint", -1)):
        eq(raises(CoapError, single, kind, value).code, 0xA0)


def test_floats_take_4_bytes_when_that_is_exact():
    for value, content in (
        (22.5, "41 B4 00 00"),
        (-0.5, "BF 00 00 00"),
        (0.0, "00 00 00 00"),
        (-0.0, "80 00 00 00"),
        (7, "40 E0 00 00"),
        (float("inf"), "7F 80 00 00"),
        (float("-inf"), "FF 80 00 00"),
    ):
        eq(single("float", value), unhex(content), value)
        eq(tlv.value(unhex(content), "float"), float(value))
    nan = single("float", float("nan"))
    assert len(nan) == 4 and nan[0] & 0x7F == 0x7F and nan[1] > 0x80
    assert tlv.value(nan, "float") != tlv.value(nan, "float")
    eq(tlv.value(unhex("40 36 80 00 00 00 00 00"), "float"), 22.5)
    if BINARY64:
        eq(single("float", 0.1), unhex("3F B9 99 99 99 99 99 9A"))
        eq(single("float", 1e300), unhex("7E 37 E4 3C 88 00 75 9C"))
        eq(tlv.value(unhex("3F B9 99 99 99 99 99 9A"), "float"), 0.1)


def test_every_size_of_the_length_field():
    for size, header in (
        (0, "C0 00"),
        (7, "C7 00"),
        (8, "C8 00 08"),
        (255, "C8 00 FF"),
        (256, "D0 00 01 00"),
        (300, "D0 00 01 2C"),
        (65535, "D0 00 FF FF"),
        (65536, "D8 00 01 00 00"),
        (70000, "D8 00 01 11 70"),
    ):
        header = unhex(header)
        payload = tlv.encode((19, 0, 0), ((0, 0, "opaque", b"\xa5" * size),))
        assert payload[: len(header)] == header and len(payload) == len(header) + size
        ((iid, rid, raw),) = tlv.decode((19, 0, 0), payload)
        eq((iid, rid, len(raw)), (0, 0, size))
        eq(tlv.value(raw, "opaque"), b"\xa5" * size)
    nested = tlv.encode((19,), ((3, 0, "opaque", {1: b"\xa5" * 300}),))
    eq(nested[:12], unhex("10 03 01 34  90 00 01 30  50 01 01 2C"))
    eq(len(nested), 12 + 300)


def test_longer_headers_than_needed_are_read():
    for text in ("C10905", "E1000905", "C8090105", "D009000105", "D80900000105", "FF000900000105"):
        eq(decoded((3, 0, 9), unhex(text), {9: "int"}), [(0, 9, 5)])


def test_instances_of_a_multiple_resource_are_written_in_the_order_of_their_ids():
    payload = tlv.encode((3, 0, 6), ((0, 6, "int", {5: 5, 0: 1, 2: 2}),))
    eq(payload, unhex("88 06 09 41 00 01 41 02 02 41 05 05"))


def test_a_create_with_and_without_an_instance_id():
    bare, wrapped = unhex("C1 09 05 C1 0A 06"), unhex("08 07 06 C1 09 05 C1 0A 06")
    types = {9: "int", 10: "int"}
    eq(decoded((3303,), bare, types), [(None, 9, 5), (None, 10, 6)])
    eq(decoded((3303,), wrapped, types), [(7, 9, 5), (7, 10, 6)])
    eq(tlv.decode((3303,), unhex("08 07 00")), [(7, None, None)])
    raises(FormatError, tlv.decode, (3303,), bare + wrapped)
    raises(FormatError, tlv.decode, (3303,), wrapped + bare)


def test_a_write_to_an_instance_is_bare_or_in_its_own_wrapper():
    for text in ("C1 09 05", "08 07 03 C1 09 05"):
        eq(decoded((3303, 7), unhex(text), {9: "int"}), [(7, 9, 5)])
    for text in ("08 08 03 C1 09 05", "08 07 03 C1 09 05 08 08 00", "08 07 00 08 07 00"):
        raises(BadRequest, tlv.decode, (3303, 7), unhex(text))


def test_a_write_to_a_resource_holds_just_that():
    for text in ("C1 09 05", "08 07 03 C1 09 05"):
        eq(decoded((3303, 7, 9), unhex(text), {9: "int"}), [(7, 9, 5)])
    for text in ("83 09 41 02 05", "08 07 05 83 09 41 02 05"):
        eq(decoded((3303, 7, 9), unhex(text), {9: "int"}), [(7, 9, {2: 5})])
    for text in ("", "C1 08 05", "C1 09 05 C1 08 05", "08 08 03 C1 09 05", "08 07 00", "08 07 03 C1 08 05"):
        raises(BadRequest, tlv.decode, (3303, 7, 9), unhex(text))
    raises(FormatError, tlv.decode, (3303, 7, 9), unhex("41 09 05"))


def test_a_write_to_a_resource_instance_is_that_instance_bare_or_in_its_resource():
    for text in ("41 02 05", "83 09 41 02 05", "08 07 05 83 09 41 02 05"):
        eq(decoded((3303, 7, 9, 2), unhex(text), {9: "int"}), [(7, 9, {2: 5})])
    for text in ("", "C1 09 05", "C1 09 02", "C1 09 05 C1 02 05", "41 03 05", "41 02 05 41 03 05") + (
        "80 09",
        "83 09 41 03 05",
        "83 08 41 02 05",
        "86 09 41 02 05 41 03 05",
    ):
        raises(BadRequest, tlv.decode, (3303, 7, 9, 2), unhex(text))


def test_wrong_nesting_and_lengths_are_format_errors():
    for text in (
        "41 00 05",  # resource instance outside a resource
        "08 00 03 41 00 05",
        "08 00 02 08 00",  # instance in an instance
        "83 06 C1 00 01",  # resource in a resource
        "82 06 80 00",
        "08 00 0D C1 00 01 C4 01 00 01 51 80 C1 06 01 C1 07 55",  # the misprint in TRANS
        "C1 09 05 00",  # trailing bytes
        "C1 09 05 C1",
        "08 00 02 C1 09 05",
        "83 06 42 00 01",
        "D8 09 FF FF FF 00",
        "DF",
    ):
        raises(FormatError, tlv.decode, (3303,), unhex(text))


def test_an_id_twice_in_one_container_or_reserved_is_a_bad_request():
    twice = ("C10905 C10905", "C10905 8009", "8609 410205 410205", "080000 080000", "080006 C10905 C10905")
    for text in twice + ("E1FFFF 05", "28FFFF 00", "8406 61FFFF 01"):
        raises(BadRequest, tlv.decode, (3303,), unhex(text))
    eq(len(tlv.decode((3303,), unhex("08 00 03 C1 09 05 08 01 03 C1 09 05"))), 2)


def test_content_that_does_not_fit_its_type_is_a_bad_request():
    for kind, sizes in (("int", (0, 9)), ("uint", (0, 9)), ("time", (0, 9)), ("bool", (0, 2))):
        for size in sizes:
            raises(BadRequest, tlv.value, b"\0" * size, kind)
    for size in (0, 1, 2, 3, 5, 7, 9):
        raises(BadRequest, tlv.value, b"\0" * size, "float")
    for size in (0, 3, 5, 8):
        raises(BadRequest, tlv.value, b"\0" * size, "link")
    raises(BadRequest, tlv.value, b"\2", "bool")
    raises(BadRequest, tlv.value, b"\xff\xfe", "str")
    raises(BadRequest, tlv.value, b"\xff\xfe", "corelnk")
    error = raises(BadRequest, tlv.value, b"\0\0\0", "float")
    assert "3" in error.args[0] and "float" in error.args[0]


def test_values_outlive_the_buffer_they_came_in():
    datagram = bytearray(unhex("C2 09 61 62"))
    ((_, _, raw),) = tlv.decode((3303, 0, 9), datagram)
    values = tlv.value(raw, "str"), tlv.value(raw, "opaque")
    datagram[2] = 0
    eq(values, ("ab", b"ab"))
