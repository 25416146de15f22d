"""OSCORE (RFC 8613) between real boards and aiocoap's: registration, management, restarts, replays, bootstrap."""

import asyncio
import os
import signal
from pathlib import Path

import aiocoap
import pytest
from aiocoap import oscore

from configurations_bootstrap import resources, tlv
from configurations_bootstrap import server as server_tlv
from host_tests.interop.board import ENDPOINT, PROGRAMS, QUICK, Board, running, start, until
from host_tests.interop.network import Proxy
from host_tests.interop.oscore import (
    DEVICE,
    SECRET,
    SERVER,
    OscoreServer,
    context_in,
    options,
    read_in_blocks,
    write_in_blocks,
)
from packet import Packet

COUNT = "/32770/0/3"
ADD = "/32770/0/4"
PICTURE = "/32772/0/1"
PACKAGE = "/32770/0/6"


def numbers(passed: list[tuple[bool, bytes]]) -> list[tuple[bytes, bytes]]:
    """(Partial IV, ciphertext) of all that a board has sent under a number of its own and the key that both were given;
    a kid context would tell of another one, of which the board may ask after a replay whether the server has it."""
    found = []
    for from_device, datagram in passed:
        value = Packet(datagram).get(9) if from_device else None
        if value and value[0] & 7 and not value[0] & 16:
            found.append((value[1 : 1 + (value[0] & 7)], Packet(datagram).payload))
    return found


async def test_int_405_oscore(tmp_path, interpreter):
    """Register, Read, Write, Execute, a separate response, errors, Update, De-register; and nothing else is on the
    wire than POST, 2.04 and the OSCORE option."""
    words = options(salt="9e7ca92223786340", **{"id-context": "37cbf3210017a2d3"})
    security = context_in(tmp_path / "keys", salt_hex="9e7ca92223786340", **{"id-context_hex": "37cbf3210017a2d3"})
    async with OscoreServer.open(security) as server, Proxy.before(server.port) as proxy:
        options_ = (*words, "--interpreter", interpreter, "--lifetime", "300")
        async with running(proxy.uri, program="workshop.py", options=options_):
            register = await server.asked("rd")
            assert register.code == aiocoap.POST and "lt=300" in register.opt.uri_query
            assert b"</32770/0>" in register.payload and b"</21" not in register.payload

            assert (await server.ask(aiocoap.GET, "/3/0/9", accept=0)).payload == b"77"
            assert (await server.ask(aiocoap.PUT, "/32770/0/0", b"bench", content_format=0)).code == aiocoap.CHANGED
            assert (await server.ask(aiocoap.GET, "/32770/0/0", accept=0)).payload == b"bench"
            assert (await server.ask(aiocoap.POST, ADD)).code == aiocoap.CHANGED
            assert (await server.ask(aiocoap.POST, "/32770/0/9")).code == aiocoap.CHANGED
            assert (await server.ask(aiocoap.GET, COUNT, accept=0)).payload == b"2"
            assert (await server.ask(aiocoap.GET, "/32770/0/99")).code == aiocoap.NOT_FOUND
            for closed in ("/21", "/21/0", "/21/0/0", "/0/0"):
                assert (await server.ask(aiocoap.GET, closed)).code == aiocoap.UNAUTHORIZED
            assert (await server.ask(aiocoap.POST, "/1/0/8")).code == aiocoap.CHANGED
            await server.asked("rd/1")
        await server.asked("rd/1", 2)
        assert server.heard[-1].code == aiocoap.DELETE
        packets = [Packet(datagram) for _, datagram in proxy.passed]
        assert {packet.code for packet in packets} <= {"POST", "2.04", ""}
        assert {number for packet in packets for number, _ in packet.options} == {9}
        assert not server.refused


