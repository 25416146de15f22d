"""Our own requests in blocks (RFC 7959): Register and Update, and what we fetch. X-26 of the conformance list."""

from coap import block
from coap.errors import ServiceUnavailable
from lwm2m import log
from lwm2m.object import Object
from packet import block as packed
from peer import Peer
from support import eq, raises

BODY = bytes([index * 7 & 255 for index in range(1000)])
OTHER = bytes([index * 5 & 255 for index in range(1000)])

log.level("error")


class Box(Object):
    OID = 33000
    RES = """
    0 R! str text
    """
    text = ""


# -- Block1: we send --------------------------------------------------------------------------------------------------


def many():
    """A Peer, not yet registered, whose Register needs several blocks of 64 bytes."""
    return Peer([Box() for _ in range(16)], BLOCK_SIZE=64)


def collect(peer, szx, code="2.31"):
    """Take an upload in blocks of at most SZX; returns [bytes so far, the requests]."""
    state = [b"", []]

    def answer(packet):
        num, more, size = packet.block1
        eq(num * (16 << size), len(state[0]))
        eq((len(packet.payload) == 16 << size) or not more, True)
        state[0] += packet.payload
        state[1].append(packet)
        if more:
            return code, [(27, packed(num, True, min(szx, size)))]
        return "2.01", [(8, "rd"), (8, "7"), (27, packed(num, False, size))]

    peer.answer = answer
    return state


def links(count):
    """The body of the Register."""
    root = '</>;rt="oma.lwm2m";ct="60 110 112 11542"'
    return ",".join([root, "</1/0>"] + ["</33000/%d>" % iid for iid in range(count)]).encode()


def test_x_26_register_in_blocks():
    """Size1 in the first block, the same queries in all, a new token for each; 2.01 to the last one registers."""
    peer = many()
    state = collect(peer, 6)
    peer.register()
    body, requests = state
    eq(body, links(16))
    eq([request.block1[0] for request in requests], [0, 1, 2, 3])
    eq([request.size1 for request in requests], [len(body), None, None, None])
    eq({tuple(request.queries) for request in requests}, {("ep=dev1", "lt=300", "lwm2m=1.1", "b=U")})
    eq([(request.path, request.content_format) for request in requests], [("/rd", 40)] * 4)
    eq(len({request.token for request in requests}), 4)
    eq(peer.registration.location, [b"rd", b"7"])


def test_x_26_smaller_blocks_in_the_middle():
    """2.31 with a smaller SZX: NUM counts in the new size."""
    for szx in (0, 1):
        peer = many()
        state = collect(peer, szx)
        peer.register()
        eq(state[0], links(16))
        step = 64 // (16 << szx)
        eq([request.block1[0] for request in state[1]][:3], [0, step, step + 1])
        eq([request.block1[2] for request in state[1]][:3], [2, szx, szx])


def test_x_26_too_large_with_a_hint():
    """4.13 with a smaller Block1: from the beginning, in blocks of that size; 4.13 without is the end of it."""
    peer = many()
    state = collect(peer, 1)
    peer.script(("4.13", [(27, packed(0, True, 1))]))
    peer.register()
    eq(state[0], links(16))
    eq([request.block1 for request in state[1]][:2], [(0, True, 1), (1, True, 1)])
    eq(state[1][0].size1, len(state[0]))
    peer = many()
    peer.script(("4.13", [(27, packed(0, True, 2))]))
    peer.client.start(0)
    peer.poll()
    eq((peer.state, len(peer.requests())), ("WAITING", 1))


def test_too_large_at_once():
    """4.13 with a hint to what came without blocks: once more, in such; so do those that follow."""
    peer = Peer([Box() for _ in range(16)])
    state = collect(peer, 6)
    peer.script(("4.13", [(27, packed(0, False, 2))]))
    peer.client.start(0)
    peer.poll()
    first = peer.requests()[0]
    eq((peer.state, first.block1, first.payload, state[0]), ("REGISTERED", None, links(16), links(16)))
    eq([request.block1[2] for request in state[1]], [2] * 4)
    state[:] = [b"", []]
    peer.client.add(Box())
    peer.poll()
    eq((state[1][0].path, state[1][0].block1, state[0]), ("/rd/7", (0, True, 2), links(17)))
    eq(peer.state, "REGISTERED")


