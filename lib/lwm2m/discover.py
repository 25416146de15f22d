"""The answer to a Discover (OMA Core 1.1 section 6.3.2); imported by the first one."""

from coap.errors import BadRequest, CoapError, MethodNotAllowed
from lwm2m.formats.link import ver_of
from lwm2m.path import MAX_ID


def discover(tree, path, registration, queries=()):
    """What is under a path, with the attributes that the asking server has set (OMA Core 1.1 section 6.3.2).

    How far below it, a server may say as ?depth=0 to 3 (OMA Core 1.2); others are answered as if they had not. Raises
    BadRequest, NotFound, Unauthorized.
    """
    depth = 2 if len(path) == 1 else 1
    if registration.version == "1.2":
        depth = _depth(queries, depth)
    store = registration.attributes
    links = []
    if len(path) > 3:
        tree.resource(path)
        raise MethodNotAllowed("no Discover of a resource instance")
    if len(path) > 2:
        _add_target(links, tree, path, registration, _dim(*tree.resource(path)))
        if depth:
            _add_resource_instances(links, tree.resource(path), path, store)
    elif len(path) == 2:
        _add_target(links, tree, path, registration)
        _add_resources(links, tree.instance(path), store, depth)
    else:
        instances = tree.instances(path[0])
        ver = ver_of(path[0], tree.objects[path[0]], tree.creators.get(path[0]), registration.version)
        _add_target(links, tree, path, registration, ver)
        for obj in instances if depth else ():
            links.append("</%d/%d>%s" % (obj.OID, obj.iid, _text(store.get((obj.OID, obj.iid), {}))))
            _add_resources(links, obj, store, depth - 1)
    text = ",".join(links)
    if path[0] > MAX_ID:  # of an end device: the prefix is not told
        text = text.replace("</%d" % path[0], "</%d" % (path[0] & MAX_ID))
    return text


def _depth(queries, default):
    for query in queries:
        name, _, text = query.partition("=")
        if name == "depth":
            if text not in ("0", "1", "2", "3"):
                raise BadRequest("depth is 0 to 3")
            return int(text)
    return default


def _add_target(links, tree, path, registration, more=""):
    if len(path) == 2:
        tree.instance(path)
    found = _inherited(registration, path)
    links.append("</%s>%s%s" % ("/".join([str(one) for one in path[:3]]), more, _text(found)))


def _add_resources(links, obj, store, depth):
    if not depth:
        return
    base = (obj.OID, obj.iid)
    for row in obj.rows():
        if obj.has(row):
            path = base + (int(row[0]),)
            links.append("</%d/%d/%d>%s%s" % (path + (_dim(obj, row), _text(store.get(path, {})))))
            if depth > 1:
                _add_resource_instances(links, (obj, row), path, store)


def _add_resource_instances(links, resource, path, store):
    obj, row = resource
    if "*" in row[1]:
        for riid in sorted(_riids(obj, row)):
            own = store.get(path[:3] + (riid,), {})
            links.append("</%d/%d/%d/%d>%s" % (path[:3] + (riid, _text(own))))


def _dim(obj, row):
    return ";dim=%d" % len(_riids(obj, row)) if "*" in row[1] else ""


def _riids(obj, row):
    """The ids of a multiple resource's instances; a sensor that fails must not hide its neighbours."""
    try:
        return obj.value_of(row) or ()
    except (CoapError, OSError):
        return ()


def _inherited(registration, path):
    """Attributes of the target of a Discover and the periods it inherits; in LwM2M 1.2 also the server's defaults."""
    found = {}
    account, store = registration.account, registration.attributes
    if registration.version == "1.2":
        for name, value in (("pmin", account.default_pmin), ("pmax", account.default_pmax)):
            if value:
                found[name] = value
    for length in range(1, len(path)):
        above = store.get(path[:length], {})
        for name in above:
            if name in ("pmin", "pmax", "epmin", "epmax"):
                found[name] = above[name]
    found.update(store.get(path, {}))
    return found


def _text(found):
    """Attributes as Discover shows them: ";pmin=5;gt=1.5"."""
    return "".join([";%s=%s" % (name, _plain(found[name])) for name in found])


def _plain(value):
    return str(int(value)) if value == int(value) else str(value)  # 6.0 -> "6"
