"""What SenML (RFC 8428) in JSON and in CBOR have in common, and the JSON of LwM2M 1.0 with them: names and grouping.

Each format has a function put(out, bn, bt, n, type, value, t) that appends one record to a bytearray. Base name and
base time are None where they stay what they were; where there is a name n, a slash must follow the base name.
Labels, to be read, are the keys of (bn, n, bver, bv, v, vs, vb, vd, vlo), None for what a format has not.
"""

from coap.errors import BadRequest, FormatError
from compat import const
from lwm2m import path as paths

from .typed import is_number, link, typed

_VERSION = const(10)  # of RFC 8428: a higher one is another format
_LABELS = {"str": 1, "corelnk": 1, "bool": 2, "opaque": 3, "link": 4}

value = typed


def label(labels, type):
    """The one of five labels (number, text, boolean, data, link) under which a value of this type goes."""
    return labels[_LABELS.get(type, 0)]


def write(out, put, path, records, time=None):
    """Write a read of one path with put, names as short as its base name lets them be; time as in write_many."""
    depth = len(path)
    bn = b"/" + join(path)
    for iid, rid, type, value in records:
        if rid is None:
            continue
        n = b"" if depth > 2 else b"%d" % rid if depth == 2 else b"%d/%d" % (iid, rid)
        if not isinstance(value, dict):
            put(out, bn, time, n, type, value, 0)
            bn = time = None
            continue
        for riid in sorted(value):
            put(out, bn, time, _below(n, riid) if depth < 4 else n, type, value[riid], 0)
            bn = time = None


def write_many(out, put, items):
    """Write items (path, type, value, time) of any resources with put; time is None or in s since 1970.

    Where there is a time, more values of the same resource are expected: its base name is the whole path.
    """
    base, start = b"/", 0
    for path, type, value, time in items:
        several = isinstance(value, dict)
        for riid in sorted(value) if several else (None,):
            ids = path[:3] + (riid,) if several else path
            keep = 2 if time is None else len(ids)
            bn = b"/" + join(ids[:keep])
            bt = None
            if time is None and start:
                bt = 0  # back to "now"
            elif time is not None and not start:
                bt = time
            start = start if bt is None else bt
            t = time - start if time else 0
            put(out, None if bn == base else bn, bt, join(ids[keep:]), type, value[riid] if several else value, t)
            base = bn


def _below(n, id):
    return b"%s/%d" % (n, id) if n else b"%d" % id


def join(ids):
    """The name of a path or of the rest of one, as bytes without a slash before it."""
    names = [b"%d" % id for id in ids]
    if paths.prefixes and ids and ids[0] > paths.MAX_ID:
        names[0] = paths.prefixes.name(ids[0])
    return b"/".join(names)


def resolve(records, labels, data, base=""):
    """Yield (path, raw) of the records (RFC 8428 section 4.6), raw None without a value.

    data(raw) makes bytes of what stands for bytes. A resource has one value, or one for each of its instances.
    Raises BadRequest, or FormatError for what is no record at all.
    """
    seen = {}  # path of a resource -> whether it is there without instances; path of a resource instance -> False
    base_value = 0
    for record in records:
        if not isinstance(record, dict):
            raise FormatError("a record must be a map")
        _check_labels(record, labels)
        base = string(record.get(labels[0], base))
        base_value = record.get(labels[3], base_value)
        path = path_of(base + string(record.get(labels[1], "")))
        raw = _raw(record, labels, data, base_value)
        if raw is not None:
            above = path[:3]
            if len(path) < 3 or path in seen or seen.get(above):
                raise BadRequest("not a resource, or one that is there twice")
            seen[above] = above == path
            seen[path] = above == path
        yield path, raw


def _check_labels(record, labels):
    """RFC 8428 section 4.4: what is marked "must understand", we do not; nor a later version."""
    for key in record:
        if isinstance(key, str) and key.endswith("_"):
            raise BadRequest("unknown label")
    version = record.get(labels[2], _VERSION)
    if not is_number(version) or version > _VERSION:
        raise BadRequest("unknown version")


def path_of(name):
    """The ids in a name, () in "/"; a slash at either end may be missing or there. Raises BadRequest. Behind a gateway,
    an end device that is not known makes the first id negative."""
    if name.startswith("/"):
        name = name[1:]
    if name.endswith("/"):
        name = name[:-1]
    if not name:
        return ()
    segments = name.encode().split(b"/")
    if paths.prefixes and not segments[0].isdigit():
        return paths.prefixes.parse(segments)
    return paths.parse(segments)


def _raw(record, labels, data, base_value):
    """The one value in a record, of a Python type that says which label it had."""
    found = [key for key in labels[4:] if key is not None and key in record]
    if not found:
        return None
    key = found[0]
    raw = record[key]
    kind = labels.index(key)
    if len(found) > 1:
        raise BadRequest("more than one value")
    if kind == 4:
        if not is_number(raw) or not is_number(base_value):
            raise BadRequest("not a number")
        return base_value + raw if base_value else raw
    if kind == 6:
        return typed(raw, "bool")
    if kind == 7:
        return data(raw)
    return string(raw) if kind == 5 else link(string(raw))


def string(raw):
    """raw, which must be a str; raises BadRequest."""
    if isinstance(raw, str):
        return raw
    raise BadRequest("not a string")


def decode(path, found):
    """What decode() of a format returns, from what resolve() yields."""
    depth = len(path)
    records = []
    several = {}
    for where, raw in found:
        if raw is None or where[:depth] != path:
            raise BadRequest("no value, or not under the path")
        if len(where) < 4:
            records.append((where[1], where[2], raw))
            continue
        above = where[:3]
        if above not in several:
            several[above] = {}
            records.append((where[1], where[2], several[above]))
        several[above][where[3]] = raw
    if depth == 1:
        records.sort(key=lambda record: record[:2])  # each instance's together
    elif depth == 3 and not records:
        records.append((path[1], path[2], {}))  # a multiple resource without instances
    elif depth == 4 and not records:
        raise BadRequest("no value")
    return records
