"""The command line: `python -m tools.soak [--minutes N] [--seed N]`."""

import argparse
import asyncio
import logging
import signal
import sys
import tempfile
import time
from pathlib import Path

from tools import mpy
from tools.fuzz.engines import environment, interpreter
from tools.lab import LabError
from tools.mpy import LIB, ROOT

WARM_UP = {"cpython": 12, "micropython": 3}  # as in season.py

_EPILOG = """Half of it is virtual time: one process for each Python, hours in seconds. The other half are boards, a lab
server and networks between them. All chance is that of the seed, but in real time nothing happens twice in one way.
Exit status: 0 if all ends where it began, 1 with a sentence if not, 2 for what cannot be meant."""


def parser() -> argparse.ArgumentParser:
    """The options."""
    p = argparse.ArgumentParser(
        prog="python -m tools.soak",
        description="Let everything happen at random for a while, and look whether all ends where it began.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    p.add_argument("--minutes", type=_minutes, default=3, metavar="N", help="how long, 0.5 and the like allowed (3)")
    p.add_argument("--seed", type=_seed, metavar="N", help="of all chance (default: the time of day)")
    p.add_argument("--part", choices=("virtual", "real"), help="only this one")
    return p


def _minutes(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of minutes")
    return value


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1 << 30:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 1073741823")
    return int(text)


async def seasons(name: str, seed: int, seconds: int) -> str | None:
    """Virtual time under one Python; what went wrong, or None."""
    process = await asyncio.create_subprocess_exec(
        *(*interpreter(name), str(Path(__file__).parent / "season.py"), str(seed), str(seconds)),
        cwd=ROOT,
        env=environment(LIB),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    lines = output.decode(errors="replace").splitlines()
    told = [line for line in lines if line.startswith("HOURS ")]
    if told:
        _, hours, _, events, _, datagrams, _, heap = told[-1].split()
        print(
            f"virtual  {name}: {int(hours):,} hours in {len(told)} seasons, {events} events, {datagrams} datagrams, ",
            end="",
        )
        warm = told[: WARM_UP[name]][-1].split()[-1]
        print(f"heap {int(heap) - int(warm):+d} bytes", flush=True)
    if process.returncode == 0:
        return None
    return f"virtual time, {name}: " + "\n    ".join(line for line in lines if line not in told)


async def boards(seed: int, seconds: float) -> str | None:
    """Real time; what went wrong, or None."""
    from .real import Soak, SoakError

    interpreters = ["unix", "cpython"] if mpy.micropython() else ["cpython"]
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        soak = Soak(seconds, seed, Path(folder), interpreters)
        try:
            await soak.run()
        except (SoakError, LabError) as problem:
            return f"real time: {problem}"
        finally:
            events = ", ".join(f"{count} {name}" for name, count in sorted(soak.counts.items()))
            print(f"real     {len(soak.lives)} boards: {events}")
            print(f"         {soak.answers} answers, {soak.errors} time-outs and refusals,", end=" ")
            print(f"{soak.notifications} notifications", flush=True)
    return None


async def soak(options: argparse.Namespace, seed: int) -> int:
    """Both parts at once; the exit status."""
    seconds = options.minutes * 60
    parts = []
    if options.part != "real":
        names = ["cpython", "micropython"] if mpy.micropython() else ["cpython"]
        parts += [seasons(name, seed, int(seconds)) for name in names]
    if options.part != "virtual":
        parts.append(boards(seed, seconds))
    main = asyncio.current_task()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: main and main.cancel())
    problems = [problem for problem in await asyncio.gather(*parts) if problem]
    for problem in problems:
        print(f"soak: {problem}", file=sys.stderr)
    return 1 if problems else 0


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    options = parser().parse_args(arguments)
    seed = int(time.time()) % 1_000_000 + 1 if options.seed is None else options.seed
    sys.path[:0] = [str(LIB), str(ROOT / "host_tests" / "shared")]  # the networks are those of the tests
    logging.getLogger("coap-server").setLevel(logging.CRITICAL)  # it tells of every message that was lost
    print(f"seed {seed}, {options.minutes:g} minutes", flush=True)
    started = time.monotonic()
    try:
        status = asyncio.run(soak(options, seed))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("stopped")
        return 1
    took = time.monotonic() - started
    print(f"{'all is where it began' if not status else 'not all is where it began'}, after {took:.0f} s, seed {seed}")
    return status


if __name__ == "__main__":
    sys.exit(main())
