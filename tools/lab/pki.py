"""The lab's certificates: a CA, the server's certificate, and those of devices. All on P-256, as LwM2M wants them."""

import datetime
import ipaddress
import socket
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .library import load_certificate, load_key

_DAY = datetime.timedelta(days=1)
_CA_DAYS, _DAYS, _SOON_DAYS = 20 * 365, 10 * 365, 30
_LONGEST_NAME = 64  # characters of a common name (X.520)
_WILDCARDS = ("0.0.0.0", "::", "")
_ELSEWHERE = ("192.0.2.1", 9)  # an address for documentation: nothing is sent there


class Identity(NamedTuple):
    """A certificate and its private key (PKCS#8), DER both."""

    certificate: bytes
    key: bytes


def authority() -> Identity:
    """A CA that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("microlwm2m lab CA")
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    builder = _builder(name, name, key, _CA_DAYS).add_extension(x509.BasicConstraints(True, 0), True)
    return _signed(builder.add_extension(usage, True), key, key)


def issue(ca: Identity, endpoint: str) -> Identity:
    """A certificate for a device; its name is the endpoint, as far as it fits."""
    return _leaf(ca, endpoint, ExtendedKeyUsageOID.CLIENT_AUTH, [])


def issue_server(ca: Identity, names: set[str]) -> Identity:
    """A certificate for a server of these names and addresses."""
    return _leaf(
        ca, "microlwm2m lab server", ExtendedKeyUsageOID.SERVER_AUTH, [_general(name) for name in sorted(names)]
    )


def names_of(certificate: bytes) -> set[str]:
    """The names that a server's certificate of ours is made out for."""
    extensions = x509.load_der_x509_certificate(certificate).extensions
    return {str(each.value) for each in extensions.get_extension_for_class(x509.SubjectAlternativeName).value}


def expires_soon(certificate: bytes) -> bool:
    """Whether a certificate is good for less than a month."""
    end = x509.load_der_x509_certificate(certificate).not_valid_after_utc
    return end < datetime.datetime.now(datetime.UTC) + _SOON_DAYS * _DAY


def is_issued_by(der_of_leaf: bytes, ca: bytes) -> bool:
    """Whether a client's certificate was signed by this CA itself, is valid now and is meant for clients."""
    now = datetime.datetime.now(datetime.UTC)
    try:
        leaf = x509.load_der_x509_certificate(der_of_leaf)
        leaf.verify_directly_issued_by(load_certificate(ca))
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        usage = [ExtendedKeyUsageOID.CLIENT_AUTH]
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.DuplicateExtension):
        return False
    return leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc and ExtendedKeyUsageOID.CLIENT_AUTH in usage


def common_name(certificate: bytes) -> str | None:
    """The name in a certificate."""
    names = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if len(names) == 1 else None


def names_for(host: str) -> set[str]:
    """What devices call a server that listens on `host`: that, or this machine's address if `host` is a wildcard."""
    return {host} if host not in _WILDCARDS else _address_in_the_network()


def names_of_this_machine() -> set[str]:
    """What devices may call it at all."""
    return {"localhost", "127.0.0.1", "::1", socket.gethostname()} | _address_in_the_network()


def _address_in_the_network() -> set[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)  # only asks for the route
        except OSError:
            return set()
        return {probe.getsockname()[0]}


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def pem_certificate(data: bytes) -> bytes:
    """PEM of a certificate in DER."""
    return load_certificate(data).public_bytes(serialization.Encoding.PEM)


def pem_key(data: bytes) -> bytes:
    """PEM of a private key in DER."""
    return load_key(data).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def der_key(data: bytes) -> bytes:
    """DER (PKCS#8) of a private key in DER or PEM. Raises ValueError with a sentence."""
    return load_key(data).private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _leaf(ca: Identity, name: str, usage: x509.ObjectIdentifier, names: list[x509.GeneralName]) -> Identity:
    issuer, key = x509.load_der_x509_certificate(ca.certificate), ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_name(name[:_LONGEST_NAME]), issuer.subject, key, _DAYS)
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(x509.KeyUsage(True, False, False, False, False, False, False, False, False), True)
        .add_extension(x509.ExtendedKeyUsage([usage]), False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    return _signed(builder, key, load_key(ca.key))


def _builder(name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    begin, end = now - _DAY, now + days * _DAY  # a board's clock may be behind
    public, number = key.public_key(), x509.random_serial_number()
    builder = x509.CertificateBuilder(issuer, name, public, number, begin, end)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)


def _signed(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> Identity:
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    builder = builder.add_extension(issued_by, False)
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Identity(der(builder.sign(signer, hashes.SHA256())), private)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
