"""One exception per response code (RFC 7252 section 5.9): the exception carries the code, one place renders it."""


class FormatError(ValueError):
    """Bytes that break the format they claim to be; the only exception that a decoder raises."""


class CoapError(Exception):
    """5.00 Internal Server Error, and the base of all answers that are errors.

    The argument, if any, is the diagnostic payload (RFC 7252 section 5.5.2); `options` are (number, value) pairs
    that the response carries, such as Size1 in a 4.13.
    """

    code = 0xA0
    options = ()


def _answer(name, code):
    return type(name, (CoapError,), {"code": code})  # half the RAM of a class statement


BadRequest = _answer("BadRequest", 0x80)
Unauthorized = _answer("Unauthorized", 0x81)
BadOption = _answer("BadOption", 0x82)
NotFound = _answer("NotFound", 0x84)
MethodNotAllowed = _answer("MethodNotAllowed", 0x85)
NotAcceptable = _answer("NotAcceptable", 0x86)
RequestEntityIncomplete = _answer("RequestEntityIncomplete", 0x88)
RequestEntityTooLarge = _answer("RequestEntityTooLarge", 0x8D)
UnsupportedContentFormat = _answer("UnsupportedContentFormat", 0x8F)
ServiceUnavailable = _answer("ServiceUnavailable", 0xA3)  # a sensor without a value, a table that is full


def dotted(code):
    """A code as people write it (RFC 7252 section 12.1): 0x84 -> "4.04"."""
    return "%d.%02d" % (code >> 5, code & 31)
