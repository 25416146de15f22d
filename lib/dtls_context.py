"""Who is trusted in DTLS, and with which credentials: the contexts of `dtls_host`, on pyOpenSSL. CPython's alone."""

import hmac
import os

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from OpenSSL import SSL, crypto
from OpenSSL._util import ffi, lib

LONGEST_IDENTITY, LONGEST_KEY = 128, 64  # bytes (RFC 4279 5.3 asks for these at least)
PSK_SUITES = "PSK-AES128-CCM8:PSK-AES128-GCM-SHA256:PSK-AES128-CBC-SHA256"
X509_SUITES = "ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES128-GCM-SHA256"
_DTLS_1_2 = 0xFEFD
_REJECTED = 28  # X509_V_ERR_CERT_REJECTED: alert 42
_CERTIFICATES = {  # X509_V_ERR_...: what is wrong with the peer's certificate
    9: "it is not valid yet, or this clock is wrong",
    10: "it has expired, or this clock is wrong",
    18: "it signed itself and is not the one that is trusted",
    19: "it was signed by a CA that is not trusted",
    20: "it was signed by a CA that is not trusted",
    21: "it was signed by a CA that is not trusted",
    26: "it was not made for this purpose (extended key usage)",
    62: "it was made out for another name",
    64: "it was made out for another address",
}


class Context:
    """Who is trusted and with which credentials; for any number of sessions. Made by the two functions below."""

    def __init__(self, is_client):
        self.is_client = is_client
        self.has_psk = False
        self.checks_peer = False
        self.verify = None  # callable(DER of the peer's own certificate) -> whether it is accepted, on top of any CA
        self.trusts_ca = False
        self.ssl = SSL.Context(SSL.DTLS_CLIENT_METHOD if is_client else SSL.DTLS_SERVER_METHOD)
        self.ssl.set_min_proto_version(_DTLS_1_2)
        self.ssl.set_max_proto_version(_DTLS_1_2)
        options = SSL.OP_NO_QUERY_MTU | SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION
        self.ssl.set_options(options if is_client else options | SSL.OP_COOKIE_EXCHANGE)
        self.ssl.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        self.ssl.set_info_callback(_note_alert)
        self._secrets = [os.urandom(32)]  # of the cookies: the present one, and the one before
        self.ssl.set_cookie_generate_callback(lambda connection: _cookie(self._secrets[0], connection))
        self.ssl.set_cookie_verify_callback(self._is_cookie)
        self._suites = []

    def add_psk(self, callback, suites=PSK_SUITES):
        """Take pre-shared keys from a cffi callback, which this object keeps alive."""
        self._callback, self.has_psk = callback, True
        set_callback = lib.SSL_CTX_set_psk_client_callback if self.is_client else lib.SSL_CTX_set_psk_server_callback
        set_callback(self.ssl._context, callback)
        self._set_suites(suites)

    def add_certificate(self, certificate, key):
        """Use this certificate, and its key, as one's own. Raises ValueError."""
        self.ssl.use_certificate(load_certificate(certificate))
        try:
            self.ssl.use_privatekey(load_key(key))
            self.ssl.check_privatekey()
        except SSL.Error:
            raise ValueError("the private key does not belong to the certificate") from None

    def check_peer(self, ca, verify):
        """Ask for the peer's certificate: it has to chain to `ca` and to be accepted by `verify`, as far as given."""
        self.checks_peer, self.trusts_ca, self.verify = True, ca is not None, verify
        if ca is not None:
            anchor = load_certificate(ca)
            store = self.ssl.get_cert_store()
            store.add_cert(crypto.X509.from_cryptography(anchor))
            store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)  # an anchor need not have signed itself
            if not self.is_client:
                self.ssl.add_client_ca(anchor)
        # Not pyOpenSSL's set_verify: its callbacks cannot say with which alert they refuse.
        lib.SSL_CTX_set_verify(self.ssl._context, SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _verify)

    def add_x509_suites(self):
        """Offer, or accept, the suites with certificates."""
        self._set_suites(X509_SUITES)

    def _set_suites(self, suites):
        self._suites.append(suites)
        # Level 0: the levels of OpenSSL count the 8-byte tag of CCM_8, LwM2M's mandatory suite, as too weak.
        self.ssl.set_cipher_list((":".join(self._suites) + ":@SECLEVEL=0").encode())

    def renew_cookies(self):
        """A server's duty every minute or so: cookies from before the last but one renewal are good no more."""
        self._secrets = [os.urandom(32), self._secrets[0]]

    def _is_cookie(self, connection, cookie):
        return any(hmac.compare_digest(cookie, _cookie(secret, connection)) for secret in self._secrets)


def client_context(psk=None, cert=None, key=None, ca=None, pin=None):
    """A Context for sessions to servers: either `psk`, a pair (identity, key) of bytes, or certificates.

    With certificates, the server is trusted by exactly one of `ca` (a trust anchor, DER or PEM: chain, validity and
    name are checked) and `pin` (callable(DER of the server's certificate) -> bool: no chain, no clock). `cert` and
    `key` (DER or PEM) are the client's own, if it has some. Raises ValueError with a sentence.
    """
    context = Context(True)
    if psk is not None:
        if cert or key or ca or pin:
            raise ValueError("a session has a pre-shared key or certificates, not both")
        context.add_psk(_client_callback(*psk))
        return context
    if (ca is None) == (pin is None):
        raise ValueError("the server's certificate needs a CA or a pin to be trusted by, and not both")
    if (cert is None) != (key is None):
        raise ValueError("a certificate and its private key come together")
    context.add_x509_suites()
    if cert is not None:
        context.add_certificate(cert, key)
    context.check_peer(ca, pin)
    return context


