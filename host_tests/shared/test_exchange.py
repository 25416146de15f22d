"""The message layer (RFC 7252 section 4), what a peer sends: answered always, carried out once."""

from end import End
from support import eq

# -- the peer's requests --------------------------------------------------------------------------------------------


def test_piggybacked_answer():
    """Same Message ID, same token."""
    end = End()
    eq(end.receive("CON", "GET", 0x2001, b"\1\2", ((11, "3"),))[0].raw, b"\x62\x45\x20\x01\1\2\xc0\xff87")


def test_repeated_requests_are_answered_but_not_carried_out():
    """The same bytes for 247 s, of a CON; silence for a repeated NON; then a Message ID is new again (section 4.5)."""
    for code in ("GET", "POST", "PUT", "DELETE", "FETCH"):
        end = End()
        first = end.receive("CON", code, 5, b"t", (), b"")
        end.answer = (0x80, (), b"changed")
        for seconds in (0, 1, 40, 205):
            end.run(seconds)
            eq([packet.raw for packet in end.receive("CON", code, 5, b"t", (), b"")], [first[0].raw])
        eq(len(end.handled), 1)
        end.run(2)
        eq(end.receive("CON", code, 5, b"t")[0].code, "4.00")
        eq(len(end.handled), 2)


def test_repeated_non_confirmable_request():
    """Carried out once, answered once, by a NON with a Message ID of ours."""
    end = End()
    answer = end.receive("NON", "POST", 5, b"t", (), b"x")
    eq([(packet.type, packet.code, packet.token) for packet in answer], [("NON", "2.05", b"t")])
    eq(end.receive("NON", "POST", 5, b"t", (), b"x"), [])
    eq(end.handled, [(2, b"x")])


def test_big_reads_are_read_again():
    """Their answers are not worth the RAM; those of actions are, and an Observe is one."""
    for code, options, times in (("GET", (), 2), ("GET", ((6, 0),), 1), ("POST", (), 1)):
        end = End()
        end.answer = (0x45, (), b"z" * 500)
        first = end.receive("CON", code, 5, b"t", options)
        eq(end.receive("CON", code, 5, b"t", options)[0].raw, first[0].raw)
        eq(len(end.handled), times)


def test_reads_do_not_push_out_actions():
    """SEEN answers of each kind are remembered, the oldest goes first."""
    end = End(SEEN=3)
    for mid in (1, 2, 3):
        end.receive("CON", "POST", mid, b"p")
    for mid in range(100, 200):
        end.receive("CON", "GET", mid, b"g")
    end.handled.clear()
    for mid in (1, 2, 3):
        eq(len(end.receive("CON", "POST", mid, b"p")), 1)
    for mid in (197, 198, 199):
        eq(len(end.receive("CON", "GET", mid, b"g")), 1)
    eq(end.handled, [])
    end.receive("CON", "GET", 196, b"g")
    eq(len(end.handled), 1)


# -- more actions than answers are kept --------------------------------------------------------------------------------


def acted(count, **parameters):
    """An end that has carried out `count` actions, a quick peer's within a moment; Message IDs and tokens from 1."""
    end = End(**parameters)
    for number in range(1, count + 1):
        end.answer = (0x44, (), b"") if number % 2 else (0x41, ((8, b"7"),), b"")
        act(end, number)
    eq(len(end.handled), count)
    return end


def act(end, number, type="CON"):
    return end.receive(type, "POST", number, bytes((number >> 8, number & 255)), (), b"%d" % number)


def test_a_burst_of_actions_is_carried_out_once():
    """A peer with a higher NSTART repeats them all: each gets its code, the newest their whole answers."""
    end = acted(100)
    end.answer = (0xA0, (), b"not again")
    for number in list(range(1, 101)) + [1, 50, 100]:
        answer = act(end, number)[0]
        eq((answer.type, answer.code, answer.mid), ("ACK", "2.04" if number % 2 else "2.01", number))
        eq((answer.token, answer.location), (bytes((0, number)), ["7"] if number > 92 and not number % 2 else []))
    eq(len(end.handled), 100)


def test_a_late_copy_of_an_old_action():
    """For EXCHANGE_LIFETIME after it came, whatever came since; then its Message ID is new again, long before the peer
    can have sent 65536."""
    for seconds, again in ((0, 0), (140, 0), (246, 0), (500, 1)):
        end = acted(30)
        end.run(seconds)
        act(end, 3)
        eq(len(end.handled), 30 + again, "after %d s" % seconds)
        if again:
            eq([act(end, number) != [] for number in (1, 2)], [True, True])
            eq(len(end.handled), 33)


def test_old_actions_are_known_by_their_token():
    """A peer that has started anew may use a Message ID again."""
    end = acted(30)
    eq(end.receive("CON", "POST", 3, b"new")[0].token, b"new")
    eq(len(end.handled), 31)
    eq(end.receive("CON", "POST", 3, b"new")[0].token, b"new")
    eq(len(end.handled), 31)


def test_old_actions_without_an_answer_of_their_own():
    """A NON gets silence again, and what was acknowledged for a separate response its empty ACK."""
    end = End()
    act(end, 1, "NON")
    end.answer = None
    ack = act(end, 2)[0]
    for number in range(3, 40):
        act(end, number)
    eq(act(end, 1, "NON"), [])
    eq([packet.raw for packet in act(end, 2)], [ack.raw])
    eq(len(end.handled), 39)


