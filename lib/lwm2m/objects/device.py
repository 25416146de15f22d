"""Object 3, Device (OMA Core 1.1 appendix E.4): who made it, what time it is, reboot and errors."""

from compat import interpreter, unix_time_s
from lwm2m.config import ConfigError
from lwm2m.object import Object
from lwm2m.objects import give, tell


class Device(Object):
    """The device itself; reboot is a callable that restarts it, for example machine.reset.

    Any readable resource of the table may be given by its name, as a value or as a callable that returns it:

        Device(reboot=machine.reset, manufacturer="ACME", serial=chip.serial(), battery_level=battery.percent)

    battery_level is %, memory_free and memory_total are kilobytes of storage (not of heap; see sensors.storage),
    power_voltage and power_current are {id: mV} and {id: mA} for the sources in power_sources, {id: kind}: 0 is DC,
    1 an internal and 2 an external battery, 4 Ethernet, 5 USB, 6 AC, 7 solar. battery_status is 0 normal, 1 charging,
    2 charged, 3 damaged, 4 low, 5 absent, 6 unknown. ext_dev_info is {id: (object, instance)} of objects that tell
    more. factory_reset is a callable such as reboot. Both run once the response to the server is out. now returns
    seconds since 1970; set_time sets that clock, without it a time that a server writes is kept as the difference.
    Raises ConfigError.
    """

    OID = 3
    VERSION = "1.1"
    MULTIPLE = False
    RES = """
0 R str manufacturer
1 R str model
2 R str serial
3 R str firmware_version
4 E! none reboot
5 E none factory_reset
6 R* int power_sources
7 R* int power_voltage
8 R* int power_current
9 R int battery_level
10 R int memory_free
11 R!* int error_code
12 E none reset_error_code
13 RW time current_time 0..
14 RW str utc_offset
15 RW str timezone
16 R! str binding
17 R str device_type
18 R str hardware_version
19 R str software_version
20 R int battery_status
21 R int memory_total
22 R* link ext_dev_info
"""
    factory_reset = None
    firmware_version = interpreter()
    utc_offset = "+00:00"
    timezone = "Etc/UTC"
    binding = "U"
    sample_ms = 60000
    _set_time = None
    _ahead_s = 0  # of the clock: how far the time that a server wrote is

    def __init__(self, reboot=None, factory_reset=None, now=unix_time_s, set_time=None, **resources):
        if not callable(reboot):
            raise ConfigError("Device needs a callable that restarts it, as in Device(reboot=machine.reset)")
        self.reboot = _deferred(reboot)
        if factory_reset:
            self.factory_reset = _deferred(factory_reset)
        self.error_code = {0: 0}
        self._now = now
        give(self, _set_time=set_time)
        tell(self, resources)

    def add_error(self, code):
        """Tell of an error that is present: 1 low battery, 2 no external power, 3 GPS, 4 weak signal, 5 out of memory,
        6 SMS, 7 IP connectivity, 8 peripheral. Raises ValueError for anything else. Telling it again does no harm."""
        if not 1 <= code <= 8:
            raise ValueError("an error code is a number from 1 to 8, not %s" % code)
        codes = {riid: other for riid, other in self.error_code.items() if other}
        if code in codes.values():
            return
        riid = 0
        while riid in codes:
            riid += 1
        codes[riid] = code
        self.set("error_code", codes)

    def remove_error(self, code):
        """Tell that an error is over."""
        codes = {riid: other for riid, other in self.error_code.items() if other != code}
        self.set("error_code", codes or {0: 0})

    def reset_error_code(self, args):
        """Execute: forget all errors; those that last are told again by add_error."""
        self.set("error_code", {0: 0})

    def current_time(self):
        """Seconds since 1970, UTC."""
        return self._now() + self._ahead_s

    def write_current_time(self, value):
        """Set the time; it goes on from there."""
        if self._set_time:
            self._set_time(value)
        else:
            self._ahead_s = value - self._now()
        self.changed("current_time")


def _deferred(act):
    """An executable that acts when its response is out."""
    return lambda args: act
