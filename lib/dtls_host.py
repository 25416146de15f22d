"""DTLS 1.2 for CPython, which has none of its own: sans-IO sessions of both roles on pyOpenSSL (RFC 6347, 7925).

`client_context` or `server_context` says who is trusted, a `Session` is one association: feed it with `receive`, put
what `take` returns on the wire, call `on_timeout` when `deadline_s` is over. Never copied onto a board. Some names are
pyOpenSSL's own secrets (`OpenSSL._util`, pre-shared keys need them), so its version is pinned in requirements.txt.
"""

import ipaddress
import weakref

from OpenSSL import SSL, crypto
from OpenSSL._util import lib

from dtls_context import Context, client_context, load_certificate, load_key, server_context

__all__ = [
    "Context",
    "DtlsError",
    "Session",
    "client_context",
    "is_client_hello",
    "load_certificate",
    "load_key",
    "server_context",
]

MTU = 1280 - 48  # bytes of UDP payload that every IPv6 path carries
LONGEST_RECORD = 16384  # bytes of plaintext
_LONGEST_DATAGRAM = LONGEST_RECORD + 2048  # what OpenSSL reads at once
_TIMEOUTS = 5  # 1 + 2 + 4 + 8 + 16 s without progress are hopeless
_HEADER = 13  # bytes of a record's header

_ALERTS = {  # description -> what it means for a person, after "the peer ended" or "was refused"
    10: "a message came that does not fit the handshake",
    20: "a record's checksum is wrong: the keys of the two sides differ",
    40: "there is no cipher suite, or no kind of credentials, that both sides have",
    41: "a certificate is required and none was sent",
    42: "the certificate is not acceptable (another name, not valid yet, or not the one that is expected)",
    43: "a certificate of this kind is not supported",
    44: "the certificate was revoked",
    45: "the certificate has expired, is not valid yet, or a clock is wrong",
    46: "the certificate cannot be verified",
    47: "a parameter of the handshake is not allowed",
    48: "the certificate was signed by a CA that is not trusted",
    49: "access is denied",
    50: "a message could not be decoded",
    51: "a proof in the handshake is wrong: the keys of the two sides differ",
    70: "the other side does not speak DTLS 1.2",
    71: "the cipher suites of the other side are too weak",
    80: "there is an internal error",
    86: "the connection fell back to an old version",
    90: "the user gave up",
    100: "no new handshake inside a session",
    109: "an extension is missing",
    110: "an extension is not supported",
    112: "the server name (SNI) is not known",
    115: "the PSK identity is not known",
    116: "a certificate is required and none was sent",
}


class DtlsError(Exception):
    """A session is over, or never came about; `str()` is one sentence.

    `alert` is the description of the alert behind it (RFC 5246 7.2) or None, `received` whether it came from the peer.
    """

    def __init__(self, sentence, alert=None, received=False):
        super().__init__(sentence)
        self.alert, self.received = alert, received


