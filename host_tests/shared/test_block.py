"""Block1 (RFC 7959): bodies that arrive in blocks. A test whose name ends in x13 is X-13 of the conformance list."""

from coap import block
from coap.errors import BadRequest
from lwm2m import log
from lwm2m.object import Object
from peer import Peer, peers
from support import each, eq, raises

BODY = bytes([index * 7 & 255 for index in range(4000)])
PATH = "/33000/0/0"

log.level("warning")


class Box(Object):
    OID = 33000
    RES = """
    0 RW! opaque blob
    1 W   opaque image
    2 RW  str    name
    3 R   str    label
    4 E   none   act
    5 RW* str    notes
    """

    def __init__(self):
        self.blob, self.image, self.name, self.label, self.notes = b"", b"", "", "fixed", {}
        self.arguments = None
        self.writes = 0

    def act(self, arguments):
        self.arguments = arguments

    def write_blob(self, value):
        self.writes += 1
        self.set("blob", value)


def ready(**settings):
    """A registered Peer and its Box."""
    box = Box()
    peer = Peer([box], [Box], **settings)
    peer.register()
    return peer, box


def put(peer, num, more, szx, data, path=PATH, **options):
    return peer.put(path, data, content_format=42, block1=(num, more, szx), **options)


# -- the option -----------------------------------------------------------------------------------------------------


def test_option_value():
    """NUM, M and SZX (section 2.2)."""
    cases = ((0x1D, (1, True, 5)), (0x12C6, (300, False, 6)), (0, (0, False, 0)), (0xFFFFFE, (0xFFFFF, True, 6)))
    each(cases, lambda value, parts: eq((block.parse(value), block.pack(*parts)), (parts, value)))
    raises(BadRequest, block.parse, 0x0F)
    eq([block.szx_of(16 << szx) for szx in range(7)], [0, 1, 2, 3, 4, 5, 6])


def test_insert():
    """Options stay in order, equal ones in the order they came."""
    eq(block.insert((), 27, 1), ((27, 1),))
    eq(block.insert([(11, b"rd"), (15, b"a")], 27, 1), ((11, b"rd"), (15, b"a"), (27, 1)))
    eq(block.insert(((4, 1), (27, 1), (60, 2)), 27, 3), ((4, 1), (27, 1), (27, 3), (60, 2)))
    eq(block.insert(((6, 1),), 4, 2), ((4, 2), (6, 1)))


# -- writes -----------------------------------------------------------------------------------------------------------


