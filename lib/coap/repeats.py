"""Which of a peer's messages have been carried out, once their answers are forgotten (RFC 7252 section 4.5).

Imported when a peer sends more than Parameters.SEEN actions within EXCHANGE_LIFETIME: with NSTART above 1 it may still
repeat all of them, and a network that delays may do so long after it has had its answer.
"""

from binascii import crc32


def add(exchange, mid, answer, now):
    """Have an Exchange know a message as carried out although it forgets its answer, bytes; b"" is the one to a NON."""
    if exchange.repeats is None:
        exchange.repeats = Repeats(exchange.parameters, now)
    exchange.repeats.add(mid, answer, now)


class Repeats:
    """The last actions of one peer, at least Parameters.REPEATS of them, for at least EXCHANGE_LIFETIME, at most twice
    that. One int in a dict each, about 10 bytes: Message ID -> code of the answer and hash of the token."""

    def __init__(self, parameters, now):
        self._parameters = parameters
        self._young, self._old = {}, {}
        self._since = now  # when the first of the young came, or a little earlier, ms

    def add(self, mid, answer, now):
        """Keep what is needed of an answer's bytes."""
        self._age(now, self._parameters.REPEATS)
        token = answer[4 : 4 + (answer[0] & 15)] if answer else b""
        self._young[mid] = (answer[1] if answer else 0xFF) << 16 | _hash(token)

    def find(self, message, now):
        """The answer to a message that has come before, without options and payload; b"" for none, None if it is new.
        One whose answer had no token is known by its Message ID alone."""
        self._age(now, 1 << 30)
        for known in (self._young, self._old):
            found = known.get(message.mid)
            if found is None or found & 0xFFFF not in (0, _hash(message.token)):
                continue
            if found >> 16 == 0xFF:
                return b""
            token = bytes(message.token) if found >> 16 else b""
            return bytes((0x60 | len(token), found >> 16, message.mid >> 8, message.mid & 255)) + token
        return None

    def _age(self, now, bound):
        lifetime_ms = self._parameters.exchange_lifetime_ms()
        by_time = now - self._since >= lifetime_ms
        if by_time or len(self._young) >= bound:
            self._old, self._young = self._young, {}
            self._since = self._since + lifetime_ms if by_time else now
            if now - self._since >= lifetime_ms:
                self._old, self._since = {}, now


def _hash(token):
    """16 bits, 0 only for the empty token."""
    return crc32(token) & 0xFFFF or len(token)
