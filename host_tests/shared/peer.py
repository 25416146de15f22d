"""A scripted LwM2M server around the whole Client, in virtual time, with a CoAP codec of its own.

    peer = Peer([Temperature(lambda: 21.25)], lifetime=300)
    peer.register()                                          # answers 2.01 rd/5a3f; returns the Register
    reply = peer.get("/3303/0/5700", accept=0)
    eq((reply.code, reply.payload), ("2.05", b"21.25"))
    peer.observe("/3303/0/5700", token=b"\\x07")
    peer.advance(60)                                         # seconds, in no time; runs client.poll when it is due
    peer.notifications()                                     # those since the last call

Bounds are keywords: Peer([...], BLOCK_SIZE=64, ACK_TIMEOUT_ms=500); SPREAD_s is 0 if not told. `peer.client`,
`peer.registration`, `peer.state` and `peer.now` (ms) are there to be used; `peer.poll()` runs what is due now.
`one, two = peers(2, [...])` are two servers of one client. What the client sends is parsed into a Packet (packet.py).

    peer.sent           every Packet so far; peer.take() those since the last take(); peer.requests() the client's
                        requests and peer.notifications() the notifications since the last call of the same
    peer.forget()       drops that record, in a test that runs long
    peer.request("PUT", "/1/0?pmin=5", payload=b"", content_format=None, ... observe, block1, block2, size1, options=(),
                 token=None, type="CON", mid=None, wait=10) -> the response, a RST, an empty ACK if nothing else came in
                 `wait` seconds, or None. get put post delete observe cancel are the same with the method filled in.
    peer.put_blocks(path, body, szx=2, method="PUT", ...) -> the replies; each block has a token of its own
    peer.get_blocks(path, szx=None, ...) -> (body, the replies)
    peer.send(bytes)    raw datagram -> the Packets it caused at once; peer.again() sends the last request's bytes again
    peer.reset(packet)  and peer.ack(packet) answer a notification by hand

How the client's requests are answered: Register 2.01, De-register 2.02, others 2.04, confirmable notifications by ACK.
    peer.script("4.00", None, ("2.31", [(27, 0x0A)]), ("2.05", [], b"x"))    for the next requests, None is silence,
                        "" an empty ACK, "RST" a RST, a callable gets the Packet and returns one of these
    peer.answer = f     the same for all others: f(packet)
    peer.silent = True  no answer and no ACK to anything; peer.acks = False: no ACK to notifications
    peer.lose(n)        the next n datagrams of the client do not arrive (Packet.lost)
    peer.link_works = False   every try to open the link fails
"""

from lwm2m import Client
from lwm2m.config import Config
from packet import Packet, block, build
from support import xorshift32

LOCATION = (b"rd", b"5a3f")


# -- the world: one client, its servers, and time ----------------------------------------------------------------------


class _World:
    def __init__(self, objects, count, creators, seed, **settings):
        self.now = 0
        self._random = seed
        account = {name: settings.pop(name) for name in ("lifetime", "binding") if name in settings}
        endpoint, version = settings.pop("endpoint", "dev1"), settings.pop("version", "1.1")
        servers = []
        for number in range(1, count + 1):
            server = {"uri": "coap://server%d" % number, "ssid": number, "lifetime": 300, "binding": "U"}
            server.update(account)
            servers.append(server)
        settings.setdefault("SPREAD_s", 0)
        self.client = Client(endpoint, servers, Config(**settings), version, self.randbelow)
        self.client.clock = lambda: self.now
        for obj in objects:
            self.client.add(obj)
        for make in creators:
            self.client.allow_create(make)
        self.peers = [Peer(world=self, registration=found) for found in self.client.registrations]

    def randbelow(self, limit):
        self._random = xorshift32(self._random)
        return (self._random >> 3) % limit

    def flush(self):
        """Carry datagrams and link wishes until there are none."""
        for _ in range(1000):
            if not [1 for peer in self.peers if peer.carry()]:
                return
        raise AssertionError("the client never falls silent")

    def run(self, until):
        for _ in range(100000):
            self.flush()
            delay = self.client.poll(self.now)
            self.flush()
            if self.client.due == 0:
                continue
            if delay is None or self.now + delay > until:
                self.now = until
                return
            self.now += delay
        raise AssertionError("the client polls without end")


