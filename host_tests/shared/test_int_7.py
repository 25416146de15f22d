"""OMA-ETS-LightweightM2M_INT, 700-749: Connectivity Monitoring. Each test is named by its number."""

from configurations import c5
from support import eq, unhex

TLV = 11542
ALL = """
    c1 00 07                                              # bearer: NB-IoT
    86 01  41 00 07  41 01 15                             # available: NB-IoT, WLAN
    c1 02 a4                                              # -92 dBm
    c1 03 f5                                              # quality -11
    88 04 1a  48 00 09 3139322e302e322e37                 # 192.0.2.7
              48 01 0b 323030313a6462383a3a37             # 2001:db8::7
    88 05 0c  48 00 09 3139322e302e322e31                 # 192.0.2.1
    c1 06 05                                              # 5 %
    85 07     43 00 6c6162                                # lab
    c4 08 0fffffff                                        # cell
    c1 09 01                                              # network 1
    c2 0a 0106                                            # of country 262
"""


def monitor_of(peer):
    return peer.client.tree.objects[4][0]


def test_int_701_read_connectivity():
    """Querying the readable resources of Connectivity Monitoring"""
    peer = c5()
    peer.register()
    reply = peer.get("/4/0", accept=TLV)
    eq((reply.code, reply.content_format, reply.payload), ("2.05", TLV, unhex(ALL)))


def test_int_705_nothing_writable():
    """Setting the writable resources of Connectivity Monitoring: there are none"""
    peer = c5()
    peer.register()
    eq({peer.put("/4/0/%d" % rid, b"1", content_format=0).code for rid in (0, 2, 3, 6, 8, 9, 10)}, {"4.05"})
    eq(peer.post("/4/0", unhex("c1 02 05"), content_format=TLV).code, "4.05")
    eq(peer.get("/4/0/2", accept=0).payload, b"-92")


def test_int_710_observe_connectivity():
    """Observation and notification of Connectivity Monitoring"""
    peer = c5()
    peer.register()
    eq(peer.put("/4/0?pmin=2&pmax=10").code, "2.04")
    reply = peer.observe("/4/0", accept=TLV, token=b"o")
    eq((reply.code, reply.payload), ("2.05", unhex(ALL)))
    start = peer.now
    peer.advance(20)
    found = peer.notifications(b"o")
    eq([packet.at - start for packet in found], [10000, 20000])
    eq({packet.payload for packet in found}, {unhex(ALL)})
    for second in range(10):
        monitor_of(peer).set("rssi", -80 - second)
        peer.advance(1)
    times = [packet.at for packet in peer.notifications(b"o")]
    assert len(times) > 3, times
    assert min([times[number] - times[number - 1] for number in range(1, len(times))]) >= 2000, times
