"""`python -m tools.board`: steer a running virtual board from the command line."""

import argparse
import json
import os
import sys

from tools.board.steering import Steering, SteeringError

_EXAMPLES = """examples:
  python -m tools.board --control board.sock press
  python -m tools.board --control board.sock temperature 25.5
  python -m tools.board --control board.sock drift temperature 18 30 20
  python -m tools.board --control board.sock show led
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.board",
        description="Steer a virtual board that was started with --control.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--control",
        default=os.environ.get("BOARD_CONTROL"),
        help="the board's --control: a path or a port (default: the variable BOARD_CONTROL)",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name, text, *arguments):
        command = commands.add_parser(name, help=text)
        for argument in arguments:
            command.add_argument(argument[0], **argument[1])

    pin = ("pin", {"nargs": "?", "default": "button", "help": "a pin number (default: the button)"})
    add("press", "hold the button down", pin)
    add("release", "let the button go", pin)
    for quantity, unit in (("temperature", "degrees Celsius"), ("humidity", "%"), ("pressure", "hPa")):
        add(quantity, f"set the room's {quantity}", ("value", {"type": float, "help": unit}))
    add("adc", "put a voltage on an analogue input", ("pin", {"help": 'a pin number or "knob"'}), _number("millivolts"))
    add("drift", "let a value swing for ever", ("name", {}), _number("low"), _number("high"), _number("seconds"))
    add("fail", "unplug a sensor", ("sensor", {"help": "dht, ds18b20, bme280, chip, distance or adc"}))
    add("repair", "plug a sensor in again", ("sensor", {}))
    add("wifi", "switch the access point", ("up", {"choices": ("on", "off")}))
    add("rssi", "set the strength of the Wi-Fi", _number("dbm"))
    add("set", "set anything by its name", ("name", {}), ("value", {"help": "JSON; null takes a setting back"}))
    add("show", "show everything, or one value", ("name", {"nargs": "?"}))
    add("reset", "press EN: off and on again")
    return parser


def _number(name: str) -> tuple[str, dict]:
    return name, {"type": float}


def _run(board: Steering, options: argparse.Namespace) -> None:
    command = options.command
    if command in ("press", "release"):
        getattr(board, command)(options.pin)
    elif command in ("temperature", "humidity", "pressure"):
        board.put(command, options.value)
    elif command == "adc":
        board.voltage(options.pin, options.millivolts)
    elif command == "drift":
        board.drift(options.name, options.low, options.high, options.seconds)
    elif command in ("fail", "repair"):
        getattr(board, command)(options.sensor)
    elif command == "wifi":
        board.wifi(options.up == "on")
    elif command == "rssi":
        board.put("wifi.rssi", options.dbm)
    elif command == "set":
        board.put(options.name, _value(options.value))
    elif command == "reset":
        board.reset()
    else:
        print(json.dumps(board.get(options.name) if options.name else board.show(), indent=2))


def _value(text: str):
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def main(arguments: list[str] | None = None) -> int:
    """0 if the board did it, 2 otherwise."""
    options = _parser().parse_args(arguments)
    try:
        if not options.control:
            raise SteeringError(
                "which board? Give --control PATH or PORT, as the board was given, or set BOARD_CONTROL"
            )
        _run(Steering(options.control), options)
    except SteeringError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
