"""OMA's security cases (400-499) over DTLS, with Scandium, Leshan's DTLS, as the judge. MicroPython's Unix port has no
CCM suites, CPython's OpenSSL has LwM2M's mandatory ones."""

import asyncio

import pytest

from host_tests.cpython.dtls_pair import NAMES, SERVER, identity
from host_tests.interop.network import Proxy
from host_tests.leshan.credentials import options, pre_shared_key
from host_tests.leshan.device import TLV, changed, contains, new_endpoint

PROGRAM = "c1.py"
SUITES = {"unix": "_WITH_AES_128_GCM_SHA256", "cpython": "_WITH_AES_128_CCM_8"}
IMPATIENT = {"ACK_TIMEOUT_ms": 100, "MAX_RETRANSMIT": 2}
BOTH = pytest.mark.parametrize("interpreter", SUITES)


def session_of(messages):
    """(cipher suite, identity) of the one DTLS session in which all these messages went."""
    (session,) = {(message.get("cipher"), message.get("identity"), message.get("handshake")) for message in messages}
    return session[:2]


async def serves(device, since):
    """Assert that it is managed as any device: read, written, observed; the session in which all of that went."""
    contains(await device.read("/3/0", TLV), TLV, {"0": "ACME"})
    changed(await device.write("/1/0/1", 600))
    assert (await device.event("updated", since))["lifetime"] == 600
    changed(await device.attributes("/1/0/1", "pmin=0&pmax=1"))
    observed = await device.observe("/1/0/1", TLV)
    await device.event("notification", since, observation=observed["observation"])
    return session_of(device.messages(since, way="in"))


@BOTH
async def test_int_401_psk(lab, interpreter):
    """DTLS with a pre-shared key"""
    endpoint, since = new_endpoint(PROGRAM), lab.leshan.mark()
    given = await lab.psk(endpoint)
    async with lab.registered(PROGRAM, *given, "--interpreter", interpreter, endpoint=endpoint) as device:
        suite, identity = await serves(device, since)
        assert suite == "TLS_PSK" + SUITES[interpreter]
        assert f"[identity: id of {endpoint}]" in identity


@BOTH
async def test_int_402_certificate(lab, interpreter):
    """DTLS with a certificate"""
    endpoint, since = new_endpoint(PROGRAM), lab.leshan.mark()
    given = await lab.certificate(endpoint)
    async with lab.registered(PROGRAM, *given, "--interpreter", interpreter, endpoint=endpoint) as device:
        suite, identity = await serves(device, since)
        assert suite == "TLS_ECDHE_ECDSA" + SUITES[interpreter]
        assert identity == f"x509 [CN={endpoint}]"


async def test_int_402_pinned_certificate(lab):
    """DTLS with a certificate: the server's own is known, in place of a CA"""
    endpoint = new_endpoint(PROGRAM)
    given = (*(await lab.certificate(endpoint))[:-2], "--server-cert", lab.credentials.file("server.der"))
    async with lab.registered(PROGRAM, *given, endpoint=endpoint) as device:
        contains(await device.read("/3/0", TLV), TLV, {"0": "ACME"})


async def refuses(lab, interpreter, reason, uri, *trust):
    """Assert that a device which trusts so refuses Leshan, says why, and does not come again soon."""
    endpoint, since = new_endpoint(PROGRAM), lab.leshan.mark()
    own = (await lab.certificate(endpoint))[2:-2]
    arguments = ("--server", uri, *own, *trust, "--interpreter", interpreter)
    async with lab.running(PROGRAM, *arguments, endpoint=endpoint, RETRY_TIMER_s=1) as device:
        await device.board.printed("next attempt in ", timeout_s=20)
        assert device.board.count(f"DTLS: we refuse the server: .*{reason}") == 1
        assert device.board.count("-> REGISTERING") == 0
        assert device.board.count("next attempt in [1-9][0-9][0-9] s") == 1
        assert not device.events("registered", since)


@BOTH
async def test_int_403_wrong_server_identity(lab, interpreter):
    """Wrong server identity"""
    other, uri = identity("another CA"), lab.leshan.ready["coaps"]
    lab.credentials.save("other", other)
    lab.credentials.save("not-pinned", identity("leshan", other, SERVER, NAMES))
    file = lab.credentials.file
    await asyncio.gather(
        refuses(lab, interpreter, "not|signed", uri, "--ca", file("other.der")),
        refuses(lab, interpreter, "not .* (know|expect)", uri, "--server-cert", file("not-pinned.der")),
        refuses(lab, interpreter, "[Nn]ame", uri.replace("127.0.0.1", "localhost"), "--ca", file("ca.der")),
    )


async def gets_nowhere(lab, interpreter, psk):
    """Assert that a device with this key does not come as far as a Register."""
    given = ("--server", lab.leshan.ready["coaps"], *options(psk), "--interpreter", interpreter)
    async with lab.running(PROGRAM, *given, HANDSHAKE_s=2) as device:
        await device.board.printed("no link: DTLS: .* at our key", timeout_s=20)
        assert device.board.count("-> REGISTERING") == 0


@BOTH
async def test_int_403_wrong_key(lab, interpreter):
    """Wrong server identity: a key that is not the server's, and an identity that it does not know"""
    endpoint, since = new_endpoint(PROGRAM), lab.leshan.mark()
    await lab.psk(endpoint)
    wrong = {"identity": f"id of {endpoint}", "key": "00" * 16}
    await asyncio.gather(*(gets_nowhere(lab, interpreter, psk) for psk in (wrong, pre_shared_key("nobody"))))
    assert not lab.leshan.seen(lambda event: event["event"] in ("coap", "registered"), since)


async def comes_back(device, break_it):
    """Assert that a device whose session is lost by `break_it` makes another, and begins that with a Register."""
    since = device.mark()
    contains(await device.read("/3/0", TLV), TLV, {"0": "ACME"})
    (before,) = {message["handshake"] for message in device.messages(since, way="in")}
    since = device.mark()
    await break_it
    again = await device.event("registered", since, timeout_s=20)
    contains(await device.read("/3/0", TLV), TLV, {"0": "ACME"})
    found = [message for message in device.messages(since, way="in") if message["port"] == again["port"]]
    assert (found[0]["code"], found[0]["path"]) == ("POST", "/rd")
    (after,) = {message["handshake"] for message in found}
    assert after > before
    since = device.mark()
    await device.event("updated", since)


async def test_x_58_server_restarts_without_sessions(lab):
    """DTLS peer gone"""
    endpoint = new_endpoint(PROGRAM)
    given = *(await lab.psk(endpoint)), "--lifetime", "2"
    async with lab.registered(PROGRAM, *given, endpoint=endpoint, **IMPATIENT) as device:
        await comes_back(device, lab.leshan.call("forget-sessions"))


async def test_x_59_new_port_behind_a_nat(lab):
    """New port behind a NAT"""
    endpoint = new_endpoint(PROGRAM)
    given = (await lab.psk(endpoint))[2:]
    async with Proxy.before(int(lab.leshan.ready["coaps"].rpartition(":")[2])) as proxy:
        given = "--server", proxy.uri.replace("coap:", "coaps:"), *given, "--lifetime", "2"
        async with lab.registered(PROGRAM, *given, endpoint=endpoint, **IMPATIENT) as device:
            await comes_back(device, proxy.rebind())
