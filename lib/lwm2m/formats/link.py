"""application/link-format (40, RFC 6690): the object list of a Register, and the answer to a Discover."""

from lwm2m import attributes, formats

CT = 40
# Versions that the enabler version implies (OMA Core 1.1): of these objects `ver` need not be told.
_IMPLIED = {"1.0": {}, "1.1": {0: "1.1", 1: "1.1"}}


def registration(tree, version):
    """The object list (OMA Core 1.1 section 6.2.1): never /0 and /21; `ver` where it is not implied."""
    links = []
    if version != "1.0":
        links.append('</>;rt="oma.lwm2m";ct=' + _content_formats())
    for oid in sorted(tree.objects):
        if oid in (0, 21):
            continue
        instances = tree.objects[oid]
        ver = _ver(oid, instances, tree.creators.get(oid), version)
        if ver or not instances:
            links.append("</%d>%s" % (oid, ver))
        for iid in sorted(instances):
            links.append("</%d/%d>" % (oid, iid))
    return ",".join(links)


def _content_formats():
    """The formats beyond text, opaque and link-format, which every client has."""
    numbers = [str(ct) for ct in formats.SUPPORTED if ct not in (0, CT, 42)]
    return numbers[0] if len(numbers) == 1 else '"%s"' % " ".join(numbers)


def _ver(oid, instances, make, version):
    example = instances[min(instances)] if instances else make
    ver = getattr(example, "VERSION", "1.0")
    return "" if ver == _IMPLIED[version].get(oid, "1.0") else ";ver=" + ver


def discover(tree, path, store, version="1.1"):
    """What is under a path, with the attributes that the asking server has set (OMA Core 1.1 section 6.3.2)."""
    links = []
    if len(path) > 2:
        _discover_resource(tree, path, store, links)
        return ",".join(links)
    if len(path) == 1:
        instances = tree.instances(path[0])
        ver = _ver(path[0], tree.objects[path[0]], tree.creators.get(path[0]), version)
        links.append("</%d>%s%s" % (path[0], ver, attributes.text(store.get(path, {}))))
    else:
        instances = (tree.instance(path),)
    for obj in instances:
        base = (obj.OID, obj.iid)
        found = store.get(base, {}) if len(path) == 1 else _inherited(store, base)
        links.append("</%d/%d>%s" % (base + (attributes.text(found),)))
        for row in obj.rows():
            if obj.has(row):
                own = store.get(base + (int(row[0]),), {})
                links.append("</%d/%d/%s>%s%s" % (base + (row[0], _dim(obj, row), attributes.text(own))))
    return ",".join(links)


def _discover_resource(tree, path, store, links):
    obj, row = tree.resource(path)
    links.append("</%d/%d/%d>%s%s" % (path[:3] + (_dim(obj, row), attributes.text(_inherited(store, path[:3])))))
    if "*" in row[1]:
        for riid in sorted(obj.value_of(row)):
            own = store.get(path[:3] + (riid,), {})
            links.append("</%d/%d/%d/%d>%s" % (path[:3] + (riid, attributes.text(own))))


def _dim(obj, row):
    return ";dim=%d" % len(obj.value_of(row)) if "*" in row[1] else ""


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
