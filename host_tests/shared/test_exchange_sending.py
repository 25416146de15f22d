"""The message layer (RFC 7252 section 4), what we send: when, how often, how many at a time, and what comes back."""

from coap.errors import ServiceUnavailable
from coap.exchange import Parameters
from end import End
from packet import Packet
from support import eq, raises

# -- retransmission -------------------------------------------------------------------------------------------------


def test_retransmission_times():
    """First after 2 to 3 s, then doubled; the same bytes; four times; given up at the fifth (section 4.2)."""
    firsts = []
    for seed in range(1, 30):
        end = End(seed)
        end.request()
        sent = end.run(1000)
        eq(len(sent), 5)
        eq([packet.raw for packet in sent], [sent[0].raw] * 5)
        first = sent[1].at
        assert 2000 <= first <= 3000, first
        eq([packet.at for packet in sent], [0, first, 3 * first, 7 * first, 15 * first])
        eq(end.replies, [(31 * first, None)])
        eq(end.exchange.poll(end.now), None)
        firsts.append(first)
    assert max(firsts) - min(firsts) > 500, "no jitter"


def test_parameters():
    """Every constant can be set, and the derived times follow (section 4.8.2)."""
    eq(Parameters().max_transmit_span_ms(), 45000)
    eq(Parameters().max_transmit_wait_ms(), 93000)
    eq(Parameters().exchange_lifetime_ms(), 247000)
    end = End(ACK_TIMEOUT_ms=100, ACK_RANDOM_FACTOR=1, MAX_RETRANSMIT=2, MAX_LATENCY_ms=1000, TOKEN_LENGTH=4)
    eq(end.parameters.exchange_lifetime_ms(), 300 + 2000 + 100)
    packet = end.request()
    eq(len(packet.token), 4)
    eq([packet.at for packet in end.run(10)], [0, 100, 300])
    eq(end.replies, [(700, None)])
    end = End(MAX_RETRANSMIT=0, ACK_RANDOM_FACTOR=1)
    end.request()
    eq([packet.at for packet in end.run(10)], [0])
    eq(end.replies, [(2000, None)])


def test_message_ids_and_tokens_are_fresh():
    """Neither comes again soon, and both start at random."""
    end = End(QUEUE=1000)
    seen = []
    for _ in range(500):
        packet = end.request()
        end.receive("ACK", "2.04", packet.mid, packet.token)
        seen.append((packet.mid, packet.token))
    eq(len({mid for mid, _ in seen}), 500)
    eq(len({token for _, token in seen}), 500)
    assert len({End(seed).request().mid for seed in range(1, 20)}) > 15


def test_message_id_wraps():
    """65535 is followed by 0."""
    end = End()
    mids = []
    for _ in range(65537):
        end.exchange.respond(b"", 0x45, (), b"", 0, None, False)
        mids.append(end.take()[0].mid)
    eq(mids[0], mids[65536])
    assert 0 in mids and 65535 in mids


# -- NSTART ---------------------------------------------------------------------------------------------------------


def test_one_at_a_time():
    """With NSTART 1 the next confirmable message leaves when the one before is acknowledged (section 4.7)."""
    end = End()
    first = end.request()
    end.exchange.respond(b"\x07", 0x45, (), b"1", 0, end.on_reply)
    end.request()
    eq(len(end.take()), 1)
    assert end.exchange.busy
    second = end.receive("ACK", "", first.mid)
    eq([(packet.type, packet.code, packet.token) for packet in second], [("CON", "2.05", b"\x07")])
    third = end.receive("ACK", "", second[0].mid)
    eq([packet.code for packet in third], ["GET"])
    eq(end.replies, [(0, 0)])
    assert third[0].mid == second[0].mid + 1 == first.mid + 2


def test_the_next_follows_a_time_out():
    """A message that was given up makes room."""
    end = End(ACK_RANDOM_FACTOR=1)
    end.request()
    end.request()
    eq([packet.at for packet in end.run(100)], [0, 2000, 6000, 14000, 30000, 62000, 64000, 68000, 76000, 92000])
    eq(end.replies, [(62000, None)])


