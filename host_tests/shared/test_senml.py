"""What SenML in JSON and in CBOR have in common: names, base names, versions, values, grouping; each case in both."""

import json

from coap.errors import BadRequest, FormatError
from lwm2m.formats import senml_cbor, senml_json
from support import each, eq, raises

REFUSALS = (FormatError, BadRequest)
KEYS = {"bn": -2, "bt": -3, "bu": -4, "bv": -5, "bs": -6, "bver": -1, "n": 0, "u": 1, "v": 2}
KEYS.update({"vs": 3, "vb": 4, "s": 5, "t": 6, "ut": 7, "vd": 8})


def packed(item):
    """CBOR of what JSON knows, in the shortest way to write it down here: lengths below 65536, ints of 8 bytes."""
    if isinstance(item, bool):
        return b"\xf5" if item else b"\xf4"
    if item is None:
        return b"\xf6"
    if isinstance(item, int):
        return (b"\x3b" if item < 0 else b"\x1b") + (-1 - item if item < 0 else item).to_bytes(8, "big")
    if isinstance(item, str):
        return b"\x79" + len(item.encode()).to_bytes(2, "big") + item.encode()
    if isinstance(item, bytes):
        return b"\x59" + len(item).to_bytes(2, "big") + item
    if isinstance(item, list):
        return b"\x99" + len(item).to_bytes(2, "big") + b"".join([packed(one) for one in item])
    body = b"".join([packed(KEYS.get(key, key)) + packed(item[key]) for key in item])
    return b"\xb9" + len(item).to_bytes(2, "big") + body


def both(records):
    """[(module, payload)] of the records in both formats."""
    return [(senml_json, json.dumps(records).encode()), (senml_cbor, packed(records))]


# path of a Write or Create, records, what decode() finds
DECODED = (
    ((3, 0), [], []),
    ((3,), [], []),
    ((3, 0, 6), [], [(0, 6, {})]),  # a multiple resource that is to have no instance
    ((3, 0, 9), [{"bn": "/3/0/9", "v": 5}], [(0, 9, 5)]),
    ((3, 0, 9), [{"n": "/3/0/9", "v": 5}], [(0, 9, 5)]),
    ((3, 0, 9), [{"n": "3/0/9", "v": 5}], [(0, 9, 5)]),
    ((3, 0, 9), [{"bn": "/3/0", "n": "/9", "v": 5}], [(0, 9, 5)]),
    ((3, 0, 9), [{"bn": "/", "n": "3/0/9", "v": 5}], [(0, 9, 5)]),
    ((3, 0, 9), [{"bn": "/3/0/9/", "n": "", "v": 5}], [(0, 9, 5)]),
    ((3, 0, 10), [{"bn": "/3/0/1", "n": "0", "v": 5}], [(0, 10, 5)]),  # a plain concatenation
    ((3, 0), [{"bn": "/3/0/", "n": "0", "vs": "A"}, {"n": "9", "v": 87}], [(0, 0, "A"), (0, 9, 87)]),
    ((3, 0), [{"n": "0", "bn": "/3/", "v": 1}, {"bn": "/3/0/", "n": "9", "v": 87}], None),
    ((3, 0), [{"bn": "/3/0/9", "v": 1}, {"bn": "/3/0/", "n": "10", "vb": True}], [(0, 9, 1), (0, 10, True)]),
    ((3, 0), [{"bn": "/3/0/", "n": "6/1", "v": 1}, {"n": "6/0", "v": 2}], [(0, 6, {0: 2, 1: 1})]),
    (
        (3, 0),  # instances of one resource with another in between
        [{"bn": "/3/0/", "n": "6/1", "v": 1}, {"n": "9", "v": 3}, {"n": "6/0", "v": 2}],
        [(0, 6, {0: 2, 1: 1}), (0, 9, 3)],
    ),
    ((3, 0, 6), [{"bn": "/3/0/6/", "n": "0", "v": 1}, {"n": "1", "v": 2}], [(0, 6, {0: 1, 1: 2})]),
    ((3, 0, 6, 1), [{"bn": "/3/0/6/1", "v": 1}], [(0, 6, {1: 1})]),
    (
        (3303,),  # Create of several instances: each one's together
        [{"bn": "/3303/", "n": "7/5700", "v": 1}, {"n": "2/5700", "v": 2}, {"n": "7/5601", "v": 3}],
        [(2, 5700, 2), (7, 5601, 3), (7, 5700, 1)],
    ),
    ((3, 0, 22), [{"n": "/3/0/22/0", "vlo": "66:1"}], [(0, 22, {0: (66, 1)})]),
    ((3, 0, 22), [{"n": "/3/0/22", "vlo": "65535:65535"}], [(0, 22, (65535, 65535))]),
    ((3, 0, 22), [{"n": "/3/0/22", "vlo": "FFFF:FFFF"}], [(0, 22, (65535, 65535))]),
    # what a Write has no use for
    (
        (3, 0, 9),
        [{"bn": "/3/0/9", "bt": 5, "bu": "%", "t": 6, "u": "%", "ut": 7, "s": 1, "bs": 2, "v": 5}],
        [(0, 9, 5)],
    ),
    ((3, 0, 9), [{"bn": "/3/0/9", "x": [{"y": 1}], "rt": "z", "v": 5}], [(0, 9, 5)]),
    ((3, 0, 9), [{"bn": "/3/0/9", "bver": 10, "v": 5}], [(0, 9, 5)]),
    ((3, 0, 9), [{"bn": "/3/0/9", "bver": 5, "v": 5}], [(0, 9, 5)]),
    # a base value is added, until there is another
    (
        (3, 0),
        [{"bn": "/3/0/", "bv": 20, "n": "9", "v": 5}, {"n": "10", "v": -1}, {"bv": 0, "n": "11/0", "v": 2}],
        [(0, 9, 25), (0, 10, 19), (0, 11, {0: 2})],
    ),
)


