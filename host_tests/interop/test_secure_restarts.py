"""What test_restarts.py does, over coaps: a session that the server has forgotten is noticed by CoAP's retransmissions,
and a new one begins, on a new port and with a Register. In virtual time.
"""

import asyncio
import contextlib
import random
from unittest import mock

import pytest

from host_tests.interop import virtual
from host_tests.interop.network import Proxy
from host_tests.interop.test_bad_network import NUMBER, Ledger
from host_tests.interop.test_radio import Radio
from host_tests.interop.test_restarts import Bounds, SOON_s, managed, managed_again
from host_tests.interop.virtual import ENDPOINT
from lwm2m.config import Config
from lwm2m.transport import udp


class SecureBounds(Bounds):
    """What handshakes add, in seconds."""

    def __init__(self, lifetime_s):
        super().__init__(lifetime_s)
        self.handshake_s = Config().HANDSHAKE_s
        self.noticed_s = self.wait_s + self.first_s + 1  # silence, a pause, and the handshake

    def back(self, away_s):
        """After an outage that the device has noticed: the handshake that is under way may be in vain."""
        return super().back(away_s) - self.gap_s + max(self.handshake_s, self.noticed_s)

    def forgotten(self, away_s):
        """A server that knows the session no more: it says nothing."""
        return max(self.update_s + self.noticed_s, self.back(away_s)) + SOON_s


@contextlib.asynccontextmanager
async def registered(seed, lifetime=3600):
    """(server, proxy, client), as in test_restarts.py."""
    async with virtual.server(secure=True) as server, Proxy.before(server.secure_port) as proxy:
        client = virtual.device("coaps" + proxy.uri[4:], [Ledger()], seed, lifetime)
        async with virtual.running(client):
            await server.wait_registered(ENDPOINT)
            await asyncio.sleep(random.Random(seed).random() * lifetime)
            yield server, proxy, client


def count(client, state):
    return [found for _, found in client.states].count(state)


async def hard_restart(seed, away_s, lifetime=3600):
    """The server's machine is without power for a while, and then knows neither sessions nor registrations."""
    async with registered(seed, lifetime) as (_, proxy, client):
        proxy.cut = True
        await asyncio.sleep(away_s)
        async with virtual.server(secure=True) as other:
            proxy.server = ("127.0.0.1", other.secure_port)
            proxy.cut = False
            await managed_again(other, SecureBounds(lifetime).forgotten(away_s))
            assert len(proxy.ports) > 1, "each session has a port of its own"
            assert client.states[-1][1] == "REGISTERED"


@pytest.mark.parametrize("away_s", [1, 300, 10000])
def test_hard_restart(away_s):
    for seed in range(1, 4):
        virtual.run(hard_restart(seed, away_s), seed)


async def clean_restart(seed, away_s, lifetime=86400):
    """The server says good-bye: all know at once."""
    async with registered(seed, lifetime) as (server, proxy, client):
        await server.close()
        await asyncio.sleep(away_s)
        async with virtual.server(secure=True) as other:
            proxy.server = ("127.0.0.1", other.secure_port)
            bounds = SecureBounds(lifetime)
            await managed_again(other, bounds.pause_s + bounds.handshake_s + SOON_s)
            assert client.registrations[0].state == "REGISTERED"


@pytest.mark.parametrize("away_s", [0, 1, 60, 1000])
def test_clean_restart(away_s):
    """The device tries on at once, for as long as its registration might hold."""
    for seed in range(1, 4):
        virtual.run(clean_restart(seed, away_s), seed)


async def outage(seed, away_s, lifetime=3600):
    """Silence; then the same server, with all that it knew."""
    async with registered(seed, lifetime) as (server, proxy, _):
        proxy.cut = True
        await asyncio.sleep(away_s)
        proxy.cut = False
        await managed_again(server, SecureBounds(lifetime).back(away_s))


@pytest.mark.parametrize("away_s", [1, 60, 1000])
def test_outage(away_s):
    """One session that goes on, or a new one."""
    for seed in range(1, 4):
        virtual.run(outage(seed, away_s), seed)


async def no_radio(seed, away_s):
    """Our own network is away: what we send cannot even leave."""
    radio = Radio()
    with mock.patch.object(udp, "socket", radio):
        async with registered(seed, 86400) as (server, proxy, client):
            observation = await server.observe(ENDPOINT, NUMBER)
            radio.up = False
            client.tree.objects[Ledger.OID][0].set("number", 1)
            await asyncio.sleep(away_s)
            radio.up = True
            bounds = SecureBounds(86400)
            assert (await observation.next(bounds.pause_s)).value == "1"
            assert (count(client, "REGISTERING"), len(proxy.ports)) == (1, 1)


@pytest.mark.parametrize("away_s", [1, 60, 10000])
def test_a_session_that_works_is_kept(away_s):
    """And with it the registration, its observations, and what was to be told."""
    virtual.run(no_radio(1, away_s))


async def rebinding(seed, lifetime):
    """To DTLS without connection ids a device behind another port is a stranger."""
    async with registered(seed, lifetime) as (server, proxy, _):
        await proxy.rebind()
        bounds = SecureBounds(lifetime)
        assert not await managed(server)
        await managed_again(server, bounds.update_s + bounds.noticed_s + SOON_s)


def test_nat_rebinding():
    """So the next Update meets silence, and a new session begins."""
    for seed in range(1, 4):
        virtual.run(rebinding(seed, random.Random(seed).choice([300, 3600, 86400])), seed)
