"""30 % of loss each way, as many repeats, delays of up to 2 s and the wrong order, with CoAP's own timers, in virtual
time: all ends right. At 5 % each operation takes as long as its retransmissions explain, and no longer.

The server is aiocoap's, which gives up a message after 93 s as RFC 7252 says. Then nobody knows whether it arrived; the
tests look, and ask again if it did not.
"""

import asyncio
import contextlib
from collections import Counter

import pytest

from host_tests.interop import virtual
from host_tests.interop.network import Proxy
from host_tests.interop.virtual import ENDPOINT
from lwm2m.object import Object
from tools.lab import Timeout

WAIT_s = 93  # MAX_TRANSMIT_WAIT
DELAY_s = 2
LABEL, NUMBER, ADD, SLOW = "/32770/0/0", "/32770/0/1", "/32770/0/4", "/32770/0/5"


class Ledger(Object):
    """Keeps book of what was done to it."""

    OID = 32770
    RES = """
    0 RW str label
    1 RW int number
    4 E none add
    5 E none slow
    """
    label = ""
    number = 0

    def __init__(self):
        self.done = []

    def add(self, args):
        """Execute: once for each argument."""
        self.done.append(int(args[0]))

    def slow(self, args):
        """Execute: the answer comes later."""
        yield 300


class Note(Object):
    """What the server creates; `made` is how often."""

    OID = 32771
    RES = "\n0 RW! str text\n"
    text = ""
    made = 0

    def __init__(self):
        Note.made += 1


@contextlib.asynccontextmanager
async def far_away(seed, loss, secure=False, **bounds):
    """A server and a device that has registered there through a bad network: (server, ledger, proxy, client). The first
    DTLS handshake gets through undisturbed, as it cannot repeat anything in virtual time."""
    ledger = Ledger()
    Note.made = 0
    bad = {"loss": loss, "repeats": loss, "delay_s": DELAY_s}
    async with (
        virtual.server(secure=secure) as server,
        Proxy.before(server.secure_port if secure else server.port, seed=seed) as proxy,
    ):
        client = virtual.device(("coaps" if secure else "coap") + proxy.uri[4:], [ledger], seed, **bounds)
        client.allow_create(Note)
        if not secure:
            vars(proxy).update(bad)
        async with virtual.running(client):
            await server.wait_registered(ENDPOINT, 3600)
            await virtual.until(lambda: client.registrations[0].state == "REGISTERED", 400)
            vars(proxy).update(bad)
            yield server, ledger, proxy, client
            proxy.loss = proxy.repeats = proxy.delay_s = 0


async def surely(operation, *args, done=lambda: False):
    """Ask until there is an answer, or until what was asked has been done; over DTLS there may have to be a new session
    first."""
    for _ in range(100):
        with contextlib.suppress(Timeout):
            return await operation(ENDPOINT, *args)
        if done():
            return None
        await asyncio.sleep(30)
    raise AssertionError("no answer for an hour")


async def rough_operations(seed, writes=200, executes=100, creates=20, loss=0.3, secure=False):
    """Writes, reads, executes and creates; every value right, and nothing is done twice or never."""
    async with far_away(seed, loss, secure) as (server, ledger, proxy, _):
        for number in range(writes):
            await surely(server.write, LABEL, f"value {number}")
            assert (await surely(server.read, LABEL)).value == f"value {number}" == ledger.label
            if number < executes:
                await surely(server.execute, ADD, f"0='{number}'", done=lambda number=number: number in ledger.done)
            if number < creates:
                done = lambda number=number: Note.made > number  # noqa: E731
                await surely(server.create, "/32771", {0: "x"}, done=done)
        assert ledger.done == list(range(executes))
        assert Note.made == creates
        assert proxy.lost > writes
        assert proxy.repeated > writes / 2


@pytest.mark.parametrize(("seed", "secure"), [(1, False), (2, False), (1, True)])
def test_operations(seed, secure):
    virtual.run(rough_operations(seed, secure=secure), seed)


