"""application/senml+json: the examples of OMA TRANS, JSON that is unusual, and JSON that is none."""

import json

from coap.errors import BadRequest, CoapError, FormatError, NotAcceptable
from lwm2m.formats import json_item, senml_json
from support import each, eq, raises, truncated

REFUSALS = (FormatError, BadRequest)

# Both ways: path, JSON, records.
VECTORS = (
    ((3303, 0, 5700), '[{"bn":"/3303/0/5700","v":22.5}]', ((0, 5700, "float", 22.5),)),
    ((3303, 0, 5700), '[{"bn":"/3303/0/5700","v":22}]', ((0, 5700, "float", 22.0),)),
    ((1, 0, 6), '[{"bn":"/1/0/6","vb":true}]', ((0, 6, "bool", True),)),
    ((1, 0, 6), '[{"bn":"/1/0/6","vb":false}]', ((0, 6, "bool", False),)),
    ((3, 0, 22), '[{"bn":"/3/0/22","vlo":"66:1"}]', ((0, 22, "link", (66, 1)),)),
    ((3, 0, 22), '[{"bn":"/3/0/22","vlo":"65535:65535"}]', ((0, 22, "link", (65535, 65535)),)),
    ((3, 0, 13), '[{"bn":"/3/0/13","v":1367491215}]', ((0, 13, "time", 1367491215),)),
    ((3, 0, 9), '[{"bn":"/3/0/9","v":18446744073709551615}]', ((0, 9, "uint", (1 << 64) - 1),)),
    ((3, 0, 9), '[{"bn":"/3/0/9","v":-9223372036854775808}]', ((0, 9, "int", -1 << 63),)),
    ((3, 0, 16), '[{"bn":"/3/0/16","vs":"\\"\\\\\\n"}]', ((0, 16, "str", '"\\\n'),)),
    ((3, 0, 16), '[{"bn":"/3/0/16","vs":"[{"}]', ((0, 16, "str", "[{"),)),
    ((3, 0, 16), '[{"bn":"/3/0/16","vs":""}]', ((0, 16, "str", ""),)),
    ((3, 0, 11, 0), '[{"bn":"/3/0/11/0","v":0}]', ((0, 11, "int", {0: 0}),)),
    ((3, 0, 6), '[{"bn":"/3/0/6/","n":"0","v":1},{"n":"1","v":5}]', ((0, 6, "int", {0: 1, 1: 5}),)),
    ((3, 0, 6), "[]", ((0, 6, "int", {}),)),
    (
        (3, 0),
        '[{"bn":"/3/0/","n":"0","vs":"ACME"},{"n":"9","v":87},{"n":"6/0","v":1},{"n":"22/0","vlo":"66:1"}]',
        ((0, 0, "str", "ACME"), (0, 9, "int", 87), (0, 6, "int", {0: 1}), (0, 22, "link", {0: (66, 1)})),
    ),
    (
        (3303,),
        '[{"bn":"/3303/","n":"0/5700","v":22.5},{"n":"1/5701","vs":"Cel"}]',
        ((0, 5700, "float", 22.5), (1, 5701, "str", "Cel")),
    ),
    # RFC 4648 section 10, without padding; and the two letters that only the alphabet for URLs has
    ((19, 0, 0), '[{"bn":"/19/0/0","vd":""}]', ((0, 0, "opaque", b""),)),
    ((19, 0, 0), '[{"bn":"/19/0/0","vd":"Zg"}]', ((0, 0, "opaque", b"f"),)),
    ((19, 0, 0), '[{"bn":"/19/0/0","vd":"Zm8"}]', ((0, 0, "opaque", b"fo"),)),
    ((19, 0, 0), '[{"bn":"/19/0/0","vd":"Zm9v"}]', ((0, 0, "opaque", b"foo"),)),
    ((19, 0, 0), '[{"bn":"/19/0/0","vd":"Zm9vYmE"}]', ((0, 0, "opaque", b"fooba"),)),
    ((19, 0, 0), '[{"bn":"/19/0/0","vd":"-_8"}]', ((0, 0, "opaque", b"\xfb\xff"),)),
)


