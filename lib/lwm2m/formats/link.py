"""application/link-format (40, RFC 6690): the object list of a Register. For Discover see lwm2m.discover."""

from lwm2m import formats
from lwm2m.path import CLOSED, MAX_ID

CT = 40
# Versions that the enabler version implies (OMA Core 1.1): of these objects `ver` need not be told.
_IMPLIED = {"1.0": {}, "1.1": {0: "1.1", 1: "1.1"}, "1.2": {0: "1.1", 1: "1.1"}}


def registration(tree, version):
    """The object list (OMA Core 1.1 section 6.2.1): never the closed ones; `ver` where it is not implied."""
    found = links(tree, [oid for oid in tree.objects if oid not in CLOSED and oid < MAX_ID], version)
    if version != "1.0":
        found.insert(0, '</>;rt="oma.lwm2m";ct=' + _content_formats())
    return ",".join(found)


def links(tree, objects, version):
    """The links of some objects and all their instances, as a list. Those of end devices have their own ids here."""
    found = []
    for oid in sorted(objects):
        instances = tree.objects[oid]
        ver = ver_of(oid, instances, tree.creators.get(oid), version)
        if ver or not instances:
            found.append("</%d>%s" % (oid & MAX_ID, ver))
        for iid in sorted(instances):
            found.append("</%d/%d>" % (oid & MAX_ID, iid))
    return found


def _content_formats():
    """The formats beyond text, opaque and link-format, which every client has, and the JSON of 1.0."""
    numbers = [str(ct) for ct in formats.SUPPORTED if ct not in (0, CT, 42, 11543)]
    return numbers[0] if len(numbers) == 1 else '"%s"' % " ".join(numbers)


def ver_of(oid, instances, make, version):
    """ ";ver=1.1" if an object's version must be told to a server of this enabler version, else ""."""
    example = instances[min(instances)] if instances else make
    ver = getattr(example, "VERSION", "1.0")
    return "" if ver == _IMPLIED[version].get(oid, "1.0") else ";ver=" + ver
