"""A network that loses, repeats and reorders datagrams between the lab server and the board: all ends right."""

import asyncio
import contextlib

import pytest
from aiocoap.numbers.constants import TransportTuning

from host_tests.interop.board import ENDPOINT, running
from host_tests.interop.network import Proxy
from tools.lab import LabServer

COUNT, LABEL, NUMBER = "/32770/0/3", "/32770/0/0", "/32770/0/1"


@pytest.fixture(autouse=True)
def impatient_aiocoap(monkeypatch):
    """aiocoap's side of the timers: the first retransmission after 0.1 s, and eight of them."""
    monkeypatch.setattr(TransportTuning, "ACK_TIMEOUT", 0.1)
    monkeypatch.setattr(TransportTuning, "MAX_RETRANSMIT", 8)


@contextlib.asynccontextmanager
async def far_away(seed, **bounds):
    """A server and a board that has registered there through 8 % of loss and as many repeats in either direction."""
    bad = {"loss": 0.08, "repeats": 0.08, "delay_s": 0.01, "seed": seed}
    bounds = {"ACK_TIMEOUT_ms": 100, "MAX_RETRANSMIT": 8, **bounds}
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
