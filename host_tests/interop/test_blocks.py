"""Block-wise transfers (RFC 7959) with aiocoap, which asks for 1024 bytes a block and gets what the board can give."""

import hashlib
import random

import pytest

from host_tests.interop.board import ENDPOINT, registered, scripted
from packet import block
from tools.lab import DeviceError
from tools.lab.payload import OPAQUE, TLV

PICTURE = b"0123456789abcdef" * 250


ROOMY = ("--heap", "512k")  # to hold several copies of 4 kB in one piece


@pytest.mark.parametrize("block_size", [64, 512, 1024])
async def test_a_big_read(block_size):
    """Block2: an opaque resource, and the instance that it is in, in as many blocks as the board's BLOCK_SIZE makes."""
    async with registered(program="workshop.py", options=ROOMY, BLOCK_SIZE=block_size) as (server, _):
        result = await server.read(ENDPOINT, "/32772/0/1")
        assert (result.content_format, result.value) == (OPAQUE, PICTURE)
        result = await server.read(ENDPOINT, "/32772/0")
        assert (result.content_format, result.value) == (TLV, {0: b"A bigger splash", 1: PICTURE})


async def test_random_access_and_early_negotiation():
    """Any block may be asked for by itself, and smaller ones than the board's own, always with the same ETag."""
    async with scripted() as (server, _):

        async def ask(number, szx):
            server.ask("GET", "/32772/0/1", options=[(23, block(number, False, szx))])
            return await server.reply()

        first = await ask(0, 6)
        assert (first.block2, first.size2) == ((0, True, 5), 4000)
        for number, szx in [(3, 4), (0, 0), (62, 2), (7, 5)]:
            answer = await ask(number, szx)
            start, size = number << szx + 4, 16 << szx
            assert answer.payload == PICTURE[start : start + size]
            assert answer.block2 == (number, start + size < len(PICTURE), szx)
            assert answer.etag == first.etag
        assert (await ask(8, 5)).code == "4.00"


@pytest.mark.parametrize("size", [4096, 4097, 20000])
async def test_a_big_write_is_streamed(size):
    """Block1 into a sink that keeps nothing: the board's own digest of what arrived is that of what was sent."""
    body = random.Random(size).randbytes(size)
    async with registered(program="workshop.py") as (server, _):
        assert (await server.write(ENDPOINT, "/32770/0/6", body)).code == "2.04"
        assert (await server.read(ENDPOINT, "/32770/0/7")).value == str(size)
        assert (await server.read(ENDPOINT, "/32770/0/8")).value == hashlib.sha256(body).hexdigest()
        assert (await server.read(ENDPOINT, "/32770/0/11")).value == "0"


async def test_a_big_write_that_is_collected():
    """Without a sink it is kept in RAM up to MAX_BODY; one byte more is 4.13, and nothing changes."""
    async with registered(program="workshop.py", MAX_BODY=2000) as (server, _):
        body = bytes(range(250)) * 8
        await server.write(ENDPOINT, "/32770/0/10", body)
        assert (await server.read(ENDPOINT, "/32770/0/10")).value == body
        with pytest.raises(DeviceError, match=r"4\.13"):
            await server.write(ENDPOINT, "/32770/0/10", body + b"!")
        await server.write(ENDPOINT, "/32770/0", {0: "x" * 900, 1: 5}, partial=True)
        assert (await server.read(ENDPOINT, "/32770/0/0")).value == "x" * 900
        assert (await server.read(ENDPOINT, "/32770/0/10")).value == body


async def test_a_big_notification():
    """Block 0 comes with Observe, the rest is fetched; each notification is complete (RFC 7959 2.6)."""
    async with registered(program="workshop.py", BLOCK_SIZE=128, options=ROOMY) as (server, _):
        observation = await server.observe(ENDPOINT, "/32770/0/10")
        for number in range(1, 4):
            body = bytes([number]) * 700
            await server.write(ENDPOINT, "/32770/0/10", body)
            assert (await observation.next()).value == body


async def test_a_big_object_list():
    """Register and Update in blocks: BLOCK_SIZE 32 for an object list of some 200 bytes."""
    async with registered(BLOCK_SIZE=32) as (server, board):
        assert len(server.registration().objects) == 12
        assert board.count("-> REGISTERING") == 1
