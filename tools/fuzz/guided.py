"""What the coverage-guided processes of a campaign run, with lib/ and host_tests/shared to import from:

guided.py TARGET SEED SECONDS FOLDER CORPUS    atheris, that is libFuzzer; "parsers" are all of these at once

It prints what worker.py prints. Inputs that reached something new are kept in the folder CORPUS, for the next campaign.
"""

import hashlib
import sys
import time
from pathlib import Path

import atheris  # pyright: ignore[reportMissingImports] - there are no wheels for some machines

# All the life long, as rooms of the client are imported on first use.
atheris.instrument_imports(include=["coap", "lwm2m"], enable_loader_override=False).__enter__()  # pyright: ignore

import compat  # noqa: E402

compat.forget = lambda package, name: None  # a room that comes back would be instrumented anew each time

import targets  # noqa: E402
from mutation import Chance, scrambled  # noqa: E402
from siege_script import varied  # noqa: E402
from tools.fuzz import worker  # noqa: E402

_LONGEST = {targets.CLIENT: 6000, "parsers": 600}  # bytes of an input
_TOLD_EVERY_s = 1


class Guided:
    """One target under libFuzzer. For "parsers" the first byte of an input says which."""

    def __init__(self, wanted: str, folder: Path):
        self.wanted = wanted
        self.folder = folder
        self.names = sorted(targets.checks()) if wanted == "parsers" else [wanted]
        self.known: list[str] = []
        self.runs = self.inputs = 0
        self.told = time.monotonic()

    def split(self, data: bytes) -> tuple[str, bytes]:
        """(target, its input)."""
        if self.wanted != "parsers":
            return self.wanted, data
        return self.names[data[0] % len(self.names)], data[1:]

    def seeds(self) -> list[bytes]:
        """What to begin with."""
        if self.wanted == targets.CLIENT:
            return [next(targets.inputs(targets.CLIENT, Chance(seed), 1))[:1500] for seed in range(16)]
        found = []
        for at, name in enumerate(self.names):
            head = bytes([at]) if self.wanted == "parsers" else b""
            found += [head + bytes(seed) for seed in targets.checks()[name][1]]
        return found

    def run(self, data: bytes) -> None:
        """One input, as libFuzzer wants to have it run."""
        if not data:
            return
        name, rest = self.split(data)
        count, found, text = worker.attempt(name, rest)
        self.runs += 1
        self.inputs += count
        if found and found not in self.known:
            self.known.append(found)
            path = self.folder / f"{name}-{hashlib.sha256(rest).hexdigest()[:8]}.hex"
            worker.keep(str(path), rest, text)
            print(f"CRASH {path} {found}", flush=True)
        if time.monotonic() - self.told > _TOLD_EVERY_s:
            print(f"LIFE {self.runs} {self.inputs} {self.wanted}", flush=True)
            self.inputs, self.told = 0, time.monotonic()

    def mutate(self, data: bytes, most: int, seed: int) -> bytes:
        """Another input, made of one: what knows the structure, or libFuzzer's own, which knows what was compared."""
        chance = Chance(seed)
        if not chance.below(4):
            return atheris.Mutate(data, most)
        if self.wanted == targets.CLIENT:
            return varied(data, chance, most)
        head = data[:1] if self.wanted == "parsers" else b""
        other = chance.pick(list(targets.checks()[self.split(data or b"\0")[0]][1]))
        return (head + scrambled(data[len(head) :], other, chance))[:most]


def main(wanted: str, seed: str, seconds: str, folder: str, corpus: str) -> None:
    """Until the time is over."""
    guided = Guided(wanted, Path(folder))
    path = Path(corpus)
    path.mkdir(parents=True, exist_ok=True)
    for data in guided.seeds():
        (path / ("seed-" + hashlib.sha256(data).hexdigest()[:16])).write_bytes(data)
    options = [f"-seed={seed}", f"-max_total_time={seconds}", f"-max_len={_LONGEST.get(wanted, 600)}", "-timeout=30"]
    options += [f"-artifact_prefix={folder}/never-ended-{wanted}-", "-rss_limit_mb=2048", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, corpus], guided.run, custom_mutator=guided.mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
