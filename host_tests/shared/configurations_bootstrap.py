"""Configurations C.13 and C.14 of OMA, with a Bootstrap-Server in the script, and what such a server writes.

    world = c13()
    world.start()                        # the Request is answered by 2.04
    world.bs.put("/0", SECURITY)         # TLV, as everything here; see account()
    world.bs.put("/1", SERVER)
    world.bs.post("/bs")                 # Finish
    world.server.state                   # the Peer of whatever server has an account; coap://server1 is world.server

All Peers are sessions of one client, in one virtual time. What is sent to a session without link does not arrive.
"""

from configurations import device
from lwm2m import accounts, bootstrap_accounts
from lwm2m.objects.access_control import AccessControl
from peer import Peer, _World
from support import eq

TLV = 11542
BS = "coap://bs"
bootstrap_accounts.SCHEMES += ("coaps",)  # here links open whatever they are
PSK = b"\x31\x32\x33\x34"


class Memory:
    """A store that keeps content as a dict; `full` lets every save fail."""

    def __init__(self):
        self.found = {}
        self.full = False
        self.saves = 0

    def load(self, name):
        return self.found.get(name)

    def save(self, name, data):
        if self.full:
            raise OSError(28)
        self.saves += 1
        self.found[name] = bytes(data)

    def remove(self, name):
        self.found.pop(name, None)


class World(_World):
    """One client with a Bootstrap-Server `bs` and servers that come and go with their accounts."""

    def __init__(self, objects=(), count=0, store=None, mark=b"mark", hold_off=0, creators=(), seed=1, **settings):
        self._by_uri = {}
        super().__init__([device()] + list(objects), count, creators, seed, **settings)
        self.peers = []
        self.store = Memory() if store is None else store
        self.client.store = self.store
        accounts.furnish(self.client, {"uri": BS, "hold_off": hold_off}, self.store, mark)
        self.bs = self.peer(BS)
        self.bs.registration = self.bootstrap = self.client.bootstrap or self.client.sessions[0]

    def peer(self, uri):
        """The Peer at a URI; it speaks once there is a session with it."""
        if uri not in self._by_uri:
            self._by_uri[uri] = Scripted(world=self)
            self._by_uri[uri].uri = uri
        return self._by_uri[uri]

    server = property(lambda self: self.peer("coap://server1"))
    server2 = property(lambda self: self.peer("coap://server2"))

    def flush(self):
        """Bring sessions and Peers together, then as before."""
        for _ in range(1000):
            self.peers = []
            for session in self.client.sessions:
                if session.uri:
                    peer = self.peer(session.uri)
                    peer.registration = session
                    self.peers.append(peer)
            if not [1 for peer in self.peers if peer.carry()]:
                return
        raise AssertionError("the client never falls silent")

    def start(self):
        """Start the client and let it do what is due."""
        self.client.start(self.now)
        self.advance(0)

    def advance(self, seconds):
        self.run(self.now + int(seconds * 1000))

    def instances(self, oid):
        """The ids of the instances of an object."""
        return sorted(self.client.tree.objects.get(oid, {}))

    def finish(self):
        """Write an account to server1 and finish; the Register follows."""
        eq([self.bs.put("/0", security(), content_format=TLV).code, self.write("/1", server())], ["2.04"] * 2)
        eq(self.bs.post("/bs").code, "2.04")
        self.advance(1)

    def write(self, path, payload):
        return self.bs.put(path, payload, content_format=TLV).code


class Scripted(Peer):
    """A Peer that a closed link does not reach, and that may be there before its session."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.uri = None

    def _deliver(self, datagram):
        if self.registration and self.registration.link == "open":
            super()._deliver(datagram)

    @property
    def state(self):
        return self.registration.state if self.registration else None

    def put(self, path, payload=b"", content_format=TLV, **more):
        return super().put(path, payload, content_format=content_format, **more)


def c13(objects=(), **settings):
    """C.13: nothing but the account of a Bootstrap-Server, in /0/1, and a Device."""
    return World(objects, **settings)


def c14(objects=(), **settings):
    """C.14: two servers, in /0/0 with /1/0 and in /0/2 with /1/1, the Bootstrap-Server in /0/1, and rights for all."""
    controls = []
    for oid, iid, owner, acl in ((1, 0, 1, {1: 15}), (1, 1, 2, {2: 15}), (3, 0, 65535, {1: 15, 2: 15})):
        controls.append(AccessControl(oid, iid, owner, acl))
    return World(controls + list(objects), 2, **settings)


# -- what a Bootstrap-Server writes, made by hand ----------------------------------------------------------------------


def tlv(kind, ident, content):
    """One TLV (OMA LwM2M TRANS): kind 0 instance, 1 resource instance, 2 multiple resource, 3 resource."""
    size = len(content)
    head = kind << 6
    ids = bytes([ident]) if ident < 256 else bytes([ident // 256, ident % 256])
    head |= 0x20 if ident > 255 else 0
    if size < 8 and kind:
        return bytes([head | size]) + ids + content
    if size < 256:
        return bytes([head | 8]) + ids + bytes([size]) + content
    return bytes([head | 16]) + ids + bytes([size // 256, size % 256]) + content


def resources(values):
    """{resource id: bytes} as TLVs."""
    return b"".join([tlv(3, rid, values[rid]) for rid in sorted(values)])


def security(iid=0, uri=b"coap://server1", ssid=1, mode=3, identity=b"", key=b"", **more):
    """An instance of object 0 as a TLV."""
    values = {0: uri, 1: b"\0", 2: bytes([mode]), 3: identity, 4: b"", 5: key, 10: bytes([ssid])}
    values.update(more.get("values", {}))
    return tlv(0, iid, resources(values))


def server(iid=0, ssid=1, lifetime=86400, values=()):
    """An instance of object 1 as a TLV."""
    found = {0: bytes([ssid]), 1: lifetime.to_bytes(4, "big"), 6: b"\0", 7: b"U"}
    found.update(dict(values))
    return tlv(0, iid, resources(found))
