"""OMA's cases over DTLS that a scripted server plays, on pyOpenSSL: bootstrap, a NAT that forgets, alerts."""

import contextlib
import hashlib
import hmac
import re

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from configurations_bootstrap import security
from configurations_bootstrap import server as account
from dtls_host import is_client_hello, server_context
from host_tests.cpython.dtls_pair import CLIENT, NAMES, SERVER, identity
from host_tests.interop.board import running, until
from host_tests.interop.network import Proxy, ScriptedServer, Socket
from host_tests.interop.secure import SecureServer

TLV = 11542
IDENTITY, KEY = b"urn:dev:board-1", bytes(range(200, 216))
PSK = ("--psk-identity", IDENTITY.decode(), "--psk-key", KEY.hex())
BOOTSTRAP_IDENTITY, BOOTSTRAP_KEY = b"factory", b"known since the factory"
FACTORY = ("--bootstrap", "--psk-identity", BOOTSTRAP_IDENTITY.decode(), "--psk-key", BOOTSTRAP_KEY.hex())


async def is_led(interpreter, context, **credentials):
    """Assert that a Bootstrap-Server with a key leads the board to a server with that context: a Register there after
    the Finish, and not one datagram before. Returns the session with the server."""
    before = []
    async with (
        SecureServer.with_context(server_context(psk={BOOTSTRAP_IDENTITY: BOOTSTRAP_KEY}.get)) as bootstrap,
        SecureServer.with_context(context) as server,
        running(bootstrap.uri, options=("--interpreter", interpreter, *FACTORY)),
    ):
        server.lose = before.append
        await bootstrap.asked("POST /bs")
        for path, payload in (("/0", security(0, server.uri.encode(), **credentials)), ("/1", account(0, 1))):
            bootstrap.ask("PUT", path, payload, content_format=TLV)
            assert (await bootstrap.reply()).code == "2.04"
        assert before == []
        bootstrap.ask("POST", "/bs")
        assert (await bootstrap.reply()).code == "2.04"
        await server.asked("POST /rd")
        server.ask("GET", "/3/0/16", accept=0)
        reply = await server.reply()
        assert (reply.code, reply.payload, len(server.handshakes)) == ("2.05", b"U", 1)
        return server.sessions[server.device]


async def test_int_001_full_bootstrap_psk(interpreter):
    """Full bootstrap with a pre-shared key"""
    session = await is_led(interpreter, server_context(psk={IDENTITY: KEY}.get), mode=0, identity=IDENTITY, key=KEY)
    assert session.peer_identity == IDENTITY


async def test_int_002_full_bootstrap_certificate(interpreter):
    """Full bootstrap with a certificate"""
    ca = identity("CA")
    theirs, ours = identity("lab.test", ca, SERVER, NAMES), identity(IDENTITY.decode(), ca, CLIENT)
    context = server_context(cert=theirs.cert, key=theirs.key, ca=ca.cert)
    pinned = {4: hashlib.sha256(theirs.cert).digest(), 13: b"\1"}
    session = await is_led(interpreter, context, mode=2, identity=ours.cert, key=ours.key, values=pinned)
    assert session.peer_certificate == ours.cert


async def test_x_59_new_port_behind_a_nat(interpreter):
    """New port behind a NAT"""
    options = ("--interpreter", interpreter, *PSK, "--lifetime", "2")
    async with (
        SecureServer.with_context(server_context(psk={IDENTITY: KEY}.get)) as server,
        Proxy.before(server.port) as proxy,
        running(proxy.uri.replace("coap:", "coaps:"), options=options, ACK_TIMEOUT_ms=100, MAX_RETRANSMIT=2) as board,
    ):
        await server.asked("POST /rd")
        before = server.device
        await proxy.rebind()
        await server.asked("POST /rd", times=2)
        assert (len(server.handshakes), server.handshakes[0]) == (2, before)
        assert server.device == server.handshakes[1] != before
        assert board.count("-> REGISTERING") == 2  # one silence is enough to leave the session
        await server.asked("POST /rd/1")


# Alerts of a server in the handshake (OMA TRANS 1.1, its table): after these it is asked again soon ...
SOON = (10, 20, 21, 22, 40, 47, 50, 51, 70, 71, 80, 86, 90, 100, 111)
# ... and after these not, as the same would happen again.
HOPELESS = (42, 43, 44, 45, 46, 48, 49, 112, 113, 114, 115)


