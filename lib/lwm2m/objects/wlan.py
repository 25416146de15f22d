"""Object 12, WLAN Connectivity (OMA registry). Simulated: what a server writes is kept, and the radio stays as it is.

A server that could rewrite the network that carries it would soon be unable to mend what it wrote; boot.py joins that
of the stored configuration. So what the radio really does may be shown, by giving callables, but not changed."""

from coap.errors import MethodNotAllowed
from lwm2m.object import Object
from lwm2m.objects import tell


class WlanConnectivity(Object):
    """Simulated: one WLAN interface. Any resource may be given by its name, as a value or as a callable that tells it:

        WlanConnectivity(ssid=lambda: wlan.config("ssid"), channel=lambda: wlan.config("channel"))

    status is 0 disabled, 1 up, 2 error; mode 0 access point, 1 station; standard 5 is 802.11bgn; authentication 0 open,
    1 PSK, 2 EAP; bssid is the interface's MAC address, 12 hexadecimal digits. There is no place for keys. Raises
    ConfigError.
    """

    OID = 12
    VERSION = "1.1"
    RES = """
0 RW! str name
1 RW! bool enabled
2 RW int radio 0..6
3 R! int status
4 R! str bssid
5 RW! str ssid 1..32
8 RW! int mode 0..3
9 RW! int channel 0..255
10 RW bool auto_channel
14 RW! int standard 0..7
15 RW! int authentication 0..4
16 RW int encryption 0..2
"""
    name = "wlan0"
    enabled = True
    status = radio = mode = authentication = 1
    bssid = "000000000000"
    ssid = "lab"
    channel = 6
    standard = 5
    auto_channel = encryption = None
    sample_ms = 10000

    def __init__(self, **resources):
        tell(self, resources)

    def set(self, name, value):
        """Change a value; raises MethodNotAllowed for one that a callable tells, which is as it is."""
        if callable(getattr(self, name)):
            raise MethodNotAllowed()
        return Object.set(self, name, value)

    def write_enabled(self, value):
        """Status goes with it, and so does the radio."""
        self.set("enabled", value)
        self.set("status", int(value))
        self.set("radio", int(value))
