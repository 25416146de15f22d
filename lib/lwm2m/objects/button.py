"""IPSO object 3347, Push Button (OMA registry)."""

from lwm2m.object import Object
from lwm2m.objects import give


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
        give(self, application=application)
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
