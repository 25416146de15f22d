"""The lab server's messages one by one, against a device that is a bare UDP socket: tokens, Resets, order, loss."""

import asyncio
import contextlib
import gc
import logging

import pytest
from aiocoap import ACK, CON, GET, NON, POST, RST, Message
from aiocoap.numbers.codes import Code

from tools.lab import DeviceError, LabServer, PayloadError, Timeout

CONTENT, EMPTY = Code.CONTENT, Code.EMPTY
PATH = "/3303/0/5700"


class RawDevice(asyncio.DatagramProtocol):
    """Sends exactly the messages it is told to; `receive` gives what the server sent, retransmissions included."""

    def __init__(self):
        self.arrived = asyncio.Queue()
        self.next_mid = 1

    @classmethod
    @contextlib.asynccontextmanager
    async def at(cls, server):
        loop = asyncio.get_running_loop()
        transport, device = await loop.create_datagram_endpoint(cls, remote_addr=("127.0.0.1", server.port))
        device.transport = transport
        yield device
        transport.close()

    def datagram_received(self, data, address):
        self.arrived.put_nowait(Message.decode(data))

    async def receive(self, timeout_s=5):
        async with asyncio.timeout(timeout_s):
            return await self.arrived.get()

    async def nothing_arrives(self):
        """Half a second is long on loopback and far below ACK_TIMEOUT."""
        with pytest.raises(TimeoutError):
            unexpected = await self.receive(0.5)
            raise AssertionError(unexpected)

    def send(self, code, mtype, token=b"", mid=None, payload=b"", **options):
        message = Message(code=code, payload=payload, **options)
        self.next_mid += 1
        message.mtype, message.token, message.mid = mtype, token, self.next_mid if mid is None else mid
        self.transport.sendto(message.encode())
        return message.mid

    def answer(self, request, code=CONTENT, payload=b"20", **options):
        self.send(code, ACK, request.token, request.mid, payload, content_format=0, **options)

    def notify(self, token, sequence, payload, mtype=NON):
        return self.send(CONTENT, mtype, token, payload=payload, content_format=0, observe=sequence)

    async def register(self):
        self.send(POST, CON, b"r", uri_path=["rd"], uri_query=["ep=raw", "lwm2m=1.1"], payload=b"</3303/0>")
        return (await self.receive()).opt.location_path

    async def observed(self, server):
        """Let the server observe; returns its Observation and its request."""
        observing = asyncio.create_task(server.observe("raw", PATH, timeout_s=5))
        request = await self.receive()
        assert (request.code, request.opt.observe, request.mtype) == (GET, 0, CON)
        self.answer(request, observe=10)
        return await observing, request


def scene(run):
    async def frame():
        async with LabServer(port=0) as server, RawDevice.at(server) as device:
            await device.register()
            await run(server, device)

    asyncio.run(frame())


def test_burst_duplicates_and_reordering():
    """Five at once arrive all five; copies and latecomers are dropped; the sequence may wrap at 24 bits."""

    async def run(server, device):
        observation, request = await device.observed(server)
        numbers = [11, 12, 12, 11, 13, 2**22, 2**23 + 5, 2**24 - 1, 3, 2**24 - 2, 4]
        for number in numbers:
            device.notify(request.token, number, str(number).encode())
        seen = [(await observation.next()).value for _ in range(8)]
        assert seen == [11, 12, 13, 2**22, 2**23 + 5, 2**24 - 1, 3, 4]
        device.notify(request.token, 5, b"21.5", mtype=CON)
        last = await observation.next()
        assert (last.value, last.sequence, last.confirmable) == (21.5, 5, True)
        acknowledgement = await device.receive()
        assert (acknowledgement.mtype, acknowledgement.code) == (ACK, EMPTY)

    scene(run)


