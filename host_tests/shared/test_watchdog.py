"""The watchdog is fed while the runner makes progress, and by nothing else."""

import asyncio
import sys

from configurations import c1
from lwm2m import log
from lwm2m.config import ConfigError
from lwm2m.runner import Runner
from lwm2m.settings import check
from support import each, eq, raises

log.level("error")


class Dog:
    """machine.WDT: when it was fed."""

    made = None

    def __init__(self, id=0, timeout=5000):
        if timeout > 100000:
            raise ValueError("WDT timeout too long")
        Dog.made = self
        self.timeout_ms = timeout
        self.fed = []

    def feed(self):
        self.fed.append(Dog.clock())


class Machine:
    WDT = Dog


class Reader:
    """A task."""

    def __init__(self):
        self.over = False

    def done(self):
        return self.over

    def cancel(self):
        self.over = True


class World:
    """A runner in virtual time, without sockets: `waits` is how long it wanted to wait after each turn."""

    def __init__(self, timeout_s=30):
        self.machine = sys.modules.get("machine")
        sys.modules["machine"] = Machine
        self.now = 0
        self.waits = []
        self.peer = c1(lifetime=0)
        self.runner = Runner(self.peer.client)
        self.runner._clock = self
        Dog.clock = self.ms
        self.peer.client.watchdog = timeout_s
        self.peer.registration.link = "open"
        self.reader = Reader()
        self.runner._transports[self.peer.registration] = [None, self.reader]
        self.runner._flush = lambda session: session.outbox.clear()
        self.delay = None  # what the client's poll says
        self.peer.registration.state = "REGISTERED"
        self.peer.client.poll = self.poll
        from lwm2m.watchdog import Watchdog

        self.runner.watchdog = Watchdog(timeout_s, 0)
        self.dog = Dog.made

    def end(self):
        if self.machine:
            sys.modules["machine"] = self.machine
        else:
            del sys.modules["machine"]

    def ms(self):
        return self.now

    def poll(self, now):
        if isinstance(self.delay, Exception):
            raise self.delay
        return self.delay

    def turn(self):
        """One turn of the runner, and the time that it would wait; returns whether the dog was fed in it."""
        from lwm2m import runner

        async def wait(event, timeout_ms):
            self.waits.append(timeout_ms)
            self.now += timeout_ms or 1

        before, kept, runner.wait_event = len(self.dog.fed), runner.wait_event, wait
        try:
            asyncio.run(self.runner._turn(None))
        finally:
            runner.wait_event = kept
        return len(self.dog.fed) > before


def played(story):
    """Play a story in a World."""
    world = World()
    try:
        story(world)
    finally:
        world.end()


def test_a_runner_that_rests():
    """It wakes at least each half of the timeout to feed, however long there is nothing to do."""

    def story(world):
        for delay in (None, 86400000, 20000, 100):
            world.delay = delay
            eq(world.turn(), True)
        eq((world.waits, world.dog.timeout_ms), ([15000, 15000, 15000, 100], 30000))

    played(story)


def test_a_turn_that_fails():
    """No food, until one ends well."""

    def story(world):
        world.delay = ValueError("a mistake")
        for _ in range(3):
            raises(ValueError, world.turn)
        eq(world.dog.fed, [])
        world.delay = 5
        eq(world.turn(), True)

    played(story)


def test_a_runner_that_goes_in_circles():
    """Always something to do at once: for half the timeout that may be work, after it is none."""

    def story(world):
        world.delay = 0
        eq([world.turn() for _ in range(100)], [True] * 100)
        world.now = 14990
        eq([world.turn() for _ in range(20)], [True] * 10 + [False] * 10)
        world.now = 1000000
        eq(world.turn(), False)
        world.delay = 1
        eq(world.turn(), True)

    played(story)


def test_a_reader_that_has_died():
    """No food while a link is open that nobody reads."""

    def story(world):
        world.delay = 1000
        eq(world.turn(), True)
        world.reader.over = True
        eq(world.turn(), False)
        world.peer.registration.link = None
        eq(world.turn(), False)
        world.runner._transports[world.peer.registration][1] = None
        eq(world.turn(), False)
        world.runner._transports[world.peer.registration][1] = Reader()
        eq(world.turn(), True)

    played(story)


def test_a_board_without_one():
    """One sentence."""

    def story(world):
        from lwm2m.watchdog import Watchdog

        eq(str(raises(ConfigError, Watchdog, 200, 0))[:45], "watchdog: there is none here, or not of 200 s")
        sys.modules["machine"] = asyncio  # which has no WDT either
        raises(ConfigError, Watchdog, 30, 0)

    played(story)


def test_the_setting():
    """Off unless told; seconds from 10 to 600."""
    found = check({"server": "coap://h"})
    eq(found["watchdog"], 0)
    each([(0,), (10,), (600,)], lambda value: eq(check({"server": "coap://h", "watchdog": value})["watchdog"], value))
    each(
        [(9,), (601,), (-1,), ("60",), (True,), (1.5,), (None,)],
        lambda value: raises(ConfigError, check, {"server": "coap://h", "watchdog": value}),
    )
    eq("machine" in sys.modules and sys.modules["machine"] is Machine, False)
