"""The command line: `python -m tools.lab serve` and commands that talk to a running server."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import pathlib
import signal
import sys
from typing import Any

from . import linelog
from .control import ControlClient, ControlServer, default_path
from .errors import LabError, UsageError
from .payload import FORMATS
from .server import LabServer

_PORT = 5683  # coap (RFC 7252 12.8)

# command -> (what it does, words after the path, options)
_COMMANDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "read": ("read an object, an instance or a resource", "", ("accept",)),
    "discover": ("list what is there, with attributes", "", ()),
    "write": ('write a resource, or an instance with JSON such as {"5850": true}', "VALUE", ("format", "partial")),
    "attributes": ("attach notification attributes; a bare name takes one away", "NAME=VALUE...", ()),
    "execute": ("execute a resource", "[ARGUMENTS]", ()),
    "create": ("create an instance of an object, with JSON for its resources", "[JSON]", ("instance",)),
    "delete": ("delete an instance", "", ()),
    "observe": ("print notifications until Ctrl-C", "", ("accept", "count")),
    "cancel": ("end an observation", "", ("passive",)),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 1 for what the device refused, 2 for what cannot be meant."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "serve":
            asyncio.run(_serve(options))
        else:
            _ask(options)
    except LabError as problem:
        print(f"lab: {problem}", file=sys.stderr)
        return problem.exit_code
    except BrokenPipeError:  # the reader of our output left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        pass
    return 0


async def _serve(options: argparse.Namespace) -> None:
    logging.basicConfig(stream=sys.stdout, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", level=logging.INFO)
    logging.getLogger("lab.aiocoap").setLevel(logging.ERROR)
    logging.raiseExceptions = False  # the server outlives whoever reads its log through a pipe
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with LabServer(options.host, options.port, timeout_s=options.timeout) as server:
        server.add_listener(linelog.write)
        control = ControlServer(server, options.control or default_path(server.port))
        await control.start()
        logging.getLogger("lab").info("listening   %s  control %s", server.uri, control.path)
        try:
            await stopped.wait()
        finally:
            await control.close()


def _ask(options: argparse.Namespace) -> None:
    request = _request(options)
    with contextlib.closing(ControlClient(options.control or default_path(options.port)).ask(request)) as replies:
        for reply in replies:
            text = [json.dumps(reply["data"])] if options.json else reply["lines"]
            print("\n".join(text), flush=True)


def _request(options: argparse.Namespace) -> dict[str, Any]:
    """What goes to the server. Raises UsageError."""
    request: dict[str, Any] = {"command": options.command, "timeout_s": options.timeout}
    if options.command == "list":
        return request
    words = list(options.words)
    request["endpoint"] = None if words[0].startswith("/") else words.pop(0)
    if not words:
        raise UsageError(f"{options.command} needs a path such as /3/0")
    request["path"] = words.pop(0)
    request.update(_words(options.command, words))
    for name in ("accept", "format", "partial", "instance", "count", "passive"):
        if getattr(options, name, None) is not None:
            request["content_format" if name == "format" else name] = getattr(options, name)
    return request


def _words(command: str, words: list[str]) -> dict[str, Any]:
    """The fields that the words after the path make."""
    if command == "attributes":
        pairs = (word.partition("=") for word in words)
        return {"attributes": {name: value or None for name, _, value in pairs}}
    wanted = {"write": (1, 1), "execute": (0, 1), "create": (0, 1)}.get(command, (0, 0))
    if not wanted[0] <= len(words) <= wanted[1]:
        raise UsageError(f"{command} is written `{command} {_usage(command)}`")
    return {"arguments" if command == "execute" else "value": words[0]} if words else {}


def _usage(command: str) -> str:
    return f"[ENDPOINT] PATH {_COMMANDS[command][1]}".rstrip()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tools.lab", description="An LwM2M server for the lab.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="run the server in the foreground until Ctrl-C")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    serve.add_argument("--timeout", type=_seconds, default=10.0, help="seconds for one operation (default 10)")
    _add_place(serve)
    _add_common(commands.add_parser("list", help="show the registered devices"))
    for command, (text, _, options) in _COMMANDS.items():
        usage = f"python -m tools.lab {command} {_usage(command)} [options]"
        sub = commands.add_parser(command, help=text, description=text, usage=usage)
        sub.add_argument("words", nargs="+", metavar="WORD", help="ENDPOINT may be left out if there is one device")
        for option in options:
            _add_option(sub, option)
        _add_common(sub)
    return parser


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=_port, default=_PORT, help="UDP port of the server (default %(default)s)")
    parser.add_argument("--control", type=pathlib.Path, help="control socket (default: derived from the port)")


def _add_common(parser: argparse.ArgumentParser) -> None:
    _add_place(parser)
    parser.add_argument("--timeout", type=_seconds, help="seconds for this operation (default: as the server has it)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def _add_option(parser: argparse.ArgumentParser, option: str) -> None:
    formats = f"{', '.join(FORMATS)} or a number"
    settings: dict[str, dict[str, Any]] = {
        "accept": {"type": _content_format, "help": f"ask for a format: {formats}"},
        "format": {"type": _content_format, "help": f"send in a format: {formats}"},
        "partial": {"action": "store_true", "help": "update (POST) instead of replacing (PUT)"},
        "instance": {"type": int, "help": "number of the new instance (default: the device chooses)"},
        "count": {"type": int, "help": "end after so many notifications"},
        "passive": {"action": "store_true", "help": "send nothing; refuse the next notification"},
    }
    parser.add_argument(f"--{option}", **settings[option])


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
        raise argparse.ArgumentTypeError(f"{text!r} is not a Content-Format")
    return int(text)