@pytest.mark.parametrize("mtype", [CON, NON])
def test_passive_cancellation(mtype):
    """Nothing is sent; the next notification, confirmable or not, gets a Reset."""

    async def run(server, device):
        observation, request = await device.observed(server)
        assert await server.cancel("raw", PATH, passive=True) is None
        await device.nothing_arrives()
        mid = device.notify(request.token, 11, b"21", mtype)
        reset = await device.receive()
        assert (reset.mtype, reset.code, reset.mid) == (RST, EMPTY, mid)
        assert [item async for item in observation] == []

    scene(run)


def test_active_cancellation():
    """Observe=1 with the token of the observation; a notification that crosses it is not taken for the answer."""

    async def run(server, device):
        _, request = await device.observed(server)
        cancelling = asyncio.create_task(server.cancel("raw", PATH, timeout_s=5))
        cancellation = await device.receive()
        assert (cancellation.opt.observe, cancellation.token) == (1, request.token)
        assert cancellation.opt.uri_path == request.opt.uri_path
        device.notify(request.token, 11, b"99")
        device.answer(cancellation, payload=b"21")
        assert (await cancelling).value == 21
        mid = device.notify(request.token, 12, b"22")
        assert ((await device.receive()).mtype, mid) == (RST, device.next_mid)

    scene(run)


def test_observing_again_keeps_the_token():
    """A renewed observation replaces the old one on the device, as the token is the same."""

    async def run(server, device):
        first, request = await device.observed(server)
        second, again = await device.observed(server)
        assert second is first and again.token == request.token and again.mid != request.mid
        device.notify(request.token, 11, b"21")
        assert (await first.next()).value == 21

    scene(run)


def test_notification_in_blocks():
    """The first block notifies, the others are fetched with a token of their own."""

    async def run(server, device):
        observation, request = await device.observed(server)
        device.send(CONTENT, NON, request.token, payload=b"1" * 16, content_format=0, observe=11, block2=(0, True, 0))
        block = await device.receive()
        assert (block.opt.block2.block_number, block.opt.observe) == (1, None)
        assert block.token != request.token and block.opt.uri_path == request.opt.uri_path
        device.answer(block, payload=b".5", block2=(1, False, 0))
        assert (await observation.next()).value == float("1" * 16 + ".5")

    scene(run)


@pytest.mark.parametrize(("number", "szx", "size"), [(2, 0, 16), (1, 0, 3), (0, 0, 16), (1, 6, 16)])
def test_blocks_that_do_not_fit(number, szx, size):
    """A gap, a short block, a repetition and a changed size are errors of the device, one sentence each."""

    async def run(server, device):
        reading = asyncio.create_task(server.read("raw", PATH, timeout_s=5))
        device.answer(await device.receive(), payload=b"1" * 16, block2=(0, True, 0))
        device.answer(await device.receive(), payload=b"1" * size, block2=(number, True, szx))
        with pytest.raises(PayloadError, match="blocks of the device's answer do not fit"):
            await reading

    scene(run)


def test_hint_of_a_block_size():
    """4.13 with Block1 to a request without blocks is a refusal like any other."""

    async def run(server, device):
        writing = asyncio.create_task(server.write("raw", "/5/0/0", b"x" * 500, timeout_s=5))
        device.answer(await device.receive(), Code.REQUEST_ENTITY_TOO_LARGE, b"", block1=(0, False, 2))
        with pytest.raises(DeviceError, match=r"write raw /5/0/0 -> 4\.13"):
            await writing

    scene(run)


def test_new_address():
    """After an Update from elsewhere, requests go there and notifications from there count."""

    async def run(server, device):
        observation, request = await device.observed(server)
        location = ["rd", server.registration("raw").id]
        async with RawDevice.at(server) as moved:
            moved.send(POST, CON, b"u", uri_path=location)
            assert (await moved.receive()).code == Code.CHANGED
            moved.notify(request.token, 11, b"21")
            assert (await observation.next()).value == 21
            reading = asyncio.create_task(server.read("raw", PATH))
            moved.answer(await moved.receive())
            assert (await reading).value == 20
            await server.cancel("raw", PATH, passive=True)
            mid = moved.notify(request.token, 12, b"22")
            assert (await moved.receive()).mid == mid

    scene(run)


