"""A new security context with a peer that has forgotten the old one and does not know Echo (RFC 8613 appendix B.2).

Both sides add random bytes to the ID Context, which makes all keys new, so that the numbers of both begin at 0:

    our first request    ID Context ID1, which it shows
    its response         ID Context R2 + ID1; it shows R2
    our second request   ID Context R2 + R3, which it shows; and so for all that follows

The requests ask for nothing: GET /renewal, which no server has; an error is as good an answer as any. Imported when it
comes to that.
"""

from coap.errors import FormatError, ServiceUnavailable
from coap.message import RST
from coap.oscore import byte_string, decode_option
from coap.oscore_exchange import Request
from compat import const

_NOTHING = 1, ((11, b"renewal"),), b""  # code, options and payload
_LENGTH = const(8)  # bytes of ID1 and R3
_LONGEST = const(64)  # of R2


class Renewal:
    """One attempt for an Exchange, from the context that both sides were given; on_end may be None."""

    def __init__(self, owner, agreed, on_end, randbelow):
        self._owner = owner
        self._agreed = agreed
        self._on_end = on_end
        self._id1, self._r3 = [bytes([randbelow(256) for _ in range(_LENGTH)]) for _ in range(2)]
        self._made = self._request = None
        self._r2 = b""

    def start(self, now):
        """Send the first request."""
        self._ask(_First, self._id1, self._on_first, now)

    def _ask(self, kind, id_context, on_reply, now):
        self._made = self._agreed.renewed(id_context, byte_string(id_context))
        self._request = kind(self._owner, self._made, _NOTHING, on_reply, True)
        self._request.renewal = self
        try:
            self._owner.request(*self._request.outer, self._request, now)
        except ServiceUnavailable:
            self._end(None, True, now)

    def open_first(self, request, value, sealed):
        """The response to the first request: protected under R2 + ID1, with the nonce of the request."""
        shown = decode_option(value)[2] or b""
        start = 2 if shown[:1] == b"\x58" else 1
        self._r2 = shown[start:]
        if not 0 < len(self._r2) <= _LONGEST or byte_string(self._r2) != shown:
            raise FormatError("no R2")
        context = self._agreed.renewed(self._r2 + self._id1, shown)
        return context.open_response(value, sealed, request.piv, self._made.nonce_of(request.piv))

    def _on_first(self, message, now):
        if self._went_well(message, now):
            self._ask(Request, self._r2 + self._r3, self._on_second, now)

    def _on_second(self, message, now):
        if self._went_well(message, now):
            self._made.kid_context = None  # it need not be shown any more
            self._end(self._made, True, now)

    def _went_well(self, message, now):
        """Whether that was a response under the new context, whatever it says. Silence says nothing; a peer that cannot
        open the request cannot renew a context."""
        is_there = message is not None and message.type != RST
        if not is_there or not self._request.opened:
            self._end(None, not is_there, now)
            return False
        return True

    def _end(self, context, can_renew, now):
        self._owner.renewed(context, can_renew)
        if self._on_end:
            self._on_end(context is not None, now)


class _First(Request):
    renewal = None

    def open(self, value, sealed):
        return self.renewal.open_first(self, value, sealed)  # pyright: ignore[reportAttributeAccessIssue] - it is set
