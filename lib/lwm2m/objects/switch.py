"""IPSO object 3342, On/Off Switch (OMA registry)."""

from lwm2m.objects import now_ms
from lwm2m.objects.button import PushButton


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
