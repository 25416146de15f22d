"""MicroPython's `dht` for the virtual board: a sensor that answers with the 5 bytes of its data sheet."""

import errno

import board_sim


class DHTBase:
    """What both models share."""

    def __init__(self, pin):
        self.pin = pin
        self.buf = bytearray(5)

    def measure(self):
        """Ask the sensor; OSError(ETIMEDOUT) if it does not answer."""
        if board_sim.fails("dht"):
            raise OSError(errno.ETIMEDOUT, "no answer")
        self._answer(board_sim.read("dht.humidity"), board_sim.read("dht.temperature"))
        self.buf[4] = sum(self.buf[:4]) & 0xFF


class DHT11(DHTBase):
    """Whole degrees and per cent."""

    def _answer(self, humidity, celsius):
        self.buf[0], self.buf[2] = int(humidity), int(max(0, celsius))

    def humidity(self):
        """Relative humidity in %."""
        return self.buf[0]

    def temperature(self):
        """Degrees Celsius."""
        return self.buf[2]


class DHT22(DHTBase):
    """Tenths, the sign of the temperature in the top bit."""

    def _answer(self, humidity, celsius):
        tenths = int(abs(celsius) * 10 + 0.5) | (0x8000 if celsius < 0 else 0)
        self.buf[0:2] = int(humidity * 10 + 0.5).to_bytes(2, "big")
        self.buf[2:4] = tenths.to_bytes(2, "big")

    def humidity(self):
        """Relative humidity in %."""
        return (self.buf[0] << 8 | self.buf[1]) * 0.1

    def temperature(self):
        """Degrees Celsius."""
        tenths = ((self.buf[2] & 0x7F) << 8 | self.buf[3]) * 0.1
        return -tenths if self.buf[2] & 0x80 else tenths
