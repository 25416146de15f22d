"""A MemoryError at any moment: no state is left without a timer, and in the end all is as if nothing had been."""

import asyncio
import builtins

from coap.exchange import Exchange
from configurations import Probe, c1
from configurations_bootstrap import c13, security, server
from lwm2m import log
from lwm2m.accounts import Accounts
from lwm2m.client import Client
from lwm2m.object import Object
from lwm2m.registration import Registration
from lwm2m.runner import Runner
from support import eq, raises

CALLS = (
    (Exchange, "request respond"),
    (Client, "links state_changed"),
    (Registration, "_wait"),
    (Accounts, "rebuild _begin resume silence"),
)
log.level("error")
ROOMS = ("lwm2m", "lwm2m.formats")  # what a lazy import names, as in `from lwm2m import retry`


class Shortage:
    """While it is entered, the calls of CALLS and lazy imports are counted, and from number `at` on `times` fail."""

    def __init__(self, at, times):
        self._fails = range(at, at + times)
        self.count = 0

    def __enter__(self):
        self._olds = []
        for cls, names in CALLS:
            for name in names.split():
                real = getattr(cls, name)
                self._olds.append((cls, name, real))
                setattr(cls, name, self._short(real))
        self._import = builtins.__import__
        builtins.__import__ = self._short_import
        return self

    def __exit__(self, *error):
        builtins.__import__ = self._import
        for cls, name, real in self._olds:
            setattr(cls, name, real)

    def _call(self):
        self.count += 1
        if self.count - 1 in self._fails:
            raise MemoryError("injected")

    def _short(self, real):
        def call(*args, **more):
            self._call()
            return real(*args, **more)

        return call

    def _short_import(self, name, *more):
        if name in ROOMS:
            self._call()
        return self._import(name, *more)


def told(act):
    """Do something; what is lost by a MemoryError is lost, as in the runner."""
    try:
        act()
    except MemoryError:
        pass


def live(world, seconds):
    """Let time pass; after a MemoryError the runner pauses for 200 ms and goes on."""
    until = world.now + seconds * 1000
    while world.now < until:
        try:
            world.run(until)
        except MemoryError:
            world.now += 200


def started(world):
    """Start until it works: before the runner's loop a MemoryError ends the program."""
    for session in list(world.client.sessions):
        told(lambda session=session: session.start(world.now))


def registration(at, times):
    """Register refused, Register, Update, a server that is away, Disable, and away as well when it is over. Returns how
    many calls there were."""
    peer = c1([Probe()], lifetime=300)
    account = peer.registration.account
    account.disable_timeout = 50
    world = peer.world
    with Shortage(at, times) as shortage:
        peer.script("4.03")
        started(world)
        live(world, 60)
        for path in "/1/0/8", "/1/0/4":
            told(lambda path=path: peer.post(path, wait=0))
            live(world, 10)
        live(world, 100)
        told(lambda: peer.post("/1/0/8", wait=0))
        peer.silent = True
        live(world, 200)
        peer.silent = False
        live(world, 300)
    live(world, 700)
    eq(peer.state, "REGISTERED", "call %d" % at)
    world.client.stop(world.now)
    live(world, 200)
    eq(peer.state, "STOPPED", "call %d" % at)
    return shortage.count


def brought(world):
    """What the Bootstrap-Server writes when it was asked."""
    if world.bootstrap.state == "BOOTSTRAPPING":
        told(lambda: world.bs.put("/0", security(), wait=0))
        told(lambda: world.bs.put("/1", server(lifetime=300), wait=0))
        told(lambda: world.bs.post("/bs", wait=0))


def bootstrap(at, times):
    """A bootstrap that is refused once, one that is not, and one that the server wants. Returns how many calls."""
    world = c13()
    with Shortage(at, times) as shortage:
        world.bs.script("4.03")
        started(world)
        for _ in range(3):
            live(world, 20)
            brought(world)
        live(world, 60)
        if world.server.state == "REGISTERED":
            told(lambda: world.server.post("/1/0/9", wait=0))
        live(world, 10)
        brought(world)
        live(world, 60)
    for _ in range(30):
        live(world, 60)
        brought(world)
    eq((world.server.state, world.bootstrap.state), ("REGISTERED", "IDLE"), "call %d" % at)
    return shortage.count


