"""The lab server's operations against an aiocoap device on loopback, block-wise transfers included."""

import asyncio
import contextlib

import pytest
from aiocoap import DELETE, GET, POST, PUT, Context, Message, error, resource
from aiocoap.numbers.codes import Code

from tools.lab import DeviceError, LabServer, PayloadError, Timeout, UnknownEndpoint, UsageError, linelog, payload

LINKS = b'</>;rt="oma.lwm2m";ct="11542",</1/0>,</3/0>,</3303/0>'
CHANGED, CREATED, DELETED, CONTENT = Code.CHANGED, Code.CREATED, Code.DELETED, Code.CONTENT


class FakeDevice(resource.ObservableResource):
    """A device of aiocoap: answers by (method, path) from a table and keeps the requests.

    An answer is (code, Content-Format or None, payload) or an aiocoap error to raise; what is not in the table is
    4.04. `notify` sends the present answers to all who observe.
    """

    def __init__(self, answers=()):
        super().__init__()
        self.answers = dict(answers)
        self.requests = []
        self.location = ""

    @classmethod
    @contextlib.asynccontextmanager
    async def registered(cls, port, answers=(), endpoint="virtual-1", links=LINKS):
        device = cls(answers)
        device.context = await Context.create_server_context(device, bind=("127.0.0.1", 0), transports=["udp6"])
        device.server = f"coap://127.0.0.1:{port}"
        await device.register(endpoint, links)
        yield device
        await device.context.shutdown()

    async def register(self, endpoint, links=LINKS):
        response = await self.send(POST, f"/rd?ep={endpoint}&lt=300&lwm2m=1.1&b=U", links)
        self.location = "/" + "/".join(response.opt.location_path)

    async def send(self, code, path, payload=b""):
        message = Message(code=code, uri=self.server + path, payload=payload)
        if payload:
            message.opt.content_format = 40
        async with asyncio.timeout(5):
            return await self.context.request(message).response

    async def render(self, request):
        self.requests.append(request)
        answer = self.answers.get((request.code, "/" + "/".join(request.opt.uri_path)), error.NotFound("no such path"))
        if isinstance(answer, Exception):
            raise answer
        code, content_format, body = answer
        return Message(code=code, payload=body, content_format=content_format)

    def notify(self):
        self.updated_state()


@contextlib.asynccontextmanager
async def lab(answers=(), **options):
    """A server with one registered device."""
    async with LabServer(port=0, **options) as server, FakeDevice.registered(server.port, answers) as device:
        yield server, device


def scene(coroutine):
    asyncio.run(coroutine())


def test_read():
    """A resource as text, an instance as TLV, opaque bytes, a format that nobody decodes."""

    async def run():
        answers = {
            (GET, "/3303/0/5700"): (CONTENT, 0, b"22.5"),
            (GET, "/3/0"): (CONTENT, 11542, bytes.fromhex("C1 09 64 86 06 41 00 01 41 01 05")),
            (GET, "/5/0/0"): (CONTENT, 42, b"\x00\xff"),
            (GET, "/1/0"): (CONTENT, 11544, b"\xa0"),
        }
        async with lab(answers) as (server, device):
            value = await server.read("virtual-1", "/3303/0/5700", accept=payload.TEXT)
            assert (value.code, value.name, value.content_format, value.value) == ("2.05", "Content", 0, 22.5)
            assert device.requests[-1].opt.accept == 0
            assert (await server.read("virtual-1", "/3/0")).value == {9: 100, 6: {0: 1, 1: 5}}
            assert device.requests[-1].opt.accept is None
            assert device.requests[-1].remote.hostinfo == f"127.0.0.1:{server.port}"
            assert (await server.read(None, "/5/0/0")).value == b"\x00\xff"
            assert (await server.read(None, "/1/0")).value == b"\xa0"

    scene(run)


