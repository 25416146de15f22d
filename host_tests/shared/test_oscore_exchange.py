"""OSCORE around a whole client: everything works inside of it, and nothing that is not protected counts."""

from lwm2m.object import Object
from oscore_peer import OscorePeer
from packet import Packet, build
from support import eq, noise

COUNT = "/32770/0/3"
ADD = "/32770/0/4"


class Workshop(Object):
    """What can be read, written and executed."""

    OID = 32770
    RES = """
    0 RW str label
    3 R int count
    4 E none add
    6 RW opaque note
    9 E none slow
    """
    label = ""
    count = 0
    note = b""

    def add(self, args):
        """One more."""
        self.set("count", self.count + 1)

    def slow(self, args):
        """One more, later."""
        yield 3000
        self.set("count", self.count + 1)


def registered(**settings):
    """(peer, workshop) of a device that is registered."""
    workshop = Workshop()
    peer = OscorePeer([workshop], **settings)
    peer.register()
    return peer, workshop


# -- what works -------------------------------------------------------------------------------------------------------


def test_register_shows_nothing_of_itself():
    """On the wire a POST without path, with nothing but the OSCORE option and what nobody can read."""
    peer, _ = registered()
    outer = peer.outer[0]
    eq((outer.type, outer.code, [number for number, _ in outer.options]), ("CON", "POST", [9]))
    eq(outer.get(9), b"\x09\x00")
    for secret in (b"rd", b"dev1", b"lt=", b"32770"):
        eq(secret in outer.raw, False)
    eq((peer.state, peer.sent[0].path), ("REGISTERED", "/rd"))


def test_read_write_execute():
    peer, workshop = registered()
    reply = peer.put("/32770/0/0", b"bench", content_format=0)
    eq((reply.code, workshop.label), ("2.04", "bench"))
    reply = peer.get("/32770/0/0", accept=0)
    eq((reply.code, reply.payload), ("2.05", b"bench"))
    eq((peer.outer[-1].code, peer.outer[-1].options), ("2.04", [(9, b"")]))
    eq((peer.post(ADD).code, workshop.count), ("2.04", 1))
    eq(peer.get("/32770/0/77").code, "4.04")
    eq(peer.outer[-1].code, "2.04")


def test_an_answer_that_comes_later_has_a_number_of_its_own():
    """The empty ACK is not protected, as in every CoAP; the response is, and comes once."""
    peer, workshop = registered()
    eq((peer.post("/32770/0/9", wait=0).code, workshop.count), ("", 0))
    peer.advance(3)
    late = peer.outer[-1]
    eq((late.type, late.code, late.get(9)), ("CON", "2.04", b"\x01\x01"))
    eq((peer.sent[-1].code, workshop.count), ("2.04", 1))


def test_non_confirmable_request():
    peer, workshop = registered()
    reply = peer.post(ADD, type="NON")
    eq((reply.type, reply.code, workshop.count), ("NON", "2.04", 1))
    eq(peer.outer[-1].get(9), b"\x01\x01")


def test_observe():
    """RFC 8613 section 4.1.3.5: FETCH and 2.05 outside, Observe on both sides, a number for each notification."""
    peer, workshop = registered()
    reply = peer.observe(COUNT, token=b"\x07", accept=0)
    eq((reply.code, reply.observe, reply.payload), ("2.05", 0, b"0"))
    eq((peer.outer[-1].code, [number for number, _ in peer.outer[-1].options]), ("2.05", [6, 9]))
    peer.notifications()
    for count in (1, 2):
        workshop.add({})
        peer.advance(1)
        told = peer.notifications(b"\x07")
        eq([(one.code, one.payload, one.get(6)) for one in told], [("2.05", b"%d" % count, b"")])
        outer = peer.outer[-1]
        eq((outer.type, outer.code, outer.get(6), outer.get(9)), ("NON", "2.05", bytes([count]), bytes([1, count])))
    eq((peer.cancel(COUNT, b"\x07").code, peer.registration.exchange._bound), ("2.05", []))
    workshop.add({})
    peer.advance(10)
    eq(peer.notifications(b"\x07"), [])


def test_observe_that_a_proxy_does_not_want():
    """It has taken the outer Observe away: a plain Read. A cancellation counts without it."""
    peer, _ = registered()

    def proxy(datagram):
        outer = Packet(datagram)
        options = [option for option in outer.options if option[0] != 6]
        return build(outer.type, outer.code, outer.mid, outer.token, options, outer.payload)

    peer.change = proxy
    reply = peer.observe(COUNT, token=b"\x07", accept=0)
    eq((reply.code, reply.observe, reply.payload), ("2.05", None, b"0"))
    peer.change = lambda datagram: datagram
    eq(peer.observe(COUNT, token=b"\x07").observe, 0)
    peer.change = proxy
    eq(peer.cancel(COUNT, b"\x07").code, "2.05")
    eq(peer.registration.reporting.observations, [])


