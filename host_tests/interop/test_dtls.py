"""coaps:// between the board, on both Pythons, and a scripted server on pyOpenSSL: handshakes, refusals, ends."""

import contextlib
import re

import pytest

from dtls_host import server_context
from host_tests.cpython.dtls_pair import CLIENT, NAMES, SERVER, identity
from host_tests.interop.board import running, start, until
from host_tests.interop.network import ScriptedServer, free_port
from host_tests.interop.secure import SecureServer

IDENTITY, KEY = b"urn:dev:board-1", bytes(range(200, 216))
PSK = ("--psk-identity", IDENTITY.decode(), "--psk-key", KEY.hex())
QUICK = {"HANDSHAKE_s": 2, "RETRY_MAX_s": 1}

CA, OTHER_CA = identity("lab CA"), identity("other CA")
BOARD = identity("urn:dev:board-1", CA, CLIENT)
LAB = identity("lab.test", CA, SERVER, NAMES)


@contextlib.asynccontextmanager
async def secured(context, interpreter, *options, is_registered=True, **more):
    """A SecureServer and a board that has registered there."""
    options = ("--interpreter", interpreter, *options)
    async with (
        SecureServer.with_context(context) as server,
        running(server.uri, program="workshop.py", options=options, **{**QUICK, **more}) as board,
    ):
        if is_registered:
            await board.printed("-> REGISTERED", timeout_s=20)
        yield server, board


def psk_context(keys=None):
    """A server's context that knows the board's key, or other keys."""
    return server_context(psk=({IDENTITY: KEY} if keys is None else keys).get)


def files(folder, **identities):
    """Options with certificates and keys, in DER files: cert= and so on are Identity objects."""
    options = []
    for name, found in identities.items():
        (folder / f"{name}.der").write_bytes(found.cert)
        options += ["--" + name.replace("_", "-"), str(folder / f"{name}.der")]
        if name == "cert":
            (folder / "key.der").write_bytes(found.key)
            options += ["--key", str(folder / "key.der")]
    return options


async def works(server):
    """The device answers over its session."""
    server.ask("GET", "/32770/0/1", accept=0)
    reply = await server.reply()
    assert (reply.code, reply.payload) == ("2.05", b"0")


# -- handshakes --------------------------------------------------------------------------------------------------------


async def test_int_401_pre_shared_key(interpreter):
    """The session has the identity that was configured; then all is as over UDP, and one session is enough."""
    async with secured(psk_context(), interpreter, *PSK) as (server, board):
        await works(server)
        assert server.sessions[server.device].peer_identity == IDENTITY
        server.ask("POST", "/1/0/8")
        await server.asked("POST /rd/1")
        assert len(server.handshakes) == 1
        assert board.count("DTLS session, pre-shared key") == 1
    assert server.paths()[-1] == "DELETE /rd/1"


@pytest.mark.parametrize("known", ["ca", "server_cert"])
async def test_int_402_certificates(interpreter, tmp_path, known):
    """The server's certificate is known, or who signed it; ours is what the server sees."""
    context = server_context(cert=LAB.cert, key=LAB.key, ca=CA.cert)
    options = files(tmp_path, cert=BOARD, **{known: CA if known == "ca" else LAB})
    async with secured(context, interpreter, *options) as (server, board):
        await works(server)
        assert server.sessions[server.device].peer_certificate == BOARD.cert
        assert board.count("signed by whom we know" if known == "ca" else "whatever the clock says") == 1


async def test_no_certificate_of_ours(interpreter, tmp_path):
    """A server that asks for none gets none."""
    context = server_context(cert=LAB.cert, key=LAB.key)
    async with secured(context, interpreter, *files(tmp_path, ca=CA)) as (server, _):
        await works(server)
        assert server.sessions[server.device].peer_certificate is None


