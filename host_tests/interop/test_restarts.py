"""Servers that restart, with and without their registrations, networks that break, addresses that change: each time the
device is managed again within the bound that its timers give. In virtual time, so that a day is as good as a second.

The bounds are those of the README, counted from the moment in which the server can be reached again.
"""

import asyncio
import contextlib
import random
import socket
from unittest import mock

import pytest

from host_tests.interop import virtual
from host_tests.interop.network import Proxy
from host_tests.interop.test_bad_network import LABEL, NUMBER, Ledger
from host_tests.interop.virtual import ENDPOINT
from lwm2m.config import Config
from tools.lab import LabError

SOON_s = 3  # a question and its answer, and the steps in which the tests look


class Bounds:
    """What a device's timers add up to, in seconds."""

    def __init__(self, lifetime_s, config=None):
        config = config or Config()
        self.lifetime_s = lifetime_s
        self.wait_s = config.max_transmit_wait_ms() / 1000  # a message is given up, 93
        self.gap_s = config.ACK_TIMEOUT_ms * config.ACK_RANDOM_FACTOR * 2**config.MAX_RETRANSMIT / 1000  # 48
        self.first_s = 1 + config.SPREAD_s  # until the first attempt after a break
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
    """Wait until the device can be managed: it can already, or comes by a Register or Update. Returns the seconds."""
    start_s = virtual.now_s()
    with server.subscribe() as events:
        while not await managed(server):
            left_s = bound_s - (virtual.now_s() - start_s)
            assert left_s > 0, f"not managed within {bound_s} s"
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left_s):
                    while (await anext(events)).kind not in ("register", "update"):
                        continue
                    await asyncio.sleep(0.1)
    return virtual.now_s() - start_s


async def outage(seed, away_s, forgets, lifetime=3600):
    """The server is silent for a while from some moment on; then it is there again, or one that knows nobody."""
    async with registered(seed, lifetime) as (server, proxy, _):
        proxy.cut = True
        await asyncio.sleep(away_s * (1 + random.Random(seed).random() / 10))
        bounds = Bounds(lifetime)
        if not forgets:
            proxy.cut = False
            return await managed_again(server, bounds.back(away_s))
        async with virtual.server() as other:
            proxy.server = ("127.0.0.1", other.port)
            proxy.cut = False
            return await managed_again(other, bounds.forgotten(away_s))


@pytest.mark.parametrize("forgets", [False, True])
@pytest.mark.parametrize("away_s", [1, 60, 1000, 10000, 86400])
def test_outage(away_s, forgets):
    for seed in (1, 2, 3) if away_s < 86400 else (1,):
        virtual.run(outage(seed, away_s, forgets), seed)


async def closed_port(seed, away_s, forgets, lifetime=3600):
    """The same with ICMP: the server's process is gone, its machine is there and says that nobody listens."""
    async with virtual.server() as server:
        client = virtual.device(server.uri, [Ledger()], seed, lifetime)
        async with virtual.running(client):
            await server.wait_registered(ENDPOINT)
            await asyncio.sleep(random.Random(seed).random() * lifetime)
            await server.close()
            await asyncio.sleep(away_s)
            bounds = Bounds(lifetime)
            if not forgets:
                await server.start()
                return await managed_again(server, bounds.back(away_s))
            async with virtual.server(server.port) as other:
                return await managed_again(other, bounds.forgotten(away_s))


@pytest.mark.parametrize("forgets", [False, True])
@pytest.mark.parametrize("away_s", [1, 60, 5000])
def test_a_server_that_ends_and_starts(away_s, forgets):
    for seed in range(1, 4):
        virtual.run(closed_port(seed, away_s, forgets), seed)


async def heard_of(seed, forgets):
    """Where something is observed the device finds out by its next notification, long before its next Update."""
    async with registered(seed, 86400) as (server, proxy, client):
        await server.observe(ENDPOINT, NUMBER)
        ledger = client.tree.objects[Ledger.OID][0]
        if forgets:
            async with virtual.server() as other:
                proxy.server = ("127.0.0.1", other.port)
                ledger.set("number", 1)
                return await managed_again(other, SOON_s)
        await proxy.rebind()
        ledger.set("number", 1)
        return await managed_again(server, SOON_s)


@pytest.mark.parametrize("forgets", [False, True])
def test_an_observation_that_nobody_knows(forgets):
    """A server that has restarted, or a NAT that has given the device another port: a Reset comes back, and leads to
    an Update at once."""
    virtual.run(heard_of(1, forgets))


async def rebinding(seed, lifetime):
    """A NAT forgets: the server cannot reach the device until it speaks up from its new port."""
    async with registered(seed, lifetime) as (server, proxy, client):
        await proxy.rebind()
        took_s = await managed_again(server, Bounds(lifetime).update_s + SOON_s)
        assert [state for _, state in client.states].count("REGISTERING") == 1
        return took_s