def test_nstart_two():
    """Two may be under way at once, each with its own clock."""
    end = End(NSTART=2)
    for _ in range(3):
        end.request()
    eq(len({packet.token for packet in end.take()}), 2)
    end.run(200)
    eq(len(end.replies), 3)


def test_queue_is_bounded():
    """One more than QUEUE is refused, and leaves the others alone."""
    end = End(QUEUE=3)
    first = end.request()
    for _ in range(3):
        end.request()
    raises(ServiceUnavailable, end.request)
    raises(ServiceUnavailable, end.exchange.respond, b"", 0x45, (), b"", 0)
    end.exchange.respond(b"\x09", 0x45, (), b"", 0, None, False)  # a non-confirmable one needs no turn
    eq([packet.type for packet in end.take()], ["CON", "NON"])
    eq(len(end.receive("ACK", "2.04", first.mid, first.token)), 1)
    end.request()


def test_reset_forgets_what_is_under_way():
    """Nothing is sent again and nobody is told; the peer's repeats are still known."""
    end = End()
    answer = end.receive("CON", "GET", 1, b"t")
    first = end.request()
    end.request()
    end.exchange.reset()
    end.take()
    eq(end.run(500), [])
    eq(end.replies, [])
    eq(end.receive("CON", "2.05", 77, first.token)[0].type, "RST")
    end.now = 1000
    eq(end.receive("CON", "GET", 1, b"t")[0].raw, answer[0].raw)
    eq(len(end.handled), 1)


def test_reset_while_others_time_out():
    """What a time-out leads to may be the end of all the others that time out in the same moment."""
    end = End(NSTART=3, ACK_RANDOM_FACTOR=1)

    def on_reply(message, now):
        end.on_reply(message, now)
        end.exchange.reset()

    for _ in range(3):
        end.exchange.request(1, (), b"", on_reply, 0)
    end.run(100)
    eq(end.replies, [(62000, None)])
    for _ in range(3):
        end.exchange.request(1, (), b"", on_reply, end.now)
        end.receive("ACK", "", Packet(end.exchange._active[0].datagram).mid)
    end.run(300)
    eq(len(end.replies), 2)


# -- our requests ---------------------------------------------------------------------------------------------------


def test_piggybacked_response():
    """It ends the request; a second copy changes nothing."""
    end = End()
    packet = end.request()
    eq(end.receive("ACK", "2.05", packet.mid, packet.token, (), b"hello"), [])
    end.receive("ACK", "2.05", packet.mid, packet.token, (), b"hello")
    eq(end.replies, [(0, 0x45)])
    eq(end.run(300), [])


def test_separate_response():
    """Empty ACK, then after 20 s a confirmable response, which is acknowledged, and again if the ACK was lost."""
    end = End()
    packet = end.request()
    end.now = 500
    eq(end.receive("ACK", "", packet.mid), [])
    eq(end.run(20), [])
    answer = end.receive("CON", "2.04", 0x7777, packet.token)
    eq([(out.type, out.code, out.mid, out.token) for out in answer], [("ACK", "", 0x7777, b"")])
    eq(end.replies, [(20500, 0x44)])
    eq(end.receive("CON", "2.04", 0x7777, packet.token)[0].raw, answer[0].raw)
    eq(len(end.replies), 1)


def test_separate_response_that_is_non_confirmable():
    """It needs no ACK."""
    end = End()
    packet = end.request()
    end.receive("ACK", "", packet.mid)
    eq(end.receive("NON", "4.04", 0x7777, packet.token), [])
    eq(end.replies, [(0, 0x84)])


def test_response_overtakes_the_ack():
    """It counts as the ACK too: nothing is sent again, and the ACK that comes late is ignored (section 5.2.2)."""
    end = End()
    packet = end.request()
    eq([out.type for out in end.receive("CON", "2.05", 9, packet.token)], ["ACK"])
    eq(end.receive("ACK", "", packet.mid), [])
    eq(end.run(300), [])
    eq(end.replies, [(0, 0x45)])


