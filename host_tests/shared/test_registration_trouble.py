"""Registration while things go wrong: refusals, retries, servers and links that go away and come back."""

from configurations import Probe, account_of, device
from peer import Peer
from support import each, eq


def refused(answers=1000, code="4.03", seed=1, seconds=0, **settings):
    """A peer that refuses every Register, from the start of the client on."""
    peer = Peer([device()], seed=seed, **settings)
    peer.script(*[code] * answers)
    peer.client.start(peer.now)
    peer.advance(seconds)
    return peer


def registered(**settings):
    peer = Peer([device(), Probe()], **settings)
    peer.register()
    return peer


def registers(packets):
    """When each new Register was sent first, in seconds; retransmissions are not counted."""
    times = {}
    for packet in packets:
        if packet.path == "/rd":
            times.setdefault(packet.mid, packet.at / 1000)
    return sorted(times.values())


def pauses(peer):
    return gaps(registers(peer.sent))


def gaps(times):
    return [times[number] - times[number - 1] for number in range(1, len(times))]


def check_pauses(found, expected):
    """Each pause is the expected one, or up to a quarter longer."""
    eq(len(found), len(expected))
    for pause, least in zip(found, expected):
        assert least <= pause <= least * 1.25 + 0.001, (found, expected)


# -- refusals ----------------------------------------------------------------------------------------------------------


def test_back_off_without_retry_policy():
    """10 s, doubled up to 5 minutes, for ever: nobody walks to thirty boards to restart them."""
    peer = refused(seconds=7200)
    found = pauses(peer)
    assert len(found) > 20
    check_pauses(found, ([10, 20, 40, 80, 160] + [300] * 100)[: len(found)])
    peer = refused(seconds=100, RETRY_FIRST_s=1, RETRY_MAX_s=3)
    check_pauses(pauses(peer)[:5], [1, 2, 3, 3, 3])


def test_boards_do_not_return_together():
    """The jitter differs, and uses its whole range."""
    shares = []
    for seed in range(1, 60):
        found = pauses(refused(seed=seed * 7919, seconds=100))
        check_pauses(found[:3], [10, 20, 40])
        shares += [found[0] / 10, found[1] / 20]
    assert min(shares) < 1.03 and max(shares) > 1.22, (min(shares), max(shares))
    assert len(set(shares)) > 80


def test_success_forgets_the_failures():
    """After a registration the pauses begin anew."""
    peer = refused(answers=5, seconds=500)
    eq(peer.state, "REGISTERED")
    peer.script("4.04", "4.03", "4.03", "4.03")
    peer.post("/1/0/8")
    peer.take()
    peer.advance(80)
    check_pauses(gaps(registers(peer.take())), [10, 20, 40])


def check_policy(policy, expected, state):
    """Pauses between all Registers that the resources of an account allow."""
    peer = Peer([device()])
    for name, value in policy.items():
        setattr(account_of(peer), name, value)
    peer.script(*["4.03"] * 100)
    peer.client.start(peer.now)
    peer.advance(3 * 86400)
    check_pauses(pauses(peer), expected)
    eq(peer.state, state)
    peer.take()
    peer.advance(30 * 86400)
    eq((peer.take(), peer.registration.link), ([], "closed"))


def test_retry_policy_of_the_account():
    """/1/x/17 attempts per sequence, 18 times 2, 4 ... s apart; 19 s between sequences, 20 of them."""
    cases = [
        ({"retry_count": 3, "retry_timer": 10, "sequence_delay": 1000, "sequence_count": 2}, [10, 20, 1000, 10, 20]),
        ({"retry_count": 1, "retry_timer": 10, "sequence_delay": 100, "sequence_count": 4}, [100, 100, 100]),
        ({"retry_count": 4, "retry_timer": 1}, [1, 2, 4]),
        ({"retry_timer": 2}, [2, 4, 8, 16]),
        ({"retry_count": 1}, []),
        ({"sequence_count": 2}, [60, 120, 240, 480, 86400, 60, 120, 240, 480]),
        ({"retry_count": 2, "sequence_count": 1, "retry_timer": 0}, [0]),
    ]
    each([case + ("FAILED",) for case in cases], check_policy)


def test_start_after_failure_has_all_attempts_again():
    """All sequences, all attempts; then it is over once more."""
    peer = Peer([device()])
    account = account_of(peer)
    account.retry_count, account.retry_timer, account.sequence_delay, account.sequence_count = 2, 10, 100, 2
    peer.script(*["4.00"] * 8)
    for _ in range(2):
        peer.take()
        peer.client.start(peer.now)
        peer.advance(1000)
        check_pauses(gaps(registers(peer.take())), [10, 100, 10])
        eq(peer.state, "FAILED")
    peer.client.start(peer.now)
    peer.advance(1)
    eq(peer.state, "REGISTERED")


