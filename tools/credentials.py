"""Certificates and keys as people have them, PEM or DER, in the form that a board takes: DER."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization


class CredentialError(Exception):
    """A file that is not what it should be; one sentence."""


def certificate_der(path: Path) -> bytes:
    """The first certificate of a file. Raises CredentialError."""
    raw = _read(path)
    try:
        load = x509.load_pem_x509_certificate if _is_pem(raw) else x509.load_der_x509_certificate
        return load(raw).public_bytes(serialization.Encoding.DER)
    except ValueError:
        raise CredentialError(f"{path} is no certificate in PEM or DER") from None


def key_der(path: Path) -> bytes:
    """The private key of a file, without a password. Raises CredentialError."""
    raw = _read(path)
    try:
        load = serialization.load_pem_private_key if _is_pem(raw) else serialization.load_der_private_key
        key = load(raw, None)
    except TypeError:
        raise CredentialError(f"{path} is protected by a password, which a board cannot ask for") from None
    except (ValueError, NotImplementedError):
        raise CredentialError(f"{path} is no private key in PEM or DER") from None
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _is_pem(raw: bytes) -> bool:
    return b"-----BEGIN" in raw


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CredentialError(f"{path} cannot be read: {error.strerror}") from None
