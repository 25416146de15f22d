"""The DTLS sessions behind a server socket (tools/lab/dtls.py), in virtual time: begin, end, bounds, strangers."""

import logging
import random

import pytest

from dtls_host import DtlsError, Session, client_context, server_context
from tools.lab import dtls
from tools.lab.dtls import Sessions

KEYS = {b"board-1": b"key of board 1", b"board-2": b"key of board 2"}
HERE, THERE = ("::ffff:127.0.0.1", 40000, 0, 0), ("::ffff:127.0.0.1", 40001, 0, 0)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Server:
    """Sessions, with what they send, begin and end."""

    def __init__(self):
        self.clock, self.sent, self.events = Clock(), [], []
        self.context = server_context(KEYS.get)
        self.sessions = Sessions(
            self.context,
            lambda datagram, peer: self.sent.append((datagram, peer.address)),
            lambda peer: self.events.append(("began", peer.address)),
            lambda peer, reason: self.events.append((reason, peer.address)),
            self.clock,
        )

    def receive(self, datagram, address=HERE):
        """What applications got in a datagram."""
        return [data for _, data in self.sessions.receive(datagram, address)]

    def take(self, address=HERE):
        """The datagrams for an address since the last time."""
        found = [datagram for datagram, to in self.sent if to == address]
        self.sent = [each for each in self.sent if each[1] != address]
        return found


def client(identity=b"board-1", key=None):
    return Session(client_context((identity, key or KEYS.get(identity, b"x"))))


def shake(server, device, address=HERE):
    """Carry datagrams until nobody says anything."""
    for _ in range(20):
        outgoing = device.take()
        for datagram in outgoing:
            server.receive(datagram, address)
        incoming = server.take(address)
        for datagram in incoming:
            device.receive(datagram)
        if not outgoing and not incoming:
            return device
    raise AssertionError("they never end")


@pytest.fixture
def server():
    return Server()


def echo(server, device, address=HERE):
    """Whether both directions work."""
    device.send(b"ping")
    (datagram,) = device.take()
    assert server.receive(datagram, address) == [b"ping"]
    server.sessions.send(server.sessions.at(address), b"pong")
    return [data for each in server.take(address) for data in device.receive(each)] == [b"pong"]


def test_two_devices(server):
    """Each has its session, known by its identity."""
    first, second = shake(server, client()), shake(server, client(b"board-2"), THERE)
    assert server.events == [("began", HERE), ("began", THERE)]
    assert server.sessions.at(HERE).session.peer_identity == b"board-1"
    assert server.sessions.at(THERE).session.peer_identity == b"board-2"
    assert echo(server, first) and echo(server, second, THERE)
    assert (len(server.sessions), server.sessions.opening) == (2, 0)


def test_another_address_is_no_part_of_a_session(server):
    """A record of one session that comes from another place is nothing."""
    device = shake(server, client())
    shake(server, client(b"board-2"), THERE)
    device.send(b"stolen")
    (datagram,) = device.take()
    assert server.receive(datagram, THERE) == []
    assert server.receive(datagram, ("::1", 1, 0, 0)) == []
    assert server.receive(datagram) == [b"stolen"]


def test_a_restarted_device(server):
    """The new handshake is through: the old session is over, and said to be so; before that it lives."""
    old = shake(server, client())
    new = client()
    for _ in range(2):  # first hello, and the one with the cookie: now a handshake is under way
        for datagram in new.take():
            server.receive(datagram)
        if server.sessions.opening:
            break
        for datagram in server.take():
            new.receive(datagram)
    assert server.sessions.opening == 1
    assert server.events == [("began", HERE)]
    old.send(b"still here")
    assert server.receive(old.take()[0]) == [b"still here"]
    for datagram in server.take():
        new.receive(datagram)
    shake(server, new)
    assert server.events[1:] == [("the device began a new one", HERE), ("began", HERE)]
    assert echo(server, new)
    old.send(b"a ghost")
    assert server.receive(old.take()[0]) == []
    assert len(server.sessions) == 1


@pytest.mark.parametrize("with_cookie", [False, True])
def test_a_hello_that_somebody_else_wrote(server, with_cookie):
    """It ends nothing: without the cookie not even a handshake begins, with a stolen one the old session goes on."""
    device = shake(server, client())
    stranger = client(b"board-2")
    (hello,) = stranger.take()
    server.receive(hello)
    if with_cookie:
        for datagram in server.take():
            stranger.receive(datagram)
        (hello,) = stranger.take()
        server.receive(hello)
    assert server.sessions.opening == with_cookie
    server.take()
    assert echo(server, device)
    server.clock.now += dtls.HANDSHAKE_S
    server.sessions.poll()
    assert server.sessions.opening == 0
    assert echo(server, device)
    assert server.events == [("began", HERE)]


def test_strangers_leave_nothing_behind(server):
    """10000 hellos from made-up addresses: no handshake, no session, and fewer bytes than they had."""
    (hello,) = client().take()
    got = 0
    for port in range(10000):
        server.receive(hello, ("::ffff:10.0.0.1", port, 0, 0))
        got += sum(len(datagram) for datagram in server.take(("::ffff:10.0.0.1", port, 0, 0)))
    assert (len(server.sessions), server.sessions.opening) == (0, 0)
    assert 0 < got < 10000 * len(hello)
    assert shake(server, client()).established


