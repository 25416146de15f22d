"""HC-SR04: the distance by the echo of an ultrasonic pulse."""

import time
from errno import ETIMEDOUT

from .chip import machine

_TIMEOUT_us = 30000  # 5 m, which is more than it can see


class HcSr04:
    """A call blocks until the echo is back, 25 ms at most."""

    def __init__(self, trigger, echo):
        self._numbers = (trigger, echo)
        self._trigger = None

    def metres(self):
        """Metres, about 0.02 to 4, in millimetres. OSError if no echo comes back."""
        Pin = machine().Pin
        if not self._trigger:
            self._trigger = Pin(self._numbers[0], Pin.OUT, value=0)
            self._echo = Pin(self._numbers[1], Pin.IN)
        self._trigger.value(1)
        time.sleep(0.001)  # 10 us would do, but no port sleeps that short
        self._trigger.value(0)
        pulse_us = machine().time_pulse_us(self._echo, 1, _TIMEOUT_us)
        if pulse_us < 0:
            raise OSError(ETIMEDOUT, "HC-SR04: no echo")
        return round(pulse_us * 0.0001715, 3)  # half the way of sound: 343 m/s at 20 degrees Celsius
