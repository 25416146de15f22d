"""OMA's registration cases (100-199), with Leshan as the server. Lifetimes are seconds, where OMA has minutes."""

import contextlib

from host_tests.leshan.device import TLV, changed, contains, content
from host_tests.leshan.harness import AWAKE_MS, LeshanError

AWAKE = {"AWAKE_ms": AWAKE_MS}


async def updates(device, since):
    """The queries of the Updates since a mark."""
    found = device.messages(since, way="in", code="POST")
    return [message["query"] for message in found if message["path"].startswith("/rd/")]


async def test_int_101_initial_registration(lab):
    """Initial registration"""
    since = lab.leshan.mark()
    async with lab.registered("c1.py") as device:
        registered = await device.event("registered", since)
        assert (registered["lifetime"], registered["version"], registered["binding"]) == (86400, "1.1", "[U]")
        assert not registered["queue"]
        links = registered["links"].split(",")
        assert links[0].startswith('</>;rt="oma.lwm2m"')
        assert links[1:] == ["</1/0>", "</3>;ver=1.1", "</3/0>"]
        (register,) = device.messages(since, way="in", code="POST")
        assert (register["type"], register["path"], register["format"]) == ("CON", "/rd", 40)
        assert sorted(register["query"].split("&")) == ["b=U", f"ep={device.endpoint}", "lt=86400", "lwm2m=1.1"]


async def test_int_102_registration_update(lab):
    """Registration update"""
    async with lab.registered("c1.py") as device:
        since = device.mark()
        changed(await device.write("/1/0/1", 3))
        first = await device.event("updated", since)
        assert (first["lifetime"], first["binding"], first["links"]) == (3, None, None)
        await device.event("updated", since, times=3)
        assert (await updates(device, since))[:3] == ["lt=3", "", ""]
        assert not device.events("unregistered", since)


async def test_int_103_deregistration(lab):
    """De-registration"""
    async with lab.registered("c3.py") as device:
        changed(await device.write("/1/0/5", 2))
        since = device.mark()
        changed(await device.execute("/1/0/4"))
        removed = await device.event("unregistered", since)
        assert not removed["expired"]
        gone = await device.message(since, way="out", code="2.02")
        again = await device.event("registered", since)
        back = await device.message(since, way="in", code="POST")
        assert back["ms"] - gone["ms"] >= 2000
        assert again["registration"] != removed["registration"]


async def test_int_104_update_trigger(lab):
    """Update trigger"""
    async with lab.registered("c1.py", "--lifetime", "4") as device:
        since = device.mark()
        changed(await device.execute("/1/0/8"))
        await device.event("updated", since, timeout_s=1)
        assert await updates(device, since) == [""]
        done = await device.message(since, way="in", code="2.04")
        asked = await device.message(since, way="in", code="POST")
        assert done["ms"] <= asked["ms"]
        await device.event("updated", since, times=4)
        assert not device.events("unregistered", since)


async def test_int_105_update_refused(lab):
    """Update refused"""
    async with lab.registered("c1.py", "--lifetime", "3") as device:
        since = device.mark()
        await device.request("forget")
        await device.message(since, way="out", code="4.04")
        again = await device.event("registered", since)
        assert again["lifetime"] == 3
        assert "</3/0>" in again["links"]


async def test_int_107_extending_lifetime(lab):
    """Extending the lifetime"""
    async with lab.registered("c1.py", "--lifetime", "60") as device:
        since = device.mark()
        changed(await device.write("/1/0/1", 120))
        assert (await device.event("updated", since))["lifetime"] == 120
        content(await device.read("/1/0/1", TLV), TLV, 120)
        assert await updates(device, since) == ["lt=120"]
        assert (await device.request("registration"))["lifetime"] == 120


async def test_int_108_queue_mode_on(lab):
    """Queue mode on"""
    since = lab.leshan.mark()
    async with lab.registered("c1.py", "--queue-mode", **AWAKE) as device:
        registered = await device.event("registered", since)
        assert (registered["queue"], registered["binding"]) == (True, "[U]")
        (register,) = device.messages(since, way="in", code="POST")
        assert {"b=U", "Q"} <= set(register["query"].split("&"))
    async with lab.registered("c1.py", "--queue-mode", "--lwm2m-version", "1.0", **AWAKE) as device:
        assert (await device.request("registration"))["queue"]
        assert "b=UQ" in device.messages(since, way="in", code="POST")[-1]["query"].split("&")


async def test_int_109_queue_mode_behaviour(lab):
    """Queue mode behaviour"""
    async with lab.registered("c1.py", "--queue-mode", **AWAKE) as device:
        since = device.mark()
        changed(await device.write("/1/0/1", 10))
        assert (await device.event("updated", since))["lifetime"] == 10
        awake = device.mark()
        await device.event("sleeping", awake)
        asleep = device.mark()
        await device.event("updated", asleep, timeout_s=10)
        await device.event("awake", asleep)
        contains(await device.read("/3/0", TLV), TLV, {"0": "ACME"})
        assert not device.events("unregistered", since)


async def test_x_30_disable(lab):
    """Disable"""
    async with lab.registered("c3.py") as device:
        changed(await device.write("/1/0/5", 1))
        since = device.mark()
        changed(await device.execute("/1/0/4"))
        gone = await device.message(since, way="in", code="DELETE")
        back = await device.message(since, way="in", code="POST")
        assert back["ms"] - gone["ms"] >= 1000
        assert gone["path"].startswith("/rd/") and back["path"] == "/rd"
        await device.event("registered", since)


async def test_x_31_binding_and_queue_mode_change(lab):
    """Change of binding and queue mode"""
    async with lab.registered("c3.py", **AWAKE) as device:
        since = device.mark()
        with contextlib.suppress(LeshanError):  # the new Register ends what Leshan has not yet made of the answer
            changed(await device.write("/1/0/7", "UQ"))
        await device.message(since, way="in", code="2.04")
        again = await device.event("registered", since)
        assert (again["queue"], again["binding"]) == (True, "[U]")


async def test_x_48_new_register_drops_observations(lab):
    """New Register ends observations"""
    async with lab.registered("c4.py") as device:
        changed(await device.attributes("/3/0/7", "pmin=0&pmax=1"))
        since = device.mark()
        observed = await device.observe("/3/0/7", TLV)
        await device.event("notification", since, observation=observed["observation"])
        changed(await device.write("/1/0/5", 1))
        since = device.mark()
        changed(await device.execute("/1/0/4"))
        await device.event("registered", since)
        since = device.mark()
        fresh = await device.observe("/3/0/8", TLV)
        changed(await device.attributes("/3/0/8", "pmin=0&pmax=1"))
        await device.event("notification", since, observation=fresh["observation"], times=2)
        tokens = {message["token"] for message in device.messages(since, way="in") if "observe" in message}
        assert observed["observation"] not in {token.lower() for token in tokens}


async def test_x_61_queue_mode_answers_all(lab):
    """Queued requests"""
    async with lab.registered("c1.py", "--queue-mode", **AWAKE) as device:
        since = device.mark()
        changed(await device.write("/1/0/1", 8))
        await device.event("updated", since)
        await device.event("sleeping", since)
        await device.event("updated", device.mark(), timeout_s=10)
        for _ in range(5):
            contains(await device.read("/3/0", TLV), TLV, {"0": "ACME"})
