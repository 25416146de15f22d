"""The lab server's registration interface: its rules in virtual time, then on a real socket and with noise."""

import asyncio
import contextlib
import random
import socket
from types import SimpleNamespace

import pytest
from aiocoap import CON, DELETE, GET, POST, Context, Message, error

from tools.lab import LabServer, StartError, linelog
from tools.lab.registration import Registrations

LINKS = b'</>;rt="oma.lwm2m";ct="60 110",</1/0>,</3>;ver=1.1,</3/0>,</3303/0>'
QUERY = ("ep=virtual-1", "lt=300", "lwm2m=1.1", "b=U")


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def registrations(clock):
    return Registrations(clock)


def remote(hostinfo="127.0.0.1:40000"):
    return SimpleNamespace(hostinfo=hostinfo)


def test_register_keeps_what_the_device_said(registrations):
    """Every parameter and every link arrives in the dataclass."""
    registration, replaced = registrations.register((*QUERY, "Q", "sms=+49123"), LINKS, remote())
    assert replaced is None
    assert (registration.endpoint, registration.version, registration.binding) == ("virtual-1", "1.1", "U")
    assert (registration.lifetime_s, registration.queue_mode, registration.sms) == (300, True, "+49123")
    assert registration.root_attributes == {"rt": "oma.lwm2m", "ct": "60 110"}
    assert registration.objects == {"/1/0": {}, "/3": {"ver": "1.1"}, "/3/0": {}, "/3303/0": {}}
    assert registrations.get("virtual-1") is registration


def test_register_defaults_and_version_1_0(registrations):
    """Without lt a day, without b UDP; in 1.0 the Q stands in the binding; ver may be quoted there."""
    plain, _ = registrations.register(("ep=a", "lwm2m=1.1"), b"</1/0>", remote())
    assert (plain.lifetime_s, plain.binding, plain.queue_mode, plain.root) == (86400, "U", False, "")
    old, _ = registrations.register(("ep=b", "lwm2m=1.0", "b=UQ"), b'</3>;ver="1.0"', remote())
    assert (old.binding, old.queue_mode, old.objects) == ("UQ", True, {"/3": {"ver": "1.0"}})


def test_alternate_root(registrations):
    """Paths are kept without the root that precedes them on the wire."""
    registration, _ = registrations.register(QUERY, b'</lwm2m>;rt="oma.lwm2m",</lwm2m/1/0>', remote())
    assert (registration.root, registration.objects) == ("/lwm2m", {"/1/0": {}})
    with pytest.raises(error.BadRequest):
        registrations.register(QUERY, b'</lwm2m>;rt="oma.lwm2m",</1/0>', remote())


@pytest.mark.parametrize(
    ("query", "links", "code"),
    [
        ("lt=300 lwm2m=1.1", LINKS, "4.00"),  # no ep
        ("ep= lwm2m=1.1", LINKS, "4.00"),
        ("ep=a\nb lwm2m=1.1", LINKS, "4.00"),
        ("ep=a ep=b lwm2m=1.1", LINKS, "4.00"),
        ("ep=a", LINKS, "4.00"),  # no version
        ("ep=a lwm2m", LINKS, "4.00"),
        ("ep=a lwm2m=one", LINKS, "4.00"),
        ("ep=a lwm2m=2.0", LINKS, "4.12"),
        ("ep=a lwm2m=1.3", LINKS, "4.12"),
        ("ep=a lwm2m=1.1 lt=", LINKS, "4.00"),
        ("ep=a lwm2m=1.1 lt=-1", LINKS, "4.00"),
        ("ep=a lwm2m=1.1 lt=4294967296", LINKS, "4.00"),
        ("ep=a lwm2m=1.1 lt=\u0663", LINKS, "4.00"),
        ("ep=a lwm2m=1.1 b=UQ", LINKS, "4.00"),  # Q moved out of b with 1.1
        ("ep=a lwm2m=1.1 b", LINKS, "4.00"),
        ("ep=a lwm2m=1.1 b=UU", LINKS, "4.00"),
        ("ep=a lwm2m=1.0 b=T", LINKS, "4.00"),
        ("ep=a lwm2m=1.1 Q=1", LINKS, "4.00"),
        ("ep=a lwm2m=1.1", b"", "4.00"),
        ("ep=a lwm2m=1.1", b"</1/0", "4.00"),
        ("ep=a lwm2m=1.1", b"</1/0>,</1/0>", "4.00"),
        ("ep=a lwm2m=1.1", b"</1/0/0>", "4.00"),
        ("ep=a lwm2m=1.1", b"</65535>", "4.00"),
        ("ep=a lwm2m=1.1", b"</sensors>", "4.00"),
        ("ep=a lwm2m=1.1", b"\xff", "4.00"),
        ("ep=a lwm2m=1.1", b"</1/0>" * 11000, "4.13"),
    ],
)
def test_register_refuses(registrations, query, links, code):
    """Each mistake has its code and nothing is registered."""
    with pytest.raises(error.ConstructionRenderableError) as refused:
        registrations.register(tuple(query.split(" ")), links, remote())
    assert refused.value.code.dotted == code
    assert len(registrations) == 0


