"""The runner's clock: milliseconds that only grow, whatever happens to the time of day, and to ticks that wrap."""

import compat
from support import eq, near, xorshift32

if compat.is_micropython:
    home = compat
else:
    import compat_host as home

_PERIOD = 1 << 30  # of ticks_ms on a board


class Time:
    """The time module of both Pythons, and a time of day that somebody sets all the time."""

    def __init__(self, ms):
        self.now_ms = ms

    def ticks_ms(self):
        return self.now_ms % _PERIOD

    def ticks_diff(self, later, earlier):
        return (later - earlier + _PERIOD // 2) % _PERIOD - _PERIOD // 2

    def monotonic(self):
        return self.now_ms / 1000

    def time(self):
        return self.now_ms * 7919 % 4000000000

    def gmtime(self, _):
        return (1970,)


def check(start_ms, longest_ms):
    """A hundred days from some tick on; the clock is asked at least each `longest_ms`."""
    real = home.time
    home.time = fake = Time(start_ms)
    try:
        clock, state = compat.Clock(), 1
        eq(clock.ms(), 0)
        while fake.now_ms - start_ms < 100 * 86400000:
            state = xorshift32(state)
            fake.now_ms += (state >> 3) % longest_ms
            near(clock.ms(), fake.now_ms - start_ms, 1)  # CPython's is a float of seconds
    finally:
        home.time = real


def test_a_hundred_days():
    """From any tick on, the last one before the wrap included; the runner sleeps a day at most."""
    for start_ms in (0, _PERIOD - 1, _PERIOD // 2, 123456789):
        check(start_ms, 86400000)


def test_often_asked():
    """No millisecond is lost by asking each few of them."""
    real = home.time
    home.time = fake = Time(_PERIOD - 5000)
    try:
        clock = compat.Clock()
        for passed_ms in range(0, 10000, 7):
            near(clock.ms(), passed_ms, 1)
            fake.now_ms += 7
    finally:
        home.time = real
