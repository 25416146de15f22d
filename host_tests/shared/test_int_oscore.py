"""OMA's cases with OSCORE: ETS 1.1-int-405 and 1.2-int-11."""

from coap.oscore import Context
from configurations import device
from configurations_bootstrap import BS, Memory, Scripted, World, resources, security, server, tlv
from lwm2m.objects.oscore import Oscore as Keys
from oscore_peer import Numbers, Oscore, OscorePeer
from support import eq

SECRET = b"sixteen bytes 16"


class OscoreScripted(Oscore, Scripted):
    """A server that comes with its account."""

    kind = Scripted


class OscoreWorld(World):
    """C.23: a Bootstrap-Server with OSCORE, and server1 as it is given keys."""

    def __init__(self, **settings):
        super().__init__(**settings)
        own = Keys()
        own.secret, own.sender_id, own.recipient_id = SECRET, b"\3", b"\4"
        self.client.add(own, 8)
        self.client.tree.objects[0][1].oscore = (21, 8)

    def peer(self, uri):
        if uri not in self._by_uri:
            made = self._by_uri[uri] = OscoreScripted(world=self)
            made.uri = uri
            sender, recipient = (b"\4", b"\3") if uri == BS else (b"\2", b"\1")
            made.use(Context(SECRET, b"", sender, recipient, None, Numbers().reserve))
        return self._by_uri[uri]


def test_int_405_oscore():
    """OSCORE"""
    peer = OscorePeer([device()])
    peer.script(("4.01", [(252, b"an echo")]))
    peer.register()
    eq([one.get(252) for one in peer.sent if one.path == "/rd"], [None, b"an echo"])
    reply = peer.get("/3/0/0", accept=0)
    eq((reply.code, reply.payload), ("2.05", b"ACME"))
    eq([(one.code, [number for number, _ in one.options]) for one in peer.outer], [("POST", [9])] * 2 + [("2.04", [9])])


def test_int_011_oscore_bootstrap():
    """OSCORE bootstrap"""
    world = OscoreWorld(version="1.2", store=Memory())
    world.bs.script("4.04")  # no pack
    world.start()
    eq((world.bootstrap.state, world.bs.sent[-1].path), ("BOOTSTRAPPING", "/bs"))
    eq(world.write("/0", security(values={17: b"\0\x15\0\7"})), "2.04")
    eq(world.write("/21", tlv(0, 7, resources({0: SECRET, 1: b"\1", 2: b"\2"}))), "2.04")
    eq(world.write("/1", server()), "2.04")
    listed = world.bs.get("/", accept=40)
    eq((listed.code, b"</21/7>;ssid=1" in listed.payload, b",</21/8>" in listed.payload), ("2.05", True, True))
    eq(world.bs.post("/bs").code, "2.04")
    world.advance(1)
    eq(world.server.state, "REGISTERED")
    eq(world.server.get("/3/0/0", accept=0).code, "2.05")
    for peer in (world.bs, world.server):
        eq({one.code for one in peer.outer}, {"POST", "2.04"})
        eq([one for one in peer.outer if one.get(9) is None], [])
