"""Whoever stands in a server's place without its key: chains with the right certificate in the wrong place, a board's
own certificate as that of a server, suites that prove nothing, old versions, forged records. The board never registers,
and never says that it has a session."""

import asyncio
import contextlib

import pytest
from OpenSSL import SSL, crypto

from dtls_host import server_context
from host_tests.cpython.dtls_pair import CLIENT, NAMES, SERVER, identity
from host_tests.interop.board import running
from host_tests.interop.network import Socket
from host_tests.interop.secure import SecureServer
from host_tests.interop.test_dtls import BOARD, CA, LAB, PSK, files

IMPOSTOR_CA = identity("lab CA")  # by its name
IMPOSTOR = identity("lab.test", IMPOSTOR_CA, SERVER, NAMES)
LEAF_OF_THE_PINNED = identity("lab.test", LAB, SERVER, NAMES)  # LAB is no CA, and has not signed it in earnest


def showing(leaf, *chain):
    """A context with a certificate and what comes behind it."""
    context = server_context(cert=leaf.cert, key=leaf.key)
    for each in chain:
        context.ssl.add_extra_chain_cert(crypto.load_certificate(crypto.FILETYPE_ASN1, each.cert))
    return context


def with_suites(context, suites):
    """With other suites than those that it would take."""
    context.ssl.set_cipher_list(suites + b":@SECLEVEL=0")
    return context


def old():
    """A context of DTLS 1.0."""
    context = showing(LAB)
    context.ssl.set_min_proto_version(0xFEFF)
    context.ssl.set_max_proto_version(0xFEFF)
    return with_suites(context, b"ALL")


IMPOSTORS = [
    ("the right one behind", {"server_cert": LAB}, lambda: showing(IMPOSTOR, LAB)),
    ("the right one and its CA behind", {"server_cert": LAB}, lambda: showing(IMPOSTOR, LAB, CA)),
    ("a child of the right one", {"server_cert": LAB}, lambda: showing(LEAF_OF_THE_PINNED, LAB)),
    ("a pin is no CA", {"server_cert": CA}, lambda: showing(LAB, CA)),
    ("a CA of the same name", {"ca": CA}, lambda: showing(IMPOSTOR, IMPOSTOR_CA)),
    ("the right CA behind", {"ca": CA}, lambda: showing(IMPOSTOR, CA)),
    ("a board in place of the server", {"ca": CA}, lambda: showing(BOARD)),
    ("a board with the server's name", {"ca": CA}, lambda: showing(identity("lab.test", CA, CLIENT, NAMES))),
    ("a child of the server", {"ca": CA}, lambda: showing(LEAF_OF_THE_PINNED, LAB)),
    ("no certificate", {"ca": CA}, lambda: with_suites(showing(LAB), b"aNULL")),
    ("no certificate, for a pin", {"server_cert": LAB}, lambda: with_suites(showing(LAB), b"aNULL")),
    ("any key", {"server_cert": LAB}, lambda: server_context(psk=lambda identity: b"any key")),
    ("DTLS 1.0", {"server_cert": LAB}, old),
]


@contextlib.asynccontextmanager
async def board_at(server, interpreter, *options):
    """A board that tries once to get a session."""
    uri, options = f"coaps://127.0.0.1:{server.port}", ("--interpreter", interpreter, *options)
    async with running(uri, options=options, HANDSHAKE_s=3, RETRY_MAX_s=60, RETRY_FIRST_s=60) as board:
        yield board


@pytest.mark.parametrize(("known", "context"), [case[1:] for case in IMPOSTORS], ids=[case[0] for case in IMPOSTORS])
async def test_impostors(interpreter, tmp_path, known, context):
    """No session, and a sentence about it"""
    async with SecureServer.with_context(context()) as server:
        async with board_at(server, interpreter, *files(tmp_path, **known)) as board:
            await board.printed("no link: DTLS: .", timeout_s=15)
            await board.printed("next attempt")
        assert (server.handshakes, server.requests, board.count("DTLS session, ")) == ([], [], 0)


async def test_the_right_one(interpreter, tmp_path):
    """The same settings with the server itself do work; with its CA behind it as well."""
    for known, context in (({"server_cert": LAB}, showing(LAB, CA)), ({"ca": CA}, showing(LAB, CA))):
        options = files(tmp_path, **known)
        async with SecureServer.with_context(context) as server, board_at(server, interpreter, *options) as board:
            await board.printed("-> REGISTERED", timeout_s=15)


def forged():
    """Records that anybody can write, from the server's address: a Finished and data under keys that nobody has, an
    answer in the clear, warnings, and what is no record."""
    for kind, epoch, body in (
        (22, 1, bytes(40)),
        (23, 1, bytes(40)),
        (23, 0, b"\x60\x41\x00\x01"),
        (20, 0, b"\x01"),
        (21, 0, b"\x01\x30"),
        (21, 1, b"\x02\x30"),
        (22, 0, b"\x0e" + bytes(11)),  # ServerHelloDone
        (22, 0, b"\x14" + bytes(23)),  # Finished
    ):
        head = bytes([kind, 0xFE, 0xFD]) + epoch.to_bytes(2, "big") + bytes(6) + len(body).to_bytes(2, "big")
        yield head + body
    yield b"\x60\x41\x00\x01"
    yield b"\x16\xfe\xfd"


async def test_forged_records(interpreter):
    """They make no session and do not end the board"""
    async with Socket.open() as server:
        hellos = []

        def answer(data, address):
            hellos.append(data)
            for datagram in forged():
                server.send(datagram, address)

        server.heard = answer
        async with board_at(server, interpreter, *PSK) as board:
            await board.printed("no link: DTLS: .", timeout_s=15)
            await board.printed("next attempt")
            await asyncio.sleep(0.1)
            assert board.count("DTLS session, |REGISTERING") == 0
        assert all(hello[0] in (21, 22) for hello in hellos)


def test_contexts_are_as_hostile_as_meant():
    """The suites without certificates are there in this OpenSSL."""
    found = with_suites(showing(LAB), b"aNULL")
    assert any(
        b"ADH" in name.encode() or b"AECDH" in name.encode() for name in SSL.Connection(found.ssl).get_cipher_list()
    )