def server_context(psk=None, cert=None, key=None, ca=None, verify=None):
    """A Context for sessions of clients: pre-shared keys, certificates or both.

    `psk` is callable(identity) -> key or None, `cert` and `key` (DER or PEM) the server's own. Certificates of clients
    have to chain to `ca` and be accepted by `verify`, a callable(DER) -> bool, as far as these are given; with neither,
    clients are not asked for one. Raises ValueError with a sentence.
    """
    context = Context(False)
    if psk is None and cert is None:
        raise ValueError("a server needs pre-shared keys or a certificate")
    if (cert is None) != (key is None):
        raise ValueError("a certificate and its private key come together")
    if psk is not None:
        context.add_psk(_server_callback(psk))
    if cert is not None:
        context.add_x509_suites()
        context.add_certificate(cert, key)
        if ca is not None or verify is not None:
            context.check_peer(ca, verify)
    return context


def load_certificate(data):
    """A certificate from DER or PEM. Raises ValueError with a sentence."""
    try:
        is_pem = b"-----BEGIN" in data
        return x509.load_pem_x509_certificate(data) if is_pem else x509.load_der_x509_certificate(data)
    except ValueError:
        raise ValueError("this is no certificate (X.509 in DER or PEM is expected)") from None


def load_key(data):
    """A private key on an elliptic curve from DER or PEM, SEC1 or PKCS#8. Raises ValueError with a sentence."""
    load = serialization.load_pem_private_key if b"-----BEGIN" in data else serialization.load_der_private_key
    try:
        key = load(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("this is no private key (SEC1 or PKCS#8 in DER or PEM, without a passphrase)") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("the private key is not on an elliptic curve: LwM2M's certificates use P-256")
    return key


def _cookie(secret, connection):
    return hmac.digest(secret, repr(connection.get_app_data().address).encode(), "sha256")


def _client_callback(identity, key):
    if not 0 < len(identity) <= LONGEST_IDENTITY or b"\0" in identity:
        raise ValueError("a PSK identity has 1 to %d bytes, none of them 0" % LONGEST_IDENTITY)
    if not 0 < len(key) <= LONGEST_KEY:
        raise ValueError("a pre-shared key has 1 to %d bytes" % LONGEST_KEY)

    @ffi.callback("unsigned int(SSL *, char *, char *, unsigned int, unsigned char *, unsigned int)")
    def use(_, hint, out_identity, longest_identity, out_key, longest_key):
        if len(identity) >= longest_identity or len(key) > longest_key:
            return 0
        ffi.memmove(out_identity, identity + b"\0", len(identity) + 1)
        ffi.memmove(out_key, key, len(key))
        return len(key)

    return use


def _server_callback(key_of):
    @ffi.callback("unsigned int(SSL *, char *, unsigned char *, unsigned int)", error=0)
    def look_up(ssl, name, out_key, longest):
        identity = ffi.string(name)
        SSL.Connection._reverse_mapping[ssl].get_app_data().peer_identity = identity[:LONGEST_IDENTITY]
        key = key_of(identity) if len(identity) <= LONGEST_IDENTITY else None
        if not key or len(key) > longest:
            return 0
        ffi.memmove(out_key, key, len(key))
        return len(key)

    return look_up


@ffi.callback("int(int, X509_STORE_CTX *)", error=0)
def _verify(is_good, store):
    """OpenSSL asks this for each certificate of the peer's chain, from the anchor to the leaf, and for each fault."""
    ssl = lib.X509_STORE_CTX_get_ex_data(store, lib.SSL_get_ex_data_X509_STORE_CTX_idx())
    session = SSL.Connection._reverse_mapping[ssl].get_app_data()
    context, error = session._context, lib.X509_STORE_CTX_get_error(store)
    if context.trusts_ca and not is_good:
        session.refusal = _CERTIFICATES.get(error) or ffi.string(lib.X509_verify_cert_error_string(error)).decode()
        return 0
    if lib.X509_STORE_CTX_get_error_depth(store) == 0:
        if context.verify and not context.verify(_current(store)):
            session.refusal = "it is not one that is expected here"
            lib.X509_STORE_CTX_set_error(store, _REJECTED)
            return 0
        session.is_peer_certified = True
    lib.X509_STORE_CTX_set_error(store, 0)
    return 1


def _current(store):
    """DER of the certificate that is being asked about."""
    pointer = lib.X509_STORE_CTX_get_current_cert(store)
    lib.X509_up_ref(pointer)
    return crypto.dump_certificate(crypto.FILETYPE_ASN1, crypto.X509._from_raw_x509_ptr(pointer))


def _note_alert(connection, where, value):
    """OpenSSL calls this at every step; the low byte of an alert's value is its description, the next the level."""
    if where & SSL.SSL_CB_ALERT and value >> 8 == 2:
        connection.get_app_data()._alert = (value & 0xFF, bool(where & SSL.SSL_CB_READ))
