"""The lab's servers over DTLS against parties that are not ours: libcoap with OpenSSL and with GnuTLS, MicroPython's
mbedTLS; and lib/dtls_host.py as a client of libcoap's server."""

import asyncio
import contextlib
import re
import shutil

import pytest
from aiocoap import Message
from aiocoap.numbers.codes import GET

from dtls_host import DtlsError, Session, client_context
from host_tests.cpython.dtls_pair import CLIENT, NAMES, PEM, SERVER, identity
from host_tests.interop.board import ENDPOINT, running
from host_tests.interop.network import Socket, free_port
from tools.lab import Account, Configuration, Configurations, LabBootstrapServer, LabServer, pki
from tools.lab.credentials import BOOTSTRAP, Credentials
from tools.lab.dtls import Sessions
from tools.lab.listening import Security

KEY = b"0123456789abcdef"  # libcoap takes it as text
QUERY = "lt=60&lwm2m=1.1&b=U"
QUICK = {"HANDSHAKE_s": 3, "RETRY_MAX_s": 1}


@pytest.fixture(params=["openssl", "gnutls"])
def tls(request):
    """The TLS library of libcoap's programs."""
    if not shutil.which(f"coap-client-{request.param}") or not shutil.which(f"coap-server-{request.param}"):
        pytest.skip("no libcoap: apt-get install libcoap3-bin")
    return request.param


@contextlib.asynccontextmanager
async def lab(port=0, store=None):
    """A lab server that knows a key of the board."""
    if store is None:
        store = Credentials()
        store.add_psk(ENDPOINT, b"id of 1", KEY)
    async with LabServer(port=0, security=Security(port, store)) as server:
        yield server


async def coap_client(tls, uri, *options):
    """What libcoap's client has to say: the code of an error, or nothing."""
    command = [f"coap-client-{tls}", "-B", "4", "-m", "post", "-t", "40", "-e", "</1/0>", *options, uri]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    async with asyncio.timeout(15):
        out, err = await process.communicate()
    return (out + err).decode()


async def test_libcoap_registers_with_a_key(tls):
    """A key makes it that endpoint and no other; a wrong one, or a name that nobody knows, makes it nobody."""
    async with lab() as server:
        uri = f"coaps://127.0.0.1:{server.secure_port}/rd?ep="
        assert await coap_client(tls, f"{uri}{ENDPOINT}&{QUERY}", "-u", "id of 1", "-k", KEY.decode()) == ""
        assert server.registration(ENDPOINT).security == "PSK"
        assert (await coap_client(tls, f"{uri}x&{QUERY}", "-u", "id of 1", "-k", KEY.decode())).startswith("4.00")
        assert "cannot send" in await coap_client(tls, f"{uri}{ENDPOINT}&{QUERY}", "-u", "nobody", "-k", KEY.decode())
        await coap_client(tls, f"{uri}{ENDPOINT}&lt=7&lwm2m=1.1", "-u", "id of 1", "-k", "wrong")
        assert server.registration(ENDPOINT).lifetime_s == 60


async def test_libcoap_registers_with_a_certificate(tls, tmp_path):
    """Of the lab's CA; libcoap checks the server's by the same. One of another CA is refused."""
    store, stranger = Credentials(), identity(ENDPOINT, identity("another CA"), CLIENT)
    issued = store.issue(ENDPOINT)
    files = {"ca": pki.pem_certificate(store.authority().certificate)}
    files |= {"cert": pki.pem_certificate(issued.certificate), "key": pki.pem_key(issued.key)}
    files |= {"other": stranger.x509.public_bytes(PEM), "other_key": pki.pem_key(stranger.key)}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    names = {name: str(tmp_path / name) for name in files}
    async with lab(store=store) as server:
        uri = f"coaps://localhost:{server.secure_port}/rd?ep={ENDPOINT}&{QUERY}"
        said = await coap_client(tls, uri, "-c", names["other"], "-j", names["other_key"], "-C", names["ca"])
        assert said and not server.registrations
        await coap_client(tls, uri, "-c", names["cert"], "-j", names["key"], "-C", names["ca"])
        assert server.registration(ENDPOINT).security == "X.509"


@contextlib.asynccontextmanager
async def coap_server(tls, *options):
    """Libcoap's server; its port for coaps."""
    port = free_port()
    command = [f"coap-server-{tls}", "-A", "127.0.0.1", "-p", str(port), *options]
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, stdout=nothing, stderr=nothing)
    try:
        await asyncio.sleep(0.3)
        yield port + 1  # libcoap's own rule
    finally:
        process.terminate()
        await process.wait()


async def ask(session, port, seconds=10):
    """The response to GET / in a session that begins here."""
    request = Message(code=GET, _mid=1, _token=b"t", _mtype=0).encode()
    async with Socket.open() as sock:
        loop = asyncio.get_running_loop()
        end, asked = loop.time() + seconds, False
        while loop.time() < end:
            if session.established and not asked:
                session.send(request)
                asked = True
            for datagram in session.take():
                sock.send(datagram, ("127.0.0.1", port))
            try:
                async with asyncio.timeout(0.1):
                    datagram, _ = await sock.arrived.get()
            except TimeoutError:
                session.on_timeout()
                continue
            for plain in session.receive(datagram):
                return Message.decode(plain)
    raise TimeoutError(session.silence())


