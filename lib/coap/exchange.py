"""The message layer towards one peer (RFC 7252 section 4): retransmission, duplicates, matching, NSTART.

Sans-IO: datagrams come in through `receive` and leave through the `transmit` callable; time is an argument, an
ever-growing int of milliseconds, and `poll` says when it wants to run next.
"""

from coap.errors import FormatError, ServiceUnavailable
from coap.message import ACK, CON, NON, RST, Message, decode, encode
from compat import const

_OBSERVE = const(6)
_BIG = const(128)  # bytes of an answer to a read that are not worth their RAM


class Parameters:
    """RFC 7252 section 4.8, with its defaults. Any of them may be set; the derived times follow."""

    ACK_TIMEOUT_ms = 2000
    ACK_RANDOM_FACTOR = 1.5
    MAX_RETRANSMIT = 4
    NSTART = 1
    MAX_LATENCY_ms = 100000
    TOKEN_LENGTH = 2  # bytes; 4 are advised on an open network, and cost two bytes in every message
    QUEUE = 8  # messages that wait for their turn (NSTART), about 150 bytes each
    SEEN = 8  # answers to remember for repeated reads, and as many again for repeated actions; about 60 bytes each
    REPEATS = 128  # actions, up to twice as many, to know as carried out when their answers are gone; 10 bytes each

    def max_transmit_span_ms(self):
        """From the first transmission to the last retransmission: 45 s by default."""
        return int(self.ACK_TIMEOUT_ms * ((1 << self.MAX_RETRANSMIT) - 1) * self.ACK_RANDOM_FACTOR)

    def max_transmit_wait_ms(self):
        """From the first transmission to giving up: 93 s by default."""
        return int(self.ACK_TIMEOUT_ms * ((2 << self.MAX_RETRANSMIT) - 1) * self.ACK_RANDOM_FACTOR)

    def exchange_lifetime_ms(self):
        """How long a Message ID may come again: 247 s by default."""
        return self.max_transmit_span_ms() + 2 * self.MAX_LATENCY_ms + self.ACK_TIMEOUT_ms


class _Outgoing:
    """A message of ours that waits for its turn, its acknowledgement or its response."""

    def __init__(self, mid, token, datagram, on_reply, is_request):
        self.mid = mid
        self.token = token
        self.datagram = datagram
        self.on_reply = on_reply
        self.is_request = is_request
        self.timeout_ms = self.retransmits = self.deadline = self.started = 0


