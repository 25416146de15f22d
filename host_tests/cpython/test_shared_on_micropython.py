"""The tests of shared/ again, under MicroPython; and those of upy/, which only run there (heap, garbage)."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHARED = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("host_tests/shared/test_*.py"))
UPY = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("host_tests/upy/test_*.py"))


@pytest.fixture(scope="session")
def collected():
    """{file: names of its tests} as pytest on CPython sees shared/."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "host_tests/shared"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert listing.returncode == 0, listing.stdout + listing.stderr
    names = {}
    for line in listing.stdout.splitlines():
        path, sep, name = line.partition("::")
        if sep:
            names.setdefault(path, set()).add(name)
    return names


@pytest.fixture
def run(micropython, pytestconfig):
    """Runs test files under MicroPython: (exit status, {name: passed}, everything it printed)."""

    def run(*paths):
        env = dict(os.environ, MICROPYPATH=".frozen:lib:host_tests/shared")
        command = [micropython, "-X", "heapsize=" + pytestconfig.getoption("heap"), "host_tests/run_shared.py", *paths]
        done = subprocess.run(
            command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240
        )
        lines = [line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith(("PASS ", "FAIL "))]
        results = {test.partition("::")[2]: word == "PASS" for word, test in lines}
        assert results.pop("(import)", True) or done.returncode, done.stdout
        return done.returncode, results, done.stdout

    return run


def functions_in(path):
    """Names of the tests that a file for MicroPython alone defines."""
    body = ast.parse((ROOT / path).read_text()).body
    return {node.name for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def assert_all_passed(outcome, names):
    """The run did exactly the tests `names`, and all passed."""
    status, results, output = outcome
    assert status == 0, output
    assert set(results) == names
    assert all(results.values())
    assert output.splitlines()[-1] == f"{len(names)} passed, 0 failed"


@pytest.mark.parametrize("path", SHARED + UPY)
def test_file(path, run, collected):
    """MicroPython runs the very tests that are there to see, and all pass."""
    names = collected[path] if path in SHARED else functions_in(path)
    assert_all_passed(run(path), names)


def test_there_are_shared_tests(collected):
    """Every file of shared/ has tests, and there are some."""
    assert SHARED
    assert set(collected) == set(SHARED)


@pytest.mark.parametrize(
    ("body", "results"),
    [
        ("def test_a(): assert 1 == 2", {"test_a": False}),
        ("def test_a(): pass\ndef test_b(): raise SystemExit(0)", {"test_a": True, "test_b": False}),
        ("async def test_a(): pass", {"test_a": False}),
        ("def test_a(): yield", {"test_a": False}),
        ("def test_a(fixture): pass", {"test_a": False}),
        ("def check(): pass", {}),
        ("import no_such_module\ndef test_a(): pass", {}),
    ],
)
def test_runner_fails(tmp_path, run, body, results):
    """The runner's exit status is 1 whenever a test failed, or none ran."""
    (tmp_path / "test_sample.py").write_text(body)
    status, seen, output = run(f"{tmp_path}/test_sample.py")
    assert (status, seen) == (1, results), output


def test_runner_tells_files_of_one_name_apart(tmp_path, run):
    """Two files of the same name are two modules."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "test_sample.py").write_text(f"def test_{name}(): pass")
    status, seen, output = run(f"{tmp_path}/a/test_sample.py", f"{tmp_path}/b/test_sample.py")
    assert (status, seen) == (0, {"test_a": True, "test_b": True}), output
