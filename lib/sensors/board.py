"""What is wired to which pin, and the parts by name. Change the table to suit your board; main.py stays as it is.

    from sensors import board
    board.celsius()          # the BME280: also board.humidity(), board.pressure()
    board.led.level(30)      # also board.button, board.knob, board.buzzer, board.pixels, board.chip
    board.dht22.celsius()    # also board.ds18b20, board.distance

A part is made, and its driver loaded, when it is first named. None has to be there: a reading then raises OSError.
"""

_WIRING = """
part     esp32  esp32s2  esp32s3  esp32c3
led          2        2        2        3
button       0        0        0        9
knob        34        4        4        1
sda         21        8        8        6
scl         22        9        9        7
dht22        4        5        5        4
ds18b20     18        6        6        5
buzzer      25        7        7       10
pixels      13       18       48        8
trigger     26       15       15        2
echo        27       16       16        0
"""


def wiring(chip_name):
    """{part: pin} for a chip. Other C chips take the column of the C3, and a PC that of the classic ESP32."""
    rows = [line.split() for line in _WIRING.strip().split("\n")]
    if chip_name not in rows[0]:
        chip_name = "esp32c3" if chip_name else "esp32"
    column = rows[0].index(chip_name)
    return {row[0]: int(row[column]) for row in rows[1:]}


def __getattr__(name):
    from .chip import name as chip_name

    part = globals()[name] = _make(name, wiring(chip_name()))
    return part


def _make(name, pins):
    if name in ("celsius", "humidity", "pressure"):
        return getattr(globals().get("bme280") or __getattr__("bme280"), name)
    if name == "bme280":
        from .bme280 import Bme280

        return Bme280(pins["scl"], pins["sda"])
    if name == "led":
        from .led import Led

        return Led(pins["led"])
    if name == "button":
        from .button import Button

        return Button(pins["button"])
    if name == "knob":
        from .adc import Adc

        return Adc(pins["knob"])
    if name == "chip":
        from .chip import Chip

        return Chip()
    return _make_rarer(name, pins)


def _make_rarer(name, pins):
    if name == "dht22":
        from .dht22 import Dht22

        return Dht22(pins["dht22"])
    if name == "ds18b20":
        from .ds18b20 import Ds18b20

        return Ds18b20(pins["ds18b20"])
    if name == "buzzer":
        from .buzzer import Buzzer

        return Buzzer(pins["buzzer"])
    if name == "pixels":
        from .pixels import Pixels

        return Pixels(pins["pixels"])
    if name == "distance":
        from .distance import HcSr04

        return HcSr04(pins["trigger"], pins["echo"])
    raise AttributeError(name)
