"""application/octet-stream, Content-Format 42: the bytes of one Opaque resource as they are."""

from coap.errors import NotAcceptable, UnsupportedContentFormat

from . import decode_single, single

CT = 42


def encode(path, records):
    """The bytes of the one opaque value."""
    type, value = single(path, records)
    if type != "opaque":
        raise NotAcceptable("only opaque is octet-stream")
    return bytes(value)


decode = decode_single


def value(raw, type):
    """The bytes; raises UnsupportedContentFormat for any type but opaque."""
    if type != "opaque":
        raise UnsupportedContentFormat("only opaque is octet-stream")
    return bytes(raw)