def at_every_call(story):
    """Play a story once for each call in it that may fail, alone and with the two after it."""
    whole = story(1 << 20, 1)
    assert whole > 20, whole
    for at in range(whole):
        for times in (1, 3):
            story(at, times)


def test_a_registration_with_too_little_memory():
    """Whichever call fails, in the end the server has us, and the De-register comes through."""
    at_every_call(registration)


def test_a_bootstrap_with_too_little_memory():
    """Whichever call fails, in the end the server of the Bootstrap-Server has us."""
    at_every_call(bootstrap)


def test_an_action_whose_answer_finds_no_memory():
    """It has happened, and does not happen again when the server repeats it; the next one is as ever."""
    from coap import exchange

    peer = c1([Probe()])
    peer.register()
    bench = Counter()
    peer.client.add(bench)
    real = exchange.encode
    for fails in (1, 2):
        exchange.encode = failing(real, fails)
        try:
            raises(MemoryError, peer.post, "/32811/0/0", wait=0)
        finally:
            exchange.encode = real
        eq((bench.count, peer.again(), bench.count), (fails, None, fails))
    eq((peer.post("/32811/0/0").code, bench.count), ("2.04", 3))


def test_an_action_for_which_there_is_no_memory_at_all():
    """It has not happened, and does when the server repeats it."""
    peer = c1([Probe()])
    peer.register()
    bench = Counter()
    peer.client.add(bench)
    peer.registration.exchange._remember = failing(peer.registration.exchange._remember, 1)
    raises(MemoryError, peer.post, "/32811/0/0", wait=0)
    eq((bench.count, peer.again().code, bench.count), (0, "2.04", 1))


class Counter(Object):
    """Counts how often it is executed."""

    OID = 32811
    RES = """
0 E! none act
"""
    count = 0

    def act(self, args):
        """Execute."""
        self.count += 1


def failing(call, times):
    """A call that finds no memory so often."""
    left = [times]

    def fail(*args):
        if left[0]:
            left[0] -= 1
            raise MemoryError("injected")
        return call(*args)

    return fail


class Starved(Runner):
    """A runner whose first turns find no memory, not even to make room."""

    turns = 0

    def make_room(self):
        """As when the names of the rooms are too much."""
        raise MemoryError("injected")

    async def _turn(self, deadline):
        self.turns += 1
        if self.turns < 3:
            raise MemoryError("injected")
        return True


def test_no_memory_to_make_room():
    """The loop pauses for a second, and goes on."""
    runner = Starved(c1().client)
    asyncio.run(runner._loop(None))
    eq(runner.turns, 3)


class Link:
    """A transport that is always ready, and says nothing."""

    sock = connect = None
    opened = 0

    def open(self):
        self.opened += 1


class Tasks:
    """asyncio, with too little memory for the first task."""

    def __init__(self):
        self.create_task = failing(lambda coroutine: Tasks, 1)


def test_no_memory_for_a_reader():
    """A link without a reader is not left open: it is opened once more."""
    from lwm2m import runner

    peer = c1()
    session, link = peer.registration, Link()
    driver = Runner(peer.client)
    driver._transport = lambda session: link
    driver._read = lambda session, transport: None
    peer.client.start(0)
    real = runner.asyncio
    runner.asyncio = Tasks()
    try:
        raises(MemoryError, driver._links, 0)
        eq((session.link, link.opened), ("opening", 1))
        driver._links(0)
        eq((session.link, session.state, link.opened), ("open", "REGISTERING", 2))
    finally:
        runner.asyncio = real


class Torn(Link):
    """A transport that fails when it is read."""

    waiting = True

    def recv(self):
        raise OSError(104, "reset")


def test_no_memory_to_tell_that_a_link_is_broken():
    """The reader does not end before that is told."""
    peer = c1()
    peer.register()
    driver = Runner(peer.client)
    real = peer.registration.link_down
    peer.registration.link_down = failing(real, 2)
    driver._wait = no_pause
    asyncio.run(driver._read(peer.registration, Torn()))
    eq((peer.registration.link == "open", peer.state), (False, "LOST"))


async def no_pause(error):
    """Runner._wait."""
