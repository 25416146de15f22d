"""IPSO object 3338, Buzzer (OMA registry)."""

from lwm2m.objects import now_ms
from lwm2m.objects.light import Output


class Buzzer(Output):
    """Something to be heard: until it is switched off, or for `duration` seconds (0 is without end). At least off_time
    seconds lie between two sounds: what is switched on earlier waits until then."""

    OID = 3338
    RES = """
5850 RW! bool on
5548 RW float level 0..100
5521 RW float duration 0..1000000
5525 RW! float off_time 0..1000000
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
        elif now >= self._rearmed_ms:
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
