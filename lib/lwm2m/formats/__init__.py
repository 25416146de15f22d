"""Content-Formats (OMA LwM2M TRANS "Data Formats"): one module each, with the same four names.

    CT                      its number in the CoAP registry
    encode(path, records)   a payload, as bytes or a bytearray; records yields (iid, rid, type, value) once, in the
                            order of the tree, where value is {riid: value} for a multiple resource, and rid is None for
                            an instance with nothing to read. Raises NotAcceptable when the format cannot carry this
    decode(path, payload)   list of (iid, rid, raw) in the order of the payload, each instance's together; raw is what
                            value() takes, or {riid: raw} for a multiple resource; iid is None where a Create leaves the
                            id to the client, rid and raw are None for an instance without content. Raises FormatError
                            for bytes that break the format, BadRequest for content that does not belong to the path
    value(raw, type)        the Python value of one raw; raises BadRequest, with a sentence, if it does not fit the type

The formats for several paths, 110 and 112, have more:

    encode(path, records, time=None)   time of all the values, in s since 1970
    encode_many(items)      a payload of any resources; items yields (path, type, value, time), where path is that of a
                            resource (value may be {riid: value}) or of a resource instance, and time may be None
    decode_many(payload)    list of (path, raw) in the order of the payload; raw is None where there is no value, as in
                            a list of paths, and the path () is "/"

A path is a tuple of one to four ids. Types and their values: "str" and "corelnk" str, "int" "uint" "time" int (time in
seconds since 1970), "float" float, "bool" bool, "opaque" bytes, "link" a tuple (oid, iid). A raw may be a view of the
payload: it is good only as long as the payload is. To add a format, add its file and its row below.
"""

from coap.errors import BadRequest, NotAcceptable, UnsupportedContentFormat
from compat import const

_NAMES = const("0 text 42 opaque 60 cbor 110 senml_json 112 senml_cbor 11542 tlv 11543 lwm2m_json")

SUPPORTED = tuple([int(word) for word in _NAMES.split()[::2]])
loaded = {}  # Content-Format -> its module


def get(ct):
    """The module for a Content-Format number, imported on first use; None if there is none."""
    module = loaded.get(ct)
    if module is None and ct in SUPPORTED:
        name = _NAMES.split()[2 * SUPPORTED.index(ct) + 1]
        module = loaded[ct] = __import__("lwm2m.formats." + name, None, None, ("CT",))
    return module


def single(path, records):
    """(type, value) of the one value that a single-value format can carry; NotAcceptable for anything else."""
    if len(path) > 2:
        for _, _, type, value in records:
            if not isinstance(value, dict):
                return type, value
            if len(path) == 4:
                for one in value.values():
                    return type, one
    raise NotAcceptable("not a single value")


def decode_single(path, payload):
    """decode() of a format whose payload is nothing but the one value that the path names."""
    if len(path) < 3:
        raise UnsupportedContentFormat("this format needs the path of a resource")
    return [(path[1], path[2], payload if len(path) == 3 else {path[3]: payload})]


def utf8(raw):
    """The str in raw; BadRequest if it is not UTF-8."""
    try:
        return str(raw, "utf-8")
    except UnicodeError:
        raise BadRequest("not UTF-8")


def in_64_bits(number, type, error):
    """The number, if 64 bits hold it (unsigned for "uint", else two's complement); raises `error` if not."""
    if number >> 64 if type == "uint" else not -1 <= number >> 63 <= 0:
        raise error("the number does not fit into 64 bits")
    return number
