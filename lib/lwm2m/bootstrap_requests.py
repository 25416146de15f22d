"""The requests of a Bootstrap-Server: Discover, Read, Write and Delete (OMA Core 1.1 section 6.1.7).

Imported by the first one. Checks come in one order: path and operation (4.05, 4.04), formats (4.15, 4.06), payload
(4.00).
"""

from coap.block import Collector
from coap.errors import BadRequest, MethodNotAllowed, NotAcceptable, NotFound
from compat import const
from lwm2m import blocks, formats
from lwm2m.bootstrap_accounts import blank
from lwm2m.bootstrap_stage import current
from lwm2m.creating import by_instance
from lwm2m.formats.link import ver_of
from lwm2m.path import MAX_ID
from lwm2m.writing import ALLOW, payload_format, read_changes

_GET = const(1)
_PUT = const(3)
_DELETE = const(4)
_TEXT = const(0)
_LINK = const(40)
_TLV = const(11542)
_SIZE1 = const(60)
_DEVICE = const(3)
_GATEWAY = const(25)
_OSCORE = const(21)
_NO_LINK = (MAX_ID, MAX_ID)
_READABLE = const((1, 2))  # Server and Access Control
_KNOWN = const((0, 1, 2))  # objects that every client has, even without an instance


class Blocks(blocks.Blocks):
    """Block-wise transfer towards the Bootstrap-Server."""

    def _answer(self, message, asked, payload, now):
        return respond(self.client, self.registration, message, asked, payload, now)

    def _sink(self, message, asked):
        if message.code != _PUT:
            raise MethodNotAllowed()
        return Collector(self.config.MAX_BODY, message.options.uint(_SIZE1))


def respond(client, session, message, asked, payload, now):
    """Carry out one request; returns and raises what management.respond does."""
    code, path = message.code, asked.path
    if code == _GET:
        if asked.accept == _LINK:
            return _discover(client, session, path)
        return _read(client, path, asked.accept)
    if code == _PUT:
        return _write(client, session, asked, payload)
    if code == _DELETE:
        return _delete(client, session, path)
    raise MethodNotAllowed()


# -- Discover and Read ------------------------------------------------------------------------------------------------


def _discover(client, session, path):
    if len(path) > 1:
        raise MethodNotAllowed("Discover of / or of an object only")
    objects, version = client.tree.objects, client.version
    if path and path[0] not in _KNOWN and (path[0] not in objects or path[0] > MAX_ID):
        raise NotFound()
    links = ['lwm2m="1.0"' if version == "1.0" else "</>;lwm2m=" + version]
    for oid in path or sorted([oid for oid in objects if oid < MAX_ID]):
        instances = objects.get(oid, {})
        if instances or oid in client.tree.creators:
            ver = ver_of(oid, instances, client.tree.creators.get(oid), version)
            if ver or not instances:
                links.append("</%d>%s" % (oid, ver))
        for iid in sorted(instances):
            links.append("</%d/%d>%s" % (oid, iid, _parameters(client, instances[iid], version)))
    return 0x45, ((12, _LINK),), ",".join(links).encode()


def _parameters(client, obj, version):
    if obj.OID == _OSCORE and version not in ("1.0", "1.1"):
        for security in client.tree.objects[0].values():
            if security.oscore == (_OSCORE, obj.iid) and not security.bootstrap and security.ssid is not None:
                return ";ssid=%d" % security.ssid
    if obj.OID > 1 or obj.ssid is None or (obj.OID == 0 and obj.bootstrap):
        return ""
    text = ";ssid=%d" % obj.ssid
    if obj.OID == 0 and version != "1.0" and obj.uri:
        text += ';uri="%s"' % obj.uri.replace('"', "%22")
    return text


def _read(client, path, accept):
    if not 0 < len(path) < 3 or path[0] not in _READABLE:
        raise MethodNotAllowed("Read of /1 and /2 only")
    instances = client.tree.objects.get(path[0], {})
    if len(path) == 2 and path[1] not in instances:
        raise NotFound()
    format = formats.get(_TLV if accept is None else accept)
    if format is None:
        raise NotAcceptable()
    found = [instances[iid] for iid in sorted(instances) if path[1:] in ((), (iid,))]
    return 0x45, ((12, format.CT),), format.encode(path, client.tree.walk(found))


# -- Write ------------------------------------------------------------------------------------------------------------


