"""OMA-ETS-LightweightM2M_INT, 800-899: Location. Each test is named by its number, its docstring is the title."""

from struct import pack

from configurations import c7
from support import eq, unhex

TLV = 11542


def content(timestamp, latitude=43.5723):
    """C.7 as TLV."""
    doubles = b"\xc8\x00\x08" + pack(">d", latitude) + b"\xc8\x01\x08" + pack(">d", 153.2176)
    return doubles + unhex("c4 02 430c0000  c4 03 42c80000  c1 04 00  c4 05 %08x  c4 06 40400000" % timestamp)


def test_int_801_read_location():
    """Querying the resources of Location"""
    peer = c7()
    peer.register()
    reply = peer.get("/6/0", accept=TLV)
    eq((reply.code, reply.content_format, reply.payload), ("2.05", TLV, content(1367491215)))


def test_int_805_nothing_writable():
    """Setting the writable resources of Location: there are none"""
    peer = c7()
    peer.register()
    eq({peer.put("/6/0/%d" % rid, b"1", content_format=0).code for rid in range(7)}, {"4.05"})
    eq(peer.get("/6/0/2", accept=0).payload, b"140")


def test_int_810_observe_location():
    """Observation and notification of Location"""
    peer = c7()
    peer.register()
    eq(peer.put("/6/0?pmin=2&pmax=10").code, "2.04")
    reply = peer.observe("/6/0", accept=TLV, token=b"o")
    eq((reply.code, reply.payload), ("2.05", content(1367491215)))
    start = peer.now
    peer.advance(10)
    eq([packet.at - start for packet in peer.notifications(b"o")], [10000])
    place = peer.client.tree.objects[6][0]
    for latitude in (43.5, 43.25, 43.125):
        place.moved(latitude, 153.2176, 140.0)
        peer.advance(1)
    peer.advance(3)
    found = peer.notifications(b"o")
    eq([packet.at - start for packet in found], [12000, 14000])
    short = unhex("c4 00 422c8000")  # 43.125 fits into four bytes
    eq(found[-1].payload, short + content(1367491300)[11:])
