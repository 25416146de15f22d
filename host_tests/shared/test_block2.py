"""Block2 (RFC 7959): our answers in blocks. A test whose name ends in x22 is X-22 of the conformance list."""

from lwm2m import log
from lwm2m.object import Object
from peer import Peer
from support import eq

BODY = bytes([index * 7 & 255 for index in range(1000)])
OTHER = bytes([index * 5 & 255 for index in range(1000)])
PATH = "/33000/0/0"

log.level("error")


class Box(Object):
    OID = 33000
    RES = """
    0 RW! opaque blob
    1 R   str    text
    2 R   float  number
    """

    def __init__(self, blob=BODY, text="t" * 300):
        self.blob, self.text, self.number = blob, text, 1.5


def ready(size=64, **settings):
    """A registered Peer and its Box; blocks of `size` bytes."""
    box = Box()
    peer = Peer([box], BLOCK_SIZE=size, **settings)
    peer.register()
    return peer, box


def test_x_22_read():
    """The first block names the size and an ETag, all carry the same ETag, and together they are the value."""
    peer, _ = ready()
    body, replies = peer.get_blocks(PATH)
    eq(body, BODY)
    eq([reply.block2 for reply in replies], [(num, num < 15, 2) for num in range(16)])
    eq([reply.content_format for reply in replies], [42] * 16)
    eq([len(reply.etag) for reply in replies], [4] * 16)
    eq(len({reply.etag for reply in replies}), 1)
    eq([reply.size2 for reply in replies], [1000] + [None] * 15)


def test_x_22_read_of_an_object():
    """TLV that is longer than a block, and Discover."""
    peer, _ = ready(128)
    body, replies = peer.get_blocks("/33000")
    eq((len(replies), replies[0].size2, replies[0].content_format), (11, len(body), 11542))
    assert BODY in body and b"t" * 300 in body
    peer.client.add(Box())
    body, replies = peer.get_blocks("/33000", accept=40, szx=1)
    assert body.startswith(b"</33000>") and body.endswith(b"</33000/1/2>"), body
    eq([reply.content_format for reply in replies], [40] * len(replies))


def test_what_fits_is_not_split():
    """Up to BLOCK_SIZE bytes go as they are."""
    peer, box = ready()
    for length, blocks in ((64, 1), (65, 2)):
        box.blob = BODY[:length]
        reply = peer.get(PATH)
        eq(reply.block2, None if blocks == 1 else (0, True, 2))
        eq(peer.get_blocks(PATH)[0], BODY[:length])
    box.blob = b""
    eq(peer.get(PATH).payload, b"")


def test_small_answer_to_a_request_with_block2():
    """It says that it is all; no ETag is needed for that."""
    peer, _ = ready()
    reply = peer.get("/33000/0/2", accept=0, block2=(0, False, 1))
    eq((reply.payload, reply.block2, reply.etag, reply.size2), (b"1.5", (0, False, 1), None, None))
    eq(peer.put("/33000/0/0", b"x", content_format=42, block2=(0, False, 1)).code, "2.04")
    eq(peer.put("/33000/0/0", b"x", content_format=42, block2=(1, False, 1)).code, "4.08")


def test_x_23_early_negotiation():
    """The server may ask for smaller blocks, and gets none that are bigger than ours."""
    peer, _ = ready()
    for szx, given in ((0, 0), (2, 2), (5, 2)):
        body, replies = peer.get_blocks(PATH, szx=szx)
        eq(body, BODY)
        eq({reply.block2[2] for reply in replies}, {given})


def test_x_23_block_size_changes():
    """In the middle of a read: the offset is NUM times the new size."""
    peer, _ = ready()
    first = peer.get(PATH)
    reply = peer.get(PATH, block2=(5, False, 0))
    eq((reply.payload, reply.block2, reply.etag), (BODY[80:96], (5, True, 0), first.etag))
    reply = peer.get(PATH, block2=(2, False, 6))
    eq(
        (reply.payload, reply.block2),
        (BODY[2048:2112] or None, None) if reply.code == "2.05" else (b"no such block", None),
    )
    reply = peer.get(PATH, block2=(1, False, 4))
    eq((reply.payload, reply.block2), (BODY[256:320], (4, True, 2)))


def test_random_access():
    """Any block at any time, the first time as well; none beyond the end; the reserved SZX is 4.00."""
    peer, box = ready()
    for num in (15, 3, 15, 7, 0, 8):
        reply = peer.get(PATH, block2=(num, False, 2))
        eq((reply.payload, reply.block2), (BODY[num * 64 : num * 64 + 64], (num, num < 15, 2)))
    for num in (16, 17, 0xFFFFF):
        eq(peer.get(PATH, block2=(num, False, 2)).code, "4.00")
    eq(peer.get(PATH, block2=(25, False, 0)).payload, BODY[400:416])
    eq(peer.get("/33000/0/1", block2=(4, False, 2)).payload, b"t" * 44)
    box.text = "t" * 256
    eq([peer.get("/33000/0/1", block2=(num, False, 2)).code for num in (0, 3, 4)], ["2.05", "2.05", "4.00"])
    eq(peer.get(PATH, block2=(0, False, 7)).code, "4.00")
    eq(peer.get("/33000/0/9", block2=(3, False, 2)).code, "4.04")
    eq(peer.get("/33000/0/2", accept=0, block2=(1, False, 2)).code, "4.00")


