"""libcoap as the other end of DTLS, built with OpenSSL and with GnuTLS: its resource directory takes Register and
De-register as an LwM2M server does, refuses an Update, and tells each message that came."""

import asyncio
import contextlib
import re
import shutil
import socket

import pytest
from cryptography.hazmat.primitives.serialization import NoEncryption, PrivateFormat

from host_tests.cpython.dtls_pair import CLIENT, NAMES, PEM, SERVER, identity
from host_tests.interop.board import ENDPOINT, running
from host_tests.interop.test_dtls import files

KEY = "a key that has 32 bytes, no less"
PSK = ("--psk-identity", "board", "--psk-key", KEY.encode().hex())
CA, OTHER_CA = identity("libcoap's CA"), identity("another CA")
LIBCOAP = identity("lab.test", CA, SERVER, NAMES)


def coap_rd(library):
    """Path of libcoap's resource directory with either TLS library."""
    return shutil.which(f"coap-rd-{library}") or pytest.skip("no libcoap: apt-get install libcoap3-bin")


LIBRARIES = pytest.mark.parametrize("library", ["openssl", "gnutls"])
PAIRS = pytest.mark.parametrize(
    ("library", "interpreter"), [("openssl", "unix"), ("gnutls", "unix"), ("gnutls", "cpython")]
)


class Directory:
    """A running coap-rd. `lines` is what it has said; it has said all of it only when it has ended."""

    def __init__(self, uri):
        self.uri = uri
        self.lines = []

    def requests(self):
        """What the device has asked for, as in "POST rd" and "DELETE rd/4711"."""
        found = [re.match(r"v:1 t:CON c:(\w+) .*? \[ (.*?) \]", line) for line in self.lines]
        return [f"{each[1]} {'/'.join(re.findall(r'Uri-Path:([^, ]+)', each[2]))}" for each in found if each]


@contextlib.asynccontextmanager
async def directory(program, *options):
    """coap-rd at two ports of loopback, the second for DTLS."""
    port = port_of_two()
    command = ["stdbuf", "-oL", program, "-A", "127.0.0.1", "-p", str(port), "-v", "7", *options]
    server = Directory(f"coaps://127.0.0.1:{port + 1}")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    try:
        yield server
    finally:
        if process.returncode is None:
            process.terminate()
        out, _ = await process.communicate()
        server.lines += out.decode(errors="replace").splitlines()
        print(*server.lines, sep="\n")


def port_of_two():
    """A UDP port that nobody listens on, nor on the next one."""
    while True:
        with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                two.bind(("127.0.0.1", port + 1))
                return port


async def serves(program, answers, interpreter, *options):
    """Assert that a board is served by a directory with the options `answers`, all in one session. coap-rd 4.3.1 knows
    no Update by POST, after which the board registers anew; having carried out the DELETE at the end, it crashes."""
    options = ("--interpreter", interpreter, "--lifetime", "2", *options)
    async with directory(program, *answers) as server, running(server.uri, options=options) as board:
        await board.printed("-> REGISTERED", times=2, timeout_s=20)
        assert board.count("DTLS session") == 1
    register, update, again, *_, deregister = server.requests()
    assert register == again == "POST rd"
    assert re.fullmatch(r"POST rd/[\w-]+", update) and re.fullmatch(r"DELETE rd/[\w-]+", deregister)


def certificates(folder):
    """The options of a directory with a certificate, which asks for one that its CA has signed."""
    key = LIBCOAP.private.private_bytes(PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.pem").write_bytes(LIBCOAP.x509.public_bytes(PEM) + key)
    (folder / "ca.pem").write_bytes(CA.x509.public_bytes(PEM))
    return ("-c", str(folder / "server.pem"), "-C", str(folder / "ca.pem"))


@PAIRS
async def test_pre_shared_key(library, interpreter, micropython):
    """One session for all that is said."""
    await serves(coap_rd(library), ("-k", KEY), interpreter, *PSK)


@LIBRARIES
async def test_certificates(library, micropython, tmp_path):
    """Each side has a certificate, and the same CA signed both."""
    mine = identity(ENDPOINT, CA, CLIENT)
    await serves(coap_rd(library), certificates(tmp_path), "unix", *files(tmp_path, cert=mine, ca=CA))


async def test_wrong_key(micropython):
    """GnuTLS closes the session after some seconds without a readable Finished: the sentence is about keys."""
    async with (
        directory(coap_rd("gnutls"), "-k", "another") as server,
        running(server.uri, options=PSK, HANDSHAKE_s=20) as board,
    ):
        await board.printed("no link: DTLS: .* gives up at our key", timeout_s=15)
    assert server.requests() == []


@LIBRARIES
async def test_refused_certificate(library, micropython, tmp_path):
    """A certificate of ours that nobody there knows."""
    stranger = identity(ENDPOINT, OTHER_CA, CLIENT)
    options = files(tmp_path, cert=stranger, ca=CA)
    async with (
        directory(coap_rd(library), *certificates(tmp_path)) as server,
        running(server.uri, options=options, HANDSHAKE_s=3) as board,
    ):
        await board.printed("no link: DTLS: .*certificate", timeout_s=15)
    assert server.requests() == []


@LIBRARIES
async def test_power_cut(library, micropython):
    """A board that comes back without a word is served at once, as it comes from another port: libcoap does not
    answer a new handshake from the port of a session that it still has."""
    async with (
        directory(coap_rd(library), "-k", KEY) as server,
        running(server.uri, options=PSK, steered=True) as board,
    ):
        await board.printed("-> REGISTERED")
        board.room.reset()
        await board.printed("-> REGISTERED", times=2, timeout_s=5)
        assert board.count("no link") == 0
    assert server.requests().count("POST rd") == 2
