"""DS18B20: a thermometer on a 1-Wire bus. A conversion takes 750 ms, for which nobody waits here."""

from errno import EAGAIN, EIO, ENODEV

from . import now_ms
from .chip import machine

_CONVERT, _READ_SCRATCHPAD = 0x44, 0xBE
_CONVERSION_ms = 750


class Ds18b20:
    """One thermometer; `rom` names it where several share the bus, else the first that answers is taken."""

    def __init__(self, pin, rom=None, clock=now_ms):
        self._pin = pin
        self._rom = rom
        self._clock = clock
        self._bus = None
        self._ready_ms = None
        self._celsius = None

    def celsius(self):
        """Degrees Celsius, -55 to 125, in sixteenths: the conversion that the call before began.

        So the value is as old as the time between two calls. OSError until the first conversion is over (EAGAIN), if
        nobody answers (ENODEV), or if what came was damaged or came from a chip that lost power (EIO).
        """
        now = self._clock()
        if self._ready_ms is None:
            self._convert(now)
        elif now >= self._ready_ms:
            self._ready_ms = self._celsius = None  # if the next lines raise, all begins anew
            celsius = self._read()
            self._convert(now)
            self._celsius = celsius
        if self._celsius is None:
            raise OSError(EAGAIN, "DS18B20: first conversion")
        return self._celsius

    def _convert(self, now):
        self._command(_CONVERT)
        self._ready_ms = now + _CONVERSION_ms

    def _read(self):
        self._command(_READ_SCRATCHPAD)
        data = bytearray(9)
        self._bus.readinto(data)
        if self._bus.crc8(data):
            raise OSError(EIO, "DS18B20: checksum")
        raw = data[0] | data[1] << 8
        if raw == 0x0550 and data[6] == 0x0C:  # the scratchpad as it is after power-on: 85.0, never measured
            raise OSError(EIO, "DS18B20: lost power")
        return (raw - 0x10000 if raw & 0x8000 else raw) / 16

    def _command(self, code):
        pin = machine().Pin(self._pin)
        import onewire

        try:
            self._bus = self._bus or onewire.OneWire(pin)
            self._rom = self._rom or self._first()
            self._bus.reset(True)
            self._bus.select_rom(self._rom)
        except onewire.OneWireError:
            raise OSError(ENODEV, "DS18B20: no answer")
        self._bus.writebyte(code)

    def _first(self):
        for rom in self._bus.scan():
            if rom[0] == 0x28:
                return rom
        raise OSError(ENODEV, "DS18B20: not found")
