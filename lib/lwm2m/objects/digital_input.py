"""IPSO object 3200, Digital Input (OMA registry)."""

from lwm2m.objects import give
from lwm2m.objects.button import PushButton


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
    sensor_type = None
    edge = 2  # which changes of state count: 1 falling, 2 rising, 3 both

    def __init__(self, source, application=None, sensor_type=None):
        PushButton.__init__(self, getattr(source, "pressed", source), application)
        give(self, sensor_type=sensor_type)

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
