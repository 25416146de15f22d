"""make fuzz finds what is wrong, keeps a reproducer that is small, and says so; `clean` runs are those of CI."""

import shutil
import subprocess
import sys

import pytest

from tools.fuzz import __main__ as fuzz
from tools.fuzz import campaign, crashes, engines
from tools.mpy import LIB, ROOT

# What is no digit is not refused any more.
_RIGHT = 'if not "0" <= text[0] <= "9" or int(text[0]) in found:'
_WRONG = "if int(text[0]) in found:"


@pytest.fixture
def broken(tmp_path):
    """A lib/ whose parser of Execute arguments has a bug."""
    lib = tmp_path / "lib"
    shutil.copytree(LIB, lib)
    path = lib / "lwm2m" / "executing.py"
    assert _RIGHT in path.read_text()
    path.write_text(path.read_text().replace(_RIGHT, _WRONG))
    return lib


def fuzz_it(*words):
    """Run the tool: (exit status, what it printed)."""
    command = [sys.executable, "-m", "tools.fuzz", *map(str, words)]
    done = subprocess.run(
        command, cwd=ROOT, text=True, timeout=120, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace"
    )
    return done.returncode, done.stdout


def test_a_bug_is_found_on_both_pythons(tmp_path, broken, micropython):
    """Exit 1, a signature that names the place, a reproducer of a few bytes, which is good for our lib/;
    the next campaign tries it first."""
    folder = tmp_path / "out"
    words = ("--seconds", 6, "--seed", 1, "--target", "execute", "--folder", folder, "--lib", broken)
    status, output = fuzz_it(*words)
    assert status == 1, output
    found = sorted((folder / "crashes").glob("execute-*.hex"))
    assert found, output
    for path in found:
        assert f"CRASH      {_signature(path)}" in output
        assert len(bytes.fromhex("".join(_digits(path)))) < 3, path.read_text()
        for engine in ("cpython", "micropython"):
            assert engines.worker(engine, broken, "replay", str(path)).returncode == 1
            assert engines.worker(engine, LIB, "replay", str(path)).returncode == 0
    assert "coverage   lib/lwm2m:" in output
    again = crashes.again("micropython", folder / "crashes", [], broken)
    assert [path for path, _ in again] == found


def _digits(path):
    return [line for line in path.read_text().splitlines() if not line.startswith("#")]


def _signature(path):
    """What the comment in a reproducer says went wrong: the kind of the error and the file."""
    lines = path.read_text().splitlines()
    kind = [line for line in lines if line.startswith("# ") and "Error" in line][-1].split(":")[0].removeprefix("# ")
    return f"{kind}:executing.py"


def test_what_hangs_is_found(tmp_path, broken, monkeypatch, micropython, capsys):
    """A process that says nothing for too long is ended, and what it was doing is found out."""
    path = broken / "lwm2m" / "path.py"
    path.write_text(
        path.read_text().replace("    value = 0\n", "    value = 0\n    while segment == b'3':\n        pass\n")
    )
    monkeypatch.setattr(engines, "SILENCE_S", 3)
    monkeypatch.setattr(engines, "available", lambda: (["micropython"], []))
    monkeypatch.setattr(campaign, "available", lambda: (["micropython"], []))
    monkeypatch.setattr(campaign, "VECTORS", tmp_path)
    monkeypatch.setattr(campaign.report, "coverage", lambda *words: [])
    real = engines.worker
    monkeypatch.setattr(crashes, "worker", lambda *words, limit_s=5: real(*words, limit_s=5))
    run = campaign.Campaign(20, 1, tmp_path / "out", broken, "path")
    assert run.run() == 1
    output = capsys.readouterr().out
    assert "never-ended (micropython)" in output
    found, *_ = (tmp_path / "out" / "crashes").glob("path-*.hex")
    assert b"3" in bytes.fromhex("".join(_digits(found))).split(b"/")


def test_all_engines_are_told(monkeypatch):
    """What is not there on a machine is said in a sentence, and the others do the work."""
    assert engines.available()[0][-1] == "micropython"
    monkeypatch.setattr(engines.mpy, "micropython", lambda: None)
    monkeypatch.setattr(engines.importlib.util, "find_spec", lambda name: None)
    names, sentences = engines.available()
    assert names == ["cpython"]
    assert "atheris has no wheel for this machine" in sentences[0]
    assert "no MicroPython for this machine" in sentences[1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--seconds", "0"], "'0' is not a whole number from 1 to 9999999"),
        (["--seconds", "soon"], "'soon' is not a whole number"),
        (["--seed", "-1"], "'-1' is not a whole number"),
        (["--what"], "unrecognized arguments"),
        (["--lib", "/nowhere"], "fuzz: --lib /nowhere has no lwm2m/client.py"),
        (["--target", "coffee"], "fuzz: --target is one of: client accounts block cbor"),
        (["--folder", "/dev/null/x"], "fuzz: /dev/null/x cannot be used: Not a directory"),
    ],
)
def test_what_cannot_be_meant(words, sentence, capsys):
    """One sentence, status 2."""
    try:
        status = fuzz.main(["--seconds", "1", *words] if words[0] != "--seconds" else words)
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    assert sentence in capsys.readouterr().err
