"""Seasons of virtual time, on both Pythons:  season.py SEED SECONDS

A client with two servers, a Bootstrap-Server, end devices and a store lives through hours in which links are lossy and
break, servers fall silent or forget, bootstraps come and fail, the device restarts, memory and flash run short. After
each such season there is peace, and all must be as it was: registered with both servers, served, nothing left over on
the heap.

It prints "HOURS h EVENTS n DATAGRAMS n HEAP bytes" after each season, and ends with status 1 and a sentence if a thing
is not where it began.
"""

import gc
import sys
import time

from configurations_bootstrap import Memory, c14, security, server
from lwm2m import log
from lwm2m.gateway import Gateway
from lwm2m.objects.access_control import AccessControl
from lwm2m.objects.ipso import Temperature
from lwm2m.objects.portfolio import Portfolio
from mutation import Chance
from packet import Packet
from zoo import Cub, Zoo, requests

BOUNDS = {"BLOCK_SIZE": 64, "INSTANCES": 12, "SAMPLE_ms": 60000, "MAX_BODY": 512, "RETRY_MAX_s": 60}
_EVENTS = 30  # of a season
# Seasons until everything that remembers is full, and all rooms are open; CPython fills caches of its own.
WARM_UP = 3 if hasattr(gc, "mem_alloc") else 12
_NOISE = 3072  # bytes: tables that have grown do not shrink, and fill otherwise in each season
_TOO_OFTEN = 3  # seasons in a row: a table that was just growing is none, a leak stays
_NOISE_HOST = 100 << 10  # the same on CPython, which keeps caches of its own
_HARMLESS = []  # requests that change nothing that outlives a season


def _harmless():
    """Reads of anything, writes to the Zoo."""
    if not _HARMLESS:
        for datagram in requests():
            packet = Packet(datagram)
            if packet.code in ("GET", "FETCH") or (packet.code == "PUT" and packet.path[:8] == "/33000/0"):
                if not packet.queries:
                    _HARMLESS.append(datagram)
    return _HARMLESS


class Short(Zoo):
    """A Zoo for which there is no memory now and then."""

    OID = 33002
    lacks = False

    @property
    def real(self):
        """As ever, or MemoryError."""
        if self.lacks:
            raise MemoryError
        return self.value

    @real.setter
    def real(self, value):
        self.value = value


