"""OMA-ETS-LightweightM2M_INT, 900-949: Connectivity Statistics. Each test is named by its number."""

from configurations import c9
from support import eq, unhex

TLV = 11542
ZERO = "c1 00 00  c1 01 00  c1 02 00  c1 03 00  c1 04 00  c1 05 00  c1 08 00"


def counters(peer):
    return [int(peer.get("/7/0/%d" % rid, accept=0).text) for rid in range(6)]


def test_int_901_statistics():
    """Querying the statistics of a period that the server starts and ends"""
    peer = c9()
    peer.register()
    eq(peer.get("/7/0", accept=TLV).payload, unhex(ZERO))
    eq(peer.post("/7/0/6").code, "2.04")
    for _ in range(100):
        eq(peer.get("/3/0/0", accept=0).code, "2.05")
    eq(peer.post("/7/0/7").code, "2.04")
    # Sent: 2.04 of 4 + token 3 + headers 28, and 100 x 2.05 of 4 + token 3 + Content-Format 1 + marker 1 + text 4 + 28.
    # Received: 100 x GET of 4 + token 3 + path 6 + Accept 1 + 28, and the Stop, without Accept.
    first = counters(peer)
    eq((35 + 4100, 4200 + 41, (35 + 4100 + 4200 + 41) // 202), (4135, 4241, 41))
    eq(first, [0, 0, 4, 4, 42, 41])
    for _ in range(100):
        peer.get("/3/0/0", accept=0)
    eq(counters(peer), first)
    eq(peer.post("/7/0/6").code, "2.04")
    eq(peer.post("/7/0/7").code, "2.04")
    eq(counters(peer)[:4], [0, 0, 0, 0])


def test_int_905_collection_period():
    """Setting the collection period"""
    peer = c9()
    peer.register()
    eq(peer.put("/7/0/8", b"30", content_format=0).code, "2.04")
    eq(peer.get("/7/0/8", accept=0).payload, b"30")
    eq(peer.put("/7/0/8", b"-1", content_format=0).code, "4.00")


def test_int_910_observe_statistics():
    """Observation and notification of the statistics"""
    peer = c9()
    peer.register()
    eq(peer.put("/7/0?pmin=2&pmax=10").code, "2.04")
    eq(peer.put("/7/0/8", b"0", content_format=0).code, "2.04")
    eq(peer.observe("/7/0", accept=TLV, token=b"o").payload, unhex(ZERO))
    start = peer.now
    eq(peer.post("/7/0/6").code, "2.04")
    peer.advance(15)
    eq(peer.post("/7/0/7").code, "2.04")
    peer.advance(15)
    found = peer.notifications(b"o")
    times = [packet.at - start for packet in found]
    eq(times, [2000, 12000, 15000, 25000])
    eq(peer.cancel("/7/0", b"o", accept=TLV).observe, None)
    peer.advance(30)
    eq(peer.notifications(b"o"), [])