def test_decoded():
    def check(path, records, expected):
        for module, payload in both(records):
            if expected is None:
                raises(BadRequest, module.decode, path, payload)
            else:
                eq(module.decode(path, payload), expected)

    each(DECODED, check)


NINE = {"n": "/3/0/9", "v": 5}
REFUSED = (
    # the path
    ((3, 0), [{"n": "/4/0/9", "v": 5}]),
    ((3, 0), [{"n": "/3/1/9", "v": 5}]),
    ((3, 0), [NINE, {"n": "/3/1/9", "v": 5}]),
    ((3,), [{"n": "/4/0/9", "v": 5}]),
    ((3, 0, 9), [{"n": "/3/0/10", "v": 5}]),
    ((3, 0, 9, 0), [NINE]),
    ((3, 0, 9, 0), [{"n": "/3/0/9/1", "v": 5}]),
    ((3, 0, 9, 0), []),
    ((3, 0), [{"n": "/3/0", "v": 5}]),
    ((3, 0), [{"n": "/3", "v": 5}]),
    ((3, 0), [{"v": 5}]),
    ((3,), [{"n": "/3/0", "v": 5}]),
    # names
    ((3, 0), [{"n": "/3/0/9/0/0", "v": 5}]),
    ((3, 0), [{"n": "/3/0/65535", "v": 5}]),
    ((3, 0), [{"n": "/3/0/99999999999999999999", "v": 5}]),
    ((3, 0), [{"n": "/3/0/09", "v": 5}]),
    ((3, 0), [{"n": "/3/0/+9", "v": 5}]),
    ((3, 0), [{"n": "/3/0/9 ", "v": 5}]),
    ((3, 0), [{"n": "/3/0/-9", "v": 5}]),
    ((3, 0), [{"n": "/3//9", "v": 5}]),
    ((3, 0), [{"n": "//3/0/9", "v": 5}]),
    ((3, 0), [{"n": "/3/0/9//", "v": 5}]),
    ((3, 0), [{"n": "/3/0/\u0669", "v": 5}]),
    ((3, 0), [{"n": "urn:dev:ow:10e2073a01080063", "v": 5}]),
    ((3, 0), [{"n": 9, "v": 5}]),
    ((3, 0), [{"n": None, "v": 5}]),
    ((3, 0), [{"bn": 3, "n": "/3/0/9", "v": 5}]),
    ((3, 0), [{"bn": None, "n": "/3/0/9", "v": 5}]),
    # twice
    ((3, 0), [NINE, NINE]),
    ((3, 0), [{"n": "/3/0/6/0", "v": 5}, {"n": "3/0/6/0", "v": 6}]),
    ((3, 0), [{"n": "/3/0/6/0", "v": 5}, {"n": "/3/0/6", "v": 6}]),
    ((3, 0), [{"n": "/3/0/6", "v": 5}, {"n": "/3/0/6/0", "v": 6}]),
    # values
    ((3, 0), [{"n": "/3/0/9"}]),
    ((3, 0), [{"n": "/3/0/9", "v": None}]),
    ((3, 0), [{"n": "/3/0/9", "vs": None}]),
    ((3, 0), [{"n": "/3/0/9", "vb": None}]),
    ((3, 0), [{"n": "/3/0/9", "vd": None}]),
    ((3, 0), [{"n": "/3/0/9", "vlo": None}]),
    ((3, 0), [{"n": "/3/0/9", "v": "5"}]),
    ((3, 0), [{"n": "/3/0/9", "v": True}]),
    ((3, 0), [{"n": "/3/0/9", "v": [5]}]),
    ((3, 0), [{"n": "/3/0/9", "vs": 5}]),
    ((3, 0), [{"n": "/3/0/9", "vb": 1}]),
    ((3, 0), [{"n": "/3/0/9", "vb": "true"}]),
    ((3, 0), [{"n": "/3/0/9", "vd": 5}]),
    ((3, 0), [{"n": "/3/0/9", "vd": {}}]),
    ((3, 0), [{"n": "/3/0/9", "vlo": "66"}]),
    ((3, 0), [{"n": "/3/0/9", "vlo": "66:65536"}]),
    ((3, 0), [{"n": "/3/0/9", "vlo": 66}]),
    ((3, 0), [{"n": "/3/0/9", "v": 5, "vs": "5"}]),
    ((3, 0), [{"n": "/3/0/9", "v": 5, "bv": "1"}]),
    ((3, 0), [{"n": "/3/0/9", "v": 5, "bv": None}]),
    # versions, and labels that have to be understood
    ((3, 0), [{"bver": 11, "n": "/3/0/9", "v": 5}]),
    ((3, 0), [{"bver": "10", "n": "/3/0/9", "v": 5}]),
    ((3, 0), [{"bver": None, "n": "/3/0/9", "v": 5}]),
    ((3, 0), [{"foo_": 1, "n": "/3/0/9", "v": 5}]),
    ((3, 0), [{"_": 1, "n": "/3/0/9", "v": 5}]),
    # what is no record, or no SenML
    ((3, 0), [5]),
    ((3, 0), [None]),
    ((3, 0), [[NINE]]),
    ((3, 0), NINE),
    ((3, 0), 5),
    ((3, 0), "x"),
    ((3, 0), None),
    ((3, 0), [{"n": "/3/0/9", "x": [[[[[[[1]]]]]]], "v": 5}]),
)