def test_update_changes_only_what_it_names(registrations, clock):
    """Lifetime, then objects, then nothing but the address; each restarts the lifetime."""
    registration, _ = registrations.register(QUERY, LINKS, remote())
    clock.now += 299
    _, changes = registrations.update(registration.id, ("lt=60",), b"", registration.remote)
    assert changes == {"lifetime_s": 60}
    assert registration.expires_at == clock.now + 60
    _, changes = registrations.update(registration.id, (), b"</1/0>,</3311/0>", registration.remote)
    assert set(changes) == {"objects", "root_attributes"}
    assert registration.objects == {"/1/0": {}, "/3311/0": {}}
    elsewhere = remote("127.0.0.1:40001")
    clock.now += 59
    assert registrations.update(registration.id, (), b"", elsewhere)[1] == {"remote": elsewhere}
    assert registration.address == "127.0.0.1:40001"
    assert (registration.lifetime_s, registrations.next_expiry_s()) == (60, 60)


@pytest.mark.parametrize("query", ["lt=x", "ep=b", "lwm2m=1.0", "Q", "b=Z", "lt=5 lt=6"])
def test_update_refuses(registrations, query):
    """A broken Update is 4.00 and changes nothing at all."""
    registration, _ = registrations.register(QUERY, LINKS, remote())
    with pytest.raises(error.BadRequest):
        registrations.update(registration.id, ("lt=77", *query.split(" ")), b"", remote("10.0.0.1"))
    assert (registration.lifetime_s, registration.address) == (300, "127.0.0.1:40000")


def test_unknown_registrations(registrations):
    """An id that was never given or is used up is 4.04."""
    registration, _ = registrations.register(QUERY, LINKS, remote())
    registrations.deregister(registration.id)
    for attempt in (lambda: registrations.update(registration.id, (), b"", None), lambda: registrations.deregister("")):
        with pytest.raises(error.NotFound):
            attempt()


def test_expiry(registrations, clock):
    """A lifetime ends on the second, 0 never does, an Update postpones it."""
    short, _ = registrations.register(("ep=short", "lwm2m=1.1", "lt=60"), b"</1/0>", remote())
    long, _ = registrations.register(("ep=long", "lwm2m=1.1", "lt=4294967295"), b"</1/0>", remote())
    registrations.register(("ep=ever", "lwm2m=1.1", "lt=0"), b"</1/0>", remote())
    assert registrations.next_expiry_s() == 60
    clock.now += 59.9
    assert registrations.expire() == []
    registrations.update(short.id, (), b"", short.remote)
    clock.now += 59.9
    assert registrations.expire() == []
    clock.now += 0.1
    assert registrations.expire() == [short]
    clock.now += 1e10
    assert registrations.expire() == [long]
    assert [each.endpoint for each in registrations] == ["ever"]
    assert registrations.next_expiry_s() is None


