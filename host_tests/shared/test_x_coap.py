"""X-rows on CoAP itself, through the whole client. Each test is named by its number, its docstring is the title."""

from configurations import Bench, c1
from packet import build
from peer import peers
from support import each, eq


def registered(objects=(), **settings):
    peer = c1(objects, **settings)
    peer.register()
    return peer


def test_x_01_ping():
    """An empty confirmable message is answered by a reset with its Message ID"""
    peer = registered()
    (reply,) = peer.send(bytes([0x40, 0, 0x12, 0x34]))
    eq(reply.raw, bytes([0x70, 0, 0x12, 0x34]))


def test_x_02_duplicate_request():
    """A duplicate of an Execute, a Create or a Write gets the same answer and is not carried out again for 247 s"""
    bench = Bench()
    peer = registered([bench])
    peer.client.allow_create(Bench)
    for method, path, payload, content_format in (
        ("POST", "/32800/0/9", b"1", 0),
        ("POST", "/32800", b"\xc1\x00\x07", 11542),
        ("PUT", "/32800/0/0", b"5", 0),
    ):
        first = peer.request(method, path, payload, content_format=content_format)
        bench.whole = 1
        for seconds in (1, 40, 200):
            peer.advance(seconds)
            eq(peer.again().raw, first.raw)
        eq(bench.whole, 1)
    eq((len(bench.acts), len(peer.client.tree.objects[32800])), (1, 2))


def test_x_03_unknown_critical_option():
    """4.02 to a confirmable request with an unknown critical option; no answer to a non-confirmable one"""
    peer = registered()
    for number in (9, 19, 65001):
        eq(peer.get("/3/0/0", options=[(number, b"?")]).code, "4.02")
        eq(peer.get("/3/0/0", options=[(number, b"?")], type="NON"), None)
    eq(peer.get("/3/0/0").code, "2.05")


def test_x_04_unknown_elective_option():
    """An unknown elective option is ignored"""
    peer = registered()
    for number in (2, 16, 252, 258, 65000):
        eq(peer.get("/3/0/0", options=[(number, b"?")]).payload, b"ACME")


def test_x_05_broken_messages():
    """A reset for a confirmable message that breaks the format, silence for any other; nothing ends the client"""
    peer = registered()

    def check(rest, what):
        for type, expected in ((0x40, [b"\x70\0\x12\x34"]), (0x50, []), (0x60, []), (0x70, [])):
            broken = bytes([type | rest[0], 1, 0x12, 0x34]) + rest[1:]
            eq([packet.raw for packet in peer.send(broken)], expected, what)

    cases = (
        (b"\x00\xf1\x01", "option delta 15"),
        (b"\x00\x1f\x01", "option length 15"),
        (b"\x09" + bytes(9), "token length 9"),
        (b"\x0f" + bytes(15), "token length 15"),
        (b"\x02\x01", "token cut"),
        (b"\x00\xb4\x33", "option cut"),
        (b"\x00\xff", "payload marker without payload"),
    )
    each(cases, check)
    for version in (0x00, 0x80, 0xC0):
        eq(peer.send(bytes([version, 1, 0x12, 0x34])), [])
    for length in range(4):
        eq(peer.send(b"\x40\x01\x12\x34"[:length]), [])
    eq(peer.get("/3/0/0").payload, b"ACME")


def test_x_06_bad_paths():
    """Paths of more than four segments, no numbers, too big, with leading zeros: 4.00"""
    peer = registered()
    for path in (
        "/3/0/11/0/0",
        "/a",
        "/3/x",
        "/65536",
        "/65535",
        "/03",
        "/3/00",
        "/-1",
        "/99999999999999999999",
        "/3/0/%30",
    ):
        for method in ("GET", "PUT", "POST", "DELETE"):
            eq((path, method, peer.request(method, path).code), (path, method, "4.00"))
    eq(peer.get("/3/0/0").payload, b"ACME")


def test_x_07_lost_register():
    """The first two transmissions of the Register are lost: the same bytes after 2 to 3 s, then doubled"""
    peer = c1()
    peer.lose(2)
    peer.client.start(peer.now)
    peer.advance(20)
    sent = [packet for packet in peer.take() if packet.path == "/rd"]
    eq((len(sent), len({packet.raw for packet in sent}), peer.state), (3, 1, "REGISTERED"))
    first = sent[1].at - sent[0].at
    assert 2000 <= first <= 3000
    eq(sent[2].at - sent[1].at, 2 * first)


def test_x_08_separate_response_without_ack():
    """The ACK is lost, the server's confirmable response counts for it: acknowledged, and no more retransmissions"""
    peer = c1()
    peer.script(None)
    peer.client.start(peer.now)
    peer.poll()
    (register,) = peer.take()
    answer = build("CON", "2.01", 0x7777, register.token, [(8, b"rd"), (8, b"77")], b"")
    (ack,) = peer.send(answer)
    eq((ack.type, ack.code, ack.mid), ("ACK", "", 0x7777))
    peer.advance(60)
    eq((peer.state, peer.take()[1:]), ("REGISTERED", []))
    (ack,) = peer.send(answer)  # the ACK was lost as well
    eq((ack.type, ack.mid), ("ACK", 0x7777))


def test_x_09_late_separate_response():
    """An empty ACK, and the response 20 s later"""
    peer = c1()
    peer.script("")
    peer.client.start(peer.now)
    peer.advance(20)
    (register,) = peer.take()
    peer.send(build("NON", "2.01", 0x7777, register.token, [(8, b"rd"), (8, b"77")], b""))
    eq((peer.state, peer.registration.location), ("REGISTERED", [b"rd", b"77"]))


def test_x_10_reset_from_elsewhere():
    """A reset that comes from another peer is ignored, whatever its Message ID says"""
    one, two = peers(2, [], CON_EVERY=1)
    one.client.start(one.now)
    one.poll()
    one.observe("/1", token=b"o")
    one.acks = False
    one.registration.account.set("lifetime", 299)
    one.poll()
    (told,) = one.notifications()
    two.reset(told)
    one.acks = True
    one.advance(10)
    one.registration.account.set("lifetime", 298)
    one.advance(1)
    assert one.notifications(b"o")


def test_x_11_unknown_token():
    """A response with an unknown token: reset if confirmable, silence if not"""
    peer = registered()
    (reply,) = peer.send(build("CON", "2.05", 0x7777, b"??", [], b"x"))
    eq(reply.raw, b"\x70\0\x77\x77")
    eq(peer.send(build("NON", "2.05", 0x7778, b"??", [], b"x")), [])
    eq(peer.send(build("ACK", "2.05", 0x7779, b"??", [], b"x")), [])
    eq(peer.get("/3/0/0").payload, b"ACME")


def test_x_12_link_breaks_while_waiting():
    """A socket that fails while an answer is awaited is a loss: tried again, and registered in the end"""
    peer = c1()
    peer.script(None)
    peer.client.start(peer.now)
    peer.poll()
    peer.registration.link_down("[Errno 111] ECONNREFUSED", peer.now)
    peer.advance(30)
    eq((peer.state, peer.get("/3/0/0").payload), ("REGISTERED", b"ACME"))


def test_x_65_lifetime_is_over_after_sleep():
    """Deep sleep longer than the lifetime, or a clock that jumps: Register in place of Update"""
    peer = registered(lifetime=300)
    peer.take()
    peer.world.now += 1000000
    peer.poll()
    eq([packet.path for packet in peer.take()], ["/rd"])
    eq(peer.state, "REGISTERED")
