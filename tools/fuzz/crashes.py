"""What a campaign has found: one reproducer for each way to go wrong, as small as it can be made in a short time."""

import re
import subprocess
from pathlib import Path

from .engines import Engine, worker

_SHRINK_S = 20
_NEVER = "never-ended"


def again(engine: str, folder: Path, known: list[Path], lib: Path) -> list[tuple[Path, str]]:
    """[(file, signature)] of the reproducers of earlier campaigns, and of the vectors, that still go wrong."""
    found = []
    for path in [*known, *sorted(folder.glob("*.hex"))]:
        try:
            done = worker(engine, lib, "replay", str(path))
        except subprocess.TimeoutExpired:
            found.append((path, _NEVER))
            continue
        signature = re.search(r"^CRASH \S+ (\S+)", done.stdout, re.MULTILINE)
        if signature or done.returncode:
            found.append((path, signature[1] if signature else f"status {done.returncode}"))
    return found


def gather(engines: list[Engine], folder: Path) -> list[tuple[Path, str, str]]:
    """[(file, signature, engine)] of what is new, each signature once, each file shrunk and moved into `folder`."""
    found: dict[str, tuple[Path, str, str]] = {}
    for engine in engines:
        for path, signature in engine.crashes:
            if signature not in found and path.exists():
                found[signature] = (_shrunk(engine, path, folder), signature, engine.engine)
    return list(found.values())


def _shrunk(engine: Engine, path: Path, folder: Path) -> Path:
    target = path.name.partition("-")[0]
    kept = folder / f"{target}-{engine.engine}-{path.stem.partition('-')[2]}.hex"
    kept.write_text(path.read_text())
    path.unlink()
    try:
        worker(engine.engine, engine.lib, "shrink", str(kept), str(_SHRINK_S), limit_s=_SHRINK_S + 40)
    except subprocess.TimeoutExpired:
        return kept
    return kept


def without_end(engine: Engine, folder: Path) -> list[tuple[Path, str, str]]:
    """What a process was doing when it hung or died: its next life is lived again, each input kept before it is
    tried."""
    if engine.engine == "atheris":
        return _artifacts(engine, folder)
    try:
        done = worker(engine.engine, engine.lib, "trace", engine.target, str(engine.last_life + 1), str(folder))
        if not done.returncode:
            return []
        signature = f"status {done.returncode}"
    except subprocess.TimeoutExpired:
        signature = _NEVER
    newest = max(folder.glob("*.hex"), key=lambda path: path.stat().st_mtime, default=None)
    return [(newest, signature, engine.engine)] if newest else []


def _artifacts(engine: Engine, folder: Path) -> list[tuple[Path, str, str]]:
    """What libFuzzer has kept of inputs that took over 30 s, or too much memory."""
    found = []
    for path in (folder.parent / "found").glob(f"{_NEVER}-{engine.target}-*"):
        if engine.target == "parsers":
            found.append((path, "the first byte is the target's number in alphabetical order", engine.engine))
            continue
        kept = folder / f"{engine.target}-{path.name.removeprefix(_NEVER)}.hex"
        kept.write_text(f"# never came to an end\n{path.read_bytes().hex()}\n")
        path.unlink()
        found.append((kept, _NEVER, engine.engine))
    return found
