"""Interface 3, the part that changes something: Write, Write-Attributes, Execute, Create, Delete.

Imported by the first such request. The order of checks is that of lwm2m.management.
"""

from coap.errors import BadRequest, MethodNotAllowed, NotFound, UnsupportedContentFormat
from compat import const
from lwm2m import formats
from lwm2m import path as paths
from lwm2m.change import apply, check_range, default

_POST = const(2)
_PUT = const(3)
_DELETE = const(4)
_TEXT = const(0)
_TLV = const(11542)
_CHANGED = (0x44, (), b"")


def respond(client, registration, message, asked, payload, now):
    """Carry out one request; returns and raises what management.respond does."""
    code = message.code
    if code == _PUT:
        if asked.queries and not payload and asked.content_format is None:
            return _write_attributes(client, registration, asked)
        return _write(client, asked, payload, True)
    if code == _POST:
        depth = len(asked.path)
        if depth == 1:
            return _create(client, asked, payload)
        if depth == 2:
            return _write(client, asked, payload, False)
        return _execute(client, registration, message.token, asked, payload, now)
    if code == _DELETE:
        return _delete(client, asked, now)
    raise MethodNotAllowed()


# -- Write --------------------------------------------------------------------------------------------------------


def _write_attributes(client, registration, asked):
    from lwm2m import attributes

    tree, path = client.tree, asked.path
    numeric = False
    if len(path) == 1:
        tree.instances(path[0])
    elif len(path) == 2:
        tree.instance(path)
    else:
        obj, row = tree.resource(path)
        if len(path) == 4 and ("*" not in row[1] or path[3] not in (obj.value_of(row) or ())):
            raise NotFound()
        numeric = row[2] in attributes.NUMERIC
    attributes.write(registration.attributes, path, asked.queries, numeric)
    if registration.reporting:
        registration.reporting.attributes_changed()
    client.wake()
    return _CHANGED


def writable(tree, path):
    """(instance, row or None) that a Write to a path addresses; raises NotFound, Unauthorized, MethodNotAllowed."""
    if len(path) == 1:
        tree.instances(path[0])
        raise MethodNotAllowed()
    if len(path) == 2:
        return tree.instance(path), None
    obj, row = tree.resource(path)
    if "W" not in row[1]:
        raise MethodNotAllowed()
    if len(path) == 4 and ("*" not in row[1] or path[3] not in (obj.value_of(row) or ())):
        raise NotFound()
    return obj, row


def _write(client, asked, payload, replace):
    tree, path = client.tree, asked.path
    obj, _ = writable(tree, path)
    if not payload and len(path) == 2:
        raise BadRequest("nothing to write")
    format = _payload_format(asked.content_format, _TEXT if len(path) > 2 else None)
    changes = _changes(tree, obj, path, format, format.decode(path, payload), replace, False)
    if replace and len(path) == 2:
        changes += _left_out(obj, changes)
    apply(obj, changes)
    return _CHANGED


def _payload_format(content_format, default):
    if content_format is None:
        content_format = default
    format = None if content_format is None else formats.get(content_format)
    if format is None:
        raise UnsupportedContentFormat()
    return format


def _changes(tree, obj, path, format, decoded, replace, creating):
    """Check everything that a payload writes to one instance; returns [(attribute, value)]."""
    changes = []
    for _, rid, raw in decoded:
        row = None if rid is None else obj.row(rid)
        if row is None:
            continue  # an unknown optional resource inside an instance is ignored
        if "W" not in row[1]:
            if creating:
                continue
            raise MethodNotAllowed()
        changes.append((row[3], _new_value(tree, obj, row, path, format, raw, replace)))
    return changes


def _new_value(tree, obj, row, path, format, raw, replace):
    if "*" not in row[1]:
        if isinstance(raw, dict):
            raise BadRequest(row[3] + " is not multiple")
        return _one_value(tree, row, format, raw)
    if not isinstance(raw, dict):
        raise BadRequest(row[3] + " is multiple")
    values = {riid: _one_value(tree, row, format, raw[riid]) for riid in raw}
    if replace and len(path) < 4:
        return values
    merged = dict(obj.value_of(row) or {})
    merged.update(values)
    return merged


