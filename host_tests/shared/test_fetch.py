"""Downloads from any CoAP server: URIs, resumption, and servers that fail, lie or never end."""

from configurations_firmware import FileServer
from lwm2m import log
from lwm2m.fetch import Fetch, split
from lwm2m.sink import ConnectionLost, InvalidUri, NotEnoughStorage
from packet import block, build
from peer import Peer
from support import each, eq, noise, raises, xorshift32

log.level("error")

BODY = bytes([index * 11 & 255 for index in range(5000)])
OTHER = BODY[1:] + b"!?"


class Ram:
    """A sink that keeps what comes, up to a limit."""

    def __init__(self, limit=100000):
        self.limit = limit
        self.sizes = []
        self.got = b""
        self.ends = []

    def begin(self, size):
        self.sizes.append(size)
        self.got = b""

    def write(self, data):
        if len(self.got) + len(data) > self.limit:
            raise NotEnoughStorage()
        self.got += data

    def end(self, error):
        self.ends.append(error)


class Lab:
    """A registered client, a file server, and a download of `body` that has been started."""

    def __init__(self, body=BODY, uri=None, start=0, etag=None, limit=100000, run=True, **settings):
        self.peer = Peer(**settings)
        self.peer.register()
        self.server = FileServer(self.peer, body)
        self.sink = Ram(limit)
        self.fetch = Fetch(self.peer.client, uri or FileServer.uri, self.sink, self.sink.end, start, etag)
        self.peer.client.open_session(self.fetch)
        self.fetch.start(self.peer.now)
        if run:
            self.peer.advance(1)

    def at_block(self, number, answer):
        """What the server answers to the first request for a block, in place of the truth."""
        left = [answer]
        self.server.answer = lambda packet: (
            left.pop() if left and packet.block2[0] == number else self.server.serve(packet)
        )

    def ends_with(self, kind, seconds=3600):
        """Let time pass until the download has ended with such an error, and leave nothing behind."""
        self.peer.advance(seconds)
        eq([type(error) for error in self.sink.ends], [kind])
        eq(
            (self.fetch.state, self.fetch.link, self.peer.client.sessions),
            ("STOPPED", "closed", [self.peer.registration]),
        )
        eq(self.peer.state, "REGISTERED")

    def is_complete(self, body=BODY):
        eq((self.sink.ends, self.sink.got == body), ([None], True))
        eq(self.peer.client.sessions, [self.peer.registration])


def lab_held(**settings):
    """A Lab whose server has not yet been asked."""
    return Lab(run=False, **settings)


# -- URIs --------------------------------------------------------------------------------------------------------------


def test_uris():
    """Host, path and query, decoded (RFC 7252 section 6.4 and appendix of examples in 6.5)."""
    host = (3, b"h.example")

    def check(uri, base, options):
        eq(split(uri), (base, tuple(options)))

    cases = [
        ("coap://h.example", "coap://h.example", [host]),
        ("coap://h.example/", "coap://h.example", [host]),
        ("CoAP://H.example:5700/a/B", "coap://H.example:5700", [host, (11, b"a"), (11, b"B")]),
        ("coap://10.0.0.1/a%2Fb/%C3%BC", "coap://10.0.0.1", [(11, b"a/b"), (11, b"\xc3\xbc")]),
        ("coap://[::1]:5683/x?a=1&b=%26", "coap://[::1]:5683", [(11, b"x"), (15, b"a=1"), (15, b"b=&")]),
        ("coap://h.example?q?/", "coap://h.example", [host, (15, b"q?/")]),
    ]
    each(cases, check)


def test_uris_that_are_none():
    """InvalidUri, and nothing else."""
    bad = "|coap|coap:|coap:/h|://h|coap://|coap:///a|coap://h:|coap://h:x|coap://h:70000|coap://u@h/|coap://[::1/a"
    for uri in bad.split("|") + [
        "coap://h/%",
        "coap://h/%1",
        "coap://h/%+1",
        "coap://h/\n",
        "coap://h/\xfc",
        "coap://h/a|b",
        "coap+tcp://h/a",
    ]:
        raises(InvalidUri, split, uri)


# -- downloads that succeed --------------------------------------------------------------------------------------------


def test_fetch():
    """Block by block: what the first request and the second one look like."""
    lab = Lab()
    lab.is_complete()
    eq((lab.sink.sizes, lab.server.peer.registration.uri), ([5000], "coap://files.example:5700"))
    first, second = lab.server.asked[:2]
    eq((first.code, first.path, first.queries), ("GET", "/fw/a b.bin", ["v=2", "x=%"]))
    eq((first.get(3), first.size2, first.block2), (b"files.example", 0, (0, False, 5)))
    eq((second.size2, second.block2, second.payload), (None, (1, False, 5), b""))
    eq(lab.server.numbers(), list(range(10)))


