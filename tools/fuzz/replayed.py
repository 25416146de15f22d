"""The corpus once more, for coverage.py:  replayed.py SECONDS FOLDER [TARGET]"""

import contextlib
import sys
import time
from pathlib import Path

import targets
from mutation import Chance
from tools.fuzz.report import sample


def inputs(folder: Path, wanted: str | None):
    """(target, bytes) of all that is in the corpus, then of chance."""
    names = sorted(targets.checks())
    for name in [wanted] if wanted and wanted != targets.CLIENT else names if not wanted else []:
        for data in targets.inputs(name, Chance(1), 100):
            yield name, data
    corpora = [iter(sample(folder / one)) for one in ([wanted] if wanted else [targets.CLIENT, "parsers"])]
    while corpora:
        for files in list(corpora):
            path = next(files, None)
            if path is None:
                corpora.remove(files)
            elif path.parent.name == "parsers":
                data = path.read_bytes() or b"\0"
                yield names[data[0] % len(names)], data[1:]
            else:
                yield path.parent.name, path.read_bytes()
    if wanted in (None, targets.CLIENT):
        for seed in range(1000):
            yield targets.CLIENT, next(targets.inputs(targets.CLIENT, Chance(seed), 1))


def main(seconds: str, folder: str, wanted: str | None = None) -> None:
    """As much as there is time for."""
    until = time.monotonic() + int(seconds)
    for name, data in inputs(Path(folder), wanted):
        if time.monotonic() > until:
            return
        with contextlib.suppress(Exception):  # it is known by now
            targets.run(name, data)


if __name__ == "__main__":
    main(*sys.argv[1:])
