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


class BadRequest(CoapError):
    code = 0x80


class Unauthorized(CoapError):
    code = 0x81


class BadOption(CoapError):
    code = 0x82


class NotFound(CoapError):
    code = 0x84


class MethodNotAllowed(CoapError):
    code = 0x85


class NotAcceptable(CoapError):
    code = 0x86


class RequestEntityIncomplete(CoapError):
    code = 0x88


class RequestEntityTooLarge(CoapError):
    code = 0x8D


class UnsupportedContentFormat(CoapError):
    code = 0x8F


class ServiceUnavailable(CoapError):
    """5.03; the sensor behind a resource has no value, or a table is full."""

    code = 0xA3
