"""A simulated Maxim DS18B20 behind the 1-Wire bus (data sheet 19-7487: memory map, command set, 750 ms at 12 bits)."""

import board_sim

_SKIP_ROM, _MATCH_ROM, _CONVERT, _READ_SCRATCHPAD = 0xCC, 0x55, 0x44, 0xBE
_CONVERSION_MS = 750


def crc8(data):
    """CRC-8 of Maxim's 1-Wire devices: polynomial x^8 + x^5 + x^4 + 1, least significant bit first."""
    crc = 0
    for byte in data:
        for _ in range(8):
            mix = (crc ^ byte) & 1
            crc = crc >> 1 ^ (0x8C if mix else 0)
            byte >>= 1
    return crc


class Ds18b20:
    """One chip. Until its first conversion is over it reads as 85.0 degrees, as the real one does."""

    def __init__(self):
        self.rom = b"\x28\xff\x64\x1e\x0f\x77\x02"
        self.rom += bytes([crc8(self.rom)])
        self.power_on()

    def power_on(self):
        """Lose everything: the scratchpad becomes that of the data sheet."""
        self._scratchpad = b"\x50\x05\x4b\x46\x7f\xff\x0c\x10"
        self._ready_ms = None
        self.reset()

    def reset(self):
        """A reset pulse: wait for a ROM command."""
        self._selected = False
        self._address = None
        self._out = iter(b"")

    def write(self, byte):
        """One byte from the controller."""
        if self._address is not None:
            self._match(byte)
        elif not self._selected:
            self._selected = byte == _SKIP_ROM
            self._address = b"" if byte == _MATCH_ROM else None
        elif byte == _CONVERT:
            self._ready_ms = board_sim.now_ms() + _CONVERSION_MS
        elif byte == _READ_SCRATCHPAD:
            self._finish()
            self._out = iter(self._scratchpad + bytes([crc8(self._scratchpad)]))

    def read(self):
        """One byte to the controller, ones when there is nothing to say."""
        return next(self._out, 0xFF)

    def _match(self, byte):
        self._address += bytes([byte])
        if len(self._address) == 8:
            self._selected, self._address = self._address == self.rom, None

    def _finish(self):
        if self._ready_ms is None or board_sim.now_ms() < self._ready_ms:
            return
        self._ready_ms = None
        raw = round(board_sim.read("ds18b20.temperature") * 16) & 0xFFFF
        marker = 0x10 - (raw & 15)  # reserved byte 6: 0x0C only before the first conversion
        self._scratchpad = bytes([raw & 0xFF, raw >> 8]) + b"\x4b\x46\x7f\xff" + bytes([marker, 0x10])
