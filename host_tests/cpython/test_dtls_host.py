"""lib/dtls_host.py: both roles against each other, over links that lose and invent.

Independent parties judge it in interop/test_dtls_host.py.

OpenSSL's retransmissions run on its own clock, so the lossy handshakes below all wait together.
"""

import gc
import random
import time
import weakref

import pytest

import dtls_host
from dtls_host import DtlsError, Session, client_context, server_context
from host_tests.cpython.dtls_pair import CLIENT, NAMES, PEM, SERVER, exchange, identity

ID, KEY = b"urn:dev:board-1", bytes(range(16))
CA, OTHER_CA = identity("CA"), identity("another CA")
GOOD = identity("lab.test", CA, SERVER, NAMES)
BOARD = identity("board-1", CA, CLIENT)


def psk_pair(identity=ID, key=KEY, keys=None, address=("127.0.0.1", 1)):
    """A client with that key and a server that knows `keys`."""
    keys = {ID: KEY} if keys is None else keys
    return Session(client_context((identity, key))), Session(server_context(keys.get), address=address)


def x509_pair(server=GOOD, name="lab.test", own=None, asks=None, **trust):
    """A client, with the certificate `own`, and a server with that certificate; `asks` is what it asks of clients."""
    trust = trust or {"ca": CA.cert}
    mine = {"cert": own.cert, "key": own.key} if own else {}
    context = server_context(cert=server.cert, key=server.key, **(asks or {}))
    return Session(client_context(**trust, **mine), name), Session(context, address="anywhere")


def fail(client, server):
    """({"client" or "server"}, error) of the side that refuses, then of the side that is told."""
    errors = []
    while len(errors) < 2:
        moved = False
        for name, sender, receiver in (("server", client, server), ("client", server, client)):
            for datagram in sender.take():
                moved = True
                try:
                    receiver.receive(datagram)
                except DtlsError as error:
                    errors.append((name, error))
        assert moved, errors
    (refusing, why), (told, alert) = errors
    assert refusing != told
    assert why.alert == alert.alert and not why.received and alert.received
    assert not client.established or not server.established
    return refusing, why, alert


def test_psk_session():
    """Both ends are up, know each other, and each datagram stays one."""
    client, server = psk_pair()
    exchange(client, server)
    assert client.established and server.established
    assert server.peer_identity == ID and server.peer_certificate is None
    assert client.cipher == server.cipher == "PSK-AES128-CCM8"
    for data in (b"a", b"bc", b"d" * 1100):
        client.send(data)
    assert len(sent := client.take()) == 3
    assert [server.receive(datagram) for datagram in sent] == [[b"a"], [b"bc"], [b"d" * 1100]]
    server.send(b"joined ")
    server.send(b"records")
    assert client.receive(b"".join(server.take())) == [b"joined ", b"records"]
    assert client.deadline_s() is None and server.deadline_s() is None


@pytest.mark.parametrize("suite", ["PSK-AES128-CCM8", "PSK-AES128-GCM-SHA256", "PSK-AES128-CBC-SHA256"])
def test_psk_suites(suite):
    """Each of them, with the longest identity and key."""
    name, key = b"\xc3\xa9" + b"i" * 126, b"k" * 64
    context = client_context((name, key))
    context.ssl.set_cipher_list(suite.encode() + b":@SECLEVEL=0")
    client, server = Session(context), psk_pair(keys={name: key})[1]
    exchange(client, server)
    assert (client.cipher, server.peer_identity, server.established) == (suite, name, True)


def test_wrong_key():
    """Silence, as OpenSSL's servers have it; both sides can say what it probably is."""
    client, server = psk_pair(key=b"not the key")
    assert exchange(client, server) == ([], [])
    assert not client.established and not server.established
    assert server.peer_identity == ID
    for side in (client, server):
        assert side.silence().endswith("the pre-shared key is probably wrong")


def test_unknown_identity():
    """Alert 115 tells the client."""
    refusing, why, alert = fail(*psk_pair(identity=b"nobody"))
    assert (refusing, why.alert) == ("server", 115)
    assert str(alert) == "the peer ended the DTLS session: the PSK identity is not known"


