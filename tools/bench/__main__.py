"""The command line: `python -m tools.bench [--quick] [--write-readme]`."""

import argparse
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass

from tools import mpy, size

from . import idle, memory, process, speed, table, wire
from .server import NoAnswer
from .table import Row

_KB = 1024
NOISE = 512  # bytes: what is remembered of the last requests is not always the same
_CPU, _ROUND_TRIP = 0, 1


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    rounds: int = 21
    requests: int = 1000  # a round, and for the smallest heap
    grow_requests: int = 100000
    grow_notifications: int = 10000
    heap_step_kb: int = 1
    idle_s: float = 5


QUICK = Effort(rounds=3, requests=200, grow_requests=1000, grow_notifications=200, heap_step_kb=32, idle_s=1)


def speed_rows(effort: Effort) -> list[Row]:
    """CPU time and round trip."""
    found = speed.measure(effort.rounds, effort.requests)
    echo, several = found[speed.ECHO], len(speed.PATHS)

    def row(who: str, name: str, which: int, budget: float | None = None) -> Row:
        ratio = speed.ratio(found[who], echo, which)
        measured = f"{ratio:.1f} x the echo ({speed.median_us(found[who], which):.0f} us)"
        if budget is None:
            return Row(name, measured)
        return Row(name, measured, f"at most {budget:.1f} x", ratio <= budget)

    return [
        row(speed.ECHO, "bare UDP echo: CPU time a datagram", _CPU),
        row(speed.ASYNCIO, "UDP echo under asyncio: CPU time a datagram", _CPU),
        row(speed.ROTATING, f"Read of one number: CPU time, {several} resources in turn", _CPU, 3.0),
        row(speed.SINGLE, "Read of one number: CPU time, always the same resource", _CPU, 3.0),
        row(speed.PEER, f"aiocoap's server: CPU time, {several} resources in turn", _CPU),
        row(speed.ROTATING, f"Read of one number: round trip, {several} resources in turn", _ROUND_TRIP),
        row(speed.SINGLE, "Read of one number: round trip, always the same resource", _ROUND_TRIP),
        row(speed.PEER, f"aiocoap's server: round trip, {several} resources in turn", _ROUND_TRIP),
    ]


def heap_rows(effort: Effort) -> list[Row]:
    """What memory is needed."""
    wide = process.evaluate("sys.maxsize > 1 << 32") == "True"
    bits, kept_kb, smallest_kb = (64, 64, 112) if wide else (32, 40, 64)
    bare, registered = memory.after_registration()
    plain = memory.smallest_heap(memory.plain_device, effort.requests, effort.heap_step_kb)
    virtual = memory.smallest_heap(process.virtual_board, effort.requests, effort.heap_step_kb)
    kept = registered - bare
    measured = f"{kept / _KB:.1f} KB ({registered / _KB:.1f} less {bare / _KB:.1f} of a bare interpreter)"
    return [
        Row(f"heap that stays after registration, {bits} bit", measured, f"{kept_kb} KB", kept <= kept_kb * _KB),
        Row("the same with lib/ frozen into the firmware", "not measured: needs a firmware of ours", "12 KB"),
        Row(
            f"smallest heap for {effort.requests} requests, {bits} bit",
            f"{plain} KB" if plain else "none found",
            f"{smallest_kb} KB",
            plain is not None and plain <= smallest_kb,
        ),
        Row("the same with make-believe pins and sensors, which are C on a board", f"{virtual} KB"),
    ]


def garbage_rows(effort: Effort) -> list[Row]:
    """What requests leave behind."""
    single, several = (memory.garbage(asked, effort.requests) for asked in ([memory.READ], memory.ALL))
    reads, notifications = memory.growth(effort.grow_requests, effort.grow_notifications)
    counts = f"{effort.grow_requests:,} Reads, {effort.grow_notifications:,} notifications"
    grown = f"{_grown(reads)}, {_grown(notifications)}"
    return [
        Row("garbage of a Read, always the same resource", f"{single:.0f} bytes", "1024 bytes", single < _KB),
        Row(f"garbage of a Read, {len(memory.ALL)} in turn", f"{several:.0f} bytes", "1024 bytes", several < _KB),
        Row(f"heap growth: {counts}", grown, "0, 0", max(reads, notifications) <= NOISE),
    ]


