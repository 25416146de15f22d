"""MicroPython's `ntptime` for the virtual board, whose clock is that of the PC and needs no setting."""

import errno

from board_wifi import station

host = "pool.ntp.org"
timeout = 1


def settime():
    """Ask the time server; raises OSError if Wi-Fi is down."""
    station.status()
    if not station.flows():
        raise OSError(errno.EHOSTUNREACH)