def _write(client, session, asked, payload):
    path = asked.path
    if not 0 < len(path) < 4 or (asked.queries and not payload):
        raise MethodNotAllowed("Write to an object, an instance or a resource only")
    if len(path) > 1:
        obj = instance(client, path[0], path[1])[0]
        row = obj.row(path[2]) if len(path) > 2 else None
        if len(path) > 2 and row is None:
            raise NotFound()
        if row and not _may_write(obj, row):
            raise MethodNotAllowed()
    elif path[0] not in client.tree.objects:
        blank(client, path[0])  # NotFound if nothing is known of this object
    format = payload_format(asked.content_format, _TEXT if len(path) > 2 else None)
    if not payload and len(path) < 3:
        raise BadRequest("nothing to write")
    write(client, session, path, format, format.decode(path, payload))
    return 0x44, (), b""


def instance(client, oid, iid):
    """(instance, whether it was there) to write to; raises NotFound, or MethodNotAllowed if none can be made."""
    instances = client.tree.objects.get(oid, {})
    if iid in instances:
        return instances[iid], True
    try:
        return blank(client, oid), False
    except NotFound:
        if instances:
            raise MethodNotAllowed("there is no other instance")
        raise


def write(client, session, path, format, decoded):
    """Write the records of one object: check all of them, then make them true. Raises CoapError."""
    oid = path[0]
    if oid > MAX_ID:
        raise NotFound()  # what end devices have is theirs, see lwm2m.gateway
    plan = []
    for iid, records in by_instance(decoded):
        if iid is None:
            raise BadRequest("instance id is missing")
        obj, is_there = instance(client, oid, iid)
        changes = read_changes(client.tree, obj, (oid, iid) + path[2:], format, records, True, ALLOW)
        moves = obj is session.security and ("bootstrap", False) in changes
        if moves:
            obj, is_there = blank(client, oid), False
        rows = {row[3]: row for row in obj.rows()}
        changes = [change for change in changes if _may_write(obj, rows[change[0]])]
        if obj.OID == 0 and ("oscore", _NO_LINK) in changes:
            changes[changes.index(("oscore", _NO_LINK))] = "oscore", None
        rids = [rid for _, rid, _ in records if rid is not None and obj.row(rid)]
        plan.append((iid, obj, is_there, moves, changes, rids))
    stage = session.changes()
    done = []
    moved = None
    try:
        for iid, obj, is_there, moves, changes, _ in plan:
            if moves:  # it wants the id of its own account for another one; its own must stay
                moved = iid
                stage.move(session.security, client.tree.free_id(oid))
            old = [(name, current(obj, name)) for name, _ in changes]
            stage.write(obj, changes)
            if not is_there:
                stage.add(obj, iid)
            done.append((obj, is_there, old))
    except Exception:  # an object's own veto: all instances of this Write or none
        for obj, was_there, old in reversed(done):
            if not was_there:
                stage.drop(obj)
            for name, value in old if was_there else ():
                stage.put_back(obj, name, value)
        if moved is not None:
            stage.move(session.security, moved)
        raise
    for _, obj, _, _, _, rids in plan:
        stage.note(obj, rids)


def _may_write(obj, row):
    """Whether a Bootstrap-Server may: not to executables, nor to what the device itself finds out."""
    if "E" in row[1]:
        return False
    return hasattr(obj, "write_" + row[3]) or (hasattr(obj, row[3]) and not callable(getattr(obj, row[3])))


# -- Delete -----------------------------------------------------------------------------------------------------------


def _delete(client, session, path):
    objects = client.tree.objects
    if len(path) > 2:
        raise BadRequest("Delete of /, an object or an instance only")
    stage = session.changes()
    if len(path) == 2:
        obj = objects.get(path[0], {}).get(path[1])
        if obj is None:
            raise NotFound()
        if is_protected(session, obj):
            raise BadRequest("this one must stay")
        stage.drop(obj)
        return 0x42, (), b""
    for oid in path or list(objects):
        delete_all(client, session, oid)
    return 0x42, (), b""


def delete_all(client, session, oid):
    """Delete all instances of an object but those that must stay."""
    for obj in list(client.tree.objects.get(oid, {}).values()):
        if not is_protected(session, obj):
            session.changes().drop(obj)


def is_protected(session, obj):
    """Whether an instance must stay: the account of the Bootstrap-Server with its OSCORE context, the Device, and what
    there is of end devices."""
    security = session.security
    if obj.OID == _GATEWAY or obj.OID > MAX_ID:
        return True
    return obj is security or obj.OID == _DEVICE or (obj.OID == _OSCORE and security.oscore == (_OSCORE, obj.iid))
