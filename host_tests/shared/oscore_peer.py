"""A scripted server (peer.py) that speaks under OSCORE: what it sends is protected on the way, what comes is opened.

    peer = OscorePeer([Workshop()])
    peer.register()
    peer.outer              every datagram of the client as it was on the wire, as Packets
    peer.raw                the bytes of the last that went to the client
    peer.plain = True       what it sends is not protected
    peer.change = f         f(outer datagram) -> what arrives in its place, None for nothing

The keys are those of RFC 8613 appendix C.1, the client's side of which is coap.oscore.Context; so is the server's here,
as it has been held against the appendix in both roles. Against OSCORE of others see host_tests/interop/test_oscore.py.
"""

from coap import ccm
from coap.errors import CoapError
from coap.oscore import Context, encode_option
from coap.oscore_exchange import Exchange
from packet import Packet, build, code_byte
from peer import Peer
from support import unhex

SECRET = unhex("01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10")
SALT = unhex("9e 7c a9 22 23 78 63 40")


class Numbers:
    """Where a context's numbers come from; without any while `works` is False."""

    def __init__(self, first=0):
        self.next = first
        self.works = True

    def reserve(self):
        if not self.works:
            raise OSError(28)
        self.next += 64
        return self.next - 64, self.next


class Oscore:
    """What makes a Peer, or a `kind` of it, speak under OSCORE: `context` is its side of the keys. The first of two
    base classes, and MicroPython's super() looks no further than that."""

    kind = Peer

    def use(self, context):
        """Begin."""
        self.context = context
        self.outer = []
        self.plain = False
        self.change = lambda datagram: datagram
        self._pivs = {}  # token -> Partial IV of the request, of both sides
        self.answers = []  # outer datagrams that leave as they are: those to what cannot be opened

    def carry(self):
        registration = self.registration
        if registration.link != "opening":
            registration.outbox[:] = [self._from_client(datagram) for datagram in registration.outbox]
        moved = self.kind.carry(self)
        while self.answers:
            self.kind._deliver(self, self.answers.pop(0))
        return moved

    def _from_client(self, datagram):
        packet = Packet(datagram, self.now)
        self.outer.append(packet)
        try:
            return self._opened(packet)
        except CoapError as error:
            self.answers.append(build("ACK", error.code, packet.mid, packet.token, [], str(error).encode()))
            return build("NON", "", packet.mid)  # what is left of it for the record

    def _opened(self, packet):
        value = packet.get(9)
        if value is None:
            return packet.raw
        if packet.is_request and packet.raw in [one.raw for one in self.outer[:-1]]:
            plaintext = self._last  # a repeat, which a server's message layer would notice
        elif packet.is_request:
            plaintext, piv = self.context.open_request(value, packet.payload)
            assert self.context.accept(piv, None)
            self._pivs[packet.token] = piv
        else:
            plaintext = self.context.open_response(value, packet.payload, self._pivs[packet.token])
        self._last = plaintext
        head = packet.raw[:1] + plaintext[:1] + packet.raw[2:4] + packet.token
        return head + plaintext[1:]

    def protected(self, raw):
        """The outer datagram of an inner one."""
        packet = Packet(raw)
        if self.plain or not packet.code:
            return raw
        code = code_byte(packet.code)
        if packet.is_request:
            outer_code, options, sealed, piv = self.context.protect_request(code, packet.options, packet.payload)
            self._pivs[packet.token] = piv
        else:
            piv = self._pivs[packet.token]
            options, sealed = self.context.protect_response(code, packet.options, packet.payload, piv, False)
            outer_code = 0x44
        return build(packet.type, outer_code, packet.mid, packet.token, options, sealed)

    def _deliver(self, datagram):
        self.raw = self.protected(datagram)
        arrives = self.change(self.raw)
        if arrives is not None:
            self.kind._deliver(self, arrives)

    def wire(self, datagram):
        """Let a datagram arrive as it is; returns what the client sends at once, as on the wire."""
        count = len(self.outer)
        self.kind._deliver(self, datagram)
        self.world.flush()
        return self.outer[count:]

    def sealed(self, plaintext, mid, token):
        """A confirmable request with whatever bytes inside, as on the wire."""
        context = self.context
        piv = context._next_piv()
        aad, nonce = context._aad(context.sender_id, piv), context._nonce(context.sender_id, piv)
        ciphertext = ccm.seal(context._sender_key, nonce, aad, plaintext)
        self._pivs[token] = piv
        return build("CON", "POST", mid, token, [(9, encode_option(piv, context.sender_id))], ciphertext)


class OscorePeer(Oscore, Peer):
    """As Peer, with the same settings."""

    def __init__(self, objects=(), **settings):
        Peer.__init__(self, objects, **settings)
        self.numbers = Numbers()
        self.use(Context(SECRET, SALT, b"\x01", b"", None, Numbers().reserve))
        self.boot()

    def boot(self, challenge=None):
        """The client's side from its start, after a restart with a challenge."""
        registration = self.registration
        self.own = Context(SECRET, SALT, b"", b"\x01", None, self.numbers.reserve)
        self.own.challenge = challenge
        registration.exchange = Exchange(
            self.own, self.client.config, registration.outbox.append, registration._handle, self.client.randbelow
        )
