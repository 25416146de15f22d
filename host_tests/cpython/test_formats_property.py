"""The formats against an independent reference: the TLV grammar written once more from the standard, `re`, `base64`.

Nothing in the reference part comes from lib. A node is (identifier, id, content); content is bytes, or a list of nodes
for an object instance (0) and a multiple resource (2).
"""

import base64
import math
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from coap.errors import BadRequest, CoapError, FormatError, NotAcceptable
from lwm2m.formats import cbor, lwm2m_json, opaque, senml_cbor, senml_json, text, tlv

REFUSALS = (FormatError, BadRequest)
INSTANCE, RESOURCE_INSTANCE, MULTIPLE, RESOURCE = range(4)
CHILDREN = {INSTANCE: (MULTIPLE, RESOURCE), MULTIPLE: (RESOURCE_INSTANCE,)}

# ---------------------------------------------------------------------------------------------- the reference


def ref_encode(nodes, slack=lambda: 0):
    """Bytes of the nodes; slack() says how many bytes more than needed an id or a length takes."""
    out = b""
    for identifier, number, content in nodes:
        if isinstance(content, list):
            content = ref_encode(content, slack)
        id_size = min(2, (1 if number < 256 else 2) + slack())
        needed = next(n for n in range(4) if len(content) < (8, 1 << 8, 1 << 16, 1 << 24)[n])
        if identifier == INSTANCE:
            needed = max(needed, 1)
        width = min(3, needed + slack())
        first = identifier * 64 + (id_size - 1) * 32 + width * 8 + (0 if width else len(content))
        out += bytes([first]) + number.to_bytes(id_size, "big")
        out += (len(content).to_bytes(width, "big") if width else b"") + content
    return out


def ref_decode(payload, allowed=(INSTANCE, RESOURCE_INSTANCE, MULTIPLE, RESOURCE)):
    """The nodes in payload; ValueError if it is not TLV, nests wrongly, or repeats an id."""
    nodes = []
    rest = payload
    while rest:
        bits = f"{rest[0]:08b}"
        identifier, id_size, width = int(bits[:2], 2), 1 + int(bits[2]), int(bits[3:5], 2)
        header = 1 + id_size + width
        if len(rest) < header or identifier not in allowed:
            raise ValueError
        number = int.from_bytes(rest[1 : 1 + id_size], "big")
        size = int.from_bytes(rest[1 + id_size : header], "big") if width else int(bits[5:], 2)
        content, rest = rest[header : header + size], rest[header + size :]
        if len(content) < size or number == 65535 or number in [n for _, n, _ in nodes]:
            raise ValueError
        nodes.append(
            (identifier, number, ref_decode(content, CHILDREN[identifier]) if identifier in CHILDREN else content)
        )
    return nodes


def ref_create(payload):
    """What a Create of an object with this payload holds, as decode() tells it."""
    nodes = ref_decode(payload)
    if any(identifier == RESOURCE_INSTANCE for identifier, _, _ in nodes):
        raise ValueError
    groups = [(number, content) for identifier, number, content in nodes if identifier == INSTANCE]
    if not groups:
        groups = [(None, nodes)]
    elif len(groups) < len(nodes):
        raise ValueError
    records = []
    for iid, resources in groups:
        for _, rid, content in resources:
            if isinstance(content, list):
                content = {riid: raw for _, riid, raw in content}
            records.append((iid, rid, content))
        if not resources and iid is not None:
            records.append((iid, None, None))
    return records


def ref_content(kind, value):
    """The content of a value in TLV (data types, column "TLV Format")."""
    if kind in ("str", "corelnk"):
        return value.encode()
    if kind == "opaque":
        return value
    if kind == "bool":
        return bytes([value])
    if kind == "link":
        return value[0].to_bytes(2, "big") + value[1].to_bytes(2, "big")
    if kind == "float":
        try:
            exact = struct.unpack("!f", struct.pack("!f", value)) == (value,)
        except OverflowError:
            exact = False
        return struct.pack("!f" if exact else "!d", value)
    for size in (1, 2, 4, 8):
        try:
            return value.to_bytes(size, "big", signed=True)
        except OverflowError:
            pass
    return value.to_bytes(8, "big")


# ---------------------------------------------------------------------------------------------- what is drawn

ids = st.integers(0, 65534) | st.integers(0, 300)
values = {
    "str": st.text("aZ09 \0\n\x7f\u00e9\u20ac\ud7ff\uffff\U0001f321"),  # UTF-8 of 1 to 4 bytes
    "corelnk": st.text("</>;,0123456789="),
    "int": st.integers(-(2**63), 2**63 - 1),
    "time": st.integers(-(2**63), 2**63 - 1),
    "uint": st.integers(0, 2**64 - 1),
    "float": st.floats(allow_nan=False) | st.floats(width=32, allow_nan=False),
    "bool": st.booleans(),
    "opaque": st.binary(max_size=300),
    "link": st.tuples(st.integers(0, 65535), st.integers(0, 65535)),
}
typed = st.sampled_from(sorted(values)).flatmap(lambda kind: st.tuples(st.just(kind), values[kind]))
typed_multiple = st.sampled_from(sorted(values)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.dictionaries(ids, values[kind], max_size=4))
)
tree = st.dictionaries(ids, st.dictionaries(ids, typed | typed_multiple, max_size=4), max_size=4)


