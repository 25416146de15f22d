"""Object 4, Connectivity Monitoring (OMA Core 1.1 appendix E.5)."""

from lwm2m.object import Object
from lwm2m.objects import tell

_WLAN = 21


class ConnectivityMonitoring(Object):
    """The network in use. wlan is a network.WLAN, asked every sample_ms.

    Without one, addresses are those of this computer, on a bearer without radio (41 is Ethernet), where RSSI is 0. Any
    other resource may be given by its name, as a value or as a callable that returns it; what belongs to a cellular
    network only (apn to cell_id, snr, lac) is there when a program with a modem gives it:

        ConnectivityMonitoring(bearer=7, addresses=modem.addresses(), rssi=modem.rssi, smcc=262, smnc=1)

    rssi is dBm, link_utilization %. Raises ConfigError.
    """

    OID = 4
    VERSION = "1.2"
    MULTIPLE = False
    RES = """
0 R! int bearer
1 R!* int bearers
2 R! int rssi
3 R int link_quality
4 R!* str addresses
5 R* str routers
6 R int link_utilization
7 R* str apn
8 R int cell_id
9 R int smnc
10 R int smcc
11 R int snr
12 R int lac
"""
    routers = link_quality = link_utilization = apn = cell_id = smnc = smcc = snr = lac = None
    sample_ms = 10000

    def __init__(self, wlan=None, addresses=("127.0.0.1",), bearer=41, **resources):
        self.bearer = _WLAN if wlan else bearer
        self.bearers = {0: self.bearer}
        self.rssi = None if wlan else 0
        self.addresses = dict(enumerate(() if wlan else addresses))
        self._look_again = tell(self, resources)
        if wlan:
            self._wlan = wlan
            self.sample = self._sample

    def _sample(self):
        """Look at the WLAN. Raises OSError while it is not connected."""
        wlan = self._wlan
        if self._look_again:
            self._look_again()
        self.set("rssi", wlan.status("rssi"))
        self.set("addresses", {0: wlan.ipconfig("addr4")[0]})
        self.set("routers", {0: wlan.ipconfig("gw4")})
