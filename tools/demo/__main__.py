"""The command line: `python -m tools.demo [--seconds N]`."""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

from tools import mpy
from tools.board import SteeringError
from tools.lab import LabError, LabServer, Timeout
from tools.lab.control import ControlServer, default_path
from tools.lab.credentials import Credentials
from tools.lab.listening import Security

from .board import Board
from .story import ENDPOINT, LIFETIME_S, Story, tell_deregistration

_EPILOG = """Exit status: 0 if everything worked, 1 with a sentence if something did not, 2 for what cannot be meant.
MICROPYTHON=/path/to/micropython chooses another Unix port of MicroPython."""


# How long a board that has died may take to be gone: its end explains a failed step better than the step does.
_DEATH_S = 1


class Failure(Exception):
    """The demo did not come to its end; one sentence."""

    def __init__(self, sentence: str, exit_code: int = 1):
        super().__init__(sentence)
        self.exit_code = exit_code


def parser() -> argparse.ArgumentParser:
    """The options."""
    p = argparse.ArgumentParser(
        prog="python -m tools.demo",
        description="The lab server and one virtual board, live, until Ctrl-C.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    p.add_argument("--seconds", type=_seconds, metavar="N", help="end after so long; exit status 0 if all was shown")
    p.add_argument("--port", type=_port, default=0, help="UDP port of the server (default: a free one)")
    p.add_argument("--plain", action="store_true", help="coap in place of coaps, for those who want to look on")
    p.add_argument("--interpreter", choices=("unix", "cpython"), default="unix", help="what runs the board's files")
    return p


def _seconds(text: str) -> float:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1000000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return int(text)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 0xFFFF:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


async def run(options: argparse.Namespace) -> None:
    """The whole demo. Raises Failure, LabError."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        security = None if options.plain else Security(0, Credentials())
        async with LabServer(port=options.port, security=security) as server:
            control = ControlServer(server, default_path(server.port))
            await control.start()
            try:
                await _with_board(options, server, Path(folder), stopped)
            finally:
                await control.close()


async def _with_board(options: argparse.Namespace, server: LabServer, folder: Path, stopped: asyncio.Event) -> None:
    uri = server.uri
    words = ["--endpoint", ENDPOINT, "--lifetime", str(LIFETIME_S), "--interpreter", options.interpreter]
    if server.credentials:
        uri = server.secure_uri
        identity, key = server.credentials.new_psk(ENDPOINT)
        words += ["--psk-identity", identity.decode(), "--psk-key", key.hex()]
    words += ["--server", uri]
    _introduce(server, uri, options.interpreter, folder / "board.sock")
    board = await Board.start(folder, words, lambda line: print(f"   board | {line}", flush=True))
    try:
        await _watch(Story(server, board.steering), board, stopped, options.seconds)
        await _leave(server, board)
    finally:
        await board.end()


def _introduce(server: LabServer, uri: str, interpreter: str, control: Path) -> None:
    if interpreter == "unix" and (mpy.micropython() or os.environ.get("MICROPYTHON")):
        kind = "the Unix port of MicroPython"
    else:
        kind = "CPython on this machine"
    python = Path(sys.executable).name if sys.prefix == sys.base_prefix else ".venv/bin/python"
    print(f"server  {uri}   to join in:  {python} -m tools.lab --help  with --port {server.port}")
    print(f"board   boot.py and main.py on {kind}")
    print(f"        to press its button:  {python} -m tools.board --control {control} press")
    print("Ctrl-C ends both.", flush=True)


async def _watch(story: Story, board: Board, stopped: asyncio.Event, seconds: float | None) -> None:
    """Tell the story until somebody stops it, the time is over, or something goes wrong. Raises Failure."""
    telling, ending = asyncio.create_task(story.tell()), asyncio.create_task(board.ended())
    stopping = asyncio.create_task(stopped.wait())
    tasks = {telling, ending, stopping}
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks - {ending}:
            task.cancel()
    if telling in done and stopping not in done:
        await asyncio.wait({ending}, timeout=_DEATH_S)  # what the story met may be that the board is dying
    if ending.done() and stopping not in done:
        status = ending.result()
        said = board.last_line or "without a word"
        raise Failure(f"the board ended by itself with status {status}: {said}", 2 if status == 2 else 1)
    if telling in done:
        _raise_from(telling)
    if seconds is not None and story.missing:
        raise Failure(f"the demo ended before the board could {story.missing}")


def _raise_from(telling: asyncio.Task) -> None:
    try:
        telling.result()
    except (LabError, SteeringError) as error:
        raise Failure(str(error)) from None


async def _leave(server: LabServer, board: Board) -> None:
    """End the board and tell it. Raises Failure if it was registered and does not de-register."""
    registered = server.registrations.get(ENDPOINT)
    with server.subscribe() as events:
        status = await board.end()
        if registered is None:
            return
        try:
            await events.wait("deregister", ENDPOINT, timeout_s=1)
        except Timeout:
            raise Failure(f"the board ended with status {status} and did not de-register") from None
    tell_deregistration(registered)


def main(arguments: list[str] | None = None) -> int:
    """The exit status; what goes wrong becomes one sentence on stderr."""
    options = parser().parse_args(arguments)
    try:
        asyncio.run(run(options))
    except (Failure, LabError) as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return problem.exit_code
    except BrokenPipeError:  # the reader of our output left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
