"""Bosch BME280: temperature, humidity and pressure over I2C (data sheet BST-BME280-DS002, sections 4.2, 5 and 9.1)."""

import struct
import time
from errno import ENODEV, ETIMEDOUT

from . import now_ms
from .chip import machine

_CALIBRATION_1, _CALIBRATION_2, _ID = 0x88, 0xE1, 0xD0
_CTRL_HUM, _STATUS, _CTRL_MEAS, _DATA = 0xF2, 0xF3, 0xF4, 0xF7
_MEASURING = 0x08
_PERIOD_ms = 1000


class Bme280:
    """All three values come from one measurement in forced mode, at most one a second; it blocks for 10 ms."""

    def __init__(self, scl, sda, address=0x76, clock=now_ms):
        self._pins = (scl, sda)
        self._address = address
        self._clock = clock
        self._bus = None
        self._taken_ms = None

    def celsius(self):
        """Degrees Celsius, -40 to 85, in hundredths. OSError if the sensor does not answer."""
        self._measure()
        return self._temperature / 100

    def humidity(self):
        """Relative humidity, 0 to 100 %. OSError if the sensor does not answer."""
        self._measure()
        return round(self._humidity / 1024, 2)

    def pressure(self):
        """Air pressure in hPa, 300 to 1100. OSError if the sensor does not answer."""
        self._measure()
        return round(self._pressure / 25600, 2)

    def _measure(self):
        now = self._clock()
        if self._taken_ms is not None and now - self._taken_ms < _PERIOD_ms:
            return
        if not self._bus:
            self._open()
        self._write(_CTRL_HUM, b"\x01")  # effective with the write that follows
        self._write(_CTRL_MEAS, b"\x25")  # each quantity once, forced mode
        for _ in range(5):
            time.sleep(0.01)  # one measurement takes 9.3 ms at most
            if not self._read(_STATUS, 1)[0] & _MEASURING:
                break
        else:
            raise OSError(ETIMEDOUT, "BME280: never ready")
        self._compensate(self._read(_DATA, 8))
        self._taken_ms = now

    def _open(self):
        scl, sda = [machine().Pin(pin) for pin in self._pins]
        self._bus = machine().I2C(0, scl=scl, sda=sda)
        try:
            self._calibrate()
        except OSError:
            self._bus = None
            raise

    def _calibrate(self):
        if self._read(_ID, 1) != b"\x60":
            raise OSError(ENODEV, "BME280: another chip answers")
        first = self._read(_CALIBRATION_1, 26)
        second = self._read(_CALIBRATION_2, 7)
        self._t = struct.unpack_from("<Hhh", first)
        self._p = struct.unpack_from("<Hhhhhhhhh", first, 6)
        h2, h3, e4, e5, e6, h6 = struct.unpack("<hBbBbb", second)
        self._h = (first[25], h2, h3, e4 * 16 + (e5 & 15), e6 * 16 + (e5 >> 4), h6)

    def _compensate(self, data):
        """The integer formulas of section 4.2.3; the names are theirs as far as they have any."""
        pressure = data[0] << 12 | data[1] << 4 | data[2] >> 4
        temperature = data[3] << 12 | data[4] << 4 | data[5] >> 4
        t1, t2, t3 = self._t
        x = (temperature >> 4) - t1
        t_fine = (((temperature >> 3) - (t1 << 1)) * t2 >> 11) + ((x * x >> 12) * t3 >> 14)
        self._temperature = t_fine * 5 + 128 >> 8  # hundredths of a degree
        self._pressure = self._pascal_256(pressure, t_fine)
        self._humidity = self._percent_1024(data[6] << 8 | data[7], t_fine)

    def _pascal_256(self, raw, t_fine):
        p1, p2, p3, p4, p5, p6, p7, p8, p9 = self._p
        x = t_fine - 128000
        y = x * x * p6 + (x * p5 << 17) + (p4 << 35)
        x = ((1 << 47) + (x * x * p3 >> 8) + (x * p2 << 12)) * p1 >> 33
        if not x:
            raise OSError(ENODEV, "BME280: no calibration")
        p = ((1048576 - raw << 31) - y) * 3125 // x
        return (p + (p9 * (p >> 13) * (p >> 13) >> 25) + (p8 * p >> 19) >> 8) + (p7 << 4)

    def _percent_1024(self, raw, t_fine):
        h1, h2, h3, h4, h5, h6 = self._h
        x = t_fine - 76800
        scale = ((x * h6 >> 10) * ((x * h3 >> 11) + 32768) >> 10) + 2097152
        h = ((raw << 14) - (h4 << 20) - h5 * x + 16384 >> 15) * (scale * h2 + 8192 >> 14)
        h -= ((h >> 15) * (h >> 15) >> 7) * h1 >> 4
        return min(max(h, 0), 419430400) >> 12

    def _read(self, register, count):
        return self._bus.readfrom_mem(self._address, register, count)

    def _write(self, register, data):
        self._bus.writeto_mem(self._address, register, data)