def test_no_separate_response():
    """After the empty ACK it is waited for, but not for ever."""
    end = End()
    packet = end.request()
    end.receive("ACK", "", packet.mid)
    eq(end.run(300), [])
    eq(end.replies, [(247000, None)])
    eq(end.receive("CON", "2.05", 9, packet.token)[0].type, "RST")


def test_lost_ack_is_answered_by_retransmission():
    """The request goes out again until its ACK comes."""
    end = End()
    packet = end.request()
    end.take()
    again = end.run(10)
    eq(len(again), 2)
    end.receive("ACK", "2.05", packet.mid, packet.token)
    eq(len(end.replies), 1)
    eq(end.run(300), [])


def test_reset_of_our_request():
    """The peer wants nothing of it."""
    end = End()
    packet = end.request()
    eq(end.receive("RST", "", packet.mid), [])
    eq(end.replies, [(0, "RST")])
    eq(end.run(300), [])


def test_foreign_responses():
    """Wrong Message ID in an ACK, unknown token: RST to a confirmable one, else silence; the request waits on."""
    end = End()
    packet = end.request()
    wrong = bytes([packet.token[0] ^ 1]) + packet.token[1:]
    eq(end.receive("ACK", "2.05", packet.mid + 1, packet.token), [])
    eq(end.receive("ACK", "2.05", packet.mid, wrong), [])
    eq(end.receive("ACK", "", packet.mid + 1), [])
    eq(end.receive("RST", "", packet.mid + 1), [])
    eq(end.receive("NON", "2.05", 5, wrong), [])
    eq([(out.type, out.mid) for out in end.receive("CON", "2.05", 6, wrong)], [("RST", 6)])
    eq(end.receive("RST", "2.05", packet.mid, packet.token), [])
    eq(end.replies, [])
    end.receive("ACK", "2.05", packet.mid, packet.token)
    eq(end.replies, [(0, 0x45)])


def test_response_with_an_unknown_critical_option():
    """It must be rejected (section 5.4.1)."""
    end = End()
    packet = end.request()
    eq(end.receive("CON", "2.05", 6, packet.token, ((2049, b"x"),))[0].type, "RST")
    eq(end.receive("ACK", "2.05", packet.mid, packet.token, ((2049, b"x"),)), [])
    eq(end.replies, [])


# -- notifications --------------------------------------------------------------------------------------------------


def test_reset_finds_the_non_confirmable_notification():
    """A RST is told to whoever sent the message it names, once (RFC 7641 section 3.6)."""
    end = End()
    heard = []
    for token in (b"a", b"b", b"c"):
        end.exchange.respond(token, 0x45, (), b"", 0, lambda message, now, token=token: heard.append(token), False)
    sent = end.take()
    eq([packet.type for packet in sent], ["NON"] * 3)
    end.receive("RST", "", sent[1].mid)
    end.receive("RST", "", sent[1].mid)
    eq(heard, [b"b"])


def test_old_non_confirmable_notifications_are_forgotten():
    """As many as QUEUE are remembered."""
    end = End(QUEUE=4)
    for _ in range(10):
        end.exchange.respond(b"t", 0x45, (), b"", 0, end.on_reply, False)
    sent = end.take()
    end.receive("RST", "", sent[0].mid)
    eq(end.replies, [])
    end.receive("RST", "", sent[9].mid)
    eq(end.replies, [(0, "RST")])
    eq(len(end.exchange._unconfirmed), 3)


def test_confirmable_notification():
    """Its ACK, its RST and its time-out are told."""
    end = End(ACK_RANDOM_FACTOR=1)
    for answer in ("ACK", "RST", None):
        end.exchange.respond(b"t", 0x45, ((6, 2),), b"1", end.now, end.on_reply)
        packet = end.take()[0]
        if answer:
            end.receive(answer, "", packet.mid)
        else:
            end.run(100)
    eq(end.replies, [(0, 0), (0, "RST"), (62000, None)])
