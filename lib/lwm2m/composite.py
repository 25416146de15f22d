"""Composite operations (OMA Core 1.1 sections 6.3.8, 6.3.9, 6.4.4), of the root and in SenML: Read and Observe are a
FETCH, Write is an iPATCH. Imported by the first one; what observes is in lwm2m.composite_observation.

A read is best effort: what is not there, has no value or may not be read is left out. A write is all or nothing.
"""

from binascii import crc32

from coap.errors import BadOption, BadRequest, CoapError, MethodNotAllowed, NotAcceptable, UnsupportedContentFormat
from compat import const
from lwm2m import formats
from lwm2m.path import MAX_ID

_FETCH = const(5)
_FORMATS = const((110, 112))


def respond(client, registration, message, asked, payload, now):
    """Carry out one composite operation; returns and raises what management.respond does."""
    if asked.path:
        raise MethodNotAllowed("only the root")
    format = _format(asked.content_format, UnsupportedContentFormat)
    records = format.decode_many(payload)
    if message.code != _FETCH or not client.gateway:
        for path, _ in records:
            if path and path[0] < 0:  # an end device that is not known; a read leaves it out
                raise BadRequest("bad id in path")
    if message.code != _FETCH:
        return _write(client, registration, format, records)
    paths = path_list(records)
    if asked.accept is not None:
        format = _format(asked.accept, NotAcceptable)
    if asked.observe is None:
        return _content(client, registration, format, paths)
    return _observe(client, registration, message, asked, format, paths, payload, now)


def _format(number, error):
    format = formats.get(number) if number in _FORMATS else None
    if format is None:
        raise error()
    return format


# -- Read-Composite -----------------------------------------------------------------------------------------------


def path_list(records):
    """The paths in a decoded list, ascending, without those that others contain; raises BadRequest."""
    paths = []
    for path, raw in records:
        if raw is not None:
            raise BadRequest("a path has no value")
        paths.append(path)
    if not paths:
        raise BadRequest("no paths")
    paths.sort()
    kept = []
    for path in paths:
        if not kept or path[: len(kept[-1])] != kept[-1]:  # whatever a path contains comes right after it
            kept.append(path)
    return tuple(kept)


def items(client, registration, paths, time_s=None):
    """What a server may read under paths, as formats encode_many it; time_s is the time that is told with each."""
    for path in paths:
        for oid in (path[0],) if path else sorted([oid for oid in client.tree.objects if oid < MAX_ID]):
            for found in _records(client, registration, path or (oid,)):
                if found[1] is not None:
                    yield (oid,) + found[:2], found[2], found[3], time_s


def _records(client, registration, path):
    """The records under a path of at least one id, see Tree.walk; none if it cannot be read."""
    try:
        if len(path) < 3:
            return client.records(registration, path)
        obj, row = client.tree.resource(path)
        client.permit(registration, obj, 1)
        return (client.tree.record(obj, row, path),)
    except (CoapError, OSError):
        return ()


def _content(client, registration, format, paths):
    payload = format.encode_many(items(client, registration, paths))
    return 0x45, ((12, format.CT),), payload


# -- Observe-Composite and Cancel Observation-Composite -------------------------------------------------------------


def _observe(client, registration, message, asked, format, paths, payload, now):
    if asked.observe > 1:
        raise BadOption("Observe must be 0 or 1")
    own = None
    if asked.queries:
        from lwm2m import write_attributes

        own = write_attributes.parameters(registration, asked)[()]
    if asked.observe == 1 or len(paths) > client.config.MEMBERS:
        if registration.reporting:
            registration.reporting.cancel(message.token)
        return _content(client, registration, format, paths)
    from lwm2m.composite_observation import CompositeObservation

    reporting = client.make_reporting(registration)
    key = (_FETCH, (), tuple(asked.queries), crc32(payload))
    observation = CompositeObservation(message.token, paths, format, own, key)
    if asked.block2 is not None:
        observation.szx = asked.block2 & 7
    payload, value = observation.render(registration)
    sequence = reporting.observe(observation, value, now)
    content = ((12, format.CT),)
    return 0x45, content if sequence is None else ((6, sequence),) + content, payload


# -- Write-Composite ----------------------------------------------------------------------------------------------


def _write(client, registration, format, records):
    """Check every target, then every value, then write; instances of multiple resources are added or replaced."""
    from lwm2m import writing
    from lwm2m.change import apply_all

    wanted = _by_resource(records)
    targets = [writing.writable(client, registration, path) for path, _ in wanted]
    changes = []
    for number, (path, raw) in enumerate(wanted):
        obj = targets[number][0]
        for name, value in writing.read_changes(client.tree, obj, path, format, ((path[1], path[2], raw),), False, 0):
            changes.append((obj, name, value))
    last = [one for one in changes if one[1] in getattr(one[0], "LAST", ())]  # what cannot be taken back
    apply_all([one for one in changes if one not in last] + last)
    return writing.CHANGED


def _by_resource(records):
    """[(path of a resource, raw, or {riid: raw} where instances of it are written)]; raises BadRequest."""
    wanted = []
    several = {}
    for path, raw in records:
        above = path[:3]
        if raw is None or len(path) < 3:
            raise BadRequest("only resources have values")
        if len(path) == 3:
            wanted.append((path, raw))
        elif above in several:
            several[above][path[3]] = raw
        else:
            several[above] = {path[3]: raw}
            wanted.append((above, several[above]))
    if not wanted:
        raise BadRequest("nothing to write")
    return wanted