def test_a_hello_that_comes_twice(server):
    """The network doubles each datagram: one session, and no second handshake."""
    device = client()
    for _ in range(10):
        for datagram in device.take():
            for _ in range(2):
                server.receive(datagram)
        for datagram in server.take():
            for _ in range(2):
                device.receive(datagram)
    assert device.established
    assert (server.events, server.sessions.opening) == ([("began", HERE)], 0)
    assert echo(server, device)


def begun(server, address, identity=b"board-1"):
    """A device that stops after its cookie."""
    device = client(identity)
    for datagram in device.take():
        server.receive(datagram, address)
    for datagram in server.take(address):
        device.receive(datagram)
    for datagram in device.take():
        server.receive(datagram, address)
    return device


def test_handshakes_are_bounded(server, monkeypatch):
    """The oldest makes place; what is left goes on."""
    monkeypatch.setattr(dtls, "MAX_OPENING", 3)
    addresses = [("::1", port, 0, 0) for port in range(1, 6)]
    devices = [begun(server, address) for address in addresses]
    assert server.sessions.opening == 3
    for device, address in zip(devices, addresses, strict=True):
        for datagram in server.take(address):
            device.receive(datagram)
        for datagram in device.take():
            server.receive(datagram, address)
    assert [address for kind, address in server.events] == addresses[2:]


def test_sessions_are_bounded(server, monkeypatch):
    """The one that was silent for the longest ends, and its device is told."""
    monkeypatch.setattr(dtls, "MAX_SESSIONS", 2)
    addresses = [("::1", port, 0, 0) for port in (1, 2, 3)]
    devices = []
    for address in addresses[:2]:
        devices.append(shake(server, client(), address))
        server.clock.now += 1
    assert echo(server, devices[0], addresses[0])  # now the second is the silent one
    shake(server, client(), addresses[2])
    assert server.events[-2] == ("there are too many sessions", addresses[1])
    for datagram in server.take(addresses[1]):
        devices[1].receive(datagram)
    assert devices[1].closed
    assert echo(server, devices[0], addresses[0])


def test_a_handshake_that_does_not_end(server, caplog):
    """It is given up in time, with a line that says what it probably was."""
    device = client(key=b"a wrong key")
    shake(server, device)
    assert server.sessions.opening == 1
    assert server.sessions.poll() <= 1  # OpenSSL's retransmission, on its own clock
    server.clock.now += dtls.HANDSHAKE_S
    with caplog.at_level(logging.WARNING, "lab"):
        server.sessions.poll()
    assert (server.sessions.opening, len(server.sessions)) == (0, 0)
    (line,) = caplog.messages
    assert line.startswith("no session  127.0.0.1:40000 (identity 'board-1')  ")
    assert line.endswith("the pre-shared key is probably wrong")


def test_an_identity_in_the_log(server, caplog):
    """A stranger's identity cannot act on a terminal."""
    with caplog.at_level(logging.WARNING, "lab"):
        with pytest.raises(DtlsError):
            shake(server, client(b"\x1b[2J\n\xff"))
        for datagram in server.take():
            assert len(datagram) < 20  # an alert
    assert caplog.messages == [
        r"no session  127.0.0.1:40000 (identity '\x1b[2J\n\\xff')  "
        "the DTLS session was refused: the PSK identity is not known"
    ]


def test_silence_for_too_long(server):
    """An idle session ends; one that is heard does not."""
    idle, busy = shake(server, client()), shake(server, client(), THERE)
    server.clock.now += dtls.IDLE_S - 1
    assert echo(server, busy, THERE)
    server.clock.now += 1
    server.sessions.poll()
    assert server.events[2:] == [("it was silent for too long", HERE)]
    for datagram in server.take():
        idle.receive(datagram)
    assert idle.closed
    with pytest.raises(DtlsError, match="its DTLS session is over"):
        server.sessions.send(dtls.Peer(idle, HERE, None, bytes(60), 0), b"x")


def test_a_session_that_its_device_ends(server):
    """close_notify."""
    device = shake(server, client())
    device.close()
    shake(server, device)
    assert server.events == [("began", HERE), ("the device ended it", HERE)]
    assert server.sessions.at(HERE) is None


def test_the_server_ends(server):
    """Every device is told."""
    device = shake(server, client())
    server.sessions.close()
    for datagram in server.take():
        device.receive(datagram)
    assert device.closed and len(server.sessions) == 0


def test_cookies_grow_old(server):
    """A hello with a cookie cannot be used for ever by who has seen it: after two minutes it begins nothing."""
    device = client()
    server.receive(device.take()[0])
    device.receive(server.take()[0])
    (hello,) = device.take()
    for _ in range(2):
        server.clock.now += dtls.COOKIE_S
        server.sessions.poll()
    server.receive(hello)
    assert server.sessions.opening == 0
    assert len(server.take()[0]) < len(hello)
    server = Server()
    device = client()
    server.receive(device.take()[0])
    server.clock.now += dtls.COOKIE_S
    server.sessions.poll()
    device.receive(server.take()[0])
    assert shake(server, device).established  # one renewal does no harm


def test_noise(server):
    """Anything at all from everywhere: the server and the session live."""
    chance = random.Random(10)
    device = shake(server, client())
    (hello,) = client().take()
    device.send(b"once")
    (record,) = device.take()
    server.receive(record)
    for _ in range(3000):
        data = bytearray(chance.choice((hello, record, b"\x16\xfe\xfd", b"")))
        data += chance.randbytes(chance.randrange(20))
        for _ in range(chance.randrange(6)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        assert server.receive(bytes(data), chance.choice((HERE, THERE))) == []
        server.sent.clear()
    assert echo(server, device)
    assert server.events == [("began", HERE)]
