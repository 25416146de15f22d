"""Steers a running virtual board from outside: press its button, warm its sensor, cut its Wi-Fi, look at its LED."""

import json
import socket
import time
from pathlib import Path
from typing import Any


class SteeringError(Exception):
    """Nobody answers, or the board does not know what is meant; one sentence."""


def address_of(control: str) -> tuple[int, Any]:
    """Socket family and address of a --control value: a port on this machine, or the path of a Unix socket.
    SteeringError for what can be neither."""
    if not control:
        raise SteeringError("--control must be a path or a port, and not empty")
    if not (control.isascii() and control.isdigit()):
        return socket.AF_UNIX, control
    if len(control) > 5 or not 0 < int(control) < 65536:
        raise SteeringError(f"--control must be a path or a port from 1 to 65535, not {control}")
    return socket.AF_INET, ("127.0.0.1", int(control))


class Steering:
    """The line to one board, by the value of its --control. Each call raises SteeringError if nobody answers."""

    def __init__(self, control: str | int | Path, timeout_s: float = 5.0):
        self._control = str(control)
        self._timeout_s = timeout_s

    def request(self, **request) -> dict:
        """Send one request and return the answer."""
        family, address = address_of(self._control)
        try:
            with socket.socket(family, socket.SOCK_STREAM) as line:
                line.settimeout(self._timeout_s)
                line.connect(address)
                line.sendall(json.dumps(request).encode() + b"\n")
                answer = json.loads(line.makefile("rb").readline())
        except (OSError, ValueError) as error:
            raise SteeringError(f"no virtual board answers at {self._control}: {error}") from error
        if "error" in answer:
            raise SteeringError(answer["error"])
        return answer

    def set(self, **values) -> None:
        """Set values by name; dots are written as two underscores: set(temperature=21, dht__humidity=40)."""
        self.request(set={name.replace("__", "."): value for name, value in values.items()})

    def put(self, name: str, value) -> None:
        """Set one value by its name as it is: put("adc.34", 1200). None takes a setting back."""
        self.request(set={name: value})

    def get(self, name: str):
        """One value: an output ("led": 0..1, "pixels", "buzzer", "pin.2", "pwm.2") or a name of the world."""
        return self.request(get=name)["value"]

    def show(self) -> dict:
        """Everything: state, starts, cause of the last one, world, outputs."""
        return self.request(show=True)

    def press(self, pin: int | str = "button") -> None:
        """Hold the button down (level 0), or pull a pin to ground."""
        self.put(_pin(pin), 0)

    def release(self, pin: int | str = "button") -> None:
        """Let the button go: its pull resistor decides again."""
        self.put(_pin(pin), None)

    def voltage(self, pin: int | str, millivolts: float) -> None:
        """Put a voltage on an analogue input: a pin number or "knob"."""
        self.put(f"adc.{pin}" if str(pin).isdigit() else str(pin), millivolts)

    def drift(self, name: str, low: float, high: float, seconds: float) -> None:
        """Let a value swing between two others, `seconds` for one way."""
        since = time.time()
        self.put(name, {"from": low, "to": high, "seconds": seconds, "since": since, "repeat": True})

    def ramp(self, name: str, start: float, end: float, seconds: float) -> None:
        """Let a value move once from start to end."""
        self.put(name, {"from": start, "to": end, "seconds": seconds, "since": time.time()})

    def fail(self, sensor: str) -> None:
        """Unplug a sensor: dht, ds18b20, bme280, chip, distance or adc."""
        self.put(f"{sensor}.fail", True)

    def repair(self, sensor: str) -> None:
        """Plug a sensor in again."""
        self.put(f"{sensor}.fail", None)

    def wifi(self, up: bool) -> None:
        """Switch the access point on or off; while it is off no datagram of the board gets through."""
        self.put("wifi.up", bool(up))

    def reset(self) -> None:
        """Press EN: a reset like switching off and on; the RTC memory is lost."""
        self.request(reset=True)


def _pin(pin: int | str) -> str:
    return f"pin.{pin}" if str(pin).isdigit() else str(pin)
