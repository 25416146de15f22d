"""application/senml+cbor: worked bytes of the standards and of OMA's test specification."""

from coap.errors import BadRequest, CoapError, FormatError
from lwm2m.formats import senml_cbor
from lwm2m.formats.cbor_item import Reader
from support import each, eq, raises, truncated, unhex

REFUSALS = (FormatError, BadRequest)

DEVICE = (
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
)

# Both ways: path, bytes, records.
VECTORS = (
    ((3303, 0, 5700), "81 A2 21 6C 2F333330332F302F35373030 02 F9 4DA0", ((0, 5700, "float", 22.5),)),
    ((1, 0, 6), "81 A2 21 66 2F312F302F36 04 F5", ((0, 6, "bool", True),)),
    ((19, 0, 0), "81 A2 21 67 2F31392F302F30 08 42 0102", ((0, 0, "opaque", b"\1\2"),)),
    ((3, 0, 22), "81 A2 21 67 2F332F302F3232 63 766C6F 66 333334353A30", ((0, 22, "link", (3345, 0)),)),
    ((3, 0, 22), "81 A2 21 67 2F332F302F3232 63 766C6F 6B 36353533353A3635353335", ((0, 22, "link", (65535, 65535)),)),
    ((3, 0, 16), "81 A2 21 67 2F332F302F3136 03 61 55", ((0, 16, "str", "U"),)),
    ((3, 0, 13), "81 A2 21 67 2F332F302F3133 02 1A 5182428F", ((0, 13, "time", 1367491215),)),
    ((3, 0, 11, 0), "81 A2 21 69 2F332F302F31312F30 02 00", ((0, 11, "int", {0: 0}),)),
    ((3, 0, 6), "82 A3 21 67 2F332F302F362F 00 61 30 02 01 A2 00 61 31 02 05", ((0, 6, "int", {0: 1, 1: 5}),)),
    ((3, 0, 6), "80", ((0, 6, "int", {}),)),
    (
        (3303,),
        """82 A3 21 66 2F333330332F 00 66 302F35373030 02 F9 4DA0
           A2 00 66 312F35373031 03 63 43656C""",
        ((0, 5700, "float", 22.5), (1, 5701, "str", "Cel")),
    ),
    (  # OMA TRANS, Read of /3/0
        (3, 0),
        """90 A3 21 65 2F332F302F 00 61 30 03 74 4F70656E204D6F62696C6520416C6C69616E6365
           A2 00 61 31 03 76 4C69676874776569676874204D324D20436C69656E74
           A2 00 61 32 03 69 333435303030313233
           A2 00 61 33 03 63 312E30
           A2 00 63 362F30 02 01 A2 00 63 362F31 02 05
           A2 00 63 372F30 02 190ED8 A2 00 63 372F31 02 191388
           A2 00 63 382F30 02 187D A2 00 63 382F31 02 190384
           A2 00 61 39 02 1864 A2 00 62 3130 02 0F A2 00 64 31312F30 02 00
           A2 00 62 3133 02 1A5182428F A2 00 62 3134 03 66 2B30323A3030 A2 00 62 3136 03 61 55""",
        DEVICE,
    ),
)


def decoded(path, payload, types):
    """decode() with every raw turned into its value; types is {rid: type}."""
    records = []
    for iid, rid, raw in senml_cbor.decode(path, payload):
        if isinstance(raw, dict):
            raw = {riid: senml_cbor.value(raw[riid], types[rid]) for riid in raw}
        else:
            raw = senml_cbor.value(raw, types[rid])
        records.append((iid, rid, raw))
    return records


def test_vectors_are_written():
    def check(path, text, records):
        payload = senml_cbor.encode(path, (record for record in records))
        assert type(payload) is bytearray
        eq(payload, unhex(text))

    each(VECTORS, check)


def test_vectors_are_read():
    def check(path, text, records):
        types = {rid: type for _, rid, type, _ in records}
        for payload in (unhex(text), memoryview(unhex(text))):
            eq(decoded(path, payload, types), [(iid, rid, value) for iid, rid, _, value in records])

    each(VECTORS, check)


