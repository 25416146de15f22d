"""The DTLS sessions of one server socket: who is at which address, beginnings, ends and bounds. No socket, no clock.

A client that restarted comes back with a hello from an address that has a session: the old session lives on until the
new handshake is through, as anybody can write a hello (RFC 6347 4.2.8).
"""

import logging
from collections.abc import Callable
from typing import Any

from .library import DtlsError, Session, is_client_hello

log = logging.getLogger("lab")

MAX_SESSIONS = 1000  # then the one that was silent for the longest ends; about 75 KB each
MAX_OPENING = 100  # handshakes at a time, of addresses that answered the cookie; then the oldest ends
HANDSHAKE_S = 35  # then a handshake is given up; OpenSSL's retransmissions end after 31 s
IDLE_S = 25 * 3600  # a session that was silent for so long ends; registrations live for a day by default
COOKIE_S = 60  # how long a cookie is good, at least


class Peer:
    """One client: the session, and where its datagrams come from and go to."""

    def __init__(self, session: Session, address: tuple, local: Any, hello: bytes, now: float):
        self.session, self.address, self.local = session, address, local
        self.random = _random(hello)  # tells a repeated hello from a new one
        self.began_at = self.heard_at = now


class Sessions:
    """All clients of a socket. `transmit(datagram, peer)` sends, `began(peer)` hears of each new session, `over(peer,
    reason)` of the end of each that began. `clock` gives seconds."""

    def __init__(
        self,
        context: Any,
        transmit: Callable[[bytes, Peer], None],
        began: Callable[[Peer], None],
        over: Callable[[Peer, str], None],
        clock: Callable[[], float],
    ):
        self._context, self._clock = context, clock
        self._transmit, self._began, self._over = transmit, began, over
        self._peers: dict[tuple, Peer] = {}
        self._opening: dict[tuple, Peer] = {}
        self._listener: Session | None = None  # answers the hellos of everybody, with a cookie
        self._cookies_at = clock()

    def __len__(self) -> int:
        return len(self._peers)

    @property
    def opening(self) -> int:
        """How many handshakes are under way."""
        return len(self._opening)

    def at(self, address: tuple) -> Peer | None:
        """The client with a session at this address."""
        return self._peers.get(address)

    def receive(self, datagram: bytes, address: tuple, local: Any = None) -> list[tuple[Peer, bytes]]:
        """What applications have sent in a datagram, each with its sender."""
        if is_client_hello(datagram):
            return self._hello(datagram, address, local)
        opening, peer = self._opening.get(address), self._peers.get(address)
        if not opening and not peer:
            log.info("ignored     %s  nothing that begins a DTLS session", text_of(address))
        received = self._feed(opening, datagram) if opening else []
        if peer and peer is self._peers.get(address):
            received += self._feed(peer, datagram)
        return received

    def send(self, peer: Peer, data: bytes) -> None:
        """Raises DtlsError if the session is over."""
        if self._peers.get(peer.address) is not peer:
            raise DtlsError("its DTLS session is over")
        peer.session.send(data)
        self._flush(peer)

    def poll(self) -> float:
        """Do what time demands; the seconds until the next such moment."""
        now = self._clock()
        for peer in list(self._opening.values()):
            self._press_on(peer, now)
        if now - self._cookies_at >= COOKIE_S:
            self._context.renew_cookies()
            self._cookies_at = now
            for peer in [each for each in self._peers.values() if now - each.heard_at >= IDLE_S]:
                self._end(peer, "it was silent for too long")
        deadlines = [each.session.deadline_s() for each in self._opening.values()]
        return max(0.0, min([COOKIE_S, *(each for each in deadlines if each is not None)]))

    def close(self) -> None:
        """End all sessions, and tell the clients."""
        for peer in list(self._peers.values()):
            self._end(peer, "the lab server closed")
        self._opening.clear()

    def _hello(self, datagram: bytes, address: tuple, local: Any) -> list[tuple[Peer, bytes]]:
        for known in (self._opening.get(address), self._peers.get(address)):
            if known and known.random == _random(datagram):
                return self._feed(known, datagram)
        session = self._listener or Session(self._context)
        self._listener, session.address = None, address
        peer = Peer(session, address, local, datagram, self._clock())
        try:
            session.receive(datagram)
        except DtlsError as error:
            if session.is_verified:
                self._failed(peer, error)
            return []
        self._flush(peer)
        if session.is_verified:
            self._open(peer)
        else:
            self._listener = session
        return []

    def _open(self, peer: Peer) -> None:
        self._opening.pop(peer.address, None)
        if len(self._opening) >= MAX_OPENING:
            del self._opening[next(iter(self._opening))]
        self._opening[peer.address] = peer

    def _feed(self, peer: Peer, datagram: bytes) -> list[tuple[Peer, bytes]]:
        try:
            received = peer.session.receive(datagram)
        except DtlsError as error:
            if self._opening.get(peer.address) is peer:
                del self._opening[peer.address]
                self._failed(peer, error)
            else:
                self._end(peer, str(error))
            return []
        self._flush(peer)
        if received:
            peer.heard_at = self._clock()
        if peer.session.established and self._opening.get(peer.address) is peer:
            self._establish(peer)
        if peer.session.closed and self._peers.get(peer.address) is peer:
            self._end(peer, "the device ended it")
        return [(peer, data) for data in received]

    def _establish(self, peer: Peer) -> None:
        del self._opening[peer.address]
        former = self._peers.pop(peer.address, None)
        if former:
            self._over(former, "the device began a new one")
        if len(self._peers) >= MAX_SESSIONS:
            self._end(min(self._peers.values(), key=lambda each: each.heard_at), "there are too many sessions")
        self._peers[peer.address] = peer
        peer.heard_at = self._clock()
        self._began(peer)

    def _press_on(self, peer: Peer, now: float) -> None:
        """Retransmit, or give up."""
        try:
            if now - peer.began_at >= HANDSHAKE_S:
                raise DtlsError(peer.session.silence())
            peer.session.on_timeout()
        except DtlsError as error:
            del self._opening[peer.address]
            self._failed(peer, error)
        else:
            self._flush(peer)

    def _end(self, peer: Peer, reason: str) -> None:
        if self._peers.get(peer.address) is peer:
            del self._peers[peer.address]
        peer.session.close()
        self._flush(peer)
        self._over(peer, reason)

    def _failed(self, peer: Peer, error: DtlsError) -> None:
        self._flush(peer)
        claimed = peer.session.peer_identity
        who = f" (identity {printable(claimed)})" if claimed else ""
        log.warning("no session  %s%s  %s", text_of(peer.address), who, error)

    def _flush(self, peer: Peer) -> None:
        for datagram in peer.session.take():
            self._transmit(datagram, peer)


def printable(identity: bytes) -> str:
    """A PSK identity that a stranger may have made up, fit for a log."""
    return ascii(identity.decode("utf-8", "backslashreplace"))


def text_of(address: tuple) -> str:
    """host:port of a socket address, IPv4 without its IPv6 mapping."""
    host = address[0].removeprefix("::ffff:")
    return f"[{host}]:{address[1]}" if ":" in host else f"{host}:{address[1]}"


def _random(hello: bytes) -> bytes:
    """The client random of a ClientHello: behind 13 bytes of record, 12 of handshake header and the version."""
    return hello[27:59]
