"""Firmware Update in a real board: pushed by aiocoap, pulled from the file servers of aiocoap and libcoap."""

import asyncio
import contextlib
import hashlib
import random
import shutil
import sys

import pytest

from host_tests.interop.board import ENDPOINT, registered
from host_tests.interop.network import Proxy, free_port
from packet import Packet
from tools.lab import DeviceError

CONTENT = random.Random(5).randbytes(60000)
LABEL = b"\x08demo 2.0"
PACKAGE = b"MPFW" + hashlib.sha256(LABEL + CONTENT).digest() + LABEL + CONTENT
BLOCK = 512
BLOCKS = len(PACKAGE) // BLOCK + 1


@contextlib.asynccontextmanager
async def process(*command):
    """A program that runs until the end of the block."""
    nothing = asyncio.subprocess.DEVNULL
    running = await asyncio.create_subprocess_exec(*command, stdin=nothing, stdout=nothing, stderr=nothing)
    try:
        await asyncio.sleep(0.5)
        assert running.returncode is None, f"{command} has ended"
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.kill()
        await running.wait()


def aiocoap_server(folder, port):
    """aiocoap's file server; coap://127.0.0.1:port/name is the file `name` in a folder."""
    command = "import sys; from aiocoap.cli.fileserver import FileServerProgram; FileServerProgram.sync_main()"
    return process(sys.executable, "-c", command, "--bind", f"127.0.0.1:{port}", str(folder))


@pytest.fixture(scope="session")
def coap_server():
    """Path of libcoap's server."""
    for name in ("coap-server", "coap-server-notls", "coap-server-openssl", "coap-server-gnutls"):
        if path := shutil.which(name):
            return path
    return pytest.skip("no libcoap: apt-get install libcoap3-bin")


def updatable(**more):
    """A lab server and a board with programs/update.py."""
    return registered(program="update.py", **more)


async def state(server):
    """(State, Update Result)."""
    values = [await server.read(ENDPOINT, f"/5/0/{rid}") for rid in (3, 5)]
    return tuple(int(result.value) for result in values)


async def becomes(server, wanted, timeout_s=30):
    """Wait for a State and an Update Result."""
    async with asyncio.timeout(timeout_s):
        while (seen := await state(server)) != wanted:
            assert seen[1] in (0, wanted[1]), seen
            await asyncio.sleep(0.1)


async def updates(server, board):
    """From a package that is there to the new version; the board has restarted once and registered anew."""
    assert (board.state_dir / "firmware.img.part").read_bytes() == PACKAGE
    assert (await server.read(ENDPOINT, "/3/0/3")).value == "1.0"
    await server.execute(ENDPOINT, "/5/0/2")
    assert await state(server) == (3, 0)
    await board.printed("-> REGISTERED", times=2)
    assert await state(server) == (0, 1)
    assert (await server.read(ENDPOINT, "/3/0/3")).value == "2.0"
    assert (board.state_dir / "firmware.img").read_bytes() == PACKAGE
    assert not (board.state_dir / "firmware.img.part").exists()


async def test_push(interpreter):
    """60 kB in blocks, verified, installed, and shown by the version after the restart."""
    async with updatable(options=("--interpreter", interpreter)) as (server, board):
        await server.write(ENDPOINT, "/5/0/0", b"\0")
        assert await state(server) == (0, 0)
        await server.write(ENDPOINT, "/5/0/0", PACKAGE)
        assert await state(server) == (2, 0)
        await updates(server, board)


async def test_pushes_that_fail():
    """Too big, damaged, of another kind; then a good one."""
    async with updatable() as (server, _):
        for package, code, result in [
            (PACKAGE + bytes(200000), "4.13", 2),
            (PACKAGE[:-1] + b"?", "4.00", 5),
            (b"other" * 1000, "4.00", 6),
        ]:
            with pytest.raises(DeviceError) as refused:
                await server.write(ENDPOINT, "/5/0/0", package)
            assert (refused.value.code, await state(server)) == (code, (0, result))
        await server.write(ENDPOINT, "/5/0/0", PACKAGE)
        assert await state(server) == (2, 0)


async def test_pull_from_aiocoap(interpreter, tmp_path):
    """From a file, under a name that has to be decoded; then one that is not there."""
    (tmp_path / "demo 2.img").write_bytes(PACKAGE)
    port = free_port()
    options = ("--interpreter", interpreter)
    async with updatable(options=options) as (server, board), aiocoap_server(tmp_path, port):
        await server.write(ENDPOINT, "/5/0/1", f"coap://127.0.0.1:{port}/nothing.img")
        await becomes(server, (0, 7))
        await server.write(ENDPOINT, "/5/0/1", f"coap://127.0.0.1:{port}/demo%202.img")
        await becomes(server, (2, 0))
        await updates(server, board)


