"""Credentials: from config.json to the Security instance of an account, and what is of no use."""

import os

from compat import is_micropython
from lwm2m import credentials, settings
from lwm2m.config import ConfigError, parse_uri
from lwm2m.objects.security import Security
from support import each, eq, raises

FOLDER = "build/credentials-%d/" % is_micropython
PSK = {"server": "coaps://lab", "psk_identity": "board-1", "psk_key": "00ff10"}


def security_of(config):
    """The Security instance of the only server."""
    (server,) = settings.check(config, FOLDER)["servers"]
    return server["security"]


class Files:
    """Files with their own name as content, for as long as a with statement lasts."""

    def __init__(self, *names):
        self._names = names

    def __enter__(self):
        for folder in ("build", FOLDER[:-1]):
            try:
                os.mkdir(folder)
            except OSError:  # it is there
                continue
        for name in self._names:
            with open(FOLDER + name, "wb") as file:
                file.write(name.encode())

    def __exit__(self, *error):
        for name in self._names:
            os.remove(FOLDER + name)


def test_pre_shared_key():
    found = security_of(PSK)
    eq((found.uri, found.ssid, found.mode), ("coaps://lab", 1, 0))
    eq((found.identity, found.secret_key, found.server_key), (b"board-1", b"\x00\xff\x10", b""))
    eq(parse_uri(found.uri), ("lab", 5684))


def test_certificates():
    """Mode 2; a CA is certificate usage 2, the server's own certificate the default, 3."""
    with Files("t.cert", "t.key", "t.ca"):
        config = {"server": "coaps://lab", "cert": "t.cert", "key": "t.key", "ca": "t.ca", "sni": "lab.test"}
        found = security_of(config)
        eq((found.mode, found.identity, found.secret_key, found.server_key), (2, b"t.cert", b"t.key", b"t.ca"))
        eq((found.certificate_usage, found.matching_type, found.sni), (2, None, "lab.test"))
        found = security_of({"server": {"uri": "coaps://lab", "server_cert": "t.ca"}})
        eq((found.mode, found.identity, found.server_key), (2, b"", b"t.ca"))
        eq((found.certificate_usage, found.matching_type, found.sni), (None, None, None))


def test_several_servers():
    """What is said at the top is for each coaps:// server that says nothing itself."""
    other = {"uri": "coaps://other", "psk_identity": "me", "psk_key": "aa"}
    config = dict(PSK, server=["coaps://lab", other, "coap://plain", "coaps://third"])
    servers = settings.check(config)["servers"]
    found = [server["security"].identity if "security" in server else None for server in servers]
    eq(found, [b"board-1", b"me", None, b"board-1"])
    found = settings.check(dict(PSK, bootstrap=True))["bootstrap"]
    eq((found["security"].identity, found["security"].ssid), (b"board-1", None))


MISTAKES = [
    ({"server": "coaps://lab"}, "coaps://lab: coaps:// needs a pre-shared key or certificates"),
    (dict(PSK, server="coap://lab"), "psk_identity is of no use, as no server is coaps://"),
    (
        {"server": {"uri": "coap://lab", "psk_identity": "a", "psk_key": "00"}},
        "coap://lab: credentials need a coaps:// URI",
    ),
    (dict(PSK, psk_key="0"), "psk_key must be hex digits, two for each byte"),
    (dict(PSK, psk_key="0g"), "psk_key must be hex digits, two for each byte"),
    (dict(PSK, psk_key=""), "coaps://lab: a pre-shared key must have 1 to 64 bytes"),
    (dict(PSK, psk_key=7), "psk_key must be a text"),
    (dict(PSK, psk_key="00" * 65), "coaps://lab: a pre-shared key must have 1 to 64 bytes"),
    (dict(PSK, psk_identity="i" * 129), "coaps://lab: the identity of a pre-shared key must have 1 to 128 bytes"),
    (
        {"server": "coaps://lab", "psk_key": "00"},
        "coaps://lab: the identity of a pre-shared key must have 1 to 128 bytes",
    ),
    ({"server": "coaps://lab", "ca": "t.none"}, "ca: there is no file of that name"),
    (dict(PSK, ca="t.ca"), "there must be a pre-shared key, a server_cert or a ca, and only one of them"),
    (
        {"server": "coaps://lab", "ca": "t.ca", "server_cert": "t.ca"},
        "there must be a pre-shared key, a server_cert or a ca, and only one of them",
    ),
    (
        {"server": "coaps://lab", "ca": "t.ca", "cert": "t.ca"},
        "coaps://lab: a certificate and its private key come together",
    ),
    (
        {"server": "coaps://lab", "cert": "t.ca", "key": "t.ca"},
        "coaps://lab: the server's certificate, or that of who signed it, is missing",
    ),
]


def mistake(config, sentence):
    """Told in one sentence that never holds a key."""
    eq(str(raises(ConfigError, settings.check, config, FOLDER)), sentence)


def test_mistakes():
    with Files("t.ca"):
        each(MISTAKES, mistake)


# What a Bootstrap-Server may write: attributes of a Security instance, and what makes them useless.
USELESS = [
    ({"mode": None}, "mode is missing"),
    ({"mode": 3}, "coaps:// needs a pre-shared key or certificates"),
    ({"mode": 1}, "mode 1 is not there: MicroPython's TLS has no raw public keys (1) and no EST (4); use 0 or 2"),
    ({"mode": 4}, "mode 4 is not there: MicroPython's TLS has no raw public keys (1) and no EST (4); use 0 or 2"),
    ({"mode": 0}, None),
    ({"mode": 0, "secret_key": b""}, "a pre-shared key must have 1 to 64 bytes"),
    ({"mode": 0, "uri": "coap://lab"}, "credentials need a coaps:// URI"),
    ({"mode": 2}, None),
    ({"mode": 2, "matching_type": 1}, "a SHA-256 has 32 bytes"),
    ({"mode": 2, "matching_type": 1, "server_key": bytes(32)}, None),
    ({"mode": 2, "matching_type": 2}, "matching type 2 is not there: use 0, the certificate, or 1, its SHA-256"),
    (
        {"mode": 2, "certificate_usage": 1},
        "certificate usage 1 needs a store of root certificates, which is not there: use 2 or 3",
    ),
    ({"mode": 2, "certificate_usage": 2}, None),
    (
        {"mode": 2, "certificate_usage": 2, "matching_type": 1},
        "a trust anchor must be there as a whole: use matching type 0",
    ),
]


def useless(attributes, sentence):
    """One thing is wrong with an instance that is else complete."""
    security = Security("coaps://lab", 1)
    security.identity, security.secret_key, security.server_key = b"i", b"k", b"s"
    for name, value in attributes.items():
        setattr(security, name, value)
    eq(credentials.problem(security), sentence)


def test_problems():
    each(USELESS, useless)