@pytest.mark.parametrize("lost", [1, 2, 3, 4])
async def test_lost_handshake_messages(interpreter, lost):
    """Any one datagram of ours is lost on its way: it is sent again a second later."""
    async with secured(psk_context(), interpreter, *PSK, is_registered=False, HANDSHAKE_s=8) as (server, board):
        count = 0

        def lose(_):
            nonlocal count
            count += 1
            return count == lost

        server.lose = lose
        await board.printed("-> REGISTERED", timeout_s=10)
        await works(server)
        assert len(server.handshakes) == 1


# -- refusals ----------------------------------------------------------------------------------------------------------


def expired():
    """The lab's certificate, a month too late."""
    return identity("lab.test", CA, SERVER, NAMES, (-90, -30))


REFUSALS = [
    ("another CA", lambda: identity("lab.test", OTHER_CA, SERVER, NAMES), "ca", "(not correctly signed|CA)", {48}),
    ("expired", expired, "ca", "expired", {45}),
    ("another name", lambda: identity("x.test", CA, SERVER, NAMES[:1]), "ca", "(does not match|another)", {42}),
    ("not the one", lambda: identity("lab.test", CA, SERVER, NAMES), "server_cert", "not", {42, 46, 49}),
]


@pytest.mark.parametrize(
    ("made", "known", "words", "alerts"), [case[1:] for case in REFUSALS], ids=[r[0] for r in REFUSALS]
)
async def test_int_403_wrong_server_identity(interpreter, tmp_path, made, known, words, alerts):
    """The device does not register, says why, and tells the server by an alert."""
    found = made()
    options = files(tmp_path, **{known: CA if known == "ca" else LAB})
    context = server_context(cert=found.cert, key=found.key)
    async with secured(context, interpreter, *options, is_registered=False, RETRY_MAX_s=60) as (server, board):
        await board.printed(f"no link: DTLS: we refuse the server: .*{words}")
        await board.printed("CONNECTING -> WAITING")
        await until(lambda: server.ended)
        assert (server.ended[0].alert in alerts, server.ended[0].received) == (True, True)
        assert server.requests == []
        assert server.handshakes == []


async def test_unknown_identity(interpreter):
    """The alert is told in words; once the server knows us the reason of before can be read in /1/x/11."""
    keys = {}
    async with secured(psk_context(keys), interpreter, *PSK, is_registered=False) as (server, board):
        await board.printed(r"the server does not know our identity \(alert 115\)")
        keys[IDENTITY] = KEY
        await board.printed("-> REGISTERED")
        server.ask("GET", "/1/0/11", accept=0)
        assert (await server.reply()).payload == b"115"


async def test_wrong_key(interpreter):
    """An OpenSSL server falls silent; the limit of the handshake ends that, and the sentence names the key."""
    context = psk_context({IDENTITY: b"another"})
    async with secured(context, interpreter, *PSK, is_registered=False) as (server, board):
        await board.printed("no link: DTLS: 127.0.0.1:[0-9]+ falls silent at our key", timeout_s=6)
        assert server.requests == []


async def test_refused_certificate(interpreter, tmp_path):
    """The server does not like ours."""
    stranger = identity("urn:dev:board-1", OTHER_CA, CLIENT)
    context = server_context(cert=LAB.cert, key=LAB.key, ca=CA.cert)
    options = files(tmp_path, cert=stranger, ca=CA)
    async with secured(context, interpreter, *options, is_registered=False) as (_, board):
        await board.printed(r"the server does not know who signed our certificate \(alert 48\)")


async def test_nothing_in_common(interpreter, tmp_path):
    """We have a key, the server wants certificates."""
    context = server_context(cert=LAB.cert, key=LAB.key)
    async with secured(context, interpreter, *PSK, is_registered=False) as (_, board):
        await board.printed(r"the server has no cipher suite in common with us.* \(alert 40\)")


