"""Interface 4 with the real board program: observations, what changes on the board, both ways to cancel."""

import pytest

from host_tests.interop.board import ENDPOINT, registered
from tools.lab.payload import TEXT, TLV

TEMPERATURE = "/3303/0/5700"


async def test_the_room_gets_warmer(interpreter):
    """main.py with its BME280: what changes in the room is told; the unit and the extremes are beside it."""
    async with registered(steered=True, options=("--interpreter", interpreter)) as (server, board):
        board.room.set(temperature=20)
        observation = await server.observe(ENDPOINT, TEMPERATURE)
        board.room.set(temperature=31.5)
        while (await observation.next()).value < 31:
            pass
        instance = (await server.read(ENDPOINT, "/3303/0")).value
        assert instance[5701] == "Cel"
        assert 18 < instance[5601] < 26
        assert 31.4 < instance[5602] == instance[5700] < 31.6


async def test_a_sensor_reports(interpreter):
    """Notifications are NON and each fifth CON, their sequence grows, and no value comes twice."""
    options = ("--interpreter", interpreter)
    async with registered(program="workshop.py", steered=True, options=options, CON_EVERY=5) as (server, board):
        await board.warm(20)
        observation = await server.observe(ENDPOINT, TEMPERATURE)
        seen = []
        for celsius in range(21, 31):
            await board.warm(celsius)
            seen.append(await observation.next())
        assert [result.value for result in seen] == list(range(21, 31))
        assert [result.content_format for result in seen] == [TEXT] * 10
        assert [result.confirmable for result in seen] == [False] * 4 + [True] + [False] * 4 + [True]
        sequence = [result.sequence for result in seen]
        assert sequence == sorted(set(sequence))
        await server.cancel(ENDPOINT, TEMPERATURE)
        assert [result.value async for result in observation] == []


async def test_attributes_decide():
    """gt and st on a live sensor: only the crossing of 25, either way, and steps of 3 from the last one told."""
    async with registered(program="workshop.py", steered=True) as (server, board):
        await board.warm(20)
        await server.write_attributes(ENDPOINT, TEMPERATURE, {"gt": 25, "st": 3})
        observation = await server.observe(ENDPOINT, TEMPERATURE)
        for celsius in (22, 24, 26, 24.5, 23, 21, 25.5):
            await board.warm(celsius)
        assert (await server.read(ENDPOINT, TEMPERATURE)).value == 25.5
        await server.cancel(ENDPOINT, TEMPERATURE)
        assert [result.value async for result in observation] == [24, 26, 24.5, 21, 25.5]


async def test_pmax_repeats_and_pmin_delays():
    """pmax 1: the same value every second. pmin 1: two quick changes are one notification with the newest value."""
    async with registered(program="workshop.py") as (server, _):
        await server.write_attributes(ENDPOINT, "/32770/0/0", {"pmax": 1})
        observation = await server.observe(ENDPOINT, "/32770/0/0")
        assert [(await observation.next(timeout_s=1.6)).value for _ in range(2)] == ["", ""]

        await server.write_attributes(ENDPOINT, "/32770/0/3", {"pmin": 1})
        observation = await server.observe(ENDPOINT, "/32770/0/3")
        await server.execute(ENDPOINT, "/32770/0/4")
        await server.execute(ENDPOINT, "/32770/0/4")
        assert (await observation.next(timeout_s=2)).value == "2"


async def test_objects_instances_and_resource_instances():
    """Observed on every level, in TLV, each by its own token; one change reaches all of them."""
    async with registered(program="workshop.py") as (server, _):
        observations = [await server.observe(ENDPOINT, path) for path in ("/32771", "/32770/0", "/32770/0/2")]
        single = await server.observe(ENDPOINT, "/32770/0/2/3")
        assert len({observation.token for observation in [*observations, single]}) == 4
        await server.write(ENDPOINT, "/32770/0/2/3", 99)
        assert (await observations[1].next()).value[2] == {0: b"\x0a", 3: b"\x63"}
        assert (await observations[2].next()).value == {0: b"\x0a", 3: b"\x63"}
        assert (await single.next()).value == "99"
        await server.create(ENDPOINT, "/32771", {0: "new"})
        notification = await observations[0].next()
        assert (notification.content_format, notification.value[0][0]) == (TLV, b"new")


async def test_a_deleted_instance_ends_its_observation():
    """4.04 as the last notification (RFC 7641 4.2)."""
    async with registered(program="workshop.py") as (server, _):
        await server.create(ENDPOINT, "/32771", {0: "short-lived"})
        observation = await server.observe(ENDPOINT, "/32771/0/0")
        with server.subscribe() as events:
            await server.delete(ENDPOINT, "/32771/0")
            assert "4.04" in (await events.wait("ended")).reason
        assert observation.end_reason


@pytest.mark.parametrize("passive", [False, True])
async def test_cancel(passive):
    """Actively by Observe=1, or by the Reset that answers the next notification: the board stops to report."""
    async with registered(program="workshop.py") as (server, board):
        observation = await server.observe(ENDPOINT, "/32770/0/3")
        other = await server.observe(ENDPOINT, "/32770/0/0")
        await server.execute(ENDPOINT, "/32770/0/4")
        assert (await observation.next()).value == "1"
        await server.cancel(ENDPOINT, "/32770/0/3", passive=passive)
        await server.execute(ENDPOINT, "/32770/0/4")
        if passive:
            await board.printed("cancelled an observation by reset")
        await server.execute(ENDPOINT, "/32770/0/4")
        await server.write(ENDPOINT, "/32770/0/0", "still there")
        assert (await other.next()).value == "still there"
        assert board.count("cancelled an observation by reset") == passive  # no second one: it does not report any more


async def test_a_button_is_told_at_once():
    """The interrupt of a pin reaches the server without waiting for any sampling."""
    async with registered(steered=True, SAMPLE_ms=60000) as (server, board):
        observation = await server.observe(ENDPOINT, "/3347/0/5500")
        board.room.press()
        assert (await observation.next(timeout_s=2)).value is True
        board.room.release()
        assert (await observation.next(timeout_s=2)).value is False
        assert (await server.read(ENDPOINT, "/3347/0/5501")).value == 1


async def test_a_new_registration_drops_observations():
    """The board reboots: what was observed is over, on both ends, and can be observed again."""
    async with registered(program="workshop.py") as (server, _):
        observation = await server.observe(ENDPOINT, "/32770/0/3")
        with server.subscribe() as events:
            await server.execute(ENDPOINT, "/3/0/4")
            await events.wait("register")
        assert "registered again" in observation.end_reason
        observation = await server.observe(ENDPOINT, "/32770/0/3")
        await server.execute(ENDPOINT, "/32770/0/4")
        assert (await observation.next()).value == "1"
