"""The lab's bootstrap server against a device of aiocoap: whole sequences and refusals."""

import asyncio
import contextlib
import json

import cbor2
import pytest
from aiocoap import DELETE, GET, POST, PUT, Context, Message, error

from host_tests.cpython.test_lab_management import CHANGED, CONTENT, DELETED, FakeDevice
from tools.lab import (
    Access,
    Account,
    Configuration,
    Configurations,
    LabBootstrapServer,
    linelog,
    payload,
)

SERVER = "coap://192.0.2.1:5683"
FINISHED = (POST, "/bs", None, b"")

# What the one account of SERVER is in TLV, as /0 beside a bootstrap account 0 and as /1.
SECURITY_TLV = (
    bytes.fromhex("08 01 27 C8 00 15") + SERVER.encode() + bytes.fromhex("C1 01 00 C1 02 03 C0 03 C0 04 C0 05 C1 0A 65")
)
SERVER_TLV = bytes.fromhex("08 00 0D C1 00 65 C2 01 01 2C C1 06 01 C1 07 55")


class Newcomer(FakeDevice):
    """A device that asks for a bootstrap and accepts all that it is told."""

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, server, links=b"</>;lwm2m=1.1,</0/0>,</1>,</3/0>"):
        device = cls({(GET, "/"): (CONTENT, 40, links), FINISHED[:2]: (CHANGED, None, b"")})
        for oid in range(3):
            device.answers[PUT, f"/{oid}"] = CHANGED, None, b""
            device.answers[DELETE, f"/{oid}"] = DELETED, None, b""
        device.context = await Context.create_server_context(device, bind=("127.0.0.1", 0), transports=["udp6"])
        device.server = server.uri
        yield device
        await device.context.shutdown()

    async def ask(self, query="ep=board-1", code=POST, path="/bs", accept=None):
        message = Message(code=code, uri=f"{self.server}{path}?{query}", accept=accept)
        async with asyncio.timeout(5):
            return await self.context.request(message).response

    @property
    def steps(self):
        """The requests so far: method, path, Content-Format, payload."""
        return [
            (each.code, "/" + "/".join(each.opt.uri_path), each.opt.content_format, each.payload)
            for each in self.requests
        ]


def handing_out(*accounts, **how):
    return Configurations(Configuration(accounts or (Account(SERVER),), **how))


@contextlib.asynccontextmanager
async def bootstrap(configurations=None, **options):
    """A bootstrap server, a device, and the lines of the log."""
    lines = []
    links = options.pop("links", b"</>;lwm2m=1.1,</0/0>,</1>,</3/0>")
    async with LabBootstrapServer(port=0, configurations=configurations, **options) as server:
        server.add_listener(lambda event: lines.append(linelog.line(event)))
        async with Newcomer.of(server, links) as device:
            yield server, device, lines


def scene(coroutine):
    asyncio.run(coroutine())


def test_whole_sequence():
    """Discover, Delete, Write in TLV, Finish, one line of the log each."""

    async def run():
        async with bootstrap(handing_out()) as (server, device, lines):
            assert (await device.ask()).code == CHANGED
            assert (await server.wait_finished("board-1")).state == "finished"
            assert device.steps == [
                (GET, "/", None, b""),
                (DELETE, "/0", None, b""),
                (DELETE, "/1", None, b""),
                (PUT, "/0", 11542, SECURITY_TLV),
                (PUT, "/1", 11542, SERVER_TLV),
                FINISHED,
            ]
            assert device.requests[0].opt.accept == 40
            address = server.session().address
        assert lines == [
            f"bootstrap   board-1  from {address}",
            "bs-discover board-1 / -> 2.05 Content  </>;lwm2m=1.1,</0/0>,</1>,</3/0>",
            "bs-delete   board-1 /0 -> 2.02 Deleted",
            "bs-delete   board-1 /1 -> 2.02 Deleted",
            "bs-write    board-1 /0 -> 2.04 Changed",
            "bs-write    board-1 /1 -> 2.04 Changed",
            "bs-finish   board-1 / -> 2.04 Changed",
            f"finished    board-1  has its accounts: {SERVER}",
        ]

    scene(run)


@pytest.mark.parametrize("content_format", [110, 112])
def test_preferred_format(content_format):
    """pct decides how is written; the bootstrap account that Discover shows is left alone, wherever it stands."""

    async def run():
        links = b'</>;lwm2m=1.1,</0/0>;ssid=9;uri="coap://old",</0/1>,</1/0>;ssid=9,</2/0>,</3/0>'
        access = Access(3303, 0, owner=101, acl={102: 1})
        accounts = Account(SERVER, allow_send=True), Account("coap://192.0.2.2", ssid=102, lifetime=60, binding="UT")
        configurations = handing_out(*accounts, access=(access,))
        async with bootstrap(configurations, links=links) as (server, device, lines):
            assert (await device.ask(f"ep=board-1&pct={content_format}")).code == CHANGED
            await server.wait_finished("board-1")
            assert [step[:2] for step in device.steps[:4]] == [
                (GET, "/"), (DELETE, "/0"), (DELETE, "/1"), (DELETE, "/2")
            ]  # fmt: skip
            written = {}
            for _, path, ct, body in device.steps[4:7]:
                assert ct == content_format
                records = json.loads(body) if ct == 110 else cbor2.loads(body)
                for record in records:
                    name, value = record.values()
                    assert name.startswith(path)
                    written[name] = value
            assert f"pct={payload.format_name(content_format)} from" in lines[0]
        empty = "" if content_format == 110 else b""
        assert written == {
            "/0/0/0": SERVER, "/0/0/1": False, "/0/0/2": 3, "/0/0/3": empty, "/0/0/4": empty, "/0/0/5": empty,
            "/0/0/10": 101, "/0/2/0": "coap://192.0.2.2", "/0/2/1": False, "/0/2/2": 3, "/0/2/3": empty,
            "/0/2/4": empty, "/0/2/5": empty, "/0/2/10": 102,
            "/1/0/0": 101, "/1/0/1": 300, "/1/0/6": True, "/1/0/7": "U", "/1/0/23": False,
            "/1/1/0": 102, "/1/1/1": 60, "/1/1/6": True, "/1/1/7": "UT",
            "/2/0/0": 3303, "/2/0/1": 0, "/2/0/2/102": 1, "/2/0/3": 101,
        }  # fmt: skip

    scene(run)


