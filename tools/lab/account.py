"""One server that a bootstrap server hands out: an instance of /0 and one of /1, with its credentials."""

import dataclasses
import hashlib
from dataclasses import dataclass, field
from typing import Any

from . import uris
from .credentials import Credentials
from .errors import UsageError

PSK, X509, NO_SEC = 0, 2, 3  # /0/x/2
TRUST_ANCHOR = 2  # /0/x/15
MADE_HERE = ("psk", "x509")
_DIGESTS = {1: "sha256", 2: "sha384", 3: "sha512"}  # /0/x/13; 0 is the certificate itself
_MAX_SSID = 65534
_MAX_LIFETIME_S = 2**32 - 1


@dataclass(frozen=True)
class Account:
    """`uri` of None is the lab server in the same process. Credentials are either written here (PSK, or certificates in
    DER), or `credentials` is "psk" or "x509": those of the device in the credentials file, made if need be. The lab
    server goes out to a device that has come over coaps with "psk", if nothing else is said."""

    uri: str | None = None
    ssid: int = 101
    lifetime: int = 300
    binding: str = "U"
    allow_send: bool = False  # whether /1/x/23, Mute Send, is written as false; a device without it sends nothing
    credentials: str | None = None
    psk_identity: str | None = None
    psk_key: bytes = field(default=b"", repr=False)
    cert: bytes = b""  # the device's
    key: bytes = field(default=b"", repr=False)
    server_cert: bytes = b""
    matching_type: int | None = None  # how the server's certificate is known: 0 by itself, 1 to 3 by its SHA-2
    sni: str | None = None
    certificate_usage: int | None = None
    server: dict[int, Any] = field(default_factory=dict)  # further resources of /1/x
    security: dict[int, Any] = field(default_factory=dict, repr=False)  # and of /0/x

    def __post_init__(self) -> None:
        if self.uri is not None:
            uris.checked(self.uri)
        expect(1 <= self.ssid <= _MAX_SSID, f"ssid is {self.ssid}, not a number from 1 to {_MAX_SSID}")
        expect(0 <= self.lifetime <= _MAX_LIFETIME_S, f"lifetime is {self.lifetime}, not a number of seconds")
        expect(self.binding.isascii() and self.binding.isalpha(), f"binding is {self.binding!r}, which has no letters")
        known = self.credentials in (None, *MADE_HERE)
        expect(known, f"credentials is {self.credentials!r}, which is none of {', '.join(MADE_HERE)}")
        expect(self.matching_type in (None, 0, *_DIGESTS), f"matching_type is {self.matching_type}, not 0 to 3")
        self._check_credentials()

    def _check_credentials(self) -> None:
        has_psk, has_cert = bool(self.psk_identity or self.psk_key), bool(self.cert or self.key or self.server_cert)
        kinds = [bool(self.credentials), has_psk, has_cert]
        expect(
            sum(kinds) < 2, "it has several kinds of credentials: psk_identity, cert and credentials exclude another"
        )
        expect(not has_psk or bool(self.psk_identity and self.psk_key), "psk_identity and psk_key come together")
        expect(not has_cert or bool(self.server_cert), "certificates need server_cert, by which the device knows it")
        expect(bool(self.cert) == bool(self.key), "cert and key come together")
        scheme = (self.uri or "").partition(":")[0]
        if scheme.startswith("coaps"):
            expect(any(kinds) or bool(self.security), f"{self.uri} needs psk_identity and psk_key, or certificates")
        elif scheme:
            expect(not any(kinds), f"{self.uri} is without DTLS, so it has no use for credentials: write coaps://")

    @property
    def is_secure(self) -> bool:
        return self.mode != NO_SEC or self.credentials is not None

    @property
    def may_be_secured(self) -> bool:
        """Whether it is the lab server, and nothing is said of security."""
        return self.uri is None and not self.is_secure and not self.security

    @property
    def mode(self) -> int:
        """The Security Mode, /0/x/2."""
        return PSK if self.psk_identity else X509 if self.server_cert else NO_SEC

    def security_instance(self, uri: str) -> dict[int, Any]:
        identity = (self.psk_identity or "").encode() or self.cert
        digest = _DIGESTS.get(self.matching_type or 0)
        known_by = hashlib.new(digest, self.server_cert).digest() if digest else self.server_cert
        values = {0: uri, 1: False, 2: self.mode, 3: identity, 4: known_by, 5: self.psk_key or self.key, 10: self.ssid}
        optional = {13: self.matching_type, 14: self.sni, 15: self.certificate_usage}
        return values | {rid: value for rid, value in optional.items() if value is not None} | self.security

    def server_instance(self) -> dict[int, Any]:
        muted = {23: False} if self.allow_send else {}
        return {0: self.ssid, 1: self.lifetime, 6: True, 7: self.binding} | muted | self.server

    def with_credentials(
        self, endpoint: str, store: Credentials, server_cert: bytes, authority: bytes | None
    ) -> "Account":
        """This account with the device's own credentials in it: its key, made if it has none; or a new certificate
        and key, which hold in place of the one before. `server_cert` is the lab server's, `authority` who signed it.
        Raises UsageError."""
        if self.credentials == "psk":
            identity, key = store.psk_of(endpoint) or store.new_psk(endpoint)
            found = {"psk_identity": identity.decode(), "psk_key": key}
        elif self.credentials == "x509":
            if self.certificate_usage == TRUST_ANCHOR:
                expect(
                    authority is not None, "certificate_usage 2 hands out the lab's CA, which --server-cert is not of"
                )
                server_cert = authority or b""
            issued = store.issue(endpoint)
            found = {"cert": issued.certificate, "key": issued.key, "server_cert": server_cert}
        else:
            return self
        return dataclasses.replace(self, credentials=None, **found)


def expect(condition: bool, sentence: str) -> None:
    """Raise UsageError unless it is so."""
    if not condition:
        raise UsageError(sentence)