@contextlib.asynccontextmanager
async def alarming(alert):
    """A server that answers every ClientHello with a fatal alert."""
    async with Socket.open() as server:
        fatal = bytes.fromhex("15 fefd 0000 000000000000 0002 02") + bytes([alert])
        server.heard = lambda data, address: is_client_hello(data) and server.send(fatal, address)
        yield server.uri.replace("coap:", "coaps:")


async def test_x_60_alerts(interpreter):
    """Alerts"""
    async with contextlib.AsyncExitStack() as stack:
        alerts = SOON + HOPELESS
        uris = [await stack.enter_async_context(alarming(alert)) for alert in alerts]
        options = ("--interpreter", interpreter, "--heap", "2m", *PSK)
        board = await stack.enter_async_context(running(*uris, options=options))
        await until(lambda: len(waits(board)) == len(alerts))
        for number, alert in enumerate(alerts, 1):
            assert board.count(rf"server {number}: no link: DTLS: the server .* \(alert {alert}\)") >= 1, alert
        found = {alert: waits(board)[number] for number, alert in enumerate(alerts, 1)}
        assert {alert for alert, wait_s in found.items() if wait_s <= 2} == set(SOON)
        assert {alert for alert, wait_s in found.items() if wait_s >= 60} == set(HOPELESS)


def waits(board):
    """{server: s that the board first waits before it asks again}"""
    told = [re.search(r"server ([0-9]+): next attempt in ([0-9]+) s", line) for line in board.lines]
    return {int(found[1]): int(found[2]) for found in reversed(told) if found}


def sealed_alert(session, alert):
    """A fatal alert inside of a session with TLS_PSK_WITH_AES_128_GCM_SHA256, in the server's name: OpenSSL has no call
    for that. Keys are expanded as in RFC 5246 section 6.3, the record is that of RFC 5288 and RFC 6347."""
    connection = session._ssl
    seed, block, step = b"key expansion" + connection.server_random() + connection.client_random(), b"", b""
    while len(block) < 40:  # two keys of 16 bytes and two salts of 4, the client's first
        step = hmac.digest(connection.master_key(), step or seed, "sha256")
        block += hmac.digest(connection.master_key(), step + seed, "sha256")
    number = bytes.fromhex("0001 000000001000")  # epoch 1, later than all that OpenSSL has sent
    fatal, kind = bytes([2, alert]), bytes.fromhex("15 fefd")
    associated = number + kind + len(fatal).to_bytes(2, "big")
    sealed = number + AESGCM(block[16:32]).encrypt(block[36:40] + number, fatal, associated)
    return kind + number + len(sealed).to_bytes(2, "big") + sealed


async def test_x_60_alert_in_a_session(interpreter):
    """Alerts: one that ends a session that stood, and only if it is the server's"""
    context = server_context(psk={IDENTITY: KEY}.get)
    context.ssl.set_cipher_list(b"PSK-AES128-GCM-SHA256:@SECLEVEL=0")
    async with (
        SecureServer.with_context(context) as server,
        running(server.uri, options=("--interpreter", interpreter, *PSK)) as board,
    ):
        await board.printed("-> REGISTERED")
        record = sealed_alert(server.sessions[server.device], 80)
        server.send_plainly(record[:-1] + bytes([record[-1] ^ 1]), server.device)
        server.ask("GET", "/3/0/16", accept=0)
        assert (await server.reply()).payload == b"U"
        server.send_plainly(record, server.device)
        await server.asked("POST /rd", times=2)
        assert len(server.handshakes) == 2
        assert board.count("no link: DTLS: the (server|peer) ended the .*session") == 1


async def test_x_60_hopeless_alert_leads_to_bootstrap(interpreter):
    """Alerts: where there is a Bootstrap-Server, it is asked for other credentials"""
    async with ScriptedServer.open() as bootstrap, alarming(115) as uri:
        config = {
            "server": [
                {"uri": uri, "psk_identity": IDENTITY.decode(), "psk_key": KEY.hex()},
                {"uri": bootstrap.uri, "bootstrap": True},
            ]
        }
        async with running(config=config, options=("--interpreter", interpreter)) as board:
            await bootstrap.asked("POST /bs")
            assert board.count("server 1: CONNECTING") == 1
