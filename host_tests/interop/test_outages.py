"""Servers, names, networks and parts that fail: the board says so in a line, lives on, and finds its way back."""

import contextlib
import json

import pytest

from host_tests.interop.board import ENDPOINT, QUICK, registered, running, scripted, start
from host_tests.interop.network import ScriptedServer, free_port
from packet import build
from tools.lab import DeviceError, LabServer

# A message is given up after 0.1 s * (2 ** 2 - 1) = 0.3 s, at most 0.45 s.
IMPATIENT = {"ACK_TIMEOUT_ms": 100, "MAX_RETRANSMIT": 1}


def hosts(board, **names):
    """Let names resolve: hosts(board, lab="127.0.0.1") is lab.example."""
    text = json.dumps({f"{name}.example": address for name, address in names.items()})
    (board.state_dir / "hosts").write_text(text)


async def test_unknown_host(interpreter):
    """A line says which name; the board tries again, and registers as soon as the name means something."""
    options = ("--interpreter", interpreter)
    async with LabServer(port=0) as server:
        uri = f"coap://lab.example:{server.port}"
        async with running(uri, program="hosts.py", steered=True, options=options) as board:
            await board.printed("^warning server 1: .*the name lab.example cannot be resolved")
            await board.printed("next attempt in [12] s")
            hosts(board, lab="127.0.0.1")
            await server.wait_registered(ENDPOINT)


async def test_a_name_that_cannot_be_encoded(interpreter):
    """A label over 63 characters, or an empty one, over TCP: the other server has its device all the same."""
    for host in ("a" * 64, "a..b"):
        async with ScriptedServer.open() as server:
            options = ("--interpreter", interpreter)
            async with running(f"coap+tcp://{host}", server.uri, options=options) as board:
                await board.printed("^warning server 1: no link: the name .* cannot be resolved")
                await server.asked("POST /rd")
                await board.printed("server 2: .*-> REGISTERED")


async def test_the_local_port_is_in_use_for_a_while(interpreter, tmp_path):
    """After a factory reset the new registration wants the port on which the De-register of the old one waits for an
    answer that never comes."""
    async with ScriptedServer.open() as server, ScriptedServer.open() as bootstrap:
        server.answer = lambda packet: None if packet.code == "DELETE" else server.accept(packet)
        port = free_port()
        servers = [{"uri": server.uri}, {"uri": bootstrap.uri, "bootstrap": True}]
        config = {"server": servers, "local_port": port, "limits": dict(QUICK, RETRY_TIMER_s=1, **IMPATIENT)}
        (tmp_path / "config.json").write_text(json.dumps(config))
        board = await start(tmp_path, "--interpreter", interpreter)
        try:
            await board.printed("-> REGISTERED")
            server.ask("POST", "/3/0/5")
            await board.printed(f"^warning server 1: no link: local port {port} is in use")
            await server.asked("POST /rd", times=2)
            await board.printed("-> REGISTERED", times=2)
            assert server.device == ("127.0.0.1", port)
            server.answer = server.accept
        finally:
            status = await board.stop() if board.runs else await board.ended()
            print(*board.lines, sep="\n")
        assert status == 0


async def test_the_server_moves_behind_its_name():
    """It is silent at its old address; the name is resolved again, and an Update finds it at the new one."""
    async with ScriptedServer.open() as old, ScriptedServer.open(old.port, "127.0.0.2") as new:
        uri = f"coap://lab.example:{old.port}"
        async with running(uri, program="hosts.py", steered=True, **IMPATIENT) as board:
            hosts(board, lab="127.0.0.1")
            await board.printed("-> REGISTERED")
            hosts(board, lab="127.0.0.2")
            old.answer = lambda packet: None
            old.ask("POST", "/1/0/8")
            await new.asked("POST /rd/1")
            await board.printed("-> REGISTERED", times=2)
            new.ask("GET", "/3/0/9")
            assert (await new.reply()).payload == b"77"
        assert new.paths() == ["POST /rd/1", "DELETE /rd/1"]
        assert old.paths() == ["POST /rd", "POST /rd/1"]


