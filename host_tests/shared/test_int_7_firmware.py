"""Conformance to OMA's Enabler Test Specification 1.1, cases 751 to 780 (Firmware Update)."""

from configurations_firmware import (
    CANCEL,
    CONTENT,
    GOOD,
    PACKAGE,
    PATH,
    UPDATE,
    c8,
    package,
    pull,
    push,
    reset,
    restarted,
    state,
)
from lwm2m.file_sink import FileSink
from lwm2m.sink import InstallFailed
from support import each, eq, unhex

TLV = 11542


class Small(FileSink):
    """A device whose RAM is full when half of a package has come."""

    def write(self, data):
        if self._size > 4000:
            raise MemoryError()
        FileSink.write(self, data)


class Fragile(FileSink):
    """A device that cannot install what it is given."""

    def install(self):
        raise InstallFailed("no second slot")


def test_int_751_read_the_firmware_update_object():
    """Querying the readable resources of Firmware Update"""
    peer = c8()
    eq(
        peer.get("/5/0", accept=TLV).payload,
        unhex("""
            c0 01           # URI: ""
            c1 03 00        # State
            c1 05 00        # Update Result
            83 08 41 00 00  # Protocol Support: 0 is CoAP
            c1 09 02        # Delivery Method: both
        """),
    )
    eq(peer.get(PACKAGE).code, "4.05")
    eq(push(peer), "2.04")
    eq(peer.get("/5/0/6").text + " " + peer.get("/5/0/7").text, "demo 2.0")


def test_int_755_write_the_package():
    """Setting the writable Resource Package"""
    for content_format, nothing in ((42, b"\0"), (42, b""), (TLV, unhex("c1 00 00"))):
        peer = c8()
        eq(push(peer), "2.04")
        eq(state(peer), (2, 0))
        eq(peer.put(PACKAGE, nothing, content_format=content_format).code, "2.04")
        eq((state(peer), peer.get("/5/0/6").code), ((0, 0), "4.04"))
        replies = peer.put_blocks(PACKAGE, GOOD, szx=5, content_format=42)
        eq([reply.code for reply in replies], ["2.31"] * (len(replies) - 1) + ["2.04"])
        eq(state(peer), (2, 0))


def test_int_756_write_the_package_uri():
    """Setting the writable Resource Package URI"""
    peer = c8()
    eq((reset(peer), state(peer)), ("2.04", (0, 0)))
    peer.files.held = True
    eq((pull(peer), state(peer)), ("2.04", (1, 0)))
    eq(peer.get("/5/0/1").text, peer.files.uri)
    peer.files.held = False
    peer.advance(1)
    eq(state(peer), (2, 0))
    with open(PATH + ".part", "rb") as file:
        eq(file.read(), GOOD)


def test_int_760_observe_the_state():
    """Basic Observation on the Firmware Update State"""
    peer = c8()
    eq(peer.put("/5/0?pmin=2&pmax=10").code, "2.04")
    eq(peer.observe("/5/0/3", token=b"o").payload, b"0")
    eq(push(peer), "2.04")
    peer.advance(3)
    eq([packet.text for packet in peer.notifications(b"o")], ["2"])


def check_update(peer, bring):
    """From a package that has come to the registration after the restart."""
    eq((reset(peer), state(peer)), ("2.04", (0, 0)))
    peer.observe("/5/0/3", token=b"o")
    bring(peer)
    peer.advance(5)
    eq(state(peer), (2, 0))
    before = peer.now
    peer.notifications()
    eq(peer.post(UPDATE).code, "2.04")
    eq((peer.reboots, state(peer)), ([], (3, 0)))
    eq(peer.post(UPDATE).code, "4.05")
    peer.advance(2)
    eq(peer.reboots, [before + 500])
    eq([packet.text for packet in peer.notifications(b"o")], ["3"])
    eq(peer.get("/3/0/3").text, "1.0")
    peer = restarted(peer)
    eq((state(peer), peer.get("/3/0/3").text), ((0, 1), "2.0"))
    eq((peer.get("/5/0/6").text, peer.get("/5/0/7").text), ("demo", "2.0"))
    with open(PATH, "rb") as file:
        eq(file.read(), GOOD)


def test_int_770_successful_update_by_push():
    """Successful Firmware Update via a package that the server writes"""

    def bring(peer):
        eq(push(peer, size1=len(GOOD)), "2.04")

    check_update(c8(), bring)


def test_int_771_successful_update_by_pull():
    """Successful Firmware Update via a URI"""

    def bring(peer):
        eq(pull(peer), "2.04")

    check_update(c8(), bring)


