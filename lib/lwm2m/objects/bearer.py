"""Object 13, Bearer Selection (OMA registry). Simulated: a device with one way into the net has nothing to choose."""

from lwm2m.object import Object
from lwm2m.objects import tell


class BearerSelection(Object):
    """Simulated: which network a server would like the device to use; it is kept and changes nothing.

    preferred is {priority: bearer}: 0 any, 1 any cellular, 4 LTE, 7 WLAN, 8 Ethernet, 10 Bluetooth. Signal strengths
    are dBm, plmn_search_timer is hours. A program that can switch derives from the class and gives it write_preferred.
    Raises ConfigError.
    """

    OID = 13
    VERSION = "1.1"
    MULTIPLE = False
    RES = """
0 RW* int preferred 0..100
1 RW int rssi_gsm -110..-48
2 RW int rscp_umts -120..-25
3 RW int rsrp_lte -140..-44
5 RW str cell_lock
6 RW str operators
7 RW bool operators_only
8 R str available_plmns
10 RW int rsrp_nb_iot -158..-44
11 RW int plmn_search_timer 0..
12 RW bool attach_without_pdn
"""
    preferred = rssi_gsm = rscp_umts = rsrp_lte = cell_lock = operators = operators_only = None
    available_plmns = rsrp_nb_iot = plmn_search_timer = attach_without_pdn = None

    def __init__(self, **resources):
        tell(self, resources)