def decoded(path, payload, types):
    """decode() with every raw turned into its value; types is {rid: type}."""
    records = []
    for iid, rid, raw in senml_json.decode(path, payload):
        if isinstance(raw, dict):
            raw = {riid: senml_json.value(raw[riid], types[rid]) for riid in raw}
        else:
            raw = senml_json.value(raw, types[rid])
        records.append((iid, rid, raw))
    return records


def test_vectors_are_written():
    def check(path, text, records):
        payload = senml_json.encode(path, (record for record in records))
        assert type(payload) is bytearray
        eq(payload, text.encode())

    each(VECTORS, check)


def test_vectors_are_read():
    def check(path, text, records):
        types = {rid: type for _, rid, type, _ in records}
        for payload in (text.encode(), memoryview(text.encode())):
            eq(decoded(path, payload, types), [(iid, rid, value) for iid, rid, _, value in records])

    each(VECTORS, check)


def test_time():
    path = (3303, 0, 5700)
    series = ((path, "float", 22.5, 1700000000), (path, "float", 22.25, 1699999940), (path, "float", 1.5, 1700000000))
    text = b'[{"bn":"/3303/0/5700","bt":1700000000,"v":22.5},{"v":22.25,"t":-60},{"v":1.5}]'
    eq(senml_json.encode_many(iter(series)), text)
    eq(
        senml_json.encode((3, 0), ((0, 0, "str", "A"), (0, 9, "int", 5)), 1700000000),
        b'[{"bn":"/3/0/","bt":1700000000,"n":"0","vs":"A"},{"n":"9","v":5}]',
    )


def test_many_are_written():
    items = (
        ((1, 0, 1), "int", 86400, None),
        ((3, 0, 11), "int", {1: 4, 0: 0}, None),
        ((3, 0, 7, 1), "int", 5000, None),
        ((3303, 0, 5700), "float", 22.5, 1700000000),
        ((3, 0, 9), "int", 5, None),
    )
    text = b"""[{"bn":"/1/0/","n":"1","v":86400},{"bn":"/3/0/","n":"11/0","v":0},{"n":"11/1","v":4},\
{"n":"7/1","v":5000},{"bn":"/3303/0/5700","bt":1700000000,"v":22.5},{"bn":"/3/0/","bt":0,"n":"9","v":5}]"""
    eq(senml_json.encode_many(items), text)
    eq(senml_json.encode_many(()), b"[]")


def one(text):
    """The raw that a record of /3/0/9 with this text has."""
    ((_, _, raw),) = senml_json.decode((3, 0, 9), b'[{"n":"/3/0/9",%s}]' % text.encode())
    return raw


def test_numbers():
    each(
        (
            ("5", "int", 5),
            ("-5", "int", -5),
            ("5.0", "int", 5),
            ("5e2", "int", 500),
            ("-0", "int", 0),
            ("1.5E1", "int", 15),
            ("5", "float", 5.0),
            ("2.5e-1", "float", 0.25),
            ("18446744073709551616", "float", 18446744073709551616.0),
        ),
        lambda text, type, value: eq(senml_json.value(one('"v":' + text), type), value),
    )
    for text in ("1e400", "-1e400", "1e99999", "9" * 90, "0.5", "9223372036854775808", "1e19"):
        raises(BadRequest, lambda text: senml_json.value(one('"v":' + text), "int"), text)
    for text in ("9" * 500, "1e" + "9" * 101, "-", "1e", "--1", "+1", "01", "-01", "1.", ".5", "1.e5", "0x1", "1_0"):
        raises(REFUSALS, one, '"v":' + text)
    for text in ("tru", "True", "nul", "undefined", '"', "'5'", "1 2", "", "/**/5"):
        raises(REFUSALS, one, '"v":' + text)


def test_an_int_longer_than_any():
    """It is a float, where that can hold it: the time that an int takes grows with the square of its digits."""
    for digits in (39, 40, 50, 300, 5000):
        try:
            raw = one('"v":' + "9" * digits)
        except BadRequest:
            assert digits > 38
            continue
        raises(BadRequest, senml_json.value, raw, "int")
        assert isinstance(senml_json.value(raw, "float"), float)


def test_no_number_is_not_written():
    for value in (float("nan"), float("inf"), float("-inf")):
        raises(NotAcceptable, senml_json.encode, (3303, 0, 5700), ((0, 5700, "float", value),))
    raises(CoapError, senml_json.encode, (3, 0, 9), ((0, 9, "int", 1 << 63),))