def test_register_again_replaces(registrations):
    """One endpoint has one registration; the old id is unknown afterwards."""
    first, _ = registrations.register(QUERY, LINKS, remote())
    second, replaced = registrations.register(QUERY, b"</1/0>", remote("10.0.0.2"))
    assert replaced is first and second.id != first.id
    assert list(registrations) == [second]
    with pytest.raises(error.NotFound):
        registrations.update(first.id, (), b"", remote())


# On the wire from here on.


class Client:
    """An aiocoap client that speaks the registration interface and nothing else."""

    def __init__(self, context, server):
        self.context, self.server = context, server

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, server):
        context = await Context.create_client_context(transports=["udp6"])
        yield cls(context, server)
        await context.shutdown()

    async def request(self, code, path, payload=b"", content_format=None):
        message = Message(code=code, uri=self.server.uri + path, payload=payload)
        message.opt.content_format = content_format
        async with asyncio.timeout(5):
            return await self.context.request(message).response


def test_registration_on_the_wire():
    """Register, Update, De-register as an aiocoap client sees them, and the events and lines they make."""

    async def scene():
        lines = []
        async with LabServer(port=0) as server, Client.of(server) as client:
            server.add_listener(lambda event: lines.append(linelog.line(event)))
            waiting = asyncio.create_task(server.wait_registered("virtual-1", timeout_s=5))
            created = await client.request(POST, "/rd?ep=virtual-1&lt=300&lwm2m=1.1&b=U&Q", LINKS, 40)
            assert (created.code.dotted, created.opt.location_path[0]) == ("2.01", "rd")
            location = "/" + "/".join(created.opt.location_path)
            registration = await waiting
            assert registration.location == location
            assert (await client.request(POST, location + "?lt=600")).code.dotted == "2.04"
            assert (await client.request(DELETE, location)).code.dotted == "2.02"
            for code, path in ((POST, location), (DELETE, location), (POST, "/rd/a/b"), (GET, "/x"), (POST, "/")):
                assert (await client.request(code, path)).code.dotted == "4.04"
            assert (await client.request(GET, "/rd")).code.dotted == "4.05"
            assert (await client.request(DELETE, "/rd")).code.dotted == "4.05"
            refused = await client.request(POST, "/rd?lwm2m=1.1", LINKS, 40)
            assert (refused.code.dotted, refused.payload) == ("4.00", b"ep, the endpoint name, is missing")
            assert (await client.request(POST, "/rd?ep=a&lwm2m=9.9", LINKS, 40)).code.dotted == "4.12"
            assert (await client.request(POST, "/rd?ep=a&lwm2m=1.1", LINKS, 0)).code.dotted == "4.15"
            assert len(server.registrations) == 0
        address = registration.address
        assert lines == [
            f"register    virtual-1  lt=300 lwm2m=1.1 b=U Q from {address}  </1/0>,</3>;ver=1.1,</3/0>,</3303/0>",
            "update      virtual-1  lt=600",
            "deregister  virtual-1",
        ]

    asyncio.run(scene())


def test_object_list_in_blocks():
    """A list of 2 kB arrives by Block1."""

    async def scene():
        links = ",".join(f"<{path}>" for path in (f"/3303/{number}" for number in range(200))).encode()
        async with LabServer(port=0) as server, Client.of(server) as client:
            assert len(links) > 2000
            assert (await client.request(POST, "/rd?ep=big&lwm2m=1.1", links, 40)).code.dotted == "2.01"
            assert len(server.registration("big").objects) == 200
            gap = Message(code=POST, uri=server.uri + "/rd?ep=big&lwm2m=1.1", payload=links[:16], block1=(7, True, 0))
            response = await client.context.request(gap, handle_blockwise=False).response
            assert response.code.dotted == "4.08"

    asyncio.run(scene())


def test_expiry_on_the_wire(clock):
    """The server's own timer sees an advanced clock when something happens; the device is then unknown."""

    async def scene():
        async with LabServer(port=0, clock=clock) as server, Client.of(server) as client:
            created = await client.request(POST, "/rd?ep=a&lt=60&lwm2m=1.1", LINKS, 40)
            with server.subscribe() as events:
                clock.now += 61
                assert server.expire() is None
                assert (await events.wait("expire")).endpoint == "a"
            location = "/" + "/".join(created.opt.location_path)
            assert (await client.request(POST, location)).code.dotted == "4.04"

    asyncio.run(scene())


