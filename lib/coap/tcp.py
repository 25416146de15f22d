"""CoAP over TCP (RFC 8323) towards one peer: what coap.exchange is over UDP, with the same methods.

TCP itself retransmits, orders and acknowledges; left are tokens, time-outs and the signaling messages. A frame is
length and token length | extended length | code | token | options and payload.
"""

from coap.errors import FormatError
from coap.message import CON, Message, decode_options, encode
from compat import const

MAX_MESSAGE = 1152  # bytes: what we take, and what every peer takes without saying so (RFC 8323 section 5.3.1)

_CSM = const(0xE1)
_PING = const(0xE2)
_PONG = const(0xE3)
_ABORT = const(0xE5)
_MAX_MESSAGE_SIZE = const(2)
_BLOCK_WISE_TRANSFER = const(4)
_BAD_CSM_OPTION = const(2)
_CUSTODY = const(2)


def csm():
    """The Capabilities and Settings Message that opens a connection (RFC 8323 section 5.3)."""
    return frame(_CSM, b"", ((_MAX_MESSAGE_SIZE, MAX_MESSAGE), (_BLOCK_WISE_TRANSFER, b"")), b"")


def frame(code, token, options, payload):
    """The bytes of one message (RFC 8323 section 3.2). `options` as coap.message.encode takes them."""
    rest = encode(CON, code, 0, token, options, payload)[4 + len(token) :]
    length = len(rest)
    if length < 13:
        head = bytes([length << 4 | len(token), code])
    elif length < 269:
        head = bytes([0xD0 | len(token), length - 13, code])
    else:
        head = bytes([0xE0 | len(token), length - 269 >> 8, length - 269 & 255, code])
    return head + token + rest


def frame_length(data, start=0):
    """Bytes of the frame that begins at `start`, or None if they cannot be told yet. Raises FormatError for a token
    length that does not exist and for a message that is too long for us."""
    if start >= len(data):
        return None
    nibble, token = data[start] >> 4, data[start] & 15
    extended = max(0, nibble - 12) if nibble < 15 else 4
    if token > 8:
        raise FormatError("bad token length")
    if len(data) < start + 1 + extended:
        return None
    length = nibble
    if extended:
        length = int.from_bytes(data[start + 1 : start + 1 + extended], "big") + (13, 269, 0, 65805)[extended - 1]
    if length > MAX_MESSAGE:
        raise FormatError("message of %d bytes" % length)
    return 2 + extended + token + length


class Exchange:
    """One peer's messages; see coap.exchange.Exchange for what the arguments are."""

    full = True  # for confirmable messages, of which there are none: what leaves here arrives, or the link breaks

    def __init__(self, parameters, transmit, handle, randbelow):
        self.parameters = parameters
        self.transmit = transmit
        self.touched = 0
        self.memo = {}  # as Exchange has one; here options are parsed each time
        self._handle = handle
        self._token = randbelow(1 << 8 * min(parameters.TOKEN_LENGTH, 3))
        self._message = Message()
        self.waiting = []  # [token, on_reply, deadline] of our requests

    @property
    def busy(self):
        """Whether a request of ours is under way."""
        return bool(self.waiting)

    def request(self, code, options, payload, on_reply, now):
        """Send a request. on_reply(message, now) gets the response, or None after MAX_TRANSMIT_WAIT."""
        length = self.parameters.TOKEN_LENGTH
        self._token = (self._token + 1) % (1 << 8 * length)
        token = self._token.to_bytes(length, "big")
        self.waiting.append([token, on_reply, now + self.parameters.max_transmit_wait_ms()])
        self.respond(token, code, options, payload, now)

    def respond(self, token, code, options, payload, now, on_reply=None, confirmable=True):
        """Send a response or a notification; on_reply is never called, as there are no acknowledgements."""
        self.touched = now
        self.transmit(frame(code, token, options, payload))

    def reset(self):
        """Forget everything of ours that is under way; nobody is told."""
        self.waiting.clear()

    def receive(self, data, now):
        """Take one or more whole frames; returns the FormatError's sentence if they break the format, else None.
        Raises OSError when the connection has no future."""
        start = 0
        self.touched = now
        try:
            while start < len(data):
                end = start + (frame_length(data, start) or len(data))
                self._decode(data, start, end)
                self._dispatch(self._message, now)
                start = end
        except FormatError as error:
            self.transmit(frame(_ABORT, b"", (), str(error).encode()))
            return str(error)
        return None

    def _decode(self, data, start, end):
        """Fill the message from a frame."""
        nibble, length = data[start] >> 4, data[start] & 15
        at = start + 1 + (max(0, nibble - 12) if nibble < 15 else 4)
        message = self._message
        message.type = CON
        message.code = data[at]
        message.token = data[at + 1 : at + 1 + length]
        rest = data[at + 1 + length : end]
        message.options, start = decode_options(rest)
        message.payload = rest[start:]

    def _dispatch(self, message, now):
        code = message.code
        if 0 < code < 32:
            token = message.token
            answer = self._handle(message, now)
            if answer:
                self.respond(token, answer[0], answer[1], answer[2], now)
        elif code >> 5 in (2, 4, 5):
            self._on_response(message, now)
        elif code == _PING:
            custody = message.options.get(_CUSTODY)
            self.respond(message.token, _PONG, () if custody is None else ((_CUSTODY, custody),), b"", now)
        elif code == _CSM and message.options.bad:
            self.respond(b"", _ABORT, ((_BAD_CSM_OPTION, message.options.bad),), b"", now)
            raise OSError("the server wants what we do not have")
        elif code >= _ABORT - 1 and code >> 5 == 7:
            raise OSError("the server closes the connection")

    def _on_response(self, message, now):
        for out in self.waiting:
            if out[0] == message.token:
                self.waiting.remove(out)
                out[1](None if message.options.bad else message, now)
                return

    def poll(self, now):
        """Give up what is overdue; returns the time of the next deadline, or None."""
        due = None
        for out in list(self.waiting):
            if out not in self.waiting:  # what one time-out leads to may end the others
                continue
            if out[2] <= now:
                self.waiting.remove(out)
                out[1](None, now)
            elif due is None or out[2] < due:
                due = out[2]
        return due