async def test_nobody_there(interpreter):
    """The limit of a handshake is ours, and meanwhile another server is served."""
    dead = f"coaps://127.0.0.1:{free_port()}"
    options = ("--interpreter", interpreter, *PSK)
    async with (
        ScriptedServer.open() as alive,
        running(dead, alive.uri, program="workshop.py", options=options, HANDSHAKE_s=3, RETRY_FIRST_s=60) as board,
    ):
        await board.printed("server 2: .*-> REGISTERED")
        for _ in range(20):
            await works(alive)
        assert board.count("server 1: CONNECTING -> WAITING") == 0
        await board.printed("server 1: no link: DTLS: nobody answers at 127.0.0.1:", timeout_s=6)


# -- sessions that end -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("politely", [True, False])
async def test_x_58_restarted_server(interpreter, politely):
    """It says good-bye, or the next Update is not answered: a new handshake from another port, and a Register."""
    async with secured(psk_context(), interpreter, *PSK, "--lifetime", "8") as (server, board):
        first = server.device
        server.say_goodbye() if politely else server.forget()
        await board.printed("-> REGISTERED", times=2, timeout_s=30)
        await works(server)
        assert (len(server.handshakes), server.device != first) == (2, True)
        assert server.paths()[-1] == "POST /rd"
        assert board.count("closed the session") == politely


async def test_the_session_outlives_a_lack_of_air(interpreter):
    """No new handshake and no new Register: an Update over the session that still stands."""
    async with secured(psk_context(), interpreter, *PSK, "--lifetime", "8", steered=True) as (server, board):
        board.room.wifi(False)
        await board.printed("-> LOST", timeout_s=15)
        updates = server.paths().count("POST /rd/1")
        board.room.wifi(True)
        await server.asked("POST /rd/1", updates + 1)
        await works(server)
        assert (len(server.handshakes), board.count("-> REGISTERING")) == (1, 1)


async def test_only_the_session_speaks(interpreter):
    """What comes from the server's address outside of the session, plain CoAP and plain alerts, is nothing."""
    async with secured(psk_context(), interpreter, *PSK, "--log", "debug") as (server, board):
        server.ask("PUT", "/32770/0/1", b"7", content_format=0)
        await server.reply()
        plain = server.last[:2] + b"\x77\x77" + server.last[4:-1] + b"9"
        alert = bytes.fromhex("15fefd00000000000000990002022a")
        for datagram in (plain, alert, alert[:3] + b"\0\1" + alert[5:], bytes(1300), b"\x16", b""):
            server.send_plainly(datagram, server.device)
        server.ask("GET", "/32770/0/1", accept=0)
        assert (await server.reply()).payload == b"7"
        assert (len(server.handshakes), server.silent) == (1, True)
        found = [line for line in board.lines if KEY.hex() in line or re.search(re.escape(repr(KEY)[2:-1]), line)]
        assert found == []


async def test_key_that_is_too_long(tmp_path):
    """Mbed TLS is built for 32 bytes: one sentence at the start, and exit status 2."""
    key = ("--psk-identity", "me", "--psk-key", "00" * 64)
    board = await start(tmp_path, "--server", "coaps://127.0.0.1", *key)
    assert await board.ended() == 2
    assert board.count("this firmware takes no pre-shared key of 64 bytes") == 1


async def test_two_servers(interpreter):
    """Each has a session of its own, with its own key."""
    other = {b"the-other": b"k" * 32}
    async with SecureServer.with_context(psk_context()) as one, SecureServer.with_context(psk_context(other)) as two:
        config = [
            {"uri": one.uri, "psk_identity": IDENTITY.decode(), "psk_key": KEY.hex()},
            {"uri": two.uri, "psk_identity": "the-other", "psk_key": (b"k" * 32).hex()},
        ]
        async with running(
            program="workshop.py", config={"server": config}, options=("--interpreter", interpreter)
        ) as board:
            await board.printed("-> REGISTERED", times=2)
            await works(one)
            await works(two)
            assert two.sessions[two.device].peer_identity == b"the-other"
