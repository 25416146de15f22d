"""The registration state machine row by row: every state meets every event that can happen in it."""

from configurations import Probe, account_of, device
from lwm2m import registration
from peer import Peer
from support import each, eq
from watch import Watch

STATES = (
    "STOPPED CONNECTING REGISTERING WAITING REGISTERED ASLEEP UPDATING LOST RECONNECTING DISABLING DISABLED STOPPING "
    "FAILED"
).split()

# What the prose at the head of lib/lwm2m/registration.py promises: state, event, the state after it.
EXPECTED = """
STOPPED START CONNECTING
STOPPED STOP STOPPED
CONNECTING LINK_UP REGISTERING
CONNECTING LINK_NEW REGISTERING
CONNECTING LINK_DOWN WAITING
CONNECTING REFUSED WAITING
CONNECTING STOP STOPPED
REGISTERING ACCEPTED REGISTERED
REGISTERING VERSION REGISTERING
REGISTERING BUSY WAITING
REGISTERING REFUSED WAITING
REGISTERING SILENCE WAITING
REGISTERING LINK_DOWN WAITING
REGISTERING STOP STOPPED
WAITING DUE CONNECTING
WAITING GIVE_UP FAILED
WAITING LINK_DOWN WAITING
WAITING STOP STOPPED
REGISTERED DUE UPDATING
REGISTERED UPDATE UPDATING
REGISTERED SILENCE UPDATING
REGISTERED DISABLE DISABLING
REGISTERED SLEEP ASLEEP
REGISTERED QUEUE REGISTERING
REGISTERED EXPIRED CONNECTING
REGISTERED LINK_DOWN LOST
REGISTERED STOP STOPPING
ASLEEP DUE UPDATING
ASLEEP UPDATE UPDATING
ASLEEP QUEUE REGISTERING
ASLEEP EXPIRED CONNECTING
ASLEEP DISABLE DISABLING
ASLEEP LINK_DOWN LOST
ASLEEP STOP STOPPING
UPDATING ACCEPTED REGISTERED
UPDATING REFUSED REGISTERING
UPDATING VERSION REGISTERING
UPDATING BUSY LOST
UPDATING SILENCE LOST
UPDATING LINK_DOWN LOST
UPDATING STOP STOPPING
LOST DUE RECONNECTING
LOST EXPIRED CONNECTING
LOST LINK_DOWN LOST
LOST STOP STOPPED
RECONNECTING LINK_UP UPDATING
RECONNECTING LINK_NEW REGISTERING
RECONNECTING LINK_DOWN LOST
RECONNECTING REFUSED WAITING
RECONNECTING STOP STOPPED
DISABLING ACCEPTED DISABLED
DISABLING REFUSED DISABLED
DISABLING VERSION DISABLED
DISABLING BUSY DISABLED
DISABLING SILENCE DISABLED
DISABLING LINK_DOWN DISABLED
DISABLING STOP STOPPING
DISABLED DUE CONNECTING
DISABLED STOP STOPPED
STOPPING ACCEPTED STOPPED
STOPPING REFUSED STOPPED
STOPPING VERSION STOPPED
STOPPING BUSY STOPPED
STOPPING SILENCE STOPPED
STOPPING LINK_DOWN STOPPED
STOPPING STOP STOPPING
FAILED START CONNECTING
FAILED DUE CONNECTING
FAILED STOP STOPPED
"""
EXPECTED = [tuple(line.split()) for line in EXPECTED.strip().split("\n")]


# -- into a state ------------------------------------------------------------------------------------------------------


def bring(state):
    """A peer whose client has just come into a state, by nothing but what happens on a network."""
    peer = Peer([device(), Probe()], lifetime=300, CON_EVERY=1)
    if state in ("REGISTERED", "ASLEEP", "UPDATING", "LOST", "RECONNECTING", "DISABLING", "DISABLED", "STOPPING"):
        peer.register()
        INTO[state](peer)
    elif state != "STOPPED":
        INTO[state](peer)
    eq(peer.state, state)
    return peer


def into_connecting(peer):
    peer.client.start(peer.now)


def into_registering(peer):
    peer.silent = True
    peer.client.start(peer.now)
    peer.poll()
    peer.silent = False


def into_waiting(peer):
    peer.script(("5.03", [(14, 20)]))
    peer.client.start(peer.now)
    peer.poll()


def into_failed(peer):
    account_of(peer).priority = 1  # else it would be tried for ever
    peer.script(*["4.03"] * 5)
    peer.client.start(peer.now)
    peer.advance(2000)


def into_registered(peer):
    pass


def into_asleep(peer):
    account_of(peer).set("binding", "UQ")  # a new Register
    peer.poll()
    peer.advance(94)


def into_updating(peer):
    peer.script(None)
    peer.post("/1/0/8")
    peer.poll()


def into_lost(peer):
    peer.registration.link_down("cut", peer.now)


def into_reconnecting(peer):
    into_lost(peer)
    peer.client.poll(peer.registration.due)


def into_disabling(peer):
    peer.script(None)
    peer.post("/1/0/4")
    peer.advance(1)


def into_disabled(peer):
    peer.post("/1/0/4")
    peer.advance(1)


def into_stopping(peer):
    peer.script(None)
    peer.client.stop(peer.now)
    peer.poll()


