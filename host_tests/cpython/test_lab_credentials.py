"""The lab's credentials: the file, the certificates, and `python -m tools.lab credentials`."""

import asyncio
import hashlib
import json
import shutil
import sqlite3
import stat
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from host_tests.cpython.dtls_pair import CLIENT, DER, PEM, identity
from tools.lab import Account, LabServer, Security, StartError, UsageError, bootstrap_config, cli, commands, pki
from tools.lab.credentials import BOOTSTRAP, SERVER, Credentials, default_file

KEY = bytes(range(16))
CA = identity("CA")
BOARD = identity("board", CA, CLIENT)
PEM_CERT = BOARD.x509.public_bytes(PEM)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state" / "credentials.sqlite"


@pytest.fixture
def store():
    return Credentials()


def run(file, capsys, *words):
    """(exit status, stdout, stderr) of a command about credentials."""
    status = cli.main(["credentials", *words, "--credentials", str(file)])
    return (status, *capsys.readouterr())


def test_the_file_is_for_its_owner(file):
    """Made with its folder, mode 0600, also if somebody had opened it; the next one finds what the first wrote."""
    first = Credentials(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    first.add_psk("board-1", b"id", KEY)
    assert [stat.S_IMODE(each.stat().st_mode) for each in file.parent.iterdir()] == [0o600]
    first.close()
    file.chmod(0o644)
    assert Credentials(file).psk_of("board-1") == (b"id", KEY)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_two_programs_at_once(file):
    """What one changes, the other sees at once."""
    server, command = Credentials(file), Credentials(file)
    command.add_psk("board-1", b"id", KEY)
    assert server.by_identity(b"id", SERVER) == ("board-1", KEY)
    command.remove("board-1")
    assert server.by_identity(b"id", SERVER) is None


def test_psk(store):
    """One key an endpoint and role; a new one takes its place; an identity is one endpoint's."""
    store.add_psk("board-1", b"id of 1", KEY)
    store.add_psk("board-1", b"factory", b"other", BOOTSTRAP)
    assert store.by_identity(b"id of 1", SERVER) == ("board-1", KEY)
    assert store.by_identity(b"id of 1", BOOTSTRAP) is None
    assert store.by_identity(b"factory", BOOTSTRAP) == ("board-1", b"other")
    with pytest.raises(UsageError, match="this PSK identity belongs to board-1 already"):
        store.add_psk("board-2", b"id of 1", KEY)
    store.add_psk("board-1", b"new id", b"new key")
    assert store.by_identity(b"id of 1", SERVER) is None
    assert store.psk_of("board-1") == (b"new id", b"new key")
    assert store.knows("board-1", SERVER) and not store.knows("board-2", SERVER)
    assert store.remove("board-1", BOOTSTRAP) == 1 and store.knows("board-1", SERVER)
    assert store.remove("board-1") == 1 and not store.knows("board-1", SERVER)


def test_new_psk(store):
    """16 bytes by chance, the name for the identity."""
    made = [store.new_psk(f"board-{number}") for number in range(3)]
    assert [name for name, _ in made] == [b"board-0", b"board-1", b"board-2"]
    assert {len(key) for _, key in made} == {16} and len({key for _, key in made}) == 3


@pytest.mark.parametrize("certificate", [BOARD.cert, PEM_CERT], ids=["DER", "PEM"])
def test_certificates(store, certificate):
    """Accepted by their SHA-256."""
    store.add_certificate("board-1", certificate)
    assert store.by_certificate(BOARD.cert, SERVER) == "board-1"
    assert store.by_certificate(BOARD.cert, BOOTSTRAP) is None
    assert store.by_certificate(CA.cert, SERVER) is None
    with pytest.raises(UsageError, match="this certificate belongs to board-1 already"):
        store.add_certificate("board-2", certificate)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda store: store.add_psk("b", b"", KEY), "1 to 128 bytes"),
        (lambda store: store.add_psk("b", b"i" * 129, KEY), "1 to 128 bytes"),
        (lambda store: store.add_psk("b", b"i\0", KEY), "none of them 0"),
        (lambda store: store.add_psk("b", b"\xff", KEY), "is text of 1 to 128 bytes in UTF-8"),
        (lambda store: store.add_psk("b", b"i", b""), "1 to 64 bytes"),
        (lambda store: store.add_psk("b", b"i", b"k" * 65), "1 to 64 bytes"),
        (lambda store: store.add_psk("", b"i", KEY), "an endpoint has a name"),
        (lambda store: store.add_psk("b\n", b"i", KEY), "an endpoint has a name"),
        (lambda store: store.add_psk("b", b"i", KEY, "friend"), "'friend' is no role"),
        (lambda store: store.add_certificate("b", b"\x89PNG"), "this is no certificate"),
    ],
)
def test_what_is_refused(store, call, sentence):
    with pytest.raises(UsageError, match=sentence):
        call(store)
    assert store.entries() == []


