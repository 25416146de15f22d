"""The message layer towards a peer with whom everything is said under OSCORE (RFC 8613 section 8).

Retransmission, duplicates and matching happen to the outer messages, as in coap.exchange; the layer above sees the
inner ones. Nobody speaks for the peer without its key: what is not protected is refused, but for the errors by which it
says that it cannot open what we sent, and for empty messages.
"""

from coap import exchange
from coap.errors import CoapError, FormatError, ServiceUnavailable, Unauthorized
from coap.message import ACK, CON, NO_OPTIONS, RST, Message, Options, decode, encode
from coap.oscore import OSCORE
from compat import const

_OBSERVE = const(6)
_MAX_AGE = const(14)
_ECHO = const(252)
_FETCH = const(5)
_CHANGED = const(0x44)
_CONTENT = const(0x45)
_BAD_REQUEST = const(0x80)
_UNAUTHORIZED = const(0x81)
_BAD_OPTION = const(0x82)
_BIG = const(128)  # bytes of an answer: of such, only the last is kept for repeats
_DEAF = const(2)  # requests without Echo, after which it is clear that the peer does not know it
_BOUND = const(8)  # requests beside the observations whose responses may still leave


class Request:
    """A request of ours: what opens its response, and repeats it if the peer wants an Echo (RFC 9175 section 2) or has
    forgotten the context (RFC 8613 appendix B.2)."""

    opened = True  # whether the response was protected

    def __init__(self, owner, context, said, on_reply, is_repeat=False):
        self._owner = owner
        self._context = context
        self._said = said  # (code, options, payload)
        self._on_reply = on_reply
        self._is_repeat = is_repeat
        code, options, sealed, self.piv = context.protect_request(*said)
        self.outer = code, options, sealed

    def open(self, value, sealed):
        """The plaintext of the response with this OSCORE option; raises FormatError."""
        return self._context.open_response(value, sealed, self.piv)

    def __call__(self, message, now):
        is_answer = message and message.type != RST and not self._is_repeat
        if is_answer and not self.opened and message.code != _BAD_OPTION:
            answer = Message()
            answer.type, answer.code, answer.payload = message.type, message.code, message.payload

            def renewed(done, now):
                if not (done and self._repeat((), now)):
                    self._on_reply(answer, now)

            if self._owner.renew(renewed, now):
                return
        elif is_answer and message.code == _UNAUTHORIZED:
            echo = message.options.get(_ECHO)
            if echo is not None and self._repeat(((_ECHO, echo),), now):
                return
        self._on_reply(message, now)

    def _repeat(self, more, now):
        """Say the same with more options, as the owner speaks now; returns whether that was possible."""
        code, options, payload = self._said
        owner = self._owner
        try:
            said = code, tuple(options) + more, payload
            again = Request(owner, owner.context, said, self._on_reply, True)
            owner.request(*again.outer, again, now)
        except (ServiceUnavailable, OSError):
            return False
        return True