def test_lifetime_of_one_second_ends_by_itself():
    """The timer runs without help."""

    async def scene():
        async with LabServer(port=0) as server, Client.of(server) as client:
            with server.subscribe() as events:
                await client.request(POST, "/rd?ep=a&lt=1&lwm2m=1.1", LINKS, 40)
                event = await events.wait("expire", timeout_s=5)
                lived_s = server.registrations._clock() - event.registration.registered_at
                assert 1 <= lived_s < 2

    asyncio.run(scene())


def test_noise_does_not_end_the_server(caplog):
    """Datagrams of noise, mutations of a Register and odd CoAP; the server then still registers a device."""
    dice = random.Random(7641)
    register = Message(code=POST, uri_path=["rd"], uri_query=["ep=a", "lwm2m=1.1"], content_format=40, payload=LINKS)
    register.mtype, register.mid, register.token = CON, 1, b"abc"
    template = register.encode()

    def datagrams():
        yield from (b"", b"\x40", b"\x7f" * 20, b"\x4f\x02\x00\x01", b"\x00\x00\x00\x00", b"\xff" * 100)
        yield b"\x40\x02\x00\x02\xb1\xff"  # Uri-Path that is not UTF-8
        yield b"\x51\x01\x00\x03t\x60\x52rd"  # NON GET /rd with Observe 0
        for number in range(300):
            data = bytearray(template)
            data[2:4] = number.to_bytes(2, "big")
            for _ in range(dice.randrange(1, 6)):
                data[dice.randrange(len(data))] = dice.randrange(256)
            yield bytes(data[: dice.randrange(4, len(data) + 1)])

    async def scene():
        async with LabServer(port=0) as server, Client.of(server) as client:
            failures = []
            asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
                for data in datagrams():
                    noise.sendto(data, ("127.0.0.1", server.port))
                    await asyncio.sleep(0)
            assert (await client.request(POST, "/rd?ep=after&lwm2m=1.1", LINKS, 40)).code.dotted == "2.01"
            assert failures == []

    asyncio.run(scene())
    assert [record for record in caplog.records if record.exc_info] == []
    assert "that are not a CoAP message" in caplog.text


@pytest.mark.parametrize("taken", ["v4", "all v4", "dual-stack", "reusable"])
def test_port_in_use(taken):
    """Whoever holds the port, in whatever way, the server says so instead of sharing it."""

    async def scene():
        family = socket.AF_INET6 if taken == "dual-stack" else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as holder:
            if taken == "reusable":
                holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            holder.bind(
                ({"v4": "127.0.0.1", "reusable": "127.0.0.1", "all v4": "0.0.0.0", "dual-stack": "::"}[taken], 0)
            )
            port = holder.getsockname()[1]
            with pytest.raises(StartError, match=f"UDP port {port} on 127.0.0.1 is already in use"):
                await LabServer(port=port).start()

    asyncio.run(scene())


def test_two_servers_on_one_port():
    """The second is refused while the first lives and may come afterwards."""

    async def scene():
        async with LabServer(port=0) as first:
            for host in ("127.0.0.1", "localhost", "0.0.0.0"):
                with pytest.raises(StartError, match="already in use"):
                    await LabServer(host, first.port).start()
        async with LabServer(port=first.port) as second:
            assert second.uri == f"coap://127.0.0.1:{first.port}"

    asyncio.run(scene())


@pytest.mark.parametrize("host", ["no-such-host.invalid", "203.0.113.1", "1.2.3", "a" * 70, ""])
def test_hosts_that_cannot_be_bound(host):
    """One sentence that names the host."""

    async def scene():
        with pytest.raises(StartError, match="cannot listen on"):
            await LabServer(host, 0).start()

    asyncio.run(scene())