def test_no_common_suite():
    """PSK against certificates: alert 40."""
    client = Session(client_context((ID, KEY)))
    server = Session(server_context(cert=GOOD.cert, key=GOOD.key), address=1)
    refusing, why, alert = fail(client, server)
    assert (refusing, why.alert) == ("server", 40)
    assert "no cipher suite" in str(alert)


def test_nobody(monkeypatch):
    """Without any answer, hope is given up after as many retransmissions as were asked for."""
    client = Session(client_context((ID, KEY)))
    first = client.take()
    assert 0.5 < client.deadline_s() <= 1
    client.on_timeout()  # too early: nothing is due
    assert client.take() == []
    time.sleep(client.deadline_s() + 0.01)
    client.on_timeout()
    (again,) = client.take()
    assert again[13:] == first[0][13:] and again[:11] != first[0][:11]  # the same hello in a new record
    monkeypatch.setattr(dtls_host, "_TIMEOUTS", 2)
    time.sleep(client.deadline_s() + 0.01)
    with pytest.raises(DtlsError, match="nobody answered"):
        client.on_timeout()


def test_both_kinds_of_credentials():
    """One server serves PSK and certificates."""
    context = server_context({ID: KEY}.get, GOOD.cert, GOOD.key, verify=lambda der: der == BOARD.cert)
    for client, suite in (
        (Session(client_context((ID, KEY))), "PSK-AES128-CCM8"),
        (Session(client_context(cert=BOARD.cert, key=BOARD.key, ca=CA.cert), "lab.test"), "ECDHE-ECDSA-AES128-CCM8"),
    ):
        server = Session(context, address=1)
        exchange(client, server)
        assert (server.established, server.cipher) == (True, suite)
        assert server.peer_certificate == (BOARD.cert if "ECDHE" in suite else None)
        assert server.peer_identity == (None if "ECDHE" in suite else ID)


@pytest.mark.parametrize(
    "case",
    [
        {},
        {"name": "127.0.0.1"},
        {"name": "LAB.test"},
        {"ca": CA.x509.public_bytes(PEM)},
        {"ca": GOOD.cert},  # an anchor that has not signed itself
        {"pin": lambda der: der == GOOD.cert, "name": None},
        {"pin": lambda der: der == GOOD.cert, "name": "another.test"},
        {"own": BOARD, "asks": {"ca": CA.cert}},
        {"own": BOARD, "asks": {"verify": lambda der: der == BOARD.cert}},
        {"own": BOARD, "asks": {"ca": CA.cert, "verify": lambda der: der == BOARD.cert}},
    ],
)
def test_certificates(case):
    """Who is trusted is let in, with a certificate of its own where that is asked for."""
    client, server = x509_pair(**case)
    exchange(client, server)
    assert client.established and server.established
    assert client.peer_certificate == GOOD.cert
    assert server.peer_certificate == (BOARD.cert if "own" in case else None)
    server.send(b"hello")
    assert [client.receive(datagram) for datagram in server.take()] == [[b"hello"]]


EXPIRED = identity("lab.test", CA, SERVER, NAMES, (-9, -2))
FUTURE = identity("lab.test", CA, SERVER, NAMES, (2, 9))
STRANGER = identity("lab.test", OTHER_CA, SERVER, NAMES)