def test_int_772_update_without_a_package():
    """Error: Update in another State than Downloaded"""
    peer = c8()
    eq((peer.post(UPDATE).code, state(peer)), ("4.05", (0, 0)))
    peer.files.silent = True
    pull(peer)
    eq((peer.post(UPDATE).code, state(peer)), ("4.05", (1, 0)))
    peer.advance(5)
    eq((peer.reboots, peer.firmware.state), ([], 1))


def test_int_773_not_enough_storage():
    """Error: Update Package too large"""
    peer = c8(capacity=10000)
    for size2 in (True, None):
        peer.files.size2, peer.files.held = size2, True
        eq((pull(peer), state(peer)), ("2.04", (1, 0)))
        peer.files.held = False
        peer.advance(1)
        eq((state(peer), peer.files.fetch), ((0, 2), None))
        eq(len(peer.files.numbers()), 1 if size2 else 20)
    for size1, blocks in ((len(GOOD), 1), (None, 20)):
        replies = peer.put_blocks(PACKAGE, GOOD, szx=5, content_format=42, size1=size1)
        eq((len(replies), replies[-1].code, replies[-1].size1, state(peer)), (blocks, "4.13", 10000, (0, 2)))


def test_int_774_out_of_memory():
    """Error: Out of RAM during the download"""
    peer = c8(sink=Small(PATH))
    eq((push(peer), state(peer)), ("5.03", (0, 3)))
    pull(peer)
    peer.advance(5)
    eq(state(peer), (0, 3))


def test_int_775_connection_lost():
    """Error: Connection lost while a package is downloaded"""

    def check(link_works, silent):
        peer = c8()
        peer.files.answer = lambda packet: peer.files.serve(packet) if packet.block2[0] < 4 else None
        pull(peer)
        peer.advance(5)
        eq(state(peer), (1, 0))
        peer.files.works, peer.files.silent = link_works, silent
        peer.advance(3600)
        eq((state(peer), peer.files.fetch, peer.state), ((0, 4), None, "REGISTERED"))

    each([(True, True), (False, False)], check)


def test_int_776_integrity_failure():
    """Error: Integrity check failure"""
    bad = GOOD[:-1] + b"?"
    peer = c8()
    eq((push(peer, bad), state(peer)), ("4.00", (0, 5)))
    eq((push(peer, GOOD[:-600]), state(peer)), ("4.00", (0, 5)))
    peer.files.body = bad
    pull(peer)
    peer.advance(5)
    eq(state(peer), (0, 5))


def test_int_777_unsupported_package_type():
    """Error: Unsupported package type"""
    peer = c8()
    eq((push(peer, CONTENT), state(peer)), ("4.00", (0, 6)))
    eq((peer.put(PACKAGE, b"\1", content_format=42).code, state(peer)), ("4.00", (0, 6)))
    peer.files.body = CONTENT
    pull(peer)
    peer.advance(5)
    eq((state(peer), peer.files.numbers()), ((0, 6), [0]))


def test_int_778_invalid_uri():
    """Error: Invalid URI"""
    peer = c8()
    for uri in ("nonsense", "coap://", "coap:///x", "coap://host:0/x", "coap://h/a b", "coap://h/%4", "coap://h/#f"):
        eq((uri, pull(peer, uri), state(peer), peer.files.fetch), (uri, "2.04", (0, 7), None))
        eq(peer.get("/5/0/1").text, uri)
    peer.files.answer = lambda packet: "4.04"
    pull(peer)
    peer.advance(1)
    eq(state(peer), (0, 7))


def test_int_779_installation_fails():
    """Error: the Firmware cannot be installed"""
    peer = c8(sink=Fragile(PATH))
    push(peer)
    eq(peer.post(UPDATE).code, "2.04")
    peer.advance(1)
    eq((state(peer), peer.reboots, peer.get("/3/0/3").text), ((2, 8), [], "1.0"))
    eq((peer.post(CANCEL).code, state(peer)), ("2.04", (0, 10)))


def test_int_780_unsupported_protocol():
    """Error: a URI whose scheme is not among the supported protocols"""
    peer = c8()
    for uri in ("coaps://files.example/x", "http://files.example/x", "HTTPS://x", "coap+tcp://x/y", "ftp://x/y"):
        eq((uri, pull(peer, uri), state(peer)), (uri, "2.04", (0, 9)))
    eq((reset(peer), state(peer)), ("2.04", (0, 0)))
    eq(pull(peer, peer.files.uri.replace("coap:", "CoAP:")), "2.04")
    peer.files.body = package(b"")
    peer.advance(5)
    eq(state(peer), (2, 0))
