"""One end of CoAP's message layer with a clock of its own, for tests of lib/coap/exchange.py."""

from coap.exchange import Exchange, Parameters
from coap.message import RST
from packet import Packet, build
from support import xorshift32


class End:
    """An Exchange with a clock of its own. `answer` is what requests get; `handled` and `replies` list what it saw."""

    def __init__(self, seed=1, **parameters):
        self.now = 0
        self.random = seed
        self.answer = (0x45, ((12, b""),), b"87")
        self.handled = []
        self.replies = []  # (when, code or None or "RST") of what on_reply got
        self.sent = []
        self.parameters = Parameters()
        for name in parameters:
            setattr(self.parameters, name, parameters[name])
        self.exchange = Exchange(self.parameters, self.transmit, self.handle, self.randbelow)

    def randbelow(self, limit):
        self.random = xorshift32(self.random)
        return (self.random >> 3) % limit

    def transmit(self, datagram):
        self.sent.append(Packet(datagram, self.now))

    def handle(self, message, now):
        self.handled.append((message.code, bytes(message.payload)))
        return self.answer

    def on_reply(self, message, now):
        self.replies.append((now, message and ("RST" if message.type == RST else message.code)))

    def take(self):
        sent, self.sent = self.sent, []
        return sent

    def receive(self, *parts):
        """Feed a message; returns what is sent at once."""
        self.take()
        self.exchange.receive(build(*parts), self.now)
        return self.take()

    def run(self, seconds):
        """Poll whenever it is due; returns everything sent meanwhile."""
        until = self.now + int(seconds * 1000)
        while True:
            due = self.exchange.poll(self.now)
            if due is None or due > until:
                self.now = until
                return self.take()
            assert due > self.now, "a deadline in the past"
            self.now = due

    def request(self):
        """Send a GET; returns it."""
        self.exchange.request(1, ((11, b"x"),), b"", self.on_reply, self.now)
        return self.sent[-1] if self.sent else None