def test_no_number_is_left_out_of_many():
    """By path, what is left of two values, of two instances of a resource, and of those beside."""
    for value in (float("nan"), float("inf"), float("-inf")):
        records = ((0, 1, "float", value), (0, 2, "float", {0: value, 1: 1.5}), (0, 3, "float", {0: value}))
        for path in ((7,), (7, 0)):
            found = json.loads(senml_json.encode(path, records + ((0, 4, "int", 4),)).decode())
            eq([record.get("v") for record in found], [1.5, 4])
            eq(found[0]["bn"] + found[0]["n"], "/7/0/2/1")
        eq(json.loads(senml_json.encode((7, 0, 2), records[1:2]).decode()), [{"bn": "/7/0/2/", "n": "1", "v": 1.5}])
        raises(NotAcceptable, senml_json.encode, (7, 0, 3, 0), records[2:])
        items = [((7, 0) + record[1:2], record[2], record[3], 1700000000) for record in records]
        found = json.loads(senml_json.encode_many(items).decode())
        eq(found, [{"bn": "/7/0/2/1", "bt": 1700000000, "v": 1.5}])


class Counted:
    """Bytes that count how many of them are looked at."""

    def __init__(self, data):
        self.data = data
        self.count = 0

    def __len__(self):
        return len(self.data)

    def __getitem__(self, at):
        found = self.data[at]
        self.count += 1 if isinstance(found, int) else len(found)
        return found

    def find(self, what, start):
        found = self.data.find(what, start)
        self.count += (len(self) if found < 0 else found) - start + 1
        return found