def _grown(bytes: int) -> str:
    return f"{bytes} bytes" if bytes > NOISE else "0"


def wire_rows(effort: Effort) -> list[Row]:
    """Bytes of datagrams."""
    return [
        Row(f"wire: {found.name}", f"{found.bytes} bytes", f"{found.least} + 2", found.bytes <= found.least + 2)
        for found in wire.measure()
    ]


def idle_rows(effort: Effort) -> list[Row]:
    """Wake-ups."""
    rows = []
    for sampling, name in ((False, "no sensors are read"), (True, "sensors are read each second")):
        woken, deadlines = idle.wake_ups(effort.idle_s, sampling)
        measured = f"{woken} in {effort.idle_s:g} s"
        rows.append(Row(f"idle: wake-ups while {name}", measured, f"{deadlines} deadlines", woken <= deadlines + 1))
    return rows


def size_rows(effort: Effort) -> list[Row]:
    """The compiled core."""
    sizes = mpy.build(mpy.deployed())
    core = sum(bytes for name, bytes in sizes.items() if size.room_of(name).is_core)
    return [
        Row("compiled core of lib/ (.mpy)", f"{core / _KB:.1f} KB", f"{size.BUDGET // _KB} KB", core <= size.BUDGET)
    ]


NOTES = """CPU time is user + system of the process, as the median of ratios of rounds taken in turns.
Heap: tools/bench/programs/device.py, Device and six IPSO objects on plain callables, lib/ as .mpy. Garbage: from socket
to socket.
Wire: the least is a header of 4 bytes, no token, and every option as short as it goes, for the same content. A Register
could leave out b=U (4 bytes) and rt="oma.lwm2m" (15), which are defaults; OMA's conformance case 101 lists them."""

PARTS: tuple[Callable[[Effort], list[Row]], ...] = (
    speed_rows,
    heap_rows,
    garbage_rows,
    wire_rows,
    idle_rows,
    size_rows,
)


def measure(effort: Effort) -> list[Row]:
    """Every row; what cannot be measured on this machine says why."""
    rows = []
    for part in PARTS:
        try:
            rows += part(effort)
        except (process.BenchError, NoAnswer) as error:
            rows.append(Row((part.__doc__ or "").rstrip("."), f"not measured: {error}"))
    return rows


def where() -> str:
    """Interpreter and machine, for the head of the table."""
    version = process.evaluate("'.'.join(str(part) for part in sys.implementation.version[:3])")
    return f"MicroPython {version}, Unix port, {platform.system()} {platform.machine()}"


def main(arguments: list[str] | None = None) -> int:
    """Print the table; the exit status is 0 whether the budgets are met or not."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description="speed and memory against the budgets")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes; the figures are rough")
    parser.add_argument("--write-readme", action="store_true", help="write the table into README.md")
    options = parser.parse_args(arguments)
    if mpy.micropython() is None:
        print("bench: no MicroPython for this machine: set MICROPYTHON=/path/to/micropython", file=sys.stderr)
        return 2
    print(f"Measuring {where()}; this takes {'some seconds' if options.quick else 'about a minute'}.", flush=True)
    rows = measure(QUICK if options.quick else Effort())
    print(table.text(rows))
    missed = sum(row.met is False for row in rows)
    print(NOTES)
    print(f"{missed} of the budgets are missed" if missed else "every budget is met")
    if options.write_readme:
        table.write(mpy.ROOT / "README.md", table.markdown(rows, where(), NOTES))
    return 0


if __name__ == "__main__":
    sys.exit(main())
