"""Hours of virtual time in which one trouble follows the other by chance; after each the device is managed again within
its bound, and at the end there are as many registrations, sockets and objects as in the beginning.

`make test` has a short life, `make soak` lives long ones: `rough_life(seed, troubles, secure)`.
"""

import asyncio
import contextlib
import gc
import os
import random
from unittest import mock

import pytest

from host_tests.interop import virtual
from host_tests.interop.network import Proxy
from host_tests.interop.test_bad_network import LABEL, NUMBER, Ledger
from host_tests.interop.test_radio import Radio
from host_tests.interop.test_restarts import Bounds, managed_again
from host_tests.interop.test_secure_restarts import SecureBounds
from host_tests.interop.virtual import ENDPOINT
from lwm2m.transport import udp
from tools.lab import LabError

LIFETIME_s = 3600


class Life:
    """A device, its server and what is between them."""

    def __init__(self, seed, secure):
        self.chance = random.Random(seed)
        self.secure = secure
        self.radio = Radio()
        self.bounds = (SecureBounds if secure else Bounds)(LIFETIME_s)
        self.server = self.proxy = self.client = None

    @contextlib.asynccontextmanager
    async def begin(self, seed):
        """Everything runs, and the device has registered."""
        self.server = virtual.server(secure=self.secure)
        await self.server.start()
        with mock.patch.object(udp, "socket", self.radio):
            async with Proxy.before(self.port, seed=seed) as self.proxy:
                uri = ("coaps" if self.secure else "coap") + self.proxy.uri[4:]
                self.client = virtual.device(uri, [Ledger()], seed, LIFETIME_s)
                async with virtual.running(self.client):
                    await self.server.wait_registered(ENDPOINT)
                    yield
                await self.server.close()

    @property
    def port(self):
        return self.server.secure_port if self.secure else self.server.port

    async def use(self):
        """What a server does with a device; answers are welcome, but not needed."""
        ledger = self.client.tree.objects[Ledger.OID][0]
        for _ in range(self.chance.randrange(5)):
            with contextlib.suppress(LabError):
                await self.server.write(ENDPOINT, NUMBER, self.chance.randrange(1000), timeout_s=60)
                await self.server.observe(ENDPOINT, NUMBER, timeout_s=60)
            ledger.set("number", self.chance.randrange(1000))
            await asyncio.sleep(self.chance.random() * 300)

    # -- troubles: each lasts for a while, and leaves the network in order --------------------------------------------

    async def silence(self, away_s):
        self.proxy.cut = True
        await asyncio.sleep(away_s)
        self.proxy.cut = False

    async def loss(self, away_s):
        self.proxy.loss = self.proxy.repeats = 0.3
        self.proxy.delay_s = 2
        await asyncio.sleep(away_s / 2)
        await self.use()
        self.proxy.loss = self.proxy.repeats = self.proxy.delay_s = 0

    async def no_wifi(self, away_s):
        self.radio.up = False
        await asyncio.sleep(away_s)
        if self.chance.random() < 0.5:
            await self.proxy.rebind()
        self.radio.up = True

    async def stuck_socket(self, away_s):
        self.radio.stuck = True
        await asyncio.sleep(away_s)
        self.radio.stuck = False

    async def nat(self, _):
        await self.proxy.rebind()

    async def clean_restart(self, away_s):
        await self.server.close()
        await self._another(away_s)

    async def hard_restart(self, away_s):
        """The old one is not asked for a word of good-bye."""
        self.proxy.cut = True
        await self.server.close()
        await self._another(away_s)
        self.proxy.cut = False

    async def _another(self, away_s):
        await asyncio.sleep(away_s)
        self.server = virtual.server(secure=self.secure)
        await self.server.start()
        self.proxy.server = ("127.0.0.1", self.port)

    TROUBLES = (silence, loss, no_wifi, stuck_socket, nat, clean_restart, hard_restart)

    async def suffer(self):
        """One trouble of a second to hours, and the way back."""
        trouble = self.chance.choice(self.TROUBLES)
        away_s = self.chance.choice((1, 30, 100, 1000, 10000)) * (0.5 + self.chance.random())
        await trouble(self, away_s)
        await managed_again(self.server, self.bounds.forgotten(away_s))
        assert len(self.server.registrations) == 1


def size():
    """(open files, objects) of this process, once all that is over is gone."""
    gc.collect()
    return len(os.listdir("/dev/fd")), len(gc.get_objects())


async def rough_life(seed, troubles, secure):
    """So many troubles; returns the virtual hours that they took. Raises AssertionError."""
    life = Life(seed, secure)
    async with life.begin(seed):
        for number in range(troubles):
            await life.use()
            await life.suffer()
            life.proxy.passed.clear()
            life.client.states.clear()
            if number == troubles // 4:
                before = size()
        for _ in range(3):
            assert (await life.server.read(ENDPOINT, LABEL)).value == ""
        after = size()
        assert after[0] <= before[0] + 2, (before, after)
        assert after[1] <= before[1] * 1.1 + 2000, (before, after)
    return virtual.now_s() / 3600


@pytest.mark.parametrize("secure", [False, True])
def test_rough_life(secure):
    virtual.run(rough_life(1, 16, secure))
