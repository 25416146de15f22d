"""Object 4, Connectivity Monitoring (OMA Core 1.1 appendix E.5)."""

from lwm2m.object import Object

_WLAN = 21


class ConnectivityMonitoring(Object):
    """The network in use. wlan is a network.WLAN, asked every sample_ms.

    Without one, addresses are those of this computer, on a bearer without radio (41 is Ethernet), where RSSI is 0.
    """

    OID = 4
    VERSION = "1.2"
    MULTIPLE = False
    RES = """
0 R! int bearer
1 R!* int bearers
2 R! int rssi
4 R!* str addresses
5 R* str routers
"""
    routers = None
    sample_ms = 10000

    def __init__(self, wlan=None, addresses=("127.0.0.1",), bearer=41):
        self.bearer = _WLAN if wlan else bearer
        self.bearers = {0: self.bearer}
        self.rssi = None if wlan else 0
        self.addresses = dict(enumerate(() if wlan else addresses))
        if wlan:
            self._wlan = wlan
            self.sample = self._sample

    def _sample(self):
        """Look at the WLAN. Raises OSError while it is not connected."""
        wlan = self._wlan
        self.set("rssi", wlan.status("rssi"))
        self.set("addresses", {0: wlan.ipconfig("addr4")[0]})
        self.set("routers", {0: wlan.ipconfig("gw4")})