async def rough_observation(seed, changes=500, confirmed=1, loss=0.3, secure=False):
    """Every change told before the next is made, in order; each notification is confirmable. One whose five ACKs were
    lost comes again: better told twice than never."""
    async with far_away(seed, loss, secure, CON_EVERY=confirmed) as (server, ledger, _, client):
        observation = await surely(server.observe, NUMBER)
        assert observation.first.value == "0"
        client.states.clear()
        told = []
        for number in range(1, changes + 1):
            ledger.set("number", number)
            while told[-1:] != [number]:
                told.append(int((await observation.next(7200)).value))
        assert told == sorted(told)
        assert set(told) == set(range(1, changes + 1))
        assert len(told) < changes * 1.05
        assert "REGISTERING" not in [state for _, state in client.states]
        assert (await surely(server.read, NUMBER)).value == str(changes)


@pytest.mark.parametrize(("seed", "loss", "secure"), [(1, 0.3, False), (2, 0.3, False), (3, 0.2, True)])
def test_observation(seed, loss, secure):
    """Over DTLS with less loss: a message that is given up may cost the session, and with it the observation."""
    virtual.run(rough_observation(seed, loss=loss, secure=secure), seed)


async def rough_flurry(seed, changes=500, loss=0.3):
    """Changes faster than notifications, most of which are not confirmable: some are lost, none comes after a newer
    one, and the last value arrives; pmax sees to that."""
    async with far_away(seed, loss) as (server, ledger, _, _):
        await surely(server.write_attributes, NUMBER, {"pmax": 10})
        observation = await surely(server.observe, NUMBER)
        told = []
        for number in range(1, changes + 1):
            ledger.set("number", number)
            await asyncio.sleep(0.7)
        while told[-1:] != [changes]:
            told.append(int((await observation.next(600)).value))
        assert told == sorted(told)
        assert len(set(told)) > changes / 5, len(set(told))


def test_flurry():
    virtual.run(rough_flurry(1))


class Stopwatch:
    """Holds against each operation how often the proxy has seen its messages."""

    def __init__(self, proxy):
        self._proxy = proxy
        self.most = 0  # transmissions of one message

    async def start(self):
        """Begin to measure, once all that is under way (NSTART is 1) has come to its end."""
        await asyncio.sleep(WAIT_s)
        self._from, self._started_s = len(self._proxy.passed), virtual.now_s()

    def check(self, extra_s=0.0):
        """The time since `start` is one that CoAP's timers explain: the time-outs of all messages that were sent more
        than once, each up to 2 * 1.5 s, doubled each time; a way there and back; what the device took by itself."""
        times = Counter((from_device, data) for from_device, data in self._proxy.passed[self._from :] if data[0] < 0x50)
        explained_s = 2 * DELAY_s + extra_s + sum(3 * (2 ** (count - 1) - 1) for count in times.values())
        took_s = virtual.now_s() - self._started_s
        assert took_s <= explained_s, (took_s, explained_s, times)
        assert took_s <= WAIT_s
        self.most = max(self.most, *times.values())


async def explained_operations(seed, times=100, loss=0.05):
    """One after the other, registration included: no operation needs longer than its own retransmissions."""
    async with far_away(seed, loss, CON_EVERY=1) as (server, ledger, proxy, client):
        watch = Stopwatch(proxy)
        observation = await server.observe(ENDPOINT, NUMBER)
        for number in range(1, times + 1):
            for operation, *args in (
                (server.read, LABEL),
                (server.write, LABEL, str(number)),
                (server.execute, ADD, f"0='{number}'"),
            ):
                await watch.start()
                await operation(ENDPOINT, *args)
                watch.check()
            await watch.start()
            await server.execute(ENDPOINT, SLOW)
            watch.check(0.3 + 2 * DELAY_s)
            await watch.start()
            ledger.set("number", number)
            assert (await observation.next(WAIT_s)).value == str(number)
            watch.check()
            await watch.start()
            client.registrations[0].update_wanted = True
            before = len(client.states)
            client.wake()
            await virtual.until(lambda before=before: client.states[before:][1:], WAIT_s)
            watch.check(0.05)
        assert watch.most > 1


def test_times_are_explained():
    virtual.run(explained_operations(1))
