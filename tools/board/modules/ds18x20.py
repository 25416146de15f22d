"""MicroPython's `ds18x20` for the virtual board, on top of its onewire: DS18B20 only."""


class DS18X20:
    """scan(), convert_temp(), wait 750 ms, read_temp(rom)."""

    def __init__(self, onewire):
        self.ow = onewire
        self.buf = bytearray(9)

    def scan(self):
        """The addresses of the thermometers."""
        return [rom for rom in self.ow.scan() if rom[0] in (0x10, 0x22, 0x28)]

    def convert_temp(self):
        """Let every thermometer start a conversion."""
        self.ow.reset(True)
        self.ow.writebyte(self.ow.SKIP_ROM)
        self.ow.writebyte(0x44)

    def read_scratch(self, rom):
        """The nine bytes of the scratchpad; Exception on a CRC error, as in the firmware's library."""
        self.ow.reset(True)
        self.ow.select_rom(rom)
        self.ow.writebyte(0xBE)
        self.ow.readinto(self.buf)
        if self.ow.crc8(self.buf):
            raise Exception("CRC error")
        return self.buf

    def read_temp(self, rom):
        """Degrees Celsius of the last finished conversion; 85.0 before the first."""
        raw = self.read_scratch(rom)[1] << 8 | self.buf[0]
        return (raw - 0x10000 if raw & 0x8000 else raw) / 16