def peers(count, objects=(), creators=(), seed=1, **settings):
    """Several servers of one client, as a list of Peers that share its time; settings as those of Peer."""
    return _World(objects, count, creators, seed, **settings).peers


class Peer:
    """One scripted server; see the head of this file.

    settings: lifetime, binding, endpoint, version, and any bound of Config. creators are classes for allow_create.
    """

    def __init__(self, objects=(), creators=(), seed=1, world=None, registration=None, **settings):
        if world is None:
            world = _World(objects, 1, creators, seed, **settings)
            registration = world.client.registrations[0]
            world.peers = [self]
        self.world = world
        self.registration = registration
        self.sent = []
        self.silent = False
        self.acks = self.link_works = True
        self.answer = self.usual_answer
        self.location = list(LOCATION)
        self.last = b""  # the last request's bytes
        self._scripted = []
        self._losing = self._taken = self._requests_taken = self._notifications_taken = 0
        self._mid = 0x2000
        self._token = 0

    @property
    def client(self):
        return self.world.client

    @property
    def now(self):
        return self.world.now

    @property
    def state(self):
        return self.registration.state

    # -- time ---------------------------------------------------------------------------------------------------

    def advance(self, seconds):
        """Let time pass, running the client whenever it is due."""
        self.world.run(self.now + int(seconds * 1000))

    def poll(self):
        """Run what is due now."""
        self.advance(0)

    def register(self):
        """Start the client and register it; returns the Register as a Packet."""
        self.client.start(self.now)
        self.poll()
        assert self.state == "REGISTERED", "the client is %s" % self.state
        found = [packet for packet in self.requests() if packet.path == "/rd"]
        self.take()
        return found[-1]

    # -- what the client sends ------------------------------------------------------------------------------------

    def carry(self):
        """Bring what waits in the client's outbox here, and answer it; returns whether there was anything."""
        registration = self.registration
        if registration.link == "opening":
            if self.link_works:
                registration.link_up(self.now)
            else:
                registration.link_down("no link", self.now)
            return True
        if not registration.outbox:
            return False
        datagrams = list(registration.outbox)
        registration.outbox.clear()
        for datagram in datagrams:
            packet = Packet(datagram, self.now)
            self.sent.append(packet)
            if self._losing:
                self._losing -= 1
                packet.lost = True
            elif not self.silent:
                self._react(packet)
        return True

    def _react(self, packet):
        if packet.is_request:
            answer = self._scripted.pop(0) if self._scripted else self.answer(packet)
            self.respond(packet, answer)
        elif packet.type == "CON" and packet.code and self.acks:
            self.ack(packet)

    def usual_answer(self, packet):
        """What a friendly server answers."""
        if packet.path == "/rd":
            return "2.01", [(8, segment) for segment in self.location]
        return "2.02" if packet.code == "DELETE" else "2.04"

    def respond(self, packet, answer):
        """Answer one of the client's requests in an ACK, as the scripts at the head of this file are written."""
        if callable(answer):
            answer = answer(packet)
        if answer is None:
            return
        if answer == "RST":
            self.reset(packet)
            return
        if isinstance(answer, str):
            answer = (answer,)
        code = answer[0]
        options = answer[1] if len(answer) > 1 else ()
        payload = answer[2] if len(answer) > 2 else b""
        type = "ACK" if packet.type == "CON" else "NON"
        self._deliver(build(type, code, packet.mid, packet.token if code else b"", options, payload))

    def script(self, *answers):
        """Answers for the client's next requests."""
        self._scripted.extend(answers)

    def lose(self, count):
        """Let the client's next datagrams get lost."""
        self._losing = count

    def take(self):
        """The Packets since the last take()."""
        found = self.sent[self._taken :]
        self._taken = len(self.sent)
        return found

    def forget(self):
        """Drop the record of what was sent."""
        self.sent = []
        self._taken = self._requests_taken = self._notifications_taken = 0

    def requests(self):
        """The client's requests since the last call."""
        found = [packet for packet in self.sent[self._requests_taken :] if packet.is_request]
        self._requests_taken = len(self.sent)
        return found

    def notifications(self, token=None):
        """Notifications and other responses outside of an ACK since the last call, perhaps of one token only."""
        found = [
            packet
            for packet in self.sent[self._notifications_taken :]
            if packet.type in ("CON", "NON") and packet.code and not packet.is_request
        ]
        self._notifications_taken = len(self.sent)
        return [packet for packet in found if token is None or packet.token == token]

    # -- what the server sends --------------------------------------------------------------------------------------

    def _deliver(self, datagram):
        self.client.receive(self.registration, datagram, self.now)

    def send(self, datagram):
        """Send raw bytes; returns the Packets that come back at once."""
        count = len(self.sent)
        self._deliver(datagram)
        self.world.flush()
        return self.sent[count:]

    def ack(self, packet):
        """An empty ACK."""
        self._deliver(build("ACK", "", packet.mid))

    def reset(self, packet):
        """A RST."""
        self._deliver(build("RST", "", packet.mid))

    def next_mid(self):
        self._mid = self._mid % 0xFFFF + 1
        return self._mid

    def next_token(self):
        self._token += 1
        return bytes([0xA0, self._token >> 8 & 255, self._token & 255])

    def request(
        self,
        method,
        path,
        payload=b"",
        content_format=None,
        accept=None,
        observe=None,
        block1=None,
        block2=None,
        size1=None,
        etag=None,
        options=(),
        token=None,
        type="CON",
        mid=None,
        wait=10,
    ):
        """Send a request and return what answers it; see the head of this file."""
        path, _, query = path.partition("?")
        found = [(11, segment) for segment in path.split("/") if segment]
        found += [(15, part) for part in query.split("&") if part]
        for number, value in ((12, content_format), (17, accept), (6, observe), (60, size1), (4, etag)):
            if value is not None:
                found.append((number, value))
        for number, value in ((27, block1), (23, block2)):
            if value is not None:
                found.append((number, block(*value) if isinstance(value, tuple) else value))
        token = self.next_token() if token is None else token
        mid = self.next_mid() if mid is None else mid
        self.last = build(type, method, mid, token, found + list(options), payload)
        return self._reply(self.send(self.last), mid, token, wait)

    def again(self):
        """Send the last request once more, byte for byte."""
        token = self.last[4 : 4 + (self.last[0] & 15)]
        return self._reply(self.send(self.last), self.last[2] * 256 + self.last[3], token, 0)

    def _reply(self, packets, mid, token, wait):
        """The response among these packets or among those of the next `wait` seconds, else the empty ACK."""
        empty = None
        deadline = self.now + int(wait * 1000)
        while True:
            for packet in packets:
                if packet.type in ("ACK", "RST") and packet.mid == mid:
                    if packet.code or packet.type == "RST":
                        return packet
                    empty = packet
                elif packet.token == token and packet.code and not packet.is_request:
                    return packet
            if empty is None or self.now >= deadline:
                return empty
            count = len(self.sent)
            self.advance(0.1)
            packets = self.sent[count:]

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def put(self, path, payload=b"", **more):
        return self.request("PUT", path, payload, **more)

    def post(self, path, payload=b"", **more):
        return self.request("POST", path, payload, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def observe(self, path, **more):
        return self.request("GET", path, observe=0, **more)

    def cancel(self, path, token, **more):
        return self.request("GET", path, observe=1, token=token, **more)

    # -- block by block ---------------------------------------------------------------------------------------------

    def put_blocks(self, path, body, szx=2, method="PUT", **more):
        """Send a body with Block1, going down when the client asks for smaller blocks; returns all replies."""
        replies = []
        offset = 0
        while offset < len(body):
            size = 16 << szx
            part = body[offset : offset + size]
            rest = offset + size < len(body)
            replies.append(self.request(method, path, part, block1=(offset // size, rest, szx), **more))
            if replies[-1] is None or replies[-1].code not in ("2.31", "2.04", "2.01"):
                break
            offset += len(part)
            szx = min(szx, replies[-1].block1[2])
        return replies

    def get_blocks(self, path, szx=None, **more):
        """Read with Block2; returns (body, replies)."""
        replies = [self.get(path, block2=None if szx is None else (0, False, szx), **more)]
        body = replies[0].payload
        while replies[-1].block2 and replies[-1].block2[1]:
            szx = replies[-1].block2[2]
            replies.append(self.get(path, block2=(len(body) // (16 << szx), False, szx), **more))
            body += replies[-1].payload
        return body, replies