async def test_observe(tmp_path):
    """Notifications, some of them confirmable, each under its own number; outer Observe and code as in the RFC."""
    async with (
        OscoreServer.open(context_in(tmp_path / "keys")) as server,
        Proxy.before(server.port) as proxy,
        running(proxy.uri, program="workshop.py", options=options(), CON_EVERY=3),
    ):
        await server.asked("rd")
        async with server.observe(COUNT, accept=0) as told:
            assert (await asyncio.wait_for(told.get(), 5)).payload == b"0"
            for count in range(1, 8):
                await server.ask(aiocoap.POST, ADD)
                assert (await asyncio.wait_for(told.get(), 5)).payload == b"%d" % count
        sent = [Packet(datagram) for from_device, datagram in proxy.passed if from_device]
        notifications = [one for one in sent if one.get(6) is not None and one.type != "ACK"]
        assert {one.type for one in notifications} == {"CON", "NON"}
        assert {one.code for one in notifications} == {"2.05"}
        assert len({one.get(9) for one in notifications}) == len({one.payload for one in notifications}) == 7


async def test_blocks_inside(tmp_path):
    """4000 bytes each way, by inner Block options."""
    async with (
        OscoreServer.open(context_in(tmp_path / "keys")) as server,
        running(server.uri, program="workshop.py", options=options()),
    ):
        await server.asked("rd")
        body = b"0123456789abcdef" * 250
        assert await read_in_blocks(server, PICTURE, 5) == body
        codes = await write_in_blocks(server, PACKAGE, body, 4)
        assert codes == [aiocoap.CONTINUE] * 15 + [aiocoap.CHANGED]
        assert (await server.ask(aiocoap.GET, "/32770/0/7", accept=0)).payload == b"4000"


async def test_a_server_that_does_not_know_its_window(tmp_path):
    """aiocoap after a crash: its 4.01 with an Echo is answered at once, and the board registers."""
    security = context_in(tmp_path / "keys", {"next-to-send": 1000, "received": "unknown"})
    async with OscoreServer.open(security) as server, running(server.uri, options=options()) as board:
        await server.asked("rd")
        assert [type(error) for error in server.refused] == [oscore.ReplayErrorWithEcho]
        assert (await server.ask(aiocoap.GET, "/1/0/1", accept=0)).payload == b"86400"
        assert board.count("-> WAITING") == 0


async def test_wrong_keys_are_told(tmp_path):
    """Another secret: the server cannot open it, says so, and the board waits."""
    async with (
        OscoreServer.open(context_in(tmp_path / "keys")) as server,
        running(server.uri, options=options(secret="00" * 16)) as board,
    ):
        await board.printed("REGISTERING -> WAITING")
        assert board.count("warning server 1: 4.00") == 1
        assert not server.heard


async def test_mistakes_are_one_sentence(tmp_path):
    """Exit status 2, by the tool or by the board's own look at config.json."""
    cases = [
        (options(secret="xy"), "config.json: oscore: secret must be hex digits, two for each byte"),
        (options(**{"sender-id": "01" * 8}), "config.json: oscore: sender_id must have at most 7 bytes"),
        (("--oscore-secret", SECRET), "config.json: oscore: sender_id is missing"),
        ((*options(), "--server", "coap://127.0.0.1:2"), "--oscore-... are the keys of one --server"),
    ]
    for words, sentence in cases:
        board = await start(tmp_path, "--server", "coap://127.0.0.1:1", *words)
        assert await board.ended() == 2
        assert board.lines[-1].endswith(sentence), board.lines
        assert not board.count("Traceback")


# -- restarts ---------------------------------------------------------------------------------------------------------


async def booted(state_dir: Path, uri: str) -> Board:
    words = ["--endpoint", ENDPOINT, "--server", uri, "--program", str(PROGRAMS / "workshop.py"), *options()]
    for name, value in QUICK.items():
        words += ["--set", f"{name}={value}"]
    return await start(state_dir, *words)


