"""IPSO objects 3311, Light Control, and 3306, Actuation (OMA registry), and what all outputs have in common."""

from coap.errors import BadRequest
from compat import const
from lwm2m.object import Object
from lwm2m.objects import give, now_ms

_WHITE = const("#ffffff")


class Output(Object):
    """What can be switched, perhaps dimmed. output is a driver with level(percent) or on(bool), as those of sensors/,
    or any callable that takes a bool, such as a machine.Pin. `on` is what is wanted, `level` in % how bright or loud
    that is, None without level(percent). The hardware is told first: when it raises OSError, no value has changed."""

    VERSION = "1.1"
    on = _driven = False  # _driven: whether the hardware is on now
    level = application = None

    def __init__(self, output, application=None):
        self._output = getattr(output, "level", None)
        if self._output:
            self.level = 100
        else:
            self._output = output if callable(output) else output.on
        give(self, application=application)

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


class Actuation(Output):
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
