"""Devices that are gone and servers that close, with operations under way and queued: each ends in its sentence, and
nothing is left for asyncio to complain about."""

import asyncio
import contextlib

import pytest

from host_tests.cpython.test_lab_observation import PATH, RawDevice
from tools.lab import LabServer, Timeout
from tools.lab.credentials import Credentials
from tools.lab.listening import Security


def scene(story):
    """Run `story(server, device)`; nobody must have to catch what it leaves."""
    surprises = []

    async def run():
        asyncio.get_running_loop().set_exception_handler(lambda _, context: surprises.append(context))
        async with LabServer(port=0) as server, RawDevice.at(server) as device:
            await device.register()
            await story(server, device)
            await asyncio.sleep(0.1)

    asyncio.run(run())
    assert surprises == []


def test_a_server_closes_while_an_observation_begins():
    """The request that waits for its first answer ends as every other does."""

    async def story(server, device):
        observing = asyncio.create_task(server.observe("raw", PATH, timeout_s=60))
        await device.receive()
        await server.close()
        with pytest.raises(Timeout, match="observe raw /3303/0/5700: the lab server closed"):
            await observing

    scene(story)


def test_many_operations_with_a_device_whose_port_is_closed():
    """The first meets an ICMP error, all that wait behind it meet theirs; later ones as well."""

    async def story(server, device):
        device.transport.close()
        await asyncio.sleep(0)
        for _ in range(3):
            tasks = [asyncio.create_task(server.read("raw", PATH, timeout_s=3)) for _ in range(20)]
            tasks.append(asyncio.create_task(server.observe("raw", PATH, timeout_s=3)))
            for task in tasks:
                with pytest.raises(Timeout, match=r"cannot be reached|no answer"):
                    await task

    scene(story)


def test_callers_that_gave_up_on_a_device_whose_port_is_closed():
    """An error for a request that nobody waits for any more."""

    async def story(server, device):
        device.transport.close()
        await asyncio.sleep(0)
        tasks = [asyncio.create_task(server.read("raw", PATH, timeout_s=3)) for _ in range(10)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Timeout):
                await task

    scene(story)


def test_a_server_that_starts_again_has_its_ports():
    """Those of the first start, for coap and coaps, whichever they were."""

    async def run():
        server = LabServer(port=0, security=Security(0, Credentials()))
        await server.start()
        ports = server.port, server.secure_port
        await server.close()
        await server.start()
        assert (server.port, server.secure_port) == ports
        await server.close()

    asyncio.run(run())
