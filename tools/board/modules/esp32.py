"""MicroPython's `esp32` for the virtual board: each chip has the functions that the real one has, and no others."""

import json
import os

import board_sim

WAKEUP_ALL_LOW, WAKEUP_ANY_HIGH = False, True
HEAP_DATA, HEAP_EXEC = 4, 1

_EXT0 = ("esp32", "esp32s2", "esp32s3")
_EXT1 = ("esp32", "esp32s2", "esp32s3", "esp32c5", "esp32c6")
_GPIO = ("esp32c2", "esp32c3", "esp32c5", "esp32c6")
_NOT_FOUND, _KEY_TOO_LONG, _INVALID_LENGTH = -4354, -4361, -4364  # ESP_ERR_NVS_*, with MicroPython's sign
_wake = {}  # kind as machine.wake_reason() tells it -> (pins, level)
_nvs = None  # {namespace: {key: int or hex}}: written and perhaps not committed


def idf_heap_info(capabilities):
    """[(total, free, largest free block, least free so far)] of each area of the C heap; a chip with Wi-Fi up."""
    return [(164000, 96000, 63000, 90000), (15000, 9000, 8000, 9000)]


def wake_sources():
    """[(kind, pins, level)] that were asked for: what machine.deepsleep hands to the supervisor."""
    return [(kind, _wake[kind][0], _wake[kind][1]) for kind in _wake]


def _raw_temperature():
    """The classic ESP32's uncalibrated reading, roughly degrees Fahrenheit."""
    return round(_chip_celsius() * 9 / 5 + 32)


def _mcu_temperature():
    """The chip's temperature in whole degrees Celsius."""
    return int(_chip_celsius())


def _chip_celsius():
    if board_sim.fails("chip"):
        raise OSError(-1, "ESP_FAIL")
    return board_sim.read("chip.temperature")


def _wake_on_ext0(pin=None, level=None):
    """Wake from deep sleep when one pin has the level."""
    _set_wake(2, pin and [pin], level)


def _wake_on_ext1(pins=None, level=None):
    """Wake when all pins are low or any is high."""
    _set_wake(3, pins, level)


def _wake_on_gpio(pins=None, level=None):
    """Wake when all pins are low or any is high (chips without EXT0)."""
    _set_wake(7, pins, level)


def _set_wake(kind, pins, level):
    _wake.pop(kind, None)
    if pins:
        _wake[kind] = ([pin._pad.number for pin in pins], 1 if level else 0)


_ONLY_ON = {
    "raw_temperature": (("esp32",), _raw_temperature),
    "wake_on_ext0": (_EXT0, _wake_on_ext0),
    "wake_on_ext1": (_EXT1, _wake_on_ext1),
    "wake_on_gpio": (_GPIO, _wake_on_gpio),
}


def __getattr__(name):
    chip = board_sim.facts["chip"]
    if name == "mcu_temperature" and chip != "esp32":
        return _mcu_temperature
    chips, function = _ONLY_ON.get(name, ((), None))
    if chip not in chips:
        raise AttributeError(name)
    return function


def _file():
    return board_sim.facts["state_dir"] + "/.board/nvs.json"


def _load():
    global _nvs
    if _nvs is None:
        try:
            with open(_file()) as file:
                _nvs = json.load(file)
        except OSError:
            _nvs = {}  # an erased partition


class NVS:
    """Non-volatile storage: a namespace of integers and blobs. Nothing is durable before commit()."""

    def __init__(self, namespace):
        _check_key(namespace)
        _load()
        self._values = _nvs.setdefault(namespace, {})

    def set_i32(self, key, value):
        """Store a signed 32-bit integer."""
        _check_key(key)
        if not -(1 << 31) <= value < 1 << 31:
            raise OverflowError("value does not fit into 32 bits")
        self._values[key] = value

    def get_i32(self, key):
        """The integer; OSError if there is none."""
        return self._get(key, int)

    def set_blob(self, key, value):
        """Store bytes."""
        _check_key(key)
        self._values[key] = bytes(value).hex()

    def get_blob(self, key, buffer):
        """Fill the buffer and return the length; OSError if there is no blob or the buffer is too small."""
        blob = bytes.fromhex(self._get(key, str))
        if len(blob) > len(buffer):
            raise OSError(_INVALID_LENGTH, "ESP_ERR_NVS_INVALID_LENGTH")
        buffer[: len(blob)] = blob
        return len(blob)

    def erase_key(self, key):
        """Forget a key; OSError if there is none."""
        self._get(key, (int, str))
        del self._values[key]

    def commit(self):
        """Make everything durable."""
        if ".board" not in os.listdir(board_sim.facts["state_dir"]):
            os.mkdir(board_sim.facts["state_dir"] + "/.board")
        with open(_file() + ".new", "w") as file:
            json.dump(_nvs, file)
        os.rename(_file() + ".new", _file())

    def _get(self, key, kind):
        value = self._values.get(key)
        if not isinstance(value, kind):
            raise OSError(_NOT_FOUND, "ESP_ERR_NVS_NOT_FOUND")
        return value


def _check_key(key):
    if not 1 <= len(key) <= 15:
        raise OSError(_KEY_TOO_LONG, "ESP_ERR_NVS_KEY_TOO_LONG")
