"""OMA's bootstrap cases over DTLS: Leshan's Bootstrap-Server hands out the credentials for Leshan itself."""

import hashlib

import pytest

from host_tests.leshan.credentials import pre_shared_key
from host_tests.leshan.device import TLV, contains, new_endpoint
from host_tests.leshan.test_bootstrap import FINISH, PROGRAM, session

WRITES = [("BootstrapWriteRequest", "/0", "2.04"), ("BootstrapWriteRequest", "/1", "2.04"), (FINISH, "/bs", "2.04")]
# How Leshan's certificate is told: certificate usage (/0/x/15), matching type (/0/x/13), and what stands in /0/x/4.
TRUST = {
    "exact": lambda credentials: {"rid_4": credentials.server.cert.hex()},
    "sha-256": lambda credentials: {"rid_13": 1, "rid_4": hashlib.sha256(credentials.server.cert).hexdigest()},
    "trust anchor": lambda credentials: {"rid_15": 2, "rid_4": credentials.ca.cert.hex()},
}


async def leads_to(lab, endpoint, credentials, account, suite):
    """Assert that a device with `credentials` for the Bootstrap-Server gets the account, and registers with it in a
    session that was begun after the Finish."""
    uri = lab.leshan.ready["coaps"]
    tasks = [lambda one: one.account(rid_0=uri, **account)]
    async with session(lab, *tasks, endpoint=endpoint, credentials=credentials) as one:
        await one.event("end")
        assert one.answers() == WRITES
        await one.registered()
        contains(await one.device.read("/3/0", TLV), TLV, {"0": "ACME"})
        asked = lab.bootstrap.seen(lambda event: event.get("path") == "/bs", one.since)
        asked = [message for message in asked if message["event"] == "coap"]
        assert all(suite in message["cipher"] for message in asked if message["way"] == "in")
        (finish,) = [message for message in asked if message["way"] == "out"]
        messages = one.device.messages(one.registered_since, way="in")
        assert messages[0]["path"] == "/rd" and suite in messages[0]["cipher"]
        (handshake,) = {message["handshake"] for message in messages}
        assert handshake >= finish["ms"]


async def test_int_001_full_bootstrap_psk(lab):
    """Full bootstrap with a pre-shared key"""
    endpoint = new_endpoint(PROGRAM)
    psk = pre_shared_key(endpoint)
    await lab.leshan.call("account", ep=endpoint, **psk)
    account = {"rid_2": 0, "rid_3": psk["identity"].encode().hex(), "rid_5": psk["key"]}
    await leads_to(lab, endpoint, await lab.psk(endpoint, lab.bootstrap), account, "TLS_PSK_")


@pytest.mark.parametrize("trust", TRUST)
async def test_int_002_full_bootstrap_certificate(lab, trust):
    """Full bootstrap with a certificate"""
    endpoint = new_endpoint(PROGRAM)
    mine = lab.credentials.device(endpoint)
    await lab.leshan.call("account", ep=endpoint)
    account = {"rid_2": 2, "rid_3": mine.cert.hex(), "rid_5": mine.key.hex(), **TRUST[trust](lab.credentials)}
    await leads_to(lab, endpoint, await lab.certificate(endpoint, lab.bootstrap), account, "TLS_ECDHE_ECDSA_")