def test_refused():
    def check(path, records):
        for module, payload in both(records):
            raises(REFUSALS, module.decode, path, payload)

    each(REFUSED, check)


def test_without_payload():
    """A Create may be empty; anything else may not."""
    for module in (senml_json, senml_cbor):
        eq(module.decode((3303,), b""), [])
        eq(module.decode((3303,), memoryview(b"")), [])
        for path in ((3, 0), (3, 0, 9), (3, 0, 9, 0)):
            raises(FormatError, module.decode, path, b"")
        raises(FormatError, module.decode_many, b"")


def test_many():
    lists = (
        ([], []),
        ([{"n": "/3/0/0"}, {"n": "/3/0/9"}], [((3, 0, 0), None), ((3, 0, 9), None)]),
        (
            [{"bn": "/4/0/", "n": "0"}, {"n": "1"}, {"bn": "/6/", "n": "0"}],
            [((4, 0, 0), None), ((4, 0, 1), None), ((6, 0), None)],
        ),
        ([{"n": "/"}], [((), None)]),
        ([{}], [((), None)]),
        ([{"bn": "/3/"}], [((3,), None)]),
        # paths that overlap are still paths
        (
            [{"n": "/1/0"}, {"n": "/1/0/1"}, {"n": "/1/0/1"}, {"n": "/3/0/11/0"}],
            [((1, 0), None), ((1, 0, 1), None), ((1, 0, 1), None), ((3, 0, 11, 0), None)],
        ),
        (  # OMA's test specification, 257
            [{"bn": "/", "n": "1/0/2", "v": 101}, {"n": "1/0/6", "vb": True}, {"n": "3/0/13", "v": 0}],
            [((1, 0, 2), 101), ((1, 0, 6), True), ((3, 0, 13), 0)],
        ),
        ([{"n": "/3/0/6/1", "v": 1}, {"n": "/4/0/1"}], [((3, 0, 6, 1), 1), ((4, 0, 1), None)]),
    )

    def check(records, expected):
        for module, payload in both(records):
            eq(module.decode_many(payload), expected)

    each(lists, check)
    for records in (
        [NINE, NINE],
        [{"n": "/3/0", "v": 5}],
        [{"v": 5}],
        [{"n": "/3/0/6", "v": 5}, {"n": "/3/0/6/0", "v": 5}],
        [{"n": "/3/x"}],
        [{"n": "/3", "bver": 11}],
        [{"n": "/3", "x_": 1}],
        {"n": "/3"},
    ):
        for module, payload in both(records):
            raises(REFUSALS, module.decode_many, payload)


