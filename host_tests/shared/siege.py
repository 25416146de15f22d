"""The whole client under fire: many objects, observations, servers with rights, end devices, a bootstrap, and datagrams
that nobody would send. After each step it must hold that

    no exception has left receive or poll, and none was caught that nobody expected (those answer 5.00)
    every datagram is a legal message of at most a block and its options, or a sentence; every answer is one to the
    request that it answers, with a code that this method may have
    no key is in any datagram or line of the log, nothing of server 2's own is in what goes to server 1
    what peers can fill keeps its bounds, poll says when to come back

and at the end that a server which kept to the rules has lost nothing. What a step is, see siege_script.py.
"""

import sys
from binascii import b2a_base64, hexlify

import compat
from configurations import device
from configurations_bootstrap import World
from lwm2m import log
from lwm2m.gateway import Gateway
from lwm2m.objects.access_control import AccessControl
from lwm2m.objects.binary_data import BinaryAppData
from lwm2m.objects.event_log import EventLog
from lwm2m.objects.firmware import Firmware
from lwm2m.objects.ipso import Temperature
from lwm2m.objects.portfolio import Portfolio
from lwm2m.objects.security import Security
from packet import METHODS, Packet
from peer import peers
from support import eq, show
from zoo import Cub, Zoo

DATAGRAM, REPLY, TIME, CHANGE, LINK, SILENCE, STORE, ASK = range(8)
SETTINGS = {"BLOCK_SIZE": 64, "INSTANCES": 12, "SAMPLE_ms": 600000, "MAX_BODY": 512, "ACK_TIMEOUT_ms": 500}
_DIAGNOSTIC = 300  # bytes: one may quote a query
_KEY = "Kq7" * 6  # of every account
_PRIVATE = "Zx9" * 6  # server 2's

_ERRORS = "4.00 4.01 4.02 4.04 4.05 4.06 4.08 4.13 4.15 5.03"
_SUCCESSES = {"GET": "2.05", "POST": "2.01 2.04 2.31", "PUT": "2.04 2.31", "DELETE": "2.02", "FETCH": "2.05 2.31"}
_SUCCESSES["iPATCH"] = "2.04 2.31"
_MODULES = ("client", "blocks", "executing", "reporting", "bootstrap", "bootstrap_pack", "fetch")


def forms(text):
    """How six bytes or more of a text that repeats itself each three bytes look in any format."""
    found = [text[:6].encode(), hexlify(text[:6].encode())]
    for start in range(3):
        found.append(b2a_base64(text[start : start + 6].encode()).strip())
    return found


KEYS, PRIVATE = forms(_KEY), forms(_PRIVATE)


class RamSink:
    """Takes packages of up to 2000 bytes."""

    name = version = None

    def begin(self, size):
        self.body = bytearray()

    def resume(self, offset):
        raise OSError("nothing was kept")

    def write(self, data):
        if len(self.body) + len(data) > 2000:
            raise OSError(28)
        self.body += data

    def flush(self):
        self.flushed = len(self.body)

    def finish(self):
        self.name, self.version = "zoo", "2"

    abort = install = confirm = flush
    body = b""


def _objects():
    private = Zoo()
    private.text = _PRIVATE
    firmware = Firmware(RamSink(), list)
    return [Temperature(lambda: 21.5), Zoo(), private, BinaryAppData({0: b"\1"}), EventLog(), firmware]


def _rights():
    """Everything is everybody's, but server 2 has an account and a Zoo of its own."""
    yield AccessControl(1, 0, owner=1, acl={1: 15})
    yield AccessControl(1, 1, owner=2, acl={2: 15})
    yield AccessControl(33000, 1, owner=2, acl={2: 15})
    for oid in (3, 3303, 33000, 19, 20, 5, 25):
        yield AccessControl(oid, 0, acl={0: 15})
    for oid in (Cub.OID, Portfolio.OID):
        yield AccessControl(oid, acl={1: 16, 2: 16})


def _accounts():
    for ssid in (1, 2):
        security = Security("coap://server%d" % ssid, ssid)
        security.mode, security.identity, security.secret_key = 0, _KEY.encode(), _KEY.encode()
        yield security