class Exchange:
    """One peer's messages.

    transmit(datagram) sends; handle(message, now) answers a request with (code, options, payload), with None when
    the answer will come later through `respond`, or with False for silence. randbelow(n) draws a random number.
    """

    def __init__(self, parameters, transmit, handle, randbelow):
        self.parameters = parameters
        self.transmit = transmit
        self._handle = handle
        self._randbelow = randbelow
        self._mid = randbelow(65536)
        self._token = randbelow(1 << 8 * min(parameters.TOKEN_LENGTH, 3))
        self._message = Message()
        self.memo = {}  # see coap.message.decode; clear it when what Options.route keeps holds no more
        self._seen = {}  # Message ID -> (when, answer) of the peer's requests and separate responses
        self._seen_order = ([], [])  # their IDs, oldest first: reads, and everything else
        self.repeats = None  # made by coap.repeats when it is needed
        self._active = []  # confirmable, sent, not yet acknowledged: at most NSTART
        self._queue = []
        self.waiting = []  # requests acknowledged, response to come
        self.touched = 0  # when a message came or left last, but for empty ones of ours, ms
        self._unconfirmed = []  # (Message ID, on_reply) of the last non-confirmable notifications, for a RST

    # -- sending ------------------------------------------------------------------------------------------------

    def request(self, code, options, payload, on_reply, now):
        """Send a confirmable request. on_reply(message, now) gets the response, the RST, or None after the time-out.

        Raises ServiceUnavailable when the queue is full.
        """
        length = self.parameters.TOKEN_LENGTH
        self._token = (self._token + 1) % (1 << 8 * length)
        token = self._token.to_bytes(length, "big")
        self._confirmable(code, token, options, payload, on_reply, True, now)

    def respond(self, token, code, options, payload, now, on_reply=None, confirmable=True):
        """Send a separate response or a notification. on_reply(message, now) gets its ACK, RST, or None after the
        time-out; a non-confirmable one can only be answered by RST. Raises ServiceUnavailable when the queue is full.
        """
        if confirmable:
            self._confirmable(code, token, options, payload, on_reply, False, now)
            return
        mid = self._next_mid()
        self.touched = now
        if on_reply:
            self._unconfirmed.append((mid, on_reply))
            if len(self._unconfirmed) > self.parameters.QUEUE:
                self._unconfirmed.pop(0)
        self.transmit(encode(NON, code, mid, token, options, payload))

    def _confirmable(self, code, token, options, payload, on_reply, is_request, now):
        if self.full:
            raise ServiceUnavailable("queue full")
        mid = self._next_mid()
        datagram = encode(CON, code, mid, token, options, payload)
        self._queue.append(_Outgoing(mid, token, datagram, on_reply, is_request))
        self._start_queued(now)

    def _next_mid(self):
        self._mid = self._mid + 1 & 0xFFFF
        return self._mid

    def _start_queued(self, now):
        while self._queue and len(self._active) < self.parameters.NSTART:
            out = self._queue.pop(0)
            base = self.parameters.ACK_TIMEOUT_ms
            spread = int(base * (self.parameters.ACK_RANDOM_FACTOR - 1))
            out.timeout_ms = base + self._randbelow(spread + 1)
            out.started = self.touched = now
            out.deadline = now + out.timeout_ms
            self._active.append(out)
            self.transmit(out.datagram)

    def reset(self):
        """Forget everything of ours that is under way; nobody is told. For a new session with the peer."""
        self._active.clear()
        self._queue.clear()
        self.waiting.clear()
        self._unconfirmed.clear()

    @property
    def busy(self):
        """Whether a message of ours is under way or waits for its turn."""
        return bool(self._active or self._queue)

    @property
    def full(self):
        """Whether no more confirmable messages can wait."""
        return len(self._queue) >= self.parameters.QUEUE

    # -- receiving ----------------------------------------------------------------------------------------------

    def receive(self, datagram, now):
        """Take one datagram from the peer; returns the FormatError's sentence if it was none of CoAP's, else None."""
        message = self._message
        try:
            decode(datagram, message, self.memo)
        except FormatError as error:
            if len(datagram) >= 4 and datagram[0] & 0xF0 == 0x40:
                self._empty(RST, datagram[2] << 8 | datagram[3])
            return str(error)
        code = message.code
        self.touched = now
        if 0 < code < 32:
            if message.type < ACK:
                self._on_request(message, now)
        elif code == 0:
            self._on_empty(message, now)
        elif code >> 5 in (2, 4, 5):
            self._on_response(message, now)
        elif message.type == CON:
            self._empty(RST, message.mid)
        return None

    def _empty(self, type, mid):
        self.transmit(encode(type, 0, mid))

    def _on_request(self, message, now):
        mid = message.mid
        type = message.type
        known = self._recent(message, now)
        if known is not None:
            if known:
                self.transmit(known)
            return
        if type == NON and message.options.bad:
            return
        token = message.token
        is_read = message.code in (1, 5)
        if not is_read:
            self._remember(
                mid, b"", False, now
            )  # before it is carried out: whatever fails then, it must not come twice
        answer = self._handle(message, now)
        if answer is False:
            self._forget(mid)
            return
        if type == NON:
            reply = b""
            if answer is not None:
                self.respond(token, answer[0], answer[1], answer[2], now, None, False)
        else:
            if answer is None:
                reply = encode(ACK, 0, mid)
            else:
                reply = encode(ACK, answer[0], mid, token, answer[1], answer[2])
            self.transmit(reply)
        if mid in self._seen:
            self._seen[mid] = (now, reply)
        elif not is_read or len(reply) <= _BIG or message.options.get(_OBSERVE) is not None:
            self._remember(mid, reply, is_read, now)  # else reading once more costs less than keeping this

    def _recent(self, message, now):
        """The answer to a message of the peer that has come before, b"" for none, or None if it is new. Another token
        under the same Message ID is another message, of a peer that has started anew."""
        mid = message.mid
        if mid in self._seen:
            when, reply = self._seen[mid]
            same = len(reply) <= 4 or reply[4 : 4 + (reply[0] & 15)] == message.token
            if same and now - when < self.parameters.exchange_lifetime_ms():
                return reply
            self._forget(mid)
        return self.repeats.find(message, now) if self.repeats else None

    def _forget(self, mid):
        self._seen.pop(mid, None)
        for order in self._seen_order:
            if mid in order:
                order.remove(mid)

    def _remember(self, mid, reply, is_read, now):
        """Keep an answer for repeats. Reads and actions have rings of their own, so that polling cannot push out the
        answer to an Execute; the oldest goes first. An action is known as carried out for longer."""
        order = self._seen_order[0 if is_read else 1]
        if order and len(order) >= self.parameters.SEEN:
            found = self._seen.get(order[0])  # None if there was no memory for it
            if found and not is_read and now - found[0] < self.parameters.exchange_lifetime_ms():
                from coap import repeats

                repeats.add(self, order[0], found[1], now)
            self._seen.pop(order.pop(0), None)
        order.append(mid)
        self._seen[mid] = (now, reply)

    def _on_empty(self, message, now):
        type = message.type
        if type == CON:
            self._empty(RST, message.mid)  # a ping (RFC 7252 section 4.3)
        elif type == ACK:
            out = self._take_active(message.mid)
            if out:
                self._acknowledged(out, message, now)
        elif type == RST:
            self._on_reset(message, now)

    def _acknowledged(self, out, message, now):
        if out.is_request:
            out.deadline = out.started + self.parameters.exchange_lifetime_ms()
            self.waiting.append(out)
        self._start_queued(now)
        if not out.is_request and out.on_reply:
            out.on_reply(message, now)

    def _on_reset(self, message, now):
        out = self._take_active(message.mid)
        if out:
            self._start_queued(now)
            if out.on_reply:
                out.on_reply(message, now)
            return
        for entry in self._unconfirmed:
            if entry[0] == message.mid:
                self._unconfirmed.remove(entry)
                entry[1](message, now)
                return

    def _take_active(self, mid):
        for out in self._active:
            if out.mid == mid:
                self._active.remove(out)
                return out
        return None

    def _on_response(self, message, now):
        type = message.type
        if type == RST:
            return
        if type == CON and self._recent(message, now) is not None:
            self._empty(ACK, message.mid)  # our ACK was lost
            return
        out = None if message.options.bad else self._take_request(message)
        if out is None:
            if type == CON:
                self._empty(RST, message.mid)
            return
        if type == CON:
            self._empty(ACK, message.mid)
            self._remember(message.mid, encode(ACK, 0, message.mid), False, now)
        self._start_queued(now)
        out.on_reply(message, now)

    def _take_request(self, message):
        """The request that a response belongs to: by token, and for a piggybacked one by Message ID as well."""
        for under_way in (self._active, self.waiting):
            for out in under_way:
                if out.is_request and out.token == message.token:
                    if message.type == ACK and out.mid != message.mid:
                        continue
                    under_way.remove(out)
                    return out
        return None

    # -- time ---------------------------------------------------------------------------------------------------

    def poll(self, now):
        """Retransmit and give up as due; returns the time of the next deadline, or None."""
        if not self._active and not self.waiting:
            return None
        for out in list(self._active):
            if out.deadline <= now and out in self._active:  # what one time-out leads to may end the others
                self._timed_out(out, now)
        for out in list(self.waiting):
            if out.deadline <= now and out in self.waiting:
                self.waiting.remove(out)
                out.on_reply(None, now)
        due = None
        for under_way in (self._active, self.waiting):
            for out in under_way:
                if due is None or out.deadline < due:
                    due = out.deadline
        return due

    def _timed_out(self, out, now):
        if out.retransmits < self.parameters.MAX_RETRANSMIT:
            out.retransmits += 1
            out.timeout_ms *= 2
            out.deadline = now + out.timeout_ms
            self.transmit(out.datagram)
            return
        self._active.remove(out)
        self._start_queued(now)
        if out.on_reply:
            out.on_reply(None, now)