def test_fetch_at_any_size():
    """Of the server's blocks, and of the body: also without blocks, and without a body."""

    def check(length, szx, largest):
        lab = lab_held(body=BODY[:length], BLOCK_SIZE=16 << szx)
        lab.server.szx = largest
        lab.peer.advance(1)
        lab.is_complete(BODY[:length])

    each([(0, 5, 5), (1, 5, 5), (512, 5, 5), (513, 5, 5), (5000, 0, 6), (5000, 6, 6), (5000, 6, 0)], check)
    lab = lab_held()
    lab.server.answer = lambda packet: ("2.05", [], BODY[:300])
    lab.peer.advance(1)
    lab.is_complete(BODY[:300])


def test_fetch_without_etag_or_size():
    """Neither is needed."""
    lab = lab_held()
    lab.server.etag = lab.server.size2 = None
    lab.peer.advance(1)
    lab.is_complete()
    eq(lab.sink.sizes, [None])


def test_a_slow_server():
    """An empty ACK, and the response later."""
    lab = lab_held()
    lab.at_block(3, "")
    lab.peer.advance(1)
    eq((lab.sink.ends, lab.fetch.state), ([], "FETCHING"))
    packet = next(iter([packet for packet in lab.server.asked if packet.block2[0] == 3]))
    code, options, payload = lab.server.serve(packet)
    lab.server.peer.send(build("CON", code, 0x7777, packet.token, options, payload))
    lab.peer.advance(1)
    lab.is_complete()


def test_lost_datagrams():
    """Are sent again."""
    lab = lab_held()
    lab.server.answer = lambda packet: None if len(lab.server.asked) % 3 else lab.server.serve(packet)
    lab.peer.advance(600)
    lab.is_complete()


# -- interruptions -----------------------------------------------------------------------------------------------------