def test_write_execute_create_delete_attributes():
    """Method, path, query, format and payload of each operation as they arrive."""

    async def run():
        answers = {
            (PUT, "/3311/0/5850"): (CHANGED, None, b""),
            (PUT, "/3311/0"): (CHANGED, None, b""),
            (POST, "/3311/0"): (CHANGED, None, b""),
            (PUT, "/5/0/0"): (CHANGED, None, b""),
            (POST, "/3/0/4"): (CHANGED, None, b""),
            (DELETE, "/3303/7"): (DELETED, None, b""),
            (PUT, "/3303/0/5700"): (CHANGED, None, b""),
        }
        async with lab(answers) as (server, device):

            def arrived():
                request = device.requests[-1]
                return request.code, request.opt.uri_query, request.opt.content_format, request.payload

            assert (await server.write("virtual-1", "/3311/0/5850", True)).code == "2.04"
            assert arrived() == (PUT, (), 0, b"1")
            await server.write("virtual-1", "/3311/0/5850", True, content_format=payload.TLV)
            assert arrived() == (PUT, (), 11542, bytes.fromhex("E1 16 DA 01"))
            await server.write("virtual-1", "/3311/0", {5850: False, 5851: 50})
            assert arrived() == (PUT, (), 11542, bytes.fromhex("E1 16 DA 00 E1 16 DB 32"))
            await server.write("virtual-1", "/3311/0", {5851: 50}, partial=True)
            assert arrived() == (POST, (), 11542, bytes.fromhex("E1 16 DB 32"))
            await server.write("virtual-1", "/5/0/0", b"\x00")
            assert arrived() == (PUT, (), 42, b"\x00")
            await server.execute("virtual-1", "/3/0/4")
            assert arrived() == (POST, (), None, b"")
            await server.execute("virtual-1", "/3/0/4", "0='reboot',1")
            assert arrived() == (POST, (), 0, b"0='reboot',1")
            assert (await server.delete("virtual-1", "/3303/7")).code == "2.02"
            await server.write_attributes("virtual-1", "/3303/0/5700", {"pmin": 1, "gt": 25.5, "lt": None})
            assert arrived() == (PUT, ("pmin=1", "gt=25.5", "lt"), None, b"")

    scene(run)


def test_create():
    """With and without a number; the location that the device chose comes back."""

    async def run():
        async with lab() as (server, device):

            async def create(request):
                device.requests.append(request)
                return Message(code=CREATED, location_path=("3303", "4"))

            device.render = create
            result = await server.create("virtual-1", "/3303", {5700: 22.5})
            assert (result.code, result.location) == ("2.01", "/3303/4")
            assert device.requests[-1].payload == bytes.fromhex("E4 16 44 41 B4 00 00")
            await server.create("virtual-1", "/3303", instance=9)
            assert (device.requests[-1].opt.content_format, device.requests[-1].payload) == (11542, b"\x00\x09")

    scene(run)


def test_discover():
    """Links with attributes."""

    async def run():
        answers = {(GET, "/3/0"): (CONTENT, 40, b"</3/0>;pmin=10;pmax=60,</3/0/6>;dim=2")}
        async with lab(answers) as (server, device):
            result = await server.discover("virtual-1", "/3/0")
            assert result.value == {"/3/0": {"pmin": "10", "pmax": "60"}, "/3/0/6": {"dim": "2"}}
            assert device.requests[-1].opt.accept == 40

    scene(run)


def test_alternate_root():
    """The root of the registration precedes every path."""

    async def run():
        answers = {(GET, "/lwm2m/3/0/9"): (CONTENT, 0, b"7")}
        links = b'</lwm2m>;rt="oma.lwm2m",</lwm2m/3/0>'
        async with (
            LabServer(port=0) as server,
            FakeDevice.registered(server.port, answers, links=links),
        ):
            assert (await server.read(None, "/3/0/9")).value == 7

    scene(run)