class Season:
    """One device over its lives."""

    def __init__(self, seed):
        self.chance = Chance(seed)
        self.store = Memory()
        self.events = self.datagrams = self.hours_ms = 0
        self.loss = 0  # in 100
        self.boot()

    # -- the device and its world -----------------------------------------------------------------------------------

    def boot(self):
        """Switch the device on, with what its flash holds. The servers remember what they knew."""
        rights = [AccessControl(oid, 0, acl={0: 15}) for oid in (3303, 33000, 33002, 25)]
        rights += [AccessControl(oid, acl={0: 16}) for oid in (Cub.OID,)]
        self.short = Short()
        objects = [Temperature(self._celsius), Zoo(), self.short] + rights
        self.world = c14(objects, store=self.store, creators=[Cub], seed=1 + self.chance.below(1000), **BOUNDS)
        end_device = Gateway(self.world.client).add_device("dev0", "sensor-17")
        end_device.add(Portfolio({0: "Pump"}))
        self.world.client.clock = lambda: self.world.now
        self.world.client.unix_time_s = lambda: 1790000000 + self.world.now // 1000
        self.peers = [self.world.server, self.world.server2]
        for number, peer in enumerate(self.peers):
            peer.location = [b"rd", b"%d" % number]
            peer.answer = self._server(peer)
        self.world.bs.answer = self._bootstrap_server
        self.brings = True
        self._lossy()
        self.world.client.poll = self._guarded(self.world.client.poll)
        self.world.start()

    def _guarded(self, poll):
        """What the runner does when there is no memory: go on a second later."""

        def guarded(now):
            try:
                return poll(now)
            except MemoryError:
                return 1000

        return guarded

    def _celsius(self):
        return 20 + (self.world.now // 60000) % 7 if hasattr(self, "world") else 20

    def _server(self, peer):
        """A server that knows whom it has registered."""

        def answer(packet):
            if packet.path == "/rd":
                return "2.01", [(8, segment) for segment in peer.location]
            known = packet.path == "/" + "/".join([str(segment, "utf-8") for segment in peer.location])
            if not known and packet.path != "/dp":
                return "4.04"
            return "2.02" if packet.code == "DELETE" else "2.04"

        return answer

    def _bootstrap_server(self, packet):
        """It accepts, and brings what there was; or it does not finish."""
        self.asked = True
        return "2.04"

    def _lossy(self):
        """Both ways of each peer lose `loss` of 100."""
        for peer in self.peers + [self.world.bs]:
            peer._deliver = self._losing(peer, peer._deliver)

    def _losing(self, peer, deliver):
        def lossy(datagram):
            self.datagrams += 1
            if self.chance.below(100) >= self.loss:
                deliver(datagram)
            if self.chance.below(100) < self.loss // 2:
                deliver(datagram)
            if self.chance.below(100) < self.loss:
                peer.lose(1)

        return lossy

    def run(self, seconds):
        """Time passes. A bootstrap that has begun is done, if the Bootstrap-Server does its work."""
        self.asked = False
        self.world.advance(seconds)
        self.hours_ms += seconds * 1000
        for peer in self.world._by_uri.values():
            self.datagrams += len(peer.sent)
            peer.forget()
        if self.asked and self.brings:
            bs = self.world.bs
            bs.put("/0", security(0) + security(2, b"coap://server2", 2))
            bs.put("/1", server(0, 1, 300) + server(1, 2, 300))
            bs.post("/bs")

    # -- what happens -------------------------------------------------------------------------------------------------

    def event(self):
        """One thing, and some time."""
        self.events += 1
        self.chance.pick(_EVENTS_BY_CHANCE)(self, self.chance.pick(self.peers))
        self.run(1 + self.chance.below(1 << self.chance.below(11)))

    def ask(self, peer):
        """Something harmless, or a Create, an Observe, an Execute."""
        if peer.state != "REGISTERED":
            return
        kind = self.chance.below(8)
        if kind == 0:
            peer.post("/33001", b"\xc2\x00hi\xc1\x01\x05", content_format=11542)
        elif kind < 4:
            path = self.chance.pick(("/3303/0/5700", "/33000/0", "/33002/0/3", "/dev0/16/0", "/3303"))
            peer.observe(path, token=bytes([self.chance.below(12)]), accept=self.chance.pick((11542, 110, 112)))
        elif kind == 4:
            peer.post(self.chance.pick(("/33000/0/11", "/33000/0/12", "/3303/0/5605", "/1/0/8", "/1/1/8")))
        elif kind == 5:
            peer.put("/3303/0?pmin=1&pmax=%d" % (2 + self.chance.below(90)))
        elif kind == 6:
            peer.put_blocks("/33000/0/13", bytes(300), content_format=42)
        else:
            for number in range(3):
                peer.get("/33000/0", block2=(number, False, 2))

    def flood(self, peer):
        """Hundreds of requests at once, from one peer."""
        for _ in range(100 + self.chance.below(200)):
            datagram = self.chance.pick(_harmless())
            head = datagram[:2] + bytes([self.chance.below(256), self.chance.below(256)])
            if peer.registration:
                peer._deliver(head + datagram[4:])
        self.world.flush()

    def silent(self, peer):
        """A server is away for a while."""
        peer.silent = True
        self.run(1 + self.chance.below(3000))
        peer.silent = False

    def forgets(self, peer):
        """A server has restarted without its registrations."""
        peer.location = [b"rd", b"%d" % self.chance.below(10000)]

    def outage(self, peer):
        """The network is down, from a second to a day."""
        for one in self.peers + [self.world.bs]:
            one.link_works = False
        for session in list(self.world.client.sessions):
            if session.link == "open":
                session.link_down("no network", self.world.now)
        self.run(self.chance.pick((1, 60, 3600, 86400)))
        for one in self.peers + [self.world.bs]:
            one.link_works = True

    def restart(self, peer):
        """Power off, power on."""
        self.store.full = False
        self.boot()

    def bootstrap(self, peer):
        """A server wants a bootstrap; it may come to nothing."""
        self.brings = bool(self.chance.below(3))
        if peer.state == "REGISTERED":
            peer.post("/1/%d/9" % self.peers.index(peer))
        self.run(400)
        self.brings = True

    def lack(self, peer):
        """No memory for one value, no room in the flash."""
        self.short.lacks = True
        self.store.full = bool(self.chance.below(2))
        for _ in range(5):
            self.ask(peer)
            self.run(10)
        self.short.lacks = self.store.full = False

    def weather(self, peer):
        """The links get better or worse."""
        self.loss = self.chance.pick((0, 0, 5, 30))

    # -- peace --------------------------------------------------------------------------------------------------------

    def peace(self):
        """Everything works again: wait for the servers to have the device, and tidy up as they would."""
        self.loss = 0
        self.short.lacks = self.store.full = False
        self.brings = True
        for peer in self.peers:
            peer.silent = False
            peer._losing = 0
        waited_s = 0
        while [1 for peer in self.peers if peer.state != "REGISTERED"]:
            self.run(300)
            waited_s += 300
            if waited_s > 2 * 86400:
                raise AssertionError("after two days of peace: %s" % [peer.state for peer in self.peers])
        self.run(1000)  # EXCHANGE_LIFETIME, and more
        self._tidy()

    def _tidy(self):
        for peer in self.peers:
            for iid in range(BOUNDS["INSTANCES"]):
                peer.delete("/33001/%d" % iid)  # 4.04, or 4.01 if it is the other's
            peer.put("/3303/0?pmin&pmax")
            self.forgets(peer)  # a new registration has no observations
            peer.post("/1/%d/8" % self.peers.index(peer))
        self.run(1000)
        for _ in range(20):  # what is remembered of the last answers is the same each time
            for peer in self.peers:
                peer.get("/33000/0/20", accept=0)
                peer.put("/33000/0/1", b"7", content_format=0)
        self.run(1000)

    def check(self):
        """Each server has the device, and gets what it asks for; nothing is under way or kept for anybody."""
        client = self.world.client
        for peer in self.peers:
            reply = peer.get("/33000/0/20", accept=0)
            if (peer.state, reply.code, reply.payload) != ("REGISTERED", "2.05", b"as it was"):
                raise AssertionError("%s, and %r" % (peer.state, reply))
            registration = peer.registration
            left = [registration.exchange._active, registration.exchange._queue, registration.exchange.waiting]
            left += [registration.reporting.observations if registration.reporting else []]
            left += [registration.reporting.stored if registration.reporting else [], registration.attributes]
            if [1 for found in left if found]:
                raise AssertionError("left over: %r" % left)
        if sorted(client.tree.objects[33001]) or len(client.sessions) != 3 or len(client.registrations) != 2:
            raise AssertionError(
                "%d sessions, instances %s" % (len(client.sessions), sorted(client.tree.objects[33001]))
            )

    def heap(self):
        """Bytes in use, with nothing left to collect."""
        for peer in self.world._by_uri.values():
            peer.forget()
            peer.last = b""
        for _ in range(2):
            gc.collect()
        return gc.mem_alloc() if hasattr(gc, "mem_alloc") else sys.getallocatedblocks() * 64


_EVENTS_BY_CHANCE = (Season.ask,) * 12 + (Season.flood, Season.silent, Season.forgets, Season.outage, Season.restart)
_EVENTS_BY_CHANCE += (Season.bootstrap, Season.lack, Season.weather, Season.weather)


def main(seed, seconds):
    """The exit status."""
    log.level("error")
    season = Season(seed)
    until = time.time() + seconds
    first, count, over = None, 0, 0
    noise = _NOISE if hasattr(gc, "mem_alloc") else _NOISE_HOST
    while count <= WARM_UP + 1 or over or time.time() < until:
        for _ in range(_EVENTS):
            season.event()
        season.peace()
        season.check()
        season.restart(None)
        season.peace()
        season.check()
        heap = season.heap()
        count += 1
        hours = season.hours_ms // 3600000
        print("HOURS %d EVENTS %d DATAGRAMS %d HEAP %d" % (hours, season.events, season.datagrams, heap))
        if hasattr(sys.stdout, "flush"):
            sys.stdout.flush()
        if count == WARM_UP:
            first = heap
        over = over + 1 if first and heap - first > noise else 0
        if over == _TOO_OFTEN:
            print("%d bytes more on the heap than at the beginning" % (heap - first))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