def test_files_that_cannot_be(tmp_path):
    """One sentence each."""
    (tmp_path / "picture").write_bytes(b"\x89PNG" * 1000)
    with pytest.raises(StartError, match="picture cannot be used: file is not a database"):
        Credentials(tmp_path / "picture")
    with pytest.raises(StartError, match="cannot be used: Is a directory"):
        Credentials(tmp_path)
    with pytest.raises(StartError, match="cannot be used: File exists"):
        Credentials(tmp_path / "picture" / "x")


def test_default_file(monkeypatch, tmp_path):
    """In the state directory, as the XDG specification has it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_file() == tmp_path / "microlwm2m" / "credentials.sqlite"
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert str(default_file()) == "/home/somebody/.local/state/microlwm2m/credentials.sqlite"


def test_openssl_agrees_with_the_pki(store, tmp_path, openssl):
    """openssl verifies what the lab's CA issues: chain, purpose, name."""
    issued, (server, _) = store.issue("board-1"), store.server_identity("192.0.2.7")
    files = {"ca": store.authority().certificate, "board": issued.certificate, "server": server.certificate}
    for name, der in files.items():
        (tmp_path / name).write_bytes(pki.pem_certificate(der))

    def verify(name, *options):
        command = [openssl, "verify", "-x509_strict", "-CAfile", str(tmp_path / "ca"), *options, str(tmp_path / name)]
        return subprocess.run(command, capture_output=True).returncode == 0

    assert verify("board", "-purpose", "sslclient") and not verify("board", "-purpose", "sslserver")
    assert verify("server", "-purpose", "sslserver") and not verify("server", "-purpose", "sslclient")
    assert verify("server", "-verify_ip", "192.0.2.7") and verify("server", "-verify_hostname", "localhost")
    assert not verify("server", "-verify_ip", "192.0.2.8")


@pytest.fixture
def openssl():
    return shutil.which("openssl") or pytest.skip("no openssl on this machine")


def test_the_servers_certificate_stays(store):
    """As long as it is good for the host; a new one has the former's names, too."""
    first, other = store.server_identity("192.0.2.7")
    assert not other
    for host in ("192.0.2.7", "127.0.0.1", "::1", "localhost", "0.0.0.0", "::"):
        assert store.server_identity(host) == (first, False)
    second, other = store.server_identity("192.0.2.8")
    assert other and second != first
    assert store.server_identity("192.0.2.7") == (second, False)
    names = x509.load_der_x509_certificate(second.certificate).extensions
    found = names.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"192.0.2.7", "192.0.2.8"} <= {str(each) for each in found.get_values_for_type(x509.IPAddress)}


def test_issue_keeps_no_key(file):
    """The private key of a device is nowhere in the file."""
    store = Credentials(file)
    issued = store.issue("board-1")
    private = serialization.load_der_private_key(issued.key, None).private_numbers().private_value
    assert private.to_bytes(32, "big") not in file.read_bytes()
    assert store.by_certificate(issued.certificate, SERVER) == "board-1"
    store.issue("x" * 100)  # longer than a common name may be
    assert store.knows("x" * 100, SERVER)


