"""A DTLS session on MicroPython's own `tls` module (Mbed TLS). Imported by lwm2m.transport.dtls on MicroPython.

What was met there: the module takes any stream in place of a socket, which keeps what happens to datagrams out of it,
as after an error it would repeat that for ever; its `cipher()` must not be called before the end of a handshake; `send`
and `recv` look after the handshake and return None as long as there is nothing else to return.
"""

import hashlib
import io

from compat_load import load

from compat import const, interpreter
from lwm2m.config import ConfigError

_PSK = const(0)
_TRUST_ANCHOR = const(2)  # a certificate usage (/0/x/15)
_MAX_RECORD = const(1330)  # more than any datagram that udp lets through holds
_BAD_INPUT_DATA = const(-0x7100)  # of Mbed TLS, whose longest key is set when it is built: 32 bytes as a rule
_MP_STREAM_POLL = const(3)


class Session(io.IOBase):
    """One session: `read()` gives the next datagram from the net or None, `write(datagram)` sends one. `security` is a
    Security instance that lwm2m.credentials finds usable, `host` the name in its URI.

    Raises ConfigError if this firmware cannot do what `security` asks for.
    """

    problem = None  # what is wrong with the server's certificate, in plain words

    def __init__(self, security, host, read, write):
        self._read = read
        self._write = write
        tls = load("tls")
        if not hasattr(tls, "PROTOCOL_DTLS_CLIENT"):
            raise ConfigError("coaps:// needs MicroPython 1.29 or newer, and this is %s" % interpreter())
        context = tls.SSLContext(tls.PROTOCOL_DTLS_CLIENT)
        if security.mode == _PSK:
            name = self._pre_shared(tls, context, security)
        else:
            name = self._certificates(tls, context, security, host)
        self._tls = context.wrap_socket(self, do_handshake_on_connect=False, server_hostname=name)

    def _pre_shared(self, tls, context, security):
        if not hasattr(context, "psk_key"):
            raise ConfigError("a pre-shared key needs MicroPython 1.29 or newer, and this is %s" % interpreter())
        context.verify_mode = tls.CERT_NONE  # there is no certificate
        try:
            context.psk_identity = security.identity
            context.psk_key = security.secret_key
        except OSError as error:
            if error.errno != _BAD_INPUT_DATA:
                raise
            raise ConfigError("this firmware takes no pre-shared key of %d bytes" % len(security.secret_key))

    def _certificates(self, tls, context, security, host):
        """Returns the name to ask for (SNI) and to find in the certificate."""
        try:
            if security.identity:
                context.load_cert_chain(security.identity, security.secret_key)
            if security.certificate_usage == _TRUST_ANCHOR:
                context.load_verify_locations(security.server_key)
        except ValueError as error:
            raise ConfigError("the certificates are of no use, they must be DER: %s" % error)
        if security.certificate_usage == _TRUST_ANCHOR:
            context.verify_mode = tls.CERT_REQUIRED
            return security.sni or host
        # The server's own certificate is known: no clock and no name are needed. Mbed TLS asks about each certificate
        # of the chain, and at depth 0 about that whose key the server has proved to have.
        wanted, is_hash = security.server_key, security.matching_type == 1

        def check(certificate, depth):
            if depth or (hashlib.sha256(certificate).digest() if is_hash else certificate) == wanted:
                return 0
            self.problem = "its certificate is not the one that we know (/0/x/4)"
            return -1

        context.verify_mode = tls.CERT_OPTIONAL
        context.verify_callback = check
        return security.sni or (None if _is_address(host) else host)

    def recv(self):
        """The next datagram of the peer, None if there is none, b"" if it closed the session. Raises OSError or
        ValueError when the session is over."""
        return self._tls.recv(_MAX_RECORD)

    def send(self, datagram):
        """Send a datagram; lost as long as the handshake is not through. Raises as recv does."""
        self._tls.send(datagram)

    def close(self):
        """Give the 25 KB that a session takes back at once."""
        self._tls.close()

    # -- what Mbed TLS sees as its socket -----------------------------------------------------------------------------

    def readinto(self, buffer):
        """One datagram, or None."""
        datagram = self._read()
        if not datagram or len(datagram) > len(buffer):
            return None
        buffer[: len(datagram)] = datagram
        return len(datagram)

    def write(self, datagram):
        """One datagram."""
        self._write(datagram)
        return len(datagram)

    def ioctl(self, request, argument):
        """It is always ready: read says if there is nothing."""
        return argument if request == _MP_STREAM_POLL else 0


def _is_address(host):
    return ":" in host or not host.strip("0123456789.")
