"""OMA-ETS-LightweightM2M_INT, 1200-2099: the additional objects. Each test is named by its number."""

from configurations import c10, c11, c12, c15, c16
from support import eq, unhex

TLV = 11542
LINK = 40


def object_of(peer, oid, iid=0):
    return peer.client.tree.objects[oid][iid]


def spaced(notifications, pmin_s, pmax_s):
    """Neither too close nor too far apart."""
    times = [packet.at for packet in notifications]
    assert len(times) > 2, times
    for number in range(1, len(times)):
        assert pmin_s * 1000 <= times[number] - times[number - 1] <= pmax_s * 1000, times


# -- 1200: cellular ----------------------------------------------------------------------------------------------------

TIMERS = "c2 04 0e10  c2 05 0258  c1 08 02  c1 09 03  86 0b 44 00 000b0000"


def test_int_1200_read_cellular():
    """Querying the resources of Cellular Connectivity"""
    peer = c10()
    peer.register()
    reply = peer.get("/10/0", accept=TLV)
    eq((reply.code, reply.payload), ("2.05", unhex(TIMERS)))


def test_int_1201_read_cellular_1_1():
    """Querying the resources of Cellular Connectivity 1.1"""
    peer = c11()
    peer.register()
    paths = "".join([",</10/0/%d>%s" % (rid, ";dim=1" if rid == 11 else "") for rid in (4, 5, 8, 9, 11, 13, 14)])
    eq(peer.get("/10", accept=LINK).text, "</10>;ver=1.1,</10/0>" + paths)
    eq(peer.get("/10/0", accept=TLV).payload, unhex(TIMERS + "c1 0d 03  c1 0e 01"))


def test_int_1202_write_cellular():
    """Setting the power saving resources of Cellular Connectivity 1.1"""
    peer = c11()
    peer.register()
    assert "</10/0/14>" in peer.get("/10/0", accept=LINK).text
    eq(peer.get("/10/0/13", accept=0).payload, b"3")
    eq(peer.put("/10/0/14", unhex("c1 0e 02"), content_format=TLV).code, "2.04")
    eq(peer.get("/10/0/14", accept=0).payload, b"2")


def test_int_1203_observe_power_saving():
    """Observation and notification of the power saving modes"""
    peer = c11()
    peer.register()
    for rid, token in ((13, b"m"), (14, b"r")):
        eq(peer.put("/10/0/%d?pmin=5&pmax=15" % rid).code, "2.04")
        eq(peer.observe("/10/0/%d" % rid, accept=0, token=token).observe, 0)
    for second in range(60):
        peer.advance(1)
        object_of(peer, 10).set("active_modes", second % 4)
    found = peer.notifications()
    spaced([packet for packet in found if packet.token == b"m"], 5, 15)
    still = [packet for packet in found if packet.token == b"r"]
    spaced(still, 15, 15)
    eq({packet.payload for packet in still}, {b"1"})


def test_int_1204_observe_timers():
    """Observation and notification of the timers"""
    peer = c10()
    peer.register()
    rids = (4, 5, 8, 9)
    for rid in rids:
        eq(peer.put("/10/0/%d?pmin=5&pmax=15" % rid).code, "2.04")
        eq(peer.observe("/10/0/%d" % rid, token=bytes([rid])).observe, 0)
    eq(peer.put("/10/0/4", b"7200", content_format=0).code, "2.04")
    peer.advance(50)
    found = peer.notifications()
    for rid in rids:
        spaced([packet for packet in found if packet.token == bytes([rid])], 5, 15)
    eq({packet.payload for packet in found if packet.token == b"\4"}, {b"7200"})


def test_int_1250_apn_profile():
    """Creation and activation of an APN connection profile"""
    peer = c10()
    peer.register()
    profile = unhex("c8 00 09 70726f66696c652032  c3 01 617065  c1 04 03")  # name, APN, no authentication
    reply = peer.post("/11", profile, content_format=TLV)
    eq((reply.code, reply.location), ("2.01", ["11", "1"]))
    eq(peer.post("/1/0/8").code, "2.04")
    peer.advance(1)
    (update,) = peer.requests()
    eq(update.path, "/rd/5a3f")
    assert b"</11/1>" in update.payload
    peer.observe("/10/0/11", accept=TLV, token=b"o")
    eq(peer.get("/10/0/11", accept=TLV).payload, unhex("86 0b 44 00 000b0000"))
    eq(peer.put("/11/1/3", b"1", content_format=0).code, "2.04")
    both = unhex("88 0b 0c 44 00 000b0000 44 01 000b0001")
    eq(peer.get("/10/0/11", accept=TLV).payload, both)
    peer.advance(2)
    eq([packet.payload for packet in peer.notifications(b"o")], [both])
    eq(peer.put("/11/0/3", b"0", content_format=0).code, "2.04")
    eq(peer.get("/10/0/11", accept=TLV).payload, unhex("86 0b 44 00 000b0001"))
    eq(peer.post("/11", unhex("c1 00 41"), content_format=TLV).location, ["11", "2"])


