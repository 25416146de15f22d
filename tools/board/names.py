"""The names that a person uses for what is wired to the board: "button", "knob", "led" ... (lib/sensors/board.py)."""

import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHIPS = ("esp32", "esp32s2", "esp32s3", "esp32c2", "esp32c3", "esp32c5", "esp32c6")  # those with Wi-Fi


def wiring(chip: str) -> dict[str, int]:
    """What is wired to which pin of a chip: the very table that the board's own files use."""
    board = runpy.run_path(str(ROOT / "lib" / "sensors" / "board.py"))
    return board["wiring"](chip)


def input_name(pins: dict[str, int], name: str) -> str:
    """The world's name of something wired: "button" -> "pin.0", "knob" -> "adc.34"; others stay as they are."""
    if name == "button":
        return f"pin.{pins[name]}"
    return f"adc.{pins[name]}" if name == "knob" else name


def output_value(pins: dict[str, int], outputs: dict, name: str):
    """What something wired does now: "led" -> brightness 0..1, "buzzer" -> {"freq", "duty"}, "pixels" -> colours."""
    if name == "led":
        pwm = outputs.get(f"pwm.{pins['led']}")
        return pwm["duty"] if pwm else outputs.get(f"pin.{pins['led']}", 0)
    if name == "buzzer":
        return outputs.get(f"pwm.{pins['buzzer']}")
    return outputs.get(f"neopixel.{pins['pixels']}")


OUTPUTS = ("led", "buzzer", "pixels")
