"""DTLS on CPython as a target for fuzzing, see parsers.py: a handshake between two honest sides that a stranger
disturbs."""

from dtls_host import DtlsError, Session, client_context, server_context

_IDENTITY, _KEY = b"id", b"0123456789abcdef"
_CONTEXTS = client_context((_IDENTITY, _KEY)), server_context(lambda identity: _KEY)
_MOST = 12  # datagrams of a handshake


def _sides():
    return Session(_CONTEXTS[0]), Session(_CONTEXTS[1], address=b"192.0.2.1:7")


def _carried(client, server, count=_MOST):
    """Carry up to so many datagrams; returns them in order."""
    passed = []
    while len(passed) < count:
        found = [(server, one) for one in client.take()] + [(client, one) for one in server.take()]
        if not found:
            break
        for receiver, datagram in found:
            receiver.receive(datagram)
            passed.append(datagram)
    return passed


def dtls(data):
    """Bytes of a stranger to both sides, after as many datagrams as the first byte says: they are dropped or end the
    session in a sentence, and nobody gets anything that was not sent under the keys."""
    client, server = _sides()
    count = data[0] % _MOST if data else 0
    _carried(client, server, count)
    for side in (server, client):
        try:
            assert not side.receive(bytes(data[1:])), "something of a stranger has come through"
            side.take()
            side.deadline_s()
        except DtlsError as error:
            assert str(error)
    try:
        _carried(client, server)
    except DtlsError:
        return


def _seeds():
    client, server = _sides()
    flights = _carried(client, server)
    assert client.established and server.established
    client.send(b"hello")
    return [bytes([at]) + datagram for at, datagram in enumerate(flights + client.take())]


TARGETS = {"dtls": (dtls, tuple(_seeds()))}