class Session:
    """One association. A client's begins with its first `take`; a server's with the hello that is given to `receive`.

    A client checks the server's certificate for `server_name` (DNS name or IP address), which is also sent as SNI if it
    is a name. A server keeps no state and answers with less than it got until the client has shown that it receives at
    `address`: until `is_verified`, one session serves the hellos of everybody, `address` being set before each.
    """

    def __init__(self, context, server_name=None, address=None):
        self.address = address
        self.is_client = context.is_client
        self.is_verified = context.is_client
        self.established = self.closed = False
        self.peer_identity = None  # of the PSK that the client named, bytes; it is proved once established
        self.is_peer_certified = False  # whether its certificate was accepted
        self.refusal = None  # why the peer's certificate was refused
        self._context = context
        self._heard = False  # whether anything came from the peer
        self._keys_used = False  # whether the client, whose turn it is first, has sent something under the new keys
        self._alert = None  # (description, whether received) of the last fatal alert
        self._timeouts = 0  # retransmissions of the last flight
        self._outgoing = []
        self._ssl = SSL.Connection(context.ssl, None)
        self._ssl.set_app_data(weakref.proxy(self))  # no circle: OpenSSL's memory goes with the session at once
        self._ssl.set_ciphertext_mtu(MTU)
        if not self.is_client:
            self._ssl.set_accept_state()
            return
        self._ssl.set_connect_state()
        if context.checks_peer:
            self._expect_name(server_name)
        self._advance()

    def receive(self, datagram):
        """What the peer's application sent, a list of bytes. Raises DtlsError: the session is over.

        What is no record, or is not from the peer, is dropped in silence.
        """
        records = _records_of(datagram) if len(datagram) <= _LONGEST_DATAGRAM else []
        if not records:
            return []
        self._ssl.bio_write(datagram)
        if not self.is_verified and not self._listen():
            return []
        self._heard = True
        self._keys_used |= not self.is_client and any(record[3:5] != b"\0\0" for record in records)
        return self._advance()

    def send(self, data):
        """Encrypt one datagram of the application. Raises DtlsError if there is no session, ValueError: too long."""
        if len(data) > LONGEST_RECORD:
            raise ValueError("%d bytes do not fit into a DTLS record" % len(data))
        if not self.established or self.closed:
            raise DtlsError("there is no DTLS session with the peer")
        try:
            self._ssl.send(data)
        except SSL.Error as error:
            raise self._failure(error) from None
        self._outgoing += self._records()

    def take(self):
        """The datagrams to put on the wire now, oldest first."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def deadline_s(self):
        """Seconds until `on_timeout` is to be called, or None."""
        return None if self.established else self._ssl.DTLSv1_get_timeout()

    def on_timeout(self):
        """Send the last flight again, if that is due. Raises DtlsError when there is no hope any more."""
        if self.established:
            return
        try:
            if self._ssl.DTLSv1_handle_timeout():
                self._timeouts += 1
        except SSL.Error as error:
            raise self._failure(error) from None
        if self._timeouts >= _TIMEOUTS:
            raise DtlsError(self.silence())
        self._outgoing += _joined(self._records())

    def silence(self):
        """What it means that the handshake has not come further by now: one sentence, for who gives it up."""
        if not self._heard:
            return "nobody answered the DTLS handshake"
        if self._context.has_psk and self._keys_used:
            return "the peer fell silent when the keys were to be proved: the pre-shared key is probably wrong"
        return "the peer fell silent in the middle of the DTLS handshake"

    def close(self):
        """Tell the peer that the session ends (close_notify)."""
        if self.established:
            try:
                self._ssl.shutdown()
            except SSL.Error:
                return  # what went wrong no longer matters
            self._outgoing += self._records()

    @property
    def peer_certificate(self):
        """The peer's certificate, DER, or None."""
        certificate = self._ssl.get_peer_certificate()
        return certificate and crypto.dump_certificate(crypto.FILETYPE_ASN1, certificate)

    @property
    def cipher(self):
        """The cipher suite by OpenSSL's name, or None before there is one."""
        return self._ssl.get_cipher_name()

    def _listen(self):
        """Whether the datagram in the buffer is a hello with a cookie for this address; one without is answered."""
        try:
            self._ssl.DTLSv1_listen()
        except SSL.WantReadError:
            self._outgoing += self._records()
            return False
        except SSL.Error as error:
            raise self._failure(error) from None
        self.is_verified = True
        return True

    def _advance(self):
        received = []
        try:
            if not self.established:
                self._ssl.do_handshake()
                self._check_established()
            while True:
                received.append(self._ssl.recv(LONGEST_RECORD))
        except SSL.WantReadError:
            pass
        except SSL.ZeroReturnError:
            self.closed = True
        except SSL.Error as error:
            raise self._failure(error) from None
        finally:
            if flight := _joined(self._records()):
                self._timeouts = 0
                self._outgoing += flight
        return received

    def _check_established(self):
        uses_psk = self._context.has_psk and self.cipher.startswith("PSK-")
        if self._context.checks_peer and not uses_psk and not self.is_peer_certified:
            raise DtlsError("the peer has shown no certificate that was checked")
        self.established = True

    def _expect_name(self, name):
        """The name that the server's certificate has to be made out for, if a CA is what makes it trusted."""
        try:
            address, name = ipaddress.ip_address(name or "").packed, None
        except ValueError:
            address = None
        if name:
            self._ssl.set_tlsext_host_name(name.encode("idna"))
        if not self._context.trusts_ca:
            return
        if not name and not address:
            raise ValueError("a server that is trusted by a CA needs a name to check")
        parameters = lib.SSL_get0_param(self._ssl._ssl)
        if address:
            lib.X509_VERIFY_PARAM_set1_ip(parameters, address, len(address))
        else:
            encoded = name.encode("idna")
            lib.X509_VERIFY_PARAM_set1_host(parameters, encoded, len(encoded))

    def _records(self):
        """The records that OpenSSL has written: its buffer joins them."""
        blob = b""
        try:
            while True:
                blob += self._ssl.bio_read(LONGEST_RECORD)
        except SSL.WantReadError:
            pass
        records = _records_of(blob)
        self._keys_used |= self.is_client and any(record[3:5] != b"\0\0" for record in records)
        return records

    def _failure(self, error):
        alert, received = self._alert or (None, False)
        if self.refusal:
            return DtlsError("the peer's certificate is refused: " + self.refusal, alert)
        found = error.args[0] if error.args else None  # a SysCallError has a number there
        reasons = ", ".join(each[-1] for each in found) if found and isinstance(found, list) else "no reason given"
        if alert is None or "did not return a certificate" in reasons:
            return DtlsError("the DTLS session failed: " + reasons, alert)
        who = "the peer ended the DTLS session: " if received else "the DTLS session was refused: "
        return DtlsError(who + _ALERTS.get(alert, "alert %d" % alert), alert, received)


def is_client_hello(datagram):
    """Whether a datagram begins a handshake: a ClientHello in epoch 0 (RFC 6347 4.2.8: or one that restarted)."""
    return len(datagram) > 25 and datagram[0] == 22 and datagram[3:5] == b"\0\0" and datagram[13] == 1


def _records_of(datagram):
    """The DTLS records that a datagram is made of; [] if it is not made of whole ones."""
    records = []
    while len(datagram) >= _HEADER:
        length = _HEADER + int.from_bytes(datagram[11:13], "big")
        records.append(datagram[:length])
        datagram = datagram[length:]
        if not datagram and len(records[-1]) == length:
            return records
    return []


def _joined(records):
    """Records put together to datagrams of at most MTU bytes."""
    datagrams = []
    for record in records:
        if datagrams and len(datagrams[-1]) + len(record) <= MTU:
            datagrams[-1] += record
        else:
            datagrams.append(record)
    return datagrams
