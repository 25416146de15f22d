"""Object 2 with the real board program: two lab servers, each with its own note, each told what it may do."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from host_tests.interop.board import ENDPOINT, Board, running
from tools.lab import LabServer
from tools.lab.errors import DeviceError

OF_1 = "/32771/0"


@contextlib.asynccontextmanager
async def shared(interpreter: str) -> AsyncIterator[tuple[LabServer, LabServer, Board]]:
    """Two lab servers, and programs/rules.py registered with both."""
    options = ("--interpreter", interpreter)
    async with (
        LabServer(port=0) as one,
        LabServer(port=0) as two,
        running(one.uri, two.uri, program="rules.py", options=options) as board,
    ):
        await one.wait_registered(ENDPOINT, 15)
        await two.wait_registered(ENDPOINT, 15)
        yield one, two, board


async def code_of(operation) -> str:
    """The code of the response to a request of a lab server."""
    try:
        return (await operation).code
    except DeviceError as error:
        return error.code


async def test_each_server_does_what_it_may(interpreter):
    """4.01 for the other's note, until its owner lets us in by /2/x/2; an object shows our part of it."""
    async with shared(interpreter) as (one, two, _):
        assert await code_of(two.read(ENDPOINT, OF_1 + "/0")) == "4.01"
        assert await code_of(two.write(ENDPOINT, OF_1 + "/0", "mine")) == "4.01"
        assert await code_of(two.execute(ENDPOINT, OF_1 + "/1")) == "4.01"
        assert await code_of(two.read(ENDPOINT, "/32771/9/0")) == "4.04"
        assert (await two.read(ENDPOINT, "/32771")).value == {1: {0: b"hello"}}
        assert set((await two.discover(ENDPOINT, OF_1)).value) == {OF_1, OF_1 + "/0", OF_1 + "/1"}
        assert (await two.read(ENDPOINT, "/3/0/0")).value == "microlwm2m"
        assert await code_of(two.execute(ENDPOINT, "/3/0/4")) == "4.01"

        rule = next(iid for iid, found in (await one.read(ENDPOINT, "/2")).value.items() if found[0] == 32771)
        assert await code_of(two.write(ENDPOINT, f"/2/{rule}/2", {2: 15})) == "4.01"
        await one.write(ENDPOINT, f"/2/{rule}/2", {1: 15, 2: 3})
        await two.write(ENDPOINT, OF_1 + "/0", "ours")
        assert await code_of(two.execute(ENDPOINT, OF_1 + "/1")) == "4.01"
        assert (await one.read(ENDPOINT, "/32771")).value == {0: {0: b"ours"}}
        assert await code_of(one.delete(ENDPOINT, f"/2/{rule}")) == "4.01"


async def test_what_a_server_creates_is_its_own(interpreter):
    """Create by bit 16 only; the new instance and its /2/x come and go together."""
    async with shared(interpreter) as (one, two, _):
        assert await code_of(one.create(ENDPOINT, "/32771", {0: "a"})) == "4.01"
        with two.subscribe() as events:
            made = await two.create(ENDPOINT, "/32771", {0: "b"})
            await events.wait("update")
        assert made.location == "/32771/2"
        rules = (await one.read(ENDPOINT, "/2")).value
        mine = next(iid for iid, found in rules.items() if (found[0], found[1]) == (32771, 2))
        assert rules[mine][3] == 2
        assert await code_of(one.read(ENDPOINT, "/32771/2")) == "4.01"
        assert await code_of(one.delete(ENDPOINT, "/32771/2")) == "4.01"
        await two.delete(ENDPOINT, "/32771/2")
        assert await code_of(one.read(ENDPOINT, f"/2/{mine}")) == "4.04"


async def test_a_server_that_leaves(interpreter):
    """Delete of its own /1/x: a De-register; its note goes as well; the other server, now alone, may do everything."""
    async with shared(interpreter) as (one, two, board):
        assert await code_of(two.write(ENDPOINT, "/2/0/3", 2)) == "4.01"
        assert await code_of(two.delete(ENDPOINT, "/1/0")) == "4.01"
        with one.subscribe() as ones, two.subscribe() as twos:
            await one.delete(ENDPOINT, "/1/0")
            await ones.wait("deregister")
            await twos.wait("update")
        await board.printed("^info server 1: STOPPING -> STOPPED")
        assert "/1/0" not in two.registration().objects
        assert await code_of(two.read(ENDPOINT, OF_1 + "/0")) == "4.04"
        assert await code_of(two.write(ENDPOINT, "/2/0/3", 2)) == "2.04"


@pytest.mark.parametrize("rights", [{0: 1}, {2: 1}])
async def test_notifications_stop_with_the_right(rights):
    """One server takes the right away from the other, which observes, and gives it back: then the value is told."""
    async with shared("unix") as (one, two, _):
        rule = next(iid for iid, found in (await one.read(ENDPOINT, "/2")).value.items() if found[0] == 32771)
        await one.write(ENDPOINT, f"/2/{rule}/2", {1: 15, **rights})
        observation = await two.observe(ENDPOINT, OF_1 + "/0")
        await one.write(ENDPOINT, f"/2/{rule}/2", {1: 15})
        await one.write(ENDPOINT, OF_1 + "/0", "secret")
        await one.write(ENDPOINT, OF_1 + "/0", "public")
        await one.write(ENDPOINT, f"/2/{rule}/2", {1: 15, **rights})
        assert (await observation.next()).value == "public"
