"""A simulated Bosch BME280 at register level (data sheet BST-BME280-DS002, sections 4.2, 5 and 8.1).

Its raw readings are found by trying: the data sheet's floating-point compensation is inverted by bisection. A driver
that uses the integer formulas therefore checks one against the other.
"""

import struct

import board_sim

_ID, _RESET, _CTRL_HUM, _STATUS, _CTRL_MEAS, _DATA = 0xD0, 0xE0, 0xF2, 0xF3, 0xF4, 0xF7
_MEASURING = 0x08
_SLEEP, _NORMAL = 0, 3

# The pressure and temperature coefficients are the worked example of Bosch's BMP280 data sheet, section 3.12.
T1, T2, T3 = 27504, 26435, -1000
P = (36477, -10685, 3024, 2855, 140, -7, 15500, -14600, 6000)
H1, H2, H3, H4, H5, H6 = 75, 370, 0, 309, 50, 30


def fine_temperature(raw):
    """The t_fine of the data sheet: 5120 times the temperature in degrees Celsius."""
    x = (raw / 16384 - T1 / 1024) * T2
    y = (raw / 131072 - T1 / 8192) ** 2 * T3
    return x + y


def pascal(raw, t_fine):
    """The pressure that a raw reading stands for; it falls as the reading rises."""
    x = t_fine / 2 - 64000
    y = x * x * P[5] / 32768 + x * P[4] * 2
    y = y / 4 + P[3] * 65536
    x = (P[2] * x * x / 524288 + P[1] * x) / 524288
    x = (1 + x / 32768) * P[0]
    p = (1048576 - raw - y / 4096) * 6250 / x
    return p + (P[8] * p * p / 2147483648 + p * P[7] / 32768 + P[6]) / 16


def percent(raw, t_fine):
    """The relative humidity that a raw reading stands for, not yet limited to 0..100."""
    h = t_fine - 76800
    h = (raw - (H4 * 64 + H5 / 16384 * h)) * (H2 / 65536 * (1 + H6 / 67108864 * h * (1 + H3 / 67108864 * h)))
    return h * (1 - H1 * h / 524288)


def invert(rises, target, bits):
    """The smallest raw reading of so many bits for which rises(raw) reaches the target."""
    low, high = 0, (1 << bits) - 1
    while low < high:
        middle = (low + high) // 2
        if rises(middle) < target:
            low = middle + 1
        else:
            high = middle
    return low


class Bme280:
    """The chip behind the bus: write(bytes) and read(count)."""

    def __init__(self):
        self._registers = bytearray(256)
        self._pointer = 0
        self._ready_ms = 0
        self._reset()

    def _reset(self):
        reg = self._registers
        reg[:] = bytearray(256)
        reg[_ID] = 0x60
        struct.pack_into("<Hhh", reg, 0x88, T1, T2, T3)
        struct.pack_into("<Hhhhhhhhh", reg, 0x8E, *P)
        reg[0xA1] = H1
        struct.pack_into("<hB", reg, 0xE1, H2, H3)
        reg[0xE4], reg[0xE5], reg[0xE6] = H4 >> 4 & 0xFF, (H4 & 15) | (H5 & 15) << 4, H5 >> 4 & 0xFF
        reg[0xE7] = H6 & 0xFF
        reg[_DATA : _DATA + 8] = b"\x80\x00\x00\x80\x00\x00\x80\x00"
        self._hum = 0

    def write(self, data):
        """A register number, then a value and further pairs; with nothing behind it, only the pointer moves."""
        self._pointer = data[0]
        for i in range(1, len(data), 2):
            self._set(data[i - 1], data[i])

    def read(self, count):
        """Registers from the pointer on."""
        self._update()
        data = bytes(self._registers[self._pointer : self._pointer + count])
        self._pointer += count
        return data

    def _set(self, register, value):
        if register == _RESET and value == 0xB6:
            self._reset()
        if register not in (_CTRL_HUM, _CTRL_MEAS, 0xF5):
            return  # read-only
        self._update()
        self._registers[register] = value
        if register == _CTRL_MEAS:
            self._hum = self._registers[_CTRL_HUM]  # becomes effective only now (section 5.4.3)
            if value & 3:
                self._ready_ms = board_sim.now_ms() + self._duration_ms()
                self._registers[_STATUS] |= _MEASURING

    def _duration_ms(self):
        """The longest duration of one measurement (section 9.1), rounded up."""
        control = self._registers[_CTRL_MEAS]
        t, p, h = [(0, 1, 2, 4, 8, 16, 16, 16)[n & 7] for n in (control >> 5, control >> 2, self._hum)]
        return int(1.25 + 2.3 * t + (2.3 * p + 0.575 if p else 0) + (2.3 * h + 0.575 if h else 0)) + 1

    def _update(self):
        """End the measurement that is due: fill the data registers and, in forced mode, go back to sleep."""
        mode = self._registers[_CTRL_MEAS] & 3
        if mode == _SLEEP or board_sim.now_ms() < self._ready_ms:
            return
        self._measure()
        if mode != _NORMAL:
            self._registers[_CTRL_MEAS] &= 0xFC
        self._registers[_STATUS] &= ~_MEASURING & 0xFF

    def _measure(self):
        control = self._registers[_CTRL_MEAS]
        celsius = board_sim.read("bme280.temperature")
        raw_t = invert(lambda raw: fine_temperature(raw) / 5120, celsius, 20)
        t_fine = fine_temperature(raw_t)
        raw_p = invert(lambda raw: -pascal(raw, t_fine), -board_sim.read("bme280.pressure") * 100, 20)
        raw_h = invert(lambda raw: percent(raw, t_fine), board_sim.read("bme280.humidity"), 16)
        raw_t = raw_t if control >> 5 else 0x80000
        raw_p = raw_p if control >> 2 & 7 else 0x80000
        raw_h = raw_h if self._hum & 7 else 0x8000
        struct.pack_into(
            ">HBHBH", self._registers, _DATA, raw_p >> 4, (raw_p & 15) << 4, raw_t >> 4, (raw_t & 15) << 4, raw_h
        )
