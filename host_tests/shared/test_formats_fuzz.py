"""Hostile payloads: mutations of valid ones raise FormatError or a CoapError, or are content, and nothing else happens.

The mutations are the same in each run.
"""

from coap.errors import CoapError, FormatError
from lwm2m import formats
from lwm2m import path as paths
from support import noise, raises, show, xorshift32

REFUSALS = (FormatError, CoapError)
ROUNDS = 10000  # of each format

TYPES = ("str", "int", "uint", "float", "bool", "opaque", "time", "link", "corelnk")

RECORDS = (
    (0, 0, "str", "text \u20ac"),
    (0, 1, "int", -5),
    (0, 2, "uint", 1 << 40),
    (0, 3, "float", 0.1),
    (0, 4, "bool", True),
    (0, 5, "opaque", b"\0\xff\x80bytes"),
    (0, 6, "time", 1700000000),
    (0, 7, "link", (66, 1)),
    (0, 8, "corelnk", "</3>"),
    (0, 9, "int", {0: 1, 7: 70000}),
    (0, 10, "str", {1: "a"}),
)
SINGLES = tuple([((33000, 0, record[1]), (record,)) for record in RECORDS[:9]])

JSON = (
    b'[{"bn":"/33000/","bt":1e9,"bver":10,"n":"0/1","v":5},{"n":"0/9/1","v":-5.5e-1,"t":-5,"u":"%RH"},{"x":[{"y":null}]}]',
    b'[{"n":"/33000/0/0","vs":"\\ud83c\\udf21\\n\\\\"},{"n":"33000/0/5","vd":"-_8"},{"n":"/33000/0/4","vb":false}]',
    b'[{"n":"/"},{"n":"/33000"},{"bn":"/33000/0/","bv":1.5,"n":"7","vlo":"65535:65535"}]',
    b'{"bn":"/33000/0/","bt":0,"e":[{"n":"0","sv":"x"},{"n":"9/1","v":1},{"n":"7","ov":"66:1"},{"n":"4","bv":true}]}',
)
CBOR = (
    b"\x9f\xbf\x21\x66/33000\x00\x62/0\xff\xbf\x00\x7f\x62/0\x62/1\xff\x02\xc1\x1a\x65\x53\xf1\x00\xff\xff",
    b"\x82\xa3\x21\x61/\x00\x6933000/0/2\x02\x18\x65\xa4\x00\x6933000/0/4\x04\xf5\x22\x1b\0\0\0\1\0\0\0\0\x06\x38\x3b",
    b"\x81\xa3\x00\x6a/33000/0/5\x08\x5f\x42\1\2\x41\3\xff\x61x\x82\xc4\x82\x21\x19\x6a\xb3\xf9\x4d\xa0",
    b"\x81\xa2\x00\x6a/33000/0/7\x63vlo\x6566:10",
    b"\xc4\x82\x03\x0c",
    b"\x7f\x65strea\x64ming\xff",
    b"\xfb\x3f\xb9\x99\x99\x99\x99\x99\x9a",
)
SPICE = b'[]{}":,\\u0e-+.9\xff\x9f\xbf\x5f\x7f\x1b\x3b\xfb\xf9\xf6\xc1\xc4\x81\xa1\x98\xb8\x00\x7f\x80'
PATHS = ((33000,), (33000, 0), (33000, 0, 1), (33000, 0, 9), (33000, 0, 9, 1))
ASKED = PATHS[:2] * 4 + PATHS  # most valid payloads are about these


def seeds(module):
    """Valid payloads of a format."""
    if module.CT in (0, 42, 60):
        return [bytes(module.encode(*single)) for single in SINGLES if module.CT != 42 or single[0][2] == 5]
    found = [bytes(module.encode(path, records)) for path, records in SINGLES]
    return found + [bytes(module.encode(path, RECORDS)) for path in PATHS[:2]]