class Siege:
    """One client. kind: 0 two servers, 1 the same with LwM2M 1.2, 2 with a Bootstrap-Server beside them, 3 nothing but
    a Bootstrap-Server, LwM2M 1.2. In the first two, server 2 keeps to the rules."""

    def __init__(self, kind=0):
        self.kind = kind & 3
        self.problems = []
        self.caught = None
        self.mids = set()  # Message IDs of requests
        self.datagrams = 0
        self.kept_quiet = self._hush()
        version = "1.2" if kind & 1 else "1.1"
        if self.kind < 2:
            objects = list(_accounts()) + [device(list)] + _objects() + list(_rights())
            self.peers = peers(2, objects, [Cub, Portfolio], version=version, **SETTINGS)
            self.peers[1].location = [b"rd", b"two"]
            self.world = self.peers[0].world
        else:
            count = 2 if self.kind == 2 else 0
            objects = _objects() + list(_rights() if count else ())
            self.world = World(objects, count, creators=[Cub, Portfolio], version=version, **SETTINGS)
            self.peers = [self.world.server, self.world.server2, self.world.bs]
        self.client = self.world.client
        for security in self.client.tree.objects[0].values():
            security.secret_key = _KEY.encode()
        self._begin()

    def _begin(self):
        gateway = Gateway(self.client)
        end_device = gateway.add_device("dev0", "sensor-17")
        end_device.add(Temperature(lambda: 3.5))
        end_device.add(Portfolio({0: "Pump"}))
        end_device.allow_create(Portfolio)
        self.client.start(self.world.now)
        self.world.run(self.world.now)
        self._settle()

    # -- what nobody may hear, and what nobody may catch ----------------------------------------------------------

    def _hush(self):
        """Listen to the log and to what the client catches; returns what `end` puts back."""
        kept = (log.debug, log.info, log.warning, log.error, compat.print_exception)
        log.debug = log.info = log.warning = self._told
        log.error = self._told_error
        self._print_exception(self._caught)
        return kept

    def end(self):
        """Stop listening."""
        log.debug, log.info, log.warning, log.error, print_exception = self.kept_quiet
        self._print_exception(print_exception)

    def _print_exception(self, function):
        compat.print_exception = function
        for name in _MODULES:
            module = sys.modules.get("lwm2m." + name)
            if module:
                module.print_exception = function

    def _told(self, text, *args):
        line = (text % args).encode()
        if [1 for key in KEYS if key in line]:
            self.problems.append("a key in the log: %s" % line)

    def _told_error(self, text, *args):
        self.problems.append("the log says: " + text % args)

    def _caught(self, error):
        self.caught = error

    # -- steps ------------------------------------------------------------------------------------------------------

    def step(self, op, who, data):
        """One step; raises AssertionError, or whatever the client raised."""
        peer = self.peers[who % len(self.peers) if self.kind > 1 else 0]
        if op == REPLY:
            data = _addressed(data, peer.sent[-1]) if peer.sent else b""
        for other in self.peers:
            if len(other.sent) > 1:
                other.sent = other.sent[-1:]
        if op <= REPLY:
            self.datagrams += 1
            packets = peer.send(data)
            self._complain()
            data = bytes(data)
            known = data[2:4] in self.mids or op == REPLY
            self.mids.add(data[2:4])
            self._judge_answers(data, packets, known)
            if self.client.due is not None and self.client.due <= self.world.now:
                self.world.run(self.world.now)
        else:
            _STEPS[op](self, peer, data)
        self._settle()

    def _time(self, peer, data):
        value = data[0] * 256 + data[1] if len(data) > 1 else 100
        self.world.run(self.world.now + (value * value >> 11))

    def _change(self, peer, data):
        for iid in (0, 1):
            zoo = self.client.tree.objects.get(33000, {}).get(iid)
            if zoo:
                zoo.set("real", float(len(data)) if zoo.real == 0.5 else 0.5)

    def _link(self, peer, data):
        registration = peer.registration
        if registration and registration in self.client.sessions and registration.link == "open":
            registration.link_down("torn", self.world.now)
            self.world.run(self.world.now)

    def _silence(self, peer, data):
        peer.silent = not peer.silent

    def _store(self, peer, data):
        if self.kind > 1:
            self.world.store.full = not self.world.store.full

    def _ask(self, peer, data):
        """Server 2, which keeps to the rules, asks for what is its own."""
        if self.kind < 2 and not self.peers[1].silent and self.peers[1].registration.holds:
            reply = self.peers[1].get("/33000/1/20", accept=0)
            eq((reply.code, reply.payload), ("2.05", b"as it was"))

    @property
    def over(self):
        """Whether the hostile server has left for good: it may give up its account."""
        return self.kind < 2 and self.peers[0].registration not in self.client.sessions

    # -- invariants ---------------------------------------------------------------------------------------------------

    def _judge_answers(self, data, packets, known):
        """What answers a datagram answers it, and no more than once. What comes under a Message ID that is
        known may be taken for a repeat."""
        answers = [packet for packet in packets if packet.type in ("ACK", "RST")]
        assert len(answers) < 2, "%d answers to %s" % (len(answers), show(data))
        for packet in answers:
            assert packet.mid == data[2] * 256 + data[3], "%r answers %s" % (packet, show(data))
            if packet.code and not known:
                asked = Packet(data)
                assert packet.token == asked.token, "%r answers %r" % (packet, asked)
                allowed = (_ERRORS + " " + _SUCCESSES.get(asked.code, "")).split()
                assert packet.code in allowed, "%r answers %r" % (packet, asked)

    def _settle(self):
        """Look at all that was sent and, now and then, at what is kept."""
        for peer in self.peers:
            for packet in peer.sent:
                self._judge(peer, packet)
        if self.datagrams & 7 == 0:
            check_bounds(self.client)
        self._complain()

    def _complain(self):
        """Raise what the client has caught, or tell what should not have been in its log."""
        if self.caught:
            raise self.caught
        if self.problems:
            raise AssertionError("\n".join(self.problems))

    def _judge(self, peer, packet):
        raw = packet.raw
        most = _DIAGNOSTIC if packet.code[:1] == "4" else SETTINGS["BLOCK_SIZE"]
        assert len(raw) <= most + 128, "%d bytes: %r" % (len(raw), packet)
        assert packet.code != "5.00" and packet.code[:1] not in ("1", "3", "6", "7"), repr(packet)
        for secret in KEYS + PRIVATE if self.kind < 2 and peer is self.peers[0] else KEYS:
            assert secret not in raw, "a secret is in %r" % packet
        if packet.code in METHODS[1:]:
            assert packet.path.split("/")[1] in ("rd", "bs", "bspack", "dp") or peer.location != [b"rd", b"5a3f"]

    def finish(self):
        """Peace: everybody answers, the store has room. Whoever kept to the rules has lost nothing."""
        for peer in self.peers:
            peer.silent = False
        if self.kind > 1:
            self.world.store.full = False
        for _ in range(20):
            self.world.run(self.world.now + 60000)
            self._settle()
            for peer in self.peers:
                peer.forget()
        if self.kind < 2:
            self._server_2_is_served()
        self._nobody_is_stuck()
        check_bounds(self.client)

    def _server_2_is_served(self):
        peer = self.peers[1]
        eq(peer.state, "REGISTERED")
        for path, value in (("/33000/1/0", _PRIVATE), ("/33000/1/20", "as it was"), ("/1/1/1", "300"), ("/1/1/0", "2")):
            reply = peer.get(path, accept=0)
            eq((path, reply.code, reply.payload), (path, "2.05", value.encode()))

    def _nobody_is_stuck(self):
        """Each session is done with, or knows when to go on."""
        for session in self.client.sessions:
            if session.state not in ("STOPPED", "IDLE", "FAILED", "REGISTERED", "ASLEEP"):
                waits = getattr(session, "due", 0) is not None or session.exchange.busy or session.exchange.waiting
                assert waits or session.link == "opening", "stuck in " + session.state


