"""OMA-ETS-LightweightM2M_INT, 300-399: Send, and X-63. Each test is named by its number."""

from configurations import account_of, c1
from lwm2m.config import ConfigError
from senml_judge import CBOR, told
from support import eq, raises, unhex


def registered(**settings):
    """C.1 with /1/0/23 (Mute Send) false, registered."""
    peer = c1(**settings)
    account_of(peer).mute_send = False
    peer.register()
    return peer


def sent(peer):
    """What was sent since the last call."""
    peer.advance(1)
    found = [packet for packet in peer.requests() if packet.path != "/rd/5a3f"]
    for packet in found:
        eq((packet.type, packet.code, packet.path, packet.queries), ("CON", "POST", "/dp", []))
    return found


def test_int_306_send():
    """Send Operation"""
    peer = registered()
    eq(peer.client.send("/3/0"), 1)
    (packet,) = sent(peer)
    eq(packet.content_format, CBOR)
    found = told(packet)
    eq((found["/3/0/0"], found["/3/0/11/0"], found["/3/0/16"], len(found)), ("ACME", 0, "U", 9))
    peer.advance(600)
    eq(sent(peer), [])


def test_int_307_mute_send():
    """Muting Send, and the other way round"""
    peer = registered()
    for mute, count in ((b"1", 0), (b"0", 1), (b"1", 0)):
        eq(peer.put("/1/0/23", mute, content_format=0).code, "2.04")
        eq(peer.client.send("/3/0/0"), count)
        eq(len(sent(peer)), count)
    account_of(peer).mute_send = None
    eq((peer.client.send("/3/0/0"), sent(peer)), (0, []))


def test_int_311_send_of_two_objects():
    """Send Operation with values of two Objects"""
    peer = registered()
    peer.client.send(["/1/0/1", "/3/0/11/0"])
    (packet,) = sent(peer)
    eq(packet.content_format, CBOR)
    eq(packet.payload, unhex("82 A3 21 65 2F312F302F 00 61 31 02 1A 00015180 A3 21 65 2F332F302F 00 64 31312F30 02 00"))
    eq(told(packet), {"/1/0/1": 86400, "/3/0/11/0": 0})


def test_x_63_send_that_fails():
    """A server without Send, one that mutes, objects that are not there or closed"""
    outcomes = []
    peer = registered()
    for code in ("4.04", "4.00", "4.05", "5.00"):
        peer.script(code)
        peer.client.send("/3/0/0", on_outcome=lambda ssid, outcome: outcomes.append((ssid, outcome)))
        eq(len(sent(peer)), 1)
        peer.advance(1000)
        eq(sent(peer), [])
    eq(outcomes, [(1, "4.04"), (1, "4.00"), (1, "4.05"), (1, "5.00")])
    for path in ("/0", "/0/0/0", "/21", "/21/0", ["/3/0/0", "/0/0/5"]):
        raises(ConfigError, peer.client.send, path)
    eq((peer.client.send(["/77", "/3/1", "/3/0/99"]), sent(peer)), (0, []))
    peer.client.send("/")
    (packet,) = sent(peer)
    eq([name for name in told(packet) if name.startswith("/0/")], [])
    eq(peer.client.send("/3/0/0", server=2), 0)
