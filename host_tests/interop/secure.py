"""A scripted server behind DTLS, on pyOpenSSL: host_tests.interop.network.ScriptedServer with sessions."""

import contextlib
from collections.abc import AsyncIterator

from dtls_host import DtlsError, Session, is_client_hello
from host_tests.interop.network import Address, ScriptedServer


class SecureServer(ScriptedServer):
    """What the device says in a session is what a ScriptedServer hears. `sessions` are those that stand or begin, by
    address; `handshakes` the addresses of all that have stood; `ended` why sessions ended. `lose(datagram)` drops what
    arrives when it returns true.
    """

    def __init__(self, context):
        super().__init__()
        self.context = context
        self.sessions: dict[Address, Session] = {}
        self.handshakes: list[Address] = []
        self.ended: list[DtlsError] = []
        self.lose = lambda datagram: False
        self._from_session, self.heard = self.heard, self._from_net

    @property
    def uri(self) -> str:
        return f"coaps://127.0.0.1:{self.port}"

    def _from_net(self, data: bytes, address: Address) -> None:
        if self.lose(data):
            return
        session = self.sessions.get(address)
        if session is None:
            if not is_client_hello(data):
                return
            session = self.sessions[address] = Session(self.context)
            session.address = address
        stood = session.established
        try:
            found = session.receive(data)
        except DtlsError as error:
            self.ended.append(error)
            del self.sessions[address]
            found = []
        self._flush(session, address)
        if session.established and not stood:
            self.handshakes.append(address)
        for datagram in found:
            self._from_session(datagram, address)
        if session.closed:
            self.sessions.pop(address, None)

    def _flush(self, session: Session, address: Address) -> None:
        for datagram in session.take():
            super().send(datagram, address)

    def send(self, datagram: bytes, address: Address) -> None:
        """Send in the session with that address, if there is one."""
        if session := self.sessions.get(address):
            with contextlib.suppress(DtlsError):
                session.send(datagram)
            self._flush(session, address)

    def send_plainly(self, datagram: bytes, address: Address) -> None:
        """Send without a session."""
        super().send(datagram, address)

    def forget(self) -> None:
        """What a server does that is restarted hard."""
        self.sessions.clear()

    def say_goodbye(self) -> None:
        """What a server does that is restarted cleanly."""
        for address, session in self.sessions.items():
            session.close()
            self._flush(session, address)
        self.forget()

    @classmethod
    @contextlib.asynccontextmanager
    async def with_context(cls, context) -> AsyncIterator["SecureServer"]:
        """Bind to any port of loopback; closed at the end."""
        async with cls.open(context=context) as server:
            yield server
