"""A campaign: reproducers of earlier ones first, then all engines at once for a while, then what they have found."""

import os
import time
from pathlib import Path

from . import crashes, report
from .engines import Engine, available

_TOLD_EVERY_S = 60
_HOST_ONLY = ("dtls",)  # CPython's own
VECTORS = Path(__file__).parents[2] / "host_tests" / "vectors" / "fuzz"


class Campaign:
    """`seconds` of fuzzing with everything that is kept in `folder`; target None is all there is."""

    def __init__(self, seconds: int, seed: int, folder: Path, lib: Path, target: str | None = None):
        self.seconds, self.seed, self.folder, self.lib, self.target = seconds, seed, folder, lib, target
        self.kinds, self.missing = available()
        self.engines: list[Engine] = []
        self.found: list[tuple[Path, str, str]] = []

    def run(self) -> int:
        """The exit status: 1 if anything went wrong."""
        for name in ("found", "crashes"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for line in self.missing:
            print(line)
        self._replay()
        self._start()
        started = time.monotonic()
        try:
            self._watch(started)
        except KeyboardInterrupt:
            print("stopped")
        finally:
            statuses = [engine.end() for engine in self.engines]
        self._judge(statuses)
        self._tell(time.monotonic() - started)
        return 1 if self.found else 0

    def _replay(self) -> None:
        known = sorted(VECTORS.glob("*.hex"))
        for kind in self.kinds:
            if kind != "atheris" or "cpython" not in self.kinds:
                for path, signature in crashes.again(kind, self.folder / "crashes", known, self.lib):
                    print(f"still there: {path}  {signature}", flush=True)
                    self.found.append((path, signature, kind))

    def _start(self) -> None:
        """Each engine on the client and on the parsers. The client is the one with the most to find: CPython without
        coverage, which is ten times as fast, joins in, and more of it where there are cores."""
        wanted = [self.target] if self.target else ["client", "parsers"]
        for target in wanted:
            for kind in self.kinds:
                if kind != "micropython" or target not in _HOST_ONLY:
                    self._add(kind, target)
        for _ in range(max(1, (os.cpu_count() or 1) - len(self.engines))):
            self._add("cpython", wanted[0])
        names = ", ".join(engine.name for engine in self.engines)
        print(f"{self.seconds} s, seed {self.seed}: {names}", flush=True)

    def _add(self, kind: str, target: str) -> None:
        seed = self.seed * 1000003 + len(self.engines) * 10000019 & 0x3FFFFFFF
        self.engines.append(Engine(kind, target, seed, self.seconds, self.folder, self.lib))

    def _watch(self, started: float) -> None:
        """Until the time is over, or all have ended."""
        told = started
        while time.monotonic() - started < self.seconds:
            time.sleep(0.2)
            if time.monotonic() - told > _TOLD_EVERY_S:
                told = time.monotonic()
                print(f"{int(told - started):6d} s  {self.inputs():,} inputs", flush=True)
            if all(engine.process.poll() is not None or engine.hangs for engine in self.engines):
                return

    def inputs(self, target: str | None = None) -> int:
        """Datagrams to the client, and inputs to the parsers, so far."""
        return sum(engine.inputs for engine in self.engines if target in (None, engine.target))

    def _judge(self, statuses: list[int | None]) -> None:
        self.found += crashes.gather(self.engines, self.folder / "crashes")
        for engine, status in zip(self.engines, statuses, strict=True):
            if engine.hung or status not in (None, 0, 72):  # 72: libFuzzer's, when it was interrupted
                lost = crashes.without_end(engine, self.folder / "crashes")
                self.found += lost
                if not lost:
                    print(f"{engine.name} ended with status {status}:", *engine.other, sep="\n    ")
                    self.found.append((self.folder, f"status {status}", engine.engine))

    def _tell(self, took_s: float) -> None:
        for engine in self.engines:
            print(f"{engine.name:22}{engine.inputs:>12,} inputs {engine.inputs / took_s:>10,.0f} /s")
        datagrams = self.inputs("client")
        rate = datagrams / took_s
        print(f"in all     {datagrams:,} datagrams to the client, {self.inputs() - datagrams:,} inputs to parsers")
        if rate:
            print(f"           {rate:,.0f} datagrams a second: ten million in {10_000_000 / rate / 60:,.0f} minutes")
        limit_s = max(5, min(60, self.seconds // 6))
        for line in report.coverage(self.folder / "corpus", self.lib, self.target, limit_s):
            print(line)
        for path, signature, kind in self.found:
            print(f"CRASH      {signature} ({kind})\n           {path}")
        print("nothing has gone wrong" if not self.found else f"{len(self.found)} ways to go wrong", flush=True)