def test_nat_rebinding():
    """The next Update repairs it."""
    for seed in range(1, 6):
        virtual.run(rebinding(seed, random.Random(seed).choice([60, 300, 3600, 86400])), seed)


@contextlib.contextmanager
def names(**found):
    """What "lab.example" means, a list of addresses; None is that names cannot be resolved. Each question takes
    `slow_s`, in which a device without threads does nothing else."""
    ask = socket.getaddrinfo
    found.setdefault("slow_s", 0)

    def getaddrinfo(host, port, *args, **kwargs):
        if not host.endswith(".example"):
            return ask(host, port, *args, **kwargs)
        virtual.block(found["slow_s"])
        if not found["lab"]:
            raise socket.gaierror(-3, "Temporary failure in name resolution")
        return [one for address in found["lab"] for one in ask(address, port, *args, **kwargs)]

    with mock.patch("socket.getaddrinfo", getaddrinfo):
        yield found


def device_by_name(port, seed, lifetime, secure=False):
    return virtual.device(f"coap{'s' * secure}://lab.example:{port}", [Ledger()], seed, lifetime)


@contextlib.asynccontextmanager
async def two_ways(host, first_is_cut=False, secure=False):
    """(server, its proxy at 127.0.0.1, another at `host` and the same port)."""
    async with (
        virtual.server(secure=secure) as server,
        Proxy.before(server.secure_port if secure else server.port) as one,
        Proxy.before(one.server[1], one.port, host) as other,
    ):
        one.cut = first_is_cut
        yield server, one, other


async def moves(seed, secure, lifetime=3600):
    """The server is at another address now, and has taken its registrations along."""
    with names(lab=["127.0.0.1"]) as found:
        async with (
            two_ways("127.0.0.2", secure=secure) as (server, old, _),
            virtual.running(device_by_name(old.port, seed, lifetime, secure)),
        ):
            await server.wait_registered(ENDPOINT)
            await asyncio.sleep(random.Random(seed).random() * lifetime)
            old.cut, found["lab"] = True, ["127.0.0.2"]
            bounds = Bounds(lifetime)
            return await managed_again(server, bounds.update_s + bounds.wait_s + bounds.first_s + SOON_s)


@pytest.mark.parametrize("secure", [False, True])
def test_the_address_behind_the_name_moves(secure):
    """Noticed by the next Update that nobody answers; the name is asked again."""
    for seed in range(1, 4):
        virtual.run(moves(seed, secure), seed)


async def several(seed, dead, resolver_fails):
    """A name with several addresses, all but the last of which are dead from the start; then that one for a while."""
    addresses = [f"127.0.0.{number}" for number in range(1, dead + 2)]
    with names(lab=addresses) as found:
        async with (
            two_ways(addresses[-1], True) as (server, old, live),
            virtual.running(device_by_name(old.port, seed, 3600)),
        ):
            bounds = Bounds(3600)
            limit_s = sum(bounds.wait_s + 10 * 2**number + 10 for number in range(dead))
            await managed_first(server, limit_s + SOON_s)  # silence, and a pause of 10 s, 20 s ... for each
            if resolver_fails:
                found["lab"] = None
            live.cut = True
            await asyncio.sleep(4 * 3600)
            live.cut = False
            rounds = 1 if resolver_fails else len(addresses)
            await managed_again(server, (bounds.back(4 * 3600) + bounds.wait_s) * rounds)


async def managed_first(server, limit_s):
    await server.wait_registered(ENDPOINT, limit_s)
    await managed_again(server, SOON_s)


@pytest.mark.parametrize("resolver_fails", [False, True])
def test_a_name_with_several_addresses(resolver_fails):
    """Each attempt that meets silence is followed by one at the next address. When the resolver fails later, the
    address that worked is kept."""
    virtual.run(several(1, 1, resolver_fails))
    virtual.run(several(2, 3, resolver_fails))


async def slow_resolver(seed):
    """One server's name cannot be resolved, and each try blocks the device for ten seconds."""
    async with virtual.server() as server:
        with names(lab=None, slow_s=10):
            client = virtual.device(["coap://lab.example", server.uri], [Ledger()], seed)
            async with virtual.running(client):
                await server.wait_registered(ENDPOINT, 60)
                for _ in range(300):
                    await server.read(ENDPOINT, LABEL, timeout_s=30)
                    await asyncio.sleep(7)
                assert [state for _, state in client.states].count("REGISTERED") == 1


def test_a_resolver_that_blocks():
    """The other server's registration and requests survive it."""
    virtual.run(slow_resolver(1))
