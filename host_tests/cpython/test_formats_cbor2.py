"""CBOR and SenML against independent parties: cbor2 and Python's json."""

import base64
import io
import json
import math
import struct

import cbor2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from coap.errors import BadRequest, CoapError, FormatError, NotAcceptable
from lwm2m.formats import cbor, lwm2m_json, senml_cbor, senml_json
from lwm2m.formats.cbor_item import Reader
from lwm2m.formats.json_item import Reader as JsonReader

REFUSALS = (FormatError, BadRequest)
LABELS = {-2: "bn", -3: "bt", 0: "n", 2: "v", 3: "vs", 4: "vb", 6: "t", 8: "vd", "vlo": "vlo"}

ids = st.integers(0, 65534) | st.integers(0, 30)
texts = st.text('aZ09 \0\n"\\/\x7f\u00e9\u20ac\ud7ff\ue000\uffff\U0001f321')
values = {
    "str": texts,
    "corelnk": st.text("</>;,0123456789="),
    "int": st.integers(-(2**63), 2**63 - 1),
    "time": st.integers(-(2**63), 2**63 - 1),
    "uint": st.integers(0, 2**64 - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False)
    | st.floats(width=32, allow_nan=False, allow_infinity=False)
    | st.floats(width=16, allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
    "opaque": st.binary(max_size=700),
    "link": st.tuples(st.integers(0, 65535), st.integers(0, 65535)),
}
typed = st.sampled_from(sorted(values)).flatmap(lambda kind: st.tuples(st.just(kind), values[kind]))
resource = typed | st.sampled_from(sorted(values)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.dictionaries(ids, values[kind], min_size=1, max_size=4))
)
instance = st.dictionaries(ids, resource, max_size=30)
times = st.none() | st.integers(1, 2**33)
check = settings(max_examples=150, deadline=None)


def ours(kind, value):
    """A value as an independent codec has it."""
    return "%d:%d" % value if kind == "link" else value


def same(found, kind, value):
    """Whether two values are equal, down to the sign of a zero, and of the same kind."""
    expected = ours(kind, value)
    if kind == "float":
        return struct.pack("d", found) == struct.pack("d", expected)
    return found == expected and type(found) is type(expected)


def flat(path, kind, value):
    """[(path of a resource or of a resource instance, type, value)]"""
    if isinstance(value, dict):
        return [((*path, riid), kind, value[riid]) for riid in sorted(value)]
    return [(path, kind, value)]


def resolved(records, data=bytes):
    """{name, or (name, time) where there is one: (label, value)} of a SenML pack, by RFC 8428 section 4.6."""
    base, base_time, found = "", 0, {}
    for record in records:
        base = record.pop("bn", base)
        base_time = record.pop("bt", base_time)
        name = base + record.pop("n", "")
        time = base_time + record.pop("t", 0)
        ((label, value),) = record.items()
        key = (name, time) if time else name
        assert key not in found
        found[key] = label, data(value) if label == "vd" else value
    return found


def from_cbor(payload):
    return resolved([{LABELS[key]: value for key, value in record.items()} for record in cbor2.loads(payload)])


def from_json(payload):
    return resolved(json.loads(payload.decode()), unpadded)


def unpadded(text):
    assert "=" not in text
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


KINDS = {"str": "vs", "corelnk": "vs", "bool": "vb", "opaque": "vd", "link": "vlo"}


def assert_holds(found, expected):
    """`found` of resolved() is the (path, type, value, time) of `expected`."""
    assert len(found) == len(expected)
    for path, kind, value, time in expected:
        name = "/" + "/".join(map(str, path))
        label, one = found[(name, time) if time else name]
        assert label == KINDS.get(kind, "v")
        if kind == "float" and isinstance(one, int):
            one = float(one)  # JSON has one kind of number
            value = value if value else 0.0
            one = one if one else 0.0
        assert same(one, kind, value), (path, kind, one, value)


# -- one value


@check
@given(typed)
@example(("float", 65504.0))
@example(("float", 65520.0))
@example(("float", 2.0**-24))
@example(("float", 2.0**-25))
@example(("float", 3 * 2.0**-25))
@example(("float", -0.0))
@example(("float", math.inf))
@example(("float", 3.4028235677973366e38))
@example(("float", 1e300))
def test_cbor_is_written_as_cbor2_does(one):
    kind, value = one
    payload = bytes(cbor.encode((33000, 0, 1), [(0, 1, kind, value)]))
    assert payload == cbor2.dumps(ours(kind, value), canonical=True)
    assert same(cbor2.loads(payload), kind, value)


