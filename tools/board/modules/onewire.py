"""MicroPython's `onewire` for the virtual board: a bus with one DS18B20, at the level of bytes."""

import board_sim
from board_ds18b20 import Ds18b20, crc8

_chip = Ds18b20()


class OneWireError(Exception):
    """Nobody answered a reset pulse."""


class OneWire:
    """The bus as a controller sees it."""

    SEARCH_ROM, MATCH_ROM, SKIP_ROM = 0xF0, 0x55, 0xCC

    def __init__(self, pin):
        self.pin = pin
        pin.init(pin.OPEN_DRAIN, pin.PULL_UP)

    def reset(self, required=False):
        """A reset pulse; whether somebody answered. OneWireError if nobody did although required."""
        present = not board_sim.fails("ds18b20")
        if present:
            _chip.reset()
        else:
            _chip.power_on()
        if required and not present:
            raise OneWireError
        return present

    def writebyte(self, value):
        """Send one byte."""
        if not board_sim.fails("ds18b20"):
            _chip.write(value)

    def write(self, buf):
        """Send bytes."""
        for value in buf:
            self.writebyte(value)

    def readbyte(self):
        """Receive one byte; a bus without a device reads as ones."""
        return 0xFF if board_sim.fails("ds18b20") else _chip.read()

    def readinto(self, buf):
        """Fill a buffer."""
        for i in range(len(buf)):
            buf[i] = self.readbyte()

    def select_rom(self, rom):
        """Address one device; the next byte is its command."""
        self.reset()
        self.writebyte(self.MATCH_ROM)
        self.write(rom)

    def scan(self):
        """The 8-byte addresses of the devices."""
        return [bytearray(_chip.rom)] if self.reset() else []

    def crc8(self, data):
        """Dallas CRC-8; 0 over data that end with their own CRC."""
        return crc8(data)