def test_a_reset_ends_an_observation():
    peer, workshop = registered()
    peer.observe(COUNT, token=b"\x07")
    workshop.add({})
    peer.advance(1)
    peer.reset(peer.notifications(b"\x07")[0])
    eq((peer.registration.reporting.observations, peer.registration.exchange._bound), ([], []))


def test_observations_of_a_former_registration_are_forgotten_in_time():
    """As many as there may be, again and again: those that notify are always the last ones."""
    peer, workshop = registered(OBSERVATIONS=4, ACTION_DELAY_ms=0)
    for turn in range(8):
        tokens = [bytes([16 * turn + i + 1]) for i in range(4)]
        for token in tokens:
            eq(peer.observe(COUNT, token=token).code, "2.05")
        workshop.add({})
        peer.notifications()
        peer.advance(1)
        eq(sorted([one.token for one in peer.notifications()]), tokens)
        peer.registration.reporting.clear()
    eq(len(peer.registration.exchange._bound) <= 12, True)


def test_blocks_inside():
    """Both directions; each block is a message of its own."""
    peer, workshop = registered(BLOCK_SIZE=64)
    body = bytes(range(200))
    replies = peer.put_blocks("/32770/0/6", body, content_format=42)
    eq(([one.code for one in replies], workshop.note), (["2.31", "2.31", "2.31", "2.04"], body))
    found, replies = peer.get_blocks("/32770/0/6", accept=42)
    eq((found, len(replies)), (body, 4))
    for outer in peer.outer[-4:]:
        eq([number for number, _ in outer.options], [9])


def test_a_register_in_blocks():
    peer, _ = registered(BLOCK_SIZE=16)
    eq([one.block1 for one in peer.sent if one.path == "/rd"][:2], [(0, True, 0), (1, True, 0)])


# -- repeats ----------------------------------------------------------------------------------------------------------


def test_retransmissions_are_the_same_bytes():
    peer, _ = registered()
    peer.silent = True
    peer.registration.update_wanted = True
    peer.client.wake()
    count = len(peer.outer)
    peer.advance(94)
    sent = [one.raw for one in peer.outer[count:]]
    eq((len(sent) >= 5, sent[:5]), (True, [sent[0]] * 5))


def test_a_repeated_request_has_the_same_answer():
    """By Message ID, as without OSCORE; big ones too, of which only the last is kept."""
    peer, workshop = registered()
    peer.post(ADD)
    answer = peer.outer[-1].raw
    eq([one.raw for one in peer.wire(peer.raw)], [answer])
    eq(workshop.count, 1)
    workshop.note = bytes(300)
    peer.get("/32770/0/6")
    first, answer = peer.raw, peer.outer[-1].raw
    eq([one.raw for one in peer.wire(first)], [answer])
    peer.get("/32770/0/6")
    eq([one.raw for one in peer.wire(peer.raw)], [peer.outer[-1].raw])
    eq([(one.code, one.payload) for one in peer.wire(first)], [("4.01", b"Replay detected")])


def test_a_replay_is_refused():
    """The same ciphertext under another Message ID and token."""
    peer, workshop = registered()
    peer.post(ADD)
    raw = bytearray(peer.raw)
    raw[2:4] = b"\x77\x77"
    reply = peer.wire(bytes(raw))[0]
    eq((reply.type, reply.code, reply.payload, reply.max_age), ("ACK", "4.01", b"Replay detected", 0))
    eq(workshop.count, 1)


def test_an_execute_is_not_repeated_after_many_others():
    """Its answer is forgotten; the number is not."""
    peer, workshop = registered(SEEN=4)
    peer.post(ADD)
    execute = peer.raw
    for _ in range(10):
        peer.get(COUNT)
    eq([one.payload for one in peer.wire(execute)], [b"Replay detected"])
    eq(workshop.count, 1)


# -- what is not protected --------------------------------------------------------------------------------------------


