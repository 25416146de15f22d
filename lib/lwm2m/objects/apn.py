"""Object 11, APN Connection Profile (OMA registry). Simulated: no ESP32 has a modem; see lwm2m.objects.cellular."""

from compat import unix_time_s
from lwm2m.object import Object
from lwm2m.objects import client_of, tell


class ApnProfile(Object):
    """Simulated: enabling a profile always works, at once, and shows in object 10 as activated.

    authentication is 0 PAP, 1 CHAP, 2 either, 3 none; pdn_type 0 non-IP, 1 IPv4, 2 IPv6, 3 both; validity is
    {id: "MCC,MNC"}. A password would have no use here and no place is made for it. Raises ConfigError.
    """

    OID = 11
    VERSION = "1.1"
    RES = """
0 RW! str name
1 RW str apn
2 RW bool auto_select
3 RW bool enabled
4 RW! int authentication 0..3
5 RW str user
7 RW str reconnect_schedule
8 RW* str validity
9 R* time established
10 R* int results
12 R* time ended
15 RW* str addresses
24 RW int pdn_type 0..3
"""
    name = apn = auto_select = user = reconnect_schedule = validity = established = results = ended = None
    addresses = pdn_type = authentication = None
    enabled = False

    def __init__(self, name=None, authentication=3, **resources):
        tell(self, dict(resources, name=name))
        self.authentication = authentication

    def write_enabled(self, value):
        """Connect or disconnect; the time of it is kept."""
        if value == self.enabled:
            return
        if value:
            self.set("established", {0: unix_time_s()})
            self.set("results", {0: 0})
        else:
            self.set("ended", {0: unix_time_s()})
        self.set("enabled", value)
        client = client_of(self)  # a new one has none yet
        for cellular in client.tree.objects.get(10, {}).values() if client else ():
            cellular.changed("activated")