async def killed(board: Board) -> None:
    """kill -9 the interpreter, which is all that a power cut leaves it."""
    supervisor = board._process.pid
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children")
    for child in children.read_text().split():
        os.kill(int(child), signal.SIGKILL)
    assert await board.ended() == 1


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc to find the interpreter")
async def test_killed_and_started_again(tmp_path):
    """Three lives: no number comes twice, old datagrams are refused, and the first request of each life after the
    first is answered by an Echo, which aiocoap sends back by hand as its own client would."""
    async with (
        OscoreServer.open(context_in(tmp_path / "keys")) as server,
        Proxy.before(server.port) as proxy,
    ):
        old = b""
        for life in range(3):
            board = await booted(tmp_path / "board", proxy.uri)
            try:
                await server.asked("rd", life + 1)
                if life:
                    answer = await server.ask(aiocoap.POST, ADD)
                    assert answer.code == aiocoap.UNAUTHORIZED and len(answer.opt.echo) == 8
                    before = len(proxy.passed)
                    proxy._pass(False, old)  # it has a Message ID of its own, so only OSCORE can tell
                    await until(lambda before=before: len(proxy.passed) >= before + 2)
                    assert (await server.ask(aiocoap.POST, ADD, echo=answer.opt.echo)).code == aiocoap.CHANGED
                    before = len(proxy.passed)
                    proxy._pass(False, old[:2] + bytes([old[2] ^ 1]) + old[3:])
                    await until(lambda before=before: len(proxy.passed) >= before + 2)
                    refusal = Packet(proxy.passed[-1][1])
                    assert (refusal.code, refusal.payload) == ("4.01", b"Replay detected")
                else:
                    assert (await server.ask(aiocoap.POST, ADD)).code == aiocoap.CHANGED
                    old = [datagram for from_device, datagram in proxy.passed if not from_device][-1]
                assert (await server.ask(aiocoap.GET, COUNT, accept=0)).payload == b"1"
                async with server.observe("/3/0/13") as told:
                    await asyncio.wait_for(told.get(), 5)
                await killed(board)
            finally:
                print(*board.lines, sep="\n")
                if board.runs:
                    await board.stop(signal.SIGKILL)
        used = dict(numbers(proxy.passed))
        assert len(used) >= 3
        assert dict(reversed(numbers(proxy.passed))) == used  # a repeat is the same bytes
        assert not [error for error in server.refused if isinstance(error, oscore.ReplayError)]


# -- bootstrap --------------------------------------------------------------------------------------------------------


async def test_int_011_oscore_bootstrap(tmp_path, interpreter):
    """OSCORE bootstrap: PUT /0, /21, /1, Discover and Finish under one key, registration under the one it brought."""
    keys = {"secret": "aa" * 16, "sender-id": "0a", "recipient-id": "0b"}
    security = context_in(tmp_path / "bs", **{"secret_hex": "aa" * 16, "sender-id_hex": "0b", "recipient-id_hex": "0a"})
    async with (
        OscoreServer.open(security) as bs,
        OscoreServer.open(context_in(tmp_path / "keys")) as server,
        running(
            bs.uri,
            program="workshop.py",
            options=("--interpreter", interpreter, "--bootstrap", "--lwm2m-version", "1.2", *options(**keys)),
        ),
    ):
        bs.answer = lambda request: (
            aiocoap.Message(code=aiocoap.NOT_FOUND)
            if request.opt.uri_path == ("bspack",)
            else aiocoap.Message(code=aiocoap.CHANGED)
        )
        await bs.asked("bs")
        account = {0: server.uri.encode(), 1: b"\0", 2: b"\3", 10: b"\x65", 17: b"\0\x15\0\1"}
        account = tlv(0, 0, resources(account))
        assert (await bs.ask(aiocoap.PUT, "/0", account, content_format=11542)).code == aiocoap.CHANGED
        given = {0: bytes.fromhex(SECRET), 1: bytes.fromhex(DEVICE), 2: bytes.fromhex(SERVER), 3: b"\x0a", 4: b"\xf6"}
        given = tlv(0, 1, resources(given))
        assert (await bs.ask(aiocoap.PUT, "/21", given, content_format=11542)).code == aiocoap.CHANGED
        body = server_tlv(0, 101)
        assert (await bs.ask(aiocoap.PUT, "/1", body, content_format=11542)).code == aiocoap.CHANGED
        listed = (await bs.ask(aiocoap.GET, "/", accept=40)).payload.decode()
        assert "</21/0>," in listed and "</21/1>;ssid=101" in listed
        assert (await bs.ask(aiocoap.GET, "/21", accept=11542)).code == aiocoap.METHOD_NOT_ALLOWED
        assert (await bs.ask(aiocoap.POST, "/bs")).code == aiocoap.CHANGED
        register = await server.asked("rd")
        assert "ep=" + ENDPOINT in register.opt.uri_query
        assert (await server.ask(aiocoap.GET, COUNT, accept=0)).payload == b"0"
        assert (await server.ask(aiocoap.GET, "/21/1/0")).code == aiocoap.UNAUTHORIZED