def test_policy_counts_links_that_cannot_be_opened():
    """A name that cannot be resolved is a failed attempt; nothing leaves the device."""
    peer = Peer([device()])
    account_of(peer).retry_count = 3
    peer.link_works = False
    peer.client.start(peer.now)
    peer.advance(200)
    eq((peer.state, peer.sent), ("WAITING", []))
    peer.advance(1000)
    eq((peer.state, peer.sent), ("FAILED", []))


def test_5_03_waits_max_age():
    """And not less, though the jitter may add a quarter."""
    peer = Peer([device()])
    peer.script(("5.03", [(14, 120)]), ("5.03", [(14, 7)]), ("5.03", [(14, 0)]))
    peer.client.start(peer.now)
    peer.advance(300)
    check_pauses(pauses(peer), [120, 7, 1])  # Max-Age 0 would be a tight loop
    eq(peer.state, "REGISTERED")


def test_5_03_with_max_age_0_is_no_tight_loop():
    """To Register and to Update, from a server that never says anything else: once a second."""
    for path in ("/rd", "/rd/5a3f"):
        peer = Peer([device()])
        if path != "/rd":
            peer.register()
        count = []

        def answer(packet, count=count):
            count.append(packet.path)
            return ("5.03", [(14, b"")]) if len(count) < 50 else None

        peer.answer = answer
        if path == "/rd":
            peer.client.start(peer.now)
        else:
            peer.post("/1/0/8", wait=0)
        peer.advance(10)
        eq((8 <= len(count) <= 12, set(count)), (True, {path}))


def test_5_03_without_max_age_is_a_refusal():
    """So that the back-off grows."""
    check_pauses(pauses(refused(code="5.03", seconds=200))[:3], [10, 20, 40])


def test_created_without_location_is_a_refusal():
    """There would be nothing to send an Update to."""
    peer = Peer([device()])
    peer.script("2.01")
    peer.client.start(peer.now)
    peer.advance(1)
    eq(peer.state, "WAITING")
    eq(peer.get("/3/0/0"), None)


def test_no_answer_to_register():
    """Five transmissions of the same bytes; then a pause, and a new request."""
    peer = Peer([device()])
    peer.silent = True
    peer.client.start(peer.now)
    peer.advance(94)
    eq((len(peer.sent), len({packet.raw for packet in peer.sent})), (5, 1))
    eq(peer.state, "WAITING")
    peer.silent = False
    peer.advance(30)
    eq((len({packet.token for packet in peer.sent}), peer.state), (2, "REGISTERED"))


# -- a refused Update --------------------------------------------------------------------------------------------------


def check_refused_update(code):
    peer = registered()
    peer.observe("/32801/0/0", token=b"o")
    peer.script(code)
    peer.location = [b"rd", b"new"]
    peer.post("/1/0/8")
    peer.advance(1)
    eq([packet.path for packet in peer.requests()], ["/rd/5a3f", "/rd"])
    eq((peer.state, peer.registration.location), ("REGISTERED", [b"rd", b"new"]))
    peer.client.tree.objects[32801][0].set("value", 1.0)
    peer.advance(20)
    eq(peer.notifications(), [])


def test_refused_update_leads_to_register():
    """At once, whatever the refusal; the observations of before are void."""
    each([("4.04",), ("4.00",), ("4.01",), ("4.03",), ("5.00",)], check_refused_update)


def test_busy_server_keeps_the_registration():
    """5.03 with Max-Age to an Update: the same Update later, no new registration."""
    peer = registered(lifetime=3600)
    peer.observe("/32801/0/0", token=b"o")
    account_of(peer).set("lifetime", 3000)
    peer.script(("5.03", [(14, 60)]))
    peer.advance(90)
    first, second = peer.requests()
    eq((first.path, second.path), ("/rd/5a3f", "/rd/5a3f"))
    eq((first.queries, second.queries), (["lt=3000"], ["lt=3000"]))
    assert 60000 <= second.at - first.at <= 75000
    peer.client.tree.objects[32801][0].set("value", 1.0)
    peer.poll()
    eq(len(peer.notifications()), 1)


# -- away and back -----------------------------------------------------------------------------------------------------


def check_server_away(lifetime, away_s, register):
    """A server that does not answer for a while, from the next Update on."""
    peer = registered(lifetime=lifetime)
    peer.observe("/32801/0/0", token=b"o")
    peer.post("/1/0/8")
    peer.silent = True
    peer.advance(away_s)
    eq(registers(peer.take()) == [], not register)
    peer.silent = False
    peer.advance(130)
    eq(peer.state, "REGISTERED")
    found = [packet.path for packet in peer.requests() if packet.at > away_s * 1000]
    eq((found[-1], found.count("/rd") > 0), ("/rd", True) if register else ("/rd/5a3f", False))
    peer.notifications()
    peer.client.tree.objects[32801][0].set("value", 1.0)
    peer.advance(1)
    eq(len(peer.notifications()), 0 if register else 1)


