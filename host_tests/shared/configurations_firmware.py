"""A client with Firmware Update as the conformance tests want it (configuration C.8), packages, and a file server.

peer = c8()                 # C.3 and /5/0 with a FileSink; peer.firmware, peer.files, peer.store, peer.reboots
peer.files.body = package(b"content")
peer.put(URI, peer.files.uri.encode(), content_format=0)
peer.advance(1)
eq(state(peer), (2, 0))     # State and Update Result, as the server reads them
peer = restarted(peer)      # the same device after a reboot
"""

import os
import sys
from binascii import hexlify
from hashlib import sha256

from configurations import c3, device_of
from lwm2m.file_sink import FileSink
from lwm2m.objects.firmware import Firmware
from packet import block
from peer import Peer

PACKAGE, URI, UPDATE, CANCEL = "/5/0/0", "/5/0/1", "/5/0/2", "/5/0/10"
PATH = "%s/microlwm2m-%s.img" % (os.getenv("TMPDIR") or "/tmp", hexlify(os.urandom(6)).decode())


def package(content, label="demo 2.0"):
    """What a FileSink accepts."""
    rest = bytes([len(label)]) + label.encode() + content
    return b"MPFW" + sha256(rest).digest() + rest


CONTENT = bytes([index * 7 & 255 for index in range(20000)])
GOOD = package(CONTENT)


def clean():
    """Remove what the tests leave."""
    for path in (PATH, PATH + ".part"):
        try:
            os.remove(path)
        except OSError:
            continue


(sys.atexit if hasattr(sys, "atexit") else __import__("atexit").register)(clean)


class Store:
    """Keeps things in RAM, over what the tests call a restart. It breaks when `works` is False."""

    def __init__(self):
        self.kept = {}
        self.works = True
        self.saves = 0

    def load(self, name):
        return self.kept.get(name)

    def save(self, name, data):
        if not self.works:
            raise OSError(28)
        self.saves += 1
        self.kept[name] = bytes(data)

    def remove(self, name):
        if not self.works:
            raise OSError(5)
        self.kept.pop(name, None)


class FileServer:
    """The scripted CoAP server at the other end of a download; `peer` is the Peer that plays it.

    body, etag (None: without), szx (the largest block), size2 (what it announces, True: the truth, None: nothing).
    `answer(packet)` may be replaced; `works` and `silent` are those of Peer, for the downloads to come as well. While
    it is `held`, nothing moves at all; else a download is over in no time.
    """

    uri = "coap://files.example:5700/fw/a%20b.bin?v=2&x=%25"

    def __init__(self, peer, body=GOOD):
        self.device = peer
        self.body, self.etag, self.szx, self.size2 = body, b"e1", 5, True
        self.answer = self.serve
        self.works, self.silent, self.held = True, False, False
        self.peer = None
        self.asked = []  # Packets
        peer.world.peers.append(self)

    @property
    def fetch(self):
        """The session of the client, or None."""
        for session in self.device.client.sessions:
            if hasattr(session, "download"):
                return session
        return None

    def carry(self):
        """Bring what waits here; see Peer."""
        fetch = self.fetch
        if self.held:
            return False
        if fetch and (self.peer is None or self.peer.registration is not fetch):
            self.peer = Peer(world=self.device.world, registration=fetch)
            self.peer.answer = self._take
        if self.peer is None:
            return False
        self.peer.link_works, self.peer.silent = self.works, self.silent
        return self.peer.carry()

    def _take(self, packet):
        self.asked.append(packet)
        return self.answer(packet)

    def numbers(self):
        """The blocks asked for since the last call."""
        found, self.asked = [packet.block2[0] for packet in self.asked], []
        return found

    def serve(self, packet):
        """What an honest server answers."""
        num, _, szx = packet.block2
        start = num << szx + 4
        szx = min(szx, self.szx)
        end = start + (16 << szx)
        options = [] if self.etag is None else [(4, self.etag)]
        if self.size2 is not None and start == 0:
            options.append((28, len(self.body) if self.size2 is True else self.size2))
        options.append((23, block(start >> szx + 4, end < len(self.body), szx)))
        return "2.05", options, self.body[start:end]


def c8(store=None, sink=None, capacity=None, register=True, keep=False, **settings):
    """C.8: C.3 with Firmware Update, registered unless told; `keep` leaves the files that are there."""
    if not keep:
        clean()
    peer = c3(**settings)
    peer.client.store = peer.store = Store() if store is None else store
    peer.reboots = []
    peer.sink = sink or FileSink(PATH, capacity)
    peer.files = FileServer(peer)
    tell = device_of(peer)
    peer.firmware = Firmware(
        peer.sink, lambda: peer.reboots.append(peer.now), lambda version: tell.set("firmware_version", version)
    )
    peer.client.add(peer.firmware)
    if register:
        peer.register()
    return peer


def restarted(peer, **settings):
    """The device of a peer after a reboot, registered."""
    return c8(peer.store, peer.sink if settings.pop("same_sink", False) else None, keep=True, **settings)


def state(peer):
    """(State, Update Result) as the server reads them."""
    return int(peer.get("/5/0/3").payload), int(peer.get("/5/0/5").payload)


def push(peer, body=GOOD, szx=5, **more):
    """Push a package; the code of the last answer."""
    return peer.put_blocks(PACKAGE, body, szx=szx, content_format=42, **more)[-1].code


def pull(peer, uri=None):
    """Write the Package URI; the code of the answer."""
    return peer.put(URI, (uri or peer.files.uri).encode(), content_format=0).code


def reset(peer):
    """Write an empty Package URI; the code of the answer."""
    return peer.put(URI, b"", content_format=0).code
