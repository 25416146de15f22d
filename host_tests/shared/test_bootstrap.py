"""The bootstrap session: its state machine row by row, its timers, its failures, and what is silent meanwhile."""

from configurations import Probe
from configurations_bootstrap import c13, c14, resources, security, server, tlv
from lwm2m import bootstrap
from support import each, eq
from watch import Watch

# What the prose at the head of lib/lwm2m/bootstrap.py promises: state, event, the state after it.
EXPECTED = """
STOPPED START IDLE
STOPPED RESET STOPPED
STOPPED STOP STOPPED
IDLE NEEDED WAITING
IDLE EXECUTED CONNECTING
IDLE RESET STOPPED
IDLE STOP STOPPED
WAITING DUE CONNECTING
WAITING EXECUTED CONNECTING
WAITING LINK_DOWN WAITING
WAITING NEEDLESS IDLE
WAITING RESET STOPPED
WAITING STOP STOPPED
CONNECTING LINK_UP REQUESTING
CONNECTING PACK PACKING
CONNECTING LINK_DOWN WAITING
CONNECTING RESET STOPPED
CONNECTING STOP STOPPED
PACKING FALL_BACK REQUESTING
PACKING FINISH FINISHED
PACKING SILENCE WAITING
PACKING LINK_DOWN WAITING
PACKING RESET STOPPED
PACKING STOP STOPPED
REQUESTING FORMAT REQUESTING
REQUESTING ACCEPTED BOOTSTRAPPING
REQUESTING OPERATION BOOTSTRAPPING
REQUESTING REFUSED WAITING
REQUESTING SILENCE WAITING
REQUESTING LINK_DOWN WAITING
REQUESTING RESET STOPPED
REQUESTING STOP STOPPED
BOOTSTRAPPING ACCEPTED BOOTSTRAPPING
BOOTSTRAPPING OPERATION BOOTSTRAPPING
BOOTSTRAPPING SILENCE BOOTSTRAPPING
BOOTSTRAPPING FINISH FINISHED
BOOTSTRAPPING UNFIT WAITING
BOOTSTRAPPING FORMAT WAITING
BOOTSTRAPPING REFUSED WAITING
BOOTSTRAPPING DUE WAITING
BOOTSTRAPPING LINK_DOWN WAITING
BOOTSTRAPPING RESET STOPPED
BOOTSTRAPPING STOP STOPPED
FINISHED EXECUTED CONNECTING
FINISHED DUE IDLE
FINISHED LINK_DOWN IDLE
FINISHED RESET STOPPED
FINISHED STOP STOPPED
"""
EXPECTED = [tuple(line.split()) for line in EXPECTED.strip().split("\n")]
STATES = "STOPPED IDLE WAITING CONNECTING PACKING REQUESTING BOOTSTRAPPING FINISHED".split()


# -- into a state ------------------------------------------------------------------------------------------------------


def bring(state):
    """A world whose Bootstrap has just come into a state, by nothing but what happens on a network."""
    world = c13(
        count=1 if state in ("IDLE", "STOPPED") else 0, version="1.2" if state == "PACKING" else "1.1", RETRY_COUNT=1
    )
    if state == "CONNECTING":
        world.client.start(world.now)
        world.client.poll(world.now)
    elif state != "STOPPED":
        answers = {"WAITING": "5.00", "REQUESTING": None, "PACKING": None}
        if state in answers:
            world.bs.script(answers[state])
        world.start()
    if state == "FINISHED":
        world.finish()
    eq(world.bootstrap.state, state)
    return world


# -- what happens to it ------------------------------------------------------------------------------------------------

ANSWERS = {"ACCEPTED": "2.04", "REFUSED": "4.00", "FORMAT": "4.15", "FALL_BACK": "4.04"}


def cause(world, event):
    """Let an event happen, again by nothing but what happens on a network."""
    if event in ANSWERS:
        request = [packet for packet in world.bs.sent if packet.is_request][-1]
        answer = ANSWERS[event]
        if world.bootstrap.state == "BOOTSTRAPPING":
            world.bootstrap._on_answer(Answer(answer), world.now)
        else:
            world.bs.respond(request, answer)
    else:
        EVENTS[event](world)


