"""The only file that asks which Python this is: MicroPython (board, Unix port) or CPython (tests, a Raspberry Pi)."""

import os
import sys
import time

is_micropython = sys.implementation.name == "micropython"


def interpreter():
    """What runs us, such as "micropython 1.29.0"."""
    return "%s %d.%d.%d" % ((sys.implementation.name,) + tuple(sys.implementation.version[:3]))


# Seconds to add to time.time() for a count since 1970: the ESP32 port counts from 2000 (spec: time.gmtime(0)).
EPOCH_OFFSET_S = 946684800 if time.gmtime(0)[0] == 2000 else 0


def unix_time_s():
    """Seconds since 1970-01-01 UTC as an int, whatever this port's epoch is."""
    return int(time.time()) + EPOCH_OFFSET_S


def forget(package, name):
    """Give back the RAM of a module that is not needed any more; an import brings it back."""
    if sys.modules.pop(package + "." + name, None):
        delattr(sys.modules[package], name)


def randbelow(limit):
    """A random int, 0 <= n < limit (limit at most 2**31), from the system's random source."""
    return int.from_bytes(os.urandom(4), "big") % limit


if is_micropython:
    from asyncio import Event, ThreadSafeFlag, TimeoutError, core, wait_for_ms
    from sys import print_exception

    from micropython import const

    # A button's interrupt may come while a board sleeps in poll: only a ThreadSafeFlag ends that sleep. In the Unix
    # port there are no interrupts, and such a flag would wake it each millisecond.
    WakeEvent = ThreadSafeFlag if sys.platform == "esp32" else Event

    def unique_id():
        """The chip's MAC address, 6 bytes."""
        import machine

        return machine.unique_id()

    def readable(sock):
        """Await this: a datagram waits in a socket."""
        yield core._io_queue.queue_read(sock)

    async def wait_event(event, timeout_ms):
        """Wait for an asyncio.Event, but at most timeout_ms."""
        try:
            await wait_for_ms(event.wait(), timeout_ms)
        except TimeoutError:
            return

    class Clock:
        """Milliseconds since the clock was made; never wraps, unlike ticks_ms (2**30 ms on a board).

        It must be asked at least once in 6 days, which the runner's longest sleep guarantees.
        """

        def __init__(self):
            self._last = time.ticks_ms()
            self._now = 0

        def ms(self):
            """Now, in ms."""
            ticks = time.ticks_ms()
            self._now += time.ticks_diff(ticks, self._last)
            self._last = ticks
            return self._now

else:
    from compat_host import Clock, WakeEvent, const, print_exception, readable, unique_id, wait_event
