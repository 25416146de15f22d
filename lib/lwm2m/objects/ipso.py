"""IPSO sensors (OMA registry, objects 3202 to 3330), and the door to all other IPSO objects.

    from lwm2m.objects.ipso import Temperature, LightControl, PushButton

loads the file of each and no more.
"""

from lwm2m.object import Object
from lwm2m.objects import give

_FILES = """
Actuation light
Buzzer buzzer
DigitalInput digital_input
DigitalOutput digital_output
LightControl light
OnOffSwitch switch
PushButton button
"""


def __getattr__(name):
    words = _FILES.split()
    if name not in words[::2]:
        raise AttributeError("lwm2m.objects.ipso has no " + name)
    file = words[words.index(name) + 1]
    return getattr(__import__("lwm2m.objects." + file, None, None, (name,)), name)


class _Sensor(Object):
    """A sensor of one number: read is a callable that returns it or raises OSError, and the client calls it by sample()
    every sample_ms. low and high are the limits of what the sensor can measure."""

    VERSION = "1.1"
    RES = """
5700 R! float value
5601 R float min_value
5602 R float max_value
5603 R float low
5604 R float high
5605 E none reset_min_max
5701 R str units
5750 RW str application
"""
    value = min_value = max_value = low = high = units = application = None

    def __init__(self, read, units=None, low=None, high=None, application=None):
        self._read = read
        give(self, units=units, low=low, high=high, application=application)

    def sample(self):
        """Measure once. Raises ValueError if that gives no number, and whatever the driver raises."""
        value = self._read()
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value * 0.0 != 0:  # not so NaN, infinity
            raise ValueError("the sensor gives %r, which is no number" % (value,))
        value = float(value)
        self.set("value", value)
        if self.min_value is None or value < self.min_value:
            self.set("min_value", value)
        if self.max_value is None or value > self.max_value:
            self.set("max_value", value)

    def reset_min_max(self, args):
        """Execute: the extremes begin anew, at the current value."""
        self.set("min_value", self.value)
        self.set("max_value", self.value)


class AnalogInput(_Sensor):
    """A voltage, a potentiometer: a number without unit. sensor_type is free text on what is connected."""

    OID = 3202
    RES = """
5600 R! float value
5601 R float min_value
5602 R float max_value
5603 R float low
5604 R float high
5605 E none reset_min_max
5750 RW str application
5751 R str sensor_type
"""
    sensor_type = None

    def __init__(self, read, low=None, high=None, application=None, sensor_type=None):
        _Sensor.__init__(self, read, None, low, high, application)
        give(self, sensor_type=sensor_type)


class Illuminance(_Sensor):
    """Lux, unless units say otherwise."""

    OID = 3301
    units = "lx"


class Temperature(_Sensor):
    """Degrees Celsius, unless units say otherwise."""

    OID = 3303
    units = "Cel"


class Humidity(_Sensor):
    """Percent relative humidity, unless units say otherwise."""

    OID = 3304
    units = "%RH"


class Barometer(_Sensor):
    """Hectopascal, unless units say otherwise."""

    OID = 3315
    units = "hPa"


class Distance(_Sensor):
    """Metres, unless units say otherwise."""

    OID = 3330
    units = "m"
