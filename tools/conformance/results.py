"""How the tests ended, from pytest's own report, and what that means for each case."""

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from tools.conformance import cases
from tools.mpy import ROOT

PASSED, FAILED, NOT_RUN, NONE = "pass", "FAIL", "not run", "-"
_ON_MICROPYTHON = "host_tests/cpython/test_shared_on_micropython.py"


def run(report: Path, *arguments: str) -> int:
    """Run the tests that are named after cases, on both Pythons and with Leshan; returns pytest's exit status."""
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", "-k", "test_int_ or test_x_ or test_file"]
    folders = ["host_tests/shared", _ON_MICROPYTHON, "host_tests/interop", "host_tests/leshan"]
    return subprocess.run([*command, *folders, *arguments], cwd=ROOT).returncode


def read(report: Path) -> dict[tuple[str, str], str]:
    """{(file, test): PASSED, FAILED or NOT_RUN}; a file that MicroPython ran is ("MicroPython", file). A test that ran
    several times ended as the worst of them."""
    found: dict[tuple[str, str], str] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        file = case.get("classname", "").replace(".", "/") + ".py"
        name = case.get("name", "")
        if file == _ON_MICROPYTHON and name.startswith("test_file["):
            file, name = "MicroPython", name[len("test_file[") : -1]
        test = file, name.partition("[")[0]
        found[test] = _worst([_outcome(case), found.get(test, PASSED)], True)
    return found


def _outcome(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return FAILED
    return NOT_RUN if case.find("skipped") is not None else PASSED


def table(outcomes: dict[tuple[str, str], str]) -> list[tuple[cases.Case, str, str]]:
    """(case, scripted, Leshan) for every case. A scripted test must have passed on both Pythons; one in interop/ runs
    the board on either by itself."""
    scripted, leshan = cases.tests(cases.SCRIPTED), cases.tests(cases.LESHAN)
    rows = []
    for case in cases.cases():
        ends = [_on_both(outcomes, *test) for test in scripted.get(case.number, ())]
        others = [outcomes.get(test, NOT_RUN) for test in leshan.get(case.number, ())]
        rows.append((case, _worst(ends, case.driver in ("S", "L")), _worst(others, case.driver == "L")))
    return rows


def _on_both(outcomes: dict[tuple[str, str], str], file: str, name: str) -> str:
    if "/interop/" in file:
        return outcomes.get((file, name), NOT_RUN)
    micropython = outcomes.get(("MicroPython", file), NOT_RUN)
    if "/upy/" in file:
        return micropython
    return _worst([outcomes.get((file, name), NOT_RUN), micropython], True)


def _worst(ends: list[str], wanted: bool) -> str:
    for end in (FAILED, NOT_RUN, PASSED):
        if end in ends:
            return end
    return "MISSING" if wanted else NONE
