"""Write-Attributes (OMA Core 1.1 section 6.3.4), and the same as parameters of an Observe (LwM2M 1.2). Imported by the
first one. What attributes do is in lwm2m.attributes."""

from coap.errors import BadRequest, NotFound, ServiceUnavailable
from compat import const
from lwm2m.attributes import NUMERIC
from lwm2m.formats import text as plain

_READ = const(1)
_PERIODS = const(("pmin", "pmax", "epmin", "epmax"))
_THRESHOLDS = const(("gt", "lt", "st"))


def write(client, registration, path, queries):
    """Set what the queries say at a path for one server, all of it or nothing; raises BadRequest, NotFound,
    Unauthorized, ServiceUnavailable."""
    tree, type = client.tree, None
    if len(path) == 1:
        tree.instances(path[0])
    else:
        client.permit(registration, tree.instance(path), _READ)
    if len(path) > 2:
        obj, row = tree.resource(path)
        if len(path) == 4 and ("*" not in row[1] or path[3] not in (obj.value_of(row) or ())):
            raise NotFound()
        type = row[2]
    store = registration.attributes
    merged = dict(store.get(path, {}))
    for name, value in parse(queries, type, registration.version).items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
    _check(merged)
    if not merged:
        store.pop(path, None)
    elif path in store or len(store) < client.config.ATTRIBUTES:
        store[path] = merged
    else:
        raise ServiceUnavailable("no room for attributes of another path")
    if registration.reporting:
        registration.reporting.attributes_changed()
    client.wake()


def parse(queries, type, version):
    """Uri-Query options -> {name: value, or None to remove it}; raises BadRequest. type is that of the resource, None
    above one. LwM2M 1.2 has edge and con, 0 or 1, and hqmax, how many notifications are stored of one observation."""
    parsed = {}
    for query in queries:
        name, _, text = query.partition("=")
        if name in parsed:
            raise BadRequest(name + " comes twice")
        if name in _PERIODS or (name == "hqmax" and version == "1.2"):
            read = _count
        elif name in _THRESHOLDS and type in NUMERIC:
            read = _threshold
        elif (name == "con" or (name == "edge" and type == "bool")) and version == "1.2":
            read = _bit
        else:
            raise BadRequest("no attribute here: " + name)
        parsed[name] = read(name, text) if text else None
    return parsed


def _count(name, text):
    if not text.encode().isdigit():
        raise BadRequest("not a value of %s: %s" % (name, text))
    return int(text)


def _bit(name, text):
    if text not in ("0", "1"):
        raise BadRequest(name + " is 0 or 1")
    return int(text)


def _threshold(name, text):
    value: float = plain.value(text.encode(), "float")  # pyright: ignore[reportAssignmentType] - by its type
    if name == "st" and value < 0:
        raise BadRequest("st must not be negative")
    return value


def _check(merged):
    """BadRequest for what contradicts itself (OMA Core 1.1 section 5.1.2): lt < gt, lt + 2 st < gt, epmin < epmax."""
    low, high = merged.get("lt"), merged.get("gt")
    if low is not None and high is not None and not (low < high and low + 2 * merged.get("st", 0) < high):
        raise BadRequest("lt + 2 st must be below gt")
    if merged.get("epmin", 0) >= merged.get("epmax", 1 << 30):
        raise BadRequest("epmin must be below epmax")


def parameters(registration, asked):
    """The store for Observation.own: what the queries of an Observe say in place of attributes (OMA Core 1.2 section
    5.1.2); raises BadRequest. For an Observe-Composite they are periods and con."""
    if registration.version != "1.2":
        raise BadRequest("an Observe with attributes needs LwM2M 1.2")
    parsed = parse(asked.queries, asked.row and asked.row[2], "1.2")
    if None in parsed.values() or (not asked.path and "hqmax" in parsed):
        raise BadRequest("not a parameter of this Observe")
    _check(parsed)
    return {asked.path: parsed}
