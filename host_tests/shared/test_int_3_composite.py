"""OMA-ETS-LightweightM2M_INT, 300-399: Observe-Composite. Each test is named by its number."""

from configurations import c1, device_of
from lwm2m.objects.portfolio import Portfolio
from senml_judge import CBOR, packed, path_list, told
from support import eq

THREE = ("/1/0/1", "/3/0/11/0", "/3/0/16")
VALUES = {"/1/0/1": 86400, "/3/0/11/0": 0, "/3/0/16": "U"}
TOKEN = b"\x30\x04"


def fetch(peer, paths, observe, token=TOKEN):
    payload = path_list(*paths)
    return peer.request("FETCH", "/", payload, content_format=CBOR, accept=CBOR, observe=observe, token=token)


def observed():
    """C.1, registered, with the observation of 304 running."""
    peer = c1()
    peer.register()
    eq(peer.put("/1/0/1?pmin=30&pmax=45").code, "2.04")
    reply = fetch(peer, THREE, 0)
    eq((reply.type, reply.code, reply.observe, reply.content_format), ("ACK", "2.05", 0, CBOR))
    eq(told(reply), VALUES)
    return peer


def heard(peer):
    """[(s, what is told)] of the notifications since the last call."""
    found = peer.notifications()
    eq({(packet.code, packet.token, packet.content_format) for packet in found} - {("2.05", TOKEN, CBOR)}, set())
    return [(packet.at // 1000, told(packet)) for packet in found]


def create(peer, iid, text):
    payload = packed([{"n": "/16/%d/0/0" % iid, "vs": text}])
    reply = peer.post("/16", payload, content_format=CBOR)
    eq(reply.code, "2.01")


def portfolios():
    """C.1 with /16/0, made by the server, and the observation of 308 running."""
    peer = c1(creators=[Portfolio])
    peer.register()
    create(peer, 0, "first")
    eq(peer.put("/16/0?pmin=30&pmax=45").code, "2.04")
    reply = fetch(peer, ("/16/0", "/16/1"), 0)
    eq((reply.code, reply.observe, told(reply)), ("2.05", 0, {"/16/0/0/0": "first"}))
    return peer


def test_int_304_observe_composite():
    """Observe-Composite Operation"""
    peer = observed()
    peer.advance(100)
    eq(heard(peer), [(45, VALUES), (90, VALUES)])
    peer.put("/1/0/1", b"40000", content_format=0)
    peer.advance(60)
    eq(heard(peer), [(120, dict(VALUES, **{"/1/0/1": 40000}))])
    device_of(peer).set("binding", "UT")
    peer.poll()
    eq(heard(peer), [(160, dict(VALUES, **{"/1/0/1": 40000, "/3/0/16": "UT"}))])


def test_int_305_cancel_observation_composite():
    """Cancel Observation-Composite Operation"""
    peer = observed()
    peer.advance(50)
    eq(len(heard(peer)), 1)
    reply = fetch(peer, THREE, 1)
    eq((reply.code, reply.observe, told(reply)), ("2.05", None, VALUES))
    peer.advance(200)
    eq(heard(peer), [])


def test_int_308_observe_composite_and_create():
    """Observe-Composite Operation with Create"""
    peer = portfolios()
    peer.advance(50)
    eq(heard(peer), [(45, {"/16/0/0/0": "first"})])
    create(peer, 1, "second")
    peer.advance(50)
    both = {"/16/0/0/0": "first", "/16/1/0/0": "second"}
    eq(heard(peer), [(50, both), (95, both)])


def test_int_309_observe_composite_and_delete():
    """Observe-Composite Operation with Delete"""
    peer = portfolios()
    create(peer, 1, "second")
    peer.advance(50)
    heard(peer)
    eq(peer.delete("/16/1").code, "2.02")
    peer.advance(60)
    found = heard(peer)
    eq([at for at, _ in found], [50, 95])
    eq([values for _, values in found], [{"/16/0/0/0": "first"}] * 2)
    eq(peer.delete("/16/0").code, "2.02")
    peer.advance(1)
    eq([values for _, values in heard(peer)], [{}])


def test_int_310_observe_composite_and_write_attributes():
    """Observe-Composite Operation with attributes that change"""
    peer = c1()
    peer.register()
    reply = fetch(peer, ("/1/0/1", "/3/0"), 0)
    eq((reply.code, reply.observe), ("2.05", 0))
    peer.advance(30)
    eq(heard(peer), [])
    eq(peer.put("/3?pmax=5").code, "2.04")
    peer.advance(21)
    found = heard(peer)
    eq([at for at, _ in found], [30, 35, 40, 45, 50])
    for _, values in found:
        assert values["/1/0/1"] == 86400 and values["/3/0/0"] == "ACME"