async def test_nobody_listens_yet():
    """ICMP port unreachable answers the Register: loss like any other. The server comes, and so does the board."""
    port = free_port()
    async with running(f"coap://127.0.0.1:{port}", **IMPATIENT) as board:
        await board.printed("REGISTERING -> WAITING")
        async with LabServer(port=port) as server:
            await server.wait_registered(ENDPOINT)
            await board.printed("-> REGISTERED")
            assert await board.stop() == 0


async def test_a_server_that_refuses():
    """Its answer is in the log; the next attempt comes by itself."""
    async with ScriptedServer.open() as server:
        server.answer = lambda packet: "4.03"
        async with running(server.uri) as board:
            await board.printed("^warning server 1: 4.03")
            server.answer = server.accept
            await board.printed("-> REGISTERED")


async def test_a_busy_server():
    """5.03 with Max-Age: not before that time."""
    async with ScriptedServer.open() as server:
        server.answer = lambda packet: ("5.03", [(14, 1)])
        async with running(server.uri, RETRY_FIRST_s=60) as board:
            await board.printed("next attempt in [12] s")
            server.answer = server.accept
            await board.printed("-> REGISTERED")


async def test_an_older_server():
    """4.12 to lwm2m=1.1: Register with 1.0, at once."""
    async with ScriptedServer.open() as server:
        server.answer = lambda packet: "4.12" if "lwm2m=1.1" in packet.queries else server.accept(packet)
        async with running(server.uri) as board:
            await board.printed("-> REGISTERED")
            _, second = server.requests
            assert "lwm2m=1.0" in second.queries
            assert b"ct=" not in second.payload


@contextlib.asynccontextmanager
async def unheard(**options):
    """A registered board with its server closed and a confirmable notification on the way there."""
    async with registered(program="workshop.py", steered=True, CON_EVERY=1, **IMPATIENT, **options) as (server, board):
        await server.observe(ENDPOINT, "/3303/0/5700")
        await server.close()
        await board.warm(22.2)
        await board.printed("REGISTERED -> UPDATING")
        await board.printed("UPDATING -> LOST")
        yield server, board


async def test_a_server_comes_back_and_remembers(interpreter):
    """One Update restores all: the same registration, no second Register."""
    async with unheard(options=("--interpreter", interpreter)) as (server, board):
        known = server.registration()
        with server.subscribe() as events:
            await server.start()
            assert (await events.wait("update")).registration is known
        observation = await server.observe(ENDPOINT, "/3303/0/5700")
        await board.warm(30)
        assert (await observation.next()).value == 30
        assert board.count("-> REGISTERING") == 1


async def test_a_server_comes_back_and_has_forgotten():
    """4.04 to the Update: Register."""
    async with unheard() as (server, board), LabServer(port=server.port) as other:
        await other.wait_registered(ENDPOINT)
        await board.printed("-> REGISTERED", times=2)
        assert (await other.read(ENDPOINT, "/3303/0/5700")).value == 22.2
        assert board.count("-> REGISTERING") == 2
        assert await board.stop() == 0


async def test_a_registration_that_has_run_out_is_made_anew():
    """The server stays away for longer than the lifetime: no Update then, but a Register."""
    async with scripted(options=("--lifetime", "3"), **IMPATIENT) as (server, board):
        server.answer = lambda packet: None
        await server.asked("POST /rd/1")
        await server.asked("POST /rd", times=2)
        server.answer = server.accept
        await board.printed("-> REGISTERED", times=2)


