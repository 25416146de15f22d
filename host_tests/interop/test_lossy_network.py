"""A network that loses, repeats and reorders datagrams between the lab server and the board: all ends right."""

import asyncio
import contextlib

import pytest
from aiocoap.numbers.constants import TransportTuning

from host_tests.interop.board import ENDPOINT, running
from host_tests.interop.network import Proxy
from tools.lab import LabServer, Timeout
from tools.lab.credentials import Credentials
from tools.lab.listening import Security

FAST = {"ACK_TIMEOUT_ms": 100, "MAX_RETRANSMIT": 8}  # the board's side of the timers
COUNT, LABEL, NUMBER = "/32770/0/3", "/32770/0/0", "/32770/0/1"


@pytest.fixture(autouse=True)
def impatient_aiocoap(monkeypatch):
    """aiocoap's side of the timers: the first retransmission after 0.1 s, and eight of them."""
    monkeypatch.setattr(TransportTuning, "ACK_TIMEOUT", 0.1)
    monkeypatch.setattr(TransportTuning, "MAX_RETRANSMIT", 8)


@contextlib.asynccontextmanager
async def far_away(seed, loss=0.08, **bounds):
    """A server and a board that has registered there through so much loss and as many repeats in either direction."""
    bad = {"loss": loss, "repeats": loss, "delay_s": 0.01, "seed": seed}
    bounds = {**FAST, **bounds}
    async with (
        LabServer(port=0, timeout_s=30) as server,
        Proxy.before(server.port, **bad) as proxy,
        running(proxy.uri, program="workshop.py", **bounds) as board,
    ):
        await board.printed("-> REGISTERED", timeout_s=20)
        yield server, board, proxy


async def test_operations():
    """50 writes, 50 reads and 30 executes, one after the other: every value right, no execute twice or never."""
    async with far_away(1) as (server, board, proxy):
        for number in range(50):
            await server.write(ENDPOINT, LABEL, f"value {number}")
            assert (await server.read(ENDPOINT, LABEL)).value == f"value {number}"
            if number < 30:
                await server.execute(ENDPOINT, "/32770/0/4")
        assert (await server.read(ENDPOINT, COUNT)).value == "30"
        assert proxy.lost > 10
        assert proxy.repeated > 10
        assert board.count("-> REGISTERING") == 1


async def test_a_third_is_lost():
    """Real processes in real time, where test_bad_network.py has virtual time: a few of everything at 30 %."""
    async with far_away(2, 0.3) as (server, _, proxy):
        observation = await surely(server.observe, NUMBER)
        for number in range(1, 9):
            await surely(server.write, NUMBER, number)
            assert (await surely(server.read, NUMBER)).value == str(number)
            before = int((await surely(server.read, COUNT)).value)
            if not await surely(server.execute, "/32770/0/4", patient=False):
                assert int((await surely(server.read, COUNT)).value) - before in (0, 1)  # given up: nobody knows
            else:
                assert int((await surely(server.read, COUNT)).value) == before + 1
        await surely(server.write_attributes, NUMBER, {"pmax": 1})
        async with asyncio.timeout(30):
            while (await anext(observation)).value != "8":
                continue
        assert proxy.lost > 20


async def surely(operation, *args, patient=True):
    """The answer, if need be to another try; None if there is to be no other."""
    for _ in range(1 + 4 * patient):
        with contextlib.suppress(Timeout):
            return await operation(ENDPOINT, *args)
    return None


async def test_slow_operations():
    """Executes whose answer comes separately: their empty ACK, response and its ACK may all be lost or repeated."""
    async with far_away(3) as (server, _, _):
        for _ in range(8):
            await server.execute(ENDPOINT, "/32770/0/9")
        assert (await server.read(ENDPOINT, COUNT)).value == "8"


@pytest.mark.parametrize("confirmed", [1, 10])
async def test_observation(confirmed):
    """50 changes, each told before the next is made, in order: by itself if every notification is CON, else with
    pmax, which is what that is for."""
    async with far_away(4, CON_EVERY=confirmed) as (server, board, _):
        if confirmed > 1:
            await server.write_attributes(ENDPOINT, NUMBER, {"pmax": 1})
        observation = await server.observe(ENDPOINT, NUMBER)
        told = []
        async with asyncio.timeout(60):
            for number in range(1, 51):
                await server.write(ENDPOINT, NUMBER, number)
                while told[-1:] != [number]:
                    told.append(int((await anext(observation)).value))
        assert told == sorted(told)
        assert set(told) == set(range(1, 51))
        assert board.count("-> REGISTERING") == 1


async def test_blocks():
    """4 kB in either direction; one picture in 8 blocks, one package in as many."""
    async with far_away(5) as (server, _, _):
        picture = (await server.read(ENDPOINT, "/32772/0/1")).value
        assert picture == b"0123456789abcdef" * 250
        await server.write(ENDPOINT, "/32770/0/6", picture)
        assert (await server.read(ENDPOINT, "/32770/0/7")).value == "4000"
        assert (await server.read(ENDPOINT, "/32770/0/11")).value == "0"


async def test_handshake(interpreter):
    """A quarter of everything is lost, either way: the handshake repeats what it has to, and gets through."""
    credentials = Credentials()
    credentials.add_psk(ENDPOINT, b"me", bytes(16))
    options = ("--interpreter", interpreter, "--psk-identity", "me", "--psk-key", bytes(16).hex())
    bad = {"loss": 0.25, "repeats": 0.1, "delay_s": 0.01, "seed": 2}
    async with (
        LabServer(port=None, security=Security(0, credentials), timeout_s=30) as server,
        Proxy.before(server.secure_port, **bad) as proxy,
        running("coaps" + proxy.uri[4:], program="workshop.py", options=options, **FAST) as board,
    ):
        await board.printed("-> REGISTERED", timeout_s=60)
        assert (await server.read(ENDPOINT, COUNT)).value == "0"
        assert proxy.lost > 0