class Exchange(exchange.Exchange):
    """One peer's messages under a coap.oscore.Context; see coap.exchange.Exchange for the other arguments."""

    def __init__(self, context, parameters, transmit, handle, randbelow):
        super().__init__(parameters, transmit, self._on_protected, randbelow)
        self.context = self._agreed = context  # the latter is what both sides were given
        self._on_inner = handle
        self._bound = []  # (token, Partial IV, outer code of the response, context) of requests with responses to come
        self._big = None  # Message ID of the big answer that is kept
        self._unsent = []  # on_reply of what there was no number for
        self._refusal = None  # what was wrong with the request that is being received
        self._challenged = 0  # requests without the Echo that they should have brought
        self._renewing = False
        self._can_renew = True  # as far as is known since the peer has last said something protected

    def renew(self, on_end, now):
        """Make a new context with a peer that has forgotten the old one; on_end(whether it is there, now). Returns
        whether that has begun."""
        if self._renewing or not self._can_renew or self.full:
            return False
        from coap.oscore_renewal import Renewal

        self._renewing = True
        Renewal(self, self._agreed, on_end, self._randbelow).start(now)
        return True

    def renewed(self, context, can_renew):
        """The end of it: the context that it has brought or None, and whether to try it once more if need be."""
        self._renewing, self._can_renew = False, can_renew
        self._challenged = 0
        self.context = context or self._agreed

    # -- sending ------------------------------------------------------------------------------------------------

    def respond(self, token, code, options, payload, now, on_reply=None, confirmable=True):
        """Send a separate response or a notification; it belongs to the last request with this token, and is not sent
        if there was none. As coap.exchange.Exchange.respond else."""
        bound = self._bound_to(token)
        if bound is None:
            return
        if confirmable and self.full:
            raise ServiceUnavailable("queue full")
        ends = _find(options, _OBSERVE) is None
        try:
            options, payload = bound[3].protect_response(code, options, payload, bound[1], True)
        except OSError:
            if confirmable and on_reply:
                self._unsent.append(on_reply)
            return

        def replied(message, now):
            if message and message.type == RST:
                self._unbind(token)
            on_reply(message, now)

        super().respond(token, bound[2], options, payload, now, on_reply and replied, confirmable)
        if ends:
            self._unbind(token)

    def _confirmable(self, code, token, options, payload, on_reply, is_request, now):
        if is_request and not isinstance(on_reply, Request):
            if self.full:
                raise ServiceUnavailable("queue full")
            try:
                on_reply = Request(self, self.context, (code, options, payload), on_reply)
            except OSError:
                self._unsent.append(on_reply)
                return
            code, options, payload = on_reply.outer
        super()._confirmable(code, token, options, payload, on_reply, is_request, now)

    def poll(self, now):
        """As in coap.exchange. Whoever waits for a reply to what could not be sent hears here that none came."""
        unsent, self._unsent = self._unsent, []
        for on_reply in unsent:
            on_reply(None, now)
        return super().poll(now)

    def reset(self):
        """As in coap.exchange."""
        super().reset()
        self._unsent = []
        self._renewing = False

    def _bound_to(self, token):
        for bound in self._bound:
            if bound[0] == token:
                return bound
        return None

    def _unbind(self, token):
        bound = self._bound_to(token)
        if bound:
            self._bound.remove(bound)

    def _bind(self, token, piv, code):
        """Keep what responses to a request need. What is too many is the oldest, which a new registration has ended."""
        self._unbind(token)
        self._bound.append((token, piv, code, self.context))
        if len(self._bound) > getattr(self.parameters, "OBSERVATIONS", 0) + _BOUND:
            self._bound.pop(0)

    # -- requests of the peer -----------------------------------------------------------------------------------

    def receive(self, datagram, now):
        """As in coap.exchange; what is refused for want of the right protection is told as well."""
        self._refusal = None
        return super().receive(datagram, now) or self._refusal

    def _on_request(self, message, now):
        _understand(message)
        super()._on_request(message, now)
        if self._challenged >= _DEAF:  # the answer is out, which a peer with another context could not open
            self.renew(None, now)

    def _on_protected(self, message, now):
        """Answer a request that is no repeat, as the handle of a coap.exchange.Exchange."""
        token, code, is_con = message.token, message.code, message.type == CON
        try:
            piv = self._open(message)
        except (CoapError, FormatError) as error:
            text = str(error)
            self._refusal = "OSCORE: " + (text or "not protected")
            if is_con:
                options = ((_MAX_AGE, 0),) if text else ()
                code = getattr(error, "code", _BAD_REQUEST)
                self.transmit(encode(ACK, code, message.mid, token, options, text.encode()))
            return False  # not kept: it may be anybody's, and push out the answers to the peer
        outer_code = _CONTENT if code == _FETCH else _CHANGED
        context = self.context
        has_own_piv = not context.accept(piv, message.options.get(_ECHO))
        if has_own_piv:
            answer = _UNAUTHORIZED, ((_ECHO, context.challenge),), b""
            self._challenged += 1
        else:
            self._challenged = 0
            answer = self._on_inner(message, now)
        if answer is False:
            return False
        self._bind(token, piv, outer_code)
        if answer is None:
            return None
        if not is_con:
            self.respond(token, answer[0], answer[1], answer[2], now, None, False)
            return None
        if _find(answer[1], _OBSERVE) is None:
            self._unbind(token)
        try:
            options, sealed = context.protect_response(answer[0], answer[1], answer[2], piv, has_own_piv)
        except OSError:
            return False
        return outer_code, options, sealed

    def _open(self, message):
        """Turn a protected request into the inner one, and return its Partial IV; raises CoapError or FormatError."""
        value = message.options.get(OSCORE)
        if value is None:
            raise Unauthorized()
        observe = message.options.get(_OBSERVE)
        plaintext, piv = self.context.open_request(value, message.payload)
        self._become(message, plaintext)
        if not 0 < message.code < 32:
            raise FormatError("no request")
        options = message.options
        if options.uint(_OBSERVE) == 0 and observe is None:  # a proxy does not want it (RFC 8613 section 4.1.3.5)
            message.options = Options([pair for pair in options.pairs if pair[0] != _OBSERVE], options.bad)
        return piv

    def _become(self, message, plaintext):
        """Have an outer message be the inner one, with its own header and token; raises FormatError."""
        token = message.token
        head = bytes((0x40 | message.type << 4 | len(token), plaintext[0], message.mid >> 8, message.mid & 255))
        decode(head + token + plaintext[1:], message, self.memo)

    def _remember(self, mid, reply, is_read, now):
        """Every answer is kept for a while, as a repeat could not be opened again; but of the big ones only the last.
        An action without an answer will not be carried out twice: the replay window knows it, and what is nobody's must
        not push out answers to the peer."""
        if not reply:
            return
        order = self._seen_order[1]
        self._seen[mid] = (now, reply)
        order.append(mid)
        if len(reply) > _BIG:
            self._drop(self._big)
            self._big = mid
        if len(order) > self.parameters.SEEN:
            self._drop(order[0])

    def _drop(self, mid):
        if mid in self._seen_order[1]:
            self._seen_order[1].remove(mid)
            del self._seen[mid]

    # -- responses of the peer ----------------------------------------------------------------------------------

    def _on_response(self, message, now):
        _understand(message)
        super()._on_response(message, now)

    def _take_request(self, message):
        """As in coap.exchange, and only by a response that can be opened. Any other is none: ours goes on."""
        active = len(self._active)
        out = super()._take_request(message)
        if out and not self._opens(message, out.on_reply):
            (self.waiting if len(self._active) == active else self._active).append(out)
            out = None
        return out

    def _opens(self, message, request):
        """Turn a response into the inner one, if it is one that may be believed."""
        value = message.options.get(OSCORE)
        request.opened = value is not None
        if value is None:
            message.options = NO_OPTIONS
            return message.code in (_BAD_REQUEST, _UNAUTHORIZED, _BAD_OPTION)
        try:
            self._become(message, request.open(value, message.payload))
        except FormatError:
            return False
        self._can_renew = True
        return message.code >> 5 in (2, 4, 5) and not message.options.bad


def _understand(message):
    """The option 9 is no critical one that nobody knows; others that are go unheard (RFC 8613 section 8.2)."""
    if message.options.bad:
        message.options = Options(message.options.pairs)


def _find(options, number):
    for found, value in options:
        if found == number:
            return value
    return None