def test_an_unprotected_request_is_refused():
    """4.01 without a word, no longer than the request, and nothing happens; the log says what was wrong."""
    peer, workshop = registered()
    told = peer.registration.exchange.receive(build("CON", "GET", 0x4FFF, b"\x01", [(11, b"3")]), peer.now)
    eq(told, "OSCORE: not protected")
    for method, path in (("POST", ADD), ("GET", COUNT), ("PUT", "/32770/0/0"), ("DELETE", "/1/0")):
        options = [(11, part) for part in path.split("/")[1:]]
        reply = peer.wire(build("CON", method, 0x5000 + len(path), b"\x01", options, b"x"))[0]
        eq((reply.code, reply.payload, reply.options, reply.get(9)), ("4.01", b"", [], None))
        eq(peer.wire(build("NON", method, 0x6000 + len(path), b"\x01", options)), [])
    eq((workshop.count, workshop.label, peer.state), (0, "", "REGISTERED"))


def test_what_cannot_be_opened():
    """RFC 8613 section 8.2: answers without protection, and silence if the request is non-confirmable."""
    peer, _ = registered()
    cases = [
        (b"", b"x" * 20, "4.02", b"Failed to decode COSE"),
        (b"\x09\x05\x02", b"x" * 20, "4.01", b"Security context not found"),
        (b"\x09\x05\x01", b"x" * 20, "4.00", b"Decryption failed"),
    ]
    for value, payload, code, text in cases:
        reply = peer.wire(build("CON", "POST", 0x5000, b"\x01", [(9, value)], payload))[0]
        eq((reply.type, reply.code, reply.payload, reply.max_age), ("ACK", code, text, 0))
        eq(peer.wire(build("NON", "POST", 0x6000, b"\x01", [(9, value)], payload)), [])


def test_a_refused_message_takes_no_place_of_the_peers():
    """What anybody can send under a Message ID must not answer the server's request under the same one."""
    peer, workshop = registered()
    mid = peer.next_mid() + 1
    peer.wire(build("CON", "POST", mid, b"\xa0\x00\x01", [(9, b"\x09\x05\x01")], b"x" * 20))
    eq((peer.post(ADD, mid=mid, token=b"\xa0\x00\x01").code, workshop.count), ("2.04", 1))


def test_an_unprotected_answer_does_not_register():
    """It goes on asking, until the server itself says something."""
    peer = OscorePeer([Workshop()])
    peer.plain = True
    peer.client.start(0)
    peer.advance(2)
    eq((peer.state, len(peer.outer)), ("REGISTERING", 1))
    peer.plain = False
    peer.advance(3)
    eq(peer.state, "REGISTERED")


def test_a_server_that_has_not_the_key_says_so():
    """4.01, 4.02 and 4.00 need no protection, as who sends them has no key; they end the attempt, not more. After 4.01
    and 4.00 it is asked whether a new context can be made."""
    for code, count in (("4.01", 2), ("4.02", 1), ("4.00", 2)):
        peer = OscorePeer([Workshop()])
        peer.plain = True
        peer.script((code, [(252, b"an echo that counts for nothing")], b"Security context not found"))
        peer.client.start(0)
        peer.advance(1)
        eq((peer.state, len(peer.outer)), ("WAITING", count))


def test_a_changed_response_is_none():
    """Each bit of what is protected; the request goes on until the true one comes."""
    peer = OscorePeer([Workshop()])

    def flip(datagram):
        changed = bytearray(datagram)
        changed[-1 - len(peer.outer) * 3] ^= 1
        return bytes(changed)

    peer.change = flip
    peer.client.start(0)
    peer.advance(20)
    eq((peer.state, len(peer.outer)), ("REGISTERING", 4))
    peer.change = lambda datagram: datagram
    peer.advance(25)
    eq(peer.state, "REGISTERED")


def test_a_response_to_another_request_is_none():
    """It is bound to the request by its number, whatever token and Message ID say."""
    peer, _ = registered()
    old = peer.raw
    peer.registration.update_wanted = True
    peer.silent = True
    peer.client.wake()
    peer.poll()
    update = peer.outer[-1]
    peer.wire(old[:2] + update.raw[2:4] + update.token + old[4 + len(update.token) :])
    eq(peer.state, "UPDATING")


# -- Echo -------------------------------------------------------------------------------------------------------------


def test_a_server_that_wants_an_echo_gets_it():
    """RFC 9175: the request once more, with the Echo; once only, then the 4.01 is the answer."""
    peer = OscorePeer([Workshop()])
    peer.script(("4.01", [(252, b"8 random")]))
    first = peer.register()
    eq((first.get(252), len(peer.outer)), (b"8 random", 2))
    peer = OscorePeer([Workshop()])
    peer.script(("4.01", [(252, b"one")]), ("4.01", [(252, b"two")]))
    peer.client.start(0)
    peer.advance(1)
    eq((peer.state, [one.get(252) for one in peer.requests()]), ("WAITING", [None, b"one"]))


