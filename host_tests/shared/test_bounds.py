"""Whatever a peer can make grow has its bound: a flood through the whole client, each answer a refusal or a drop."""

from configurations import Bench, Probe, device
from configurations_bootstrap import c13, resources, tlv
from lwm2m.object import Object
from packet import build
from peer import Peer
from support import eq

REFUSALS = ("4.13", "5.03")
FLOOD = 60
BOUNDS = {
    "BLOCK_TRANSFERS": 2,
    "OBSERVATIONS": 4,
    "ATTRIBUTES": 5,
    "MEMBERS": 3,
    "SENDS": 3,
    "STORED": 4,
    "INSTANCES": 6,
    "RESOURCE_INSTANCES": 7,
    "JOBS": 3,
    "QUEUE": 5,
    "SEEN": 6,
    "MAX_BODY": 600,
    "BLOCK_SIZE": 64,
}


def flooded(objects=(), creators=(), **settings):
    """A registered client with small bounds."""
    peer = Peer([device()] + list(objects), creators, **dict(BOUNDS, **settings))
    peer.register()
    return peer


def codes(replies):
    """{code: how often}."""
    found = {}
    for reply in replies:
        found[reply.code] = found.get(reply.code, 0) + 1
    return found


def accepted(replies, good, bound):
    """So many were taken, all others refused."""
    found = codes(replies)
    eq(found.pop(good, 0), bound)
    assert found and not [code for code in found if code not in REFUSALS], found


class Wide(Object):
    """Many resources and instances of them."""

    OID = 32900
    RES = "\n".join(["%d RW int r%d" % (number, number) for number in range(80)])

    def __init__(self):
        for number in range(80):
            setattr(self, "r%d" % number, number)


def test_attributes():
    """ATTRIBUTES paths a server; those that are there can still be changed and removed."""
    peer = flooded([Wide()])
    accepted([peer.put("/32900/0/%d?pmin=5" % rid) for rid in range(FLOOD)], "2.04", 5)
    eq(len(peer.registration.attributes), 5)
    eq(codes([peer.put("/32900/0/0?pmin=6"), peer.put("/32900/0/0?pmin"), peer.put("/32900/0/70?pmin=5")]), {"2.04": 3})
    eq(len(peer.registration.attributes), 5)


def test_observations():
    """OBSERVATIONS a server, single and composite together; the rest is a plain Read."""
    peer = flooded([Wide()])
    for rid in range(FLOOD):
        reply = peer.observe("/32900/0/%d" % rid, token=bytes([rid]))
        eq((reply.code, reply.observe is not None), ("2.05", rid < 4))
    eq(len(peer.registration.reporting.observations), 4)


def test_members_of_a_composite_observation():
    """More paths than MEMBERS are read, not observed."""
    peer = flooded([Wide()])
    for count in (3, 4, 40):
        names = ["/32900/0/%d" % rid for rid in range(count)]
        body = '[{"n":"%s"}]' % '"},{"n":"'.join(names)
        options = [(12, 110), (17, 110), (6, 0)]
        reply = peer.put_blocks("", body.encode(), method="FETCH", options=options)[-1]
        eq((reply.code, reply.observe is not None), ("2.05" if count < 40 else "4.13", count <= 3))


def test_notifications_that_wait():
    """STORED while the server is away, QUEUE in the exchange while it is silent."""
    probe = Probe()
    peer = flooded([probe], CON_EVERY=1)
    peer.registration.account.notification_storing = True
    for number, path in enumerate(("/32801/0/0", "/32801/0/1", "/32801/0/2", "/32801/0")):
        peer.observe(path, token=bytes([number]))
    peer.silent = True
    for number in range(FLOOD):
        probe.set("value", number + 0.5)
        probe.set("whole", number)
        peer.advance(10)
    reporting, exchange = peer.registration.reporting, peer.registration.exchange
    assert len(reporting.stored) <= 4 and len(exchange._queue) <= 5, (reporting.stored, exchange._queue)
    assert len(exchange._active) <= 1 and len(exchange.waiting) <= 2 and len(exchange._unconfirmed) <= 5
    eq(peer.registration.outbox, [])


def test_answers_that_are_remembered():
    """SEEN reads and SEEN actions; 16 requests whose options are remembered."""
    peer = flooded([Wide()])
    for rid in range(FLOOD):
        peer.get("/32900/0/%d" % rid)
        peer.put("/32900/0/%d" % rid, b"1", content_format=0)
    exchange = peer.registration.exchange
    eq((len(exchange._seen), [len(order) for order in exchange._seen_order], len(exchange.memo)), (12, [6, 6], 16))


def test_actions_that_are_known_as_carried_out():
    """REPEATS twice over, however many come within EXCHANGE_LIFETIME."""
    peer = flooded([Wide()], REPEATS=8)
    for number in range(FLOOD):
        eq(peer.put("/32900/0/%d" % number, b"1", content_format=0).code, "2.04")
    repeats = peer.registration.exchange.repeats
    assert 8 <= len(repeats._young) + len(repeats._old) <= 16, (repeats._young, repeats._old)