_STEPS = {
    TIME: Siege._time,
    CHANGE: Siege._change,
    LINK: Siege._link,
    SILENCE: Siege._silence,
    STORE: Siege._store,
    ASK: Siege._ask,
}


def _addressed(data, packet):
    """A message made an answer to a packet of the client's: its Message ID and token."""
    if len(data) < 4:
        return data
    start = 4 + min(data[0] & 15, 8)
    token = packet.token if data[1] else b""
    head = bytes([data[0] & 0xF0 | len(token), data[1], packet.mid >> 8, packet.mid & 255])
    return head + token + data[start:]


def check_bounds(client):
    """Whatever peers can fill is no fuller than Config says."""
    config = client.config
    for session in client.sessions:
        exchange = session.exchange
        sizes = [("QUEUE", exchange._queue), ("NSTART", exchange._active), ("QUEUE", exchange._unconfirmed)]
        if getattr(session, "blocks", None):
            sizes.append(("BLOCK_TRANSFERS", session.blocks._transfers))
        if getattr(session, "reporting", None):
            sizes.append(("OBSERVATIONS", session.reporting.observations))
            sizes.append(("STORED", session.reporting.stored))
        for name, found in sizes:
            assert len(found) <= getattr(config, name), "%d of %s" % (len(found), name)
        assert len(exchange._seen) <= 2 * config.SEEN and len(exchange.memo) <= 16 and len(exchange.waiting) < 8
    if client.jobs:
        assert len(client.jobs._jobs) <= config.JOBS
    assert sum([len(client.tree.objects[oid]) for oid in client.tree.creators]) <= config.INSTANCES
