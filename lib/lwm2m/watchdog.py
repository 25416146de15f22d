"""The board's watchdog, which is fed only while the runner truly makes progress. Imported if config.json wants one.

machine.WDT resets the board unless it is fed in time, and cannot be stopped. It is fed at the end of each turn of the
runner, if

    every open link has a reader that lives,
    and half the timeout has not passed since a turn left nothing to do at once: who always has goes round in circles.

A turn that fails each time never ends, nor does one in which a call blocks; and a runner that has died takes no turns.
"""

from lwm2m.config import ConfigError


def start(timeout_s, now):
    """A Watchdog that runs."""
    return Watchdog(timeout_s, now)


class Watchdog:
    """Starts the watchdog, timeout_s seconds; now is the runner's clock, ms. Raises ConfigError where there is none."""

    def __init__(self, timeout_s, now):
        try:
            import machine

            self._wdt = machine.WDT(timeout=timeout_s * 1000)
        except Exception as error:  # there is no such module, no such class, or no such timeout
            raise ConfigError("watchdog: there is none here, or not of %d s: %s" % (timeout_s, error))
        self._half_ms = timeout_s * 500
        self._rested_at = now

    def poll(self, delay, now, sessions, transports):
        """The end of a turn: feed it if all is well. delay is how long the runner would wait for the next, ms or None;
        returns how long it may. transports are the runner's, session -> [transport, reader task]."""
        if delay != 0:
            self._rested_at = now
        if now - self._rested_at < self._half_ms and self._all_read(sessions, transports):
            self._wdt.feed()
        return self._half_ms if delay is None else min(delay, self._half_ms)

    def _all_read(self, sessions, transports):
        for session in sessions:
            if session.link in ("open", None):
                task = transports[session][1] if session in transports else None
                if task is None or task.done():
                    return False
        return True