def test_resume_after_silence():
    """At the block where it was, over a new link, at growing distances after each time-out."""
    lab = lab_held()
    serve = lab.server.serve
    lab.server.answer = lambda packet: None if packet.block2[0] == 4 and lab.peer.now < 300000 else serve(packet)
    pauses = []
    while not lab.sink.ends:
        lab.peer.advance(0.1)
        if lab.fetch.state == "WAITING":
            if lab.fetch.link == "closed" and (not pauses or pauses[-1][1]):
                pauses.append([lab.peer.now, 0])
        elif pauses and not pauses[-1][1]:
            pauses[-1][1] = lab.peer.now
    lab.is_complete()
    waited = [(end - start) // 1000 for start, end in pauses]
    assert len(waited) == 3 and 9 <= waited[0] <= 12 and 19 <= waited[1] <= 25 and 39 <= waited[2] <= 50, waited
    eq((lab.server.numbers()[-6:], lab.sink.sizes), (list(range(4, 10)), [5000]))


def test_resume_after_a_lost_link():
    """The same, as soon as the link can be opened."""
    lab = lab_held()
    lab.at_block(4, None)
    lab.peer.advance(1)
    lab.fetch.link_down("gone", lab.peer.now)
    lab.server.works = False
    lab.peer.advance(20)
    eq((lab.fetch.state, len(lab.sink.got)), ("WAITING", 2048))
    lab.server.works = True
    lab.peer.advance(60)
    lab.is_complete()
    eq(lab.server.numbers(), [0, 1, 2, 3, 4] + list(range(4, 10)))


def test_resume_of_what_has_changed():
    """Another ETag after the interruption: from the beginning, the sink as well."""
    lab = lab_held()
    lab.at_block(4, None)
    lab.peer.advance(1)
    lab.fetch.link_down("gone", lab.peer.now)
    lab.server.body, lab.server.etag = OTHER, b"e2"
    lab.peer.advance(60)
    lab.is_complete(OTHER)
    eq((lab.sink.sizes, lab.server.numbers()), ([5000, 5001], [0, 1, 2, 3, 4, 4] + list(range(10))))


def test_resume_of_what_has_become_shorter():
    """No such block: from the beginning."""
    for code in ("4.00", "4.02", "4.04", "4.08"):
        lab = Lab(body=BODY[:700], start=2048, etag=b"e0", run=False)
        lab.at_block(4, code)
        lab.peer.advance(1)
        lab.is_complete(BODY[:700])


def test_resume_from_an_earlier_download():
    """By offset and ETag; nothing before is asked for."""
    lab = lab_held(start=2048, etag=b"e1")
    lab.sink.got = BODY[:2048]
    lab.peer.advance(1)
    lab.is_complete()
    eq((lab.sink.sizes, lab.server.numbers()), ([], list(range(4, 10))))


def test_a_busy_server():
    """5.03: after Max-Age; other errors of a server, 4.08 and 4.29: after the usual pause."""

    def check(answer, least_s, most_s):
        lab = lab_held()
        lab.at_block(0, answer)
        lab.peer.advance(1)
        eq(lab.fetch.state, "WAITING")
        lab.peer.advance(least_s - 2)
        eq(lab.server.numbers(), [0])
        lab.peer.advance(most_s - least_s + 2)
        lab.is_complete()

    each([(("5.03", [(14, 100)]), 100, 125), (("4.29", [(14, 3)]), 3, 4), ("5.00", 10, 13), ("4.08", 10, 13)], check)


def test_stop_and_start():
    """A stop ends nothing for good; a second start is none."""
    lab = lab_held()
    lab.at_block(4, None)
    lab.peer.advance(1)
    lab.fetch.stop(lab.peer.now)
    lab.peer.advance(500)
    eq((lab.fetch.link, lab.sink.ends, len(lab.server.numbers())), ("closed", [], 5))
    lab.fetch.start(lab.peer.now)
    lab.fetch.start(lab.peer.now)
    lab.peer.client.wake()
    lab.peer.advance(1)
    lab.is_complete()


# -- failures ----------------------------------------------------------------------------------------------------------


def test_nobody_there():
    """ConnectionLost after six attempts, at growing distances."""
    lab = lab_held()
    lab.server.works = False
    lab.peer.advance(100)
    eq(lab.fetch.state, "WAITING")
    lab.ends_with(ConnectionLost)
    lab = lab_held()
    lab.server.silent = True
    lab.ends_with(ConnectionLost)
    attempts = sorted({packet.mid: packet.at for packet in lab.server.peer.sent}.values())
    eq(len(attempts), 6)
    for number in range(5):
        assert attempts[number + 1] - attempts[number] > 40000, attempts


def test_refused():
    """4.xx to the first block: the URI is wrong."""
    for code in ("4.00", "4.01", "4.03", "4.04", "4.05", "4.06"):
        lab = lab_held()
        lab.server.answer = lambda packet, code=code: code
        lab.ends_with(InvalidUri, 1)


def test_a_server_that_never_ends():
    """Until the sink is full."""
    lab = lab_held(limit=20000)
    lab.server.answer = lambda packet: ("2.05", [(23, block(packet.block2[0], True, 5))], b"x" * 512)
    lab.ends_with(NotEnoughStorage)
    eq(len(lab.sink.got), 20000 // 512 * 512)


def test_a_server_that_lies_about_the_size():
    """Less or more than announced: nobody knows what that was."""
    for size2 in (1, 4999, 5001, 1 << 31):
        lab = lab_held()
        lab.server.size2 = size2
        lab.ends_with(ConnectionLost)


def test_a_server_that_makes_no_sense():
    """Blocks of the wrong length or number, reserved sizes, changes without end, RST, other codes: it ends."""

    def changing(packet):
        return "2.05", [(4, bytes([packet.mid & 255])), (23, block(packet.block2[0], True, 5))], b"x" * 512

    def flapping(packet):
        num = packet.block2[0] % 3
        return "2.05", [(4, b"%d" % (packet.mid & 1)), (23, block(num, True, 5))], b"x" * 512

    answers = [changing, flapping, "RST", "2.03", "2.04", "5.00", "2.31"]
    for value, length in (
        (block(0, True, 5), 511),
        (block(0, True, 5), 0),
        (block(0, False, 5), 513),
        (7, 5),
        (block(9, True, 5), 512),
    ):
        answers.append(lambda packet, value=value, length=length: ("2.05", [(23, value)], b"x" * length))
    for answer in answers:
        lab = lab_held()
        lab.server.answer = lambda packet, answer=answer: answer(packet) if callable(answer) else answer
        lab.ends_with(ConnectionLost, 20000)
        assert len(lab.server.asked) < 60, len(lab.server.asked)


def test_requests_of_the_file_server():
    """Get no answer: it is no LwM2M server."""
    lab = lab_held()
    lab.at_block(4, None)
    lab.peer.advance(1)
    for path in ("/3/0/0", "/5/0/3"):
        eq(lab.server.peer.get(path), None)
    lab.server.peer.send(b"\x00\xff")
    eq(lab.fetch.state, "FETCHING")
    lab.server.answer = lab.server.serve
    lab.peer.advance(10)
    lab.is_complete()


def test_garbage():
    """Whatever the other end sends, the client lives, and the download ends or goes on."""
    state = 7
    for junk in noise(300, 40):
        lab = lab_held(limit=3000)
        lab.at_block(state % 3, None)
        lab.peer.advance(0)
        asked = lab.server.asked[-1]
        state = xorshift32(state)
        head = bytes([0x60 + len(asked.token), (0x45, 0x45, 0x5F, 0x84, 0xA3, 0x00, 0x01)[state % 7]])
        lab.server.peer.send(head + asked.raw[2 : 4 + len(asked.token)] + junk)
        lab.server.peer.send(junk)
        lab.server.answer = lambda packet: "4.04"
        lab.peer.advance(2000)
        eq((len(lab.sink.ends), lab.peer.state), (1, "REGISTERED"))