def test_after_a_restart_the_first_request_is_challenged():
    """A 4.01 with an Echo, protected under a number of its own, for the request may be an old one; nothing is done
    before the Echo comes back, and what came before it never."""
    workshop = Workshop()
    peer = OscorePeer([workshop])
    peer.boot(b"8 random")
    peer.register()
    reply = peer.post(ADD)
    before = peer.raw
    eq((reply.code, reply.get(252), workshop.count), ("4.01", b"8 random", 0))
    eq(peer.outer[-1].get(9), b"\x01\x01")
    eq((peer.post(ADD, options=[(252, b"other")]).code, workshop.count), ("4.01", 0))
    peer.advance(1)
    eq((peer.post(ADD, options=[(252, b"8 random")]).code, workshop.count), ("2.04", 1))
    eq((peer.post(ADD).code, workshop.count), ("2.04", 2))
    late = bytearray(before)
    late[2:4] = b"\x77\x77"
    eq([one.payload for one in peer.wire(bytes(late))], [b"Replay detected"])
    eq(workshop.count, 2)


# -- numbers ----------------------------------------------------------------------------------------------------------


def test_without_numbers_nothing_leaves():
    """The flash cannot be written: the Register waits as for a server that is away, and comes when it can be."""
    peer = OscorePeer([Workshop()])
    peer.numbers.works = False
    peer.client.start(0)
    peer.advance(5)
    eq((peer.state, peer.outer), ("WAITING", []))
    peer.numbers.works = True
    peer.advance(20)
    eq(peer.state, "REGISTERED")


def test_without_numbers_a_registered_device_still_answers():
    """An answer needs none of its own; notifications and Updates do, and come when there are some again."""
    peer, workshop = registered()
    peer.observe(COUNT, token=b"\x07", accept=0)
    peer.registration.exchange.context._end = peer.registration.exchange.context._number
    peer.numbers.works = False
    peer.take()
    workshop.add({})
    peer.advance(1)
    eq(peer.take(), [])
    eq(peer.get(COUNT, accept=0).payload, b"1")
    peer.take()
    peer.registration.update_wanted = True
    peer.client.wake()
    peer.advance(1)
    eq((peer.state, peer.take()), ("LOST", []))
    peer.numbers.works = True
    peer.advance(5)
    eq(peer.state, "REGISTERED")
    workshop.add({})
    peer.advance(1)
    eq([one.payload for one in peer.notifications(b"\x07")][-1], b"2")


def test_whoever_waits_for_a_reply_to_what_was_not_sent_hears_that_none_came():
    """At the next poll, as after a time-out; not after a reset, which tells nobody."""
    peer, _ = registered()
    peer.observe(COUNT, token=b"\x07")
    exchange = peer.registration.exchange
    exchange.context._end = exchange.context._number
    peer.numbers.works = False
    told = []
    for again in (True, False):
        exchange.request(2, [(11, b"dp")], b"x", lambda message, now: told.append(("request", message)), peer.now)
        exchange.respond(b"\x07", 0x45, ((6, 1),), b"1", peer.now, lambda message, now: told.append(message), True)
        exchange.respond(b"\x07", 0x45, ((6, 1),), b"1", peer.now, lambda message, now: told.append("NON"), False)
        if not again:
            exchange.reset()
        eq(told, [])
        exchange.poll(peer.now)
        eq(told, [("request", None), None] if again else [])
        told.clear()


# -- hostile bytes ----------------------------------------------------------------------------------------------------


def test_noise_is_survived():
    """Any bytes as a datagram, as an OSCORE option, as a ciphertext, and inside of one that the key has made."""
    peer, workshop = registered()
    exchange = peer.registration.exchange
    for data in noise(200, 60):
        exchange.receive(data, peer.now)
        exchange.receive(build("CON", "POST", 0x5000, b"\x01", [(9, data[:12])], data), peer.now)
        exchange.receive(build("CON", "POST", 0x5001, b"\x01", [(9, b"\x09\x05\x01")], data + b"x" * 9), peer.now)
        exchange.receive(build("CON", "2.05", 0x5002, peer.outer[0].token, [(9, data[:6])], data), peer.now)
    for number, data in enumerate(noise(200, 30, seed=3)):
        if data:
            inside = bytes([data[0] % 8]) + data[1:]
            exchange.receive(peer.sealed(inside, 0x7000 + number, data[-1:] * 2), peer.now)
    peer.registration.outbox.clear()
    eq((workshop.count, peer.state, peer.get(COUNT, accept=0).payload), (0, "REGISTERED", b"0"))
