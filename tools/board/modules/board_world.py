"""The world around the virtual board, as plain values by name. Read by the board's fakes and by the supervisor.

A value is a number, a bool, a text, or a movement over time: {"from": a, "to": b, "seconds": s, "since": unix_s},
with "repeat": true to swing back and forth for ever. Nobody needs to push a moving value: each side works it out.
"""

DEFAULTS = {
    "temperature": {"from": 19.0, "to": 25.0, "seconds": 120, "since": 0, "repeat": True},  # degrees Celsius, the room
    "humidity": {"from": 40.0, "to": 55.0, "seconds": 300, "since": 0, "repeat": True},  # % relative
    "pressure": {"from": 1005.0, "to": 1020.0, "seconds": 900, "since": 0, "repeat": True},  # hPa
    "chip.temperature": {"from": 38.0, "to": 46.0, "seconds": 200, "since": 0, "repeat": True},
    "distance": 100.0,  # cm, in front of the HC-SR04
    "wifi.up": True,  # the access point is on the air
    "wifi.ssid": "microlwm2m",
    "wifi.password": "virtual-board",
    "wifi.rssi": -58,  # dBm
    "wifi.join_ms": 200,  # how long one attempt to join takes
}


def value(spec, now_s):
    """What a stored value is at a moment (seconds since 1970): itself, or a point of its movement."""
    if not isinstance(spec, dict):
        return spec
    way = (now_s - spec["since"]) / spec["seconds"]
    way = 1 - abs(way % 2 - 1) if spec.get("repeat") else min(max(way, 0), 1)
    return spec["from"] + (spec["to"] - spec["from"]) * way


def lookup(world, name, now_s):
    """The value of a name at a moment; "dht.temperature" is the room's "temperature" unless set by itself."""
    spec = world.get(name)
    if spec is None and "." in name:
        spec = world.get(name.split(".")[1])
    return value(spec, now_s)


def wakes(world, pins, level):
    """Whether pins are as a wake-up source waits for: any high (level 1), all low (0). A free pin is neither."""
    levels = [world.get("pin.%d" % pin) for pin in pins]
    return 1 in levels if level else all(outside == 0 for outside in levels)