def test_server_away_and_back():
    """While the registration holds it is kept, with its observations; a new one comes when the lifetime has run out."""
    each([(7200, 65, False), (7200, 600, False), (7200, 6000, False), (300, 600, True)], check_server_away)


def test_tries_while_the_server_is_away():
    """A whole retransmission each; 1, 2, 4 ... s between them, at most a minute; always an Update while it holds."""
    peer = registered(lifetime=86400)
    peer.post("/1/0/8")
    peer.silent = True
    peer.advance(4000)
    updates = [packet for packet in peer.requests() if packet.path == "/rd/5a3f"]
    lasts = {packet.mid: packet.at for packet in updates}
    firsts = {packet.mid: packet.at for packet in reversed(updates)}
    mids = sorted(firsts)
    eq([len([1 for packet in updates if packet.mid == mid]) for mid in mids[:-1]], [5] * (len(mids) - 1))
    waits = [1, 2, 4, 8, 16, 32] + [60] * 100
    for number in range(len(mids) - 2):
        pause_s = (firsts[mids[number + 1]] - lasts[mids[number]]) / 1000
        # the last time-out is 16 times the first one, that of 2 to 3 s
        assert 32 + waits[number] <= pause_s <= 48 + waits[number] * 1.25, (number, pause_s)


def test_link_away_and_back():
    """A Wi-Fi cut: an Update when it is back, however often opening the link failed; after the lifetime a Register."""
    for away_s, paths in ((5, ["/rd/5a3f"]), (600, ["/rd/5a3f"]), (4000, ["/rd"])):
        peer = registered(lifetime=3600)
        peer.link_works = False
        peer.registration.link_down("Wi-Fi is gone", peer.now)
        peer.requests()
        peer.advance(away_s)
        eq(peer.requests(), [])
        peer.link_works = True
        peer.advance(400)
        eq((peer.state, [packet.path for packet in peer.requests()]), ("REGISTERED", paths))


def test_tries_begin_anew_after_an_update():
    """At 1 s, however long the last absence was."""
    peer = registered(lifetime=86400)
    for _ in range(2):
        peer.link_works = False
        peer.registration.link_down("cut", peer.now)
        assert 1000 <= peer.registration.due - peer.now <= 1250
        peer.advance(600)
        peer.link_works = True
        peer.advance(80)
        eq(peer.state, "REGISTERED")


def test_lifetime_ends_while_the_link_is_away():
    """Told at the very moment, though tries are a minute apart; from then on it is a new registration that is tried."""
    peer = registered(lifetime=1000)
    seen = []
    peer.client.on_event = lambda state, registration: seen.append((peer.now, state))
    peer.link_works = False
    peer.registration.link_down("cut", peer.now)
    peer.advance(2000)
    states = [state for at, state in seen if at < 1000000]
    eq((states[:3], set(states)), (["LOST", "RECONNECTING", "LOST"], {"LOST", "RECONNECTING"}))
    eq([state for at, state in seen if at == 1000000], ["CONNECTING", "WAITING"])
    eq({state for at, state in seen if at > 1000000}, {"CONNECTING", "WAITING"})


def test_registration_ends_while_the_last_update_waits():
    """The lifetime is over before the last retransmission: a server that has forgotten us answers 4.04."""
    peer = registered(lifetime=300)
    peer.silent = True
    peer.advance(310)
    eq(peer.requests()[-1].path, "/rd/5a3f")
    peer.silent = False
    peer.answer = lambda packet: "4.04" if packet.path != "/rd" else peer.usual_answer(packet)
    peer.advance(100)
    eq((peer.state, [packet.path for packet in peer.requests()][-1]), ("REGISTERED", "/rd"))
    eq(len(registers(peer.sent)), 2)


def test_who_may_ask_while_the_server_is_away():
    """The registration holds, so a request that does come through is answered."""
    peer = registered(lifetime=3600)
    peer.silent = True
    peer.post("/1/0/8")
    peer.advance(63)
    eq(peer.get("/3/0/0").payload, b"ACME")


def test_server_that_resets_our_requests():
    """RST is as good as silence: it does not know what we mean."""
    peer = registered(lifetime=3600)
    peer.script(None)
    peer.post("/1/0/8")
    peer.poll()
    peer.reset(peer.requests()[-1])
    eq(peer.state, "LOST")
    peer.advance(3)
    eq((peer.state, [packet.path for packet in peer.requests()]), ("REGISTERED", ["/rd/5a3f"]))
