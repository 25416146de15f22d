"""CoAP over TCP (RFC 8323): frames by known bytes, and a client that registers over it."""

from coap import tcp
from coap.errors import FormatError
from coap.exchange import Parameters
from configurations import device
from lwm2m import Client
from support import each, eq, raises, unhex

FRAMES = (
    ("01 43 7f", 0x43, b"\x7f", (), b""),  # RFC 8323 section 3.2, figure 5
    ("00 e1", 0xE1, b"", (), b""),
    ("70 e1 22 04 80 20 ff 68 69", 0xE1, b"", ((2, 1152), (4, b"")), b"hi"),
    ("d0 61 01 ff" + " 7a" * 109, 1, b"", (), b"z" * 109),  # 110 = 13 + 0x61
    ("d0 ff 61 ff" + " 7a" * 267, 0x61, b"", (), b"z" * 267),  # 268 = 13 + 0xff
    ("e1 00 00 45 aa ff" + " 7a" * 268, 0x45, b"\xaa", (), b"z" * 268),  # 269
)


def test_frames():
    """Length nibbles 0 to 12, 13 and 14."""

    def check(expected, code, token, options, payload):
        expected = unhex(expected)
        eq(tcp.frame(code, token, options, payload), expected)
        eq(tcp.frame_length(expected + b"more"), len(expected))
        for cut in range(min(len(expected), 4)):
            found = tcp.frame_length(expected[:cut])
            assert found is None or found == len(expected), (cut, found)

    each(FRAMES, check)


def test_lengths_that_are_refused():
    """A token of 9 bytes, a message that is longer than we take, one of 4 GB."""
    for data in ("09 01", "e0 ff ff 01", "f0 ff ff ff ff 01"):
        raises(FormatError, tcp.frame_length, unhex(data))


class Line:
    """An exchange with what it has sent and been asked."""

    def __init__(self):
        self.sent = []
        self.asked = []
        self.answer = (0x45, ((12, 0),), b"87")
        self.exchange = tcp.Exchange(Parameters(), self.sent.append, self._handle, lambda limit: 0)

    def _handle(self, message, now):
        self.asked.append((message.code, message.options.all(11), bytes(message.payload)))
        return self.answer

    def receive(self, text):
        """The frames that come back, as one text."""
        self.sent.clear()
        problem = self.exchange.receive(unhex(text), 0)
        return problem, b"".join(self.sent)


def test_requests_are_answered():
    """GET /3/0/9 with token 01 02, twice in one go; silence where the client wants it."""
    line = Line()
    get = "62 01 01 02 b1 33 01 30 01 39"
    answer = unhex("42 45 01 02 c0 ff 38 37")
    eq(line.receive(get + get), (None, answer + answer))
    eq(line.asked, [(1, [b"3", b"0", b"9"], b"")] * 2)
    for nothing in (None, False):
        line.answer = nothing
        eq(line.receive(get), (None, b""))


def test_signaling():
    """Ping with token and custody, a CSM with what we need not know; Release and Abort end the connection."""
    line = Line()
    eq(line.receive("01 e2 aa"), (None, unhex("01 e3 aa")))
    eq(line.receive("11 e2 aa 20"), (None, unhex("11 e3 aa 20")))
    eq(line.receive("40 e1 22 04 80 20"), (None, b""))
    eq(line.receive("00 e3"), (None, b""))
    raises(OSError, line.receive, "00 e4")
    raises(OSError, line.receive, "00 e5")
    raises(OSError, line.receive, "10 e1 10")  # option 1 is critical and unknown
    eq(b"".join(line.sent), unhex("20 e5 21 01"))


def test_broken_frames():
    """An option past the end: Abort."""
    line = Line()
    problem, sent = line.receive("20 01 b4 33")
    eq((problem, sent[:4], sent[4:]), ("option past the end", unhex("d0 07 e5 ff"), b"option past the end"))


