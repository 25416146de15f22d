"""Object definitions as the OMA registry publishes them: XML after LWM2M.xsd. The file may be anybody's: what could
make a parser read other files, or grow without bound, is refused before anything is built."""

from xml.etree import ElementTree
from xml.parsers import expat

from tools.lab.definitions import Object, Resource

MAX_BYTES = 1 << 20
MAX_DEPTH = 16
MAX_ID = 65535  # reserved: never the id of anything

OPERATIONS = ("", "R", "W", "RW", "E")
TYPES = ("String", "Integer", "Unsigned Integer", "Float", "Boolean", "Opaque", "Time", "Objlnk", "Corelnk")


class SkeletonError(Exception):
    """What is wrong with the caller's wish or with a definition, in one sentence."""


def read(path):
    """The Object that an XML file defines; raises SkeletonError, and OSError if it cannot be read."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise SkeletonError(f"{path} is longer than any definition, {MAX_BYTES} bytes")
    try:
        return parse(data)
    except SkeletonError as error:
        raise SkeletonError(f"{path}: {error}") from None


def parse(data):
    """The Object that XML in bytes defines; raises SkeletonError."""
    try:
        _check(data)
        root = ElementTree.fromstring(data)
    except (expat.ExpatError, ElementTree.ParseError, ValueError, LookupError) as error:
        raise SkeletonError(f"this is no XML: {error}") from None
    found = root.findall("Object") if root.tag == "LWM2M" else []
    if len(found) != 1:
        raise SkeletonError(f"this is no definition of one LwM2M object: {len(found)} of LWM2M/Object")
    return _object(found[0])


def _check(data):
    """Look through XML without building anything; raises SkeletonError for a document type, with which entities come,
    and for elements within elements within elements."""
    depth = 0

    def refuse(*_):
        raise SkeletonError("a definition has no document type and no entities")

    def start(*_):
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise SkeletonError(f"elements lie deeper than {MAX_DEPTH} in each other")

    def end(_):
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.Parse(data, True)


def _object(element):
    resources = [_resource(item) for item in element.findall("Resources/Item")]
    if not resources:
        raise SkeletonError("the object has no resources")
    ids = [resource.id for resource in resources]
    twice = [rid for rid in ids if ids.count(rid) > 1]
    if twice:
        raise SkeletonError(f"resource {twice[0]} is there twice")
    return Object(
        id=_number(_text(element, "ObjectID"), "ObjectID"),
        name=_text(element, "Name"),
        version=_version(_text(element, "ObjectVersion") or "1.0"),
        multiple=_choice(element, "MultipleInstances", "Single", "Multiple"),
        mandatory=_choice(element, "Mandatory", "Optional", "Mandatory"),
        resources={resource.id: resource for resource in resources},
    )


def _resource(item):
    rid = _number(item.get("ID"), "ID of an Item")
    operations, type = _text(item, "Operations"), _text(item, "Type")
    if operations not in OPERATIONS:
        raise SkeletonError(f"resource {rid}: Operations are {operations!r}, and not one of R, W, RW, E")
    if type not in TYPES and operations != "E":
        raise SkeletonError(f"resource {rid}: Type is {type!r}, and not one of {', '.join(TYPES)}")
    return Resource(
        id=rid,
        name=_text(item, "Name"),
        operations=operations,
        multiple=_choice(item, "MultipleInstances", "Single", "Multiple"),
        mandatory=_choice(item, "Mandatory", "Optional", "Mandatory"),
        type="" if operations == "E" else type,
        range=_text(item, "RangeEnumeration"),
        units=_text(item, "Units"),
    )


def _text(element, tag):
    return " ".join((element.findtext(tag) or "").split())


def _number(text, what):
    if not (text and text.isascii() and text.isdigit() and len(text) <= 5 and int(text) < MAX_ID):
        raise SkeletonError(f"{what} is {text!r}, and no number below {MAX_ID}")
    return int(text)


def _version(text):
    major, dot, minor = text.partition(".")
    if not (dot and text.isascii() and major.isdigit() and minor.isdigit() and len(text) < 10):
        raise SkeletonError(f"ObjectVersion is {text!r}, and not like 1.0")
    return text


def _choice(element, tag, no, yes):
    text = _text(element, tag)
    if text not in (no, yes):
        raise SkeletonError(f"{tag} is {text!r}, and neither {no} nor {yes}")
    return text == yes
