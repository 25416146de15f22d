"""`python -m tools.lab serve` and `bootstrap` with coaps, as processes: their lines, credentials that come while they
run, and what cannot be meant."""

import asyncio
import contextlib
import json
import re
import signal

import pytest
from aiocoap import POST, PUT

from dtls_host import client_context
from host_tests.cpython.dtls_pair import NAMES, PEM, SERVER, identity
from host_tests.cpython.dtls_tunnel import Tunnel
from host_tests.cpython.test_lab_bootstrap import Newcomer
from host_tests.cpython.test_lab_cli import Program
from host_tests.cpython.test_lab_management import CHANGED, FakeDevice
from tools.lab import LabError, cli, pki, security
from tools.lab.arguments import parser

KEY = bytes(range(16))
CA = identity("CA")
OWN = identity("lab.test", CA, SERVER, NAMES)


def scene(coroutine):
    asyncio.run(coroutine())


def credentials(*words):
    """The command, in this process."""
    assert cli.main(["credentials", *words]) == 0


def secure_port(line):
    """The port for coaps in a line of a server."""
    return int(re.search(r"coaps://127.0.0.1:(\d+)", line)[1])


async def registered(port, context, endpoint):
    """The code that a Register in a session gets, None if there is no session."""
    async with Tunnel.open(context, port) as tunnel:
        if tunnel.error:
            return None
        async with FakeDevice.registered(tunnel.port, endpoint=endpoint) as device:
            return device.location


def test_serve(tmp_path, capsys):
    """A key that is added while the server runs lets the device in; one that is gone does not. No key in any line."""

    async def run():
        file, control = str(tmp_path / "credentials"), str(tmp_path / "lab.sock")
        server = await Program.start("serve", "--port", "0", "--control", control, "--credentials", file)
        port = secure_port(await server.line())
        context = client_context((b"virtual-1", KEY))
        assert await registered(port, context, "virtual-1") is None
        assert "(identity 'virtual-1')  the DTLS session was refused: the PSK ident" in await server.line()
        credentials("add", "virtual-1", "--psk-key", KEY.hex(), "--credentials", file)
        assert (await registered(port, context, "virtual-1")).startswith("/rd/")
        lines = [await server.line(), await server.line()]
        assert re.search(r"session     127\S+  of virtual-1, by PSK identity virtual-1: PSK-AES128-CCM8", lines[0])
        assert re.search(r"register    virtual-1  lt=300 lwm2m=1.1 b=U from 127\S+ \(PSK\)  ", lines[1])
        command = await Program.start("list", "--control", control)
        assert " (PSK)  LwM2M 1.1" in (await command.end())[1]
        credentials("remove", "virtual-1", "--credentials", file)
        assert await registered(port, context, "virtual-1") is None
        status, out, err = await server.end(signal.SIGTERM)
        assert (status, err) == (0, "")
        assert KEY.hex() not in out + "".join(lines)

    scene(run)


def test_serve_with_a_certificate_of_ones_own(tmp_path):
    """--server-cert and --server-key, PEM; --client-ca lets its devices in; --no-coap: nothing else is open."""

    async def run():
        device = identity("virtual-1", CA)
        files = {"cert": OWN.x509.public_bytes(PEM), "key": pki.pem_key(OWN.key), "ca": CA.x509.public_bytes(PEM)}
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        words = ["--server-cert", str(tmp_path / "cert"), "--server-key", str(tmp_path / "key")]
        words += ["--client-ca", str(tmp_path / "ca"), "--no-coap", "--secure-port", "0"]
        server = await Program.start("serve", *words, "--control", str(tmp_path / "lab.sock"))
        line = await server.line()
        assert "coap://" not in line
        context = client_context(cert=device.cert, key=device.key, pin=lambda der: der == OWN.cert)
        assert (await registered(secure_port(line), context, "virtual-1")).startswith("/rd/")
        assert (await server.end(signal.SIGTERM))[::2] == (0, "")

    scene(run)


