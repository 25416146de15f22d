"""application/vnd.oma.lwm2m+json of LwM2M 1.0: the shapes in the standard and in OMA's test specification."""

from coap.errors import BadRequest, FormatError, NotAcceptable
from lwm2m.formats import lwm2m_json
from support import each, eq, raises, truncated

REFUSALS = (FormatError, BadRequest)

# Both ways: path, JSON, records.
VECTORS = (
    (
        (3, 0),
        '{"bn":"/3/0/","e":[{"n":"0","sv":"ACME"},{"n":"9","v":87},{"n":"6/0","v":1},{"n":"22/0","ov":"66:1"},'
        '{"n":"10","bv":true},{"n":"5","sv":"+/8="}]}',
        (
            (0, 0, "str", "ACME"),
            (0, 9, "int", 87),
            (0, 6, "int", {0: 1}),
            (0, 22, "link", {0: (66, 1)}),
            (0, 10, "bool", True),
            (0, 5, "opaque", b"\xfb\xff"),
        ),
    ),
    ((3, 0, 9), '{"bn":"/3/0/9","e":[{"n":"","v":22.5}]}', ((0, 9, "float", 22.5),)),
    ((3, 0, 13), '{"bn":"/3/0/13","e":[{"n":"","v":1367491215}]}', ((0, 13, "time", 1367491215),)),
    ((3, 0, 6), '{"bn":"/3/0/6/","e":[{"n":"0","v":1},{"n":"1","v":5}]}', ((0, 6, "int", {0: 1, 1: 5}),)),
    ((3, 0, 6, 1), '{"bn":"/3/0/6/1","e":[{"n":"","v":5}]}', ((0, 6, "int", {1: 5}),)),
    (
        (3303,),
        '{"bn":"/3303/","e":[{"n":"0/5700","v":22.5},{"n":"1/5701","sv":"Cel"}]}',
        ((0, 5700, "float", 22.5), (1, 5701, "str", "Cel")),
    ),
    ((3, 0, 6), '{"e":[]}', ((0, 6, "int", {}),)),
)
# One way: path of a Write, JSON, (iid, rid, raw).
READ_ONLY = (
    ((1, 0), '{"bn":"/","e":[{"n":"1/0/2","v":101}]}', [(0, 2, 101)]),
    ((1, 0), '{"bn":"/1/0/","bt":0,"e":[{"n":"2","v":101,"t":-5}]}', [(0, 2, 101)]),
    ((1, 0), '{"e":[{"n":"/1/0/2","v":101}]}', [(0, 2, 101)]),
    ((1, 0), '{"bn":"","e":[{"n":"/1/0/2","v":101}]}', [(0, 2, 101)]),
    ((1, 0, 2), '{"e":[{"n":"","v":101}]}', [(0, 2, 101)]),
    ((1, 0, 2), '{"e":[{"v":101}]}', [(0, 2, 101)]),
    ((1, 0, 2), '{"bn":"/1/0/","e":[{"n":"2","v":101}]}', [(0, 2, 101)]),
    # OMA's test specification (220): the entries alone; and with bn inside the first
    (
        (1, 0),
        '{"e":[{"n":"2","v":101},{"n":"3","v":1010},{"n":"5","v":2000},{"n":"6","bv":true},{"n":"7","sv":"U"}]}',
        [(0, 2, 101), (0, 3, 1010), (0, 5, 2000), (0, 6, True), (0, 7, "U")],
    ),
    ((1, 0), '[{"bn":"/1/0/","n":"2","v":101},{"n":"6","bv":true}]', [(0, 2, 101), (0, 6, True)]),
    ((1, 0), '{"e":[{"bn":"/1/0/","n":"2","v":101},{"n":"6","bv":false}]}', [(0, 2, 101), (0, 6, False)]),
)


def decoded(path, payload, types):
    """decode() with every raw turned into its value; types is {rid: type}."""
    records = []
    for iid, rid, raw in lwm2m_json.decode(path, payload):
        if isinstance(raw, dict):
            raw = {riid: lwm2m_json.value(raw[riid], types[rid]) for riid in raw}
        else:
            raw = lwm2m_json.value(raw, types[rid])
        records.append((iid, rid, raw))
    return records


def test_vectors_are_written():
    each(VECTORS, lambda path, text, records: eq(lwm2m_json.encode(path, iter(records)), text.encode()))


def test_vectors_are_read():
    def check(path, text, records):
        types = {rid: type for _, rid, type, _ in records}
        eq(decoded(path, text.encode(), types), [(iid, rid, value) for iid, rid, _, value in records])

    each(VECTORS, check)


def test_no_number_is_left_out_of_many():
    records = ((0, 1, "float", float("nan")), (0, 2, "float", {0: float("inf"), 1: 1.5}), (0, 4, "int", 4))
    eq(lwm2m_json.encode((7, 0), records), b'{"bn":"/7/0/","e":[{"n":"2/1","v":1.5},{"n":"4","v":4}]}')
    eq(lwm2m_json.encode((7, 0), records[:1]), b'{"e":[]}')
    raises(NotAcceptable, lwm2m_json.encode, (7, 0, 1), records[:1])


def test_read_only_vectors():
    each(READ_ONLY, lambda path, text, records: eq(lwm2m_json.decode(path, text.encode()), records))


def test_without_payload():
    eq(lwm2m_json.decode((3303,), b""), [])
    raises(REFUSALS, lwm2m_json.decode, (3303, 0), b"")


def test_refused():
    for text in (
        "{}",
        "5",
        "null",
        '{"bn":"/1/0/"}',
        '{"bn":"/1/0/","e":{}}',
        '{"bn":"/1/0/","e":[5]}',
        '{"bn":5,"e":[{"n":"2","v":101}]}',
        '{"bn":"/1/0","e":[{"n":"2","v":101}]}',
        '{"bn":"/1/1/","e":[{"n":"2","v":101}]}',
        '{"bn":"/1/0/","e":[{"n":"2"}]}',
        '{"bn":"/1/0/","e":[{"n":"2","vs":"x"}]}',
        '{"bn":"/1/0/","e":[{"n":"2","v":1,"sv":"x"}]}',
        '{"bn":"/1/0/","e":[{"n":"2","v":true}]}',
        '{"bn":"/1/0/","e":[{"n":"2","bv":1}]}',
        '{"bn":"/1/0/","e":[{"n":"2","ov":"x"}]}',
        '{"bn":"/1/0/","e":[{"n":"2","v":1},{"n":"2","v":1}]}',
        '{"bn":"/1/0/","e":[{"n":"2","v":1},{"n":"2/0","v":1}]}',
        '{"bn":"/1/0/","e":[{"n":"","v":1}]}',
        '{"e":[{"n":"/1/0/2","v":1},{"n":"3","v":1}]}',
    ):
        raises(REFUSALS, lwm2m_json.decode, (1, 0), text.encode())
    for path, text, _ in VECTORS:
        for cut in truncated(text.encode()):
            raises(REFUSALS, lwm2m_json.decode, path, cut) if cut or len(path) > 1 else None


def test_values():
    for raw in ("-_8", "+/8", "x", "\u00e9", 5, True):
        raises(BadRequest, lwm2m_json.value, raw, "opaque")
    raises(BadRequest, lwm2m_json.value, "5", "int")
    raises(NotAcceptable, lwm2m_json.encode, (3303, 0, 5700), ((0, 5700, "float", float("nan")),))
