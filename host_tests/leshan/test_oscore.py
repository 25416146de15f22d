"""OMA's OSCORE cases (11, 405) with Californium's OSCORE as the judge; see java/Oscore.java. Leshan does not open what
it is notified of, so observations are judged by aiocoap alone, in interop/test_oscore.py."""

import itertools
import secrets

import pytest

from host_tests.leshan import device as devices
from host_tests.leshan.device import TLV, changed, code, contains, content, new_endpoint
from host_tests.leshan.test_bootstrap import FINISH, PROGRAM, session, write

_ids = itertools.count(1)


def new_keys(**more):
    """Keys as Leshan's commands have them: its own id is "sender", the device's is "recipient"."""
    number = next(_ids)
    ids = {"sender": f"a0{number:02x}", "recipient": f"d0{number:02x}"}
    return {**ids, "secret": secrets.token_hex(16), **more}


def options(keys):
    """The same for the device, whose ids are the other way round."""
    salt = ("--oscore-salt", keys["salt"]) if "salt" in keys else ()
    ids = "--oscore-sender-id", keys["recipient"], "--oscore-recipient-id", keys["sender"]
    return (*ids, "--oscore-secret", keys["secret"], *salt)


def protected(messages):
    """Assert that all of these went inside of OSCORE."""
    assert messages
    for message in messages:
        if message["code"] != "0.00":  # an empty ACK has nothing to protect
            assert (message["code"], message.get("path", "/")) in {("POST", "/"), ("2.04", "/"), ("2.05", "/")}, message
            assert "oscore" in message, message


@pytest.mark.parametrize(("interpreter", "salt"), [("unix", {}), ("cpython", {"salt": "9e7ca92223786340"})])
async def test_int_405_oscore(lab, interpreter, salt):
    """OSCORE"""
    endpoint, server, keys = new_endpoint("c1.py"), lab.bootstrap, new_keys(**salt)
    await server.call("server-account", ep=endpoint, **keys)
    given = ("--server", server.ready["server"], *options(keys), "--interpreter", interpreter)
    since = server.mark()
    async with devices.registered(server, "c1.py", *given, endpoint=endpoint) as device:
        contains(await device.read("/3/0", TLV), TLV, {"0": "ACME"})
        changed(await device.write("/1/0/1", 600))
        assert (await device.event("updated", since))["lifetime"] == 600
        content(await device.read("/1/0/1", TLV), TLV, 600)
        code(await device.read("/21/0/0"), "4.01")
        protected(device.messages(since))
    (gone,) = device.events("unregistered", since)
    assert not gone["expired"]


async def test_int_405_power_cut(lab):
    """OSCORE: a device that comes back uses no number twice, or Californium would take its Register for a replay.

    Leshan for its part begins at 0 again with each registration, in the same keys. The device refuses that, as it must;
    an Echo and new keys by an ID Context (RFC 8613 appendix B.1.2 and B.2) are what Leshan does not take up."""
    endpoint, server, keys = new_endpoint("c1.py"), lab.bootstrap, new_keys()
    await server.call("server-account", ep=endpoint, **keys)
    given = ("--server", server.ready["server"], *options(keys))
    async with devices.registered(server, "c1.py", *given, endpoint=endpoint, steered=True) as device:
        for _ in range(2):
            since = device.mark()
            device.board.room.reset()
            await device.event("registered", since)
            code(await device.read("/3/0", TLV), "4.01")
            assert not [message for message in device.messages(since) if message["code"].startswith("4.")]


async def test_int_405_wrong_secret(lab):
    """OSCORE: a secret that the server does not have"""
    endpoint, server, keys = new_endpoint("c1.py"), lab.bootstrap, new_keys()
    await server.call("server-account", ep=endpoint, **keys)
    given = ("--server", server.ready["server"], *options({**keys, "secret": "00" * 16}))
    since = server.mark()
    async with devices.running(server, "c1.py", *given, endpoint=endpoint) as device:
        await device.board.printed("REGISTERING -> WAITING")
        assert not device.events("registered", since)


async def test_int_011_oscore_bootstrap(lab):
    """OSCORE bootstrap"""
    endpoint, bootstrap = new_endpoint(PROGRAM), lab.bootstrap
    factory, given = new_keys(), new_keys(salt="0102")
    await bootstrap.call("account", ep=endpoint, **factory)
    await bootstrap.call("server-account", ep=endpoint, **given)
    server = {"0": bootstrap.ready["server"], "1": False, "2": 3, "10": 1, "17": "21:1"}
    oscore = {"0": given["secret"], "1": given["recipient"], "2": given["sender"], "5": given["salt"]}
    tasks = [
        write("/0", {"0": server}),
        write("/21", {"1": oscore}),
        write("/1", {"0": {"0": 1, "1": 86400, "6": False, "7": "U"}}),
    ]
    credentials = ("--server", bootstrap.ready["oscore"], *options(factory))
    async with session(lab, *tasks, endpoint=endpoint, credentials=credentials) as one:
        await one.event("end")
        paths = ["/0", "/21", "/1"]
        assert one.answers() == [("BootstrapWriteRequest", path, "2.04") for path in paths] + [(FINISH, "/bs", "2.04")]
        device = devices.Device(endpoint, bootstrap, one.device.board)
        await device.event("registered", one.since)
        contains(await device.read("/3/0", TLV), TLV, {"0": "ACME"})
        everything = bootstrap.seen(lambda event: event["event"] == "coap", one.since)
        protected(everything)
