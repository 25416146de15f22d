"""coaps for aiocoap: its UDP socket with DTLS between the datagrams and the messages.

The remote address of a message is then the session, not the place: a device that begins a new session is another
remote, and nobody else is the same one.
"""

import asyncio
import contextlib
import socket
import time
from typing import Any

from aiocoap import Message
from aiocoap.message import Direction
from aiocoap.transports.udp6 import UDP6EndpointAddress

from .dtls import Peer, Sessions
from .layers import Datagrams, Messages, Tokens, ignored, is_well_formed, log
from .library import DtlsError
from .trust import Trust


class SecureAddress(UDP6EndpointAddress):
    """One DTLS session."""

    scheme = "coaps"

    def __init__(self, peer: Peer, interface: "SecureDatagrams"):
        super().__init__(peer.address, interface, pktinfo=peer.local)
        self.peer = peer

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecureAddress) and other.peer is self.peer

    def __hash__(self) -> int:
        return hash(self.peer)

    @property
    def endpoint(self) -> str | None:
        """The endpoint that this session belongs to, by its credentials as they are now; None: to none any more."""
        return self.interface.trust.endpoint_of(self.peer.session)

    @property
    def security(self) -> str:
        """With what the device has shown who it is."""
        return "X.509" if self.peer.session.peer_certificate else "PSK"

    @property
    def blockwise_key(self) -> Any:
        return self.peer

    def as_response_address(self) -> "SecureAddress":
        return self


class SecureMessages(Messages):
    """The message layer above a socket for those whom `trust` knows. Raises StartError."""

    message_interface: "SecureDatagrams"

    def __init__(self, tokens: Tokens, trust: Trust):
        super().__init__(tokens)
        self.trust, self.dtls = trust, trust.context()

    def dispatch_error(self, exception: Exception, remote: Any) -> None:
        """An error from the network is about a place: whoever waits for the session there hears of it."""
        if not isinstance(remote, SecureAddress):
            remote = self.message_interface.remote_at(remote.sockaddr)
        if remote and self._active_exchanges is not None:  # None: the endpoint is closed
            super().dispatch_error(exception, remote)


class SecureDatagrams(Datagrams):
    """The socket."""

    transport: Any

    def __init__(self, ctx: SecureMessages, log: Any, loop: Any):
        super().__init__(ctx, log, loop)
        self.trust = ctx.trust
        self._sessions = Sessions(ctx.dtls, self._transmit, self._began, self._over, time.monotonic)
        self._due: asyncio.TimerHandle | None = None

    def remote_at(self, sockaddr: tuple) -> SecureAddress | None:
        """The session at a place."""
        peer = self._sessions.at(sockaddr)
        return SecureAddress(peer, self) if peer else None

    def datagram_msg_received(self, data: bytes, ancdata: Any, flags: int, address: Any) -> None:
        for peer, plain in self._sessions.receive(data, address, _local(ancdata)):
            remote = SecureAddress(peer, self)
            if not is_well_formed(plain):
                ignored(remote, plain)
                continue
            message = Message.decode(plain, remote)
            message.direction = Direction.INCOMING
            self._ctx.dispatch_message(message)
        self._poll()

    def send(self, message: Message) -> None:
        remote: Any = message.remote
        try:
            self._sessions.send(remote.peer, message.encode())
        except DtlsError as error:
            self.loop.call_soon(self._ctx.dispatch_error, error, remote)

    async def recognize_remote(self, remote: Any) -> bool:
        return isinstance(remote, SecureAddress) and remote.interface is self

    async def determine_remote(self, request: Message) -> None:
        """None: this end begins no sessions."""

    async def shutdown(self) -> None:
        if self._due:
            self._due.cancel()
        self._sessions.close()
        await super().shutdown()

    def _poll(self) -> None:
        if self._due:
            self._due.cancel()
        self._due = self.loop.call_later(self._sessions.poll() + 0.001, self._poll)

    def _transmit(self, datagram: bytes, peer: Peer) -> None:
        ancdata = [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, peer.local)] if peer.local else []
        with contextlib.suppress(OSError):  # as good as lost
            self.transport.sendmsg(datagram, ancdata, 0, peer.address)

    def _began(self, peer: Peer) -> None:
        remote = SecureAddress(peer, self)
        log.info("session     %s  of %s: %s", remote.hostinfo, self.trust.name_of(peer.session), peer.session.cipher)

    def _over(self, peer: Peer, reason: str) -> None:
        remote = SecureAddress(peer, self)
        log.info("session     %s  of %s is over: %s", remote.hostinfo, self.trust.name_of(peer.session), reason)
        self.loop.call_soon(self._ctx.dispatch_error, DtlsError(f"its DTLS session is over: {reason}"), remote)


def _local(ancdata: Any) -> bytes | None:
    """The address of ours that a datagram came to, as the answer needs it."""
    found = (data for level, kind, data in ancdata if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO))
    return next(found, None)