async def test_our_client_with_a_key(tls):
    """A response from libcoap's server; with a wrong key GnuTLS says so, OpenSSL says nothing."""
    async with coap_server(tls, "-k", KEY.decode()) as port:
        assert b"libcoap" in (await ask(Session(client_context((b"id", KEY))), port)).payload
        with pytest.raises((DtlsError, TimeoutError), match=r"keys of the two sides differ|key is probably wrong"):
            await ask(Session(client_context((b"id", b"wrong"))), port, 6)


CA = identity("CA")
FOREIGN = identity("lab.test", CA, SERVER, NAMES)


async def test_our_client_with_a_certificate(tls, tmp_path):
    """By the CA and the name, or by the certificate; another name is refused."""
    for name, data in (("cert", FOREIGN.x509.public_bytes(PEM)), ("key", pki.pem_key(FOREIGN.key))):
        (tmp_path / name).write_bytes(data)
    (tmp_path / "ca").write_bytes(CA.x509.public_bytes(PEM))
    options = ("-c", str(tmp_path / "cert"), "-j", str(tmp_path / "key"), "-n")
    async with coap_server(tls, *options) as port:
        for context, name in (
            (client_context(ca=CA.cert), "lab.test"),
            (client_context(pin=lambda der: der == FOREIGN.cert), None),
        ):
            assert b"libcoap" in (await ask(Session(context, name), port)).payload
        with pytest.raises(DtlsError, match="made out for another name"):
            await ask(Session(client_context(ca=CA.cert), "other.test"), port)


def psk(key=KEY):
    """The board's options for a key."""
    return ("--psk-identity", "id of 1", "--psk-key", key.hex())


def certificate(folder, store, trust="ca"):
    """The board's options for a new certificate."""
    issued, (server, _) = store.issue(ENDPOINT), store.server_identity("")
    files = {"cert": issued.certificate, "key": issued.key}
    files[trust] = store.authority().certificate if trust == "ca" else server.certificate
    options = []
    for name, data in files.items():
        (folder / name).write_bytes(data)
        options += ["--" + name.replace("_", "-"), str(folder / name)]
    return options


async def managed(server):
    """The board is read, written and observed."""
    assert (await server.read(ENDPOINT, "/3/0/16")).value == "U"
    await server.write(ENDPOINT, "/1/0/1", 600)
    assert (await server.read(ENDPOINT, "/1/0/1")).value == 600
    observation = await server.observe(ENDPOINT, "/1/0/1")
    await server.write(ENDPOINT, "/1/0/1", 700)
    assert (await observation.next()).value == 700


@pytest.mark.parametrize("kind", ["psk", "ca", "server_cert"])
async def test_a_board_is_managed(interpreter, kind, tmp_path):
    """With each kind of credentials, on both Pythons; its de-registration is heard."""
    store = Credentials()
    store.add_psk(ENDPOINT, b"id of 1", KEY)
    options = psk() if kind == "psk" else certificate(tmp_path, store, kind)
    async with lab(store=store) as server:
        async with running(server.secure_uri, options=("--interpreter", interpreter, *options), **QUICK):
            registration = await server.wait_registered(ENDPOINT, 20)
            assert registration.security == ("PSK" if kind == "psk" else "X.509")
            await managed(server)
        assert not server.registrations


@pytest.mark.parametrize("how", ["cleanly", "hard"])
async def test_a_lab_that_is_restarted(interpreter, how, monkeypatch):
    """The new one knows no sessions, whether the old one could say so or not: the board comes back with a new
    handshake, and is managed."""
    if how == "hard":
        monkeypatch.setattr(Sessions, "close", lambda self: None)
    async with contextlib.AsyncExitStack() as first:
        server = await first.enter_async_context(lab())
        port = server.secure_port
        options = ("--interpreter", interpreter, "--lifetime", "2", *psk())
        async with running(server.secure_uri, options=options, **QUICK) as board:
            await server.wait_registered(ENDPOINT, 20)
            await first.aclose()
            async with lab(port) as second:
                await second.wait_registered(ENDPOINT, 40)
                assert (await second.read(ENDPOINT, "/3/0/16")).value == "U"
            assert board.count("DTLS session") == 2


@pytest.mark.parametrize("kind", ["psk", "x509"])
async def test_a_board_is_bootstrapped(interpreter, kind, tmp_path):
    """With its factory key it gets credentials for the lab server, made for it alone, and registers with those."""
    store = Credentials()
    store.add_psk(ENDPOINT, b"id of 1", KEY, BOOTSTRAP)
    configurations = Configurations(Configuration((Account(credentials=kind),)))
    async with (
        lab(store=store) as server,
        LabBootstrapServer(port=None, security=Security(0, store), configurations=configurations, lab=server) as bs,
        running(bs.uri, options=("--bootstrap", "--interpreter", interpreter, *psk()), **QUICK) as board,
    ):
        registration = await server.wait_registered(ENDPOINT, 30)
        assert registration.security == {"psk": "PSK", "x509": "X.509"}[kind]
        assert (await server.read(ENDPOINT, "/3/0/16")).value == "U"
        secret = store.psk_of(ENDPOINT)[1].hex() if kind == "psk" else "BEGIN"
        assert not board.count(re.escape(secret)) and not board.count(KEY.hex())
