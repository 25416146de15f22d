"""What the lab server and its bootstrap server do with the words of strangers: bounded answers, bounded memory, and
nothing that acts on the terminal in which the log runs."""

import asyncio
import contextlib

import pytest
from aiocoap import GET, Context, Message

from host_tests.interop.network import Socket
from packet import Packet, build
from tools.lab import Account, Configuration, Configurations, LabBootstrapServer, LabServer, blocks, linelog, replies
from tools.lab.bootstrap_config import load
from tools.lab.errors import UsageError

KEY = bytes.fromhex("9f3c7b1de85a46022ab4d9617c0f58e3")
HANDED_OUT = Configurations(Configuration((Account("coap://192.0.2.1:5683", security={3: b"board-1", 5: KEY}),)))
REGISTER = ["ep=board-1", "lwm2m=1.1"]


class Stranger(Socket):
    """A socket that asks; nobody knows whether its address is its own."""

    def __init__(self, asks):
        super().__init__()
        self.server = ("127.0.0.1", asks.port)
        self.mid = 0

    async def says(self, type, code, path="", queries=(), payload=b"", options=(), wait_s=0.05):
        """(bytes of a message, bytes of all that comes back until nothing has come for `wait_s`, the Packets)."""
        self.mid += 1
        found = [(11, part) for part in path.split("/") if part] + [(15, query) for query in queries] + list(options)
        datagram = build(type, code, self.mid, b"t" if code else b"", found, payload)
        self.send(datagram, self.server)
        packets = []
        with contextlib.suppress(TimeoutError):
            while True:
                packets.append(Packet(await self.receive(wait_s)))
        return len(datagram), sum(len(packet.raw) for packet in packets), packets


@contextlib.asynccontextmanager
async def lab_server():
    async with LabServer(port=0) as server, Stranger.open(asks=server) as stranger:
        yield server, stranger


@contextlib.asynccontextmanager
async def bootstrap_server(**options):
    serving = LabBootstrapServer(port=0, configurations=HANDED_OUT, pack=True, **options)
    async with serving as server, Stranger.open(asks=server) as stranger:
        yield server, stranger


def scene(coroutine):
    asyncio.run(coroutine())


MESSAGES = [
    ("CON", ""),
    ("RST", ""),
    ("CON", "GET"),
    ("NON", "GET", "rd"),
    ("CON", "GET", ".well-known/core"),
    ("CON", "GET", "rd", (), b"", [(6, 0)]),
    ("CON", "POST", "rd"),
    ("CON", "POST", "rd", ["ep=x"]),
    ("CON", "POST", "rd", ["ep=x", "lwm2m=9.9"]),
    ("CON", "POST", "rd", [*REGISTER, "b=?"]),
    ("CON", "POST", "rd", REGISTER, b"</1/0>,<"),
    ("CON", "POST", "rd", REGISTER, b"</1/0>"),
    ("CON", "POST", "rd/000000"),
    ("CON", "DELETE", "rd/000000"),
    ("CON", "POST", "dp", (), b"\x80", [(12, 112)]),
    ("CON", "FETCH", "", (), b"\x80", [(12, 112)]),
    ("CON", "POST", "bs", ["ep=board-1"]),
    ("NON", "POST", "bs", ["ep=board-1"]),
    ("CON", "POST", "bs", ["pct=7"]),
    ("CON", "GET", "bspack", ["ep=board-1"]),
    ("CON", "GET", "bspack", ["ep=board-1"], b"", [(23, 6)]),
    ("CON", "GET", "bspack", ["ep=board-1"], b"", [(23, 0x16)]),
    ("CON", "2.05", "", (), b"x"),
    ("CON", "4.04"),
    ("CON", "GET", "", (), b"", [(35, "coap://192.0.2.7/x")]),
]


@pytest.mark.parametrize("server", [lab_server, bootstrap_server])
def test_no_big_answers(server):
    """At most 80 bytes come back at once, whatever a datagram says: its true sender may mean to hit another."""

    async def run():
        async with server() as (_, stranger):
            for message in MESSAGES:
                _, out, packets = await stranger.says(*message)
                assert out <= 80, (message, packets)

    scene(run)


def test_a_bootstrap_that_nobody_wanted():
    """Somebody else's address under a Bootstrap-Request: one short question, which CoAP repeats, and no more."""

    async def run():
        async with bootstrap_server(timeout_s=4) as (server, stranger):
            asked, answered, packets = await stranger.says("CON", "POST", "bs", ["ep=board-1"], wait_s=5)
            assert (await server.wait_finished("board-1")).state == "failed"
            questions = {packet.mid for packet in packets[1:]}
            assert (len(questions), packets[1].code, packets[1].path) == (1, "GET", "/")
            assert answered <= 4 * asked
            assert not any(KEY in packet.raw for packet in packets)

    scene(run)


