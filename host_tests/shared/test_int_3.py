"""OMA-ETS-LightweightM2M_INT, 300-399: information reporting. Each test is named by its number."""

from configurations import c4, device_of
from support import eq, unhex

TLV = 11542
VOLTAGE, CURRENT = b"\x07", b"\x08"


def observed():
    """C.4, registered, with the observations of 301 running."""
    peer = c4()
    peer.register()
    reply = peer.get("/3/0/6", accept=TLV)
    eq((reply.code, reply.payload), ("2.05", unhex("86 06 41 00 01 41 01 02")))
    eq(peer.put("/3/0/7?pmin=5&pmax=15").code, "2.04")
    eq(peer.put("/3/0/8?pmin=10&pmax=20").code, "2.04")
    for rid, token in ((7, VOLTAGE), (8, CURRENT)):
        reply = peer.observe("/3/0/%d" % rid, token=token)
        eq((reply.code, reply.token, reply.observe, reply.content_format), ("2.05", token, 0, TLV))
        eq(reply.payload, unhex("86 %02x 41 00 00 41 01 00" % rid))
    return peer


def vary(peer, seconds):
    """Let both power sources change each second, and time pass."""
    for _ in range(seconds):
        peer.advance(1)
        millivolts = peer.now // 1000 % 50
        device_of(peer).set("power_voltage", {0: millivolts, 1: 0})
        device_of(peer).set("power_current", {0: 0, 1: millivolts})
        peer.poll()


def check_stream(notifications, pmin_s, pmax_s):
    """Neither too close nor too far apart; a growing Observe; one Content-Format."""
    assert len(notifications) > 2
    for number in range(1, len(notifications)):
        before, after = notifications[number - 1 : number + 1]
        assert pmin_s * 1000 <= after.at - before.at <= pmax_s * 1000, (before, after)
        assert after.observe > before.observe
    eq({(packet.code, packet.content_format) for packet in notifications}, {("2.05", TLV)})


def streams(peer):
    """The notifications of both observations since the last call."""
    found = peer.notifications()
    eq({packet.token for packet in found} - {VOLTAGE, CURRENT}, set())
    return [[packet for packet in found if packet.token == token] for token in (VOLTAGE, CURRENT)]


def test_int_301_observation_and_notification():
    """Observation and Notification of parameter values"""
    peer = observed()
    peer.advance(40)
    voltage, current = streams(peer)
    eq([packet.at for packet in voltage], [15000, 30000])
    eq([packet.at for packet in current], [20000, 40000])
    eq([packet.payload for packet in voltage], [unhex("86 07 41 00 00 41 01 00")] * 2)
    vary(peer, 60)
    voltage, current = streams(peer)
    check_stream(voltage, 5, 15)
    check_stream(current, 10, 20)
    eq(voltage[-1].payload, unhex("86 07 41 00 %02x 41 01 00" % ((voltage[-1].at // 1000 - 1) % 50)))


def test_int_302_cancel_by_reset():
    """Cancel Observations using Reset Operation"""
    peer = observed()
    vary(peer, 12)
    voltage, current = streams(peer)
    peer.reset(voltage[-1])
    vary(peer, 60)
    voltage, current = streams(peer)
    eq(voltage, [])
    check_stream(current, 10, 20)
    peer.reset(current[-1])
    vary(peer, 60)
    eq(streams(peer), [[], []])
    eq(peer.get("/3/0/7", accept=TLV).code, "2.05")


def test_int_303_cancel_by_observe_1():
    """Cancel Observations using Observe with Cancel parameter"""
    peer = observed()
    vary(peer, 12)
    streams(peer)
    reply = peer.cancel("/3/0/7", VOLTAGE)
    eq((reply.code, reply.observe, reply.token), ("2.05", None, VOLTAGE))
    eq(reply.payload, unhex("86 07 41 00 0c 41 01 00"))
    vary(peer, 60)
    voltage, current = streams(peer)
    eq(voltage, [])
    check_stream(current, 10, 20)
    reply = peer.cancel("/3/0", b"\x77")
    eq((reply.code, reply.observe), ("2.05", None))
    vary(peer, 30)
    assert streams(peer)[1]
    peer.cancel("/3/0/8", CURRENT)
    vary(peer, 60)
    eq(streams(peer), [[], []])
