"""New OSCORE keys with a peer that has forgotten the context and knows no Echo: RFC 8613 appendix B.2."""

from coap.errors import Unauthorized
from coap.oscore import Context, byte_string
from lwm2m.object import Object
from oscore_peer import SALT, SECRET, OscorePeer
from packet import build
from support import eq, unhex

ADD = "/32770/0/4"


class Workshop(Object):
    """What can be executed."""

    OID = 32770
    RES = """
    3 R int count
    4 E none add
    """
    count = 0

    def add(self, args):
        """One more."""
        self.set("count", self.count + 1)


# -- against Californium ----------------------------------------------------------------------------------------------


def test_what_californium_answers():
    """A session with Californium 3.12, whose keys are those of RFC 8613 appendix C.1 but for the ids d1 and 5e."""
    id1 = unhex("6a79e0d980d22776")
    r2, r3 = unhex("e19d5fe2fad97f90bdc989b3e7a31b97"), unhex("4fcac34df937eca1")
    agreed = Context(SECRET, SALT, b"\xd1", b"\x5e", None, None)
    nothing = 1, ((11, b"renewal"),), b""

    first = agreed.renewed(id1, byte_string(id1))
    code, options, sealed, piv = first.protect_request(*nothing)
    eq((code, options), (2, [(9, unhex("19 00 09 48 6a79e0d980d22776 d1"))]))
    eq(sealed, unhex("99cf647962039ee1fe029a268798e58770"))
    answer = agreed.renewed(r2 + id1, byte_string(r2))
    value, sealed = unhex("10 11 50 e19d5fe2fad97f90bdc989b3e7a31b97"), unhex("c37260873f4b26b215")
    eq(answer.open_response(value, sealed, piv, first.nonce_of(piv)), b"\x81")  # 4.01

    second = agreed.renewed(r2 + r3, byte_string(r2 + r3))
    _, options, sealed, piv = second.protect_request(*nothing)
    eq(options, [(9, unhex("19 00 1a 58 18 e19d5fe2fad97f90bdc989b3e7a31b97 4fcac34df937eca1 d1"))])
    eq(sealed, unhex("43d2a3f35601874528098ffe10eda1f7f1"))
    eq(second.open_response(b"", unhex("1fe923b8cfd59271b2"), piv), b"\x84")
    plaintext, _ = second.open_request(unhex("09 00 5e"), unhex("f6b47d52266ef47f7febb89b4847c2"))
    eq(plaintext, unhex("01 b133 0130 0130"))  # GET /3/0/0


# -- in a device ------------------------------------------------------------------------------------------------------


class Forgetful(OscorePeer):
    """A server that can renew its context, but has no Echo. `steps` counts the requests of renewals."""

    def __init__(self, objects=(), **settings):
        super().__init__(objects, **settings)
        self.agreed = self.context
        self.steps = 0
        self.deaf = False
        self._id1 = self._nonce = None

    def _opened(self, packet):
        value = packet.get(9)
        if value is None or not packet.is_request or not value[0] & 16:
            return super()._opened(packet)
        self.steps += 1
        if self.deaf:
            return build("NON", "", packet.mid)
        shown = value[3 : 3 + value[2]] if len(value) > 2 else b""
        id_context = shown[2:] if shown[:1] == b"\x58" else shown[1:]
        context = self.agreed.renewed(id_context, shown)
        plaintext, piv = context.open_request(value, packet.payload)
        assert context.accept(piv, None)
        eq(plaintext, b"\x01\xb7renewal")
        if len(id_context) == 8:
            answer = self.agreed.renewed(b"of ours." + id_context, None)
            answer._common_iv = context._common_iv  # the nonce is that of the request
            options, sealed = answer.protect_response(0x84, (), b"", piv, False)
            options = [(9, b"\x10\x09\x48of ours.")]
        else:
            eq(id_context[:8], b"of ours.")
            self.context = context
            options, sealed = context.protect_response(0x84, (), b"", piv, False)
        self.answers.append(build("ACK", "2.04", packet.mid, packet.token, options, sealed))
        return build("NON", "", packet.mid)


def test_a_server_without_echo_gets_new_keys():
    """After its second request that does not bring the Echo; from then on it is managed as ever."""
    workshop = Workshop()
    peer = Forgetful([workshop])
    peer.boot(b"8 random")
    peer.register()
    eq([peer.post(ADD).code for _ in range(2)], ["4.01", "4.01"])
    peer.advance(1)
    eq((peer.steps, peer.context is peer.agreed), (2, False))
    eq((peer.post(ADD).code, workshop.count), ("2.04", 1))
    eq(peer.outer[-1].get(9), b"")
    old = peer.raw
    peer.context = peer.agreed
    reply = peer.wire(peer.protected(build("CON", "POST", 0x5000, b"\1", [(11, b"32770"), (11, b"0"), (11, b"4")])))
    eq(([one.code for one in reply], workshop.count), (["4.00"], 1))
    eq(len(old) > 20, True)