def test_values_of_the_wrong_type():
    wrong = (
        (5, "str corelnk bool opaque link"),
        (5.5, "int uint time str bool opaque link"),
        (-1, "uint"),
        (1 << 63, "int time"),
        (1 << 64, "int uint time"),
        (True, "int uint time float str opaque link"),
        ("5", "int uint time float bool link"),
        (b"5", "int uint time float bool link str corelnk"),
        ((66, 1), "int uint time float bool opaque str corelnk"),
        ([2, b"5"], "int uint time float bool opaque link str corelnk"),
        ({}, "int uint time float bool opaque link str corelnk"),
        (float("nan"), "int uint time"),
        (float("inf"), "int uint time"),
    )
    for module in (senml_json, senml_cbor):
        for raw, types in wrong:
            for type in types.split():
                raises(BadRequest, module.value, raw, type)


def test_values_of_the_right_type():
    right = (
        (5, "int", 5),
        (5.0, "int", 5),
        (5, "float", 5.0),
        (-0.5, "float", -0.5),
        (1700000000, "time", 1700000000),
        ((1 << 64) - 1, "uint", (1 << 64) - 1),
        (-1 << 63, "int", -1 << 63),
        ("x", "str", "x"),
        ("</3>", "corelnk", "</3>"),
        ("66:1", "link", (66, 1)),
        ((66, 1), "link", (66, 1)),
        (b"\0", "opaque", b"\0"),
        (False, "bool", False),
    )
    for module in (senml_json, senml_cbor):
        for raw, type, value in right:
            eq(module.value(raw, type), value)
