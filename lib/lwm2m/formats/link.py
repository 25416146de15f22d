"""application/link-format (40, RFC 6690): the object list of a Register. For Discover see lwm2m.discover."""

from lwm2m import formats

CT = 40
# Versions that the enabler version implies (OMA Core 1.1): of these objects `ver` need not be told.
_IMPLIED = {"1.0": {}, "1.1": {0: "1.1", 1: "1.1"}, "1.2": {0: "1.1", 1: "1.1"}}


def registration(tree, version):
    """The object list (OMA Core 1.1 section 6.2.1): never /0 and /21; `ver` where it is not implied."""
    links = []
    if version != "1.0":
        links.append('</>;rt="oma.lwm2m";ct=' + _content_formats())
    for oid in sorted(tree.objects):
        if oid in (0, 21):
            continue
        instances = tree.objects[oid]
        ver = ver_of(oid, instances, tree.creators.get(oid), version)
        if ver or not instances:
            links.append("</%d>%s" % (oid, ver))
        for iid in sorted(instances):
            links.append("</%d/%d>" % (oid, iid))
    return ",".join(links)


def _content_formats():
    """The formats beyond text, opaque and link-format, which every client has, and the JSON of 1.0."""
    numbers = [str(ct) for ct in formats.SUPPORTED if ct not in (0, CT, 42, 11543)]
    return numbers[0] if len(numbers) == 1 else '"%s"' % " ".join(numbers)


def ver_of(oid, instances, make, version):
    """ ";ver=1.1" if an object's version must be told to a server of this enabler version, else ""."""
    example = instances[min(instances)] if instances else make
    ver = getattr(example, "VERSION", "1.0")
    return "" if ver == _IMPLIED[version].get(oid, "1.0") else ";ver=" + ver
