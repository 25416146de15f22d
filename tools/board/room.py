"""The room in which the virtual board stands: its world, its outputs, and the requests of those who steer it."""

import json
import math
import time
from collections.abc import Callable

from tools.board.modules import board_world
from tools.board.names import OUTPUTS, input_name, output_value, wiring

SENSORS = ("dht", "ds18b20", "bme280", "chip", "distance", "adc")  # what can fail: "<sensor>.fail"
_ROOM_SENSORS = SENSORS[:3]  # measure the room unless told otherwise, as in "dht.temperature"
_QUANTITIES = ("temperature", "humidity", "pressure")


class RoomError(ValueError):
    """A request that cannot be met, as one sentence."""


class Room:
    """Outlives the resets of the board. Requests are dicts: {"set": {name: value}}, {"get": name}, {"show": true},
    {"reset": true}; the answer holds "error" if something was wrong."""

    def __init__(self, chip: str):
        self.world: dict = dict(board_world.DEFAULTS)
        self.outputs: dict = {}
        self.state = {"state": "off", "starts": 0, "cause": ""}
        self.changed: Callable[[dict], None] = lambda changes: None  # set by the supervisor
        self.reset: Callable[[], None] = lambda: None
        self._pins = wiring(chip)

    def answer(self, line: bytes) -> dict:
        """The answer to one line of JSON."""
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise RoomError("a request is a JSON object")
            return self._answer(request)
        except (ValueError, RecursionError) as error:
            return {"error": str(error)}

    def set(self, changes: dict) -> None:
        """Change values of the world; None takes a setting back. RoomError before anything is changed."""
        named = {input_name(self._pins, name): value for name, value in changes.items()}
        for name, value in named.items():
            problem = _problem(name, value)
            if problem:
                raise RoomError(problem)
        for name, value in named.items():
            value = board_world.DEFAULTS.get(name) if value is None else value
            named[name] = value
            if value is None:
                self.world.pop(name, None)
            else:
                self.world[name] = value
        self.changed(named)

    def get(self, name: str):
        """The present value of an output or of a name of the world, None while there is none. RoomError if unknown."""
        if name in OUTPUTS:
            return output_value(self._pins, self.outputs, name)
        name = input_name(self._pins, name)
        if name in self.outputs or name.split(".")[0] in ("pwm", "neopixel"):
            return self.outputs.get(name)
        if _wanted(name) is None:
            raise RoomError(f"the virtual board knows nothing called {name}")
        return board_world.lookup(self.world, name, time.time())

    def _answer(self, request: dict) -> dict:
        if isinstance(request.get("set"), dict):
            self.set(request["set"])
            return {"ok": True}
        if isinstance(request.get("get"), str):
            return {"value": self.get(request["get"])}
        if "show" in request:
            now_s = time.time()
            world = {name: board_world.value(spec, now_s) for name, spec in self.world.items()}
            named = {name: self.get(name) for name in OUTPUTS}
            return {**self.state, "world": world, "outputs": self.outputs, **named}
        if "reset" in request:
            self.reset()
            return {"ok": True}
        raise RoomError('a request is {"set": {...}}, {"get": name}, {"show": true} or {"reset": true}')


def _problem(name: str, value) -> str | None:
    """One sentence on why a name cannot be set so, or None. Every known name takes None."""
    wanted = _wanted(name)
    if wanted is None:
        return f"the virtual board knows nothing called {name}"
    fits = {"true or false": isinstance(value, bool), "a text": isinstance(value, str)}
    if value is None or fits.get(wanted, _is_number(value) or _is_movement(value)):
        return None
    return f"{name} takes {wanted}, not {json.dumps(value)}"


def _wanted(name: str) -> str | None:
    """What kind of value a name takes; None for one that does not exist."""
    kind, _, rest = name.partition(".")
    if name == "wifi.up" or (kind in SENSORS and rest == "fail"):
        return "true or false"
    if name in ("wifi.ssid", "wifi.password"):
        return "a text"
    of_pin = kind in ("pin", "adc") and rest.isdigit()
    of_sensor = kind in _ROOM_SENSORS and rest in _QUANTITIES
    return "a number" if of_pin or of_sensor or name in board_world.DEFAULTS else None


def _is_number(value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_movement(value) -> bool:
    if not isinstance(value, dict):
        return False
    return all(_is_number(value.get(key)) for key in ("from", "to", "seconds", "since")) and value["seconds"] > 0
