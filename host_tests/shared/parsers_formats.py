"""The Content-Formats as targets for fuzzing, see parsers.py: what they accept has paths, and values of the type that
is asked for, fit to be written again."""

from coap.errors import CoapError, FormatError
from lwm2m import formats
from lwm2m import path as paths

REFUSALS = (FormatError, CoapError)
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
PATHS = ((33000,), (33000, 0), (33000, 0, 1), (33000, 0, 9), (33000, 0, 9, 1))
ASKED = PATHS[:2] * 4 + PATHS  # most valid payloads are about these
_MORE = {60: CBOR, 110: JSON, 112: CBOR, 11543: JSON}


def seeds(module):
    """Valid payloads of a format."""
    more = list(_MORE.get(module.CT, ()))
    if module.CT in (0, 42, 60):
        return more + [bytes(module.encode(*one)) for one in SINGLES if module.CT != 42 or one[0][2] == 5]
    found = [bytes(module.encode(path, records)) for path, records in SINGLES]
    return more + found + [bytes(module.encode(path, RECORDS)) for path in PATHS[:2]]


def check(module, path, payload):
    """Decode a payload of a request to a path and ask for its values as every type; returns whether it is content."""
    if hasattr(module, "decode_many"):
        check_many(module, payload)
    try:
        records = module.decode(path, payload)
    except REFUSALS:
        return False
    for iid, rid, raw in records:
        assert rid is None or (0 <= rid < 65535 and (iid is None or 0 <= iid < 65535))
        for one in raw.values() if isinstance(raw, dict) and rid is not None else (raw,):
            if rid is not None:
                values(module, one)
    return True


def check_many(module, payload):
    """Whatever decode_many() finds has a path."""
    try:
        found = module.decode_many(payload)
    except REFUSALS:
        return
    for path, raw in found:
        low = -65536 if paths.prefixes else 0  # of an end device that is not known
        assert len(path) < 5 and all(0 <= id < 65535 for id in path[1:]), path
        assert not path or (low <= path[0] and (path[0] < 65535 or paths.prefixes)), path
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


def _target(ct):
    module = formats.get(ct)

    def target(data):
        if data:
            check(module, ASKED[data[0] % len(ASKED)], data[1:])

    return target, tuple([bytes([at]) + seed for at, seed in enumerate(seeds(module))])


NAMES = {0: "text", 42: "opaque", 60: "cbor", 110: "senml_json", 112: "senml_cbor", 11542: "tlv", 11543: "lwm2m_json"}
TARGETS = {NAMES[ct]: _target(ct) for ct in formats.SUPPORTED}