def test_too_large_at_once_without_a_hint():
    """It is refused; also by the server that has a hint for any size."""
    for options, count in (((), 1), ([(27, 5)], 1), ([(27, 7)], 1), ([(27, 0)], 2)):
        peer = Peer([Box() for _ in range(16)])
        peer.answer = lambda packet, options=options: ("4.13", options)
        peer.client.start(0)
        peer.poll()
        eq((peer.state, len(peer.requests())), ("WAITING", count))


def test_too_large_update():
    """A new registration in smaller blocks."""
    peer = Peer([Box() for _ in range(2)])
    peer.register()
    state = collect(peer, 6)
    for _ in range(14):
        peer.client.add(Box())
    peer.script(("4.13", [(27, packed(0, False, 1))]))
    peer.poll()
    eq((peer.state, state[0], state[1][0].path, state[1][0].block1), ("REGISTERED", links(16), "/rd", (0, True, 1)))


def test_x_26_incomplete():
    """4.08: once more from the beginning, but only once."""
    for failures, ends in ((1, "REGISTERED"), (2, "WAITING")):
        peer = many()
        state = collect(peer, 6)
        usual = peer.answer
        left = [failures]

        def answer(packet, usual=usual, left=left, state=state):
            if packet.block1[0] == 2 and left[0]:
                left[0] -= 1
                state[0] = b""
                return "4.08"
            return usual(packet)

        peer.answer = answer
        peer.client.start(0)
        peer.poll()
        eq(peer.state, ends)
        eq([packet.block1[0] for packet in peer.requests()], [0, 1, 2, 0, 1, 2, 3][: 7 if failures == 1 else 6])


def test_upload_that_fails():
    """An error, a RST or silence in the middle is the answer to it all; the next attempt begins with block 0."""
    for failure in ("5.00", "RST", None):
        peer = many()
        state = collect(peer, 6)
        peer.script(lambda packet, peer=peer: peer.answer(packet), *([failure] * (5 if failure is None else 1)))
        peer.client.start(0)
        peer.poll()
        while failure is None and peer.state != "WAITING":
            peer.advance(1)
        eq(peer.state, "WAITING")
        eq({packet.block1[0] for packet in peer.requests()}, {0, 1})
        state[0] = b""
        peer.advance(60)
        eq(peer.state, "REGISTERED")
        eq([packet.block1[0] for packet in peer.requests()], [0, 1, 2, 3])


def test_update_in_blocks():
    """With the new list of objects."""
    peer = many()
    collect(peer, 6)
    peer.register()
    state = collect(peer, 6)
    peer.client.add(Box())
    peer.poll()
    eq(state[0], links(17))
    eq({(request.path, request.content_format) for request in state[1]}, {("/rd/7", 40)})
    eq(peer.state, "REGISTERED")


# -- Block2: we fetch --------------------------------------------------------------------------------------------------


class Fetch:
    """A download from a Peer that serves `body`: what came, and what it ended with."""

    def __init__(self, szx=2, start=0, etag=None):
        self.peer = Peer()
        self.peer.register()
        self.peer.answer = self.serve
        self.body, self.tag, self.largest = BODY, b"e1", 6
        self.got, self.ends = b"", []
        options = ((11, b"fw"), (15, b"v=2"))
        self.download = block.Download(
            self.peer.registration.exchange, options, szx, self.consume, self.on_end, start, etag
        )

    def serve(self, packet):
        num, _, szx = packet.block2
        eq((packet.code, packet.path, packet.queries), ("GET", "/fw", ["v=2"]))
        start = num << szx + 4
        szx = min(szx, self.largest)
        end = start + (16 << szx)
        value = packed(start >> szx + 4, end < len(self.body), szx)
        return "2.05", [(4, self.tag), (23, value)], self.body[start:end]

    def consume(self, start, data):
        assert start <= len(self.got)
        self.got = self.got[:start] + data

    def on_end(self, message, now):
        self.ends.append(message and message.code)

    def run(self):
        self.download.send(self.peer.now)
        self.peer.advance(100)
        return self.peer.requests()