def test_read_only_vectors():
    """Full names, other orders, times, tags, indefinite lengths."""
    each(
        (
            ("81 A2 00 69 2F332F302F32322F30 63 766C6F 66 333334353A30", [(0, 22, {0: (3345, 0)})]),
            ("81 A2 02 05 00 66 2F332F302F39", [(0, 9, 5)]),
            ("9F BF 00 66 2F332F302F39 02 05 FF FF", [(0, 9, 5)]),
            ("9F BF 00 7F 61 2F 65 332F302F39 FF 02 05 FF FF", [(0, 9, 5)]),
            ("81 A2 00 66 2F332F302F39 02 C1 1A 6553F100", [(0, 9, 1700000000)]),
            ("81 A2 00 66 2F332F302F39 02 FB 4014000000000000", [(0, 9, 5.0)]),
            ("81 A3 00 66 2F332F302F39 06 38 3B 02 05", [(0, 9, 5)]),
            ("81 A2 00 66 2F332F302F39 08 5F 41 01 41 02 FF", [(0, 9, b"\1\2")]),
            ("98 01 B8 02 00 78 06 2F332F302F39 02 18 05", [(0, 9, 5)]),
        ),
        lambda text, expected: eq(senml_cbor.decode((3, 0), unhex(text)), expected),
    )
    (record,) = senml_cbor.decode((19, 0, 0), unhex("81 A2 00 67 2F31392F302F30 08 42 0102"))
    eq(senml_cbor.value(record[2], "opaque"), b"\1\2")
    (record,) = senml_cbor.decode((1, 0), unhex("81 A2 00 66 2F312F302F36 04 F5"))
    eq(record, (0, 6, True))


def test_many():
    paths = unhex("83 A1 00 66 2F332F302F30 A1 00 66 2F332F302F39 A1 00 66 2F312F302F31")
    eq(senml_cbor.decode_many(paths), [((3, 0, 0), None), ((3, 0, 9), None), ((1, 0, 1), None)])
    ets_257 = unhex("83 A3 21 61 2F 00 65 312F302F32 02 1865 A2 00 65 312F302F36 04 F5 A2 00 66 332F302F3133 02 00")
    eq(senml_cbor.decode_many(ets_257), [((1, 0, 2), 101), ((1, 0, 6), True), ((3, 0, 13), 0)])


def test_time():
    """Two values of one resource, the second of a minute before: the bytes of OMA TRANS but for a time of 0."""
    path = (3303, 0, 5700)
    series = ((path, "float", 22.5, 1700000000), (path, "float", 22.25, 1699999940))
    text = "82 A3 21 6C 2F333330332F302F35373030 22 1A 6553F100 02 F9 4DA0 A2 02 F9 4D90 06 38 3B"
    eq(senml_cbor.encode_many(iter(series)), unhex(text))
    one = "81 A3 21 6C 2F333330332F302F35373030 22 1A 6553F100 02 F9 4DA0"
    eq(senml_cbor.encode(path, ((0, 5700, "float", 22.5),), 1700000000), unhex(one))
    both = """82 A4 21 65 2F332F302F 22 1A 6553F100 00 61 30 03 61 41
              A2 00 61 39 02 05"""
    eq(senml_cbor.encode((3, 0), ((0, 0, "str", "A"), (0, 9, "int", 5)), 1700000000), unhex(both))


def test_many_are_written():
    items = (
        ((1, 0, 1), "int", 86400, None),
        ((3, 0, 11), "int", {0: 0}, None),
        ((3, 0, 7, 1), "int", 5000, None),
        ((3303, 0, 5700), "float", 22.5, 1700000000),
        ((3, 0, 9), "int", 5, None),  # of now, so that the time before must not count
    )
    text = """85 A3 21 65 2F312F302F 00 61 31 02 1A 00015180
              A3 21 65 2F332F302F 00 64 31312F30 02 00
              A2 00 63 372F31 02 191388
              A3 21 6C 2F333330332F302F35373030 22 1A 6553F100 02 F9 4DA0
              A4 21 65 2F332F302F 22 00 00 61 39 02 05"""
    eq(senml_cbor.encode_many(items), unhex(text))
    eq(senml_cbor.encode_many(()), b"\x80")
    paths = [path for path, _ in senml_cbor.decode_many(unhex(text))]
    eq(paths, [(1, 0, 1), (3, 0, 11, 0), (3, 0, 7, 1), (3303, 0, 5700), (3, 0, 9)])


