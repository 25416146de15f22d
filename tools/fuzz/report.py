"""What a campaign has seen of lib/: coverage.py while its corpus is played once more."""

import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.mpy import ROOT

from .engines import HERE, environment

_OMIT = ("transport", "runner.py", "__init__.py")  # sockets: what is fuzzed here is what has none
_LATER_S = 30  # for the start, and for the input that is under way when the time is over


def coverage(folder: Path, lib: Path, target: str | None, seconds: int) -> list[str]:
    """Lines for people: how much of lib/coap and lib/lwm2m the corpus in `folder` reaches, and where least."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as temporary:
        data, out = Path(temporary) / "data", Path(temporary) / "coverage.json"
        measured = [f"{lib}/coap/*", f"{lib}/lwm2m/*"]
        omitted = [f"*/{name}*" for name in _OMIT]
        run = ["run", f"--data-file={data}", "--include=" + ",".join(measured), "--omit=" + ",".join(omitted)]
        words = [str(HERE / "replayed.py"), str(seconds), str(folder), *([target] if target else [])]
        try:
            _coverage(lib, seconds + _LATER_S, *run, *words)
            said = _coverage(lib, _LATER_S, "json", f"--data-file={data}", "-q", "-o", str(out))
        except subprocess.TimeoutExpired:
            return ["coverage   cannot be told: something in the corpus never comes to an end"]
        if not out.exists():
            return ["coverage   cannot be told: " + (said.strip().splitlines() or ["no word"])[-1]]
        return _table(json.loads(out.read_text()), lib)


def _coverage(lib: Path, limit_s: float, *words: str) -> str:
    """What coverage.py prints. Raises subprocess.TimeoutExpired."""
    return subprocess.run(
        [sys.executable, "-m", "coverage", *words],
        cwd=ROOT,
        env=environment(lib),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=limit_s,
    ).stdout


def _table(found: dict, lib: Path) -> list[str]:
    lines = []
    for room in ("coap", "lwm2m"):
        files = {name: one["summary"] for name, one in found["files"].items() if f"/{room}/" in f"/{name}"}
        total, covered = (sum(one[key] for one in files.values()) for key in ("num_statements", "covered_lines"))
        if total:
            lines.append(f"coverage   lib/{room}: {covered} of {total} lines, {100 * covered // total} %")
    least = sorted(found["files"].items(), key=lambda one: one[1]["summary"]["percent_covered"])[:6]
    words = [f"{Path(name).name} {int(one['summary']['percent_covered'])} %" for name, one in least]
    lines.append("           least: " + ", ".join(words))
    return lines


def sample(folder: Path, seed: int = 1) -> list[Path]:
    """The files of a corpus in an order by chance: there may be more than there is time for."""
    files = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    random.Random(seed).shuffle(files)
    return files
