"""Who is who: pre-shared keys and certificates of devices, and the lab's own CA, in one SQLite file.

An endpoint has at most one pre-shared key and one certificate for each role: "server" (the LwM2M server) and
"bootstrap" (the bootstrap server). Whatever is changed holds from the next handshake and the next registration on. The
file is for its owner alone (mode 0600); keys leave it for handshakes and for a bootstrap only.
"""

import contextlib
import hashlib
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import pki
from .errors import StartError, UsageError
from .library import load_certificate
from .pki import Identity

SERVER, BOOTSTRAP = ROLES = "server", "bootstrap"
LONGEST_IDENTITY, LONGEST_KEY = 128, 64  # bytes
_NEW_KEY = 16  # bytes of a key that is made here
_IN_MEMORY = ":memory:"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS psk (
    role TEXT, endpoint TEXT, identity BLOB, key BLOB, added INTEGER,
    PRIMARY KEY (role, endpoint), UNIQUE (role, identity));
CREATE TABLE IF NOT EXISTS certificate (
    role TEXT, endpoint TEXT, sha256 BLOB, der BLOB, added INTEGER,
    PRIMARY KEY (role, endpoint), UNIQUE (role, sha256));
CREATE TABLE IF NOT EXISTS pki (name TEXT PRIMARY KEY, certificate BLOB, key BLOB);
"""


@dataclass(frozen=True)
class Entry:
    """One credential, without its secret: `kind` is "PSK" or "X.509", `detail` the identity or the SHA-256."""

    role: str
    endpoint: str
    kind: str
    detail: str
    added: int  # Unix time, seconds


def default_file() -> Path:
    """In the state directory of this user."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "microlwm2m" / "credentials.sqlite"


