"""The processes of a campaign: which there are on this machine, how each is started, what it says."""

import importlib.util
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from tools import mpy
from tools.mpy import ROOT

HERE = Path(__file__).parent
SHARED = ROOT / "host_tests" / "shared"
_HEAP = "8m"  # MicroPython's: the client, and the scripted servers around it
SILENCE_S = 60  # of a process that hangs


def environment(lib: Path) -> dict[str, str]:
    """Where both Pythons find what is fuzzed and what fuzzes it."""
    paths = [str(lib), str(SHARED)]
    return {**os.environ, "PYTHONPATH": ":".join([*paths, str(ROOT)]), "MICROPYPATH": ":".join([".frozen", *paths])}


def interpreter(name: str) -> list[str]:
    """The command that runs a file under "cpython" or "micropython"."""
    if name == "cpython":
        return [sys.executable]
    return [mpy.micropython() or "micropython", "-X", f"heapsize={_HEAP}"]


def available() -> tuple[list[str], list[str]]:
    """(engines, sentences about those that are not there)."""
    engines, missing = ["atheris"], []
    if importlib.util.find_spec("atheris") is None:
        engines = ["cpython"]
        missing.append("atheris has no wheel for this machine: on CPython the inputs are random, not led by coverage")
    if mpy.micropython():
        engines.append("micropython")
    else:
        missing.append("no MicroPython for this machine (MICROPYTHON=/path/to/micropython names one): CPython alone")
    return engines, missing


class Engine:
    """One process: `engine` is atheris, cpython or micropython, `target` the client, "parsers" or one of these."""

    def __init__(self, engine: str, target: str, seed: int, seconds: int, folder: Path, lib: Path):
        self.name = f"{engine} {target}"
        self.engine, self.target, self.seed, self.lib = engine, target, seed, lib
        self.inputs = 0
        self.last_life = seed - 1
        self.crashes: list[tuple[Path, str]] = []
        self.other: list[str] = []  # lines that nobody has asked for
        self.heard_at = time.monotonic()
        self.hung = False  # when it was ended
        corpus = folder / "corpus" / target
        if engine == "atheris":
            words = [str(HERE / "guided.py"), target, str(seed), str(seconds), str(folder / "found"), str(corpus)]
        else:
            words = [str(HERE / "worker.py"), "random", target, str(seed), str(folder / "found")]
        self.process = subprocess.Popen(
            [*interpreter("micropython" if engine == "micropython" else "cpython"), *words],
            cwd=ROOT,
            env=environment(lib),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            word, *rest = line.split() or [""]
            self.heard_at = time.monotonic()
            if word == "LIFE":
                self.last_life, count = int(rest[0]), int(rest[1])
                self.inputs += count
            elif word == "CRASH":
                self.crashes.append((Path(rest[0]), rest[1]))
            elif word not in ("", "INFO:"):
                self.other = [*self.other[-30:], line.rstrip()]

    @property
    def hangs(self) -> bool:
        """Whether it has said nothing for too long, though it runs."""
        return self.process.poll() is None and time.monotonic() - self.heard_at > SILENCE_S

    def end(self) -> int | None:
        """Stop it; returns the exit status if it had ended by itself."""
        status, self.hung = self.process.poll(), self.hangs
        self.process.kill()
        self.process.wait()
        self._reader.join(5)
        return status


def worker(engine: str, lib: Path, *words: str, limit_s: float = 60) -> subprocess.CompletedProcess[str]:
    """Run worker.py to its end under an interpreter. Raises subprocess.TimeoutExpired."""
    command = [*interpreter("micropython" if engine == "micropython" else "cpython"), str(HERE / "worker.py"), *words]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment(lib),
        text=True,
        errors="replace",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=limit_s,
    )
