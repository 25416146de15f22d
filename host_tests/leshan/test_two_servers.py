"""OMA's cases of a device with two servers (950, 951): each is a Leshan of its own."""

import contextlib

from host_tests.leshan.device import TLV, Device, changed, code, contains, content
from host_tests.leshan.test_discovery import links


@contextlib.asynccontextmanager
async def pair(lab):
    """A device of C.14, as either server has it."""
    second = await lab.second()
    accounts = [
        {"uri": lab.leshan.ready["uri"], "lifetime": 600},
        {"uri": second.ready["uri"], "lifetime": 900},
        {"uri": lab.bootstrap.ready["uri"], "bootstrap": True},
    ]
    since = second.mark()
    async with lab.registered("c14.py", config={"server": accounts}) as one:
        two = Device(one.endpoint, second, one.board)
        await two.event("registered", since)
        yield one, two


async def test_int_950_two_servers_register(lab):
    """Two servers register"""
    async with pair(lab) as (one, two):
        for device, lifetime in ((one, 600), (two, 900)):
            registration = await device.request("registration")
            assert (registration["lifetime"], registration["binding"]) == (lifetime, "[U]")
            assert {"</1/0>", "</1/1>", "</3/0>"} <= set(registration["links"].split(","))
        for device, iid, other in ((one, 0, 1), (two, 1, 0)):
            contains(await device.read("/3/0", TLV), TLV, {"0": "ACME"})
            content(await device.read(f"/1/{iid}/0", TLV), TLV, iid + 1)
            code(await device.read(f"/1/{other}/0", TLV), "4.01")
            assert list((await device.read("/1", TLV))["content"]) == [str(iid)]
        since = two.mark()
        changed(await two.write("/1/1/1", 1200))
        assert (await two.event("updated", since))["lifetime"] == 1200
        assert (await one.request("registration"))["lifetime"] == 600


async def test_int_951_two_servers_attributes(lab):
    """Two servers, attributes of each"""
    async with pair(lab) as (one, two):
        changed(await one.attributes("/3/0", "pmin=2&pmax=10"))
        changed(await two.attributes("/3/0", "pmin=15&pmax=50"))
        for device, own in ((one, {"pmin=2", "pmax=10"}), (two, {"pmin=15", "pmax=50"})):
            assert own <= links(await device.discover("/3"))["/3/0"]
            assert not any(links(await device.discover("/3"))["/3/0"] - own)