def test_x_25_value_changes_between_blocks():
    """Who began to read goes on with what it was; who begins now gets the new value under another ETag."""
    peer, box = ready()
    first = peer.get(PATH)
    box.set("blob", OTHER)
    reply = peer.get(PATH, block2=(1, False, 2))
    eq((reply.payload, reply.etag), (BODY[64:128], first.etag))
    body, replies = peer.get_blocks(PATH)
    eq(body, OTHER)
    assert replies[0].etag != first.etag
    eq(peer.get(PATH, block2=(2, False, 2)).etag, replies[0].etag)


def test_parallel_reads():
    """Of one path and of several: every block fits to its ETag, which stays the same as long as the value does."""
    peer, box = ready()
    one = [peer.get(PATH)]
    two = [peer.get(PATH)]
    other = [peer.get("/33000/0/1")]
    for num in range(1, 5):
        one.append(peer.get(PATH, block2=(num, False, 2)))
        other.append(peer.get("/33000/0/1", block2=(num, False, 2)))
        two.append(peer.get(PATH, block2=(num, False, 2)))
    for replies, wanted in ((one, BODY[:320]), (two, BODY[:320]), (other, b"t" * 300)):
        eq(b"".join([reply.payload for reply in replies]), wanted)
        eq(len({reply.etag for reply in replies}), 1)
    peer.get("/33000/0/1")
    box.set("blob", OTHER)
    reply = peer.get(PATH, block2=(5, False, 2))
    eq(reply.payload, OTHER[320:384])
    assert reply.etag != one[0].etag


def test_formats_are_told_apart():
    """The rest of a read in one format is not taken from another."""
    peer, _ = ready()
    tlv = peer.get(PATH, accept=11542)
    octets = peer.get(PATH, accept=42, block2=(1, False, 2))
    eq((octets.content_format, octets.payload), (42, BODY[64:128]))
    again = peer.get(PATH, accept=11542, block2=(1, False, 2))
    eq((again.content_format, again.etag), (11542, tlv.etag))
    eq(peer.get(PATH, accept=50, block2=(1, False, 2)).code, "4.06")


def test_nothing_is_kept_for_ever():
    """The rendering is dropped 93 s after its last use; a block asked for later is rendered anew."""
    peer, box = ready(lifetime=86400)
    first = peer.get(PATH)
    eq(peer.client.due, 0)  # it wants to be polled, for a new deadline
    peer.advance(60)
    peer.get(PATH, block2=(1, False, 2))
    peer.advance(92)
    assert peer.registration.blocks._body
    peer.advance(2)
    eq(peer.registration.blocks._body, None)
    eq(peer.get(PATH, block2=(1, False, 2)).etag, first.etag)
    box.blob = OTHER
    peer.advance(100)
    assert peer.get(PATH, block2=(1, False, 2)).etag != first.etag


def test_repeated_request_for_a_block():
    """The same bytes again."""
    peer, _ = ready()
    peer.get(PATH)
    reply = peer.get(PATH, block2=(1, False, 2))
    eq(peer.again().raw, reply.raw)


# -- notifications ----------------------------------------------------------------------------------------------------


def test_x_24_notification():
    """It carries Observe and block 0; plain GETs with tokens of their own fetch the rest under the same ETag."""
    peer, box = ready()
    reply = peer.observe(PATH, token=b"\x07", accept=42)
    eq((reply.observe, reply.block2, reply.payload, reply.size2), (0, (0, True, 2), BODY[:64], 1000))
    eq(peer.get(PATH, block2=(1, False, 2)).observe, None)
    for turn in range(2):
        value = bytes([turn]) * 100 + BODY
        box.set("blob", value)
        peer.poll()
        (packet,) = peer.notifications(b"\x07")
        eq((packet.code, packet.observe, packet.block2, packet.payload), ("2.05", turn + 1, (0, True, 2), value[:64]))
        eq((packet.content_format, packet.size2), (42, 1100))
        body = packet.payload
        for num in range(1, 18):
            reply = peer.get(PATH, accept=42 if turn else None, block2=(num, False, 2))
            eq((reply.etag, reply.observe, reply.block2), (packet.etag, None, (num, num < 17, 2)))
            body += reply.payload
        eq(body, value)


def test_observe_with_early_negotiation():
    """Observe with Block2 0 registers; with any other block it is a plain read (section 2.6)."""
    peer, box = ready()
    eq(peer.observe(PATH, token=b"\x08", block2=(1, False, 0)).observe, None)
    reply = peer.observe(PATH, token=b"\x07", block2=(0, False, 0))
    eq((reply.observe, reply.block2, reply.payload), (0, (0, True, 0), BODY[:16]))
    box.set("blob", b"short")
    peer.poll()
    eq([(packet.token, packet.payload, packet.block2) for packet in peer.notifications()], [(b"\x07", b"short", None)])


def test_notification_in_the_block_size_of_its_observe():
    """Also what would have fit into a block of ours (RFC 7959 section 3.4)."""
    peer, box = ready()
    eq(peer.observe(PATH, token=b"\x07", block2=(0, False, 1)).block2, (0, True, 1))
    for value in (b"x" + BODY, BODY[:50]):
        box.set("blob", value)
        peer.poll()
        (packet,) = peer.notifications(b"\x07")
        eq((packet.block2, packet.payload, packet.size2), ((0, True, 1), value[:32], len(value)))
        rest = peer.get(PATH, block2=(1, False, 1))
        eq((rest.payload, rest.etag), (value[32:64], packet.etag))
    box.set("blob", BODY[:32])
    peer.poll()
    eq([(packet.block2, packet.payload) for packet in peer.notifications()], [(None, BODY[:32])])
