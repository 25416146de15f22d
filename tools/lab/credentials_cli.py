"""`python -m tools.lab credentials ...`: devices' keys and certificates in the credentials file.

It works on the file, whether a server runs or not: what is changed holds from the next handshake on.
"""

import argparse
import os
import pathlib
import time

from . import pki
from .credentials import BOOTSTRAP, SERVER, Credentials, default_file, text_of
from .errors import UsageError


def add_arguments(sub: argparse.ArgumentParser) -> None:
    """What can be written behind `credentials`."""
    actions = sub.add_subparsers(dest="action", required=True, metavar="ACTION")
    adding = actions.add_parser("add", help="accept a pre-shared key or a certificate for a device")
    adding.add_argument("--psk-identity", metavar="ID", help="PSK identity (default: the endpoint's name)")
    keys = adding.add_mutually_exclusive_group(required=True)
    keys.add_argument("--psk-key", metavar="HEX", help="the key in hex digits; others on this machine may see it")
    keys.add_argument("--new-psk", action="store_true", help="make a key of 16 bytes, and print it this once")
    keys.add_argument("--cert", type=pathlib.Path, metavar="FILE", help="the device's certificate (PEM or DER)")
    issuing = actions.add_parser("issue", help="make a key and a certificate for a device with the lab's own CA")
    issuing.add_argument("--out", type=pathlib.Path, required=True, metavar="DIR", help="where the files go")
    removing = actions.add_parser("remove", help="accept nothing any more for a device")
    for each in (adding, issuing, removing):
        each.add_argument("endpoint", metavar="ENDPOINT")
        each.add_argument("--bootstrap", action="store_true", help="for the bootstrap server, not the LwM2M server")
    listing = actions.add_parser("list", help="who has which credentials; no key is ever shown")
    for each in (adding, issuing, removing, listing):
        add_file(each)


def add_file(sub: argparse.ArgumentParser) -> None:
    """--credentials."""
    text = "SQLite file with the devices' credentials (default: in your state directory)"
    sub.add_argument("--credentials", type=pathlib.Path, default=default_file(), metavar="FILE", help=text)


def run(options: argparse.Namespace) -> None:
    """Do what the command line says. Raises StartError and UsageError."""
    store = Credentials(options.credentials)
    try:
        _ACTIONS[options.action](store, options)
    finally:
        store.close()


def lines_of(store: Credentials) -> list[str]:
    """All credentials, for a person."""
    lines = [
        f"{each.endpoint}  {each.role}  {each.kind}  {each.detail}  {time.strftime('%F', time.localtime(each.added))}"
        for each in store.entries()
    ]
    return lines or ["there are no credentials"]


def _role(options: argparse.Namespace) -> str:
    return BOOTSTRAP if options.bootstrap else SERVER


def _add(store: Credentials, options: argparse.Namespace) -> None:
    endpoint, role = options.endpoint, _role(options)
    if options.cert:
        if options.psk_identity:
            raise UsageError("--psk-identity goes with a key, not with --cert")
        store.add_certificate(endpoint, _read(options.cert), role)
        print(f"{endpoint}: certificate accepted")
        return
    identity = (options.psk_identity or endpoint).encode()
    if options.new_psk:
        _, key = store.new_psk(endpoint, role, identity)
        print(f"psk_identity {text_of(identity)}\npsk_key {key.hex()}")
        return
    store.add_psk(endpoint, identity, key_from_hex(options.psk_key), role)
    print(f"{endpoint}: key accepted")


def key_from_hex(text: str) -> bytes:
    """Raises UsageError."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise UsageError("a pre-shared key is written in hex digits, two for each byte") from None


def _issue(store: Credentials, options: argparse.Namespace) -> None:
    issued = store.issue(options.endpoint, _role(options))
    server, _ = store.server_identity("")
    files = {
        "cert": issued.certificate,
        "key": issued.key,
        "ca": store.authority().certificate,
        "server_cert": server.certificate,
    }
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        for name, der in files.items():
            _write(options.out / f"{name}.der", der)
            _write(options.out / f"{name}.pem", pki.pem_key(der) if name == "key" else pki.pem_certificate(der))
    except OSError as problem:
        raise UsageError(f"{options.out} cannot be written: {problem.strerror}") from None
    names = ", ".join(f"{name}.der" for name in files)
    print(f"{options.endpoint}: {names} in {options.out} are for the board (the same as .pem for other programs)")


def _write(file: pathlib.Path, data: bytes) -> None:
    """A new file for its owner alone."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data)


def _remove(store: Credentials, options: argparse.Namespace) -> None:
    if not store.remove(options.endpoint, _role(options)):
        raise UsageError(f"{options.endpoint} has no credentials for the {_role(options)} server")
    print(f"{options.endpoint}: no credentials any more")


def _list(store: Credentials, options: argparse.Namespace) -> None:
    print("\n".join(lines_of(store)))


def _read(file: pathlib.Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise UsageError(f"cannot read {file}: {problem.strerror}") from None


_ACTIONS = {"add": _add, "issue": _issue, "remove": _remove, "list": _list}