def as_records(instances):
    for iid, resources in instances.items():
        for rid, (kind, value) in resources.items():
            yield iid, rid, kind, value
        if not resources:
            yield iid, None, None, None


def as_nodes(resources):
    nodes = []
    for rid, (kind, value) in resources.items():
        if isinstance(value, dict):
            inner = [(RESOURCE_INSTANCE, riid, ref_content(kind, value[riid])) for riid in sorted(value)]
            nodes.append((MULTIPLE, rid, inner))
        else:
            nodes.append((RESOURCE, rid, ref_content(kind, value)))
    return nodes


def plain(records):
    return [
        (
            iid,
            rid,
            {k: bytes(v) for k, v in raw.items()} if isinstance(raw, dict) else None if raw is None else bytes(raw),
        )
        for iid, rid, raw in records
    ]


def check(*strategies):
    """given(), on a machine of any speed."""
    patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
    return lambda test: patient(given(*strategies)(test))


# ---------------------------------------------------------------------------------------------- TLV


@check(tree)
def test_tlv_of_an_object_is_what_the_reference_writes(instances):
    expected = ref_encode([(INSTANCE, iid, as_nodes(resources)) for iid, resources in instances.items()])
    assert tlv.encode((3303,), as_records(instances)) == expected


@check(st.dictionaries(ids, typed | typed_multiple, max_size=5))
def test_tlv_of_an_instance_is_what_the_reference_writes(resources):
    assert tlv.encode((3303, 0), as_records({0: resources})) == ref_encode(as_nodes(resources))


@check(tree, st.lists(st.integers(0, 3), max_size=30))
def test_tlv_reads_every_spelling_of_what_the_reference_writes(instances, slacks):
    slack = iter(slacks)
    payload = ref_encode(
        [(INSTANCE, iid, as_nodes(resources)) for iid, resources in instances.items()], lambda: next(slack, 0)
    )
    found = tlv.decode((3303,), payload)
    assert plain(found) == ref_create(payload)
    for iid, rid, raw in found:
        if rid is None:
            assert instances[iid] == {}
            continue
        kind, value = instances[iid][rid]
        if isinstance(raw, dict):
            assert {riid: tlv.value(one, kind) for riid, one in raw.items()} == value
        else:
            assert tlv.value(raw, kind) == value


near_tlv = st.lists(
    st.sampled_from(
        [b"\x08\x00", b"\x08\x01\x03", b"\xc1\x09", b"\x83\x06", b"\x41\x02", b"\xe1\x01\x00", b"\xd8", b"\0"]
    )
    | st.binary(min_size=1, max_size=4),
    max_size=12,
).map(b"".join)


@check(st.binary() | near_tlv)
@example(b"\x08\x00\x00\xc1\x09\x05")
def test_tlv_and_the_reference_agree_on_any_bytes(payload):
    try:
        expected = ref_create(payload)
    except ValueError:
        expected = "refused"
    try:
        found = plain(tlv.decode((3303,), payload))
    except REFUSALS:
        found = "refused"
    assert found == expected


@check(near_tlv, st.integers(2, 4), st.sampled_from([0, 1, 2, 6, 9]))
def test_tlv_of_a_write_holds_only_what_the_path_names(payload, depth, last):
    path = (3303, 1, 9 if depth == 4 else last, last)[:depth]
    try:
        records = tlv.decode(path, payload)
    except REFUSALS:
        return
    assert all(iid == 1 for iid, _, _ in records)
    if depth > 2:
        ((_, rid, raw),) = records
        assert rid == path[2]
        assert depth == 3 or list(raw) == [path[3]]


@check(st.binary(max_size=12), st.sampled_from(sorted(values)))
def test_tlv_reads_any_content_or_refuses_it(raw, kind):
    try:
        value = tlv.value(raw, kind)
    except BadRequest:
        return
    again = tlv.value(ref_content(kind, value), kind)
    assert again == value or math.isnan(value)


# ---------------------------------------------------------------------------------------------- text and opaque


@check(typed)
def test_text_reads_back_what_it_wrote(one):
    kind, value = one
    if kind == "float" and math.isinf(value):
        with pytest.raises(NotAcceptable):
            text.encode((1, 0, 9), [(0, 9, kind, value)])
        return
    payload = text.encode((1, 0, 9), [(0, 9, kind, value)])
    back = text.value(payload, kind)
    assert back == value and type(back) is type(value)
    if kind == "opaque":
        assert payload == base64.b64encode(value)
    if kind == "float":
        assert float(payload) == value and len(payload) <= len(repr(value)) and not payload.endswith(b".0")


