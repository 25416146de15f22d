"""A passive buzzer (piezo) on a PWM output."""

from .chip import machine


class Buzzer:
    """Silent until told otherwise. OSError on a PC, which has no pins."""

    def __init__(self, pin, hz=2000):
        self._pin = pin
        self._hz = hz
        self._pwm = None

    def on(self, on=True):
        """Sound, or with False be silent."""
        self.level(100 if on else 0)

    def off(self):
        """Be silent."""
        self.level(0)

    def level(self, percent):
        """Loudness from 0 to 100 %: the duty of the square wave, which is loudest at one half."""
        percent = min(max(percent, 0), 100)
        if percent and not self._pwm:
            self._pwm = machine().PWM(machine().Pin(self._pin), freq=self._hz, duty_u16=0)
        if percent:
            self._pwm.duty_u16(int(percent * 327.67))
        elif self._pwm:
            self._pwm.deinit()
            self._pwm = None

    def tone(self, hz):
        """The pitch in Hz, from now on."""
        self._hz = hz
        if self._pwm:
            self._pwm.freq(hz)