@pytest.mark.parametrize(
    ("case", "refusing", "alert", "why"),
    [
        ({"server": EXPIRED}, "client", 45, "it has expired"),
        ({"server": FUTURE}, "client", 42, "not valid yet, or this clock"),
        ({"server": STRANGER}, "client", 48, "signed by a CA that is not trusted"),
        ({"server": identity("lab.test", CA, CLIENT, NAMES)}, "client", 43, "not made for this purpose"),
        ({"name": "other.test"}, "client", 42, "another name"),
        ({"name": "127.0.0.2"}, "client", 42, "another address"),
        ({"pin": lambda der: False}, "client", 42, "not one that is expected"),
        ({"asks": {"ca": CA.cert}}, "server", 40, "did not return a certificate"),
        ({"asks": {"verify": lambda der: True}}, "server", 40, "did not return a certificate"),
        ({"own": identity("b", OTHER_CA, CLIENT), "asks": {"ca": CA.cert}}, "server", 48, "CA that is not trusted"),
        ({"own": identity("b", CA, CLIENT, (), (-9, -2)), "asks": {"ca": CA.cert}}, "server", 45, "expired"),
        ({"own": BOARD, "asks": {"ca": CA.cert, "verify": lambda der: False}}, "server", 42, "not one that is exp"),
    ],
)
def test_certificates_refused(case, refusing, alert, why):
    """Each for its reason, which the refusing side says in words and the other as the alert's number."""
    side, error, told = fail(*x509_pair(**case))
    assert (side, error.alert) == (refusing, alert)
    assert why in str(error)
    assert str(told).startswith("the peer ended the DTLS session: ")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_pin_that_fails_is_no_yes():
    """An exception in a callback refuses the certificate."""
    client, server = x509_pair(pin=lambda der: 1 / 0)
    assert fail(client, server)[0] == "client"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (client_context, "needs a CA or a pin"),
        (lambda: client_context(ca=CA.cert, pin=bool), "and not both"),
        (lambda: client_context((ID, KEY), ca=CA.cert), "not both"),
        (lambda: client_context(ca=CA.cert, cert=BOARD.cert), "come together"),
        (lambda: client_context(ca=b"\x89PNG\r\n"), "this is no certificate"),
        (lambda: client_context(ca=CA.cert, cert=BOARD.cert, key=b"\x89PNG"), "this is no private key"),
        (lambda: client_context(ca=CA.cert, cert=BOARD.cert, key=GOOD.key), "does not belong to the certificate"),
        (lambda: client_context((b"i" * 129, KEY)), "1 to 128 bytes"),
        (lambda: client_context((b"i\0d", KEY)), "none of them 0"),
        (lambda: client_context((ID, b"")), "1 to 64 bytes"),
        (lambda: client_context((ID, b"k" * 65)), "1 to 64 bytes"),
        (lambda: Session(client_context(ca=CA.cert)), "needs a name"),
        (server_context, "needs pre-shared keys or a certificate"),
        (lambda: server_context(cert=GOOD.cert), "come together"),
    ],
)
def test_mistakes_in_credentials(make, sentence):
    """One sentence each."""
    with pytest.raises(ValueError, match=sentence):
        make()


def hello_and_cookie():
    """A server, a client's first hello and its second one, which has the cookie."""
    client, server = psk_pair()
    (first,) = client.take()
    server.receive(first)
    (asked,) = server.take()
    client.receive(asked)
    (second,) = client.take()
    return server, first, asked, second


def test_no_state_and_no_amplification_before_the_cookie():
    """The answer to a first hello is shorter than the hello, and one session serves the hellos of everybody."""
    server, first, asked, second = hello_and_cookie()
    assert len(asked) < len(first)
    assert not server.is_verified
    for port in range(50):
        server.address = ("10.0.0.1", port)
        assert server.receive(first) == []
        assert [len(answer) for answer in server.take()] == [len(asked)]
    server.address = ("127.0.0.1", 1)
    server.receive(second)
    assert server.is_verified


@pytest.mark.parametrize("wrong", ["another address", "another server", "a changed bit"])
def test_a_cookie_is_bound(wrong):
    """To the address, to the server's secret and to itself: else the client is asked anew, with no more bytes than it
    sent."""
    server, _, asked, second = hello_and_cookie()
    if wrong == "another address":
        server.address = ("127.0.0.1", 2)
    elif wrong == "another server":
        server = psk_pair()[1]
    else:
        at = second.index(asked[-32:])
        second = second[:at] + bytes([second[at] ^ 1]) + second[at + 1 :]
    server.receive(second)
    answer = b"".join(server.take())
    assert not server.is_verified and 0 < len(answer) < len(second)


def test_close():
    """close_notify is heard, and then nothing can be sent."""
    client, server = psk_pair()
    exchange(client, server)
    client.close()
    exchange(client, server)
    assert server.closed
    with pytest.raises(DtlsError, match="no DTLS session"):
        server.send(b"x")
    with pytest.raises(DtlsError, match="no DTLS session"):
        psk_pair()[0].send(b"x")