def test_blocks():
    """BLOCK_TRANSFERS at a time, each of MAX_BODY; abandoned ones make room after a while."""
    peer = flooded([Wide()])

    def begin(number):
        return peer.put("/32900/0?x=%d" % number, b"\xc1\1\1" * 5 + b"\0", content_format=11542, block1=(0, True, 0))

    accepted([begin(number) for number in range(FLOOD)], "2.31", 2)
    eq(len(peer.registration.blocks._transfers), 2)
    peer.advance(100)
    eq(codes([begin(number) for number in range(100, 102)]), {"2.31": 2})
    peer.advance(300)
    eq(len(peer.registration.blocks._transfers), 0)
    replies = peer.put_blocks("/32900/0", b"\xc1\1\1" * 400, content_format=11542)
    eq((replies[-1].code, len(replies)), ("4.13", 10))
    eq(peer.put("/32900/0", b"x" * 16, content_format=11542, block1=(0, True, 0), size1=601).code, "4.13")


def test_create():
    """INSTANCES of all that servers may create."""
    peer = flooded(creators=[Bench])
    body = tlv(3, 0, b"\5")
    accepted([peer.post("/32800", body, content_format=11542) for _ in range(FLOOD)], "2.01", 6)
    eq(len(peer.client.tree.objects[32800]), 6)


def test_resource_instances():
    """RESOURCE_INSTANCES of each multiple resource, however they are written; what a program gave may be more."""
    peer = flooded([Bench()])
    bench = peer.client.tree.objects[32800][0]

    def write(riid):
        return peer.post("/32800/0", tlv(2, 7, tlv(1, riid, b"\1")), content_format=11542)

    replies = [write(riid) for riid in range(FLOOD)]
    eq(codes(replies), {"2.04": 7, "5.03": FLOOD - 7})
    eq(sorted(bench.numbers), list(range(7)))
    many = b"".join([tlv(1, riid, b"\1") for riid in range(15)])
    eq(peer.put("/32800/0/7", tlv(2, 7, many), content_format=11542).code, "5.03")
    eq(sorted(bench.numbers), list(range(7)))
    bench.set("numbers", dict.fromkeys(range(20), 0))
    eq((write(5).code, write(99).code, len(bench.numbers)), ("2.04", "5.03", 20))


def test_jobs():
    """JOBS that wait for their turn."""
    peer = flooded()
    accepted([peer.post("/3/0/4", wait=0) for _ in range(FLOOD)], "2.04", 3)
    peer.advance(1)
    eq(peer.post("/3/0/4").code, "2.04")


def test_sends():
    """SENDS that wait for a server; the oldest are dropped."""
    peer = flooded([Probe()])
    peer.registration.account.mute_send = False
    peer.silent = True
    outcomes = []
    for _ in range(FLOOD):
        peer.client.send(["/32801/0/0"], on_outcome=lambda ssid, outcome: outcomes.append(outcome))
    peer.advance(1)
    assert len(peer.registration.sends._queue) <= 4
    eq(outcomes[: FLOOD - 4], ["dropped"] * (FLOOD - 4))


def test_a_bootstrap():
    """INSTANCES, and of what was written nothing is kept that no object has."""
    world = c13([Bench(1)], **BOUNDS)
    world.start()
    found = {}
    for iid in range(FLOOD):
        code = world.write("/2/%d" % iid, b"\xc1\0\3\xc1\1\0\xc1\3\1")
        found[code] = found.get(code, 0) + 1
    eq(found, {"2.04": 6, "5.03": FLOOD - 6})
    for start in range(100, 2000, 30):
        unknown = {0: b"\1"}
        unknown.update(dict.fromkeys(range(start, start + 9), b"x"))
        eq(world.write("/32800/0", resources(unknown)), "2.04")
    eq(world.bootstrap.stage.written[32800], {0: {0}})


def test_garbage_keeps_nothing():
    """Tokens, Message IDs and codes of all kinds that belong to nothing."""
    peer = flooded([Wide()])
    exchange = peer.registration.exchange

    def sizes():
        return [len(one) for one in (exchange._active, exchange._queue, exchange.waiting, exchange._unconfirmed)]

    before = sizes()
    for number in range(FLOOD * 4):
        for type, code in (("ACK", ""), ("RST", ""), ("CON", ""), ("ACK", "2.05"), ("CON", "2.05"), ("NON", "4.04")):
            token = bytes([number & 255, 9]) if code else b""
            peer.send(build(type, code, number * 31 & 0xFFFF, token))
    eq(sizes(), before)
    assert len(exchange._seen) <= 12, len(exchange._seen)
    eq(peer.get("/32900/0/3").code, "2.05")
