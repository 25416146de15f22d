"""Firmware Update (object 5): its rows, pushes that go wrong, and sinks that fail."""

from coap.errors import MethodNotAllowed
from configurations_firmware import (
    CANCEL,
    GOOD,
    PACKAGE,
    PATH,
    UPDATE,
    URI,
    c8,
    clean,
    package,
    pull,
    push,
    reset,
    restarted,
    state,
)
from lwm2m import log
from lwm2m.file_sink import FileSink
from lwm2m.object import Object
from lwm2m.objects.firmware import Firmware, find_row
from peer import peers
from senml_judge import packed
from support import each, eq, raises, unhex

log.level("error")

STATES = "IDLE DOWNLOADING DOWNLOADED UPDATING".split()
EVENTS = "RESET PUSH URI COMPLETE FAILED UPDATE CANCEL CORRUPT STARTED ROLLED_BACK".split()


class Broken(FileSink):
    """Raises `error` in the method called `where`, after the first call of it if `later`."""

    where, error, later = "", None, False

    def _maybe(self, name):
        if self.where == name:
            if not self.later:
                raise self.error
            self.later = False

    def begin(self, size):
        self._maybe("begin")
        FileSink.begin(self, size)

    def write(self, data):
        self._maybe("write")
        FileSink.write(self, data)

    def finish(self):
        self._maybe("finish")
        FileSink.finish(self)

    def abort(self):
        self._maybe("abort")
        FileSink.abort(self)

    def install(self):
        self._maybe("install")
        FileSink.install(self)


def block(peer, num, more, data, szx=0, **more_options):
    return peer.put(PACKAGE, data, content_format=42, block1=(num, more, szx), **more_options).code


# -- the rows ----------------------------------------------------------------------------------------------------------


def test_every_row():
    """Each state with each event: the next state and the Update Result, or 4.05."""
    expected = """
        IDLE RESET IDLE 0, PUSH DOWNLOADING 0, URI DOWNLOADING 0
        DOWNLOADING RESET IDLE 0, COMPLETE DOWNLOADED 0, FAILED IDLE *, CANCEL IDLE 10
        DOWNLOADED RESET IDLE 0, UPDATE UPDATING 0, FAILED IDLE *, CANCEL IDLE 10
        UPDATING FAILED DOWNLOADED 8, CORRUPT IDLE 5, STARTED IDLE 1, ROLLED_BACK IDLE 8
    """
    there = {}
    for line in expected.strip().split("\n"):
        origin, _, rest = line.strip().partition(" ")
        for part in rest.split(", "):
            event, target, result = part.split()
            there[origin, event] = [target, result]
    for origin in STATES:
        for event in EVENTS:
            if (origin, event) in there:
                words = find_row(origin, event)
                eq(words[3:5], there[origin, event])
                assert hasattr(Firmware, "_do_" + words[5])
            else:
                raises(MethodNotAllowed, find_row, origin, event)


def test_a_second_package_has_to_wait():
    """While one comes or is there, another one and another URI are 4.05, and nothing changes but by a reset."""
    peer = c8()
    peer.files.held = True
    pull(peer)
    eq((push(peer), pull(peer, "coap://other/x"), state(peer)), ("4.05", "4.05", (1, 0)))
    eq((peer.get("/5/0/1").text, peer.files.fetch is None), (peer.files.uri, False))
    eq((reset(peer), peer.files.fetch, peer.get("/5/0/1").text), ("2.04", None, ""))
    eq(block(peer, 0, True, GOOD[:16]), "2.31")
    eq((pull(peer), state(peer)), ("4.05", (1, 0)))
    eq((reset(peer), push(peer), push(peer), pull(peer), state(peer)), ("2.04", "2.04", "4.05", "4.05", (2, 0)))
    peer.post(UPDATE)
    eq((reset(peer), peer.put(PACKAGE, b"\0", content_format=42).code), ("4.05", "4.05"))
    eq((peer.post(CANCEL).code, state(peer)), ("4.05", (3, 0)))


def test_cancel():
    """While a package comes, by either way, and when it is there; not when there is none."""
    peer = c8()
    eq((peer.post(CANCEL).code, state(peer)), ("4.05", (0, 0)))
    peer.files.held = True
    pull(peer)
    eq((peer.post(CANCEL).code, state(peer), peer.files.fetch), ("2.04", (0, 10), None))
    block(peer, 0, True, GOOD[:16])
    eq((peer.post(CANCEL).code, state(peer)), ("2.04", (0, 10)))
    eq((block(peer, 1, True, GOOD[16:32]), state(peer)), ("4.08", (0, 10)))
    push(peer)
    eq((peer.post(CANCEL).code, state(peer), peer.post(UPDATE).code), ("2.04", (0, 10), "4.05"))