def _one_value(tree, row, format, raw):
    value = format.value(raw, row[2])
    if row[2] == "float" and value - value != 0:
        raise BadRequest("not finite")
    check_range(row, value)
    if row[2] == "link" and not _is_target(tree, value):
        raise BadRequest("link to nothing")
    return value


def _is_target(tree, link):
    """OMA Core 1.1: a written Objlnk is null, or names an object, or an instance that exists."""
    oid, iid = link
    if oid == paths.MAX_ID:
        return iid == paths.MAX_ID
    return oid in tree.objects and (iid == paths.MAX_ID or iid in tree.objects[oid])


def _left_out(obj, changes):
    """What a replacing Write does to resources that its payload leaves out: optional ones go back to their default."""
    written = [name for name, _ in changes]
    reset = []
    for row in obj.rows():
        if "W" in row[1] and row[3] not in written:
            if "!" in row[1]:
                raise BadRequest(row[3] + " is mandatory")
            if not callable(getattr(obj, row[3], None)):
                reset.append((row[3], default(obj, row[3])))
    return reset


# -- Execute, Create, Delete --------------------------------------------------------------------------------------


def _execute(client, registration, token, asked, payload, now):
    obj, row = client.tree.resource(asked.path)
    if len(asked.path) != 3 or "E" not in row[1]:
        raise MethodNotAllowed()
    if asked.content_format not in (None, _TEXT):
        raise UnsupportedContentFormat()
    return client.executed(registration, token, getattr(obj, row[3])(arguments(payload)), now)


def arguments(payload):
    """Execute arguments such as b"0='on',2" -> {0: "on", 2: None} (OMA Core 1.1 section 6.3.5); raises BadRequest."""
    try:
        text = bytes(payload).decode()
    except UnicodeError:
        raise BadRequest("arguments are no text")
    found = {}
    while text:
        if not "0" <= text[0] <= "9" or int(text[0]) in found:
            raise BadRequest("bad arguments")
        number, value, rest = int(text[0]), None, text[1:]
        if rest[:2] == "='":
            value, quote, rest = rest[2:].partition("'")
            if not quote:
                raise BadRequest("bad arguments")
        if rest and (rest[0] != "," or len(rest) == 1):
            raise BadRequest("bad arguments")
        found[number] = value
        text = rest[1:]
    return found


def _create(client, asked, payload):
    tree = client.tree
    oid = asked.path[0]
    tree.instances(oid)
    make = tree.creators.get(oid)
    if make is None:
        raise MethodNotAllowed()
    format = _payload_format(asked.content_format, _TLV)
    made = []
    for iid, decoded in _by_instance(format.decode(asked.path, payload)):
        made.append((iid, _new_instance(tree, make, asked.path, format, decoded)))
    client.create(made)
    if len(made) == 1:
        return 0x41, ((8, str(oid).encode()), (8, str(made[0][1].iid).encode())), b""
    return 0x41, (), b""


def _by_instance(decoded):
    """Group what a Create carries: [(instance id or None, its records)]; without payload one instance of defaults."""
    groups = []
    for record in decoded:
        if not groups or groups[-1][0] != record[0]:
            groups.append((record[0], []))
        groups[-1][1].append(record)
    return groups or [(None, [])]


def _new_instance(tree, make, path, format, decoded):
    obj = make()
    changes = _changes(tree, obj, path, format, decoded, True, True)
    apply(obj, changes)
    for row in obj.rows():
        if row[1].startswith("RW") and "!" in row[1] and getattr(obj, row[3], None) is None:
            raise BadRequest(row[3] + " is mandatory")
    return obj


def _delete(client, asked, now):
    if len(asked.path) != 2:
        client.tree.instances(asked.path[0])
        raise MethodNotAllowed()
    obj = client.tree.instance(asked.path)
    if obj.OID not in client.tree.creators:
        raise MethodNotAllowed()
    client.remove(obj, now)
    return 0x42, (), b""
