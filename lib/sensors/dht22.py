"""DHT22 (AM2302): temperature and humidity on one wire. Its data sheet allows one measurement every 2 s."""

from errno import EIO

from . import now_ms
from .chip import machine

_PERIOD_ms = 2000


class Dht22:
    """Both values come from one measurement, repeated at most every 2 s; calls in between give the last outcome."""

    def __init__(self, pin, clock=now_ms):
        self._pin = pin
        self._clock = clock
        self._sensor = None
        self._next_ms = 0
        self._failure = None

    def celsius(self):
        """Degrees Celsius, -40 to 80, in tenths. OSError if the sensor does not answer."""
        return round(self._measured().temperature(), 1)

    def humidity(self):
        """Relative humidity, 0 to 100 %, in tenths. OSError if the sensor does not answer."""
        return round(self._measured().humidity(), 1)

    def _measured(self):
        now = self._clock()
        if now >= self._next_ms:
            self._next_ms = now + _PERIOD_ms
            self._failure = self._measure()
        if self._failure:
            raise self._failure
        return self._sensor

    def _measure(self):
        """None, or the OSError that tells why not."""
        try:
            if not self._sensor:
                import dht

                self._sensor = dht.DHT22(machine().Pin(self._pin))
            self._sensor.measure()
            return None
        except OSError as error:
            return error
        except Exception as error:  # the library has nothing more exact for a wrong checksum
            return OSError(EIO, str(error))