class Answer:
    """A response that comes after the requests of the server that sends it."""

    type, payload = 2, b""

    def __init__(self, code):
        self.code = int(code[0]) * 32 + int(code[2:])


def silence(world):
    world.bs.silent = True
    if world.bootstrap.state == "BOOTSTRAPPING":
        world.bootstrap._on_answer(None, world.now)
    world.advance(94)


def finish(world):
    if world.bootstrap.state == "PACKING":
        from test_int_0 import PACK

        world.bs.respond(world.bs.sent[-1], ("2.05", [(12, 112)], PACK))
    else:
        world.finish()


def needed(world):
    world.server.answer = lambda packet: "4.03"
    world.client.registrations[0].account.lifetime = 100
    world.server.post("/1/0/8")
    world.advance(10)


def needless(world):
    world.client.accounts.hopeless = lambda: False
    world.advance(0)


def unfit(world):
    world.bs.post("/bs")


EVENTS = {
    "START": lambda world: world.bootstrap.start(world.now),
    "STOP": lambda world: world.bootstrap.stop(world.now),
    "RESET": lambda world: world.bootstrap.reset(world.now),
    "LINK_UP": lambda world: world.bootstrap.link_up(world.now),
    "PACK": lambda world: (setattr(world.bootstrap, "_pack", True), world.bootstrap.link_up(world.now)),
    "LINK_DOWN": lambda world: world.bootstrap.link_down("cut", world.now),
    "EXECUTED": lambda world: world.bootstrap.execute({})(),
    "OPERATION": lambda world: world.bs.get("/1"),
    "DUE": lambda world: world.client.poll(world.bootstrap.due),
    "SILENCE": silence,
    "FINISH": finish,
    "NEEDED": needed,
    "NEEDLESS": needless,
    "UNFIT": unfit,
}
TAKEN = set()


def check_row(state, event, after):
    """The event happens in the state, and leads where it should."""
    world = bring(state)
    with Watch(bootstrap) as watch:
        cause(world, event)
    taken = [row for row in watch.taken if row[:2] == (state, event)]
    eq((taken[:1], watch.missing), ([(state, event, after)], []))
    TAKEN.add((state, event))


def test_every_row_is_taken():
    """What is expected, what there is and what happens are the same rows."""
    TAKEN.clear()
    each(EXPECTED, check_row)
    rows = set()
    for line in bootstrap.ROWS.strip().split("\n"):
        states, events = line.split()[:2]
        rows |= {(state, event) for state in states.split(",") for event in events.split(",")}
    eq(sorted(TAKEN), sorted(rows))
    eq(len(rows), len(EXPECTED))
    eq({row[0] for row in EXPECTED}, set(STATES))


def test_stop_in_every_state():
    """Then there is silence, nothing is left of what was not finished, and all sessions are STOPPED."""
    for state in STATES:
        world = bring(state)
        if state == "BOOTSTRAPPING":
            eq(world.write("/0", security()), "2.04")
        world.client.stop(world.now)
        world.advance(100)
        eq([session.state for session in world.client.sessions if session.state != "STOPPED"], [])
        eq((world.bootstrap.link, world.bootstrap.stage, 1 in world.instances(0)), ("closed", None, True))
        world.bs.take()
        world.advance(1000000)
        eq(world.bs.take(), [])


# -- the request -------------------------------------------------------------------------------------------------------


def test_hold_off():
    """/0/x/11 before a client-initiated bootstrap; none before one that a server wishes."""
    world = c13(hold_off=30)
    world.start()
    world.advance(29)
    eq((world.bs.requests(), world.bootstrap.state), ([], "WAITING"))
    world.advance(1)
    eq(len(world.bs.requests()), 1)
    world.finish()
    world.server.post("/1/0/9")
    world.advance(1)
    eq(len(world.bs.requests()), 1)


