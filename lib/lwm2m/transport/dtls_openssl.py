"""A DTLS session on pyOpenSSL, for CPython, which has none of its own: the twin of dtls_mbedtls. Imported by
lwm2m.transport.dtls there, and never copied onto a board."""

import hashlib

from dtls_host import DtlsError, client_context
from dtls_host import Session as HostSession
from lwm2m.config import ConfigError

_PSK = 0
_TRUST_ANCHOR = 2


class Session:
    """One session, as dtls_mbedtls.Session is."""

    problem = None

    def __init__(self, security, host, read, write):
        self._read, self._write = read, write
        self._found = []
        try:
            self._session = HostSession(_context(security), security.sni or host)
        except ValueError as error:
            raise ConfigError("the certificates are of no use, they must be DER: %s" % error)
        self._flush()

    def recv(self):
        """The next datagram of the peer, None if there is none, b"" if it closed the session. Raises ValueError when
        the session is over."""
        if not self._found:
            self._advance()
        if self._found:
            return self._found.pop(0)
        return b"" if self._session.closed else None

    def _advance(self):
        datagram = self._read()
        try:
            if datagram:
                self._found = [found for found in self._session.receive(datagram) if found]
            elif self._session.deadline_s() == 0:
                self._session.on_timeout()
        except DtlsError as error:
            self.problem = self._session.refusal
            raise ValueError(str(error))
        finally:
            self._flush()

    def send(self, datagram):
        """Send a datagram; lost as long as the handshake is not through. Raises as recv does."""
        try:
            if self._session.established:
                self._session.send(datagram)
        except DtlsError as error:
            raise ValueError(str(error))
        finally:
            self._flush()

    def close(self):
        """Say good-bye."""
        self._session.close()
        self._flush()

    def _flush(self):
        for datagram in self._session.take():
            self._write(datagram)


def _context(security):
    if security.mode == _PSK:
        return client_context(psk=(security.identity, security.secret_key))
    cert, key = security.identity or None, security.secret_key or None
    if security.certificate_usage == _TRUST_ANCHOR:
        return client_context(cert=cert, key=key, ca=security.server_key)
    is_hash, wanted = security.matching_type == 1, security.server_key
    return client_context(
        cert=cert, key=key, pin=lambda der: (hashlib.sha256(der).digest() if is_hash else der) == wanted
    )