INTO = {
    "CONNECTING": into_connecting,
    "REGISTERING": into_registering,
    "WAITING": into_waiting,
    "REGISTERED": into_registered,
    "ASLEEP": into_asleep,
    "UPDATING": into_updating,
    "LOST": into_lost,
    "RECONNECTING": into_reconnecting,
    "DISABLING": into_disabling,
    "DISABLED": into_disabled,
    "STOPPING": into_stopping,
    "FAILED": into_failed,
}


# -- what happens to it ------------------------------------------------------------------------------------------------


def cause(peer, event):
    """Let an event happen, again by nothing but what happens on a network."""
    if event == "REFUSED" and "CONNECTING" in peer.state:
        peer.registration.link_down("unknown identity", peer.now, event)
    elif event in ANSWERS:
        request = [packet for packet in peer.sent if packet.is_request][-1]
        peer.respond(request, ANSWERS[event])
    else:
        EVENTS[event](peer)


def silence(peer):
    if peer.state == "REGISTERED":
        peer.acks = False
        peer.observe("/32801/0/0", token=b"o")
        peer.client.tree.objects[32801][0].set("value", 1.0)
        peer.advance(100)
        peer.acks = True
    else:
        peer.silent = True
        peer.advance(94)


def give_up(peer):
    account_of(peer).retry_count = 1
    peer.script("4.03")
    peer.advance(60)


def due(peer):
    peer.client.poll(peer.registration.due)


def expired(peer):
    if peer.state == "LOST":
        peer.link_works = False
        peer.advance(301)
    else:
        peer.client.poll(peer.now + 301000)  # a deep sleep, a clock that jumps


def update(peer):
    account_of(peer).set("lifetime", 299)
    peer.poll()


def disable(peer):
    if peer.state == "ASLEEP":  # the answer to the Execute was the last that the server heard
        peer.registration.disable_soon()
    else:
        peer.post("/1/0/4")
    peer.advance(1)


def queue(peer):
    account_of(peer).set("binding", "U" if peer.state == "ASLEEP" else "UQ")
    peer.poll()


ANSWERS = {"ACCEPTED": ("2.01", [(8, b"rd"), (8, b"9")]), "REFUSED": "4.04", "VERSION": "4.12"}
ANSWERS["BUSY"] = ("5.03", [(14, 7)])
EVENTS = {
    "START": lambda peer: peer.registration.start(peer.now),
    "STOP": lambda peer: peer.registration.stop(peer.now),
    "LINK_UP": lambda peer: peer.registration.link_up(peer.now),
    "LINK_NEW": lambda peer: peer.registration.link_up(peer.now, "LINK_NEW"),
    "LINK_DOWN": lambda peer: peer.registration.link_down("cut", peer.now),
    "SILENCE": silence,
    "GIVE_UP": give_up,
    "DUE": due,
    "EXPIRED": expired,
    "UPDATE": update,
    "DISABLE": disable,
    "SLEEP": into_asleep,
    "QUEUE": queue,
}


def check_row(state, event, after):
    """The event happens in the state, and leads where it should."""
    peer = bring(state)
    with Watch(registration) as watch:
        cause(peer, event)
    taken = [row for row in watch.taken if row[:2] == (state, event)]
    eq((taken[:1], watch.missing), ([(state, event, after)], []))
    TAKEN.add((state, event))


TAKEN = set()


def test_every_row_is_taken():
    """What is expected, what there is and what happens are the same rows."""
    TAKEN.clear()
    each(EXPECTED, check_row)
    rows = set()
    for line in registration.ROWS.strip().split("\n"):
        states, events = line.split()[:2]
        rows |= {(state, event) for state in states.split(",") for event in events.split(",")}
    eq(sorted(TAKEN), sorted(rows))
    eq(len(rows), len(EXPECTED))
    eq({row[0] for row in EXPECTED}, set(STATES))


def test_links_that_come_and_go_in_every_state():
    """LINK_UP and LINK_DOWN lead where they should, or nowhere; the client lives on and can be stopped."""
    expected = {row[:2]: row[2] for row in EXPECTED}
    for state in STATES:
        for event in ("LINK_UP", "LINK_DOWN"):
            peer = bring(state)
            with Watch(registration) as watch:
                cause(peer, event)
                after = expected.get((state, event))
                eq(watch.taken[:1], [(state, event, after)] if after else [])
                eq(watch.missing, [] if after else [(state, event)])
                if not after:
                    eq(peer.state, state)
            peer.registration.stop(peer.now)
            peer.advance(100)
            eq(peer.state, "STOPPED")


def test_stop_in_every_state():
    """Who has registered says goodbye once, whatever was under way; who has not says nothing. Then there is silence."""
    for state in STATES:
        peer = bring(state)
        peer.take()
        peer.client.stop(peer.now)
        peer.advance(0)
        goodbyes = [packet.path for packet in peer.take() if packet.code == "DELETE"]
        eq((state, goodbyes), (state, ["/rd/5a3f"] if state in ("REGISTERED", "ASLEEP", "UPDATING") else []))
        peer.advance(100)
        eq((peer.state, peer.registration.link, peer.registration.location), ("STOPPED", "closed", None))
        peer.take()
        eq(peer.get("/3/0/0"), None)
        peer.advance(1000000)
        eq(peer.take(), [])
