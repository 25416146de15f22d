"""A peer that keeps to no NSTART sends many actions at once through a network that loses, repeats and delays."""

import heapq

from end import End
from packet import Packet, build
from support import eq, xorshift32

SPAN_ms = (0, 2500, 7500, 17500, 37500)  # when a message is sent, if no answer comes


class Flood:
    """`count` POSTs, `gap_ms` apart; `answered` is what came back for each, by its Message ID."""

    def __init__(self, count, gap_ms, loss, seed):
        self._random = seed
        self._loss = loss
        self._way = []  # a heap of (when it arrives, count, when it was sent, number or None, datagram)
        self._count = 0
        self.end = End()
        self.end.answer = (0x44, (), b"")
        self.answered = {}
        for number in range(1, count + 1):
            for delay_ms in SPAN_ms:
                self._carry(number * gap_ms + delay_ms, number, build("CON", "POST", number, b"%d" % number, (), b"x"))

    def chance(self, limit):
        self._random = xorshift32(self._random)
        return (self._random >> 5) % limit

    def _carry(self, at, number, datagram):
        """Perhaps, perhaps twice, up to 2 s later. What is for the device has the number of its action; it is not sent
        any more once that is answered."""
        if self.chance(100) < self._loss:
            return
        for _ in range(2 if self.chance(100) < self._loss else 1):
            self._count += 1
            heapq.heappush(self._way, (at + self.chance(2000), self._count, at, number, datagram))

    def run(self):
        while self._way:
            now, _, sent_at, number, datagram = heapq.heappop(self._way)
            if number is None:
                answer = Packet(datagram, now)
                self.answered.setdefault(answer.mid, (now, answer))
            elif number not in self.answered or self.answered[number][0] >= sent_at:
                self.end.now = now
                self.end.take()
                self.end.exchange.receive(datagram, now)
                for packet in self.end.take():
                    self._carry(now, None, packet.raw)


def check(count, gap_ms, loss, seed):
    flood = Flood(count, gap_ms, loss, seed)
    flood.run()
    handled = len(flood.end.handled)
    assert count * 0.95 <= handled <= count, (handled, count)
    assert len(flood.answered) >= count * 0.9, len(flood.answered)
    for number, (_, answer) in flood.answered.items():
        eq((answer.type, answer.code, answer.token), ("ACK", "2.04", b"%d" % number))


def test_all_at_once():
    """A hundred actions, each answered, none carried out twice: of most the whole answer is long forgotten."""
    for seed in (1, 2, 3):
        check(100, 0, 30, seed)


def test_one_after_the_other():
    """Copies come up to 40 s late, when a hundred others have followed: fewer than REPEATS."""
    for seed in (4, 5):
        check(300, 400, 30, seed)