def test_a_session_goes_when_nobody_has_it():
    """At once, without the garbage collector, which knows nothing of OpenSSL's memory behind it."""
    client, server = x509_pair(own=BOARD, asks={"ca": CA.cert})
    exchange(client, server)
    assert client.peer_certificate and server.peer_certificate
    watched = weakref.ref(client), weakref.ref(server)
    gc.disable()
    try:
        del client, server
        assert [each() for each in watched] == [None, None]
    finally:
        gc.enable()


def test_long_data():
    """A record holds 16384 bytes; more is a mistake of the caller, and the session lives on."""
    client, server = psk_pair()
    exchange(client, server)
    with pytest.raises(ValueError, match="16385 bytes do not fit"):
        client.send(bytes(16385))
    client.send(bytes(16384))
    assert server.receive(client.take()[0]) == [bytes(16384)]


def lossy(seed):
    """A link that loses a tenth, doubles a tenth and, now and then, keeps a datagram back behind the next."""
    chance, kept = random.Random(seed), []

    def link(datagram):
        arriving = [] if chance.random() < 0.1 else [datagram] * (1 if chance.random() < 0.9 else 2)
        arriving += [kept.pop()] if kept else []
        if arriving and chance.random() < 0.1:
            kept.append(arriving.pop())
        return arriving

    return link


def test_handshakes_over_bad_links():
    """16 handshakes over such links all come through, and then carry data."""
    pairs = [(*(psk_pair() if seed % 2 else x509_pair()), lossy(seed), lossy(seed + 50)) for seed in range(8, 24)]
    waiting = list(pairs)
    for _ in range(2000):
        for pair in waiting:
            exchange(*pair)
        waiting = [pair for pair in waiting if not (pair[0].established and pair[1].established)]
        if not waiting:
            break
        time.sleep(0.02)
        for session in (session for pair in waiting for session in pair[:2]):
            session.on_timeout()
    assert not waiting, [(client.silence(), server.silence()) for client, server, *_ in waiting]
    for client, server, *_ in pairs:
        client.send(b"through")
        assert exchange(client, server)[1] == [b"through"]


def mutated(chance, datagram):
    """A datagram cut, lengthened, with wrong bytes, or anything at all."""
    data = bytearray(datagram)
    for _ in range(chance.randint(1, 4)):
        kind = chance.randrange(5)
        if kind == 0:
            del data[chance.randrange(len(data) + 1) :]
        elif kind == 1:
            data += chance.randbytes(chance.randint(1, 40))
        elif kind == 2:
            data = bytearray(chance.randbytes(chance.randint(0, 60)))
        elif data:
            data[chance.randrange(len(data))] = chance.choice((0, 1, 22, 23, 254, 255, chance.randrange(256)))
    return bytes(data)


def test_strange_datagrams_in_a_handshake():
    """Whatever comes in a handshake, it goes on, or ends with a DtlsError."""
    chance = random.Random(8)
    ended = 0
    for turn in range(300):
        client, server = psk_pair() if turn % 2 else x509_pair(own=BOARD, asks={"ca": CA.cert})
        link = lambda datagram: [mutated(chance, datagram)] if chance.random() < 0.3 else [datagram]  # noqa: E731
        try:
            exchange(client, server, link, link)
        except DtlsError as error:
            assert str(error) and "\n" not in str(error)
            ended += 1
    assert 10 < ended < 290


def test_strange_datagrams_in_a_session():
    """Nobody can end a session from outside, or be heard in it: mutations, replays, plaintext alerts and hellos."""
    chance = random.Random(9)
    client, server = psk_pair()
    exchange(client, server)
    client.send(b"once")
    (record,) = client.take()
    assert server.receive(record) == [b"once"]
    alert = bytes.fromhex("15fefd 0000 000000000009 0002 0228".replace(" ", ""))
    hello = Session(client_context((ID, KEY))).take()[0]
    for datagram in [b"", record, alert, hello, record[:-1], bytes(70000)] + [
        mutated(chance, chance.choice((record, alert, hello))) for _ in range(3000)
    ]:
        assert server.receive(datagram) == []
    client.send(b"twice")
    assert server.receive(client.take()[0]) == [b"twice"]
    assert not server.closed
