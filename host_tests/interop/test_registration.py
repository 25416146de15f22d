"""Interface 2 with the real board program against the lab server: register, update, disable, reboot, de-register."""

import asyncio
import signal

import pytest

from compat import wait_event
from host_tests.interop.board import ENDPOINT, registered, running
from tools.lab import LabServer

COUNT = "/32770/0/3"


async def test_registers_with_its_object_list(interpreter):
    """main.py as it goes onto a board: ep, lt, lwm2m, b, every object with the version that needs telling, no /0."""
    options = ("--lifetime", "300", "--interpreter", interpreter)
    async with registered(options=options) as (server, _):
        device = server.registration(ENDPOINT)
        assert (device.version, device.binding, device.lifetime_s, device.queue_mode) == ("1.1", "U", 300, False)
        assert device.root_attributes["rt"] == "oma.lwm2m"
        assert set(device.root_attributes["ct"].split()) >= {"11542"}
        instances = [path for path in device.objects if path.count("/") == 2]
        assert instances == ["/1/0", "/3/0", "/3303/0", "/3304/0", "/3311/0", "/3315/0", "/3347/0"]
        versions = {path: link["ver"] for path, link in device.objects.items() if "ver" in link}
        assert versions == {"/3": "1.1", "/3303": "1.1", "/3304": "1.1", "/3315": "1.1", "/3347": "1.1"}


async def test_registers_as_version_1_0():
    """The older enabler: there even object 1 has a version worth telling, and </> no ct."""
    async with registered(options=("--lwm2m-version", "1.0")) as (server, _):
        assert server.registration().version == "1.0"
        assert server.registration().objects["/1"] == {"ver": "1.1"}
        assert (await server.read(ENDPOINT, "/1/0/7")).value == "U"


async def test_updates_when_the_server_changes_something():
    """A written lifetime is in the Update that follows; the trigger brings an empty one; no second Register."""
    async with registered() as (server, board):
        before = server.registration()
        with server.subscribe() as events:
            await server.write(ENDPOINT, "/1/0/1", 120)
            assert (await events.wait("update")).changes == {"lifetime_s": 120}
            await server.execute(ENDPOINT, "/1/0/8")
            assert (await events.wait("update")).changes == {}
        assert server.registration() is before
        assert board.count("-> REGISTERING") == 1


async def test_updates_by_itself_before_the_lifetime_ends():
    """Two lifetimes later the registration still holds; with these timers the margin is 4.5 s or half the lifetime."""
    async with registered(options=("--lifetime", "2")) as (server, board):
        with server.subscribe() as events:
            for _ in range(3):
                assert (await events.wait("update", timeout_s=2)).changes == {}
        assert board.count("-> REGISTERING") == 1


async def test_disable_is_silence_and_then_a_new_registration():
    """Execute /1/0/4: its answer, a De-register, nothing for the Disable Timeout of 1 s, Register."""
    async with registered() as (server, board):
        await server.write(ENDPOINT, "/1/0", {5: 1}, partial=True)
        first = server.registration()
        with server.subscribe() as events:
            await server.execute(ENDPOINT, "/1/0/4")
            gone = await events.wait("deregister")
            back = await events.wait("register", timeout_s=5)
        assert 0.9 < back.at - gone.at < 3
        assert back.registration.id != first.id
        assert (await server.read(ENDPOINT, "/1/0/5")).value == 1
        assert board.count("-> DISABLED") == 1


async def test_reboot_starts_a_new_interpreter(interpreter):
    """Execute /3/0/4: first the answer, then machine.reset(); the next life registers anew and counts from 0."""
    options = ("--interpreter", interpreter)
    async with registered(program="workshop.py", steered=True, options=options) as (server, board):
        await server.execute(ENDPOINT, "/32770/0/4")
        assert (await server.read(ENDPOINT, "/32770/0/3")).value == "1"
        with server.subscribe() as events:
            assert (await server.execute(ENDPOINT, "/3/0/4")).code == "2.04"
            await events.wait("register")
        assert (await server.read(ENDPOINT, "/32770/0/3")).value == "0"
        state = board.room.show()
        assert (state["starts"], state["cause"]) == (2, "hard")
        assert board.count("^board: hard reset$") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ends_with_a_deregistration(interpreter, number):
    """Ctrl-C and SIGTERM, in the middle of work: De-register, exit status 0."""
    async with registered(options=("--interpreter", interpreter)) as (server, board):
        await server.read(ENDPOINT, "/3/0")
        with server.subscribe() as events:
            assert await board.stop(number) == 0
            await events.wait("deregister", timeout_s=0.1)
        assert not len(server.registrations)
        assert board.lines[-1].endswith("STOPPING -> STOPPED")


async def test_a_cancellation_that_comes_with_an_event_is_not_lost():
    """What Ctrl-C does to the runner on CPython, in the very moment in which the client wakes it up."""
    event = asyncio.Event()
    waiting = asyncio.create_task(wait_event(event, 60000))
    await asyncio.sleep(0)
    event.set()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_ends_in_time_without_its_server():
    """The De-register is not answered: CLOSE_TIMEOUT_ms bounds the wait, and the exit status is 0 all the same."""
    async with LabServer(port=0) as server, running(server.uri, CLOSE_TIMEOUT_ms=500) as board:
        await board.printed("-> REGISTERED")
        await server.close()
        assert await board.stop() == 0
        assert board.lines[-1].endswith("-> STOPPING")


async def test_two_servers_have_their_own_everything():
    """Two registrations of one board: accounts /1/0 and /1/1, attributes, observations and lifetimes are separate."""
    async with (
        LabServer(port=0) as one,
        LabServer(port=0) as two,
        running(one.uri, two.uri, program="workshop.py") as board,
    ):
        await one.wait_registered(ENDPOINT)
        await two.wait_registered(ENDPOINT)
        assert (await one.read(ENDPOINT, "/1")).value.keys() == {0}
        assert (await two.read(ENDPOINT, "/1")).value.keys() == {1}
        await one.write_attributes(ENDPOINT, COUNT, {"pmin": 0, "pmax": 60})
        assert (await one.discover(ENDPOINT, COUNT)).value[COUNT] == {"pmin": "0", "pmax": "60"}
        assert (await two.discover(ENDPOINT, COUNT)).value[COUNT] == {}

        observed = [await server.observe(ENDPOINT, COUNT) for server in (one, two)]
        await one.cancel(ENDPOINT, COUNT)
        await one.execute(ENDPOINT, "/32770/0/4")
        assert (await observed[1].next()).value == "1"
        assert observed[0].end_reason == "cancelled"

        with two.subscribe() as events:
            await two.write(ENDPOINT, "/1/1/1", 77)
            assert (await events.wait("update")).changes == {"lifetime_s": 77}
        assert one.registration().lifetime_s == 86400
        await one.write(ENDPOINT, "/1/0", {5: 3600}, partial=True)
        with one.subscribe() as events:
            await one.execute(ENDPOINT, "/1/0/4")
            await events.wait("deregister")
        assert (await two.read(ENDPOINT, COUNT)).value == "1"
        assert board.count("^info server 2: .*-> REGISTERING") == 1