def test_blocks_both_ways():
    """20 kB up by Block1 and down by Block2 are the same bytes."""

    async def run():
        image = bytes(range(256)) * 80
        answers = {(PUT, "/5/0/0"): (CHANGED, None, b""), (GET, "/5/0/0"): (CONTENT, 42, image)}
        async with lab(answers) as (server, device):
            await server.write("virtual-1", "/5/0/0", image)
            assert device.requests[-1].payload == image
            assert (await server.read("virtual-1", "/5/0/0")).payload == image

    scene(run)


def test_refusals():
    """An error code becomes one exception with one sentence, the same words as in the log."""

    async def run():
        lines = []
        answers = {(GET, "/3/0/4"): error.MethodNotAllowed("Reboot\x1b[0m"), (GET, "/3/0/9"): (CONTENT, 0, b"full")}
        async with lab(answers) as (server, _):
            server.add_listener(lambda event: lines.append(linelog.line(event)))
            with pytest.raises(DeviceError) as refused:
                await server.read("virtual-1", "/3/0/99")
            assert (refused.value.code, refused.value.name, refused.value.diagnostic) == (
                "4.04", "Not Found", "no such path"
            )  # fmt: skip
            assert str(refused.value) == "read virtual-1 /3/0/99 -> 4.04 Not Found (no such path)"
            with pytest.raises(DeviceError, match=r"4.05 Method Not Allowed \(Reboot\?\[0m\)"):
                await server.read("virtual-1", "/3/0/4")
            with pytest.raises(PayloadError, match=r"read virtual-1 /3/0/9 -> 2.05 Content, but b'full' is not"):
                await server.read("virtual-1", "/3/0/9")
        assert lines[0] == "read        virtual-1 /3/0/99 -> 4.04 Not Found (no such path)"

    scene(run)


def test_usage_errors_send_nothing():
    """Unknown device, no path, wrong depth, wrong value."""

    async def run():
        async with lab() as (server, device):
            with pytest.raises(UnknownEndpoint, match=r"'nobody' is not registered \(registered: virtual-1"):
                await server.read("nobody", "/3/0")
            for operation in (
                server.read("virtual-1", "3/0"),
                server.read("virtual-1", "/"),
                server.execute("virtual-1", "/3/0"),
                server.write("virtual-1", "/3", {}),
                server.write("virtual-1", "/3311/0/5850", "on"),
                server.create("virtual-1", "/3303/0"),
                server.delete("virtual-1", "/3303"),
                server.discover("virtual-1", "/3/0/6/0"),
                server.write_attributes("virtual-1", "/3/0", {}),
                server.cancel("virtual-1", "/3/0"),
            ):
                with pytest.raises(UsageError):
                    await operation
            async with FakeDevice.registered(server.port, endpoint="second"):
                with pytest.raises(UnknownEndpoint, match="name the device: registered are second, virtual-1"):
                    await server.read(None, "/3/0")
            assert device.requests == []

    scene(run)


def test_raw_request_returns_error_codes():
    """`request` sends what the operations refuse to send."""

    async def run():
        async with lab() as (server, device):
            response = await server.request("virtual-1", "/3", Message(code=DELETE))
            assert response.code.dotted == "4.04"
            assert device.requests[-1].code == DELETE

    scene(run)


def test_observe_and_cancel():
    """First value, notifications, the cancellation under the same token."""

    async def run():
        answers = {(GET, "/3303/0/5700"): (CONTENT, 0, b"20")}
        async with lab(answers) as (server, device):
            observation = await server.observe("virtual-1", "/3303/0/5700")
            assert observation.first.value == 20 and observation.first.sequence is not None
            for celsius in (21, 22, 23):
                device.answers[GET, "/3303/0/5700"] = CONTENT, 0, str(celsius).encode()
                device.notify()
                notification = await observation.next()
                assert (notification.operation, notification.value) == ("notify", celsius)
            assert [each.path for each in server.observations] == [(3303, 0, 5700)]
            result = await server.cancel("virtual-1", "/3303/0/5700")
            assert result.value == 23
            assert device.requests[-1].opt.observe == 1
            assert device.requests[-1].token == observation.token
            assert server.observations == [] and device._observations == set()
            with pytest.raises(Timeout, match="has ended: cancelled"):
                await observation.next(1)
            assert [item async for item in observation] == []

    scene(run)


