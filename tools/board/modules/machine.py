"""MicroPython's `machine` as an ESP32 has it, for the virtual board (docs.micropython.org, library/machine).

What a board has in flash costs heap here, so each part comes from its own file when it is first used.
"""

import binascii
import time

import board_sim
import board_world

PWRON_RESET, HARD_RESET, WDT_RESET, DEEPSLEEP_RESET, SOFT_RESET = 1, 2, 3, 4, 5
PIN_WAKE = EXT0_WAKE = 2
EXT1_WAKE, TIMER_WAKE, TOUCHPAD_WAKE, ULP_WAKE = 3, 4, 5, 6

_PARTS = {
    "Pin": "board_pin",
    "Signal": "board_pin",
    "ADC": "board_analog",
    "PWM": "board_analog",
    "I2C": "board_i2c",
    "SoftI2C": "board_i2c",
    "RTC": "board_clock",
    "WDT": "board_clock",
    "Timer": "board_clock",
}
_FREQUENCIES_MHZ = {
    "esp32": (20, 40, 80, 160, 240),
    "esp32s2": (20, 40, 80, 160, 240),
    "esp32s3": (20, 40, 80, 160, 240),
}
_frequency = 160000000


def __getattr__(name):
    if name not in _PARTS:
        raise AttributeError(name)
    part = globals()[name] = getattr(__import__(_PARTS[name]), name)
    return part


def reset():
    """Reset as the EN button does, but with HARD_RESET as the cause and the RTC memory kept."""
    board_sim.leave("hard")


def soft_reset():
    """Start the interpreter again, as Ctrl-D does."""
    board_sim.leave("soft")


def reset_cause():
    """Why the board started: one of the *_RESET constants."""
    return board_sim.facts["reset_cause"]


def deepsleep(time_ms=None):
    """Switch off until the time is over or a wake-up pin says so; the board then starts from boot.py."""
    board_sim.leave("deepsleep", ms=time_ms, wake=_wake_sources())


def lightsleep(time_ms=None):
    """Sleep and go on behind the call, after time_ms or when a wake-up pin says so. Wi-Fi is lost over it."""
    if "network" in _loaded():
        _loaded()["network"].WLAN().active(False)
    board_sim.facts["wake_reason"] = TIMER_WAKE
    end = None if time_ms is None else board_sim.now_ms() + time_ms
    while end is None or board_sim.now_ms() < end:
        for kind, pins, level in _wake_sources():
            if board_world.wakes(board_sim.world, pins, level):
                board_sim.facts["wake_reason"] = kind
                return
        board_sim.wait(-1 if end is None else end - board_sim.now_ms())


def wake_reason():
    """What ended the last deep or light sleep: one of the *_WAKE constants, 0 after another start."""
    return board_sim.facts["wake_reason"]


def unique_id():
    """The six bytes of the MAC address."""
    return binascii.unhexlify(board_sim.facts["mac"])


def freq(hz=None):
    """The clock frequency in Hz, or set it; ValueError unless the chip can."""
    global _frequency
    if hz is None:
        return _frequency
    if hz // 1000000 not in _FREQUENCIES_MHZ.get(board_sim.facts["chip"], (20, 40, 80, 160)):
        raise ValueError("frequency must be 20MHz, 40MHz, 80Mhz, 160MHz or 240MHz")
    _frequency = hz
    return None


def idle():
    """Give the processor away for a moment."""
    board_sim.poll()


def disable_irq():
    """Hold interrupts back; returns the state for enable_irq()."""
    return board_sim.hold_interrupts(True)


def enable_irq(state=False):
    """Undo disable_irq(): interrupts that came meanwhile run now, unless they were held back before, too."""
    board_sim.hold_interrupts(state)


def time_pulse_us(pin, level, timeout_us=1000000):
    """The length of a pulse: the echo of an HC-SR04 in front of which "distance" cm are free; -2 without one."""
    distance_cm = None if board_sim.fails("distance") else board_sim.read("distance")
    pulse_us = timeout_us if distance_cm is None else int(distance_cm * 2 / 0.0343)
    time.sleep(min(pulse_us, timeout_us) / 1000000)
    return pulse_us if pulse_us < timeout_us else -2


def _loaded():
    import sys

    return sys.modules


def _wake_sources():
    return _loaded()["esp32"].wake_sources() if "esp32" in _loaded() else []
