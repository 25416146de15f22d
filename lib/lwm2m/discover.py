"""The answer to a Discover (OMA Core 1.1 section 6.3.2); imported by the first one."""

from lwm2m.formats.link import ver_of


def discover(tree, path, store, version="1.1"):
    """What is under a path, with the attributes that the asking server has set (OMA Core 1.1 section 6.3.2)."""
    links = []
    if len(path) > 2:
        _discover_resource(tree, path, store, links)
        return ",".join(links)
    if len(path) == 1:
        instances = tree.instances(path[0])
        ver = ver_of(path[0], tree.objects[path[0]], tree.creators.get(path[0]), version)
        links.append("</%d>%s%s" % (path[0], ver, _text(store.get(path, {}))))
    else:
        instances = (tree.instance(path),)
    for obj in instances:
        base = (obj.OID, obj.iid)
        found = store.get(base, {}) if len(path) == 1 else _inherited(store, base)
        links.append("</%d/%d>%s" % (base + (_text(found),)))
        for row in obj.rows():
            if obj.has(row):
                own = store.get(base + (int(row[0]),), {})
                links.append("</%d/%d/%s>%s%s" % (base + (row[0], _dim(obj, row), _text(own))))
    return ",".join(links)


def _discover_resource(tree, path, store, links):
    obj, row = tree.resource(path)
    links.append("</%d/%d/%d>%s%s" % (path[:3] + (_dim(obj, row), _text(_inherited(store, path[:3])))))
    if "*" in row[1]:
        for riid in sorted(obj.value_of(row) or ()):
            own = store.get(path[:3] + (riid,), {})
            links.append("</%d/%d/%d/%d>%s" % (path[:3] + (riid, _text(own))))


def _dim(obj, row):
    return ";dim=%d" % len(obj.value_of(row) or ()) if "*" in row[1] else ""


def _inherited(store, path):
    """Attributes of a path and, for the target of a Discover, the periods it inherits."""
    found = {}
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
