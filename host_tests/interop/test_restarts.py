"""Servers that restart, with and without their registrations, networks that break, addresses that change: each time the
device is managed again within the bound that its timers give. In virtual time, so that a day is as good as a second.

The bounds are those of the README, counted from the moment in which the server can be reached again.
"""

import asyncio
import contextlib
import random

import pytest

from host_tests.interop import virtual
from host_tests.interop.network import Proxy
from host_tests.interop.test_bad_network import LABEL, NUMBER, Ledger
from host_tests.interop.virtual import ENDPOINT
from lwm2m.config import Config
from tools.lab import LabError, LabServer

SOON_s = 3  # a question and its answer, and the steps in which the tests look


class Bounds:
    """What a device's timers add up to, in seconds."""

    def __init__(self, lifetime_s, config=None):
        config = config or Config()
        self.lifetime_s = lifetime_s
        self.wait_s = config.max_transmit_wait_ms() / 1000  # a message is given up, 93
        self.gap_s = config.ACK_TIMEOUT_ms * config.ACK_RANDOM_FACTOR * 2**config.MAX_RETRANSMIT / 1000  # 48
        self.pause_s = 60 * 1.25  # between two Updates while the registration holds
        self.retry_s = config.RETRY_MAX_s * 1.25  # between two Registers, 375
        self.update_s = lifetime_s - min(lifetime_s / 2, self.wait_s)  # from one Update to the next

    def back(self, away_s):
        """After an outage that the device has noticed; a longer one may have outlived the registration."""
        holds = away_s < self.lifetime_s - self.update_s
        return self.gap_s + (self.pause_s if holds else self.retry_s) + SOON_s

    def forgotten(self, away_s):
        """A server that has lost the registration and says so when it is asked."""
        return max(self.update_s, self.back(away_s)) + SOON_s


@contextlib.asynccontextmanager
async def registered(seed, lifetime=3600, **bounds):
    """(server, proxy, client) with the device registered for some time, at most its lifetime."""
    async with virtual.server() as server, Proxy.before(server.port) as proxy:
        client = virtual.device(proxy.uri, [Ledger()], seed, lifetime, **bounds)
        async with virtual.running(client):
            await server.wait_registered(ENDPOINT)
            await asyncio.sleep(random.Random(seed).random() * lifetime)
            yield server, proxy, client


async def managed(server):
    """Whether the server reads the right value."""
    try:
        return (await server.read(ENDPOINT, LABEL, timeout_s=2)).value == ""
    except LabError:
        return False


async def managed_again(server, bound_s):
    """Wait until the device can be managed: it can already, or it comes by a Register or Update. Returns the seconds."""
    start_s = virtual.now_s()
    with server.subscribe() as events:
        while not await managed(server):
            left_s = bound_s - (virtual.now_s() - start_s)
            assert left_s > 0, f"not managed within {bound_s} s"
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    await anext(events)
                    await asyncio.sleep(0.1)
    return virtual.now_s() - start_s


async def outage(seed, away_s, forgets, lifetime=3600):
    """The server is silent for a while from some moment on."""
    async with registered(seed, lifetime) as (server, proxy, client):
        proxy.cut = True
        await asyncio.sleep(away_s * (1 + random.Random(seed).random() / 10))
        bounds = Bounds(lifetime)
        if not forgets:
            proxy.cut = False
            return await managed_again(server, bounds.back(away_s))
        async with LabServer(port=0, timeout_s=200, clock=asyncio.get_running_loop().time) as other:
            proxy.server = ("127.0.0.1", other.port)
            proxy.cut = False
            return await managed_again(other, bounds.forgotten(away_s))


@pytest.mark.parametrize("forgets", [False, True])
@pytest.mark.parametrize("away_s", [1, 60, 1000, 10000, 86400])
def test_outage(away_s, forgets):
    for seed in range(1, 4):
        virtual.run(outage(seed, away_s, forgets), seed)
