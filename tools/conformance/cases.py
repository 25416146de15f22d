"""The cases, and which test belongs to which."""

import ast
import re
from pathlib import Path
from typing import NamedTuple

from tools.mpy import ROOT

_FILE = Path(__file__).parent / "cases.txt"
_LINE = re.compile(r"(X-\d\d|\d+) +(?:([SL])|([^;]+);) +(.+)")
_TEST = re.compile(r"test_((?:(?:int|x)_\d+_)+)")
_NUMBER = re.compile(r"(int|x)_(\d+)_")

SCRIPTED = ("host_tests/shared/*.py", "host_tests/upy/*.py", "host_tests/interop/*.py")
LESHAN = ("host_tests/leshan/*.py",)


class Case(NamedTuple):
    """One case: its number, "S" or "L" (Leshan can play it as well) or "" with the reason, its title."""

    number: str
    driver: str
    reason: str
    title: str


def cases() -> list[Case]:
    """All of them, in the order of the file. Raises ValueError for a line that is none."""
    found = []
    for line in _FILE.read_text().splitlines():
        if line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if not match:
            raise ValueError(f"{_FILE.name}: not a case: {line}")
        number, driver, reason, title = match.groups(default="")
        found.append(Case(number, driver, reason, title))
    return found


def numbers_of(test: str) -> list[str]:
    """The cases that a test is named after: "test_x_13_x_19_opaque_write" -> ["X-13", "X-19"]."""
    match = _TEST.match(test)
    found = _NUMBER.findall(match[1]) if match else []
    return [str(int(number)) if kind == "int" else f"X-{int(number):02}" for kind, number in found]


def tests(patterns: tuple[str, ...]) -> dict[str, list[tuple[str, str]]]:
    """{case number: [(file, test)]} of the test functions in files that match the patterns."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(path for pattern in patterns for path in ROOT.glob(pattern)):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for number in numbers_of(node.name):
                    found.setdefault(number, []).append((path.relative_to(ROOT).as_posix(), node.name))
    return found