def test_memory_of_actions_is_bounded():
    """The last REPEATS are known for sure, never more than twice as many."""
    end = acted(200, REPEATS=16)
    assert len(end.exchange.repeats._young) + len(end.exchange.repeats._old) <= 32
    for number in range(200 - 8 - 16, 201):
        act(end, number)
    eq(len(end.handled), 200)
    act(end, 1)
    eq(len(end.handled), 201)


def test_a_peer_that_starts_anew_may_use_a_message_id_again():
    """Within 247 s, but under another token: it is another request, and gets an answer of its own."""
    end = End(SEEN=3)
    end.receive("CON", "GET", 7, b"old")
    end.handled.clear()
    answer = end.receive("CON", "GET", 7, b"new")
    eq((len(end.handled), answer[0].mid, answer[0].token), (1, 7, b"new"))
    eq(len(end.receive("CON", "GET", 7, b"new")), 1)
    eq(len(end.handled), 1)


def test_memory_of_answers_is_bounded():
    """One of each kind at least, and no more than SEEN; also if Message IDs come again in another kind of request."""
    for bound in (0, 1, 5):
        end = End(SEEN=bound)
        for step in range(200):
            end.receive("CON", ("GET", "POST")[step // 3 % 2], step % 7, b"t")
            end.run(60)
        assert len(end.exchange._seen) <= 2 * max(1, bound)
        eq(len(end.exchange._seen), sum([len(order) for order in end.exchange._seen_order]))


def test_separate_answer():
    """Empty ACK at once; later a confirmable response with the token, sent again until acknowledged."""
    end = End(ACK_RANDOM_FACTOR=1)
    end.answer = None
    ack = end.receive("CON", "POST", 5, b"tok")
    eq([(packet.type, packet.code, packet.mid, packet.token) for packet in ack], [("ACK", "", 5, b"")])
    eq(end.receive("CON", "POST", 5, b"tok")[0].raw, ack[0].raw)
    end.run(7)
    end.exchange.respond(b"tok", 0x44, (), b"", end.now, end.on_reply)
    sent = end.run(3)
    eq((sent[0].type, sent[0].code, sent[0].token), ("CON", "2.04", b"tok"))
    eq([packet.at for packet in sent], [7000, 9000])
    eq(sent[1].raw, sent[0].raw)
    end.receive("ACK", "", sent[0].mid)
    eq(end.run(300), [])
    eq(end.replies, [(10000, 0)])
    eq(len(end.handled), 1)


def test_silence():
    """A handler may refuse to answer; the same request is then looked at again."""
    end = End()
    end.answer = False
    eq(end.receive("CON", "GET", 5, b"t"), [])
    end.answer = (0x45, (), b"")
    eq(len(end.receive("CON", "GET", 5, b"t")), 1)


def test_unknown_critical_option():
    """The handler hears of it for a CON, which it answers with 4.02; a NON is ignored (section 5.4.1)."""
    end = End()
    seen = []
    end.exchange._handle = lambda message, now: seen.append(message.options.bad) or (0x82, (), b"")
    eq(end.receive("CON", "GET", 5, b"t", ((2049, b"x"),))[0].code, "4.02")
    eq(end.receive("NON", "GET", 6, b"t", ((2049, b"x"),)), [])
    eq(seen, [2049])


# -- empty and broken messages --------------------------------------------------------------------------------------


def test_ping():
    """RST with the same Message ID (section 4.3); an empty NON is ignored."""
    end = End()
    eq(end.receive("CON", "", 0xABCD)[0].raw, b"\x70\x00\xab\xcd")
    eq(end.receive("NON", "", 0xABCE), [])


def test_broken_messages():
    """RST for what says that it is confirmable, else silence (section 4.2 and 4.3)."""
    end = End()
    cases = (
        (b"\x40\x01\x12\x34\xff", b"\x70\x00\x12\x34"),
        (b"\x49\x01\x12\x34123456789", b"\x70\x00\x12\x34"),
        (b"\x40\x00\x12\x34\xb1x", b"\x70\x00\x12\x34"),
        (b"\x50\x01\x12\x34\xff", None),
        (b"\x60\x45\x12\x34\xff", None),
        (b"\x70\x00\x12\x34\x00", None),
        (b"\x80\x01\x12\x34", None),
        (b"\x00\x01\x12\x34", None),
        (b"\x40\x01\x12", None),
        (b"", None),
    )
    for datagram, answer in cases:
        problem = end.exchange.receive(datagram, 0)
        assert isinstance(problem, str) and problem
        eq([packet.raw for packet in end.take()], [answer] if answer else [])
    eq(end.handled, [])


def test_reserved_code_classes():
    """RST if confirmable, else silence; a request or response type that cannot carry its code is ignored."""
    end = End()
    for code in (0x20, 0x60, 0xC0, 0xFF):
        eq([packet.type for packet in end.receive("CON", code, 1)], ["RST"])
        eq(end.receive("NON", code, 2), [])
        eq(end.receive("ACK", code, 3), [])
    eq(end.receive("ACK", "GET", 4), [])
    eq(end.receive("RST", "GET", 5), [])
    eq(end.handled, [])
