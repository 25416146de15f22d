"""application/cbor, Content-Format 60: one value as one CBOR item (OMA LwM2M TRANS "CBOR")."""

from . import decode_single, single
from .cbor_item import Reader, put
from .typed import typed

CT = 60


def encode(path, records):
    """The one value; raises CoapError for an integer beyond 64 bits."""
    type, value = single(path, records)
    out = bytearray()
    put(out, type, value)
    return out


decode = decode_single


def value(raw, type):
    """The value of the one item in raw; raises FormatError, or BadRequest if it does not fit the type."""
    reader = Reader(raw)
    item = reader.item()
    reader.end()
    return typed(item, type)