def test_preferred_format():
    """4.15: without pct at once, and from then on; 1.0 knows no pct."""
    world = c13()
    world.bs.script("4.15", "4.15")
    world.start()
    eq([packet.queries for packet in world.bs.requests()], [["ep=dev1", "pct=112"], ["ep=dev1"]])
    eq(world.bootstrap.state, "WAITING")
    world.advance(15)
    eq([packet.queries for packet in world.bs.requests()], [["ep=dev1"]])
    world = c13(version="1.0")
    world.start()
    eq([packet.queries for packet in world.bs.requests()], [["ep=dev1"]])
    eq(world.bs.get("/", accept=40).text, 'lwm2m="1.0",</0>;ver=1.1,</0/1>,</3>;ver=1.1,</3/0>')


def test_requests_before_the_answer():
    """A Bootstrap-Server may begin before its 2.04 has come, and the 2.04 may get lost."""
    world = c13()
    world.bs.script("")
    world.start()
    (request,) = world.bs.requests()
    eq((world.write("/0", security()), world.bootstrap.state), ("2.04", "BOOTSTRAPPING"))
    world.bs.respond(request, "2.04")
    world.finish()
    eq(world.server.state, "REGISTERED")


def test_every_failure_backs_off():
    """No link, silence, RST, refusals: doubled pauses with jitter, all as it was, one Request each time."""
    for answer in (None, "RST", "4.00", "4.03", "5.00", "5.03"):
        world = c13(ACK_TIMEOUT_ms=100, RETRY_FIRST_s=10, RETRY_MAX_s=100)
        world.bs.answer = lambda packet, answer=answer: answer
        world.start()
        world.advance(900)
        at = sorted({packet.mid: packet.at for packet in reversed(world.bs.requests())}.values())
        pauses = [(at[number + 1] - at[number]) // 1000 for number in range(len(at) - 1)]
        for pause, least in zip(pauses, (10, 20, 40, 80, 100, 100)):
            assert least <= pause <= least * 1.25 + 5, pauses
        assert 7 <= len(at) <= 12, at
        world.bs.answer = world.bs.usual_answer
        world.advance(130)
        world.finish()
        eq(world.server.state, "REGISTERED")


# -- the other servers -------------------------------------------------------------------------------------------------


def test_silence_towards_the_others():
    """Neither Updates nor notifications nor answers from the Execute to the Finish; a failure, and they go on."""
    probe = Probe()
    world = c14([probe])
    world.start()
    world.advance(1)
    for iid, peer in enumerate((world.server, world.server2)):
        eq(peer.observe("/1/%d/1" % iid, content_format=None, token=b"o").code, "2.05")
        peer.location = [b"rd", b"%d" % iid]
    world.server2.post("/1/1/9")
    world.advance(1)
    eq([session.state for session in world.client.sessions], ["BOOTSTRAPPING"])
    for peer in (world.server, world.server2):
        peer.take()
    eq(world.write("/1", server(0, lifetime=70)), "2.04")
    world.advance(200)
    eq((world.server.get("/3/0/0", wait=1), world.server.take(), world.server2.take()), (None, [], []))
    eq(world.bs.post("/bs").code, "2.04")
    world.advance(1)
    eq([world.server.state, world.server2.state], ["REGISTERED"] * 2)
    eq([packet.path for packet in world.server.requests()][-1:], ["/rd"])


def test_an_aborted_bootstrap_keeps_registrations():
    """They are kept, by an Update, with their observations and attributes, and with everything as it was."""
    world = c14()
    world.start()
    world.advance(1)
    eq(world.server.observe("/1/0/1", token=b"o").code, "2.05")
    world.server.put("/1/0/1?pmin=3", content_format=None)
    version = world.client.tree.version
    world.server.post("/1/0/9")
    world.advance(1)
    eq([world.bs.delete("/").code, world.write("/1", server(0, lifetime=70) + server(4, 4))], ["2.02", "2.04"])
    eq((world.instances(1), world.instances(2)), ([0, 4], []))
    for peer in (world.server, world.server2):
        peer.requests()
    world.advance(249)
    eq((world.bootstrap.state, world.client.tree.version), ("WAITING", version))
    eq((world.instances(0), world.instances(1), world.instances(2)), ([0, 1, 2], [0, 1], [0, 1, 2]))
    eq([packet.path for packet in world.server.requests() + world.server2.requests()], ["/rd/5a3f"] * 2)
    eq((world.server.state, world.server.get("/1/0/1").text), ("REGISTERED", "300"))
    eq(world.server.get("/1/0/1", accept=40).text, "</1/0/1>;pmin=3")
    world.server.notifications()
    world.server.put("/1/0/1", b"80000", content_format=0)
    world.advance(4)
    eq([packet.text for packet in world.server.notifications(b"o")], ["80000"])


def priorities(**values):
    """Two accounts by a bootstrap, the second with priority 1, the first with 2; values are more of the second's."""
    world = c13(RETRY_COUNT=1)
    world.start()
    eq(world.write("/0", security() + security(2, b"coap://server2", 2)), "2.04")
    values = {int(name[1:]): values[name] for name in values}
    values[13] = b"\1"
    eq(world.write("/1", server(values={13: b"\2", 14: b"\5"}) + server(1, 2, values=values)), "2.04")
    return world


def test_order_of_registrations():
    """By /1/x/13, each after the one before and its own delay (14)."""
    world = priorities(r14=b"\x0a")
    world.bs.post("/bs")
    world.advance(9)
    eq((world.server.requests(), world.server2.requests()), ([], []))
    world.advance(1)
    eq((world.server2.state, world.server.requests()), ("REGISTERED", []))
    world.advance(6)
    eq(world.server.state, "REGISTERED")


def test_order_after_a_failure():
    """The next one all the same, unless the failed one blocks it (15); then there is nothing left but a bootstrap."""
    world = priorities()
    world.server2.answer = lambda packet: "4.03"
    world.bs.post("/bs")
    world.advance(10)
    eq((world.server2.state, world.server.state), ("FAILED", "REGISTERED"))
    world = priorities(r15=b"\1")
    world.server2.answer = lambda packet: "4.03"
    world.bs.requests()
    world.bs.post("/bs")
    world.advance(60)
    eq((world.server.requests(), [packet.path for packet in world.bs.requests()]), ([], ["/bs"]))


def test_purged_account():
    """/0/x/12: the Bootstrap-Server's account goes so long after the bootstrap, also out of the store."""
    world = c13()
    world.start()
    eq(world.write("/0/1", resources({12: b"\x64"})), "2.04")
    world.finish()
    account = world.client.tree.objects[1][0]
    world.advance(140)
    eq((world.instances(0), callable(account.bootstrap_request)), ([0, 1], True))
    world.advance(10)
    eq((world.instances(0), account.bootstrap_request, world.client.bootstrap), ([0], None, None))
    eq(world.server.post("/1/0/9").code, "4.04")
    again = c13(store=world.store)
    again.start()
    eq((again.server.state, again.instances(0), again.client.bootstrap), ("REGISTERED", [0], None))
    again.client.factory_reset()
    again.advance(1)
    eq((again.instances(0), [packet.path for packet in again.bs.requests()]), ([1], ["/bs"]))


def test_a_server_that_comes_back_when_the_bootstrap_server_is_gone():
    """Both are gone for long: the server is tried once more after a day, and then nobody asks for a bootstrap."""
    world = c13(count=1, RETRY_COUNT=2, RETRY_TIMER_s=10, SEQUENCE_DELAY_s=86400)
    world.server.answer = lambda packet: "4.03"
    world.bs.link_works = False
    world.start()
    world.advance(3600)
    eq((world.server.state, world.bootstrap.state), ("FAILED", "WAITING"))
    world.server.answer = world.server.usual_answer
    world.advance(86400)
    eq((world.server.state, world.bootstrap.state), ("REGISTERED", "IDLE"))


def test_a_write_of_several_accounts_is_all_or_nothing():
    """The second account's binding is refused: the first is as it was."""
    world = c13(count=1)
    world.start()
    eq(world.server.post("/1/0/9").code, "2.04")
    world.advance(1)
    both = server(lifetime=77) + server(1, 2, values={7: b"X"})
    eq(world.bs.put("/1", both, content_format=11542).code, "4.00")
    eq((world.instances(1), world.client.tree.objects[1][0].lifetime), ([0], 300))


def test_servers_are_tried_again_after_a_day():
    """One of two servers is away for long, the other is fine: nobody asks for a bootstrap, and it comes back."""
    world = c14()
    world.server.silent = True
    world.start()
    world.advance(7 * 86400)
    eq((world.server.state in ("FAILED", "WAITING", "REGISTERING"), world.server2.state), (True, "REGISTERED"))
    eq(world.bs.requests(), [])
    world.server.silent = False
    world.advance(2 * 86400)
    eq([world.server.state, world.server2.state], ["REGISTERED"] * 2)


def test_a_server_that_comes_back_when_the_bootstrap_account_was_purged():
    """Accounts with priorities and no Bootstrap-Server any more: each is tried again after a day."""
    world = c13()
    world.start()
    eq(world.write("/0", security() + security(2, b"coap://server2", 2)), "2.04")
    eq(world.write("/0/1", resources({12: b"\x0a"})), "2.04")
    eq(world.write("/1", server(values={13: b"\1"}) + server(1, 2, values={13: b"\2"})), "2.04")
    eq(world.bs.post("/bs").code, "2.04")
    world.server.silent = True
    world.advance(10 * 86400)
    eq((world.bootstrap.security, world.server2.state), (None, "REGISTERED"))
    assert world.server.state in ("FAILED", "WAITING", "REGISTERING"), world.server.state
    world.server.silent = False
    world.advance(2 * 86400)
    eq(world.server.state, "REGISTERED")


def test_an_account_that_is_deleted_while_it_waits_for_its_turn():
    """The first of two in order deletes the second, which waits for its delay (14): nobody is registered with."""
    world = c13(RETRY_COUNT=1)
    world.start()
    eq(world.write("/0", security() + security(2, b"coap://server2", 2)), "2.04")
    eq(world.write("/1", server(values={13: b"\1"}) + server(1, 2, values={13: b"\2", 14: b"\x64"})), "2.04")
    rights = [tlv(0, iid, resources({0: b"\1", 1: bytes([iid]), 3: b"\1"})) for iid in (0, 1)]
    eq((world.write("/2", rights[0] + rights[1]), world.bs.post("/bs").code), ("2.04", "2.04"))
    world.advance(5)
    eq((world.server.state, world.server2.state), ("REGISTERED", None))
    eq(world.server.delete("/1/1", wait=0).code, "2.02")
    world.server2.silent = True
    world.advance(200)
    eq((world.server2.sent, world.server.state, len(world.client.sessions)), ([], "REGISTERED", 2))


def test_a_wish_that_nobody_fulfils():
    """Execute /1/x/9 and a dead Bootstrap-Server: between the attempts the server has its device, after RETRY_COUNT of
    them for good."""
    world = c13(count=1, RETRY_COUNT=3)
    world.start()
    world.bs.silent = True
    eq(world.server.post("/1/0/9").code, "2.04")
    between = []
    world.client.on_event = lambda state, session: between.append(state) if session is not world.bootstrap else None
    for attempt in range(3):
        world.advance(1)
        while world.bootstrap.state != "REQUESTING" and attempt:
            world.advance(1)
        while world.bootstrap.state == "REQUESTING":
            world.advance(1)
        world.advance(3)
        eq((world.server.state, world.bootstrap.state), ("REGISTERED", "IDLE" if attempt == 2 else "WAITING"))
        eq(world.server.get("/3/0/0").text, "ACME")
    eq(between.count("REGISTERED"), 3)
    requests = world.bs.requests()
    world.advance(86400)
    eq((len({packet.mid for packet in requests}), world.bs.requests(), world.server.state), (3, [], "REGISTERED"))
    world.bs.silent = False
    eq(world.server.post("/1/0/9").code, "2.04")
    world.advance(1)
    eq(world.bootstrap.state, "BOOTSTRAPPING")
