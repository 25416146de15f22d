"""OSCORE, and on CPython DTLS, as targets for fuzzing, see parsers.py."""

import compat
from coap import ccm
from coap.errors import FormatError
from coap.exchange import Parameters
from coap.oscore import Context, decode_option, encode_option
from coap.oscore_exchange import Exchange
from oscore_peer import SALT, SECRET, Numbers
from packet import Packet, build


def option(data):
    """The OSCORE option: what is accepted can be written again."""
    try:
        piv, kid, kid_context = decode_option(bytes(data))
    except FormatError:
        return
    assert encode_option(piv, kid, kid_context) == data or (data[:1] == b"\0" and not piv)


class _Pair:
    """An Exchange under OSCORE, and the context of its peer, which has sent nothing yet."""

    def __init__(self):
        self.context = Context(SECRET, SALT, b"\x01", b"", None, Numbers().reserve)
        own = Context(SECRET, SALT, b"", b"\x01", None, Numbers().reserve)
        self.sent = []
        self.handled = []
        self.exchange = Exchange(own, Parameters(), self.sent.append, self._handle, lambda limit: 0)

    def _handle(self, message, now):
        self.handled.append(message.code)
        return 0x45, ((12, 0),), b"x"

    def request(self, code=1, options=((11, b"3"),), payload=b"", mid=0x4001):
        """The datagram of a protected request."""
        code, options, sealed, piv = self.context.protect_request(code, options, payload)
        self.piv = piv
        return build("CON", code, mid, b"\x07", options, sealed)


def wire(data):
    """Anything may arrive: nothing that was not protected is carried out, and what is comes through afterwards."""
    pair = _Pair()
    pair.exchange.receive(bytes(data), 0)
    pair.exchange.request(1, ((11, b"rd"),), b"", lambda message, now: None, 0)
    pair.exchange.receive(bytes(data), 0)
    assert len(pair.handled) < 2, "a replay"
    assert not pair.handled or _is_genuine(data), "carried out, though not protected"
    pair.handled.clear()
    for mid in range(0x7001, 0x7009):
        pair.exchange.receive(pair.request(mid=mid), 1)
        if pair.handled:
            break
    assert pair.handled, "not served any more"
    reply = Packet(pair.sent[-1])
    assert pair.context.open_response(reply.get(9), reply.payload, pair.piv)[:1] == b"\x45"


def _is_genuine(data):
    """Whether only what nobody protects is another: type, Message ID, token, outer code, outer options."""
    return Packet(data).payload in [Packet(genuine).payload for genuine in GENUINE]


def inside(data):
    """A peer with the key says anything: it is refused, or handled as one message."""
    pair = _Pair()
    packet = Packet(pair.request(2, (), b"p"))
    nonce, aad = pair.context._nonce(b"\x01", pair.piv), pair.context._aad(b"\x01", pair.piv)
    sealed = ccm.seal(pair.context._sender_key, nonce, aad, bytes(data))
    pair.exchange.receive(build("CON", "POST", packet.mid, packet.token, packet.options, sealed), 0)
    assert len(pair.handled) < 2
    for datagram in pair.sent:
        Packet(datagram)


GENUINE = [
    _Pair().request(),
    _Pair().request(2, ((6, b""), (11, b"3"), (12, b"")), b"x" * 40),
    _Pair().request(5, (), b"\x81"),
]

TARGETS = {
    "oscore": (wire, tuple(GENUINE)),
    "oscore_option": (option, (b"", b"\x09\x14", b"\x19\x14\x02ab\x01", b"\x0d\1\2\3\4\5id", b"\x08")),
    "oscore_inner": (
        inside,
        (b"\x01\xb1\x33", b"\x02\xb1\x33\x01\x30\xff\x01\x02", b"\x01\x60\x51\x33", b"\x05\xd1\xf2\x00"),
    ),
}
if not compat.is_micropython:
    import parsers_dtls

    TARGETS.update(parsers_dtls.TARGETS)
