"""The chip itself: its name, its temperature, and the way to its pins."""

import os
from binascii import hexlify
from errno import ENODEV

from compat import unique_id


def name():
    """ "esp32", "esp32s3", "esp32c3" ...; None on a PC, which has no pins."""
    if hasattr(os, "getenv"):  # a PC; the virtual board says there which chip it plays
        return os.getenv("BOARD_CHIP")
    return os.uname().machine.split(" with ")[-1].lower()


def serial():
    """The MAC address as 12 hexadecimal digits: what a board is known by."""
    return hexlify(unique_id()).decode()


def machine():
    """The module `machine`; OSError on a PC."""
    if name() is None:
        raise OSError(ENODEV, "this computer has no pins")
    import machine

    return machine


class Chip:
    """The thermometer inside the chip, which is warmer than the room."""

    def celsius(self):
        """Degrees Celsius; on the classic ESP32 uncalibrated and good for changes only. OSError on a PC."""
        machine()
        import esp32

        read = getattr(esp32, "mcu_temperature", None)  # every chip has exactly one of the two
        return read() if read else (esp32.raw_temperature() - 32) / 1.8