def test_command_line(file, capsys, tmp_path):
    """add, list, remove; a key is shown only when it was made here, and only then."""
    assert run(file, capsys, "list") == (0, "there are no credentials\n", "")
    assert run(file, capsys, "add", "board-1", "--psk-key", KEY.hex())[:2] == (0, "board-1: key accepted\n")
    status, out, _ = run(file, capsys, "add", "board-2", "--psk-identity", "it", "--new-psk", "--bootstrap")
    assert status == 0 and out.startswith("psk_identity it\npsk_key ")
    made = bytes.fromhex(out.split()[-1])
    (tmp_path / "cert.pem").write_bytes(PEM_CERT)
    assert run(file, capsys, "add", "board-3", "--cert", str(tmp_path / "cert.pem"))[0] == 0
    store = Credentials(file)
    assert store.psk_of("board-1") == (b"board-1", KEY) and store.psk_of("board-2", BOOTSTRAP) == (b"it", made)
    assert store.by_certificate(BOARD.cert, SERVER) == "board-3"
    _, out, _ = run(file, capsys, "list")
    lines = out.splitlines()
    assert [line.split("  ")[:3] for line in lines] == [
        ["board-1", "server", "PSK"],
        ["board-2", "bootstrap", "PSK"],
        ["board-3", "server", "X.509"],
    ]
    assert KEY.hex() not in out and made.hex() not in out
    assert run(file, capsys, "remove", "board-2")[0] == 2
    assert run(file, capsys, "remove", "board-2", "--bootstrap")[:2] == (0, "board-2: no credentials any more\n")
    assert not store.knows("board-2", BOOTSTRAP)


def test_issue_on_the_command_line(file, capsys, tmp_path):
    """Four files in DER and PEM, for their owner alone; the key belongs to the certificate."""
    out = tmp_path / "new" / "board-1"
    assert run(file, capsys, "issue", "board-1", "--out", str(out))[0] == 0
    names = sorted(each.name for each in out.iterdir())
    assert names == sorted(f"{name}.{kind}" for name in ("ca", "cert", "key", "server_cert") for kind in ("der", "pem"))
    assert {stat.S_IMODE(each.stat().st_mode) for each in out.iterdir()} == {0o600}
    certificate = x509.load_der_x509_certificate((out / "cert.der").read_bytes())
    key = serialization.load_der_private_key((out / "key.der").read_bytes(), None)
    assert key.public_key() == certificate.public_key()
    assert certificate == x509.load_pem_x509_certificate((out / "cert.pem").read_bytes())
    assert key.private_numbers() == (
        serialization.load_pem_private_key((out / "key.pem").read_bytes(), None).private_numbers()
    )
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate((out / "ca.der").read_bytes()))
    store = Credentials(file)
    assert store.by_certificate(certificate.public_bytes(DER), SERVER) == "board-1"
    assert store.server_identity("")[0].certificate == (out / "server_cert.der").read_bytes()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "b", "--psk-key", "0g"), "is written in hex digits"),
        (("add", "b", "--psk-key", ""), "1 to 64 bytes"),
        (("add", "b", "--cert", "/no/such/file"), "cannot read /no/such/file: No such file"),
        (("add", "b", "--cert", "/dev/null", "--psk-identity", "x"), "--psk-identity goes with a key"),
        (("add", "b", "--cert", "/dev/null"), "this is no certificate"),
        (("remove", "b"), "b has no credentials for the server server"),
        (("issue", "b", "--out", "/dev/null"), "/dev/null cannot be written"),
    ],
)
def test_mistakes_on_the_command_line(file, capsys, words, sentence):
    """Exit status 2 and one sentence, without any key."""
    status, out, err = run(file, capsys, *words)
    assert (status, out) == (2, "") and sentence in err and err.count("\n") == 1


def test_a_file_that_another_program_holds(file, monkeypatch):
    """A sentence, not a traceback."""
    store = Credentials(file)
    other = sqlite3.connect(file)
    other.execute("BEGIN EXCLUSIVE")
    store._database.execute("PRAGMA busy_timeout = 1")
    with pytest.raises(UsageError, match="database is locked"):
        store.knows("board-1", SERVER)