async def test_pull_from_libcoap(coap_server, coap_client, tmp_path):
    """From what coap-client has put there, by name of the host and of the file."""
    (tmp_path / "image").write_bytes(PACKAGE)
    port = free_port()
    uri = f"coap://localhost:{port}/demo.img?v=2"
    async with updatable() as (server, board), process(coap_server, "-d", "5", "-A", "127.0.0.1", "-p", str(port)):
        put = (coap_client, "-m", "put", "-b", "1024", "-t", "42", "-f", str(tmp_path / "image"), uri)
        async with asyncio.timeout(20):
            await (await asyncio.create_subprocess_exec(*put)).wait()
        await server.write(ENDPOINT, "/5/0/1", uri)
        await becomes(server, (2, 0))
        await updates(server, board)


class Cut(Proxy):
    """A proxy that lets so many datagrams pass, and none after them while it `cuts`."""

    allowed = 60
    cuts = True

    def _pass(self, from_device, data):
        if self.cuts and len(self.passed) >= self.allowed:
            return
        super()._pass(from_device, data)

    def blocks(self):
        """The blocks that have been asked for."""
        return [Packet(data).block2[0] for from_device, data in self.passed if from_device and data[1] == 1]


async def test_a_pull_goes_on_after_an_outage(tmp_path):
    """At the block where it was."""
    (tmp_path / "demo.img").write_bytes(PACKAGE)
    port = free_port()
    async with updatable() as (server, board), aiocoap_server(tmp_path, port), Cut.before(port) as proxy:
        await server.write(ENDPOINT, "/5/0/1", f"{proxy.uri}/demo.img")
        await board.printed("FETCHING -> WAITING", timeout_s=20)
        assert await state(server) == (1, 0)
        proxy.cuts = False
        await becomes(server, (2, 0))
        assert sorted(set(proxy.blocks())) == list(range(BLOCKS))
        assert len(proxy.blocks()) <= BLOCKS + 2
        await updates(server, board)


async def test_a_pull_goes_on_after_a_restart(tmp_path):
    """At the last checkpoint of 8 KiB, by the ETag."""
    (tmp_path / "demo.img").write_bytes(PACKAGE)
    port = free_port()
    async with updatable() as (server, board), aiocoap_server(tmp_path, port), Cut.before(port) as proxy:
        proxy.allowed = 100
        await server.write(ENDPOINT, "/5/0/1", f"{proxy.uri}/demo.img")
        async with asyncio.timeout(20):
            while len(proxy.passed) < proxy.allowed:
                await asyncio.sleep(0.05)
        await server.execute(ENDPOINT, "/3/0/4")
        await board.printed("FETCHING -> WAITING|-> REGISTERED", times=2, timeout_s=20)
        proxy.cuts = False
        before = len(proxy.blocks())
        await becomes(server, (2, 0))
        assert proxy.blocks()[before] % 16 == 0 and 0 < proxy.blocks()[before] <= 48
        assert (board.state_dir / "firmware.img.part").read_bytes() == PACKAGE


async def test_a_pull_of_what_changes_meanwhile(tmp_path):
    """Another file under the same name during an outage: from the beginning, and the result is the new one."""
    (tmp_path / "demo.img").write_bytes(bytes(PACKAGE[:4]) + bytes(80000))
    port = free_port()
    async with updatable() as (server, board), aiocoap_server(tmp_path, port), Cut.before(port) as proxy:
        await server.write(ENDPOINT, "/5/0/1", f"{proxy.uri}/demo.img")
        await board.printed("FETCHING -> WAITING", timeout_s=20)
        (tmp_path / "demo.img").write_bytes(PACKAGE)
        proxy.cuts = False
        await becomes(server, (2, 0))
        await updates(server, board)


async def test_nobody_serves_the_file():
    """After six attempts: connection lost, and the board is as it was."""
    async with updatable(ACK_TIMEOUT_ms=100, MAX_RETRANSMIT=1, RETRY_MAX_s=1) as (server, _):
        await server.write(ENDPOINT, "/5/0/1", f"coap://127.0.0.1:{free_port()}/demo.img")
        assert await state(server) == (1, 0)
        await becomes(server, (0, 4))
