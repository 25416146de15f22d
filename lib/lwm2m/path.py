"""Paths such as /3303/0/5700 (OMA Core 1.1 section 7.3): inside, tuples of one to four ints."""

from coap.errors import BadRequest

MAX_ID = 65535  # reserved: "no object", "any instance"
CLOSED = (0, 21, 23)  # Security, OSCORE, MQTT Server: no server may see their keys (OMA Core 1.1 section 6.3)
prefixes = None  # set by lwm2m.gateway: names that begin with a prefix, which stand for object ids above MAX_ID


def parse(segments):
    """Uri-Path segments (bytes) -> tuple of ids; raises BadRequest unless they are at most 4 plain numbers
    below 65535."""
    if len(segments) > 4:
        raise BadRequest("path has more than 4 ids")
    return tuple([_id(segment) for segment in segments])


def _id(segment):
    if not 0 < len(segment) < 6 or (segment[0] == 48 and len(segment) > 1):
        raise BadRequest("bad id in path")
    value = 0
    for byte in segment:
        if not 48 <= byte <= 57:
            raise BadRequest("bad id in path")
        value = value * 10 + byte - 48
    if value >= MAX_ID:
        raise BadRequest("bad id in path")
    return value
