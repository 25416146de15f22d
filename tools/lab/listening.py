"""Where a server listens, with coap, coaps or both, and whom it lets in."""

from dataclasses import dataclass
from typing import Any

from . import uris
from .coap import CoapEndpoint
from .credentials import Credentials
from .errors import UsageError
from .layers import log
from .pki import Identity
from .trust import Trust


@dataclass(frozen=True)
class Security:
    """The secure side of a server: UDP port of coaps (0: any), who is who, and perhaps certificates of one's own.

    `own` is the server's certificate and key (DER; None: from the lab's own CA), `client_ca` a further CA (DER or PEM)
    whose certificates are accepted for the endpoints that they name.
    """

    port: int
    credentials: Credentials
    own: Identity | None = None
    client_ca: bytes | None = None


class Listening:
    """The part of a server that opens its sockets. `port` and `secure_port` are the real ones once it listens."""

    def __init__(self, host: str, port: int | None, security: Security | None, role: str):
        if port is None and security is None:
            raise UsageError("a server without coap and without coaps has nothing to do")
        self.host = host
        self.port: Any = port  # None: no coap
        self.secure_port: Any = security.port if security else None
        self.certificate: bytes | None = None  # the server's, DER, once it listens
        self.authority: bytes | None = None  # of the lab's CA, if that has issued it
        self._security, self._role = security, role
        self._coap: CoapEndpoint

    @property
    def credentials(self) -> Credentials | None:
        """Who is who, for coaps; what is changed there holds at once."""
        return self._security.credentials if self._security else None

    @property
    def uri(self) -> str:
        """What devices are told: coap://127.0.0.1:5683, or the secure one if there is no other."""
        return self.secure_uri if self.port is None else uris.coap_uri(self.host, self.port)

    @property
    def secure_uri(self) -> str:
        """coaps://127.0.0.1:5684. Raises UsageError if there is none."""
        return self.uri_for(self.host, True)

    @property
    def uris(self) -> list[str]:
        """Of coap and coaps, as far as there is a port."""
        return [
            self.uri_for(self.host, secure)
            for secure in (False, True)
            if (self.port, self.secure_port)[secure] is not None
        ]

    def uri_for(self, host: str, is_secure: bool) -> str:
        """The URI for those who call this machine `host`. Raises UsageError if there is none."""
        port = self.secure_port if is_secure else self.port
        if port is None:
            raise UsageError(f"the lab server does not listen with {'coaps' if is_secure else 'coap'}")
        return uris.coap_uri(host, port, "coaps" if is_secure else "coap")

    async def _listen(self, site: Any) -> None:
        """Raises StartError with a sentence: port in use, unknown host, a certificate that cannot be used."""
        self._coap = CoapEndpoint(site)
        try:
            if self.port is not None:
                self.port = await self._coap.open_coap(self.host, self.port)
            if self._security:
                trust = self._trust(self._security)
                self.secure_port = await self._coap.open_coaps(self.host, self.secure_port, trust)
        except BaseException:
            await self._coap.close()
            raise

    def _trust(self, security: Security) -> Trust:
        own = security.own
        if own is None:
            own, is_other = security.credentials.server_identity(self.host)
            if is_other:
                log.info(
                    "certificate a new one, as the server has other names now: boards that pinned the old one need it"
                )
            self.authority = security.credentials.authority().certificate
        self.certificate = own.certificate
        return Trust(security.credentials, own, self._role, security.client_ca)