def test_x_13_x_19_opaque_write():
    """4 kB in blocks of 1024, 512 and 16: 2.31 echoes each, 2.04 the last; every block has another token."""
    for szx in (6, 5, 0):
        peer, box = ready(BLOCK_SIZE=1024)
        size = 16 << szx
        replies = peer.put_blocks(PATH, BODY, szx=szx, content_format=42, size1=len(BODY))
        last = len(replies) - 1
        eq(last, (len(BODY) - 1) // size)
        eq([reply.code for reply in replies], ["2.31"] * last + ["2.04"])
        eq([reply.block1 for reply in replies], [(num, num < last, szx) for num in range(last + 1)])
        eq(len({reply.token for reply in replies}), last + 1)
        eq([reply.payload for reply in replies], [b""] * (last + 1))
        eq(box.blob, BODY)
        eq(box.writes, 1)


def test_x_13_smaller_blocks_are_asked_for():
    """A block that is bigger than BLOCK_SIZE is taken, and the next shall be smaller (section 2.3)."""
    peer, box = ready(BLOCK_SIZE=64)
    reply = put(peer, 0, True, 6, BODY[:1024])
    eq((reply.code, reply.block1), ("2.31", (0, True, 2)))
    reply = put(peer, 16, True, 2, BODY[1024:1088])
    eq((reply.code, reply.block1), ("2.31", (16, True, 2)))
    eq(put(peer, 17, False, 2, b"end").block1, (17, False, 2))
    eq(box.blob, BODY[:1088] + b"end")


def test_one_block_is_no_transfer():
    """NUM 0 without more to come is carried out at once, each time."""
    peer, box = ready()
    for _ in range(2):
        reply = put(peer, 0, False, 6, b"all")
        eq((reply.code, reply.block1), ("2.04", (0, False, 6)))
    eq((box.blob, box.writes), (b"all", 2))
    eq(put(peer, 1, False, 6, b"more").code, "4.08")


def test_x_14_first_block_missing():
    """Blocks without a beginning are 4.08."""
    peer, box = ready()
    for more in (True, False):
        eq(put(peer, 1, more, 0, b"x" * 16).code, "4.08")
    eq(box.writes, 0)


def test_x_15_gap():
    """A block that is not the next is 4.08, but the right one may follow."""
    peer, box = ready()
    put(peer, 0, True, 0, BODY[:16])
    eq(put(peer, 2, True, 0, BODY[32:48]).code, "4.08")
    eq(put(peer, 2, False, 0, b"").code, "4.08")
    eq(put(peer, 1, True, 0, BODY[16:32]).code, "2.31")
    eq(put(peer, 0x7FFFF, True, 0, BODY[:16]).code, "4.08")
    eq(put(peer, 2, False, 0, b"").code, "2.04")
    eq(box.blob, BODY[:32])


def test_x_16_repeated_block():
    """With a new Message ID it gets the same answer, and nothing is written twice; after the last one too."""
    peer, box = ready()
    put(peer, 0, True, 0, BODY[:16])
    for _ in range(3):
        eq(put(peer, 1, True, 0, BODY[16:32]).block1, (1, True, 0))
    for _ in range(3):
        reply = put(peer, 2, False, 0, b"end")
        eq((reply.code, reply.block1), ("2.04", (2, False, 0)))
    eq((box.blob, box.writes), (BODY[:32] + b"end", 1))
    eq(peer.again().code, "2.04")
    eq(put(peer, 3, False, 0, b"more").code, "4.08")
    eq(box.writes, 1)


def test_repeated_last_block_that_was_refused():
    """The same error again."""
    peer, _ = ready()
    peer.put("/33000/0/2", b"\xff" * 16, content_format=0, block1=(0, True, 0))
    for _ in range(2):
        eq(peer.put("/33000/0/2", b"\xff", content_format=0, block1=(1, False, 0)).code, "4.00")
    eq(peer.put("/33000/0/2", b"more", content_format=0, block1=(2, False, 0)).code, "4.08")


def test_x_17_restart():
    """NUM 0 begins anew."""
    peer, box = ready()
    put(peer, 0, True, 1, b"a" * 32)
    put(peer, 1, True, 1, b"b" * 32)
    eq(put(peer, 0, True, 0, b"c" * 16).code, "2.31")
    eq(put(peer, 2, True, 1, b"b" * 32).code, "4.08")
    eq(put(peer, 1, False, 0, b"d").code, "2.04")
    eq((box.blob, box.writes), (b"c" * 16 + b"d", 1))


def test_x_18_bad_sizes():
    """The reserved SZX, and blocks that are not as long as they say, are 4.00; the transfer is not harmed."""
    peer, box = ready()
    put(peer, 0, True, 0, BODY[:16])
    eq(put(peer, 0, False, 7, b"x").code, "4.00")
    eq(put(peer, 1, True, 0, BODY[16:31]).code, "4.00")
    eq(put(peer, 1, True, 0, BODY[16:33]).code, "4.00")
    eq(put(peer, 1, False, 0, BODY[16:33]).code, "4.00")
    eq(put(peer, 1, True, 0, b"").code, "4.00")
    eq(peer.put(PATH, b"x", content_format=42, options=((27, b"\0\0\0\0"),)).code, "4.02")
    eq(peer.put(PATH, b"x", content_format=42, options=((27, 8), (27, 8))).code, "4.02")
    eq(put(peer, 1, False, 0, b"").code, "2.04")
    eq(box.blob, BODY[:16])


def test_x_20_abandoned():
    """Nothing is kept longer than 247 s after the last block, and the client wakes up for that."""
    peer, _ = ready(lifetime=86400)
    put(peer, 0, True, 6, BODY[:1024])
    eq(peer.client.due, 0)  # it wants to be polled, for a new deadline
    peer.advance(200)
    put(peer, 1, True, 6, BODY[1024:2048])
    put(peer, 0, True, 6, BODY[:1024], "/33000/0/1")
    peer.advance(246)
    eq(len(peer.registration.blocks._transfers), 2)
    peer.advance(2)
    eq(len(peer.registration.blocks._transfers), 0)
    eq(put(peer, 2, False, 6, b"x").code, "4.08")
    eq(peer.requests(), [])


def test_x_21_too_large():
    """4.13 with the limit: at the first block if its Size1 says so, else when the limit is passed."""
    peer, box = ready(MAX_BODY=100)
    reply = put(peer, 0, True, 2, BODY[:64], size1=101)
    eq((reply.code, reply.size1, reply.block1), ("4.13", 100, None))
    eq(put(peer, 1, False, 2, b"x").code, "4.08")
    eq(put(peer, 0, True, 2, BODY[:64], size1=100).code, "2.31")
    eq(put(peer, 1, False, 2, BODY[64:100]).code, "2.04")
    eq(box.blob, BODY[:100])
    put(peer, 0, True, 2, BODY[:64])
    reply = put(peer, 1, False, 2, BODY[64:101])
    eq((reply.code, reply.size1), ("4.13", 100))
    eq(box.blob, BODY[:100])


def test_content_format_must_stay():
    """A body of two formats is none (section 2.3)."""
    peer, box = ready()
    put(peer, 0, True, 0, BODY[:16])
    eq(peer.put(PATH, b"x", content_format=0, block1=(1, False, 0)).code, "4.08")
    eq(put(peer, 1, False, 0, b"x").code, "2.04")
    eq(box.writes, 1)


def test_transfers_are_told_apart():
    """By method, path and query; two may run at a time."""
    peer, box = ready()
    put(peer, 0, True, 0, b"a" * 16)
    put(peer, 0, True, 0, b"b" * 16, "/33000/0/1")
    eq(put(peer, 1, False, 0, b"x", "/33000/0/2").code, "4.08")
    eq(put(peer, 1, False, 0, b"x", PATH + "?a").code, "4.08")
    eq(peer.post(PATH, b"x", content_format=42, block1=(1, False, 0)).code, "4.08")
    eq(put(peer, 1, False, 0, b"a").code, "2.04")
    eq(put(peer, 1, False, 0, b"b", "/33000/0/1").code, "2.04")
    eq((box.blob, box.image), (b"a" * 17, b"b" * 17))


def test_number_of_transfers_is_bounded():
    """5.03 for one more, until one is over, or has had no block for 93 s."""
    peer, box = ready(BLOCK_TRANSFERS=2)
    put(peer, 0, True, 0, b"a" * 16)
    put(peer, 0, True, 0, b"b" * 16, "/33000/0/1")
    eq(peer.put("/33000/0/2", b"c" * 16, content_format=0, block1=(0, True, 0)).code, "5.03")
    eq(put(peer, 0, True, 0, b"a" * 16).code, "2.31")
    put(peer, 1, False, 0, b"a")
    eq(peer.put("/33000/0/2", b"c" * 16, content_format=0, block1=(0, True, 0)).code, "2.31")
    eq(put(peer, 0, True, 0, b"a" * 16).code, "5.03")
    peer.advance(60)
    eq(put(peer, 1, True, 0, b"b" * 16, "/33000/0/1").code, "2.31")
    peer.advance(40)
    eq(put(peer, 0, True, 0, b"a" * 16).code, "2.31")
    eq(put(peer, 2, False, 0, b"", "/33000/0/1").code, "2.04")
    eq(peer.put("/33000/0/2", b"c", content_format=0, block1=(1, False, 0)).code, "4.08")
    eq(box.image, b"b" * 32)


def test_servers_do_not_mix():
    """Each has transfers of its own."""
    box = Box()
    one, two = peers(2, [box])
    one.register()
    put(one, 0, True, 0, b"a" * 16)
    eq(put(two, 1, False, 0, b"b").code, "4.08")
    put(two, 0, True, 0, b"b" * 16)
    eq(put(one, 1, False, 0, b"a").code, "2.04")
    eq(box.blob, b"a" * 17)


def test_a_new_registration_ends_all():
    """The state of the old one is void."""
    peer, _ = ready()
    put(peer, 0, True, 0, b"a" * 16, "/33000/0/1")
    peer.script("4.04")
    peer.registration.update_wanted = True
    peer.poll()
    eq([request.path for request in peer.requests()], ["/rd/5a3f", "/rd"])
    eq(put(peer, 1, False, 0, b"a", "/33000/0/1").code, "4.08")


# -- other operations -------------------------------------------------------------------------------------------------


def test_refused_at_the_first_block():
    """What can be known then."""
    peer, _ = ready()
    cases = (
        ("PUT", "/9999/0/0", 42, "4.04"),
        ("PUT", "/33000/7/0", 42, "4.04"),
        ("PUT", "/33000/0/77", 42, "4.04"),
        ("PUT", "/33000/0/3", 42, "4.05"),
        ("PUT", "/33000", 42, "4.05"),
        ("PUT", "/0/0/0", 42, "4.01"),
        ("PUT", "/33000/x", 42, "4.00"),
        ("PUT", PATH, 4711, "4.15"),
        ("POST", "/3", 11542, "4.04"),
        ("POST", "/1", 11542, "4.05"),
        ("POST", "/33000/7", 11542, "4.04"),
        ("POST", "/33000/0/0", 0, "4.05"),
        ("DELETE", "/33000/0", None, "4.05"),
        ("GET", PATH, None, "4.05"),
    )
    for method, path, content_format, code in cases:
        reply = peer.request(method, path, b"x" * 16, content_format=content_format, block1=(0, True, 0))
        eq((method, path, reply.code), (method, path, code))
        eq(peer.request(method, path, b"x", content_format=content_format, block1=(1, False, 0)).code[0], "4")
    eq(peer.registration.blocks._transfers, {})


def test_refused_at_the_last_block():
    """What only the whole body tells: a format that does not suit the type, a bad value, a read-only resource."""
    peer, box = ready()
    eq(peer.put_blocks("/33000/0/2", b"x" * 40, szx=0, content_format=42)[-1].code, "4.15")
    eq(peer.put_blocks("/33000/0/2", b"x" * 39 + b"\xff", szx=0, content_format=0)[-1].code, "4.00")
    tlv = b"\xc8\x03\x14" + b"x" * 20
    eq(peer.put_blocks("/33000/0", tlv, szx=0, content_format=11542)[-1].code, "4.05")
    eq((box.name, box.label), ("", "fixed"))


def test_write_of_an_instance():
    """TLV in blocks: PUT replaces, POST changes in part."""
    peer, box = ready()
    box.notes = {7: "old"}
    notes = b"\x88\x05\x1a" + b"\x48\x00\x0a" + b"0123456789" + b"\x48\x01\x0a" + b"abcdefghij"
    eq(
        [reply.code for reply in peer.put_blocks("/33000/0", notes, szx=0, method="POST", content_format=11542)],
        ["2.31", "2.04"],
    )
    eq(box.notes, {0: "0123456789", 1: "abcdefghij", 7: "old"})
    whole = b"\xc4\x00BLOB" + notes
    eq(peer.put_blocks("/33000/0", whole, szx=0, content_format=11542)[-1].code, "2.04")
    eq((box.blob, box.notes), (b"BLOB", {0: "0123456789", 1: "abcdefghij"}))


def test_create_in_blocks():
    """2.01 with the path that the client chose, and Block1; a repeat of the last block creates nothing."""
    peer, _ = ready()
    body = b"\xc8\x00\x28" + BODY[:40]
    replies = peer.put_blocks("/33000", body, szx=0, method="POST", content_format=11542)
    eq([reply.code for reply in replies], ["2.31", "2.31", "2.01"])
    eq(replies[-1].location, ["33000", "1"])
    eq(replies[-1].block1, (2, False, 0))
    again = peer.post("/33000", body[32:], content_format=11542, block1=(2, False, 0))
    eq((again.code, again.location), ("2.01", ["33000", "1"]))
    eq(sorted(peer.client.tree.objects[33000]), [0, 1])
    eq(peer.client.tree.objects[33000][1].blob, BODY[:40])


def test_execute_in_blocks():
    """Long arguments."""
    peer, box = ready()
    arguments = b"0='" + b"y" * 40 + b"',1"
    replies = peer.put_blocks("/33000/0/4", arguments, szx=0, method="POST", content_format=0)
    eq([reply.code for reply in replies], ["2.31", "2.31", "2.04"])
    eq(box.arguments, {0: "y" * 40, 1: None})