def test_a_register_that_cannot_be_opened_is_repeated_under_new_keys():
    """The server goes on with keys of an earlier life: 4.00, new keys, Register, and nobody waits."""
    peer = Forgetful([Workshop()])
    other = peer.agreed.renewed(b"of an earlier life", None)
    peer.context = other
    register = peer.register()
    eq((peer.state, register.path, peer.steps), ("REGISTERED", "/rd", 2))
    eq([one.code for one in peer.outer], ["POST"] * 4)
    eq(peer.outer[-1].get(9), b"\x09\x01")


def test_new_keys_that_do_not_help_are_made_once():
    """The server forgets them at once: the attempt has failed, and the next one comes in its time."""
    peer = Forgetful([Workshop()])

    def forget(packet):
        raise Unauthorized("Security context not found")

    opened = peer._opened

    def never(packet):
        if packet.is_request and not packet.get(9)[0] & 16:
            forget(packet)
        return opened(packet)

    peer._opened = never
    peer.client.start(0)
    peer.advance(2)
    eq((peer.state, peer.steps), ("WAITING", 2))
    eq(len(peer.outer), 4)


def test_a_server_that_cannot_renew_is_asked_once():
    peer = OscorePeer([Workshop()])
    peer.boot(b"8 random")
    peer.register()
    for _ in range(6):
        eq(peer.post(ADD).code, "4.01")
        peer.advance(1)
    eq(len([one for one in peer.outer if one.is_request and one.get(9)[0] & 16]), 1)
    eq(peer.state, "REGISTERED")


def test_silence_in_a_renewal_is_no_answer():
    """It is tried again when the server's requests call for it once more."""
    workshop = Workshop()
    peer = Forgetful([workshop], MAX_RETRANSMIT=0, ACK_TIMEOUT_ms=100)
    peer.boot(b"8 random")
    peer.register()
    peer.deaf = True
    eq([peer.post(ADD).code for _ in range(2)], ["4.01", "4.01"])
    peer.advance(5)
    eq(peer.steps, 1)
    peer.deaf = False
    eq([peer.post(ADD).code for _ in range(2)], ["4.01", "4.01"])
    peer.advance(1)
    eq((peer.post(ADD).code, workshop.count), ("2.04", 1))


def test_a_renewal_that_a_lost_link_cuts_short_is_begun_anew():
    """And so is one after a refusal, once the server has accepted a Register again."""
    peer = Forgetful([Workshop()])
    peer.context = peer.agreed.renewed(b"of an earlier life", None)
    peer.deaf = True
    peer.client.start(0)
    peer.advance(1)
    eq((peer.state, peer.steps), ("REGISTERING", 1))
    peer.registration.link_down("link lost", peer.now)
    peer.deaf = False
    peer.advance(30)
    eq((peer.state, peer.steps), ("REGISTERED", 3))

    workshop = Workshop()
    peer = Forgetful([workshop])
    peer.context = peer.agreed = Context(b"another secret..", SALT, b"\x01", b"", None, None)
    peer.client.start(0)
    peer.advance(1)
    eq((peer.state, peer.steps), ("WAITING", 1))
    peer.context = peer.agreed = Context(SECRET, SALT, b"\x01", b"", None, lambda: (0, 64))
    peer.advance(30)
    eq(peer.state, "REGISTERED")
    peer.own.challenge = b"8 random"
    eq([peer.post(ADD).code for _ in range(2)], ["4.01", "4.01"])
    peer.advance(1)
    eq((peer.post(ADD).code, workshop.count), ("2.04", 1))


def test_a_forged_answer_in_a_renewal_is_none():
    """Neither R2 without the key nor one that is none leads anywhere; the true answer does."""
    peer = Forgetful([Workshop()])
    peer.context = peer.agreed.renewed(b"of an earlier life", None)
    forged = [b"", b"\x10\x01\x40", b"\x10\x03\x58\x01x", b"\x10\x09\x48to fool!"]

    def forge(packet):
        if packet.is_request and packet.get(9)[0] & 16 and forged:
            value = forged.pop(0)
            peer.answers.append(build("ACK", "2.04", packet.mid, packet.token, [(9, value)], b"x" * 9))
            return build("NON", "", packet.mid)
        return opened(packet)

    opened = peer._opened
    peer._opened = forge
    peer.client.start(0)
    peer.advance(200)
    eq((peer.state, forged), ("REGISTERED", []))
