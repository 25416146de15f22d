"""Interface 3, the part that changes something: Write; for the others see write_attributes, executing and creating.

Imported by the first such request. The order of checks is that of lwm2m.management.
"""

from coap.errors import BadRequest, MethodNotAllowed, NotFound, ServiceUnavailable, UnsupportedContentFormat
from compat import const
from lwm2m import formats
from lwm2m.change import apply, check_range, default

_POST = const(2)
_PUT = const(3)
_TEXT = const(0)
CHANGED = (0x44, (), b"")
_WRITE = const(2)  # the right (OMA Core 1.1 section 7.3.1)
REFUSE, SKIP, ALLOW = 0, 1, 2  # what becomes of resources that are not writable


def respond(client, registration, message, asked, payload, now):
    """Carry out one request; returns and raises what management.respond does."""
    code = message.code
    if code == _PUT:
        if asked.queries and not payload and asked.content_format is None:
            from lwm2m import write_attributes

            write_attributes.write(client, registration, asked.path, asked.queries)
            return CHANGED
        return _write(client, registration, asked, payload, True)
    if code == _POST and len(asked.path) > 1:
        if len(asked.path) == 2:
            return _write(client, registration, asked, payload, False)
        from lwm2m import executing

        return executing.respond(client, registration, message, asked, payload, now)
    from lwm2m import creating

    return creating.respond(client, registration, message, asked, payload, now)


# -- Write --------------------------------------------------------------------------------------------------------


def writable(client, registration, path):
    """(instance, row or None) that a Write to a path addresses; raises NotFound, Unauthorized, MethodNotAllowed."""
    tree = client.tree
    if len(path) == 1:
        tree.instances(path[0])
        raise MethodNotAllowed()
    obj = tree.instance(path)
    client.permit(registration, obj, _WRITE)
    if len(path) == 2:
        return obj, None
    obj, row = tree.resource(path)
    if "W" not in row[1]:
        raise MethodNotAllowed()
    if len(path) == 4 and ("*" not in row[1] or path[3] not in (obj.value_of(row) or ())):
        raise NotFound()
    return obj, row


def _write(client, registration, asked, payload, replace):
    tree, path = client.tree, asked.path
    obj, _ = writable(client, registration, path)
    if not payload and len(path) == 2:
        raise BadRequest("nothing to write")
    format = payload_format(asked.content_format, _TEXT if len(path) > 2 else None)
    changes = read_changes(tree, obj, path, format, format.decode(path, payload), replace, REFUSE)
    if replace and len(path) == 2:
        changes += left_out(obj, changes)
    apply(obj, changes)
    return CHANGED


def payload_format(content_format, default):
    """The format of a payload without Content-Format option is `default`; raises UnsupportedContentFormat."""
    if content_format is None:
        content_format = default
    format = None if content_format is None else formats.get(content_format)
    if format is None:
        raise UnsupportedContentFormat()
    return format


def read_changes(tree, obj, path, format, decoded, replace, others):
    """Check everything that a payload writes to one instance; returns [(attribute, value)].

    `others` says what becomes of resources that a server must not write: REFUSE (in a Write), SKIP (in a Create), or
    ALLOW (by a Bootstrap-Server, which may write all but executables). Raises CoapError.
    """
    changes = []
    for _, rid, raw in decoded:
        row = None if rid is None else obj.row(rid)
        if row is None:
            continue  # an unknown optional resource inside an instance is ignored
        if "W" not in row[1] and (others != ALLOW or "E" in row[1]):
            if others == REFUSE:
                raise MethodNotAllowed()
            continue
        value = _new_value(tree, obj, row, path, format, raw, replace)
        if others != ALLOW and isinstance(value, dict):
            if len(value) > max(tree.config.RESOURCE_INSTANCES, len(obj.value_of(row) or ())):
                raise ServiceUnavailable("no room")
        changes.append((row[3], value))
    return changes


def _new_value(tree, obj, row, path, format, raw, replace):
    if "*" not in row[1]:
        if isinstance(raw, dict):
            raise BadRequest(row[3] + " is not multiple")
        return _one_value(tree, path, row, format, raw)
    if not isinstance(raw, dict):
        raise BadRequest(row[3] + " is multiple")
    values = {riid: _one_value(tree, path, row, format, raw[riid]) for riid in raw}
    if replace and len(path) < 4:
        return values
    merged = dict(obj.value_of(row) or {})
    merged.update(values)
    return merged


def _one_value(tree, path, row, format, raw):
    value = format.value(raw, row[2])
    if row[2] == "float" and value - value != 0:
        raise BadRequest("not finite")
    check_range(row, value)
    if row[2] == "link":
        from lwm2m import objlnk

        objlnk.check(tree, path, value)
    return value


def left_out(obj, changes):
    """What a replacing Write does to resources that its payload leaves out: optional ones go back to their default."""
    written = [name for name, _ in changes]
    reset = []
    for row in obj.rows():
        if "W" in row[1] and row[3] not in written:
            if "!" in row[1]:
                raise BadRequest(row[3] + " is mandatory")
            if row[3] not in getattr(obj, "LAST", ()) and not callable(getattr(obj, row[3], None)):
                reset.append((row[3], default(obj, row[3])))
    return reset
