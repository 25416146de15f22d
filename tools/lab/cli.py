"""The command line: `python -m tools.lab serve` and commands that talk to a running server."""

import argparse
import asyncio
import contextlib
import json
import os
import sys
from typing import Any

from . import credentials_cli, running
from .arguments import SEVERAL, parser, usage
from .control import ControlClient, default_path
from .errors import LabError, UsageError

_OPTIONS = ("accept", "format", "partial", "instance", "count", "passive")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 1 for what the device refused, 2 for what cannot be meant."""
    options = parser().parse_args(arguments)
    try:
        if options.command == "serve":
            asyncio.run(running.serve(options))
        elif options.command == "bootstrap":
            asyncio.run(running.bootstrap(options))
        elif options.command == "credentials":
            credentials_cli.run(options)
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


def _ask(options: argparse.Namespace) -> None:
    request = _request(options)
    with contextlib.closing(ControlClient(options.control or default_path(options.port)).ask(request)) as replies:
        for reply in replies:
            if "notice" in reply:
                print(f"lab: {reply['notice']}", file=sys.stderr, flush=True)
                continue
            text = [json.dumps(reply["data"])] if options.json else reply["lines"]
            print("\n".join(text), flush=True)


def _request(options: argparse.Namespace) -> dict[str, Any]:
    """What goes to the server. Raises UsageError."""
    request: dict[str, Any] = {"command": options.command, "timeout_s": options.timeout}
    for name in _OPTIONS:
        if getattr(options, name, None) is not None:
            request["content_format" if name == "format" else name] = getattr(options, name)
    if options.command == "list":
        return request
    words = list(options.words)
    request["endpoint"] = None if not words or words[0].startswith("/") else words.pop(0)
    if options.command == "sends":
        if words:
            raise UsageError("sends is written `sends [ENDPOINT]`")
        return request
    if not words:
        raise UsageError(f"{options.command} needs a path such as /3/0")
    if options.command in SEVERAL or (options.command == "cancel" and len(words) > 1):
        return request | _several(options.command, words)
    request["path"] = words.pop(0)
    return request | _words(options.command, words)


def _several(command: str, words: list[str]) -> dict[str, Any]:
    """The fields of a composite operation."""
    if command != "write-composite":
        return {"paths": words}
    pairs = [word.partition("=") for word in words]
    if not all(equals for _, equals, _ in pairs):
        raise UsageError(f"{command} is written `{command} {usage(command)}`")
    values = {path: value for path, _, value in pairs}
    if len(values) != len(pairs):
        raise UsageError("a composite operation names each path once")
    return {"values": values}


def _words(command: str, words: list[str]) -> dict[str, Any]:
    """The fields that the words after the path make."""
    if command == "attributes":
        pairs = (word.partition("=") for word in words)
        return {"attributes": {name: value or None for name, _, value in pairs}}
    wanted = {"write": (1, 1), "execute": (0, 1), "create": (0, 1)}.get(command, (0, 0))
    if not wanted[0] <= len(words) <= wanted[1]:
        raise UsageError(f"{command} is written `{command} {usage(command)}`")
    return {"arguments" if command == "execute" else "value": words[0]} if words else {}
