"""Hostile datagrams: a registered client outlives 100,000 mutations of valid ones, and still knows what it knew.

The mutations are the same in each run. A 5.00 is a failure too: it says that something raised what nobody expected.
"""

from lwm2m import log
from lwm2m.object import Object
from lwm2m.objects.device import Device
from lwm2m.objects.ipso import Temperature
from packet import block, build
from peer import Peer
from support import eq, show, xorshift32

ROUNDS = 100000

log.level("error")


class Zoo(Object):
    """Every type; /33000/0/20 never changes."""

    OID = 33000
    RES = """
    0  RW! str     text   0..40
    1  RW  int     whole  -100..100
    2  RW  uint    count
    3  RW  float   real
    4  RW  bool    flag
    5  RW  opaque  blob
    6  RW  time    when
    7  RW  link    target
    8  RW  corelnk links
    9  RW* int     many
    10 RW* str     names
    11 E   none    act
    12 E   none    later
    13 W   opaque  image
    14 R   float   absent
    20 R!  str     fixed
    """
    absent = None
    fixed = "as it was"

    def __init__(self):
        self.text, self.whole, self.count, self.real, self.flag = "t", -5, 7, 1.5, True
        self.blob, self.when, self.target, self.links = b"\0\xff", 1700000000, (65535, 65535), "</3>"
        self.many, self.names, self.image = {0: 1, 7: -1}, {0: "a"}, b""
        self.acts = 0

    def act(self, arguments):
        self.acts += 1
        return self.acted

    def acted(self):
        self.set("count", self.acts)

    def later(self, arguments):
        yield 20
        self.acts += 1

    def stream_image(self, size):
        return self

    def write(self, data):
        self.streamed = len(data)

    def close(self):
        self.set("flag", not self.flag)

    abort = close


class Cub(Zoo):
    OID = 33001


def requests():
    """The parts of valid requests: type, code, Message ID, token, options, payload."""
    zoo = (11, "33000"), (11, "0")
    tlv = b"\xc2\x00hi\xc1\x01\x05\x86\x09\x41\x00\x01\x41\x07\x02\xe8\x00\x05\x03abc"
    found = []

    def add(method, options, payload=b"", type="CON"):
        number = len(found)
        found.append(build(type, method, 0x4000 + number, b"\xf0%c" % number, options, payload))

    for path in (
        "3",
        "3/0",
        "3/0/13",
        "33000/0",
        "33000/0/20",
        "33000/0/9/7",
        "3303/0/5700",
        "1/0/1",
        "0/0/0",
        "9/9/9",
    ):
        segments = tuple([(11, segment) for segment in path.split("/")])
        add("GET", segments)
        add("GET", segments + ((17, 11542),), type="NON")
        add("GET", segments + ((17, 40),))
        add("GET", segments + ((6, 0),))
        add("GET", segments + ((23, block(1, 0, 0)),))
        add("DELETE", segments)
        add("PUT", segments + ((15, "pmin=1"), (15, "pmax=9"), (15, "gt=2.5"), (15, "st=0.5")))
    for rid, content_format, payload in (
        (0, 0, b"text"),
        (1, 0, b"-99"),
        (3, 0, b"1.5e3"),
        (4, 0, b"1"),
        (5, 42, b"\0\1\2"),
        (5, 0, b"AAECAw=="),
        (6, 0, b"1700000001"),
        (7, 0, b"3:0"),
        (8, 0, b"</1/0>"),
        (9, 11542, b"\x86\x09\x41\x00\x01\x41\x07\x02"),
        (1, 11542, b"\xc1\x01\x05"),
        (13, 42, b"0123456789abcdef"),
    ):
        target = zoo + ((11, str(rid)), (12, content_format))
        add("PUT", target, payload)
        add("PUT", target + ((27, block(0, 1, 0)), (60, 32)), b"0123456789abcdef")
        add("PUT", target + ((27, block(1, 0, 0)),), payload[:16])
    for method in ("PUT", "POST"):
        add(method, zoo + ((12, 11542),), tlv)
        add(method, zoo + ((12, 11542), (27, block(0, 1, 0))), tlv[:16])
        add(method, zoo + ((12, 11542), (27, block(1, 0, 0))), tlv[16:])
    add("POST", ((11, "33001"), (12, 11542)), tlv)
    add("POST", ((11, "33001"), (12, 11542)), b"\x08\x07\x03\xc1\x01\x05")
    add("DELETE", ((11, "33001"), (11, "0")))
    for path in ("33000/0/11", "33000/0/12", "3/0/12", "1/0/4", "1/0/8", "3303/0/5605"):
        add("POST", tuple([(11, segment) for segment in path.split("/")]), b"0='on',1")
    add("GET", ((3, "host"), (7, 5683)) + zoo + ((6, 1),))
    for method in ("FETCH", "PATCH", "iPATCH", 0x1F):
        add(method, ((12, 112), (17, 112)), b"\x81\x66/3/0/0")
    return found


