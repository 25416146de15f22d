"""MicroPython's `network` as an ESP32 has it, for the virtual board (docs.micropython.org, library/network)."""

import binascii
import errno

import board_sim
from board_wifi import (
    ASSOC_FAIL,
    BEACON_TIMEOUT,
    CONNECTING,
    GOT_IP,
    HANDSHAKE_TIMEOUT,
    IDLE,
    NO_AP_FOUND,
    WRONG_PASSWORD,
    station,
)

STA_IF, AP_IF = 0, 1
STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP = IDLE, CONNECTING, GOT_IP
STAT_BEACON_TIMEOUT, STAT_NO_AP_FOUND, STAT_WRONG_PASSWORD = BEACON_TIMEOUT, NO_AP_FOUND, WRONG_PASSWORD
STAT_ASSOC_FAIL, STAT_HANDSHAKE_TIMEOUT = ASSOC_FAIL, HANDSHAKE_TIMEOUT
AUTH_OPEN, AUTH_WEP, AUTH_WPA_PSK, AUTH_WPA2_PSK = 0, 1, 2, 3

_ADDRESS, _MASK = "127.0.0.1", "255.0.0.0"  # all that a virtual board can honestly say
_BSSID = b"\x02\x00\x00\x00\x00\x01"
_CHANNEL = 6
_hostname = "mpy-esp32"


class _Interface:
    """What every interface answers about its addresses."""

    def isconnected(self):
        """Whether the interface has an address."""
        return False

    def ifconfig(self, config=None):
        """(address, mask, gateway, DNS server): the older call."""
        if self.isconnected():
            return (_ADDRESS, _MASK, _ADDRESS, _ADDRESS)
        return ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")

    def ipconfig(self, param=None, **settings):
        """ "addr4" -> (address, mask), "gw4" -> address, "has_dhcp4", "dhcp4" -> bool; settings are accepted."""
        address, mask, gateway, _ = self.ifconfig()
        values = {"addr4": (address, mask), "gw4": gateway, "dhcp4": True, "has_dhcp4": self.isconnected(), "addr6": []}
        if param is not None and param not in values:
            raise ValueError("unknown config param")
        return values.get(param)


class WLAN(_Interface):
    """The Wi-Fi station, or an access point that only remembers its settings."""

    IF_STA, IF_AP = 0, 1
    PM_NONE, PM_PERFORMANCE, PM_POWERSAVE = 0, 1, 2
    SEC_OPEN, SEC_WEP, SEC_WPA, SEC_WPA2 = 0, 1, 2, 3

    _settings = ({"pm": 1, "txpower": 20.0, "protocol": 7}, {"ssid": "ESP_000001", "channel": 1, "hidden": False})
    _ap_active = False

    def __init__(self, interface_id=IF_STA):
        if interface_id not in (WLAN.IF_STA, WLAN.IF_AP):
            raise ValueError("invalid WLAN interface identifier")
        self._id = interface_id

    def active(self, is_active=None):
        """Whether the interface is on; or switch it."""
        if is_active is not None and self._id == WLAN.IF_STA:
            station.activate(bool(is_active))
        elif is_active is not None:
            WLAN._ap_active = bool(is_active)
        return station.active if self._id == WLAN.IF_STA else WLAN._ap_active

    def connect(self, ssid=None, key=None, *, bssid=None):
        """Begin to join a network; returns at once. OSError while the station is not active."""
        self._station_only()
        if not station.active:
            raise OSError("Wifi Not Started")
        station.connect(ssid, key)

    def disconnect(self):
        """Leave the network."""
        self._station_only()
        station.disconnect()

    def isconnected(self):
        """Whether the station has an address."""
        return self._id == WLAN.IF_STA and station.status() == GOT_IP

    def status(self, param=None):
        """A STAT_* code or a reason of the IDF; "rssi" in dBm, OSError while not connected."""
        if self._id == WLAN.IF_AP:
            return [] if param == "stations" else None
        code = station.status()
        if param is None:
            return code
        if param != "rssi":
            raise ValueError("unknown status param")
        if code != GOT_IP:
            raise OSError(errno.ENOTCONN, "not connected")
        return int(board_sim.read("wifi.rssi"))

    def scan(self):
        """[(ssid, bssid, channel, rssi, security, hidden)] of the networks on the air."""
        self._station_only()
        if not station.active:
            raise OSError("STA must be active")
        if not board_sim.read("wifi.up"):
            return []
        ssid = board_sim.read("wifi.ssid").encode()
        return [(ssid, _BSSID, _CHANNEL, int(board_sim.read("wifi.rssi")), AUTH_WPA2_PSK, False)]

    def config(self, param=None, **settings):
        """One setting by name, or set some: reconnects, pm, txpower ..."""
        for name in settings:
            if name == "reconnects":
                station.attempts = None if settings[name] < 0 else settings[name] + 1
            else:
                self._settings[self._id][name] = settings[name]
        return None if param is None else self._setting(param)

    def _setting(self, param):
        connected = self.isconnected()
        if param == "mac":
            return binascii.unhexlify(board_sim.facts["mac"])
        if param == "reconnects":
            return -1 if station.attempts is None else station.attempts - 1
        if param == "hostname":
            return hostname()
        if self._id == WLAN.IF_STA and param in ("ssid", "essid"):
            return station.wanted[0] if connected else ""
        if self._id == WLAN.IF_STA and param == "channel":
            return _CHANNEL if connected else 1
        if param not in self._settings[self._id]:
            raise ValueError("unknown config param")
        return self._settings[self._id][param]

    def _station_only(self):
        if self._id != WLAN.IF_STA:
            raise OSError("STA required")


class LAN(_Interface):
    """A wired interface that works as soon as it is active."""

    _active = False

    def __init__(self, id=None, **wiring):
        """The wiring is accepted."""

    def active(self, is_active=None):
        """Whether the interface is on; or switch it."""
        if is_active is not None:
            LAN._active = bool(is_active)
        return LAN._active

    def isconnected(self):
        """Whether the interface has an address."""
        return LAN._active

    def status(self):
        """A STAT_* code."""
        return STAT_GOT_IP if LAN._active else STAT_IDLE

    def config(self, param):
        """ "mac" -> six bytes."""
        if param != "mac":
            raise ValueError("unknown config param")
        return binascii.unhexlify(board_sim.facts["mac"])


def hostname(name=None):
    """The name that the board tells the network; or set it."""
    global _hostname
    if name is not None:
        _hostname = name
    return _hostname


def ipconfig(param=None, **settings):
    """ "dns" -> address of the DNS server; settings are accepted."""
    if param not in (None, "dns"):
        raise ValueError("unknown config param")
    return _ADDRESS if param else None
