"""The message layer (RFC 7252) of a real board: what a server sends byte by byte, and what strangers send."""

import asyncio
import random

from aiocoap import CHANGED, CREATED, GET, POST, Context, Message, Unreliable, resource

from host_tests.interop.board import running, scripted
from host_tests.interop.network import ScriptedServer, Socket, free_port
from packet import build


async def test_a_duplicate_is_answered_alike_and_not_done_again():
    """The same Execute three times: one ACK thrice, the counter counts once; so do all that come in between."""
    async with scripted() as (server, _):
        server.ask("POST", "/32770/0/4")
        first, execute = await server.reply(), server.last
        for _ in range(2):
            server.to_device(execute)
            assert (await server.reply()).raw == first.raw
        server.ask("GET", "/32770/0/3", token=b"two")
        assert (await server.reply()).payload == b"1"
        server.to_device(execute)
        assert (await server.reply()).raw == first.raw
        server.ask("GET", "/32770/0/3")
        answer = await server.reply()
        assert (answer.type, answer.code, answer.payload) == ("ACK", "2.05", b"1")


async def test_a_slow_answer_comes_separately():
    """Empty ACK at once; 0.3 s later a CON with the same token, repeated until we acknowledge; a repeated request is
    acknowledged again and not done again."""
    async with scripted() as (server, _):
        server.ask("POST", "/32770/0/9", token=b"slow")
        acknowledgement = await server.reply()
        assert (acknowledgement.type, acknowledgement.code, acknowledgement.token) == ("ACK", "", b"")
        server.to_device(server.last)
        assert (await server.reply()).raw == acknowledgement.raw
        response = await server.reply()
        assert (response.type, response.code, response.token) == ("CON", "2.04", b"slow")
        assert (await server.reply()).raw == response.raw  # we did not acknowledge
        server.to_device(build("ACK", "", response.mid))
        server.ask("GET", "/32770/0/3")
        assert (await server.reply()).payload == b"1"


async def test_non_ping_and_reset():
    """A NON request gets a NON answer with a Message ID of the board's own; a ping gets a Reset; ours is no problem."""
    async with scripted() as (server, board):
        server.ask("GET", "/3/0/9", type="NON", token=b"n")
        answer = await server.reply()
        assert (answer.type, answer.code, answer.token, answer.payload) == ("NON", "2.05", b"n", b"77")

        server.to_device(build("CON", "", 0x7777))
        answer = await server.reply()
        assert (answer.type, answer.code, answer.mid) == ("RST", "", 0x7777)

        server.to_device(build("RST", "", 0x7778))
        server.to_device(build("ACK", "", 0x7779))
        server.to_device(build("ACK", "2.05", 0x777A, b"what", [], b"?"))
        server.to_device(build("NON", "2.05", 0x777B, b"what", [], b"?"))
        server.to_device(build("CON", "2.05", 0x777C, b"what", [], b"?"))
        answer = await server.reply()
        assert (answer.type, answer.mid) == ("RST", 0x777C)  # only the CON response to no request of its own
        assert board.runs


async def test_options_that_are_not_known():
    """Critical ones in a CON are 4.02, in a NON silence; elective ones are passed over."""
    async with scripted() as (server, _):
        server.ask("GET", "/3/0/9", options=[(2049, b"x")])
        assert (await server.reply()).code == "4.02"
        server.ask("GET", "/3/0/9", type="NON", options=[(2049, b"x")])
        server.ask("GET", "/3/0/9", options=[(2048, b"x" * 300), (7, 5683), (3, "lab.example")])
        assert (await server.reply()).payload == b"77"
        assert server.silent


async def test_a_notification_is_acknowledged_or_reset():
    """CON notifications are repeated until the ACK; a Reset ends the observation."""
    async with scripted(CON_EVERY=1) as (server, board):
        server.ask("GET", "/32770/0/3", observe=0, token=b"watch")
        assert (await server.reply()).observe == 0
        server.ask("POST", "/32770/0/4", token=b"x")
        replies = [await server.reply() for _ in range(3)]
        notification = next(packet for packet in replies if packet.token == b"watch")
        assert (notification.type, notification.payload) == ("CON", b"1")
        assert [packet.raw for packet in replies].count(notification.raw) == 2
        server.to_device(build("RST", "", notification.mid))
        await board.printed("cancelled an observation by reset")