def test_nothing_to_read():
    eq(senml_cbor.encode((3303,), ((0, None, None, None), (1, None, None, None))), b"\x80")
    eq(senml_cbor.encode((3303,), (), 1700000000), b"\x80")


def test_the_number_of_records():
    """The head of the array: 1 byte up to 23, 2 up to 255, then 3."""
    for count in (1, 23, 24, 25, 255, 256, 257, 511, 513):
        payload = senml_cbor.encode((3, 0), [(0, rid, "int", 0) for rid in range(count)])
        head = unhex("%02x" % (0x80 + count) if count < 24 else "98 %02x" % count if count < 256 else "99 %04x" % count)
        eq(payload[: len(head)], head)
        eq(payload[len(head)], 0xA3)
        eq(senml_cbor.decode((3, 0), payload), [(0, rid, 0) for rid in range(count)])


def test_cut_anywhere():
    for path, text, _ in VECTORS:
        for cut in truncated(unhex(text)):
            raises(REFUSALS, senml_cbor.decode, path, cut) if cut or len(path) > 1 else None
        raises(REFUSALS, senml_cbor.decode, path, unhex(text) + b"\0")


def test_refused():
    each(
        (
            ("A2 00 66 2F332F302F39 02 05", "a map"),
            ("01", "an int"),
            ("9F A2 00 66 2F332F302F39 02 05", "no end"),
            ("81 A3 00 66 2F332F302F39 02 05 02 05", "a key twice"),
            ("81 A2 00 46 2F332F302F39 02 05", "bytes as a name"),
            ("81 A2 61 6E 66 2F332F302F39 02 05", "a key of JSON: a record of /"),
            ("81 A2 00 66 2F332F302F39 08 61 31", "a text as data"),
            ("81 A2 00 66 2F332F302F39 03 41 31", "bytes as a text"),
            ("81 A2 00 66 2F332F302F39 02 C2 41 05", "a bignum"),
            ("81 A3 00 66 2F332F302F39 20 0B 02 05", "version 11"),
            ("81 A3 00 66 2F332F302F39 63 78795F 00 02 05", "xy_ must be understood"),
            ("9B FFFFFFFFFFFFFFFF A2 00 66 2F332F302F39 02 05", "a huge array"),
            ("81 BB FFFFFFFFFFFFFFFF 00 66 2F332F302F39 02 05", "a huge map"),
        ),
        lambda text, why: raises(REFUSALS, senml_cbor.decode, (3, 0), unhex(text)),
    )
    for head in (b"\x81", b"\x9f", b"\xbf\0", b"\xc1"):
        raises(REFUSALS, senml_cbor.decode, (3, 0), b"\x81\xa3\x00\x66/3/0/9\x02\x05\x18\x63" + head * 3000 + b"\0")


def test_integers_beyond_64_bits_are_not_written():
    raises(CoapError, senml_cbor.encode, (3, 0, 9), ((0, 9, "int", 1 << 63),))


def test_example_of_rfc_8428():
    """Section 6: read as CBOR it is what the RFC says; its names are none of LwM2M."""
    text = """
        87 a7 21 78 1b 75726e3a6465763a6f773a3130653230373361303130383030363a 22 fb 41d303a15b001062
              23 61 41 20 05 00 67 766f6c74616765 01 61 56 02 fb 405e066666666666
           a3 00 67 63757272656e74 06 24 02 fb 3ff3333333333333
           a3 00 67 63757272656e74 06 23 02 fb 3ff4cccccccccccd
           a3 00 67 63757272656e74 06 22 02 fb 3ff6666666666666
           a3 00 67 63757272656e74 06 21 02 f9 3e00
           a3 00 67 63757272656e74 06 20 02 fb 3ff999999999999a
           a3 00 67 63757272656e74 06 00 02 fb 3ffb333333333333"""
    reader = Reader(unhex(text))
    records = reader.item()
    reader.end()
    eq([(one[0], one.get(6)) for one in records], [("voltage", None)] + [("current", t) for t in range(-5, 1)])
    eq((records[0][-2], records[0][-4], records[0][-1]), ("urn:dev:ow:10e2073a0108006:", "A", 5))
    eq(records[4][2], 1.5)
    raises(BadRequest, senml_cbor.decode_many, unhex(text))