def test_observe_is_refused():
    """4.04, or an answer without the Observe option."""

    async def run():
        answers = {(GET, "/3/0/9"): (CONTENT, 0, b"1")}
        async with lab(answers) as (server, device):
            with pytest.raises(DeviceError, match=r"4\.04"):
                await server.observe("virtual-1", "/3303/0/5700")

            async def decline(request, observation):
                pass

            device.add_observation = decline
            with pytest.raises(DeviceError, match="does not observe"):
                await server.observe("virtual-1", "/3/0/9")
            assert server.observations == []

    scene(run)


def test_device_ends_an_observation():
    """A notification with an error code is the last."""

    async def run():
        answers = {(GET, "/3303/0/5700"): (CONTENT, 0, b"20")}
        async with lab(answers) as (server, device):
            observation = await server.observe("virtual-1", "/3303/0/5700")
            with server.subscribe() as events:
                device.updated_state(Message(code=Code.NOT_FOUND))
                with pytest.raises(DeviceError, match=r"notify virtual-1 /3303/0/5700 -> 4.04 Not Found"):
                    await observation.next()
                ended = await events.wait("ended")
            assert (ended.path, ended.reason) == ((3303, 0, 5700), "the device ended it with 4.04 Not Found")
            assert server.observations == []

    scene(run)


@pytest.mark.parametrize("farewell", ["register", "deregister", "expire"])
def test_observations_end_with_the_registration(farewell):
    """Registering again, de-registering and expiring void them."""

    async def run():
        now = [0.0]
        answers = {(GET, "/3303/0/5700"): (CONTENT, 0, b"20")}
        async with lab(answers, clock=lambda: now[0]) as (server, device):
            observation = await server.observe("virtual-1", "/3303/0/5700")
            if farewell == "register":
                await device.register("virtual-1")
            elif farewell == "deregister":
                await device.send(DELETE, device.location)
            else:
                now[0] += 300
                server.expire()
            assert [item async for item in observation] == []
            assert server.observations == []
            assert len(server.registrations) == (1 if farewell == "register" else 0)

    scene(run)


def test_units_are_learnt():
    """Resource 5701 of an instance gives later values their unit in the log."""

    async def run():
        instance = bytes.fromhex("E4 16 44 41 AC 00 00 E3 16 45") + b"Cel"
        answers = {(GET, "/3303/0"): (CONTENT, 11542, instance), (GET, "/3303/0/5700"): (CONTENT, 0, b"21.5")}
        async with lab(answers) as (server, _):
            lines = []
            server.add_listener(lambda event: lines.append(linelog.line(event)))
            await server.read(None, "/3303/0/5700")
            await server.read(None, "/3303/0")
            await server.observe(None, "/3303/0/5700")
        assert lines[:3] == [
            "read        virtual-1 /3303/0/5700 -> 2.05 Content  21.5",
            "read        virtual-1 /3303/0 -> 2.05 Content  tlv, 13 bytes",
            "observe     virtual-1 /3303/0/5700 -> 2.05 Content  21.5 Cel",
        ]

    scene(run)


def test_a_failing_listener_harms_nobody(caplog):
    """Its mistake is logged; the operation and the other listeners go on."""

    async def run():
        seen = []
        async with lab({(GET, "/3/0/9"): (CONTENT, 0, b"1")}) as (server, _):
            server.add_listener(lambda event: event.no_such_field)
            server.add_listener(seen.append)
            assert (await server.read(None, "/3/0/9")).value == 1
        assert [event.kind for event in seen] == ["operation"]

    scene(run)
    assert "a listener failed on an event of kind operation" in caplog.text
