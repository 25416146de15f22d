"""tools/setup_leshan.sh: what it says where something is missing, and that it does nothing twice. Needs no Leshan."""

import os
import shutil
import subprocess

import pytest

from host_tests.leshan.harness import ROOT

SCRIPT = "tools/setup_leshan.sh"
JAVA = "host_tests/leshan/java"
# Stand-ins: Maven puts a jar where it is told to, javac a class.
MVN = (
    'for word; do case $word in -DoutputDirectory=*) mkdir -p "${word#*=}"; touch "${word#*=}/leshan.jar";; esac; done'
)
JAVAC = 'while [ "$1" != -d ]; do shift; done; touch "$2/Harness.class"'
COUNTED = 'echo >>"$COUNT"; '


@pytest.fixture
def setup(tmp_path):
    """A copy of the script in a folder of its own; called with stand-ins for mvn and javac."""
    for name in (SCRIPT, *(str(path.relative_to(ROOT)) for path in (ROOT / JAVA).iterdir())):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in "sh mkdir rm mv cat cksum dirname timeout flock touch".split():
        if path := shutil.which(name):
            (tools / name).symlink_to(path)

    def run(mvn=None, javac=None):
        for name, does in (("mvn", mvn), ("javac", javac)):
            (tools / name).unlink(missing_ok=True)
            if does is not None:
                (tools / name).write_text(f"#!/bin/sh\n{COUNTED}{does}\n")
                (tools / name).chmod(0o755)
        count = tmp_path / "count"
        count.write_text("")
        environment = {**os.environ, "PATH": str(tools), "COUNT": str(count)}
        done = subprocess.run(
            ["sh", tmp_path / SCRIPT], env=environment, cwd="/", capture_output=True, text=True, timeout=30
        )
        return done.returncode, done.stderr.strip(), len(count.read_text())

    return run


def test_downloads_and_compiles_once(setup, tmp_path):
    """Two downloads and two compilations; nothing the second time; only the compilation if the harness changed."""
    assert setup(MVN, JAVAC) == (0, "", 4)
    assert (tmp_path / "build/leshan/server/classes/Harness.class").exists()
    assert setup(MVN, JAVAC) == (0, "", 0)
    assert setup(None, JAVAC) == (0, "", 0)
    with (tmp_path / JAVA / "Bootstrap.java").open("a") as file:
        file.write("// changed\n")
    assert setup(None, JAVAC) == (0, "", 1)


def test_says_what_is_missing(setup):
    """One sentence for a missing JDK, a missing Maven, a download that fails and a compiler that refuses."""
    assert setup(MVN, None)[:2] == (
        2,
        "Java is missing, in which Leshan runs: apt-get install openjdk-17-jdk-headless maven",
    )
    assert setup(None, JAVAC)[:2] == (2, "Maven is missing, which downloads Leshan: apt-get install maven")
    assert setup("exit 1", JAVAC) == (
        2,
        "Maven could not download Leshan (server) three times in a row; build/leshan/setup.log has its own words",
        3,
    )
    status, words, _ = setup(MVN, "exit 1")
    assert status == 2 and words.startswith("javac refuses host_tests/leshan/java")
