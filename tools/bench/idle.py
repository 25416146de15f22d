"""How often the device wakes up when nobody wants anything of it."""

import time

from . import process
from .server import Server

_NEVER_ms = 1 << 30
_EACH_SECOND_ms = 1000
_SETTLE_S = 1.0


def wake_ups(seconds: float, sampling: bool) -> tuple[int, int]:
    """(wake-ups of the registered device, deadlines that it had) within so many seconds.

    With sampling, its sensors are read each second: all of them in one go, which is one deadline a second.
    """
    server = Server()
    with process.device(server, SAMPLE_ms=_EACH_SECOND_ms if sampling else _NEVER_ms) as board:
        server.accept()
        time.sleep(_SETTLE_S)
        before = board.wake_ups()
        time.sleep(seconds)
        woken = board.wake_ups() - before
    server.close()
    return woken, round(seconds) if sampling else 0
