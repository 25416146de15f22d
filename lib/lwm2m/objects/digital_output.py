"""IPSO object 3201, Digital Output (OMA registry)."""

from lwm2m.objects.light import Output


class DigitalOutput(Output):
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
