"""Block1 (RFC 7959): a big write that goes to its consumer block by block."""

from coap.errors import BadRequest, RequestEntityTooLarge
from lwm2m import log
from lwm2m.object import Object
from peer import Peer
from support import eq

BODY = bytes([index * 7 & 255 for index in range(4000)])
PATH = "/33001/0/1"

log.level("warning")


class Sink:
    """Notes what it gets; `limit` bytes are too many for it."""

    def __init__(self, image, size):
        self.image = image
        image.calls.append(("open", size))

    def write(self, data):
        if self.image.broken:
            raise OSError(5)
        self.image.longest = max(self.image.longest, len(data))
        self.image.streamed += len(data)
        self.image.checksum = (self.image.checksum * 31 + sum(data)) % 65521
        if self.image.streamed > self.image.limit:
            raise RequestEntityTooLarge()

    def close(self):
        self.image.calls.append("close")
        if self.image.veto:
            raise BadRequest("not good enough")

    def abort(self):
        self.image.calls.append("abort")
        if self.image.stubborn:
            raise OSError(5)


class Image(Object):
    OID = 33001
    RES = """
    1 W! opaque image
    """

    def __init__(self):
        self.image = b""
        self.calls = []
        self.streamed = self.checksum = self.longest = 0
        self.limit, self.broken, self.veto = 1 << 30, False, False
        self.stubborn = False

    def stream_image(self, size):
        return Sink(self, size)


def ready(**settings):
    """A registered Peer and its Image."""
    image = Image()
    peer = Peer([image], **settings)
    peer.register()
    return peer, image


def put(peer, num, more, szx, data, **options):
    return peer.put(PATH, data, content_format=42, block1=(num, more, szx), **options)


def test_stream():
    """A body far beyond MAX_BODY goes to its consumer block by block."""
    peer, image = ready(BLOCK_SIZE=1024, MAX_BODY=100)
    body = BODY * 10
    replies = peer.put_blocks(PATH, body, szx=6, content_format=42, size1=len(body))
    eq((len(replies), replies[-1].code), (40, "2.04"))
    eq((image.calls, image.streamed, image.longest), ([("open", 40000), "close"], 40000, 1024))
    checksum = 0
    for start in range(0, 40000, 1024):
        checksum = (checksum * 31 + sum(body[start : start + 1024])) % 65521
    eq(image.checksum, checksum)
    eq(peer.put(PATH, body[39 * 1024 :], content_format=42, block1=(39, False, 6)).code, "2.04")
    eq((image.calls[-1], image.streamed), ("close", 40000))


def test_stream_needs_octets():
    """Any other format is collected, as it must be decoded."""
    peer, image = ready()
    tlv = b"\xc8\x01\x14" + b"x" * 20
    eq(peer.put_blocks(PATH, tlv, szx=0, content_format=11542)[-1].code, "2.04")
    eq((image.calls, image.image), ([], b"x" * 20))


def test_stream_is_aborted():
    """By a restart, by what it raises itself at any time, and by its own veto; a repeat then gets the same answer."""
    peer, image = ready()
    put(peer, 0, True, 0, b"a" * 16)
    put(peer, 0, True, 0, b"a" * 16, size1=99)
    eq(image.calls, [("open", None), "abort", ("open", 99)])
    image.broken = True
    for _ in range(2):
        eq(put(peer, 1, True, 0, b"a" * 16).code, "5.03")
    eq(image.calls[3:], ["abort"])
    eq(put(peer, 2, False, 0, b"a").code, "4.08")
    image.broken, image.limit = False, 60
    eq([reply.code for reply in peer.put_blocks(PATH, b"z" * 100, szx=0, content_format=42)], ["2.31", "4.13"])
    eq(image.calls[4:], [("open", None), "abort"])
    image.limit, image.veto = 1000, True
    eq([reply.code for reply in peer.put_blocks(PATH, b"z" * 20, szx=0, content_format=42)], ["2.31", "4.00"])
    eq(put(peer, 1, False, 0, b"zzzz").code, "4.00")
    eq(image.calls[6:], [("open", None), "close", "abort"])


def test_stream_ends_with_the_registration_and_with_time():
    """A new registration, or 247 s without a block."""
    peer, image = ready()
    put(peer, 0, True, 0, b"a" * 16)
    peer.script("4.04")
    peer.registration.update_wanted = True
    peer.poll()
    eq(image.calls, [("open", None), "abort"])
    put(peer, 0, True, 0, b"a" * 16)
    peer.advance(246)
    eq(len(image.calls), 3)
    peer.advance(2)
    eq(image.calls[2:], [("open", None), "abort"])
    eq(put(peer, 1, False, 0, b"a").code, "4.08")


def test_stream_that_cannot_even_be_aborted():
    """The client lives on."""
    peer, image = ready()
    image.stubborn = True
    put(peer, 0, True, 0, b"a" * 16)
    eq(put(peer, 0, True, 0, b"a" * 16).code, "2.31")
    peer.advance(250)
    eq(image.calls, [("open", None), "abort", ("open", None), "abort"])
    eq(put(peer, 0, True, 0, b"a" * 16).code, "2.31")


def test_stream_outlives_a_lost_link():
    """The server goes on where it was when the device is back."""
    peer, image = ready()
    put(peer, 0, True, 0, b"a" * 16)
    peer.registration.link_down("gone", peer.now)
    peer.advance(30)
    eq(peer.state, "REGISTERED")
    eq(put(peer, 1, False, 0, b"a").code, "2.04")
    eq(image.calls, [("open", None), "close"])