def test_over_the_control_channel():
    """list, add, new-psk and remove of a running server; only the key that is made there is told, once."""

    async def ask(server, **fields):
        return await anext(commands.run(server, {"command": "credentials", **fields}))

    async def scene():
        async with LabServer(port=0, security=Security(0, Credentials())) as server:
            assert (await ask(server))["lines"] == ["there are no credentials"]
            await ask(server, action="add", endpoint="board-1", psk_key=KEY.hex())
            await ask(server, action="add", endpoint="board-2", cert=PEM_CERT.decode(), role="bootstrap")
            made = await ask(server, action="new-psk", endpoint="board-3", psk_identity="it")
            assert server.credentials.psk_of("board-1") == (b"board-1", KEY)
            assert server.credentials.by_certificate(BOARD.cert, BOOTSTRAP) == "board-2"
            assert server.credentials.psk_of("board-3") == (b"it", bytes.fromhex(made["data"]["psk_key"]))
            listed = await ask(server, action="list")
            assert [each["endpoint"] for each in listed["data"]] == ["board-1", "board-2", "board-3"]
            assert KEY.hex() not in json.dumps(listed) and made["data"]["psk_key"] not in json.dumps(listed)
            await ask(server, action="remove", endpoint="board-1")
            assert not server.credentials.knows("board-1", SERVER)
            for fields, sentence in (
                ({"action": "remove", "endpoint": "board-1"}, "has no credentials"),
                ({"action": "add", "endpoint": "x"}, "are psk_key or cert"),
                ({"action": "add", "psk_key": "00"}, "needs an endpoint"),
                ({"action": "lend", "endpoint": "x"}, "one of these actions: list, add, new-psk, remove"),
            ):
                with pytest.raises(UsageError, match=sentence):
                    await ask(server, **fields)
        async with LabServer(port=0) as server:
            with pytest.raises(UsageError, match="does not listen with coaps"):
                await ask(server)

    asyncio.run(scene())


def one(**account):
    return {"default": {"servers": [account]}}


def test_certificates_in_a_bootstrap_configuration(tmp_path):
    """Files beside the configuration, PEM or DER, go out as DER; the server by itself or by its digest."""
    (tmp_path / "cert.pem").write_bytes(PEM_CERT)
    (tmp_path / "key.der").write_bytes(BOARD.key)
    (tmp_path / "server.der").write_bytes(CA.cert)
    account = {"uri": "coaps://host", "cert": "cert.pem", "key": "key.der", "server_cert": "server.der"}
    file = tmp_path / "bootstrap.json"
    file.write_text(json.dumps(one(**account, matching_type=1, sni="lab.test", certificate_usage=3)))
    (found,) = bootstrap_config.load(file).default.servers
    assert found == Account(
        "coaps://host",
        cert=BOARD.cert,
        key=BOARD.key,
        server_cert=CA.cert,
        matching_type=1,
        sni="lab.test",
        certificate_usage=3,
    )
    instance = found.security_instance("coaps://host")
    assert (instance[2], instance[3], instance[5]) == (2, BOARD.cert, BOARD.key)
    digest = hashlib.sha256(CA.cert).digest()
    assert (instance[4], instance[13], instance[14], instance[15]) == (digest, 1, "lab.test", 3)
    assert BOARD.key.hex() not in repr(found) and repr(BOARD.key) not in repr(found)


@pytest.mark.parametrize(
    ("account", "sentence"),
    [
        ({"uri": "coaps://host"}, "coaps://host needs psk_identity and psk_key, or certificates"),
        ({"uri": "coap://host", "psk_identity": "i", "psk_key": "00"}, "has no use for credentials: write coaps://"),
        ({"uri": "coaps://host", "psk_identity": "i"}, "psk_identity and psk_key come together"),
        ({"uri": "coaps://host", "cert": "cert.pem", "key": "key.der"}, "certificates need server_cert"),
        ({"uri": "coaps://host", "server_cert": "cert.pem", "key": "key.der"}, "cert and key come together"),
        ({"uri": "coaps://host", "cert": "gone.pem"}, "gone.pem, cannot be read: No such file"),
        ({"uri": "coaps://host", "cert": "key.der"}, "key.der: this is no certificate"),
        ({"uri": "coaps://host", "key": "cert.pem"}, "cert.pem: this is no private key"),
        ({"uri": "coaps://host", "credentials": "magic"}, "which is none of psk, x509"),
        ({"credentials": "psk", "psk_identity": "i", "psk_key": "00"}, "several kinds of credentials"),
        ({"uri": "coaps://host", "server_cert": "cert.pem", "matching_type": 4}, "matching_type is 4, not 0 to 3"),
    ],
)
def test_mistakes_in_a_bootstrap_configuration(tmp_path, account, sentence):
    """One sentence that names the place."""
    (tmp_path / "cert.pem").write_bytes(PEM_CERT)
    (tmp_path / "key.der").write_bytes(BOARD.key)
    file = tmp_path / "bootstrap.json"
    file.write_text(json.dumps(one(**account)))
    with pytest.raises(UsageError) as told:
        bootstrap_config.load(file)
    assert sentence in str(told.value) and "default, servers" in str(told.value)