def test_serve_without_coaps(tmp_path):
    """--no-coaps: one port, and no credentials file."""

    async def run():
        words = ("--port", "0", "--no-coaps", "--control", str(tmp_path / "lab.sock"))
        server = await Program.start("serve", *words, "--credentials", str(tmp_path / "credentials"))
        assert "coaps://" not in await server.line()
        assert (await server.end(signal.SIGTERM))[::2] == (0, "")
        assert list(tmp_path.iterdir()) == []

    scene(run)


def test_bootstrap(tmp_path, capsys):
    """Alone, with the accounts of a file, whose keys are in no line."""

    async def run():
        file, config = str(tmp_path / "credentials"), tmp_path / "accounts.json"
        account = {"uri": "coaps://192.0.2.1", "psk_identity": "me", "psk_key": KEY.hex()}
        config.write_text(json.dumps({"default": {"servers": [account]}}))
        credentials(
            "add", "board-1", "--psk-identity", "factory", "--psk-key", KEY.hex(), "--bootstrap", "--credentials", file
        )
        server = await Program.start("bootstrap", "--port", "0", "--config", str(config), "--credentials", file)
        port = secure_port(await server.line())
        async with Tunnel.open(client_context((b"factory", KEY)), port) as tunnel:

            class Through:
                uri = f"coap://127.0.0.1:{tunnel.port}"

            async with Newcomer.of(Through) as device:
                assert (await device.ask("ep=board-1&pct=110")).code == CHANGED
                while (POST, "/bs", None, b"") not in device.steps:
                    await asyncio.sleep(0.02)
                written = next(each[3] for each in device.steps if each[:2] == (PUT, "/0"))
                found = {each["n"]: each for each in json.loads(written)}
                assert (found["/0/1/0"]["vs"], found["/0/1/2"]["v"]) == ("coaps://192.0.2.1", 0)
        status, out, err = await server.end(signal.SIGTERM)
        assert (status, err) == (0, "") and "finished    board-1  has its accounts: coaps://192.0.2.1" in out
        assert KEY.hex() not in out and repr(KEY) not in out

    scene(run)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--server-cert cert", "--server-cert and --server-key come together"),
        ("--server-cert picture --server-key key", "--server-cert picture: this is no certificate"),
        ("--server-cert cert --server-key picture", "--server-key picture: this is no private key"),
        ("--server-cert gone --server-key key", "--server-cert gone cannot be read: No such file"),
        ("--client-ca picture", "--client-ca picture: this is no certificate"),
        ("--client-ca cert --no-coaps", "are for coaps, which --no-coaps turns off"),
        ("--credentials picture", "picture cannot be used: file is not a database"),
    ],
)
def test_mistakes(tmp_path, monkeypatch, words, sentence):
    """One sentence each, before anything is open."""
    monkeypatch.chdir(tmp_path)
    files = {"cert": OWN.x509.public_bytes(PEM), "key": OWN.key, "picture": b"\x89PNG" * 1000}
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    options = parser().parse_args(["serve", *words.split()])
    with contextlib.ExitStack() as running, pytest.raises(LabError, match=sentence):
        security.of(options, security.credentials_of(options, running), 0)


@pytest.mark.parametrize(("port", "words", "expected"), [(5683, "", 5684), (0, "", 0), (5683, "--secure-port 7", 7)])
def test_the_secure_port(port, words, expected, tmp_path):
    """The one after that for coap, or the one that is named."""
    options = parser().parse_args(["serve", *words.split(), "--credentials", str(tmp_path / "credentials")])
    with contextlib.ExitStack() as running:
        assert security.of(options, security.credentials_of(options, running), port).port == expected


def test_a_mistake_ends_the_program(tmp_path):
    """Exit status 2, one sentence."""

    async def run():
        for words in (("--no-coap", "--no-coaps"), ("--credentials", str(tmp_path))):
            server = await Program.start("serve", "--port", "0", "--control", str(tmp_path / "x"), *words)
            status, out, err = await server.end()
            assert (status, out, err.count("\n")) == (2, "", 1) and err.startswith("lab: ")

    scene(run)
