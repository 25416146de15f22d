"""machine.RTC, machine.WDT and machine.Timer of the virtual board."""

import binascii
import time

import board_sim
from compat import unix_time_s


def _days(year, month, day):
    """Days since 1970-01-01 of a Gregorian date; years begin in March, so that the leap day is the last."""
    year -= month <= 2
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + day_of_year - 719468


class RTC:
    """The real-time clock, and 2048 bytes that outlive everything but loss of power.

    It starts with the PC's UTC, as if it had been set before; time.time() stays the PC's whatever is set here.
    """

    def datetime(self, datetime=None):
        """(year, month, day, weekday, hours, minutes, seconds, microseconds), Monday is 0; or set it."""
        if datetime is None:
            t = time.gmtime(unix_time_s() + board_sim.facts["rtc_offset_s"])
            return (t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0)
        year, month, day, _, hours, minutes, seconds, _ = datetime
        unix_s = _days(year, month, day) * 86400 + hours * 3600 + minutes * 60 + seconds
        self._keep("rtc_offset_s", unix_s - unix_time_s())
        return None

    def init(self, datetime):
        """Set the clock."""
        self.datetime(datetime)

    def memory(self, data=None):
        """The stored bytes; or store up to 2048 of them (ValueError if longer)."""
        if data is None:
            return binascii.unhexlify(board_sim.facts["rtc_memory"])
        if len(data) > 2048:
            raise ValueError("buffer too long")
        self._keep("rtc_memory", binascii.hexlify(data).decode())
        return None

    def _keep(self, name, value):
        board_sim.facts[name] = value
        board_sim.send({"rtc": {name: value}})


class WDT:
    """The watchdog: without a feed() in time the supervisor resets the board. It cannot be stopped."""

    def __init__(self, id=0, timeout=5000):
        if id != 0:
            raise ValueError("WDT(%d) doesn't exist" % id)
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        self._timeout_ms = timeout
        self.feed()

    def feed(self):
        """Say that all is well."""
        board_sim.send({"wdt": self._timeout_ms})


class Timer:
    """A hardware timer with soft callbacks: they run when the event loop, or a fake, has its turn."""

    ONE_SHOT, PERIODIC = 0, 1
    _MANY = ("esp32", "esp32s2", "esp32s3")  # four timers; the others have two

    def __init__(self, id, **settings):
        if not 0 <= id < (4 if board_sim.facts["chip"] in self._MANY else 2):
            raise ValueError("invalid Timer number")
        self._waiting = None
        if settings:
            self.init(**settings)

    def init(self, *, mode=PERIODIC, freq=-1, period=-1, callback=None):
        """Call callback(timer) after `period` ms, once or for ever; freq in Hz sets the period, too."""
        self.deinit()
        self._period_ms = int(1000 / freq) if freq > 0 else period
        self._mode, self._callback = mode, callback
        self._start()

    def _start(self):
        self._waiting = board_sim.later(self._period_ms, self._ring)

    def _ring(self):
        if self._mode == self.PERIODIC:
            self._start()
        if self._callback:
            board_sim.interrupt(self._callback, self)

    def deinit(self):
        """Stop."""
        board_sim.cancel(self._waiting)
        self._waiting = None
