"""The secure side of the servers, as the command line describes it."""

import argparse
import contextlib
import pathlib

from . import pki
from .credentials import Credentials
from .errors import UsageError
from .library import load_certificate
from .listening import Security
from .pki import Identity


def credentials_of(
    options: argparse.Namespace, running: contextlib.AsyncExitStack | contextlib.ExitStack
) -> Credentials | None:
    """The credentials file, closed with `running`; None without coaps. Raises StartError."""
    if options.no_coaps:
        return None
    store = Credentials(options.credentials)
    running.callback(store.close)
    return store


def of(options: argparse.Namespace, store: Credentials | None, port: int, *, beside: bool = False) -> Security | None:
    """The secure side of the server whose port for coap would be `port`; None without coaps. `beside`: it is the
    second server of the process, for which --secure-port is not meant. Raises UsageError."""
    own = _own(options)
    client_ca = _read(options.client_ca, "--client-ca") if options.client_ca else None
    if store is None:
        if own or client_ca:
            raise UsageError("--server-cert, --server-key and --client-ca are for coaps, which --no-coaps turns off")
        return None
    secure_port = None if beside else options.secure_port
    if secure_port is None:
        secure_port = port and (port + 1) % 0x10000
    return Security(secure_port, store, own, client_ca)


def _own(options: argparse.Namespace) -> Identity | None:
    if not (options.server_cert or options.server_key):
        return None
    if not (options.server_cert and options.server_key):
        raise UsageError("--server-cert and --server-key come together")
    certificate, key = _read(options.server_cert, "--server-cert"), options.server_key
    try:
        return Identity(certificate, pki.der_key(_bytes(key, "--server-key")))
    except ValueError as problem:
        raise UsageError(f"--server-key {key}: {problem}") from None


def _read(file: pathlib.Path, option: str) -> bytes:
    """DER of the certificate in a file."""
    try:
        return pki.der(load_certificate(_bytes(file, option)))
    except ValueError as problem:
        raise UsageError(f"{option} {file}: {problem}") from None


def _bytes(file: pathlib.Path, option: str) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise UsageError(f"{option} {file} cannot be read: {problem.strerror}") from None
