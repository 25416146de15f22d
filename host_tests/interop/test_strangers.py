"""Datagrams to a board from anywhere but its server, before, during and after its registration: not a byte comes back,
and nothing happens."""

import asyncio
import contextlib

from host_tests.interop.board import running
from host_tests.interop.network import ScriptedServer, Socket, free_port
from packet import build

READ = [(11, "3"), (11, "0")]
WRITE = [(11, "1"), (11, "0"), (11, "1"), (12, 0)]


def words(server):
    """One datagram of each kind, with the token and Message ID of what the board has just asked its server."""
    asked = server.requests[-1]
    yield build("CON", "", 1)
    yield build("RST", "", asked.mid)
    yield build("ACK", "", asked.mid)
    yield build("ACK", "2.01", asked.mid, asked.token, [(8, "rd"), (8, "evil")])
    yield build("CON", "2.01", 2, asked.token, [(8, "rd"), (8, "evil")])
    yield build("ACK", "4.03", asked.mid, asked.token)
    for type in ("CON", "NON"):
        yield build(type, "GET", 3, b"t", READ)
        yield build(type, "GET", 4, b"t", [(6, b""), *READ])
        yield build(type, "PUT", 5, b"t", WRITE, b"1")
        yield build(type, "DELETE", 6, b"t", [(11, "0")])
        yield build(type, "FETCH", 7, b"t", [(12, 110)], b'[{"n":"/"}]')
        yield build(type, "POST", 8, b"t", [(11, "3"), (11, "0"), (11, "4")])
        yield build(type, "POST", 9, b"t", [(11, "bs")])
    yield build("CON", "GET", 10, b"t", READ)[:7]  # cut
    yield b"\x49\x01\x00\x0b"  # a token that is too long
    yield b"\x16\xfe\xfd" + bytes(60)  # DTLS
    yield b""


@contextlib.asynccontextmanager
async def strangers():
    """A socket on the address of the server, and one on another address of this machine."""
    async with Socket.open() as near, Socket.open(host="127.0.0.2") as far:
        yield near, far


async def speak(others, server, board_port):
    """Let all of them say everything; a moment later none has heard anything."""
    for other in others:
        for datagram in words(server):
            other.send(datagram, ("127.0.0.1", board_port))
    await asyncio.sleep(0.3)
    assert all(other.arrived.empty() for other in others)


async def test_strangers_hear_nothing(interpreter):
    """While it registers, once it has, and when the server is silent; and the server is its server all the time"""
    port = free_port()
    options = ("--local-port", str(port), "--interpreter", interpreter)
    async with ScriptedServer.open() as server, strangers() as others:
        server.answer = lambda packet: None
        async with running(server.uri, options=options, MAX_RETRANSMIT=6) as board:
            await server.asked("POST /rd")
            await speak(others, server, port)
            assert board.count("REGISTERING ->") == 0

            server.answer = server.accept
            await board.printed("-> REGISTERED")
            await speak(others, server, port)
            server.ask("GET", "/1/0/1")
            assert (await server.reply()).payload == b"86400"
            server.ask("GET", "/3/0", token=b"o", observe=0)
            assert (await server.reply()).code == "2.05"
            await speak(others, server, port)

            server.answer = lambda packet: None
            server.ask("POST", "/1/0/8")
            assert (await server.reply()).code == "2.04"
            await server.asked("POST /rd/1")
            await speak(others, server, port)
            assert board.count("server 1: (PUT|DELETE|FETCH|POST /(3|bs|0))") == 0
            server.answer = server.accept
    assert server.paths()[-1] == "DELETE /rd/1"


async def test_strangers_at_a_dtls_port(interpreter):
    """The same where the board tries a handshake with somebody who never answers"""
    port = free_port()
    options = ("--local-port", str(port), "--interpreter", interpreter, "--psk-identity", "me", "--psk-key", "0badc0de")
    async with ScriptedServer.open() as server, strangers() as others:
        hellos = []
        server.heard = lambda data, _: hellos.append(data)
        server.requests.append(PRETENDED)
        async with running(server.uri.replace("coap:", "coaps:"), options=options) as board:
            async with asyncio.timeout(10):
                while not hellos:
                    await asyncio.sleep(0.01)
            await speak(others, server, port)
            assert board.runs and all(hello[0] == 22 for hello in hellos)


class PRETENDED:
    """What no DTLS client says in the clear."""

    mid, token = 1, b"t"
