"""What the conformance tests of management have in common: a client that is registered, and what it answers."""

from configurations import c1
from support import eq

# What a client of configuration C.1 says of itself, by SenML names.
SERVER = {"/1/0/0": 1, "/1/0/1": 86400, "/1/0/6": False, "/1/0/7": "U"}
DEVICE = {"/3/0/0": "ACME", "/3/0/1": "Board 1", "/3/0/2": "0815", "/3/0/3": "1.0", "/3/0/11/0": 0}
DEVICE.update({"/3/0/13": 1367491215, "/3/0/14": "+00:00", "/3/0/15": "Etc/UTC", "/3/0/16": "U"})


def registered(make=c1, *objects, **settings):
    """A Peer of a configuration whose client has registered."""
    peer = make(*objects, **settings)
    peer.register()
    return peer


def content(reply, content_format, payload):
    """2.05 in an ACK, with this payload."""
    eq((reply.type, reply.code, reply.content_format), ("ACK", "2.05", content_format))
    eq(reply.payload, payload)


def changed(reply):
    """2.04 in an ACK."""
    eq((reply.type, reply.code, reply.payload), ("ACK", "2.04", b""))


def updates(peer):
    """The queries of the Updates since the last call; there was no other request."""
    peer.poll()
    found = peer.requests()
    eq([packet.path for packet in found], ["/rd/5a3f"] * len(found))
    return [packet.queries for packet in found]