# -- 1600: portfolio ---------------------------------------------------------------------------------------------------

HOST = (
    b"Host Device ID #1",
    b"Host Device Manufacturer #1",
    b"Host Device Model #1",
    b"Host Device Software Version #1",
)


def test_int_1630_create_portfolio():
    """Create a Portfolio object instance"""
    peer = c12()
    peer.register()
    eq(peer.get("/16/0", accept=LINK).text, "</16/0>,</16/0/0>;dim=4")
    second = unhex("88 00 2b  48 00 11") + b"Host Device ID #2" + unhex("48 01 14") + b"Host Device Model #2"
    reply = peer.post("/16", unhex("08 01 2e") + second, content_format=TLV)
    eq((reply.code, reply.location), ("2.01", ["16", "1"]))
    eq(peer.get("/16/1", accept=LINK).text, "</16/1>,</16/1/0>;dim=2")
    first = b"".join([b"\x48" + bytes([riid, len(HOST[riid])]) + HOST[riid] for riid in range(4)])
    first = b"\x88\x00" + bytes([len(first)]) + first
    wanted = b"\x08\x00" + bytes([len(first)]) + first + b"\x08\x01\x2e" + second
    eq(peer.get("/16", accept=TLV).payload, wanted)
    eq(peer.post("/16", b"", content_format=TLV).code, "4.00")


def test_int_1635_delete_portfolio():
    """Delete a Portfolio object instance"""
    peer = c12()
    peer.register()
    eq(peer.post("/16", unhex("86 00 41 00 61 41 01 62"), content_format=TLV).code, "2.01")
    peer.advance(1)
    peer.requests()
    eq(peer.get("/16", accept=LINK).text, "</16>,</16/0>,</16/0/0>;dim=4,</16/1>,</16/1/0>;dim=2")
    eq([peer.delete("/16/%d" % iid).code for iid in (0, 1, 1)], ["2.02", "2.02", "4.04"])
    eq(peer.get("/16", accept=LINK).text, "</16>")
    peer.advance(1)
    update = peer.requests()[-1]
    assert update.path == "/rd/5a3f" and b"</16>" in update.payload and b"</16/" not in update.payload, update


# -- 1900: binary data, 2000: event log --------------------------------------------------------------------------------


def test_int_1900_observe_binary_data():
    """Observation and notification of binary application data"""
    peer = c15()
    peer.register()
    eq(peer.get("/19", accept=LINK).text, "</19>,</19/0>,</19/0/0>;dim=1,</19/1>,</19/1/0>;dim=1")
    eq(peer.put("/19/0/0?pmin=300&pmax=3600").code, "2.04")
    eq(peer.observe("/19/0/0", accept=TLV, token=b"o").payload, unhex("85 00 43 00 010203"))
    start = peer.now
    peer.advance(100)
    object_of(peer, 19).set("data", {0: b"\4\5"})
    peer.advance(7200)
    found = peer.notifications(b"o")
    eq([packet.at - start for packet in found], [300000, 3900000])
    eq({packet.payload for packet in found}, {unhex("84 00 42 00 0405")})


def test_int_1901_write_binary_data():
    """Setting the writable resources of binary application data"""
    peer = c15()
    peer.register()
    written = unhex("88 00 0b 48 00 08 00ff102030405060")
    eq(peer.put("/19/1/0", written, content_format=TLV).code, "2.04")
    eq(peer.get("/19/1/0", accept=TLV).payload, written)
    eq(peer.put("/19/1/0/0", b"\xff\0", content_format=42).code, "2.04")
    eq(peer.get("/19/1/0/0", accept=42).payload, b"\xff\0")
    eq(peer.get("/19/0/0/0", accept=42).payload, b"\1\2\3")


def test_int_2000_start_event_log():
    """Starting the event log"""
    peer = c16()
    peer.register()
    eq(peer.get("/20/0/4013", accept=0).payload, b"3")
    eq(peer.put("/20/0/4011", b"1", content_format=0).code, "4.05")  # it is there to be executed
    eq(peer.post("/20/0/4011").code, "2.04")
    eq(peer.get("/20/0/4013", accept=0).payload, b"0")
    object_of(peer, 20).log("door open")
    eq([peer.get("/20/0/%d" % rid).payload for rid in (4013, 4014)], [b"2", b"door open\n"])


def test_int_2001_read_event_log():
    """Querying the readable resources of the event log"""
    peer = c16()
    peer.register()
    reply = peer.get("/20/0", accept=TLV)
    eq((reply.code, reply.payload), ("2.05", unhex("e1 0faa 00  e1 0fad 03  e5 0fae 626f6f740a")))
