"""The laws of the house as functions: each takes one Source and yields a sentence for every breach it finds."""

import ast
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]


class Source(NamedTuple):
    """One Python file: its path from the root of the repository, its text and its syntax tree."""

    path: str
    text: str
    tree: ast.Module


def source(path, text):
    """A Source from text, as the tests of the laws themselves need it."""
    return Source(path, text, ast.parse(text))


def sources(*patterns):
    """The Python files of the repository that match the glob patterns, such as "lib/**/*.py"."""
    paths = sorted({path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()})
    return [source(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths]


class Room(NamedTuple):
    """Files that belong together, the rooms they may import besides their own, and whether they may do I/O."""

    name: str
    files: tuple
    below: str
    does_io: bool = False


_INTERFACES = (
    "access accounts blocks bootstrap* composite* creating credentials discover executing gateway management objlnk "
    "oscore* profile queue_mode registration reporting retry send settings stored write_attributes writing"
)

# First match wins. "entry" is what a program imports: the package lwm2m itself.
ROOMS = (
    Room("compat", ("lib/compat.py", "lib/compat_host.py", "lib/compat_load.py"), "", True),
    Room("DTLS", ("lib/dtls_host.py", "lib/dtls_context.py"), "", True),
    Room("coap", ("lib/coap/*.py",), "compat"),
    Room("sensors", ("lib/sensors/*.py",), "compat", True),
    Room("store", ("lib/lwm2m/store.py", "lib/lwm2m/file_sink.py"), "compat coap base", True),
    Room("transport", ("lib/lwm2m/transport/*.py",), "compat coap base DTLS", True),
    Room("formats", ("lib/lwm2m/formats/*.py",), "compat coap base"),
    Room("objects", ("lib/lwm2m/objects/*.py",), "compat coap base formats tree"),
    Room(
        "base",
        tuple(f"lib/lwm2m/{name}.py" for name in ("attributes*", "bounds", "config", "fetch", "log", "path", "sink")),
        "compat coap",
    ),
    Room(
        "tree",
        tuple(f"lib/lwm2m/{name}.py" for name in ("change", "object", "table", "tree")),
        "compat coap base formats",
    ),
    Room(
        "interfaces",
        tuple(f"lib/lwm2m/{name}.py" for name in _INTERFACES.split()),
        "compat coap base formats tree objects store",
    ),
    Room("client", ("lib/lwm2m/client.py",), "compat coap base formats tree objects interfaces store"),
    Room(
        "runner",
        ("lib/lwm2m/runner.py", "lib/lwm2m/start.py", "lib/lwm2m/watchdog.py"),
        "compat coap base formats tree objects interfaces client store transport",
        True,
    ),
    Room("entry", ("lib/lwm2m/__init__.py",), "client runner"),
    Room("program", ("boot.py", "main.py"), "compat entry base objects sensors", True),
)

# Sockets, clocks, chance, hardware, the operating system (law 2). MicroPython's old names begin with a u.
_IO = "_thread asyncio esp esp32 machine neopixel network os random select socket ssl subprocess threading time tls vfs"
IO_MODULES = {*_IO.split(), *("u" + name for name in _IO.split())}


def room_of(path):
    """The Room of a file, or None."""
    return next((room for room in ROOMS if any(fnmatch(path, pattern) for pattern in room.files)), None)


def imports(src):
    """(line, dotted name) of every import in the file, wherever it stands; also __import__ of a literal."""
    package = src.path.removeprefix("lib/").removesuffix(".py").split("/")[:-1]
    for node in ast.walk(src.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = [*package[: len(package) - node.level + 1]] if node.level else []
            base += node.module.split(".") if node.module else []
            for alias in node.names:
                yield node.lineno, ".".join([*base, alias.name])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "__import__":
            literals = [part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)]
            yield node.lineno, str(literals[0]).rstrip(".") if literals else "?"


def _target(name):
    """The room that a dotted name leads to: the file it is, or the one it is a name of; None if it is not ours."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        path = "/".join(parts[:end])
        for file in (f"lib/{path}.py", f"lib/{path}/__init__.py", f"{path}.py"):
            room = room_of(file)
            if room:
                return room
    return None


def imports_point_down(src):
    """Law 1: a file imports from its own room and from those below it."""
    room = room_of(src.path)
    if room is None:
        yield f"{src.path} belongs to no room: give it one in host_tests/cpython/laws.py"
        return
    for line, name in imports(src):
        target = _target(name)
        if target and target is not room and target.name not in room.below.split():
            yield f"{src.path}:{line}: {room.name} must not import {target.name} ({name})"


def no_io_in_the_core(src):
    """Laws 1 and 2: no socket, clock, chance or hardware but where rooms are made for it."""
    room = room_of(src.path)
    if room and room.does_io:
        return
    for line, name in imports(src):
        if name.split(".")[0] in IO_MODULES:
            yield f"{src.path}:{line}: imports {name}; only transport, runner, sensors, compat and the programs do I/O"


def only_compat_asks_which_python(src):
    """Habit 13: one file knows that there are two Pythons."""
    if src.path in ("lib/compat.py", "lib/compat_load.py"):
        return
    for node in ast.walk(src.tree):
        if (
            isinstance(node, ast.ExceptHandler)
            and node.type
            and _names(node.type) & {"ImportError", "ModuleNotFoundError"}
        ):
            yield f"{src.path}:{node.lineno}: tries an import; lib/compat.py is the place for that"
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.implementation", "sys.platform"):
            yield f"{src.path}:{node.lineno}: asks {ast.unparse(node)}; lib/compat.py is the place for that"
    for line, name in imports(src):
        if name.split(".")[0] == "micropython" or name in ("sys.implementation", "sys.platform"):
            yield f"{src.path}:{line}: imports {name}; lib/compat.py is the place for that"


def one_place_assigns_state(src):
    """Law 4: only one function, besides constructors, assigns the registration's state; nobody does so from outside."""
    is_machine = src.path == "lib/lwm2m/registration.py"
    owners = {}
    for function, node in _assignments(src.tree):
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            for part in ast.walk(target):
                if not (isinstance(part, ast.Attribute) and part.attr in ("state", "_state")):
                    continue
                if ast.unparse(part.value) != "self":
                    yield f"{src.path}:{part.lineno}: assigns the state of another object"
                elif is_machine and function != "__init__":
                    owners.setdefault(function, part.lineno)
    if is_machine and len(owners) != 1:
        yield f"{src.path}: state is assigned in {sorted(owners) or 'no function'}, and should be in exactly one"


def _assignments(tree):
    """(name of the innermost function, assignment) for each assignment statement."""
    stack = [("", tree)]
    while stack:
        function, node = stack.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            function = node.name
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
            yield function, node
        stack += [(function, child) for child in ast.iter_child_nodes(node)]


def files_and_functions_are_short(src):
    """Habit 16, its hard limits: 400 lines a file, 60 a function; main.py stays under 60."""
    limit = 59 if src.path == "main.py" else 400
    lines = len(src.text.splitlines())
    if lines > limit:
        yield f"{src.path}: {lines} lines, more than {limit}"
    for node in ast.walk(src.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > 60:
                yield f"{src.path}:{node.lineno}: {node.name} has {lines} lines, more than 60"


def excepts_are_honest(src):
    """No bare except, and nobody catches everything to do nothing."""
    for node in ast.walk(src.tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        if node.type is None:
            yield f"{src.path}:{node.lineno}: bare except"
        elif _names(node.type) & {"Exception", "BaseException"} and all(isinstance(s, ast.Pass) for s in node.body):
            yield f"{src.path}:{node.lineno}: swallows every exception"


def public_names_have_docstrings(src):
    """Habit 16: a docstring on every module and every public class, function and method (free in RAM).

    A class of nothing but assignments, such as an exception with its code, says all in its name; of several
    definitions of one name, one docstring is enough.
    """
    if not ast.get_docstring(src.tree):
        yield f"{src.path}: the module has no docstring"
    missing, documented = {}, set()
    for name, node in _public(src.tree.body, ""):
        if ast.get_docstring(node) or (isinstance(node, ast.ClassDef) and _only_assigns(node)):
            documented.add(name)
        else:
            missing.setdefault(name, node.lineno)
    for name in sorted(missing.keys() - documented):
        yield f"{src.path}:{missing[name]}: {name} has no docstring"


def _public(body, prefix):
    """(dotted name, node) of public definitions, also those inside if and try."""
    for node in body:
        if isinstance(node, (ast.If, ast.Try)):
            handlers = [statement for handler in getattr(node, "handlers", ()) for statement in handler.body]
            yield from _public([*node.body, *node.orelse, *handlers], prefix)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from _public(node.body, prefix + node.name + ".")


def _only_assigns(node):
    return bool(node.bases) and all(isinstance(statement, (ast.Assign, ast.Pass)) for statement in node.body)


def _names(node):
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def no_import_cycles(srcs):
    """Law 1 within the rooms: following the imports at the top of files never leads back."""
    known = {src.path.removeprefix("lib/").removesuffix(".py").replace("/", "."): src for src in srcs}
    graph = {name: {dep for dep in _top_level(src) if dep in known and dep != name} for name, src in known.items()}
    while graph:
        leaves = {name for name, needs in graph.items() if not needs & graph.keys()}
        if not leaves:
            yield "these files import each other in a circle, or one that does: " + ", ".join(sorted(graph))
            return
        graph = {name: needs for name, needs in graph.items() if name not in leaves}


def _top_level(src):
    """Modules that a file imports when it is itself imported."""
    statements = [node for node in src.tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    for _, name in imports(Source(src.path, "", ast.Module(statements, []))):
        yield name
        yield name.rpartition(".")[0]
