"""Who is who in DTLS: a CA, the certificate of both servers, and what devices show; made anew in each run."""

import secrets
from pathlib import Path

from host_tests.cpython.dtls_pair import CLIENT, NAMES, SERVER, Identity, identity


class Credentials:
    """`folder` is what the servers read (java/Dtls.java); the files in it are for tools.device as well."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.ca = identity("CA of the tests")
        self.server = identity("leshan", self.ca, SERVER, NAMES)
        self.save("ca", self.ca)
        self.save("server", self.server)

    def save(self, name: str, who: Identity) -> None:
        """Write NAME.der and NAME.key."""
        (self.folder / f"{name}.der").write_bytes(who.cert)
        (self.folder / f"{name}.key").write_bytes(who.key)

    def file(self, name: str) -> str:
        """The path of a file in the folder."""
        return str(self.folder / name)

    def device(self, endpoint: str) -> Identity:
        """A certificate for a device: Leshan wants the endpoint to be its common name."""
        return identity(endpoint, self.ca, CLIENT)

    def certificate(self, endpoint: str) -> tuple[str, ...]:
        """Options of a device with a certificate of its own, which trusts the CA."""
        self.save(endpoint, self.device(endpoint))
        own = "--cert", self.file(f"{endpoint}.der"), "--key", self.file(f"{endpoint}.key")
        return (*own, "--ca", self.file("ca.der"))


def pre_shared_key(endpoint: str) -> dict[str, str]:
    """An identity and a key (hex), as the command "account" has them."""
    return {"identity": f"id of {endpoint}", "key": secrets.token_hex(16)}


def options(psk: dict[str, str]) -> tuple[str, ...]:
    """The same as options of a device."""
    return "--psk-identity", psk["identity"], "--psk-key", psk["key"]