def test_download():
    """Block by block, to the last."""
    fetch = Fetch()
    requests = fetch.run()
    eq((fetch.got, fetch.ends), (BODY, [0x45]))
    eq([request.block2 for request in requests], [(num, False, 2) for num in range(16)])
    eq(len({request.token for request in requests}), 16)


def test_download_in_smaller_blocks():
    """As the other side decides."""
    fetch = Fetch(szx=4)
    fetch.largest = 1
    requests = fetch.run()
    eq((fetch.got, fetch.ends), (BODY, [0x45]))
    eq([request.block2 for request in requests[:3]], [(0, False, 4), (1, False, 1), (2, False, 1)])


def test_download_without_blocks():
    """A short body comes at once."""
    fetch = Fetch()
    fetch.peer.script(("2.05", [], b"short"))
    eq(len(fetch.run()), 1)
    eq((fetch.got, fetch.ends), (b"short", [0x45]))


def test_download_that_changes():
    """Another ETag: once more from the beginning, but not twice."""
    for changes, ends in ((1, 0x45), (2, None)):
        fetch = Fetch()
        left = list(range(changes))

        def answer(packet, fetch=fetch, left=left):
            if packet.block2[0] == 3 and left:
                left.pop()
                fetch.tag += b"x"
                fetch.body = OTHER
            return fetch.serve(packet)

        fetch.peer.answer = answer
        requests = fetch.run()
        eq(fetch.ends, [ends])
        eq([request.block2[0] for request in requests[:9]], [0, 1, 2, 3, 0, 1, 2, 3, 4][: 9 if changes == 1 else 8])
        if changes == 1:
            eq(fetch.got, OTHER)


def test_download_resumes():
    """From an offset with the ETag of the first part; from the beginning if that is another one now."""
    fetch = Fetch(start=128, etag=b"e1")
    fetch.got = BODY[:128]
    eq([request.block2[0] for request in fetch.run()], list(range(2, 16)))
    eq((fetch.got, fetch.ends), (BODY, [0x45]))
    fetch = Fetch(start=128, etag=b"e0")
    fetch.got = b"?" * 128
    eq([request.block2[0] for request in fetch.run()], [2] + list(range(16)))
    eq((fetch.got, fetch.ends), (BODY, [0x45]))


def test_download_fails():
    """An error is handed on; silence, a RST and nonsense are None."""
    nonsense = (
        ("2.05", [(23, packed(0, True, 2))], b"x"),
        ("2.05", [(23, packed(0, True, 2))]),
        ("2.05", [(23, 15)], b"x"),
    )
    for failure, ends in (("4.04", 0x84), ("RST", None)) + tuple([(one, None) for one in nonsense]):
        fetch = Fetch()
        fetch.peer.script(failure)
        eq(len(fetch.run()), 1)
        eq((fetch.got, fetch.ends), (b"", [ends]))
    fetch = Fetch()
    fetch.peer.answer = lambda packet: None if packet.block2[0] == 1 else fetch.serve(packet)
    eq(len(fetch.run()), 6)
    eq((fetch.got, fetch.ends), (BODY[:64], [None]))


def test_download_is_stopped_by_its_consumer():
    """Without another word."""
    fetch = Fetch()
    fetch.download._consume = lambda start, data: start < 128
    eq(len(fetch.run()), 3)
    eq(fetch.ends, [])


def test_queue_full():
    """The first block of ours is refused as any other request is."""
    fetch = Fetch()
    exchange = fetch.peer.registration.exchange
    fetch.peer.silent = True
    for _ in range(9):
        exchange.request(1, (), b"", fetch.on_end, 0)
    raises(ServiceUnavailable, fetch.download.send, 0)
