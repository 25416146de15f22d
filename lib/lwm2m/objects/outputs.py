"""IPSO objects that act: light, actuator, digital output, buzzer (OMA registry).

Each takes a driver with on(bool) or, if it can be dimmed, level(percent), as those in sensors/; or any callable that
takes a bool, such as a machine.Pin. The hardware is told first: when it raises OSError, no value has changed.
"""

from coap.errors import BadRequest
from lwm2m.object import Object
from lwm2m.objects import now_ms

_WHITE = "#ffffff"


class _Output(Object):
    """`on` is what is wanted, `level` in % how bright or loud that is; None if the hardware can only be switched."""

    VERSION = "1.1"
    on = _driven = False  # _driven: whether the hardware is on now
    level = application = None

    def __init__(self, output, application=None):
        self._output = getattr(output, "level", None)
        if self._output:
            self.level = 100
        else:
            self._output = output if callable(output) else output.on
        if application is not None:
            self.application = application

    def _drive(self, on, level):
        self._output(on if level is None else level if on else 0)
        self._driven = on

    def write_level(self, value):
        """Dim to a percentage, now if it is on, else from when it is switched on. Without a level it is ignored, as any
        optional resource that is not there; None, left out of a Write that replaces everything, is 100 %."""
        if self.level is not None:
            value = 100 if value is None else value
            self._drive(self._driven, value)
            self.set("level", value)


class DigitalOutput(_Output):
    """An output of two states."""

    OID = 3201
    RES = """
5550 RW! bool on
5551 RW bool polarity
5750 RW str application
"""
    polarity = False  # True: reversed

    def write_on(self, value):
        """Switch."""
        self._drive(value != self.polarity, self.level)
        self.set("on", value)

    def write_polarity(self, value):
        """Reverse the output or not; what is on stays on."""
        self._drive(self.on != value, self.level)
        self.set("polarity", value)


class Actuation(_Output):
    """Something to switch or dim."""

    OID = 3306
    RES = """
5850 RW! bool on
5851 RW int level 0..100
5852 RW int on_time 0..
5750 RW str application
"""
    _on_ms = 0  # while off: milliseconds on so far; while on: the moment at which they were 0

    def write_on(self, value):
        """Switch; the level stays as it was."""
        self._drive(value, self.level)
        if self.set("on", value):
            self._on_ms = now_ms(self) - self._on_ms

    def on_time(self):
        """Seconds on, since start or since a server wrote it."""
        return (now_ms(self) - self._on_ms if self.on else self._on_ms) // 1000

    def write_on_time(self, value):
        """Count on from there: 0 resets."""
        self._on_ms = now_ms(self) - value * 1000 if self.on else value * 1000
        self.changed("on_time")


class LightControl(Actuation):
    """A light. One whose driver has colour(text), as sensors.pixels.Pixels, shows that too."""

    OID = 3311
    VERSION = "1.0"
    RES = """
5706 RW str colour
5850 RW! bool on
5851 RW int level 0..100
5852 RW int on_time 0..
5750 RW str application
"""
    colour = None

    def __init__(self, output, application=None):
        Actuation.__init__(self, output, application)
        self._paint = getattr(output, "colour", None)
        if self._paint:
            self.colour = _WHITE

    def write_colour(self, value):
        """Show a colour that the driver understands, such as "#ff8000". Where there is none it is ignored."""
        if self._paint:
            value = _WHITE if value is None else value
            try:
                self._paint(value)
            except ValueError as error:
                raise BadRequest(str(error))
            self.set("colour", value)


class Buzzer(_Output):
    """Something to be heard: until it is switched off, or for `duration` seconds (0 is without end). At least off_time
    seconds lie between two sounds: what is switched on earlier waits until then."""

    OID = 3338
    RES = """
5850 RW! bool on
5548 RW float level 0..100
5521 RW float duration 0..
5525 RW! float off_time 0..
5750 RW str application
"""
    duration = off_time = 0.0
    sample_ms = 100
    _since_ms = 0  # when it began to sound
    _rearmed_ms = 0  # when it may sound again

    def write_on(self, value):
        """Sound for the whole duration from now on, or be silent."""
        now = now_ms(self)
        if not value:
            self._silence(now)
        elif self._driven or now >= self._rearmed_ms:
            self._sound(now)
        self.set("on", value)

    def sample(self):
        """Begin or end what is due. Raises OSError if the hardware does not obey; the next call tries again."""
        now = now_ms(self)
        if not self._driven:
            if self.on and now >= self._rearmed_ms:
                self._sound(now)
        elif self.duration and now - self._since_ms >= self.duration * 1000:
            self._silence(now)
            self.set("on", False)

    def _sound(self, now):
        self._drive(True, self.level)
        self._since_ms = now

    def _silence(self, now):
        if self._driven:
            self._drive(False, self.level)
            self._rearmed_ms = now + int(self.off_time * 1000)
