"""An analogue input: a potentiometer, a light-dependent resistor, a battery behind a divider."""

from .chip import machine


class Adc:
    """One pin of the analogue-to-digital converter, exact from about 0.15 to 2.45 V."""

    def __init__(self, pin):
        self._pin = pin
        self._adc = None

    def volts(self):
        """Calibrated volts. OSError if the converter cannot be used, as block 2 of the classic ESP32 under Wi-Fi."""
        return self._open().read_uv() / 1000000

    def percent(self):
        """How far a potentiometer between 0 and 3.3 V is turned: 0 to 100, in tenths. OSError as for volts()."""
        return round(self._open().read_u16() / 655.35, 1)

    def _open(self):
        if not self._adc:
            self._adc = machine().ADC(machine().Pin(self._pin))
        return self._adc
