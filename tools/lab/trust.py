"""Which credentials a server accepts, to whom they belong, and what a device may do with them."""

import contextlib
from collections.abc import Iterator
from typing import Any

from aiocoap.error import BadRequest, Forbidden

from . import pki
from .credentials import SERVER, Credentials, text_of
from .errors import StartError, UsageError
from .layers import log
from .library import Session, server_context
from .pki import Identity


class Trust:
    """Who may come to a server of one role; `own` is the server's certificate, `client_ca` (DER or PEM) a CA whose
    certificates are accepted for the endpoint that they name, in addition to those that `credentials` knows."""

    def __init__(self, credentials: Credentials, own: Identity, role: str = SERVER, client_ca: bytes | None = None):
        self.credentials, self.own, self.role = credentials, own, role
        self._client_ca = client_ca

    def context(self) -> Any:
        """What sessions are made of. Raises StartError."""
        try:
            return server_context(self._key_of, self.own.certificate, self.own.key, verify=self._accepts)
        except ValueError as problem:
            raise StartError(f"the server's certificate cannot be used: {problem}") from None

    def endpoint_of(self, session: Session) -> str | None:
        """The endpoint that the credentials of a session belong to, now."""
        if session.peer_certificate:
            return self._endpoint_of_certificate(session.peer_certificate)
        found = self.credentials.by_identity(session.peer_identity or b"", self.role)
        return found[0] if found else None

    def name_of(self, session: Session) -> str:
        """Who a session belongs to, for the log."""
        how = "a certificate" if session.peer_certificate else f"PSK identity {text_of(session.peer_identity or b'')}"
        return f"{self.endpoint_of(session) or 'nobody'}, by {how}"

    def _key_of(self, identity: bytes) -> bytes | None:
        with _in_a_handshake():
            found = self.credentials.by_identity(identity, self.role)
            return found[1] if found else None

    def _accepts(self, der: bytes) -> bool:
        with _in_a_handshake():
            return self._endpoint_of_certificate(der) is not None
        return False

    def _endpoint_of_certificate(self, der: bytes) -> str | None:
        known = self.credentials.by_certificate(der, self.role)
        if known is None and self._client_ca and pki.is_issued_by(der, self._client_ca):
            return pki.common_name(der)
        return known


@contextlib.contextmanager
def _in_a_handshake() -> Iterator[None]:
    """OpenSSL has nobody to raise to: what the credentials file has to say is for the log."""
    try:
        yield
    except UsageError as problem:
        log.error("%s", problem)


def is_secure(remote: Any) -> bool:
    """Whether an address is a DTLS session."""
    return remote.scheme == "coaps"


def admit(credentials: Credentials | None, role: str, endpoint: str, remote: Any) -> None:
    """Let a device begin something in the name of `endpoint`, or raise Forbidden or BadRequest (OMA TRANS 5.2.8)."""
    if is_secure(remote):
        if remote.endpoint != endpoint:
            log.warning("refused     %s  is %s and says it is %r", remote.hostinfo, remote.endpoint, endpoint)
            raise BadRequest("these credentials belong to another endpoint")
    elif credentials and credentials.knows(endpoint, role):
        log.warning("refused     %s  %r has credentials and came without DTLS", remote.hostinfo, endpoint)
        raise Forbidden("this endpoint has credentials: it has to come with coaps")


def same_party(credentials: Credentials | None, registration: Any, remote: Any) -> None:
    """Let a device go on with its registration; raises Forbidden for anybody else."""
    endpoint = registration.endpoint
    if is_secure(registration.remote):
        good = is_secure(remote) and remote.endpoint == endpoint
    else:
        good = not is_secure(remote) and not (credentials and credentials.knows(endpoint, SERVER))
    if not good:
        log.warning("refused     %s  wants to speak for %s, who registered in another way", remote.hostinfo, endpoint)
        raise Forbidden("this registration belongs to somebody else")
