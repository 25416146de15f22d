"""Reads SenML (RFC 8428) for tests, and writes it, with nothing of lib/: JSON by the interpreter's own module, CBOR
(RFC 8949) by the few lines below."""

import json
from struct import unpack

JSON, CBOR = 110, 112
KEYS = {-2: "bn", -3: "bt", 0: "n", 2: "v", 3: "vs", 4: "vb", 6: "t", 8: "vd"}
LABELS = {KEYS[key]: key for key in KEYS}


def records(content_format, payload):
    """[{label: value}] as they stand there."""
    if content_format == JSON:
        return json.loads(payload.decode())
    assert content_format == CBOR, content_format
    found, end = _item(payload, 0)
    assert end == len(payload), "something follows"
    return [{KEYS.get(key, key): record[key] for key in record} for record in found]


def told(reply):
    """{name: value} of a reply or notification; no name may come twice."""
    found = {}
    for name, value, _ in timed(reply):
        assert name not in found, name + " comes twice"
        found[name] = value
    return found


def timed(packet):
    """[(name, value, time in s or None)] in the order in which they stand there."""
    found = []
    bn, bt = "", 0
    for record in records(packet.content_format, packet.payload):
        bn, bt = record.pop("bn", bn), record.pop("bt", bt)
        name = bn + record.pop("n", "")
        time = bt + record.pop("t", 0)
        ((label, value),) = record.items()
        assert label in ("v", "vs", "vb", "vd", "vlo") and name[:1] == "/", (name, label)
        found.append((name, value, time or None))
    return found


def path_list(*names, content_format=CBOR):
    """The payload of a FETCH."""
    return packed([{"n": name} for name in names], content_format)


def packed(found, content_format=CBOR):
    """The payload for [{label: value}], in either format; floats only in JSON."""
    if content_format == JSON:
        return json.dumps(found).encode()
    return _packed([{LABELS.get(key, key): record[key] for key in record} for record in found])


def _packed(item):
    if isinstance(item, bool):
        return b"\xf5" if item else b"\xf4"
    if isinstance(item, int):
        return _head(1, -1 - item) if item < 0 else _head(0, item)
    if isinstance(item, bytes):
        return _head(2, len(item)) + item
    if isinstance(item, str):
        return _head(3, len(item.encode())) + item.encode()
    if isinstance(item, list):
        return _head(4, len(item)) + b"".join([_packed(one) for one in item])
    return _head(5, len(item)) + b"".join([_packed(key) + _packed(item[key]) for key in item])


def _head(major, number):
    if number < 24:
        return bytes([major << 5 | number])
    return bytes([major << 5 | 26]) + number.to_bytes(4, "big")


def _item(data, at):
    major, low = data[at] >> 5, data[at] & 31
    at += 1
    number = low
    if low > 23:
        size = 1 << low - 24
        assert size <= 8, "length"
        raw = data[at : at + size]
        number = int.from_bytes(raw, "big")
        at += size
    if major < 2:
        return (number, -1 - number)[major], at
    if major < 4:
        raw = data[at : at + number]
        assert len(raw) == number, "cut"
        return raw if major == 2 else raw.decode(), at + number
    if major == 4:
        found = []
        for _ in range(number):
            one, at = _item(data, at)
            found.append(one)
        return found, at
    if major == 5:
        found = {}
        for _ in range(number):
            key, at = _item(data, at)
            found[key], at = _item(data, at)
        return found, at
    assert major == 7, "tag"
    if low < 24:
        return {20: False, 21: True, 22: None}[low], at
    if low == 25:
        sign, exponent, fraction = number >> 15, number >> 10 & 31, number & 1023
        value = (fraction + 1024) * 2.0 ** (exponent - 25) if exponent else fraction * 2.0**-24
        if exponent == 31:
            value = float("nan" if fraction else "inf")
        return -value if sign else value, at
    return unpack(">f" if low == 26 else ">d", raw)[0], at