def test_a_whole_instance_is_written():
    """A package and an empty URI in one TLV; a URI and a package contradict each other, and neither is written."""
    peer = c8()
    small = package(b"x", "a b")
    tlv = unhex("c8 00") + bytes([len(small)]) + small
    eq((peer.post("/5/0", tlv, content_format=11542).code, state(peer)), ("2.04", (2, 0)))
    eq((peer.put("/5/0", unhex("c1 00 00 c0 01"), content_format=11542).code, state(peer)), ("2.04", (0, 0)))
    peer.files.held = True
    tlv = unhex("c8 01 0b") + b"coap://h/fw" + tlv
    eq((peer.post("/5/0", tlv, content_format=11542).code, state(peer)), ("4.05", (0, 0)))
    eq((peer.files.fetch, peer.firmware.uri), (None, ""))


class Stubborn(Object):
    OID = 32805
    RES = "\n0 RW! int number\n"
    number = 1
    fails = True

    def write_number(self, value):
        if self.fails:
            raise OSError(5)
        self.number = value


def test_a_composite_write_that_fails():
    """Nothing of it is written: a package and a URI, which cannot be taken back, have their turn last."""
    small = package(b"x", "a b")
    for record, after in (({"n": PACKAGE, "vd": small}, (2, 0)), ({"n": URI, "vs": "coap://h/fw"}, (1, 0))):
        stubborn = Stubborn()
        peer = c8(objects=[stubborn])
        peer.files.held = True
        payload = packed([record, {"n": "/32805/0/0", "v": 5}])
        stubborn.fails = True
        eq(peer.request("iPATCH", "/", payload, content_format=112).code, "5.03")
        peer.advance(1)
        eq((state(peer), peer.get(URI).payload, peer.files.fetch, stubborn.number), ((0, 0), b"", None, 1))
        stubborn.fails = False
        eq(peer.request("iPATCH", "/", payload, content_format=112).code, "2.04")
        eq((state(peer), stubborn.number), (after, 5))


def test_the_longest_uri():
    """255 characters, no more."""
    peer = c8()
    peer.files.held = True
    long = "coap://h/" + "a" * 246
    eq((pull(peer, long + "a"), state(peer)), ("4.00", (0, 0)))
    eq((pull(peer, long), state(peer)), ("2.04", (1, 0)))


def test_execute_while_too_much_is_to_be_done():
    """5.03, and the package is still there."""
    peer = c8(JOBS=1)
    push(peer)
    peer.post("/3/0/4")
    eq((peer.post(UPDATE).code, state(peer)), ("5.03", (2, 0)))
    peer.advance(1)
    eq((peer.post(UPDATE).code, state(peer)), ("2.04", (3, 0)))


# -- pushes ------------------------------------------------------------------------------------------------------------


def test_x_13_x_19_push():
    """Block sizes of 1024, 512 and 16, a new token for each block, one datagram"""

    def check(szx):
        peer = c8(BLOCK_SIZE=1024)
        eq((push(peer, package(b"x" * 4000), szx), state(peer)), ("2.04", (2, 0)))

    each([(6,), (5,), (0,)], check)
    peer = c8()
    eq((peer.put(PACKAGE, package(b"x"), content_format=42).code, state(peer)), ("2.04", (2, 0)))
    peer = c8(BLOCK_SIZE=64)
    replies = peer.put_blocks(PACKAGE, GOOD[:2000] + GOOD[:2000], szx=5, content_format=42)
    eq(([reply.block1 for reply in replies[:2]], state(peer)), ([(0, True, 2), (8, True, 2)], (0, 5)))


def test_x_14_x_15_first_block_missing_or_a_gap():
    """4.08; what has come before stays, and the transfer can go on"""
    peer = c8()
    eq((block(peer, 3, True, GOOD[:16]), state(peer)), ("4.08", (0, 0)))
    body = package(b"x" * 3)
    eq((block(peer, 0, True, body[:16]), block(peer, 2, True, body[32:48])), ("2.31", "4.08"))
    eq((state(peer), block(peer, 1, True, body[16:32]), block(peer, 2, False, body[32:])), ((1, 0), "2.31", "2.04"))
    eq(state(peer), (2, 0))


def test_x_16_repeated_block():
    """The same answer, and it is written once; also of the last one, whether it was good or not"""
    peer = c8()
    body = package(b"x" * 5)
    eq(len(body), 50)
    for last, code, after in ((b"xx", "2.04", (2, 0)), (b"??", "4.00", (0, 5))):
        for num in (0, 0, 1, 1, 2, 2):
            eq(block(peer, num, True, body[num * 16 : num * 16 + 16]), "2.31")
        eq([block(peer, 3, False, last) for _ in range(3)], [code] * 3)
        eq((state(peer), reset(peer)), (after, "2.04"))


def test_x_17_restart_in_mid_transfer():
    """Block 0 once more: what came before does not count"""
    peer = c8()
    eq([block(peer, num, True, GOOD[num * 16 : num * 16 + 16]) for num in range(3)], ["2.31"] * 3)
    eq((push(peer), state(peer)), ("2.04", (2, 0)))


