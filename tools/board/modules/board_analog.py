"""machine.ADC and machine.PWM of the virtual board. A voltage comes from the world's "adc.<number>" in mV."""

import errno
import sys

import board_sim
from board_pin import Pin

# chip: pins of block 1, pins of block 2 (which the Wi-Fi of the classic ESP32 needs for itself)
_BLOCKS = {
    "esp32": (range(32, 40), (0, 2, 4, 12, 13, 14, 15, 25, 26, 27)),
    "esp32s2": (range(1, 11), range(11, 21)),
    "esp32s3": (range(1, 11), range(11, 21)),
    "esp32c2": (range(5), ()),
    "esp32c3": (range(5), (5,)),
    "esp32c5": (range(1, 7), ()),
    "esp32c6": (range(7), ()),
}
_FULL_SCALE_MV = (1100, 1467, 2195, 3300)  # by attenuation; a straight line, where a chip bends towards the top
_RANGE_MV = ((100, 950), (100, 1250), (150, 1750), (150, 2450))  # what the calibrated reading covers
_PWM_CHANNELS = {"esp32": (16, 8), "esp32s2": (8, 4), "esp32s3": (8, 4)}  # channels, frequencies; others 6 and 4
_pwm = {}


def _number(pin):
    return (pin if isinstance(pin, Pin) else Pin(pin))._pad.number


class ADC:
    """An analogue input. ValueError for a pin without one."""

    ATTN_0DB, ATTN_2_5DB, ATTN_6DB, ATTN_11DB = 0, 1, 2, 3
    WIDTH_9BIT, WIDTH_10BIT, WIDTH_11BIT, WIDTH_12BIT = 9, 10, 11, 12

    def __init__(self, pin, *, atten=3):
        self._pin = _number(pin)
        first, second = _BLOCKS[board_sim.facts["chip"]]
        if self._pin not in first and self._pin not in second:
            raise ValueError("invalid pin")
        self._second = self._pin in second
        self.init(atten=atten)

    def init(self, *, atten=3):
        """Choose the attenuation: ATTN_0DB for up to 1.1 V ... ATTN_11DB for up to 3.3 V."""
        self._atten = atten

    def atten(self, atten):
        """Choose the attenuation (the older call)."""
        self.init(atten=atten)

    def width(self, bits):
        """Accepted and without effect, as read() has 12 bits by default."""

    def _millivolts(self):
        network = sys.modules.get("network")
        if self._second and board_sim.facts["chip"] == "esp32" and network and network.WLAN().active():
            raise OSError(errno.ETIMEDOUT, "the converter is in use")
        if board_sim.fails("adc"):
            raise OSError(errno.ETIMEDOUT, "the converter is in use")
        return board_sim.read("adc.%d" % self._pin) or 0

    def read(self):
        """The raw reading, 0..4095."""
        return min(4095, max(0, int(self._millivolts() * 4096 / _FULL_SCALE_MV[self._atten])))

    def read_u16(self):
        """The raw reading stretched to 0..65535."""
        raw = self.read()
        return raw << 4 | raw >> 8

    def read_uv(self):
        """The calibrated reading in microvolts, in whole millivolts and within the range of the attenuation."""
        low, high = _RANGE_MV[self._atten]
        return min(high, max(low, int(self._millivolts()))) * 1000


class PWM:
    """A pulse-width output. RuntimeError when the chip has no further channel or frequency."""

    def __init__(self, pin, *, freq=None, duty=None, duty_u16=None, duty_ns=None):
        self._pin = _number(pin)
        Pin(self._pin, Pin.OUT)
        if self._pin not in _pwm and len(_pwm) >= _PWM_CHANNELS.get(board_sim.facts["chip"], (6, 4))[0]:
            raise RuntimeError("out of PWM channels:%d" % len(_pwm))
        _pwm.setdefault(self._pin, [5000, 32768])
        self.init(freq=freq, duty=duty, duty_u16=duty_u16, duty_ns=duty_ns)

    def init(self, *, freq=None, duty=None, duty_u16=None, duty_ns=None):
        """Set what is given: freq in Hz, and the duty as 0..1023, 0..65535 or nanoseconds."""
        state = _pwm[self._pin]
        if freq is not None:
            self._check_freq(freq)
            state[0] = freq
        if duty is not None:
            duty_u16 = _within(duty, 1023) * 65535 // 1023
        if duty_ns is not None:
            duty_u16 = duty_ns * state[0] * 65535 // 1000000000
        if duty_u16 is not None:
            state[1] = _within(duty_u16, 65535)
        board_sim.show("pwm.%d" % self._pin, {"freq": state[0], "duty": round(state[1] / 65535, 4)})

    def _check_freq(self, freq):
        if not 1 <= freq <= 40000000:
            raise ValueError("frequency must be from 1Hz to 40MHz")
        others = {_pwm[pin][0] for pin in _pwm if pin != self._pin}
        if freq not in others and len(others) >= _PWM_CHANNELS.get(board_sim.facts["chip"], (6, 4))[1]:
            raise RuntimeError("out of PWM timers:%d" % len(others))

    def freq(self, value=None):
        """The frequency in Hz; or set it."""
        if value is None:
            return _pwm[self._pin][0]
        return self.init(freq=value)

    def duty(self, value=None):
        """The duty as 0..1023; or set it."""
        if value is None:
            return (_pwm[self._pin][1] * 1023 + 32767) // 65535
        return self.init(duty=value)

    def duty_u16(self, value=None):
        """The duty as 0..65535; or set it."""
        if value is None:
            return _pwm[self._pin][1]
        return self.init(duty_u16=value)

    def duty_ns(self, value=None):
        """The high time in nanoseconds; or set it."""
        if value is None:
            return _pwm[self._pin][1] * 1000000000 // (65535 * _pwm[self._pin][0])
        return self.init(duty_ns=value)

    def deinit(self):
        """Give the channel back; the pin stays low."""
        if _pwm.pop(self._pin, None):
            board_sim.show("pwm.%d" % self._pin, None)
            Pin(self._pin, Pin.OUT, value=0)


def _within(duty, highest):
    if not 0 <= duty <= highest:
        raise ValueError("duty must be between 0 and %d" % highest)
    return duty