def test_our_requests():
    """Matched by token; given up after MAX_TRANSMIT_WAIT; late and foreign answers are ignored."""
    line = Line()
    replies = []

    def on_reply(message, now):
        replies.append((now, message and message.code))

    line.exchange.request(2, ((11, b"rd"),), b"x", on_reply, 0)
    eq(line.sent, [unhex("52 02 00 01 b2 72 64 ff 78")])
    eq((line.exchange.busy, line.exchange.poll(0)), (True, 93000))
    eq(line.receive("02 41 00 09"), (None, b""))
    eq(line.receive("02 41 00 01"), (None, b""))
    eq((replies, line.exchange.busy), ([(0, 0x41)], False))
    line.exchange.request(2, (), b"", on_reply, 1000)
    eq(line.exchange.poll(93999), 94000)
    eq(line.exchange.poll(94000), None)
    eq(replies[1:], [(94000, None)])
    line.receive("02 41 00 02")
    eq(len(replies), 2)


def test_int_106_tcp_binding():
    """TCP binding: Register with b=T, management and notifications over one connection"""
    client = Client("dev1", [{"uri": "coap+tcp://server1", "ssid": 1, "lifetime": 300, "binding": "T"}])
    client.add(device())
    (registration,) = client.registrations
    client.start(0)
    client.poll(0)
    eq(registration.link, "opening")
    registration.link_up(0)
    (register,) = registration.outbox
    registration.outbox.clear()
    eq(register[0] & 15, 2)
    token = register[3:5] if register[0] >> 4 == 13 else None
    for query in (b"ep=dev1", b"lt=300", b"lwm2m=1.1", b"b=T"):
        assert query in register, register
    client.receive(registration, unhex("82 41") + token + unhex("82 72 64 04 35 61 33 66"), 10)
    eq((registration.state, registration.location), ("REGISTERED", [b"rd", b"5a3f"]))
    client.receive(registration, unhex("72 01 0a 0b 60 51 33 01 30 01 30"), 20)  # Observe /3/0/0
    answer = registration.outbox.pop()
    eq((answer[1:4], answer[-4:]), (unhex("45 0a 0b"), b"ACME"))
    client.tree.objects[3][0].set("manufacturer", "ACME 2")
    client.poll(30)
    (told,) = registration.outbox
    eq((told[1:4], told[-6:]), (unhex("45 0a 0b"), b"ACME 2"))
    registration.outbox.clear()
    registration.link_down("closed by the server", 40)
    eq(registration.state, "LOST")


def test_a_bootstrap_server_over_tcp():
    """POST /bs goes out as a frame once the link is there, and its answer and requests are frames."""
    from configurations_bootstrap import Memory
    from lwm2m import accounts

    client = Client("dev1", [])
    client.add(device())
    accounts.furnish(client, {"uri": "coap+tcp://bs", "hold_off": 0}, Memory(), b"mark")
    bootstrap = client.bootstrap
    client.start(0)
    client.poll(0)
    eq((bootstrap.state, bootstrap.link, isinstance(bootstrap.exchange, tcp.Exchange)), ("CONNECTING", "opening", True))
    bootstrap.link_up(0)
    (request,) = bootstrap.outbox
    bootstrap.outbox.clear()
    length = 2 if request[0] >> 4 == 13 else 1
    token = request[length + 1 : length + 1 + (request[0] & 15)]
    eq((tcp.frame_length(request), request[length], len(token)), (len(request), 2, 2))
    eq(request[length + 1 + len(token) :], unhex("b2 62 73") + b"\x47ep=dev1" + b"\x07pct=112")
    client.receive(bootstrap, unhex("02 44") + token, 10)
    eq(bootstrap.state, "BOOTSTRAPPING")
    client.receive(bootstrap, unhex("21 04 0a b1 31"), 20)  # DELETE /1
    eq(bootstrap.outbox, [unhex("01 42 0a")])
    bootstrap.link_down("closed by the server", 30)
    eq(bootstrap.state, "WAITING")


def test_a_time_out_that_ends_the_others():
    """Two requests are overdue, and what the first one leads to gives up everything."""
    line = Line()
    gone = []
    line.exchange.request(2, (), b"", lambda message, now: (gone.append(1), line.exchange.reset()), 0)
    line.exchange.request(2, (), b"", lambda message, now: gone.append(2), 0)
    eq((line.exchange.poll(93000), gone, line.exchange.busy), (None, [1], False))


def test_names_that_cannot_be_encoded():
    """A label over 63 characters, and an empty one: no link, and nothing else."""
    from lwm2m.transport.tcp import Transport

    each([("a" * 64,), ("a..b",)], lambda host: raises(OSError, Transport(host, 5683).open))