def mutated(data, other, state):
    """(data with one to three changes, the next state)."""
    data = bytearray(data)
    for _ in range(1 + (state >> 7) % 3):
        state = xorshift32(state)
        kind = state % 8
        at = (state >> 5) % (len(data) + 1)
        if kind == 0:
            data[at : at + 1] = bytes([state >> 17 & 255])
        elif kind == 1:
            data[at : at + 1 + (state >> 17) % 4] = b""
        elif kind == 2:
            data[at:at] = bytes([SPICE[(state >> 17) % len(SPICE)]])
        elif kind == 3:
            data[at : at + 1] = bytes([SPICE[(state >> 17) % len(SPICE)]])
        elif kind == 4:
            data[at:] = data[at // 2 : at // 2 + 40]
        elif kind == 5:
            data[at:at] = other[(state >> 17) % (len(other) + 1) :][:9]
        elif kind == 6 and at < len(data):
            data[at] ^= 1 << (state >> 17) % 8
        elif kind == 7:
            data[at:at] = bytes(data[at : at + 1]) * (1 + (state >> 17) % 30)
        if not data:
            data = bytearray(other)
    return bytes(data), xorshift32(state)


def check(module, path, payload, count):
    """Decode it and ask for its values as every type; count is [accepted, refused]."""
    if hasattr(module, "decode_many"):
        check_many(module, payload)
    try:
        records = module.decode(path, payload)
        count[0] += 1
    except REFUSALS:
        count[1] += 1
        return
    for iid, rid, raw in records:
        assert rid is None or (0 <= rid < 65535 and (iid is None or 0 <= iid < 65535))
        for one in raw.values() if isinstance(raw, dict) and rid is not None else (raw,):
            if rid is not None:
                values(module, one)


def check_many(module, payload):
    """Whatever decode_many() finds has a path."""
    try:
        found = module.decode_many(payload)
    except REFUSALS:
        return
    for path, raw in found:
        low = -65536 if paths.prefixes else 0  # of an end device that is not known
        assert len(path) < 5 and all(0 <= id < 65535 for id in path[1:]), path
        assert not path or low <= path[0] < 65535, path
        if raw is not None:
            values(module, raw)


def values(module, raw):
    """value() of a raw as every type: refused, or of the type that it was asked for, and fit to be written again."""
    kinds = {"float": float, "bool": bool, "opaque": bytes, "link": tuple, "str": str, "corelnk": str}
    for type_ in TYPES:
        try:
            value = module.value(raw, type_)
        except REFUSALS:
            continue
        assert type(value) is kinds.get(type_, int), (type_, value)
        if isinstance(value, str):
            assert str(value.encode(), "utf-8") == value
        if type(value) is int:
            assert -1 << 63 <= value < 1 << 64


def run(ct, more=()):
    module = formats.get(ct)
    valid = seeds(module) + list(more)
    count = [0, 0]
    state = 20240 + ct
    for number in range(ROUNDS):
        state = xorshift32(state)
        payload, state = mutated(valid[number % len(valid)], valid[state % len(valid)], state)
        check_loudly(module, ASKED[(state >> 9) % len(ASKED)], payload, count)
    for payload in noise(500, 60, ct):
        check_loudly(module, PATHS[1], payload, count)
    assert count[0] + count[1] == ROUNDS + 500
    return count


def check_loudly(module, path, payload, count):
    try:
        check(module, path, payload, count)
    except Exception:
        print("format %d, path %r, payload %s" % (module.CT, path, show(payload)))
        raise


def test_text():
    run(0)


def test_opaque():
    run(42)


def test_cbor():
    assert min(run(60, CBOR)) > 100


def test_senml_json():
    assert min(run(110, JSON)) > 100


def test_senml_cbor():
    assert min(run(112, CBOR)) > 100


def test_tlv():
    assert min(run(11542)) > 100


def test_lwm2m_json():
    assert min(run(11543, JSON)) > 100


def test_sizes_that_lie():
    """Every major type of CBOR with every size of its length, at every place of a record."""
    place = b"\x81\xa2\x00\x6a/33000/0/5\x08"
    for major in range(8):
        for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
            for argument in (b"\xff" * size, b"\x7f" + b"\xff" * (size - 1)):
                for before in (b"", b"\x81", b"\x81\xa1", b"\x81\xa1\x00", place, place + b"\x5f"):
                    payload = before + bytes([major << 5 | info]) + argument
                    for path in PATHS:
                        check_loudly(formats.get(112), path, payload, [0, 0])
                    values(formats.get(60), payload)


def test_long_payloads():
    """A record of a thousand names, a thousand records, and a thousand chunks."""
    for ct, payload in (
        (110, b'[{"n":"' + b"/3" * 1000 + b'","v":1}]'),
        (110, b'[{"n":"/3/0/' + b"9" * 5000 + b'","v":1}]'),
        (110, b"[" + b",".join([b"{}"] * 1000) + b"]"),
        (112, b"\x99\x03\xe8" + b"\xa0" * 1000),
        (112, b"\x81\xb9\x03\xe8" + b"\0\0" * 1000),
        (112, b"\x81\xa1\x00\x9f" + b"\x80" * 1000 + b"\xff"),
        (112, b"\x81\xa2\x00\x61/\x03\x7f" + b"\x60" * 1000 + b"\xff"),
    ):
        raises(REFUSALS, formats.get(ct).decode, (3, 0), payload)
    chunks = b"\x81\xa2\x00\x6a/33000/0/5\x08\x5f" + b"\x40" * 1000 + b"\xff"
    ((_, _, raw),) = formats.get(112).decode((33000, 0), chunks)
    assert raw == b""