@check
@given(typed, st.booleans())
def test_cbor_is_read_as_cbor2_writes(one, canonical):
    kind, value = one
    payload = cbor2.dumps(ours(kind, value), canonical=canonical)
    if kind == "time":
        payload = b"\xc1" + payload if canonical else payload
    found = cbor.value(memoryview(payload), kind)
    assert same(ours(kind, found), kind, value)


def test_nan_is_written_as_cbor2_does():
    assert cbor.encode((33000, 0, 1), [(0, 1, "float", math.nan)]) == cbor2.dumps(math.nan, canonical=True)


def test_every_half():
    for bits in range(65536):
        raw = b"\xf9" + bits.to_bytes(2, "big")
        value = cbor.value(raw, "float")
        (expected,) = struct.unpack(">e", raw[1:])
        assert struct.pack("d", value) == struct.pack("d", expected) or (math.isnan(value) and math.isnan(expected))
        if not math.isnan(value):
            assert cbor.encode((3, 0, 1), [(0, 1, "float", value)]) == raw


items = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.floats(allow_nan=False) | texts | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.integers(-9, 300) | texts, inner, max_size=4),
    max_leaves=12,
)


def plain(item):
    """An item with bytes in place of views, and without the null that cbor2 has too."""
    if isinstance(item, memoryview):
        return bytes(item)
    if isinstance(item, list):
        return [plain(one) for one in item]
    if isinstance(item, dict):
        return {key: plain(one) for key, one in item.items()}
    return item


def depth(item):
    inner = item if isinstance(item, list) else item.values() if isinstance(item, dict) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


@check
@given(items, st.booleans())
def test_items_are_read_as_cbor2_writes(item, indefinite):
    stream = io.BytesIO()
    cbor2.CBOREncoder(stream, indefinite_containers=indefinite).encode(item)
    reader = Reader(stream.getvalue())
    if depth(item) > 6:
        with pytest.raises(FormatError):
            reader.item()
        return
    assert plain(reader.item()) == item
    reader.end()


def accepted(read, payload):
    """(whether read() takes it, what it found)."""
    try:
        return True, read(payload)
    except REFUSALS:
        return False, None


def read_ours(payload):
    reader = Reader(payload)
    item = plain(reader.item())
    reader.end()
    return item


@settings(max_examples=1500, deadline=None)
@given(st.binary(min_size=1, max_size=12))
@example(b"\xa1\xf5\x00")
@example(b"\xf8\x14")
@example(b"\x5f\x41a\x61b\xff")
def test_noise_that_we_read_cbor2_reads_alike(payload):
    ok, found = accepted(read_ours, payload)
    if ok and not odd(found):
        stream = io.BytesIO(payload)
        expected = cbor2.CBORDecoder(stream).decode()
        assert stream.tell() == len(payload)
        assert odd(expected) or repr(found) == repr(expected)


def odd(item):
    """Whether there is a tag or a simple value in it, which the two tell in their own ways; or a list, as those are."""
    if isinstance(item, dict):
        return any(map(odd, item.values()))
    return not isinstance(item, (int, float, str, bytes, type(None)))


# -- SenML and the JSON of 1.0


@check
@given(ids, ids, instance, times)
def test_an_instance(oid, iid, resources, time):
    records = [(iid, rid, kind, value) for rid, (kind, value) in resources.items()]
    expected = [(*one, time) for rid, (kind, value) in resources.items() for one in flat((oid, iid, rid), kind, value)]
    for module, reader in ((senml_cbor, from_cbor), (senml_json, from_json)):
        payload = module.encode((oid, iid), iter(records), time)
        assert_holds(reader(payload), expected)
        back = module.decode((oid, iid), bytes(payload))
        assert [(i, r) for i, r, _ in back] == [(iid, rid) for rid in resources]
        for (_, _, raw), (kind, value) in zip(back, resources.values(), strict=True):
            pairs = [(raw[riid], value[riid]) for riid in value] if isinstance(value, dict) else [(raw, value)]
            for one, wanted in pairs:
                assert module.value(one, kind) == wanted


@check
@given(st.lists(st.tuples(st.tuples(ids, ids, ids), resource, times), max_size=30, unique_by=lambda item: item[0]))
def test_items_of_many_resources(drawn):
    items = [(path, kind, value, time) for path, (kind, value), time in drawn]
    expected = [(*one, time) for path, kind, value, time in items for one in flat(path, kind, value)]
    for module, reader in ((senml_cbor, from_cbor), (senml_json, from_json)):
        payload = module.encode_many(iter(items))
        assert_holds(reader(payload), expected)
        back = module.decode_many(bytes(payload))
        assert [path for path, _ in back] == [path for path, _, _, _ in expected]
        for (_, raw), (_, kind, value, _) in zip(back, expected, strict=True):
            assert module.value(raw, kind) == value


