"""What is the matter on the device's own side: Wi-Fi goes and comes, with another address perhaps, sockets are used up
or stuck, somebody sets the clock. In virtual time, with the bounds of test_restarts.py.
"""

import asyncio
import contextlib
import errno
import random
import socket
import time
from unittest import mock

import pytest

from host_tests.interop import virtual
from host_tests.interop.test_bad_network import LABEL, NUMBER, Ledger
from host_tests.interop.test_restarts import Bounds, SOON_s, managed, managed_again, registered
from host_tests.interop.virtual import ENDPOINT
from lwm2m.transport import udp


class Radio:
    """Stands for the socket module in udp.py. While `up` is false, sending is refused as without a route, and what
    arrives is lost; `stuck` makes sockets that are readable and have nothing; `free` is how many there are."""

    AF_INET, SOCK_DGRAM = socket.AF_INET, socket.SOCK_DGRAM

    def __init__(self):
        self.up, self.stuck, self.free = True, False, 10
        self.reads = 0

    def getaddrinfo(self, host, *args):
        assert host.replace(".", "").isdigit(), "a numeric address is asked for"
        return socket.getaddrinfo(host, *args)

    def socket(self, family, kind):
        if self.free <= 0:
            raise OSError(errno.ENFILE, "no socket")
        self.free -= 1
        return _Socket(self, family, kind)


class _Socket(socket.socket):
    def __init__(self, radio, family, kind):
        super().__init__(family, kind)
        self._radio = radio

    def connect(self, address):
        if not self._radio.up:
            raise OSError(errno.ENETUNREACH, "Wi-Fi is down")
        super().connect(address)

    def send(self, data):
        if not self._radio.up:
            raise OSError(errno.ENETUNREACH, "Wi-Fi is down")
        return super().send(data)

    def recv(self, size):
        self._radio.reads += 1
        if self._radio.stuck:
            raise OSError(errno.EAGAIN, "nothing")
        data = super().recv(size)
        if not self._radio.up:
            raise OSError(errno.EAGAIN, "lost in the air")
        return data

    def close(self):
        self._radio.free += self.fileno() >= 0
        super().close()


@contextlib.asynccontextmanager
async def on_air(seed, lifetime=3600, **bounds):
    """(server, proxy, client, radio, ledger), the device registered and its number observed."""
    radio = Radio()
    with mock.patch.object(udp, "socket", radio):
        async with registered(seed, lifetime, **bounds) as (server, proxy, client):
            yield server, proxy, client, radio, client.tree.objects[Ledger.OID][0]


async def wifi(seed, away_s, tells, moves, lifetime=86400):
    """Wi-Fi is gone for a while, in which there is something to tell or not; the device may get another address."""
    async with on_air(seed, lifetime) as (server, proxy, client, radio, ledger):
        observation = await server.observe(ENDPOINT, NUMBER)
        radio.up = False
        if tells:
            ledger.set("number", 1)
        await asyncio.sleep(away_s)
        if moves:
            await proxy.rebind()
        radio.up = True
        bounds = Bounds(lifetime)
        holds = away_s < lifetime - bounds.update_s
        noticed = tells or not holds
        limit_s = (bounds.pause_s if holds else bounds.retry_s) if noticed else bounds.update_s * moves
        await managed_again(server, limit_s + SOON_s)
        if tells and holds:  # a new registration begins without observations
            assert (await observation.next(bounds.pause_s)).value == "1"
        assert client.registrations[0].state == "REGISTERED"


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("tells", [False, True])
@pytest.mark.parametrize("away_s", [1, 60, 86400])
def test_wifi_is_down(away_s, tells, moves):
    """For a second, a minute, a day. What was to be told meanwhile is told when it is back."""
    for seed in (1, 2) if away_s < 86400 else (1,):
        virtual.run(wifi(seed, away_s, tells, moves), seed)


async def used_up(seed):
    async with on_air(seed) as (server, _, client, radio, ledger):
        await server.observe(ENDPOINT, NUMBER)
        radio.free = -1  # the device gives its own back
        radio.up = False
        ledger.set("number", 1)
        await asyncio.sleep(60)
        radio.up = True
        await asyncio.sleep(1000)
        assert client.registrations[0].state == "LOST"
        radio.free = 1
        await managed_again(server, Bounds(3600).pause_s + SOON_s)


def test_sockets_are_used_up():
    """The device tries on, and comes back with the first that is free."""
    virtual.run(used_up(1))


async def storm(seed, lifetime=3600):
    async with on_air(seed, lifetime) as (server, _, client, radio, _):
        radio.stuck, radio.reads = True, 0
        assert not await managed(server)
        await asyncio.sleep(1000)
        assert radio.reads < 2000, radio.reads  # each new socket is given up after 17
        radio.stuck = False
        await managed_again(server, Bounds(lifetime).back(1000))
        assert client.registrations[0].state == "REGISTERED"


def test_readable_but_nothing_there():
    """EAGAIN again and again: the device goes on with other things, and with another socket."""
    virtual.run(storm(1))


async def jumping_clock(seed, jumps):
    """When Updates come, and whether requests are answered, while the time of day jumps by years."""
    chance = random.Random(seed)
    real = time.time
    with mock.patch("time.time", lambda: real() + chance.choice((0, 3e8, -1e9)) * jumps):
        async with on_air(seed, 600) as (server, _, client, _, _):
            await server.write_attributes(ENDPOINT, NUMBER, {"pmin": 10, "pmax": 60})
            observation = await server.observe(ENDPOINT, NUMBER)
            told = []
            for _ in range(100):
                await observation.next(61)
                told.append(virtual.now_s())
                assert (await server.read(ENDPOINT, LABEL)).value == ""
            return client.states, told


def test_the_clock_jumps():
    """Only time stamps may care: everything happens when it does with a clock that stands still."""
    seen = []

    async def both():
        seen.append(await jumping_clock(1, len(seen)))

    virtual.run(both())
    virtual.run(both())
    assert len(seen[0][0]) > 20
    assert seen[0] == seen[1]
