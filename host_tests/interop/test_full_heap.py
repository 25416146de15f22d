"""A heap that is full but for a few bytes: what is asked then is refused or dropped, and works when memory is back."""

import asyncio
import json
import random
import re

from host_tests.interop.board import scripted
from packet import Packet, build

LEGAL = re.compile(r"2\.0[1245]|2\.31|4\.13|5\.03")
TLV, SENML_JSON, LINK = 11542, 110, 40
NAMES = json.dumps([{"n": "/3/0/0"}, {"n": "/32775/0/2"}]).encode()
WRITES = json.dumps([{"n": "/32775/0/2", "vs": "all"}, {"n": "/32775/0/1", "v": 700}]).encode()

# (method, path, payload, options, the codes of success)
REQUESTS = [
    ("GET", "/32775/0/2", b"", {"accept": 0}, "2.05"),
    ("GET", "/32775/0", b"", {}, "2.05"),
    ("GET", "/3", b"", {}, "2.05"),
    ("GET", "/32775/0/5", b"", {}, "2.05"),
    ("PUT", "/32775/0/2", b"x" * 200, {"content_format": 0}, "2.04"),
    ("POST", "/32775/0", b"\xc1\x01\x05\xc3\x02abc", {"content_format": TLV}, "2.04"),
    ("PUT", "/32775/0/2", b"y" * 64, {"content_format": 0, "options": [(27, 0x0A)]}, "2.31"),
    ("POST", "/32771", b"\xc5\x00hello", {"content_format": TLV}, "2.01"),
    ("GET", "/32775", b"", {"accept": LINK}, "2.05"),
    ("FETCH", "", NAMES, {"content_format": SENML_JSON, "accept": SENML_JSON}, "2.05"),
    ("iPATCH", "", WRITES, {"content_format": SENML_JSON}, "2.04"),
    ("POST", "/32775/0/7", b"", {}, "2.04"),
    ("POST", "/1/0/8", b"", {}, "2.04"),
    ("GET", "/32775/0/2", b"", {"accept": 0, "observe": 0}, "2.05"),
    ("PUT", "/32775/0/2?pmax=50", b"", {}, "2.04"),
]


class Asking:
    """Requests with a token and a Message ID of their own, and what answers them."""

    def __init__(self, server):
        self._server = server
        self._count = 0
        self.notified = asyncio.Queue()
        self.created = []  # paths
        self._waiting = {}
        server.relay = self._take

    def _take(self, data):
        packet = Packet(data)
        if packet.type == "CON":
            self._server.to_device(build("ACK", "", packet.mid))
        if packet.token in self._waiting:
            self._waiting.pop(packet.token).set_result(packet)
        elif packet.code:
            self.notified.put_nowait(packet)

    async def ask(self, method, path, payload=b"", more=None, tries=1, pause_s=0.25):
        """The response, or None if none came."""
        self._count += 1
        path, _, query = path.partition("?")
        more = dict(more or {})
        options = [(11, segment) for segment in path.split("/") if segment] + more.pop("options", [])
        options += [(15, query)] if query else []
        numbers = {"observe": 6, "content_format": 12, "accept": 17}
        options += [(numbers[name], value) for name, value in more.items()]
        token = self._count.to_bytes(2, "big")
        datagram = build("CON", method, self._count, token, options, payload)
        reply = self._waiting[token] = asyncio.get_running_loop().create_future()
        for _ in range(tries):
            self._server.to_device(datagram)
            try:
                packet = await asyncio.wait_for(asyncio.shield(reply), pause_s)
            except TimeoutError:
                continue
            if packet.code == "2.01":
                self.created.append("/" + "/".join(packet.location))
            return packet
        return None


async def starve(asking, board, left):
    """Fill the heap, and ask everything; {number of the request: code or None}."""
    times = board.count("heap is full") + 1
    reply = await asking.ask("POST", "/32775/0/0", b"0='%d'" % left, tries=20)
    assert reply.code == "2.04"
    await board.printed("heap is full", times)
    found = {}
    for method, path, payload, more, _ in REQUESTS:
        if board.count("heap is back") == times:
            break  # a slow machine
        reply = await asking.ask(method, path, payload, more)
        found[len(found)] = reply and reply.code
        assert reply is None or LEGAL.fullmatch(reply.code), (left, method, path, reply.code, reply.payload)
    await board.printed("heap is back", times)
    return found


async def recover(asking, left):
    """The very same requests, and what was observed."""
    for method, path, payload, more, good in REQUESTS:
        reply = await asking.ask(method, path, payload, more, tries=20)
        assert reply and reply.code == good, (left, method, path, reply and (reply.code, reply.payload))
    while asking.created:
        assert (await asking.ask("DELETE", asking.created.pop(), tries=20)).code == "2.02"
    while not asking.notified.empty():
        asking.notified.get_nowait()
    assert (await asking.ask("POST", "/32775/0/7", tries=20)).code == "2.04"
    async with asyncio.timeout(10):
        while (await asking.notified.get()).token != b"\0\1":
            pass


async def test_requests_while_the_heap_is_full():
    """Legal answers or none; then all works as before, the observation too, and nothing was registered anew."""
    options = ("--heap", "256k", "--set", "INSTANCES=99")
    async with scripted("glutton.py", options=options) as (server, board):
        asking = Asking(server)
        assert (await asking.ask("GET", "/32775/0/4", b"", {"observe": 0})).code == "2.05"
        assert (await asking.ask("PUT", "/32775/0/1", b"3500", {"content_format": 0})).code == "2.04"
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        draw = random.Random(seed)
        refused = []
        for left in (0, draw.randrange(128, 1500), draw.randrange(1500, 8000)):
            found = await starve(asking, board, left)
            print(left, found)
            refused += [code for code in found.values() if code is None or code[0] != "2"]
            await recover(asking, left)
        assert len(refused) > 3, refused  # it was full indeed
        assert server.paths().count("POST /rd") == 1