def replies(mid, token):
    """Valid answers to a message of the client's."""
    return (
        build("ACK", "", mid),
        build("RST", "", mid),
        build("ACK", "2.04", mid, token),
        build("ACK", "2.01", mid, token, ((8, "rd"), (8, "zz"))),
        build("ACK", "2.31", mid, token, ((27, block(0, 1, 1)),)),
        build("ACK", "4.13", mid, token, ((27, block(0, 1, 0)), (60, 64))),
        build("CON", "5.03", mid ^ 1, token, ((14, 5),), b"busy"),
        build(
            "NON", "2.05", mid ^ 1, token, ((4, b"tag"), (12, 0), (23, block(0, 1, 0)), (28, 99)), b"0123456789abcdef"
        ),
        build("CON", "", mid),
    )


class Fuzzer:
    """Pseudo-random numbers, and what they do to a datagram."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = xorshift32(self.state)
        return (self.state >> 4) % limit

    def mutated(self, datagram):
        """The datagram with up to three changes: a bit, a byte, a piece left out, doubled or moved; or as it is."""
        data = bytearray(datagram)
        for _ in range(self.below(4)):
            if not data:
                break
            at = self.below(len(data))
            kind = self.below(8)
            if kind < 3:
                data[at] ^= 1 << kind + self.below(6)
            elif kind < 5:
                data[at] = (0, 255, 0x0D, 0xEE, self.below(256))[self.below(5)]
            elif kind == 5:
                data = data[:at]
            elif kind == 6:
                data = data[:at] + data[at + 1 + self.below(4) :]
            else:
                data = data[:at] + data[at - self.below(8) if at > 8 else 0 :]
        return bytes(data)


def bring_back(peer):
    """Let the client register again if it was talked out of it."""
    peer.silent = False
    for _ in range(1000):
        if peer.state == "REGISTERED":
            return
        peer.forget()
        peer.advance(10)
    raise AssertionError("the client stays " + peer.state)


def check(peer, datagram):
    """Look at what the client wants to send, without the cost of parsing all of it."""
    outbox = peer.registration.outbox
    for sent in outbox:
        if sent[1] == 0xA0 or len(sent) > 1200 or sent[0] >> 6 != 1:
            raise AssertionError("%s led to %s" % (show(datagram), show(sent)))


def fresh():
    """(peer, its Register) of a new client."""
    objects = [Device(reboot=lambda: None, serial="0815"), Temperature(lambda: 21.5), Zoo()]
    peer = Peer(objects, [Cub], BLOCK_SIZE=64, INSTANCES=4, SAMPLE_ms=10000)
    peer.registration.account.disable_timeout = 1
    return peer, peer.register()


def test_mutations():
    """100,000 of them, with time going on and the server answering now and then."""
    peer, recent = fresh()
    fuzzer = Fuzzer(20261122)
    valid = requests()
    for count in range(ROUNDS):
        if fuzzer.below(8):
            datagram = valid[fuzzer.below(len(valid))]
            if fuzzer.below(16):  # else it may be a repeat
                datagram = datagram[:2] + bytes([count >> 8 & 255, count & 255]) + datagram[4:]
        else:
            answers = replies(recent.mid, recent.token)
            datagram = answers[fuzzer.below(len(answers))]
        datagram = fuzzer.mutated(datagram)
        peer.client.receive(peer.registration, datagram, peer.now)
        check(peer, datagram)
        if not peer.client.registrations:  # a mutation became DELETE /1/0: the server has given up its account
            peer.advance(100)
            eq(peer.client.sessions, [])
            peer, recent = fresh()
        if count % 50:
            peer.registration.outbox.clear()
            continue
        peer.forget()
        peer.silent = bool(fuzzer.below(2))
        peer.advance(0.3)
        recent = peer.sent[-1] if peer.sent else recent
        if count % 1000 == 0:
            bring_back(peer)
            reply = peer.get("/33000/0/20", accept=0)
            eq((reply.code, reply.payload), ("2.05", b"as it was"))
    bring_back(peer)
    body, _ = peer.get_blocks("/33000/0", accept=11542)
    assert b"as it was" in body
    eq(peer.get("/3/0/2").payload, b"0815")