async def test_wifi_cut(interpreter):
    """While the air is dead the board keeps its registration, stores what it has to tell, and is back by an Update."""
    options = ("--interpreter", interpreter)
    async with registered(program="workshop.py", steered=True, options=options) as (server, board):
        await board.warm(20)
        registration = server.registration()
        observation = await server.observe(ENDPOINT, "/3303/0/5700")
        board.room.wifi(False)
        await board.warm(20.5)
        await board.printed("REGISTERED -> LOST")
        for celsius in (21, 22, 23):
            await board.warm(celsius)
        with server.subscribe() as events:
            board.room.wifi(True)
            assert (await events.wait("update")).registration is registration
        assert [(await observation.next()).value for _ in range(4)] == [20.5, 21, 22, 23]  # the first one found it out
        assert (await server.read(ENDPOINT, "/3/0/9")).value == 77
        assert board.count("-> REGISTERING") == 1


async def test_no_wifi_at_the_start():
    """boot.py says so and lets main.py begin; the access point comes, and with it the registration."""
    async with registered(steered=True) as (server, board):
        board.room.wifi(False)
        board.room.reset()
        await board.printed("^Wi-Fi: there is no network called microlwm2m; trying on")
        await board.printed("-> WAITING")
        with server.subscribe() as events:
            board.room.wifi(True)
            await events.wait("register")


async def test_a_sensor_that_fails_for_a_while(interpreter):
    """One line when it begins, one when it is over; meanwhile its last value can be read, and all else works."""
    options = ("--interpreter", interpreter)
    async with registered(steered=True, options=options) as (server, board):
        board.room.set(temperature=21)
        board.room.fail("bme280")
        await board.printed(r"^warning /3303/0: the sensor fails")
        last = (await server.read(ENDPOINT, "/3303/0/5700")).value
        assert 18 < last < 26
        assert (await server.read(ENDPOINT, "/3/0/16")).value == "U"
        board.room.repair("bme280")
        await board.printed(r"^info /3303/0: the sensor works again")
        assert board.count("/3303/0: the sensor fails") == 1


async def test_parts_that_never_worked():
    """A sensor without any value yet is 5.03, an actuator that does not obey too, a mistake in a callable 5.00; the
    objects' other resources can be read, and the board lives."""
    async with registered(program="broken_parts.py") as (server, board):
        for path, code in [("/3303/0/5700", "5.03"), ("/3304/0/5700", "5.03"), ("/3/0/9", "5.00")]:
            with pytest.raises(DeviceError) as refused:
                await server.read(ENDPOINT, path)
            assert refused.value.code == code
        with pytest.raises(DeviceError, match=r"5\.03"):
            await server.write(ENDPOINT, "/3311/0/5850", True)
        assert (await server.read(ENDPOINT, "/3311/0/5850")).value is False
        assert (await server.read(ENDPOINT, "/3303/0")).value == {5701: "Cel"}
        assert (await server.read(ENDPOINT, "/3/0/0")).value == "microlwm2m"
        assert board.count("^warning /330[34]/0: the sensor fails") == 2
        board.lines = [line for line in board.lines if "Traceback" not in line]  # that of the student's mistake


async def test_the_port_closes_for_a_moment():
    """ICMP port unreachable answers a separate response: it is sent again, and arrives when the server is back."""
    async with scripted() as (server, board):
        server.ask("POST", "/32770/0/9", token=b"slow")
        assert (await server.reply()).code == ""
        await server.close()
        await board.printed("^slow is through$")
        async with ScriptedServer.open(server.port) as again:
            response = await again.reply()
            assert (response.code, response.token) == ("2.04", b"slow")
            again.to_device(build("ACK", "", response.mid))
            again.ask("GET", "/32770/0/3")
            assert (await again.reply()).payload == b"1"
            assert await board.stop() == 0


async def test_empty_datagrams(interpreter):
    """As an ESP32's, the board's socket gives nothing but b"" after one: it hears all that comes later nevertheless."""
    options = ("--interpreter", interpreter)
    async with scripted(steered=True, options=options) as (server, board):
        for number in range(40):
            server.to_device(b"")
            server.ask("POST", "/32770/0/4", token=bytes([number]))
            assert (await server.reply()).token == bytes([number])
        server.ask("GET", "/32770/0/3")
        assert (await server.reply()).payload == b"40"
        assert board.count("LOST") == 0