@check(st.text("0123456789.-+eE_ \n\u0661", max_size=8))
def test_text_takes_numbers_by_their_grammar_only(string):
    for kind, grammar in (("float", r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?"), ("int", r"-?[0-9]+")):
        expected = float(string) if re.fullmatch(grammar, string) else None
        try:
            found = text.value(string.encode(), kind)
        except BadRequest:
            found = None
        assert found == (None if expected is not None and math.isinf(expected) else expected)


@check(st.binary(max_size=12) | st.text("AQIz09+/=\n", max_size=8).map(str.encode))
def test_text_takes_base64_as_rfc_4648_has_it(raw):
    try:
        content = text.value(raw, "opaque")
    except BadRequest:
        canonical = re.fullmatch(rb"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", raw)
        assert not canonical or base64.b64encode(base64.b64decode(raw)) != raw  # spare bits that are not zero
    else:
        assert base64.b64encode(content) == raw


@check(st.integers())
def test_integers_are_written_in_64_bits_or_not_at_all(value):
    for kind, low, high in (("int", -(2**63), 2**63 - 1), ("uint", 0, 2**64 - 1)):
        for module in (text, tlv, cbor, senml_cbor, senml_json, lwm2m_json):
            if low <= value <= high:
                module.encode((1, 0, 9), [(0, 9, kind, value)])
            else:
                with pytest.raises(CoapError):
                    module.encode((1, 0, 9), [(0, 9, kind, value)])


@check(st.binary())
def test_opaque_changes_nothing(content):
    assert opaque.encode((19, 0, 0), [(0, 0, "opaque", content)]) == content
    ((_, _, raw),) = opaque.decode((19, 0, 0), content)
    assert opaque.value(raw, "opaque") == content


# ---------------------------------------------------------------------------------------------- all formats

FORMATS = (text, opaque, cbor, senml_json, senml_cbor, tlv, lwm2m_json)
paths = st.lists(ids, min_size=1, max_size=4).map(tuple)
alphabets = st.sampled_from(
    (b'[]{}":,\\/059.e-nvsbdlotu', b"\x00\x02\x21\x61\x66/0359\x81\x82\x9f\xa1\xa2\xbf\xf5\xf9\xff")
)
hostile = st.binary(max_size=80) | alphabets.flatmap(
    lambda letters: st.lists(st.sampled_from(letters), max_size=60).map(bytes)
)


@settings(max_examples=1500, deadline=None)
@given(st.sampled_from(FORMATS), paths, hostile, st.sampled_from(sorted(values)))
def test_noise_is_content_or_refused(module, path, payload, kind):
    """Whatever comes, a decoder raises what has a response code, and a value is of the type asked for."""
    try:
        found = [raw for _, rid, raw in module.decode(path, payload) if rid is not None]
    except (FormatError, CoapError):
        return
    for raw in found:
        for one in raw.values() if isinstance(raw, dict) else (raw,):
            try:
                value = module.value(one, kind)
            except (FormatError, CoapError):
                continue
            assert type(value) is {"uint": int, "time": int, "corelnk": str, "opaque": bytes, "link": tuple}.get(
                kind, {"str": str, "int": int, "float": float, "bool": bool}.get(kind)
            )


@check(tree)
def test_an_object_is_read_alike_in_all_formats(instances):
    """Read /33000 in each format for many resources: all say the same."""
    full = {
        (iid, rid): (kind, value)
        for iid, resources in instances.items()
        for rid, (kind, value) in resources.items()
        if value != {} and not (kind == "float" and math.isinf(max(map(abs, as_values(value)))))
    }
    records = [(iid, rid, kind, value) for (iid, rid), (kind, value) in full.items()]
    for module in (tlv, senml_json, senml_cbor, lwm2m_json):
        payload = module.encode((33000,), iter(records))
        found = {}
        for iid, rid, raw in module.decode((33000,), bytes(payload)):
            kind, _ = full[iid, rid]
            found[iid, rid] = (
                {riid: module.value(one, kind) for riid, one in raw.items()}
                if isinstance(raw, dict)
                else module.value(raw, kind)
            )
        assert found == {key: value for key, (_, value) in full.items()}


def as_values(value):
    return list(value.values()) if isinstance(value, dict) else [value]


def test_a_format_is_imported_on_first_use():
    program = (
        "import sys; from lwm2m import formats\n"
        "print('lwm2m.formats.opaque' in sys.modules, formats.get(42).CT, 'lwm2m.formats.opaque' in sys.modules)"
    )
    lib = Path(__file__).resolve().parents[2] / "lib"
    command = [sys.executable, "-B", "-c", program]
    run = subprocess.run(command, env={"PYTHONPATH": str(lib)}, capture_output=True, text=True, check=True)
    assert run.stdout == "False 42 True\n"