def test_what_a_configuration_can_say():
    """What to delete, no Discover, a format, keys; the secret is in no line and in no repr."""

    async def run():
        account = Account(
            "coaps://192.0.2.1", psk_identity="me", psk_key=b"\xc0\xff\xee", server={2: 5}, security={11: 3}
        )
        configurations = handing_out(account, delete=("/",), discover=False, content_format=payload.SENML_JSON)
        async with bootstrap(configurations) as (server, device, lines):
            device.answers[DELETE, "/"] = DELETED, None, b""
            await device.ask("ep=board-1&pct=11542")
            await server.wait_finished("board-1")
            assert [step[:2] for step in device.steps] == [(DELETE, "/"), (PUT, "/0"), (PUT, "/1"), FINISHED[:2]]
            written = {each["n"]: each for each in json.loads(device.steps[1][3])}
            assert (written["/0/1/2"]["v"], written["/0/1/3"]["vd"], written["/0/1/5"]["vd"]) == (0, "bWU", "wP_u")
            assert written["/0/1/11"]["v"] == 3
            assert {"n": "/1/0/2", "v": 5} in json.loads(device.steps[2][3])
        assert "c0" not in str(lines).lower() and "ffee" not in repr(account) and "wP_u" not in str(lines)

    scene(run)


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (error.MethodNotAllowed(), "/ -> 4.05 Method Not Allowed"),
        ((CONTENT, 42, b"</0/1>"), "/ -> 2.05 Content  opaque, 6 bytes"),
        ((CONTENT, 40, b"<"), "/ -> 2.05 Content, but the link list is not link-format (RFC 6690)"),
        ((CONTENT, 40, b"<0/1>,<//>,</0/x>,</0>,</0/0>"), "/ -> 2.05 Content  <0/1>,<//>,</0/x>,</0>,</0/0>"),
    ],
)
def test_a_device_without_a_good_discover(answer, line):
    """LwM2M 1.0 need not have it: the bootstrap goes on as if the bootstrap account were instance 0."""

    async def run():
        async with bootstrap(handing_out()) as (server, device, lines):
            device.answers[GET, "/"] = answer
            await device.ask()
            assert (await server.wait_finished("board-1")).state == "finished"
            assert device.steps[3] == (PUT, "/0", 11542, SECURITY_TLV)
        assert lines[1] == f"bs-discover board-1 {line}"

    scene(run)


@pytest.mark.parametrize(
    ("refused", "sentence"),
    [
        ((PUT, "/1"), "bs-write board-1 /1 -> 4.00 Bad Request (no)"),
        ((DELETE, "/0"), "bs-delete board-1 /0 -> 4.00 Bad Request (no)"),
        ((POST, "/bs"), "bs-finish board-1 / -> 4.00 Bad Request (no)"),
    ],
)
def test_a_device_that_refuses(refused, sentence):
    """The sequence ends there, and says so; the device may ask again."""

    async def run():
        async with bootstrap(handing_out()) as (server, device, lines):
            device.answers[refused] = error.BadRequest("no")
            await device.ask()
            assert (await server.wait_finished("board-1")).state == "failed"
            assert device.steps[-1][:2] == refused
            assert lines[-1] == f"finished    board-1  the bootstrap failed: {sentence}"
            device.answers[refused] = CHANGED, None, b""
            with server.subscribe() as events:
                await device.ask()
                assert (await events.wait("finished")).registration.state == "finished"

    scene(run)


def test_asking_again_starts_anew():
    """The sequence of before ends in the middle."""

    async def run():
        async with bootstrap(handing_out()) as (server, device, _):
            answer, device.render = device.render, lambda request: asyncio.sleep(60)
            await device.ask()
            first = server.session("board-1")
            await asyncio.sleep(0.05)
            device.render = answer
            await device.ask()
            second = await server.wait_finished("board-1")
            assert first is not second and first.task.cancelled() and second.state == "finished"

    scene(run)


def test_refused_requests():
    """Parameters, formats, endpoints without configuration, other methods and paths."""

    async def run():
        configurations = Configurations(endpoints={"board-1": Configuration((Account(SERVER),))})
        async with bootstrap(configurations) as (server, device, _):
            for query, code in (
                ("pct=112", "4.00"),
                ("ep=", "4.00"),
                ("ep=board-1&ep=board-1", "4.00"),
                ("ep=board-1&pct=x", "4.00"),
                ("ep=board-1&pct=0", "4.15"),
                ("ep=board-1&pct=11544", "4.15"),
                ("ep=board-2", "4.00"),
            ):
                assert (await device.ask(query)).code.dotted == code, query
            assert (await device.ask(code=GET)).code.dotted == "4.05"
            assert (await device.ask(code=GET, path="/bspack")).code.dotted == "4.04"
            assert (await device.ask(path="/rd")).code.dotted == "4.04"
            assert server.sessions == {} and device.requests == []

    scene(run)
