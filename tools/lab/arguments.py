"""What can be written on the command line."""

import argparse
import pathlib
from typing import Any

from . import credentials_cli
from .bootstrap import PORT as _BOOTSTRAP_PORT
from .bootstrap_config import WRITABLE
from .operating import MAX_TRANSMIT_WAIT_S
from .payload import FORMATS, format_name

_PORT = 5683  # coap (RFC 7252 12.8)

# command -> (what it does, words after the path, options)
_COMMANDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "read": ("read an object, an instance or a resource", "", ("accept",)),
    "discover": ("list what is there, with attributes", "", ()),
    "write": ('write a resource, or an instance with JSON such as {"5850": true}', "VALUE", ("format", "partial")),
    "attributes": ("attach notification attributes; a bare name takes one away", "NAME=VALUE...", ()),
    "execute": ("execute a resource", "[ARGUMENTS]", ()),
    "create": ("create an instance of an object, with JSON for its resources", "[JSON]", ("instance", "format")),
    "delete": ("delete an instance", "", ()),
    "observe": ("print notifications until Ctrl-C", "", ("accept", "count")),
    "cancel": ("end an observation; with several paths a composite one", "[PATH...]", ("passive",)),
    "read-composite": ("read several paths at once", "[PATH...]", ("accept", "format")),
    "write-composite": ("write several resources at once, all or none", "", ("format",)),
    "observe-composite": ("observe several paths at once until Ctrl-C", "[PATH...]", ("accept", "format", "count")),
    "sends": ("print what devices send by themselves until Ctrl-C", "", ("count",)),
}
SEVERAL = ("read-composite", "write-composite", "observe-composite")
_USAGES = {"write-composite": "[ENDPOINT] PATH=VALUE [PATH=VALUE...]", "sends": "[ENDPOINT]"}


def usage(command: str) -> str:
    """The words of a command."""
    return _USAGES.get(command) or f"[ENDPOINT] PATH {_COMMANDS[command][1]}".rstrip()


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser("python -m tools.lab", description="An LwM2M server for the lab.")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_serve(commands.add_parser("serve", help="run the server in the foreground until Ctrl-C"))
    _add_bootstrap(commands.add_parser("bootstrap", help="run a bootstrap server in the foreground until Ctrl-C"))
    text = "who may come with coaps: pre-shared keys and certificates of devices"
    credentials_cli.add_arguments(commands.add_parser("credentials", help=text, description=text))
    _add_common(commands.add_parser("list", help="show the registered devices"))
    for command, (text, _, options) in _COMMANDS.items():
        sentence = f"python -m tools.lab {command} {usage(command)} [options]"
        sub = commands.add_parser(command, help=text, description=text, usage=sentence)
        words = "*" if command == "sends" else "+"
        sub.add_argument("words", nargs=words, metavar="WORD", help="ENDPOINT may be left out if there is one device")
        for option in options:
            _add_option(sub, option)
        _add_common(sub)
    return whole


def _add_serve(sub: argparse.ArgumentParser) -> None:
    _add_server(sub)
    sub.add_argument(
        "--awake",
        type=_seconds,
        default=float(MAX_TRANSMIT_WAIT_S),
        metavar="S",
        help="seconds that a device in queue mode listens after each message of its own (default 93)",
    )
    sub.add_argument("--bootstrap-port", type=_port, metavar="N", help="be a bootstrap server, too, on this UDP port")
    sub.add_argument("--bootstrap-config", type=pathlib.Path, metavar="FILE", help="what it hands out (JSON)")
    _add_place(sub)
    _add_security(sub)


def _add_bootstrap(sub: argparse.ArgumentParser) -> None:
    _add_server(sub)
    written = ", ".join(format_name(each) for each in WRITABLE)
    port = f"UDP port of the bootstrap server (default {_BOOTSTRAP_PORT})"
    sub.add_argument("--port", type=_port, default=_BOOTSTRAP_PORT, help=port)
    sub.add_argument("--config", type=pathlib.Path, metavar="FILE", help="what to hand out to whom (JSON)")
    sub.add_argument("--server", metavar="URI", help="or: the server to hand out to everybody, coap://host:port")
    sub.add_argument("--ssid", type=int, metavar="N", help="its Short Server ID (default 101)")
    sub.add_argument("--lifetime", type=int, metavar="S", help="lifetime of a registration there (default 300)")
    sub.add_argument("--binding", metavar="B", help="binding (default U)")
    sub.add_argument("--allow-send", action="store_true", help="unmute Send (/1/x/23)")
    deleted = (
        "what to delete first, may be repeated (default /0 and /1, and /2 where the device has it; / is everything)"
    )
    sub.add_argument("--delete", action="append", metavar="PATH", help=deleted)
    sub.add_argument("--no-discover", action="store_true", help="do not ask what the device has")
    sub.add_argument("--format", type=_content_format, help=f"write in {written} (default: as the device asks)")
    sub.add_argument("--pack", action="store_true", help="serve Bootstrap-Pack (LwM2M 1.2), too")
    _add_security(sub)


def _add_server(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    sub.add_argument("--timeout", type=_seconds, default=10.0, help="seconds for one operation (default 10)")


def _add_security(sub: argparse.ArgumentParser) -> None:
    which = sub.add_mutually_exclusive_group()
    port = "UDP port for coaps (default: the one after that for coap; 0: any)"
    which.add_argument("--secure-port", type=_port, metavar="N", help=port)
    which.add_argument("--no-coaps", action="store_true", help="coap only: everybody can be anybody")
    sub.add_argument("--no-coap", action="store_true", help="coaps only: nobody without credentials")
    credentials_cli.add_file(sub)
    sub.add_argument("--server-cert", type=pathlib.Path, metavar="FILE", help="certificate (default: from an own CA)")
    sub.add_argument("--server-key", type=pathlib.Path, metavar="FILE", help="and its private key")
    ca = "accept certificates of this CA, too, each for the endpoint that is its common name"
    sub.add_argument("--client-ca", type=pathlib.Path, metavar="FILE", help=ca)


def _add_place(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--port", type=_port, default=_PORT, help="UDP port of the server (default %(default)s)")
    sub.add_argument("--control", type=pathlib.Path, help="control socket (default: derived from the port)")


def _add_common(sub: argparse.ArgumentParser) -> None:
    _add_place(sub)
    sub.add_argument("--timeout", type=_seconds, help="seconds for this operation (default: as the server has it)")
    sub.add_argument("--json", action="store_true", help="print JSON instead of text")


_FORMATS_TEXT = f"{', '.join(FORMATS)} or a number"


def _add_option(sub: argparse.ArgumentParser, option: str) -> None:
    settings: dict[str, dict[str, Any]] = {
        "accept": {"type": _content_format, "help": f"ask for a format: {_FORMATS_TEXT}"},
        "format": {"type": _content_format, "help": f"send in a format: {_FORMATS_TEXT}"},
        "partial": {"action": "store_true", "help": "update (POST) instead of replacing (PUT)"},
        "instance": {"type": int, "help": "number of the new instance (default: the device chooses)"},
        "count": {"type": int, "help": "end after so many"},
        "passive": {"action": "store_true", "help": "send nothing; refuse the next notification"},
    }
    sub.add_argument(f"--{option}", **settings[option])


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 0xFFFF):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds


def _content_format(text: str) -> int:
    if text in FORMATS:
        return FORMATS[text]
    if not (text.isascii() and text.isdigit() and int(text) <= 0xFFFF):
        raise argparse.ArgumentTypeError(f"{text!r} is not a Content-Format: {_FORMATS_TEXT}")
    return int(text)
