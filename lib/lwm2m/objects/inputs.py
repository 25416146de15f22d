"""IPSO objects for contacts: push button, on/off switch, digital input (OMA registry)."""

from lwm2m.object import Object
from lwm2m.objects import now_ms


class PushButton(Object):
    """A button. source is a driver with pressed() and on_change, as sensors.button.Button, which then calls this object
    at each change; or any callable that returns whether it is pressed, which is asked every sample_ms."""

    OID = 3347
    VERSION = "1.1"
    RES = """
5500 R! bool state
5501 R int counter
5750 RW str application
"""
    sample_ms = 50
    state = application = None
    counter = 0

    def __init__(self, source, application=None):
        self._read = getattr(source, "pressed", source)
        if application is not None:
            self.application = application
        if hasattr(source, "on_change"):
            source.on_change = self._sense
            self.sample_ms = 60000  # the driver tells; to ask is for the first state

    def sample(self):
        """Look at the contact. Raises what the driver raises."""
        self._sense(self._read())

    def _sense(self, level):
        state = bool(level)
        before = self.state
        if self.set("state", state) and before is not None:
            self._count(state)

    def _count(self, state):
        if state:
            self.set("counter", self.counter + 1)


class OnOffSwitch(PushButton):
    """A switch that stays where it is put; on_time and off_time are the seconds in each position."""

    OID = 3342
    RES = """
5500 R! bool state
5501 R int counter
5750 RW str application
5852 RW int on_time 0..
5854 RW int off_time 0..
"""
    # Milliseconds so far while the position is not held, else the moment at which they were 0: the sign of a difference
    # is all that changes, so that one subtraction starts and stops the count.
    _on_ms = _off_ms = 0

    def _sense(self, level):
        before = self.state
        PushButton._sense(self, level)
        if self.state is before:
            return
        now = now_ms(self)
        if self.state or before:
            self._on_ms = now - self._on_ms
        if not self.state or before is False:
            self._off_ms = now - self._off_ms

    def on_time(self):
        """Seconds in the position on, since start or since a server wrote it."""
        return (now_ms(self) - self._on_ms if self.state else self._on_ms) // 1000

    def off_time(self):
        """Seconds in the position off, since start or since a server wrote it."""
        return (now_ms(self) - self._off_ms if self.state is False else self._off_ms) // 1000

    def write_on_time(self, value):
        """Count on from there: 0 resets."""
        self._on_ms = now_ms(self) - value * 1000 if self.state else value * 1000
        self.changed("on_time")

    def write_off_time(self, value):
        """Count on from there: 0 resets."""
        self._off_ms = now_ms(self) - value * 1000 if self.state is False else value * 1000
        self.changed("off_time")


class DigitalInput(PushButton):
    """Any contact or sensor of two states, asked every sample_ms, which is also its debounce period: what bounces for a
    shorter time is seen once. sensor_type is free text on what is connected."""

    OID = 3200
    RES = """
5500 R! bool state
5501 R int counter
5502 RW bool polarity
5503 RW int sample_ms 1..
5504 RW int edge 1..3
5505 E none reset_counter
5750 RW str application
5751 R str sensor_type
"""
    polarity = False  # True: reversed
    edge = 2  # which changes of state count: 1 falling, 2 rising, 3 both

    def __init__(self, source, application=None, sensor_type=None):
        PushButton.__init__(self, getattr(source, "pressed", source), application)
        self.sensor_type = sensor_type

    def _sense(self, level):
        PushButton._sense(self, bool(level) != self.polarity)

    def _count(self, state):
        if self.edge & (2 if state else 1):
            self.set("counter", self.counter + 1)

    def write_polarity(self, value):
        """Reverse the input or not; the state follows at once, and nothing is counted."""
        if self.set("polarity", value) and self.state is not None:
            self.set("state", not self.state)

    def reset_counter(self, args):
        """Execute: count from 0."""
        self.set("counter", 0)
