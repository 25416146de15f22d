"""Interface 3, instances that come and go: Create and Delete (OMA Core 1.1 sections 6.3.6 and 6.3.7).

Imported by the first such request. The order of checks is that of lwm2m.management.
"""

from coap.errors import BadRequest, MethodNotAllowed, ServiceUnavailable, Unauthorized
from compat import const
from lwm2m import path as paths
from lwm2m.bootstrap_stage import Stage
from lwm2m.change import apply
from lwm2m.config import ConfigError
from lwm2m.writing import SKIP, payload_format, read_changes

_POST = const(2)
_DELETE = const(4)
_TLV = const(11542)
_RIGHT = const(8)  # to Delete (OMA Core 1.1 section 7.3.1)
_SERVER = const(1)
_OSCORE = const(21)
_ACCESS_CONTROL = const(2)


def respond(client, registration, message, asked, payload, now):
    """Carry out one request; returns and raises what management.respond does."""
    if message.code == _POST:
        return _create(client, registration, asked, payload)
    if message.code == _DELETE:
        return _delete(client, registration, asked, now)
    raise MethodNotAllowed()


def _create(client, registration, asked, payload):
    tree = client.tree
    oid = asked.path[0]
    tree.instances(oid)
    if client.access and not client.access.may_create(registration, oid):
        raise Unauthorized()
    make = tree.creators.get(oid)
    if make is None:
        raise MethodNotAllowed()
    format = payload_format(asked.content_format, _TLV)
    made = []
    for iid, decoded in by_instance(format.decode(asked.path, payload)):
        made.append((iid, _new_instance(tree, make, asked.path, format, decoded)))
    stage = Stage(client)
    stage.keep(oid)
    stage.keep(_ACCESS_CONTROL)
    try:
        _add(client, made)
        if client.access:
            for _, obj in made:
                client.access.created(registration, obj)
        _store(client)
    except Exception:
        stage.roll_back()
        raise
    _list_anew(make)
    if len(made) == 1:
        return 0x41, tuple([(8, segment) for segment in _location(oid, made[0][1].iid)]), b""
    return 0x41, (), b""


def _location(oid, iid):
    """The segments of a Location-Path; of an end device's object (see lwm2m.gateway) with its prefix."""
    name = b"%d" % oid
    if paths.prefixes and oid > paths.MAX_ID:
        name = paths.prefixes.name(oid)
    return name.split(b"/") + [b"%d" % iid]


def _list_anew(made):
    """The object list of an end device, if this is of one, is another now."""
    entry = getattr(made, "gateway_entry", None)
    if entry:
        entry.changed("objects")


def _add(client, made):
    """Add what a Create made, [(instance id or None, instance)]; raises CoapError."""
    tree = client.tree
    there = sum([len(tree.objects[oid]) for oid in tree.creators])
    if there + len(made) > client.config.INSTANCES:
        raise ServiceUnavailable("no room for another instance")
    try:
        for iid, obj in made:
            client.add(obj, iid)
    except ConfigError as error:
        raise BadRequest(str(error))


def _store(client):
    """Let what has changed be stored, if it is of that kind; raises ServiceUnavailable, and then it must not stay."""
    if client.accounts:
        client.accounts.flush()


def by_instance(decoded):
    """Group what a payload carries: [(instance id or None, its records)]; without payload one instance of defaults."""
    groups = []
    for record in decoded:
        if not groups or groups[-1][0] != record[0]:
            groups.append((record[0], []))
        groups[-1][1].append(record)
    return groups or [(None, [])]


def _new_instance(tree, make, path, format, decoded):
    obj = make()
    apply(obj, read_changes(tree, obj, path, format, decoded, True, SKIP))
    for row in obj.rows():
        if row[1].startswith("RW") and "!" in row[1] and getattr(obj, row[3], None) is None:
            raise BadRequest(row[3] + " is mandatory")
    return obj


def _delete(client, registration, asked, now):
    if len(asked.path) != 2:
        client.tree.instances(asked.path[0])
        raise MethodNotAllowed()
    obj = client.tree.instance(asked.path)
    client.permit(registration, obj, _RIGHT)
    if obj.OID == _SERVER:
        remove_account(client, obj, now)
        return 0x42, (), b""
    if obj.OID not in client.tree.creators:
        raise MethodNotAllowed()
    gone = [obj]
    _drop(client, gone, None)
    _list_anew(obj)
    for one in gone:
        forget(client, one, now)
    return 0x42, (), b""


def remove_account(client, account, now):
    """The end of a server's account: its object instances, rights, attributes and observations go, and it gets a
    De-register once the response to what it may just have asked is out. Raises ServiceUnavailable: then all stays."""
    gone = [account]
    for security in client.tree.objects.get(0, {}).values():
        if security.ssid == account.ssid and not security.bootstrap:
            gone.append(security)
            keys = client.tree.objects.get(_OSCORE, {}).get(security.oscore and security.oscore[1])
            if keys:
                gone.append(keys)
    _drop(client, gone, account.ssid)
    registration = account.registration
    if registration:  # else it is half an account, without Security instance
        client.registrations.remove(registration)
        account.registration = None
        registration.attributes.clear()
        if registration.reporting:
            registration.reporting.clear()
    for obj in gone:
        forget(client, obj, now)
    if client.access:
        client.access.changed()  # a server that is left alone may do everything


def _drop(client, gone, ssid):
    """Take instances away, and with them the rights on them, and those of the server whose account it is; what goes as
    well is added to `gone`. All of it happens, or if it cannot be stored, nothing."""
    stage, objects = Stage(client), client.tree.objects
    is_closed = _ACCESS_CONTROL in objects
    try:
        if client.access:
            client.access.heirs(gone, ssid, stage)
        for obj in gone:
            stage.drop(obj)
        if is_closed:
            objects.setdefault(_ACCESS_CONTROL, {})  # even without instances
        _store(client)
    except Exception:
        stage.roll_back()
        raise


def forget(client, obj, now):
    """An instance that was dropped does not come back: its attributes go, and its observations end with 4.04."""
    for registration in client.registrations:
        for path in list(registration.attributes):
            if path[:2] == (obj.OID, obj.iid):
                del registration.attributes[path]
        if registration.reporting:
            registration.reporting.instance_removed(obj, now)
