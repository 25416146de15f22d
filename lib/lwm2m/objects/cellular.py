"""Object 10, Cellular Connectivity (OMA registry). Simulated: no ESP32 has a modem.

What a server writes is kept and can be read again. A program with a modem derives from the class and gives it methods
`write_<name>(value)` that pass a value on."""

from coap.errors import BadRequest
from lwm2m.object import Object
from lwm2m.objects import client_of, tell


class CellularConnectivity(Object):
    """Simulated: times and modes of a modem's power saving, by their names in the table.

        client.add(CellularConnectivity(psm_timer=3600, active_timer=600, edrx_wb=b"\\x02"))
        client.add(ApnProfile("lab"))
        client.allow_create(ApnProfile)

    Timers are seconds, disable_radio_period is minutes, edrx_... the octet that 3GPP TS 24.008 section 10.5.5.32 codes.
    Modes are bits: 1 PSM, 2 eDRX. activated are the instances of object 11 that are enabled. Raises ConfigError.
    """

    OID = 10
    VERSION = "1.1"
    MULTIPLE = False
    RES = """
0 RW str smsc
1 RW int disable_radio_period 0..65535
2 RW str activation_code
4 RW int psm_timer 0..
5 RW int active_timer 0..
7 RW opaque edrx_iu 0..255
8 RW opaque edrx_wb 0..255
9 RW opaque edrx_nb 0..255
10 RW opaque edrx_gb 0..255
11 R!* link activated
12 R uint supported_modes
13 RW uint active_modes 0..255
14 RW uint release_assistance 0..255
"""
    smsc = disable_radio_period = activation_code = psm_timer = active_timer = None
    edrx_iu = edrx_wb = edrx_nb = edrx_gb = supported_modes = active_modes = release_assistance = None

    def __init__(self, **resources):
        tell(self, resources)

    def activated(self):
        """{number: link} of the APN connection profiles that are enabled."""
        client = client_of(self)
        profiles = client.tree.objects.get(11, {}) if client else {}
        links = [(11, iid) for iid in sorted(profiles) if profiles[iid].enabled]
        return dict(enumerate(links))

    def write_active_modes(self, value):
        """Refuse what is not supported."""
        if self.supported_modes is not None and value & ~self.supported_modes:
            raise BadRequest("power saving mode not supported")
        self.set("active_modes", value)
