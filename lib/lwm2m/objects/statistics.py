"""Object 7, Connectivity Statistics (OMA Core 1.1 appendix E.8): how much went over the net while a server counted."""

from compat import const
from lwm2m.object import Object
from lwm2m.objects import client_of, now_ms

_HEADERS = const(28)  # bytes of IPv4 and UDP around each datagram; the registry has all headers up to IP counted


class ConnectivityStatistics(Object):
    """Datagrams of all servers, from Start until Stop, or until collection_period seconds are over (0: without end).

    headers is what each datagram costs besides its CoAP message, in bytes: 28, with IPv6 48, with DTLS 29 more. There
    is no SMS, so its counters stay 0. Nothing is counted, and nothing is in the way of a datagram, unless a server
    started it; a session that begins while it counts is not counted. Observers are told at Start and Stop, and by their
    pmax: a notification is traffic itself, and must not cause the next one.
    """

    OID = 7
    MULTIPLE = False
    RES = """
0 R int sms_sent
1 R int sms_received
2 R int sent
3 R int received
4 R int longest
5 R int average
6 E! none start
7 E! none stop
8 RW int collection_period 0..
"""
    sms_sent = sms_received = longest = 0
    collection_period = 0

    def __init__(self, headers=_HEADERS):
        self._headers = headers
        self._bytes = [0, 0]  # sent, received
        self._count = 0
        self._until = None  # ms on the client's clock, None for never
        self._tapped = []  # (exchange, its own transmit)

    def sent(self):
        """Kilobytes sent."""
        return self._bytes[0] // 1000

    def received(self):
        """Kilobytes received."""
        return self._bytes[1] // 1000

    def average(self):
        """Bytes in a message."""
        return sum(self._bytes) // self._count if self._count else 0

    def start(self, args):
        """Execute: count from zero."""
        self._untap()
        self._bytes = [0, 0]
        self._count = self.longest = 0
        period_ms = self.collection_period * 1000
        self._until = now_ms(self) + period_ms if period_ms else None
        for session in client_of(self).sessions:
            self._tap(session.exchange)
        self._changed()

    def stop(self, args):
        """Execute: count no more, and keep what was counted."""
        self._untap()
        self._changed()

    def _changed(self):
        for name in ("sent", "received", "longest", "average"):
            self.changed(name)

    def _tap(self, exchange):
        """Count what goes through an exchange."""
        transmit, receive = exchange.transmit, exchange.receive

        def counted_transmit(datagram):
            self._add(0, datagram)
            transmit(datagram)

        def counted_receive(datagram, now):
            self._add(1, datagram)
            return receive(datagram, now)

        exchange.transmit = counted_transmit
        exchange.receive = counted_receive
        self._tapped.append((exchange, transmit))

    def _untap(self):
        for exchange, transmit in self._tapped:
            exchange.transmit = transmit
            del exchange.receive  # and its class has it again
        self._tapped = []

    def _add(self, direction, datagram):
        if self._until is not None and now_ms(self) >= self._until:
            self._untap()  # the period is over; nobody had to wake for that
            return
        size = len(datagram) + self._headers
        self._bytes[direction] += size
        self._count += 1
        self.longest = max(self.longest, size)