def test_x_18_bad_sizes():
    """A block that is not as long as it says; the transfer can go on"""
    peer = c8()
    eq((block(peer, 0, True, b"MPFW"), state(peer)), ("4.00", (0, 0)))
    eq(block(peer, 0, True, GOOD[:16]), "2.31")
    eq((block(peer, 1, True, GOOD[16:20]), block(peer, 1, True, GOOD[16:32]), state(peer)), ("4.00", "2.31", (1, 0)))


def test_x_20_abandoned_push():
    """No further block for 247 s: State 0, Update Result 4, and the file is gone"""
    peer = c8()
    block(peer, 0, True, GOOD[:16])
    peer.advance(246)
    eq(state(peer), (1, 0))
    peer.advance(2)
    eq(state(peer), (0, 4))
    raises(OSError, open, PATH + ".part")
    eq((push(peer), state(peer)), ("2.04", (2, 0)))


def test_x_20_registration_is_void():
    """A new registration ends the transfer, too"""
    peer = c8()
    block(peer, 0, True, GOOD[:16])
    peer.script("4.04")
    peer.registration.update_wanted = True
    peer.poll()
    eq((peer.state, state(peer)), ("REGISTERED", (0, 4)))


def test_x_21_too_large():
    """Size1 beyond the capacity, or more blocks than fit: 4.13 with Size1, Update Result 2; what fits is taken"""
    peer = c8(capacity=len(GOOD) - 1)
    reply = peer.put(PACKAGE, GOOD[:16], content_format=42, block1=(0, True, 0), size1=len(GOOD))
    eq((reply.code, reply.size1, state(peer)), ("4.13", len(GOOD) - 1, (0, 2)))
    reply = peer.put_blocks(PACKAGE, GOOD, szx=5, content_format=42)[-1]
    eq((reply.code, reply.size1, state(peer)), ("4.13", len(GOOD) - 1, (0, 2)))
    eq(block(peer, 1, True, GOOD[16:32]), "4.08")
    peer = c8(capacity=len(GOOD))
    eq((push(peer, size1=len(GOOD)), state(peer)), ("2.04", (2, 0)))


def test_two_servers_push():
    """The second one has to wait, and when its transfer ends, that of the first one is not touched."""
    clean()
    one, two = peers(2, [Firmware(FileSink(PATH), print)])
    one.register()
    eq((block(one, 0, True, GOOD[:16]), block(two, 0, True, GOOD[:16]), state(two)), ("2.31", "4.05", (1, 0)))
    eq((reset(two), block(two, 0, True, GOOD[:16]), state(two)), ("2.04", "2.31", (1, 0)))
    eq((block(one, 1, True, GOOD[16:32]), state(one)), ("4.08", (1, 0)))
    one.advance(240)
    eq(block(two, 1, True, GOOD[16:32]), "2.31")
    one.advance(100)
    eq((block(two, 2, True, GOOD[32:48]), state(two)), ("2.31", (1, 0)))


def test_a_sink_that_fails():
    """At any point, with anything: the answer, the Update Result, and the client goes on."""

    def check(where, error, code, result):
        peer = c8(sink=Broken(PATH))
        peer.sink.where, peer.sink.error = where, error
        eq((push(peer), state(peer)), (code, (0, result)))
        pull(peer)
        peer.advance(1)
        eq(state(peer), (0, result))
        peer.sink.where = ""
        eq((push(peer), state(peer)), ("2.04", (2, 0)))

    cases = []
    for where in ("begin", "write", "finish"):
        cases += [(where, OSError(5), "5.03", 8), (where, MemoryError(), "5.03", 3), (where, KeyError(), "5.00", 8)]
    each(cases, check)


def test_a_sink_that_cannot_install():
    """Whatever it raises: State 2 and Update Result 8, or State 0 and 5 if the package has changed."""

    def check(error, after):
        peer = c8(sink=Broken(PATH))
        peer.sink.where, peer.sink.error = "install", error
        push(peer)
        peer.post(UPDATE)
        peer.advance(1)
        eq((state(peer), peer.reboots), (after, []))

    each([(OSError(5), (2, 8)), (KeyError(), (2, 8)), (MemoryError(), (2, 8))], check)
    peer = c8()
    push(peer)
    with open(PATH + ".part", "r+b") as file:
        file.seek(5000)
        file.write(b"?")
    eq(peer.post(UPDATE).code, "2.04")
    peer.advance(1)
    eq((state(peer), peer.reboots), ((0, 5), []))


def test_a_sink_that_cannot_remove():
    """Is told, and no more."""
    peer = c8(sink=Broken(PATH))
    push(peer)
    peer.sink.where, peer.sink.error = "abort", OSError(5)
    eq((reset(peer), state(peer)), ("2.04", (0, 0)))


def test_a_second_try_to_install():
    """After a failure the package is still there."""
    peer = c8(sink=Broken(PATH))
    peer.sink.where, peer.sink.error = "install", OSError(5)
    push(peer)
    peer.post(UPDATE)
    peer.advance(1)
    peer.sink.where = ""
    eq((peer.post(UPDATE).code, state(peer)), ("2.04", (3, 0)))
    peer.advance(1)
    eq(state(restarted(peer)), (0, 1))
