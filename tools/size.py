"""make size: how big the rooms of lib/ are, as .mpy on the flash and as RAM once imported."""

import argparse
import ast
import os
import subprocess
from collections import namedtuple
from pathlib import PurePosixPath

from tools import mpy

BUDGET = 32 * 1024  # bytes of .mpy for the core

Room = namedtuple("Room", "name patterns is_core", defaults=(False,))

# First match wins. Files of the core share the budget; the others are imported only by who uses them.
ROOMS = (
    Room("compat", ("compat.py",), True),
    Room("what not every firmware has", ("compat_load.py",)),
    Room("block-wise transfers", ("coap/block.py", "lwm2m/blocks.py")),
    Room("repeats of old actions", ("coap/repeats.py",)),
    Room("CoAP over TCP", ("coap/tcp.py", "lwm2m/transport/tcp.py")),
    Room("OSCORE", ("coap/ccm.py", "*/oscore*.py", "lwm2m/objects/oscore.py")),
    Room("CoAP", ("coap/*.py",), True),
    Room("DTLS", ("lwm2m/transport/dtls*.py", "lwm2m/credentials.py")),
    Room("bootstrap, accounts", ("lwm2m/bootstrap*.py", "lwm2m/accounts.py", "lwm2m/store.py")),
    Room("access control", ("lwm2m/access.py",)),
    Room("composite operations", ("lwm2m/composite*.py",)),
    Room("Send", ("lwm2m/send.py",)),
    Room("downloads, packages", ("lwm2m/fetch.py", "lwm2m/*sink.py")),
    Room("LwM2M 1.2", ("lwm2m/profile.py", "lwm2m/attributes_1_2.py")),
    Room("gateway", ("lwm2m/gateway.py",)),
    Room("while a server is away", ("lwm2m/stored.py",)),
    Room("Create and Delete", ("lwm2m/creating.py",)),
    Room("Objlnk", ("lwm2m/objlnk.py",)),
    Room("Execute", ("lwm2m/executing.py",)),
    Room("Write-Attributes", ("lwm2m/write_attributes.py",)),
    Room("queue mode", ("lwm2m/queue_mode.py",)),
    Room("after a failed Register", ("lwm2m/retry.py",)),
    Room("watchdog", ("lwm2m/watchdog.py",)),
    Room("runner and UDP", ("lwm2m/runner.py", "lwm2m/transport/__init__.py", "lwm2m/transport/udp.py")),
    Room("only at the start", ("lwm2m/bounds.py", "lwm2m/settings.py", "lwm2m/start.py", "lwm2m/table.py")),
    Room("Discover", ("lwm2m/discover.py",)),
    Room("client, interfaces, tree", ("lwm2m/*.py",), True),
    Room("text, TLV", tuple(f"lwm2m/formats/{name}.py" for name in ("__init__", "text", "tlv")), True),
    Room("other formats", ("lwm2m/formats/*.py",)),
    Room("other transports", ("lwm2m/transport/*.py",)),
    Room("objects", ("lwm2m/objects/*.py",)),
    Room("sensors", ("sensors/*.py",)),
)

# Runs on MicroPython: imports what it is told to and prints what each module left on the heap. What stands before
# "--" is not ours (asyncio, machine) and is imported first, uncounted.
_PROBE = """
import gc, sys
border = sys.argv.index("--")
for name in sys.argv[1:border]:
    __import__(name)
for name in sys.argv[border + 1:]:
    gc.collect()
    before = gc.mem_alloc()
    __import__(name)
    gc.collect()
    print(name, gc.mem_alloc() - before)
print("loaded:", " ".join(sys.modules))
"""


def room_of(name):
    """The Room of a file, given relative to lib/; raises SystemExit if it has none."""
    for room in ROOMS:
        if any(PurePosixPath(name).match(pattern) for pattern in room.patterns):
            return room
    raise SystemExit(f"lib/{name} belongs to no room: give it one in ROOMS of tools/size.py")


def module_of(name):
    """The module that a file of lib/ is: "lwm2m/formats/__init__.py" -> "lwm2m.formats"."""
    return name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def foreign_modules(names):
    """What the files of lib/ import at their top that is not in lib/, sorted."""
    found = set()
    for name in names:
        for node in ast.parse((mpy.LIB / name).read_text()).body:
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module)
    ours = {PurePosixPath(name).parts[0].removesuffix(".py") for name in names}
    return sorted(module for module in found if module.split(".")[0] not in ours)


def probe(folder, others, modules):
    """({module: bytes it left on the heap}, all modules loaded) after imports from `folder` in the Unix port."""
    path = f".frozen:{folder}:{mpy.ROOT / 'tools/board/modules'}"
    command = [mpy.micropython(), "-X", "heapsize=8m", "-c", _PROBE, *others, "--", *modules]
    done = subprocess.run(
        command, env=dict(os.environ, MICROPYPATH=path), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if done.returncode:
        raise SystemExit("lib/ cannot be imported:\n" + done.stdout)
    *rows, loaded = (line for line in done.stdout.splitlines())
    return {module: int(size) for module, size in (row.split() for row in rows)}, set(loaded.split()[1:])


def measure(folder):
    """(rooms, {room name: bytes of RAM}, modules that a program with `from lwm2m import Client` loads)."""
    names = sorted(mpy.build(folder))
    rooms = {room.name: [name for name in names if room_of(name) is room] for room in ROOMS}
    others = foreign_modules(names)
    core_first = sorted(ROOMS, key=lambda room: not room.is_core)  # what two rooms share counts for the first
    order = [module_of(name) for room in core_first for name in rooms[room.name]]
    ram, _ = probe(folder, others, order)
    _, loaded = probe(folder, others, ["lwm2m"])
    return rooms, {room: sum(ram[module_of(name)] for name in files) for room, files in rooms.items()}, loaded


def main(arguments=None):
    """Print the table."""
    argparse.ArgumentParser(
        prog="python -m tools.size", description="how big the rooms of lib/ are, as .mpy and as RAM"
    ).parse_args(arguments)
    if mpy.micropython() is None:
        raise SystemExit("make size needs MicroPython: set MICROPYTHON=/path/to/micropython")
    deployed = mpy.build("build/mpy")
    with_lines = mpy.build("build/mpy-lines", level=0)
    rooms, ram, loaded = measure("build/mpy")

    row = "{:27}{:>6}{:>9}{:>9}{:>16}{:>18}".format
    print(row("room of lib/", "files", ".mpy", "RAM", "loaded at once", "with line numbers"))
    for room in ROOMS:
        files = rooms[room.name]
        at_once = sum(module_of(name) in loaded for name in files)
        size, debug = (sum(sizes[name] for name in files) for sizes in (deployed, with_lines))
        name = room.name + " *" if room.is_core else room.name
        print(row(name, len(files), size, ram[room.name], f"{at_once} of {len(files)}", debug))
    print(row("all", len(deployed), sum(deployed.values()), sum(ram.values()), "", sum(with_lines.values())))
    core = sum(size for name, size in deployed.items() if room_of(name).is_core)
    verdict = "over budget" if core > BUDGET else "within budget"
    print(f"* the core: {core / 1024:.1f} KB of .mpy, {verdict} ({BUDGET / 1024:.0f} KB)")
    print(
        "Bytes. .mpy: as deployed, mpy-cross -O3. RAM: what stays on the heap of this 64-bit host once all of the room"
    )
    print("is imported, without MicroPython's own modules. Loaded at once: by `from lwm2m import Client`; the rest is")
    print("imported by who uses it and costs nothing before.")


if __name__ == "__main__":
    main()
