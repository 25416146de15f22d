"""Credentials, and two DTLS sessions joined by a link that a test can disturb."""

import datetime
import ipaddress
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH
NAMES = (x509.DNSName("lab.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))


class Identity(NamedTuple):
    """A private key and a certificate for it."""

    private: ec.EllipticCurvePrivateKey
    x509: x509.Certificate

    @property
    def cert(self):
        return self.x509.public_bytes(DER)

    @property
    def key(self):
        return self.private.private_bytes(DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def identity(name, issuer=None, usage=None, names=(), days=(-1, 365)):
    """An Identity; without an issuer it is a CA that signs itself."""
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder(issuer.x509.subject if issuer else subject, subject, private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + days[0] * DAY)
        .not_valid_after(NOW + days[1] * DAY)
        .add_extension(x509.BasicConstraints(issuer is None, None), True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), False)
    return Identity(private, builder.sign(issuer.private if issuer else private, hashes.SHA256()))


def exchange(client, server, to_server=lambda datagram: [datagram], to_client=lambda datagram: [datagram]):
    """Carry datagrams both ways, each through a link(datagram) -> datagrams, until nobody says anything.

    Answers ([what the client got], [what the server got]); DtlsError passes through.
    """
    heard = [], []
    for _ in range(40):
        ways = (server, client.take(), to_server, heard[1]), (client, server.take(), to_client, heard[0])
        if not any(datagrams for _, datagrams, _, _ in ways):
            break
        for receiver, datagrams, link, got in ways:
            for datagram in datagrams:
                for arriving in link(datagram):
                    got += receiver.receive(arriving)
    return heard
