"""Queue mode at the lab server: requests wait until the device has been heard, by a clock that is told to go on."""

import asyncio
import contextlib

import pytest
from aiocoap import CON, DELETE, GET, POST, Message
from aiocoap.numbers.codes import Code

from host_tests.cpython.test_lab_observation import PATH, RawDevice
from tools.lab import LabServer, Timeout, UnknownEndpoint, linelog

QUERIES = [["ep=raw", "lwm2m=1.1", "b=U", "Q"], ["ep=raw", "lwm2m=1.0", "b=UQ"]]


class Sleeper(RawDevice):
    """A device that registers in queue mode."""

    async def register(self, query=QUERIES[0]):
        self.send(POST, CON, b"r", uri_path=["rd"], uri_query=query, payload=b"</3303/0>")
        return (await self.receive()).opt.location_path

    async def update(self, location):
        self.send(POST, CON, b"u", uri_path=location)
        assert (await self.receive()).code == Code.CHANGED


@contextlib.asynccontextmanager
async def asleep(query=QUERIES[0], **options):
    """A server, a device that registered and fell asleep, the location of its registration, and the clock."""
    now = [1000.0]
    async with LabServer(port=0, clock=lambda: now[0], **options) as server, Sleeper.at(server) as device:
        location = await device.register(query)
        now[0] += server.awake_s
        yield server, device, location, now


def scene(coroutine):
    asyncio.run(coroutine())


@pytest.mark.parametrize("query", QUERIES)
def test_awake_for_93_seconds(query):
    """After its Register the device listens; then requests wait; each message of its own starts the time anew."""

    async def run():
        async with asleep(query) as (server, device, _, now):
            registration = server.registration("raw")
            assert registration.queue_mode and not server.is_awake(registration)
            now[0] -= 0.1
            assert server.is_awake(registration)
            reading = asyncio.create_task(server.read("raw", PATH))
            request = await device.receive()
            now[0] += 50  # it answers late
            device.answer(request)
            assert (await reading).value == 20
            now[0] += 92.9
            assert server.is_awake(registration)
            now[0] += 0.1
            assert not server.is_awake(registration)

    scene(run)


def test_the_window_can_be_chosen():
    async def run():
        async with asleep(awake_s=10) as (server, _, _, now):
            assert not server.is_awake(server.registration("raw"))
            now[0] -= 0.5
            assert server.is_awake(server.registration("raw"))

    scene(run)


def wake_by_update(device, location, token):
    return device.update(location)


async def wake_by_register(device, location, token):
    await device.register()


async def wake_by_send(device, location, token):
    device.send(POST, CON, b"s", uri_path=["dp"], content_format=110, payload=b'[{"n":"/3/0/9","v":1}]')
    assert (await device.receive()).code == Code.CHANGED


async def wake_by_notification(device, location, token):
    device.notify(token, 11, b"21")


@pytest.mark.parametrize("wake", [wake_by_update, wake_by_register, wake_by_send, wake_by_notification])
def test_requests_wait_until_the_device_wakes(wake):
    """Two of them, in order; nothing is sent before the answer to what woke the device."""

    async def run():
        async with asleep() as (server, device, location, now):
            now[0] -= 1
            _, request = await device.observed(server)
            now[0] += server.awake_s
            with server.subscribe() as events:
                first = asyncio.create_task(server.read("raw", "/3303/0/5601", timeout_s=5))
                second = asyncio.create_task(server.write("raw", "/3303/0/5602", 1.5, timeout_s=5))
                queued = [await events.wait("queued", "raw") for _ in range(2)]
                await device.nothing_arrives()
            assert linelog.line(queued[0]) == ("queued      raw  read /3303/0/5601 waits until the device wakes")
            await wake(device, location, request.token)
            for operation, resource in ((first, "5601"), (second, "5602")):
                arrived = await device.receive()
                assert arrived.opt.uri_path[-1] == resource
                device.answer(arrived)
                assert (await operation).code == "2.05"

    scene(run)


def test_observing_and_cancelling_wait_too():
    """Under one token, both after an Update; passive cancellation needs nobody awake."""

    async def run():
        async with asleep() as (server, device, location, now):
            observing = asyncio.create_task(server.observe("raw", PATH, timeout_s=5))
            await device.nothing_arrives()
            await device.update(location)
            request = await device.receive()
            device.answer(request, observe=1)
            await observing
            now[0] += server.awake_s
            cancelling = asyncio.create_task(server.cancel("raw", PATH, timeout_s=5))
            await asyncio.sleep(0.05)
            await device.update(location)
            cancellation = await device.receive()
            assert (cancellation.opt.observe, cancellation.token) == (1, request.token)
            device.answer(cancellation)
            assert (await cancelling).value == 20

    scene(run)


def test_the_timeout_covers_the_wait():
    """It is an error of the operation like others, and what timed out is never sent."""

    async def run():
        async with asleep() as (server, device, location, _):
            with server.subscribe() as events:
                with pytest.raises(Timeout, match=r"read raw /3303/0/5700: the device did not wake within 0.2 s"):
                    await server.read("raw", PATH, timeout_s=0.2)
                assert (await events.wait("operation")).error
            await device.update(location)
            await device.nothing_arrives()
            with pytest.raises(Timeout, match=r"no answer within 0\.2 s"):
                await server.read("raw", PATH, timeout_s=0.2)

    scene(run)


def test_a_device_that_leaves():
    """De-registration and the end of the lifetime end the wait."""

    async def run():
        async with asleep() as (server, device, location, now):
            reading = asyncio.create_task(server.read("raw", PATH, timeout_s=5))
            await asyncio.sleep(0.05)
            device.send(DELETE, CON, b"d", uri_path=location)
            with pytest.raises(UnknownEndpoint, match="'raw' is not registered"):
                await reading
            await device.receive()
            await device.register([*QUERIES[0], "lt=200"])
            now[0] += server.awake_s
            reading = asyncio.create_task(server.read("raw", PATH, timeout_s=5))
            await asyncio.sleep(0.05)
            now[0] += 200
            server.expire()
            with pytest.raises(UnknownEndpoint):
                await reading

    scene(run)


def test_a_device_that_always_listens():
    """Without queue mode nothing waits, however long ago the device was heard."""

    async def run():
        async with asleep(["ep=raw", "lwm2m=1.1", "b=U"]) as (server, device, _, now):
            now[0] += 10000
            reading = asyncio.create_task(server.read("raw", PATH))
            arrived = await device.receive()
            assert arrived.code == GET
            device.answer(arrived)
            assert (await reading).value == 20

    scene(run)


def test_closing_ends_the_wait():
    """As it ends everything that is under way."""

    async def run():
        async with asleep() as (server, _, _, _):
            reading = asyncio.create_task(server.read("raw", PATH, timeout_s=60))
            await asyncio.sleep(0.05)
            await server.close()
            with pytest.raises(Timeout, match="read raw /3303/0/5700: the lab server closed"):
                await reading

    scene(run)


def test_raw_requests_do_not_wait():
    """And their answer says that the device is awake."""

    async def run():
        async with asleep() as (server, device, _, _):
            asking = asyncio.create_task(server.request("raw", PATH, Message(code=GET)))
            device.answer(await device.receive())
            assert (await asking).payload == b"20"
            assert server.is_awake(server.registration("raw"))

    scene(run)