@check
@given(st.lists(st.tuples(st.integers(1, 2**31), values["float"]), min_size=1, unique_by=lambda item: item[0]))
def test_a_series_in_time(series):
    items = [((3303, 0, 5700), "float", value, time) for time, value in series]
    for module, reader in ((senml_cbor, from_cbor), (senml_json, from_json)):
        assert_holds(reader(module.encode_many(iter(items))), items)


@check
@given(instance)
def test_heads_are_the_shortest(resources):
    """Written again by cbor2, a pack has the same bytes."""
    records = [(0, rid, kind, value) for rid, (kind, value) in resources.items()]
    payload = senml_cbor.encode((3, 0), iter(records))
    out = io.BytesIO()
    out.write(cbor2.dumps([None] * len(cbor2.loads(payload))).rstrip(b"\xf6"))
    for record in cbor2.loads(payload):
        out.write(bytes([0xA0 + len(record)]))
        for key, value in record.items():
            out.write(cbor2.dumps(key, canonical=True) + cbor2.dumps(value, canonical=True))
    assert out.getvalue() == payload


@check
@given(ids, ids, instance)
def test_json_of_1_0(oid, iid, resources):
    records = [(iid, rid, kind, value) for rid, (kind, value) in resources.items()]
    expected = [one for rid, (kind, value) in resources.items() for one in flat((oid, iid, rid), kind, value)]
    payload = lwm2m_json.encode((oid, iid), iter(records))
    document = json.loads(payload.decode())
    labels = {"str": "sv", "corelnk": "sv", "bool": "bv", "opaque": "sv", "link": "ov"}
    assert len(document["e"]) == len(expected)
    for entry, (path, kind, value) in zip(document["e"], expected, strict=True):
        assert document["bn"] + entry["n"] == "/" + "/".join(map(str, path))
        one = entry[labels.get(kind, "v")]
        assert one == (base64.b64encode(value).decode() if kind == "opaque" else ours(kind, value))
    back = lwm2m_json.decode((oid, iid), bytes(payload))
    for (_, _, raw), (kind, value) in zip(back, resources.values(), strict=True):
        pairs = [(raw[riid], value[riid]) for riid in value] if isinstance(value, dict) else [(raw, value)]
        for one, wanted in pairs:
            assert lwm2m_json.value(one, kind) == wanted


@check
@given(st.floats())
def test_json_has_no_nan(value):
    records = [(0, 5700, "float", value)]
    if math.isfinite(value):
        assert json.loads(senml_json.encode((3303, 0, 5700), records).decode())[0]["v"] == value
    else:
        with pytest.raises(NotAcceptable):
            senml_json.encode((3303, 0, 5700), records)


# -- our reader of JSON against Python's

json_items = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**38), 10**38)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def read_json(payload):
    reader = JsonReader(payload)
    item = reader.item()
    reader.end()
    return item


@check
@given(json_items, st.booleans(), st.sampled_from((None, 0, 2)))
def test_json_is_read_as_python_writes(item, ascii_only, indent):
    payload = json.dumps(item, ensure_ascii=ascii_only, indent=indent).encode()
    if depth(item) > 6:
        with pytest.raises(FormatError):
            read_json(payload)
    else:
        assert repr(read_json(payload)) == repr(item)


def read_python(payload):
    """As Python's json, but as strict as RFC 8259: no nan, no inf, no half of a character, no key twice."""

    def no(name):
        raise ValueError(name)

    def unique(pairs):
        if len(dict(pairs)) < len(pairs):
            raise ValueError
        return dict(pairs)

    item = json.loads(payload.decode(), parse_constant=no, object_pairs_hook=unique)
    json.dumps(item, ensure_ascii=False, allow_nan=False).encode()
    return item


@settings(max_examples=3000, deadline=None)
@given(st.text('[]{}":,\\u0019dDeE+-. \n\x00\x1ftruefalsn\u00e9', max_size=14).map(str.encode) | st.binary(max_size=5))
@example(b"01")
@example(b"-0")
@example(b"1.e1")
@example(b'"\\ud83c\\udf21"')
@example(b'"\\udf21"')
@example(b'{"a":1,"a":1}')
@example(b"\xef\xbb\xbf1")
def test_json_noise_is_taken_or_refused_as_python_does(payload):
    try:
        expected = True, repr(read_python(payload))
    except ValueError:
        expected = False, None
    ok, found = accepted(read_json, payload)
    assert (ok, repr(found) if ok else None) == expected


def test_integers_beyond_64_bits_are_not_written():
    for module in (cbor, senml_cbor, senml_json, lwm2m_json):
        for kind, value in (("int", 2**63), ("int", -(2**63) - 1), ("uint", 2**64), ("uint", -1), ("time", 2**63)):
            with pytest.raises(CoapError):
                module.encode((1, 0, 9), [(0, 9, kind, value)])
