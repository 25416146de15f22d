"""Object 6, Location (OMA Core 1.1 appendix E.7): where the device is, and when that was measured."""

from compat import unix_time_s
from lwm2m.object import Object
from lwm2m.objects import tell


class Location(Object):
    """A position. A device that moves gives `read`, a callable that returns (latitude, longitude) or (latitude,
    longitude, altitude) or raises OSError; it is called every sample_ms. One that stays where it is says so once:

        Location(latitude=53.5511, longitude=9.9937, radius=50.0)

    Latitude and longitude are degrees (WGS 84), altitude and radius metres, speed metres a second, velocity is bytes as
    in 3GPP TS 23.032. now returns seconds since 1970. Raises ConfigError.
    """

    OID = 6
    MULTIPLE = False
    RES = """
0 R! float latitude
1 R! float longitude
2 R float altitude
3 R float radius
4 R opaque velocity
5 R! time timestamp
6 R float speed
"""
    latitude = longitude = altitude = radius = velocity = timestamp = speed = None
    sample_ms = 10000

    def __init__(self, read=None, now=unix_time_s, **resources):
        self._now = now
        self._look_again = tell(self, resources)
        if read:
            self._read = read
            self.sample = self._sample
        elif self.latitude is not None and self.timestamp is None:
            self.timestamp = now()

    def _sample(self):
        """Measure once. Raises what the receiver raises, and ValueError for what is no place."""
        if self._look_again:
            self._look_again()
        self.moved(*self._read())

    def moved(self, latitude, longitude, altitude=None):
        """Tell of a position that was measured just now; raises ValueError if there is no such place."""
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise ValueError("no place on Earth: %r, %r" % (latitude, longitude))
        self.set("latitude", float(latitude))
        self.set("longitude", float(longitude))
        self.set("altitude", None if altitude is None else float(altitude))
        self.set("timestamp", self._now())
