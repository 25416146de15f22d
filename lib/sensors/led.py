"""A light-emitting diode, switched or dimmed."""

from .chip import machine


class Led:
    """`active_low` for one that shines when the pin is low, as on some boards. OSError on a PC, which has no pins."""

    def __init__(self, pin, active_low=False):
        self._number = pin
        self._active_low = active_low
        self._pin = None
        self._pwm = None

    def on(self, on=True):
        """Switch it on, or with False off."""
        self.level(100 if on else 0)

    def off(self):
        """Switch it off."""
        self.level(0)

    def level(self, percent):
        """Brightness from 0 to 100 %; the limits hold for whatever comes."""
        percent = min(max(percent, 0), 100)
        if self._active_low:
            percent = 100 - percent
        if not self._pin:
            self._pin = machine().Pin(self._number, machine().Pin.OUT)
        if self._pwm:
            self._pwm.duty_u16(int(percent * 655.35))
        elif 0 < percent < 100:  # a channel of the PWM is taken only if it is needed
            self._pwm = machine().PWM(self._pin, freq=1000, duty_u16=int(percent * 655.35))
        else:
            self._pin.value(percent > 0)
