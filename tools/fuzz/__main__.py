"""The command line: `python -m tools.fuzz [--seconds N]`."""

import argparse
import signal
import sys
import time
from pathlib import Path

from tools.mpy import LIB, ROOT

from .campaign import Campaign
from .engines import worker

_EPILOG = """Reproducers are text files, FOLDER/crashes/TARGET-*.hex; the next campaign tries them first. By hand:
    PYTHONPATH=lib:host_tests/shared python tools/fuzz/worker.py replay FILE
Once it is mended, it belongs into host_tests/vectors/fuzz/, where the tests keep an eye on it.
Exit status: 0 if nothing has gone wrong, 1 if something has, 2 for what cannot be meant."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    p = argparse.ArgumentParser(
        prog="python -m tools.fuzz",
        description="Fuzz every parser and the whole client: led by coverage on CPython, by chance on MicroPython.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    p.add_argument("--seconds", type=_count, default=60, metavar="N", help="how long (60)")
    p.add_argument("--seed", type=_count, metavar="N", help="of all chance (default: the time of day)")
    p.add_argument("--target", metavar="NAME", help="this one alone; --target help lists them")
    p.add_argument("--folder", type=Path, default=ROOT / "build" / "fuzz", help="corpus and crashes (build/fuzz)")
    p.add_argument("--lib", type=Path, default=LIB, help="another lib/ to fuzz")
    return p


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 10_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 9999999")
    return int(text)


def _targets(lib: Path) -> list[str]:
    """The names of all targets."""
    done = worker("cpython", lib, "list")
    return done.stdout.split()


def main(arguments: list[str] | None = None) -> int:
    """The exit status; a mistake is one sentence on stderr."""
    options = parser().parse_args(arguments)
    if not (options.lib / "lwm2m" / "client.py").is_file():
        print(f"fuzz: --lib {options.lib} has no lwm2m/client.py", file=sys.stderr)
        return 2
    if options.target and options.target not in (names := _targets(options.lib)):
        print(f"fuzz: --target is one of: {' '.join(names)}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it ends as by Ctrl-C: with what was found until then
    seed = int(time.time()) % 1_000_000 + 1 if options.seed is None else options.seed
    try:
        return Campaign(options.seconds, seed, options.folder.resolve(), options.lib.resolve(), options.target).run()
    except OSError as error:
        print(f"fuzz: {options.folder} cannot be used: {error.strerror or error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