def test_silence_and_the_next_request():
    """An operation that timed out is neither retransmitted nor in the way of the next one."""

    async def run(server, device):
        with pytest.raises(Timeout, match=r"read raw /3303/0/5700: no answer within 0.2 s"):
            await server.read("raw", PATH, timeout_s=0.2)
        assert (await device.receive()).code == GET
        reading = asyncio.create_task(server.read("raw", "/3303/0/5601", timeout_s=5))
        second = await device.receive(1)
        assert second.opt.uri_path[-1] == "5601"
        device.answer(second)
        assert (await reading).value == 20
        with pytest.raises(TimeoutError):
            await device.receive(3.2)  # ACK_TIMEOUT x 1.5 and some: when a retransmission would come

    scene(run)


def test_requests_to_one_device_queue():
    """NSTART is 1: the second goes out when the first is answered; one that timed out in the queue never does."""

    async def run(server, device):
        first = asyncio.create_task(server.read("raw", "/3303/0/1", timeout_s=5))
        request = await device.receive()
        with pytest.raises(Timeout):
            await server.read("raw", "/3303/0/2", timeout_s=0.1)
        third = asyncio.create_task(server.read("raw", PATH, timeout_s=5))
        await device.nothing_arrives()
        device.answer(request)
        assert (await device.receive()).opt.uri_path[-1] == "5700"
        assert (await first).value == "20"
        third.cancel()

    scene(run)


def test_separate_response_and_reset():
    """An empty ACK and then the response is a success; a Reset is an error of its own."""

    async def run(server, device):
        reading = asyncio.create_task(server.read("raw", PATH, timeout_s=5))
        request = await device.receive()
        device.send(EMPTY, ACK, mid=request.mid)
        device.send(CONTENT, CON, request.token, payload=b"20", content_format=0)
        assert (await device.receive()).mtype == ACK
        assert (await reading).value == 20
        reading = asyncio.create_task(server.read("raw", PATH, timeout_s=5))
        device.send(EMPTY, RST, mid=(await device.receive()).mid)
        with pytest.raises(DeviceError, match="read raw /3303/0/5700 -> RST Reset"):
            await reading

    scene(run)


def test_unreachable_device_keeps_its_observation():
    """A port that is closed for a while ends the request that met it, not the observation."""

    async def run(server, device):
        observation, request = await device.observed(server)
        address = device.transport.get_extra_info("sockname")
        device.transport.close()
        await asyncio.sleep(0)
        with pytest.raises(Timeout, match=r"cannot be reached \(Connection refused\)"):
            await server.read("raw", PATH, timeout_s=5)
        loop = asyncio.get_running_loop()
        transport, back = await loop.create_datagram_endpoint(
            RawDevice, local_addr=address, remote_addr=("127.0.0.1", server.port)
        )
        back.transport = transport
        back.notify(request.token, 11, b"21")
        assert (await observation.next()).value == 21
        transport.close()

    scene(run)


def test_closing_leaves_nothing_behind(caplog):
    """No pending task, no unhandled exception, no warning, whatever was under way."""
    caplog.set_level(logging.WARNING)

    async def run():
        failures = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
        asyncio.get_running_loop().slow_callback_duration = 60  # a busy machine is no failure
        async with LabServer(port=0) as server, RawDevice.at(server) as device:
            await device.register()
            observation, _ = await device.observed(server)
            reading = asyncio.create_task(server.read("raw", PATH))
            queued = asyncio.create_task(server.read("raw", "/3303/0"))
            waiting = asyncio.create_task(server.wait_registered("nobody", timeout_s=60))
            await device.receive()
            await server.close()
            for task in (reading, queued):
                with pytest.raises(Timeout, match="the lab server closed"):
                    await task
            assert [item async for item in observation] == []
            waiting.cancel()
        del observation, reading, queued, waiting, task
        await asyncio.sleep(0)
        gc.collect()
        names = {task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()}}
        assert failures == [] and names == set()

    asyncio.run(run(), debug=True)
    assert [record.message for record in caplog.records if record.name in ("asyncio", "lab", "lab.aiocoap")] == []