def test_a_pack_comes_in_small_blocks():
    """Over coap; whole all the same, and only for who asks block by block."""

    async def run():
        async with bootstrap_server() as (server, stranger):
            asked, answered, (packet,) = await stranger.says("CON", "GET", "bspack", ["ep=board-1"])
            assert (packet.code, packet.block2, len(packet.payload)) == ("2.05", (0, True, 2), 64)
            assert answered < 5 * asked
            _, _, (packet,) = await stranger.says("CON", "GET", "bspack", ["ep=board-1"], b"", [(23, 0x16)])
            assert packet.code == "4.00"
            context = await Context.create_client_context(transports=["udp6"])
            pack = await context.request(Message(code=GET, uri=f"{server.uri}/bspack?ep=board-1")).response
            await context.shutdown()
            assert KEY in pack.payload

    scene(run)


def test_endless_bodies(monkeypatch):
    """4.13 for what is too long; 5.03 once too many have been begun."""
    monkeypatch.setattr(blocks, "_MAX_TRANSFERS", 3)

    monkeypatch.setattr(blocks, "MAX_BODY", 4096)

    async def run():
        async with lab_server() as (server, stranger):

            async def block(number, szx=6, ep="board-1"):
                options = [(27, number << 4 | 8 | szx)]
                _, _, (reply,) = await stranger.says("CON", "POST", "rd", ["ep=" + ep], bytes(16 << szx), options)
                return reply.code

            assert [await block(number) for number in range(5)] == ["2.31"] * 4 + ["4.13"]
            assert [await block(0, ep=ep) for ep in "abc"] == ["2.31", "2.31", "5.03"]
            assert not server.registrations

    scene(run)


@pytest.mark.parametrize(
    ("queries", "payload"),
    [
        (["ep=\x1b[2Jx", "lwm2m=1.1"], b"</1/0>"),
        ([*REGISTER, "sms=\x1b]0;x\x07"], b"</1/0>"),
        (REGISTER, b'</1/0>;x="\x1b[2J"'),
        (REGISTER, b'</>;rt="oma.lwm2m";\x1b[2J,</1/0>'),
        (REGISTER, '</1/0>;x="\x9b2J"'.encode()),
    ],
)
def test_control_characters_are_refused(queries, payload):
    """In a Register they would reach the terminal of whoever looks at the list."""

    async def run():
        async with lab_server() as (server, stranger):
            _, _, (reply,) = await stranger.says("CON", "POST", "rd", queries, payload)
            assert (reply.code, len(server.registrations)) == ("4.00", 0)

    scene(run)


def test_control_characters_in_an_update_and_in_answers():
    """Neither the log nor the command line shows one."""
    lines = []

    async def run():
        async with lab_server() as (server, stranger):
            server.add_listener(lambda event: lines.append(linelog.line(event)))
            await stranger.says("CON", "POST", "rd", REGISTER, b"</1/0>")
            (number,) = (registration.id for registration in server.registrations)
            for queries, payload in ((["sms=\x1b[2J"], b""), ([], b'</1/0>;x="\x1b"')):
                _, _, (reply,) = await stranger.says("CON", "POST", f"rd/{number}", queries, payload)
                assert reply.code == "4.00"
            creating = asyncio.create_task(server.create("board-1", "/3303", {}, timeout_s=5))
            question = Packet(await stranger.receive())
            location = [(8, "\x1b[2J"), (8, "7")]
            stranger.send(build("ACK", "2.01", question.mid, question.token, location), stranger.server)
            lines.extend(replies.of_result(server, await creating)["lines"])

    scene(run)
    assert any("/?[2J/7" in line for line in lines)
    assert all(line.isprintable() for line in lines)


def test_keys_are_in_no_line():
    """The log of a bootstrap that hands out keys, in every format, whether the device takes them or not."""
    from host_tests.cpython.test_lab_bootstrap import bootstrap

    lines = []

    async def run():
        for content_format in (None, 110, 112, 11542):
            for accepts in (True, False):
                handed_out = Configurations(Configuration(HANDED_OUT.default.servers, content_format=content_format))
                async with bootstrap(handed_out) as (server, device, log):
                    if not accepts:
                        del device.answers[next(step for step in device.answers if step[1] == "/0")]
                    await device.ask()
                    await server.wait_finished("board-1")
                    assert KEY in b"".join(step[3] for step in device.steps) or not accepts or content_format == 110
                    lines.extend(log)
                    lines.extend(map(repr, (server.session(), handed_out, server)))

    scene(run)
    assert len(lines) > 40
    for form in (KEY, KEY.hex(), KEY.hex(" ")):
        assert not any(str(form) in line for line in lines)


@pytest.mark.parametrize(
    "account",
    [
        '"psk_key": 314159265358979',
        '"psk_key": ["314159265358979"]',
        '"psk_key": "314159265358979 no hex"',
        '"security": {"5": 314159265358979}',
        '"security": {"5": "314159265358979 no hex"}',
        '"security": {"5": {"0": {"1": "314159265358979"}}}',
        '"security": {"99": "\\u001b314159265358979"}, "ssid": 0',
    ],
)
def test_mistakes_do_not_tell_the_key(tmp_path, account):
    """The sentence about a configuration names the place, not the value."""
    file = tmp_path / "config.json"
    file.write_text('{"default": {"servers": [{"uri": "coap://host", %s}]}}' % account)
    with pytest.raises(UsageError) as raised:
        load(file)
    assert "314159265358979" not in str(raised.value)
    assert "servers" in str(raised.value)