class Credentials:
    """The file, which is made if it is not there; without one, all is in memory. Raises StartError and UsageError."""

    def __init__(self, file: Path | str | None = None):
        self.file = _IN_MEMORY if file is None else str(file)
        try:
            if file is not None:
                _protect(Path(file))
            self._database = sqlite3.connect(self.file, timeout=5, isolation_level=None)
            self._database.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as problem:
            reason = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
            raise StartError(f"the credentials file {self.file} cannot be used: {reason}") from None

    def close(self) -> None:
        self._database.close()

    def add_psk(self, endpoint: str, identity: bytes, key: bytes, role: str = SERVER) -> None:
        """Give an endpoint a pre-shared key in place of the one that it had."""
        _check_endpoint(endpoint)
        if not 0 < len(identity) <= LONGEST_IDENTITY or 0 in identity or not _is_text(identity):
            raise UsageError(f"a PSK identity is text of 1 to {LONGEST_IDENTITY} bytes in UTF-8, none of them 0")
        if not 0 < len(key) <= LONGEST_KEY:
            raise UsageError(f"a pre-shared key has 1 to {LONGEST_KEY} bytes")
        values = (role, endpoint, identity, key, int(time.time()))
        self._put("psk", values, "this PSK identity")

    def new_psk(self, endpoint: str, role: str = SERVER, identity: bytes | None = None) -> tuple[bytes, bytes]:
        """Make a key for an endpoint; returns (identity, key). The identity is its name if none is given."""
        identity, key = identity or endpoint.encode(), secrets.token_bytes(_NEW_KEY)
        self.add_psk(endpoint, identity, key, role)
        return identity, key

    def add_certificate(self, endpoint: str, certificate: bytes, role: str = SERVER) -> None:
        """Accept a certificate (DER or PEM) for an endpoint in place of the one that it had."""
        _check_endpoint(endpoint)
        der = _der(certificate)
        values = (role, endpoint, hashlib.sha256(der).digest(), der, int(time.time()))
        self._put("certificate", values, "this certificate")

    def issue(self, endpoint: str, role: str = SERVER) -> Identity:
        """A new key and a certificate for it from the lab's CA, accepted for the endpoint. The key is not kept."""
        _check_endpoint(endpoint)
        identity = pki.issue(self.authority(), endpoint)
        self.add_certificate(endpoint, identity.certificate, role)
        return identity

    def remove(self, endpoint: str, role: str | None = None) -> int:
        """Take the credentials of an endpoint away, of one role or of all; returns how many there were."""
        where, values = (
            ("endpoint = ?", [endpoint]) if role is None else ("endpoint = ? AND role = ?", [endpoint, role])
        )
        with self._sentences():
            return sum(
                self._database.execute(f"DELETE FROM {table} WHERE {where}", values).rowcount
                for table in ("psk", "certificate")
            )

    def entries(self) -> list[Entry]:
        """All credentials, without any key."""
        keys = self._all("SELECT role, endpoint, identity, added FROM psk")
        certificates = self._all("SELECT role, endpoint, sha256, added FROM certificate")
        found = [Entry(role, name, "PSK", text_of(identity), at) for role, name, identity, at in keys]
        found += [Entry(role, name, "X.509", "SHA-256 " + digest.hex(), at) for role, name, digest, at in certificates]
        return sorted(found, key=lambda each: (each.endpoint, each.role, each.kind))

    def knows(self, endpoint: str, role: str) -> bool:
        """Whether an endpoint has credentials."""
        return any(
            self._all(f"SELECT 1 FROM {table} WHERE role = ? AND endpoint = ?", role, endpoint)
            for table in ("psk", "certificate")
        )

    def psk_of(self, endpoint: str, role: str = SERVER) -> tuple[bytes, bytes] | None:
        """(identity, key) of an endpoint."""
        found = self._all("SELECT identity, key FROM psk WHERE role = ? AND endpoint = ?", role, endpoint)
        return found[0] if found else None

    def by_identity(self, identity: bytes, role: str) -> tuple[str, bytes] | None:
        """(endpoint, key) of a PSK identity."""
        found = self._all("SELECT endpoint, key FROM psk WHERE role = ? AND identity = ?", role, identity)
        return found[0] if found else None

    def by_certificate(self, der: bytes, role: str) -> str | None:
        """The endpoint that a certificate is accepted for."""
        digest = hashlib.sha256(der).digest()
        found = self._all("SELECT endpoint FROM certificate WHERE role = ? AND sha256 = ?", role, digest)
        return found[0][0] if found else None

    def authority(self) -> Identity:
        """The lab's own CA, made when it is first asked for."""
        return self._kept("ca") or self._keep("ca", pki.authority())

    def server_identity(self, host: str) -> tuple[Identity, bool]:
        """The server's certificate from that CA, good for `host` and all names of this machine; whether it is in place
        of another: only if that is not good for `host` or expires soon, as boards may have pinned it."""
        needed, present = pki.names_for(host), self._kept("server")
        former = pki.names_of(present.certificate) if present else set()
        if present and needed <= former and not pki.expires_soon(present.certificate):
            return present, False
        names = needed | former | pki.names_of_this_machine()
        return self._keep("server", pki.issue_server(self.authority(), names)), present is not None

    def _kept(self, name: str) -> Identity | None:
        found = self._all("SELECT certificate, key FROM pki WHERE name = ?", name)
        return Identity(*found[0]) if found else None

    def _keep(self, name: str, identity: Identity) -> Identity:
        with self._sentences():
            values = (name, identity.certificate, identity.key)
            self._database.execute("INSERT OR REPLACE INTO pki VALUES (?, ?, ?)", values)
        return identity

    def _all(self, query: str, *values: object) -> list[tuple]:
        with self._sentences():
            return self._database.execute(query, values).fetchall()

    def _put(self, table: str, values: tuple, what: str) -> None:
        role, endpoint, mark = values[:3]
        column = "identity" if table == "psk" else "sha256"
        if role not in ROLES:
            raise UsageError(f"{role!r} is no role of a server, there are {', '.join(ROLES)}")
        with self._sentences():
            owner = self._all(f"SELECT endpoint FROM {table} WHERE role = ? AND {column} = ?", role, mark)
            if owner and owner[0][0] != endpoint:
                raise UsageError(f"{what} belongs to {owner[0][0]} already")
            self._database.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?, ?)", values)

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as problem:
            raise UsageError(f"the credentials file {self.file}: {problem}") from None


def text_of(identity: bytes) -> str:
    """A PSK identity for a person."""
    text = identity.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else ascii(text)


def _is_text(identity: bytes) -> bool:
    try:
        identity.decode()
    except UnicodeDecodeError:
        return False
    return True


def _protect(file: Path) -> None:
    """The file, there and for its owner alone before anything secret is in it."""
    if not file.parent.is_dir():
        file.parent.mkdir(parents=True, mode=0o700)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    if file.stat().st_mode & 0o077:
        file.chmod(0o600)


def _der(certificate: bytes) -> bytes:
    try:
        return pki.der(load_certificate(certificate))
    except ValueError as problem:
        raise UsageError(str(problem)) from None


def _check_endpoint(endpoint: str) -> None:
    if not endpoint or not endpoint.isprintable():
        raise UsageError("an endpoint has a name, of characters that can be shown")
