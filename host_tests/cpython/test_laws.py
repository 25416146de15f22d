"""The laws hold in every file they speak of, and each law's own checker can fail."""

import subprocess

import pytest

from host_tests.cpython import laws

BOARD = laws.sources("lib/**/*.py", "boot.py", "main.py")
CODE = BOARD + laws.sources("tools/**/*.py")
LIB = [src for src in CODE if src.path.startswith("lib/")]

ALLOWED_AT_TOP = {"boot.py", "main.py", "lib", "firmware", "host_tests", "tools"} | {
    "Makefile",
    "README.md",
    "SECURITY.md",
    "LICENSE",
    "package.json",
    "pyproject.toml",
}


@pytest.mark.parametrize(
    ("law", "sources"),
    [
        (laws.imports_point_down, BOARD),
        (laws.no_io_in_the_core, BOARD),
        (laws.only_compat_asks_which_python, BOARD),
        (laws.one_place_assigns_state, LIB),
        (laws.files_and_functions_are_short, CODE),
        (laws.excepts_are_honest, CODE),
        (laws.public_names_have_docstrings, BOARD),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_law(law, sources):
    """No file breaks the law."""
    breaches = [breach for src in sources for breach in law(src)]
    assert not breaches, "\n".join(breaches)


def test_no_import_cycles():
    """The files of lib/ can be put in an order in which each imports only earlier ones."""
    assert list(laws.no_import_cycles(LIB)) == []


def test_the_laws_see_the_files():
    """The lists above are not empty: the files that matter most are on them."""
    paths = {src.path for src in CODE}
    assert {"lib/compat.py", "lib/coap/message.py", "lib/lwm2m/registration.py", "main.py", "boot.py"} <= paths
    assert len([path for path in paths if path.startswith("tools/")]) > 10


def test_state_machine_is_where_the_law_looks():
    """Law 4 is about a function that exists."""
    (machine,) = laws.sources("lib/lwm2m/registration.py")
    moved = laws.source(machine.path, machine.text.replace("self.state = ", "self.status = "))
    assert list(laws.one_place_assigns_state(machine)) == []
    assert list(laws.one_place_assigns_state(moved)) != []


@pytest.mark.parametrize(
    ("law", "path", "text", "word"),
    [
        (laws.imports_point_down, "lib/coap/message.py", "from lwm2m.tree import Tree", "must not import tree"),
        (laws.imports_point_down, "lib/coap/block.py", "def f():\n    import lwm2m.path", "must not import base"),
        (
            laws.imports_point_down,
            "lib/coap/block.py",
            "__import__('lwm2m.formats.' + name)",
            "must not import formats",
        ),
        (laws.imports_point_down, "lib/lwm2m/tree.py", "from lwm2m import client", "must not import client"),
        (laws.imports_point_down, "lib/lwm2m/tree.py", "from . import client", "must not import client"),
        (laws.imports_point_down, "lib/lwm2m/objects/device.py", "from ..reporting import x", "must not import interf"),
        (laws.imports_point_down, "lib/lwm2m/client.py", "import lwm2m.runner", "must not import runner"),
        (
            laws.imports_point_down,
            "lib/lwm2m/client.py",
            "from lwm2m.transport.udp import Transport",
            "must not import trans",
        ),
        (laws.imports_point_down, "lib/lwm2m/client.py", "from sensors import board", "must not import sensors"),
        (laws.imports_point_down, "lib/lwm2m/client.py", "from lwm2m import Client", "must not import entry"),
        (laws.imports_point_down, "lib/sensors/bme.py", "from coap import codes", "must not import coap"),
        (laws.imports_point_down, "lib/lwm2m/nobody.py", "", "belongs to no room"),
        (laws.no_io_in_the_core, "lib/lwm2m/client.py", "import time", "imports time"),
        (laws.no_io_in_the_core, "lib/coap/exchange.py", "from random import random", "imports random.random"),
        (laws.no_io_in_the_core, "lib/lwm2m/tree.py", "def f():\n    import os.path", "imports os.path"),
        (laws.no_io_in_the_core, "lib/lwm2m/tree.py", "import usocket", "imports usocket"),
        (laws.only_compat_asks_which_python, "lib/lwm2m/runner.py", "try:\n import a\nexcept ImportError: b", "tries"),
        (laws.only_compat_asks_which_python, "lib/lwm2m/tree.py", "try: a\nexcept (A, ImportError): b", "tries"),
        (laws.only_compat_asks_which_python, "main.py", "import sys\nsys.implementation.name", "asks sys.impl"),
        (laws.only_compat_asks_which_python, "lib/coap/block.py", "from micropython import const", "imports micropy"),
        (
            laws.one_place_assigns_state,
            "lib/lwm2m/registration.py",
            "class R:\n def _go(self): self.state = 1\n def stop(self): self.a, self.state = 1, 2",
            "['_go', 'stop']",
        ),
        (
            laws.one_place_assigns_state,
            "lib/lwm2m/registration.py",
            "def __init__(self): self.state = 0",
            "no function",
        ),
        (laws.one_place_assigns_state, "lib/lwm2m/client.py", "server.state = 3", "of another object"),
        (laws.files_and_functions_are_short, "lib/a.py", "\n" * 401, "401 lines"),
        (laws.files_and_functions_are_short, "tools/a.py", "def f():\n" + " pass\n" * 60, "f has 61 lines"),
        (laws.files_and_functions_are_short, "main.py", "pass\n" * 60, "60 lines"),
        (laws.excepts_are_honest, "lib/a.py", "try: a\nexcept: raise", "bare"),
        (laws.excepts_are_honest, "tools/a.py", "try: a\nexcept (A, Exception): pass", "swallows"),
        (laws.public_names_have_docstrings, "lib/a.py", "def _f(): pass", "module"),
        (laws.public_names_have_docstrings, "lib/a.py", "'a'\nif x:\n def f(): pass", "f has no"),
        (laws.public_names_have_docstrings, "lib/a.py", "'a'\nclass A:\n 'b'\n async def f(self): pass", "A.f has no"),
        (laws.public_names_have_docstrings, "lib/a.py", "'a'\nclass A: x = 1", "A has no"),
    ],
)
def test_law_can_fail(law, path, text, word):
    """A small bad file breaks the law, once."""
    (breach,) = law(laws.source(path, text))
    assert word in breach


@pytest.mark.parametrize(
    ("law", "path", "text"),
    [
        (laws.imports_point_down, "lib/lwm2m/client.py", "from lwm2m.formats import tlv\nimport json, coap.block"),
        (laws.imports_point_down, "lib/lwm2m/formats/text.py", "from . import single\nfrom .. import path"),
        (laws.imports_point_down, "main.py", "from lwm2m import Client\nfrom lwm2m.objects.ipso import Temperature"),
        (laws.no_io_in_the_core, "lib/lwm2m/transport/udp.py", "import socket, select"),
        (laws.only_compat_asks_which_python, "lib/compat.py", "try: import a\nexcept ImportError: b = 1"),
        (laws.excepts_are_honest, "lib/a.py", "try: a\nexcept Exception as e: log(e)"),
        (laws.public_names_have_docstrings, "lib/a.py", "'a'\nclass A(E): code = 1\ndef _f(): pass"),
        (laws.public_names_have_docstrings, "lib/a.py", "'a'\nif x:\n def f(): 'doc'\nelse:\n def f(): pass"),
    ],
)
def test_law_lets_good_code_pass(law, path, text):
    """What the house allows is no breach."""
    assert list(law(laws.source(path, text))) == []


def test_cycles_are_found():
    """Two files that import each other at the top are a cycle; one of them doing so inside a function is not."""
    a = laws.source("lib/lwm2m/a.py", "from lwm2m.b import x")
    b = laws.source("lib/lwm2m/b.py", "from . import a")
    lazy = laws.source("lib/lwm2m/b.py", "def f():\n from . import a")
    assert "lwm2m.a, lwm2m.b" in next(laws.no_import_cycles([a, b]))
    assert list(laws.no_import_cycles([a, lazy])) == []


def test_top_level_is_the_agreed_one():
    """Nothing new stands at the top of the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=laws.ROOT, capture_output=True, text=True)
    if listing.returncode:
        pytest.skip("not a git checkout, so ignored files cannot be told from others")
    top = {path.split("/")[0] for path in listing.stdout.splitlines()}
    assert {"lib", "tools", "host_tests", "Makefile", "README.md", "LICENSE"} <= top
    assert {name for name in top - ALLOWED_AT_TOP if not name.startswith((".", "requirements"))} == set()