def test_escapes_are_read_in_one_go():
    """4 KB of them take 4 times what 1 KB takes, not 16 times."""

    def check(escape, char):
        counts = []
        for size in (1024, 4096):
            reader = json_item.Reader(b"")
            reader._data = Counted(b'"' + escape * (size // len(escape)) + b'"')
            eq(reader.item(), char * (size // len(escape)))
            reader.end()
            counts.append(reader._data.count)
            eq(senml_json.decode((3, 0, 14), b'[{"n":"/3/0/14","vs":%s}]' % reader._data.data)[0][2][-1], char)
        eq(counts[1] < 5 * counts[0], True, repr(counts))

    each([(b'\\"', '"'), (b"\\\\", "\\"), (b"\\u20ac", "\u20ac"), (b"\\ud83d\\ude00", "\U0001f600")], check)


def test_text_beyond_ascii():
    """In UTF-8 or as escapes, those above U+FFFF as two."""
    for text, value in (
        ("\u00e9\u20ac\U0001f321", "\u00e9\u20ac\U0001f321"),
        ("\\u00e9\\u20ac\\ud83c\\udf21!", "\u00e9\u20ac\U0001f321!"),
        ("\\uD83C\\uDF21\\uD83C\\uDF21", "\U0001f321\U0001f321"),
        ("\ud55c\uae00", "\ud55c\uae00"),  # whose UTF-8 begins as that of a surrogate
        ("\\\\ud83c", "\\ud83c"),
        ("\\b\\f\\n\\r\\t\\/\\u0000", "\b\f\n\r\t/\0"),
    ):
        eq(senml_json.value(one('"vs":"%s"' % text), "str"), value)
        written = senml_json.encode((3, 0, 9), ((0, 9, "str", value),))
        eq(senml_json.value(senml_json.decode((3, 0, 9), written)[0][2], "str"), value)
        eq(json.loads(bytes(written).decode())[0]["bn"], "/3/0/9")


def test_half_a_character():
    def check(text):
        raises(REFUSALS, lambda: senml_json.value(one('"vs":"%s"' % text), "str"))
        raises(REFUSALS, one, '"vd":"%s"' % text)
        raises(REFUSALS, one, '"vlo":"%s"' % text)
        raises(REFUSALS, senml_json.decode, (3, 0), b'[{"n":"%s","v":1}]' % text.encode())
        raises(REFUSALS, one, '"v":5,"%s_":1' % text)

    for text in ("\\ud83c", "\\udf21", "\\udf21\\ud83c", "x\\ud83cx", "\\ud83c\\ud83c\\udf21", "\\ud83c\\u0041"):
        check(text)


def test_base64():
    for text in ("Zg==", "Z", "Zm9vY", "+/8", "-/8", "Zm 9v", "Zm9v\\n", "Zh", "\u00e9", "Zm9v!", "===="):
        raises(BadRequest, one, '"vd":"%s"' % text)


def test_base64_in_pieces():
    for size in (239, 240, 241, 480, 481, 700):
        content = bytes([index * 7 & 255 for index in range(size)])
        payload = senml_json.encode((19, 0, 0), ((0, 0, "opaque", content),))
        eq(len(payload), len('[{"bn":"/19/0/0","vd":""}]') + (size * 4 + 2) // 3)
        ((_, _, raw),) = senml_json.decode((19, 0, 0), payload)
        eq(senml_json.value(raw, "opaque"), content)


def test_nesting_has_an_end():
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        for levels in (7, 100, 20000):
            for text in (opening * levels + "0" + closing * levels, opening * levels):
                raises(REFUSALS, senml_json.decode, (3, 0), text.encode())
                raises(REFUSALS, one, '"v":5,"x":' + text)
    eq(one('"x":[[[[1]]]],"v":5'), 5)
    eq(one('"x":"[[[[[[[[[[\\"[[[[[[[","v":5'), 5)
    eq(one('"x":"\\\\","y":"[[[[[[[[[[","v":5'), 5)


def test_white_space():
    eq(
        senml_json.decode((3, 0), b' [ {\n"bn" : "/3/0/" ,\t"n": "9", "v" :5 } ,\r\n{ "n":"10","vb":true } ] '),
        [(0, 9, 5), (0, 10, True)],
    )


def test_cut_anywhere():
    for path, text, _ in VECTORS:
        for cut in truncated(text.encode()):
            raises(REFUSALS, senml_json.decode, path, cut) if cut or len(path) > 1 else None


def test_refused():
    for payload in (b"\xff", b"\xef\xbb\xbf[]", b"\0", b"nul", b"[]]", b"[][]", b"[] x", b"{}", b"5", b'"x"', b"NaN"):
        raises(REFUSALS, senml_json.decode, (3, 0), payload)
        raises(REFUSALS, senml_json.decode_many, payload)
    for text in (
        "[[]",
        "[]]",
        "[}",
        "[{]",
        "[{}}",
        "[,]",
        "[{},]",
        "[{} {}]",
        '[{"n":"/3/0/9","v":5,}]',
        '[{,"n":"/3/0/9","v":5}]',
        '[{"n":"/3/0/9" "v":5}]',
        '[{"n":"/3/0/9","v" 5}]',
        '[{"n":"/3/0/9","v":5 5}]',
        '[{"n":"/3/0/9","v":5,"v":5}]',
        '[{n:"/3/0/9","v":5}]',
        '[{1:"/3/0/9","v":5}]',
        '[{"n":"/3/0/9","v":5,null:5}]',
        "[{'n':'/3/0/9','v':5}]",
        '[{"n":"/3/0/9","vs":"\n"}]',
        '[{"n":"/3/0/9","vs":"\0"}]',
        '[{"n":"/3/0/9","vs":"\\q"}]',
        '[{"n":"/3/0/9","vs":"\\u12"}]',
        '[{"n":"/3/0/9","vs":"\\u+123"}]',
        '[{"n":"/3/0/9","vs":"\\u 123"}]',
        '[{"n":"/3/0/9","vs":"\\"}]',
        '[{"n":"/3/0/9","vs":"\\ud83c\\u"}]',
        '[{"n":"/3/0/9","v":5}]\0',
        '[{"n":"/3/0/9","v":5}]//',
        '[{"n":"/3/0/9"\x0b,"v":5}]',
    ):
        raises(REFUSALS, senml_json.decode, (3, 0), text.encode())
    for payload in (b"[{[1]:2}]", b"[{{}:2}]", b'[{"n":"/3/0/9","v":NaN}]', b'[{"n":"/3/0/9","v":Infinity}]'):
        raises(REFUSALS, lambda payload: senml_json.value(senml_json.decode((3, 0), payload)[0][2], "int"), payload)