async def test_garbage_from_the_server():
    """Bytes that are no CoAP: a Reset to what looks like a CON, else silence; an empty datagram; the board lives on."""
    garbage = random.Random(7)
    async with scripted(options=("--log", "debug")) as (server, board):
        server.to_device(b"")
        for datagram in [b"\x40", b"\x40\x01\x12", b"\x00\x01\x12\x34", b"\xff" * 20, b"\x50\x01\x12\x34\xff"]:
            server.to_device(datagram)
        server.to_device(b"\x49\x01\x12\x34" + b"t" * 9)
        server.to_device(b"\x40\x01\x12\x35\xff")
        assert [(await server.reply()).raw.hex() for _ in range(2)] == ["70001234", "70001235"]
        for _ in range(200):
            server.to_device(garbage.randbytes(garbage.randrange(1, 60)))
        server.ask("GET", "/3/0/9", token=b"alive")
        while (await server.reply()).token != b"alive":
            pass
        assert board.count("not CoAP") >= 7


async def test_strangers_get_silence():
    """Whoever is not the server: no answer to well-formed requests, pings and garbage, and no harm."""
    port = free_port()
    async with scripted(options=("--local-port", str(port))) as (server, _), Socket.open() as stranger:
        assert server.device[1] == port
        ping, read = build("CON", "", 1), build("CON", "GET", 2, b"t", [(11, "3"), (11, "0")])
        for datagram in (ping, read, b"", b"\xff" * 40, server.requests[0].raw):
            stranger.send(datagram, ("127.0.0.1", port))
        server.ask("GET", "/3/0/9")
        assert (await server.reply()).payload == b"77"
        assert stranger.arrived.empty()


async def test_before_registration_the_server_is_a_stranger_too():
    """Requests that come before the 2.01 stay without an answer."""
    async with ScriptedServer.open() as server:
        server.answer = lambda packet: None
        async with running(server.uri, program="workshop.py") as board:
            await server.asked("POST /rd")
            server.ask("GET", "/3/0/9")
            server.to_device(build("CON", "", 0x7777))  # the answer to a ping fences what came before it
            assert (await server.reply()).mid == 0x7777
            assert server.silent
            server.answer = server.accept
            await board.printed("-> REGISTERED")


class SlowRegistry(resource.Resource):
    """Answers after aiocoap's EMPTY_ACK_DELAY, so that the response is a separate one."""

    def __init__(self):
        super().__init__()
        self.requests = []

    async def render(self, request):
        await asyncio.sleep(0.3)
        self.requests.append(request)
        if request.code == POST and request.opt.uri_path == ("rd",):
            return Message(code=CREATED, location_path=("rd", "a b", "ü"))
        return Message(code=CHANGED)


async def test_aiocoap_as_a_slow_server():
    """Empty ACK, then the 2.01 in a CON of its own; its odd Location-Path comes back as it was; a NON read."""
    registry, port = SlowRegistry(), free_port()
    context = await Context.create_server_context(registry, bind=("127.0.0.1", port), transports=["udp6"])
    try:
        async with running(f"coap://127.0.0.1:{port}", program="workshop.py") as board:
            await board.printed("-> REGISTERED")
            message = Message(code=GET, transport_tuning=Unreliable)
            message.remote = registry.requests[0].remote
            message.opt.uri_path = ("3", "0", "9")
            async with asyncio.timeout(5):
                assert (await context.request(message).response).payload == b"77"
            message = Message(code=POST, uri_path=("32770", "0", "9"))
            message.remote = registry.requests[0].remote
            async with asyncio.timeout(5):
                assert (await context.request(message).response).code == CHANGED
        assert [request.opt.uri_path for request in registry.requests] == [("rd",), ("rd", "a b", "ü")]
        assert board.count("-> STOPPED") == 1
    finally:
        await context.shutdown()


async def test_an_update_that_is_refused_becomes_a_register():
    """The server does not know the location any more, or does not like it: Register, and all goes on."""
    async with scripted() as (server, board):
        for times, code in enumerate(("4.04", "4.00"), 2):
            server.answer = lambda packet, code=code: code if packet.path == "/rd/1" else server.accept(packet)
            server.ask("POST", "/1/0/8")
            assert (await server.reply()).code == "2.04"
            await board.printed("-> REGISTERED", times)
            server.ask("GET", "/3/0/9")
            assert (await server.reply()).payload == b"77"
        server.answer = server.accept
