"""The files around the code say what is so: make targets, pins, package.json, the scripts that prepare a machine."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from tools import mip, mpy, size

ROOT = Path(__file__).parents[2]


def make(*arguments, cwd=ROOT, **env):
    """Run make with a small environment; returns the finished process, its output joined."""
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(cwd), **env}
    return subprocess.run(
        ["make", *arguments], cwd=cwd, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60
    )


SKIPS = """
import pytest

@pytest.mark.skip(reason="no tshark")
def test_marked(): pass

def test_inside(): pytest.skip("no libcoap")

@pytest.mark.skipif(True, reason="no cable")
@pytest.mark.device_only("a board")
def test_on_a_board(): pass

@pytest.mark.xfail(strict=True)
def test_expected(): assert False
"""


@pytest.mark.parametrize(
    ("options", "text", "summary", "status"),
    [
        ([], SKIPS, "3 skipped, 1 xfailed", 0),
        (["--no-skip"], SKIPS, "1 failed, 1 skipped, 1 xfailed, 1 error", 1),
        ([], "import pytest\npytest.importorskip('no_such_module')", "1 skipped", 5),
        (["--no-skip"], "import pytest\npytest.importorskip('no_such_module')", "1 error", 2),
    ],
)
def test_no_skip(tmp_path, options, text, summary, status):
    """With --no-skip a skip is a failure and shows its reason, but for device_only."""
    (tmp_path / "test_sample.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-p", "host_tests.conftest", "-c", os.devnull, "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, *options, str(tmp_path / "test_sample.py")], cwd=ROOT, text=True, capture_output=True, timeout=60
    )
    assert f"= {summary} in " in done.stdout
    assert ("Nothing may be skipped here" in done.stdout) == bool(options)
    assert done.returncode == status


def test_package_json_lists_all_of_lib():
    """package.json is what make generate writes."""
    assert mip.PATH.read_text() == mip.manifest(), "package.json is old: make generate"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-typings.txt"])
def test_requirements_are_pinned(name):
    """Every package has one exact version."""
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith("#")]
    assert lines
    assert [line for line in lines if not re.match(r"[A-Za-z0-9_-]+==[0-9][0-9a-z.]*( ;|$)", line)] == []


STABLE = "demo device server test conformance lint typecheck bench size fuzz soak"
LATER = "firmware image flash deploy provision repl"


def test_help_lists_the_stable_targets():
    """make alone prints the list."""
    listed = set(re.findall(r"^make (\w+)", make().stdout, re.MULTILINE))
    assert set(STABLE.split()) <= listed
    assert not listed & set(LATER.split())


@pytest.mark.parametrize("target", LATER.split())
def test_later_targets_say_not_yet(target):
    """They exist, say so and fail."""
    done = make(target)
    assert done.returncode == 2
    assert f"not yet: make {target} comes" in done.stdout


@pytest.fixture
def bare(tmp_path):
    """An empty checkout with Makefile and scripts only, and a folder bin/ for a fake Python."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "bin").mkdir()
    for name in ("Makefile", "tools/setup_venv.sh", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def fake_python(folder, script):
    """A python3 for `make PYTHON=...` that is this shell script."""
    path = folder / "bin/fakepython"
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    return str(path)


def test_old_python_is_refused_in_a_sentence(bare):
    """Python 3.9 answers the version question with status 1."""
    python = fake_python(bare, 'case "$1" in --version) echo Python 3.9.2;; *) exit 1;; esac')
    done = make("demo", f"PYTHON={python}", cwd=bare)
    assert done.returncode == 2
    assert f"needs Python 3.11 or newer, and {python} is Python 3.9.2" in done.stdout
    assert not (bare / ".venv").exists()


def test_missing_venv_module_is_named(bare):
    """Debian's python3 without python3-venv cannot import ensurepip."""
    script = 'case "$2" in *ensurepip*) exit 1;; esac; [ "$1" != --version ] || echo Python 3.11.2'
    done = make("demo", "PYTHON=" + fake_python(bare, script), cwd=bare)
    assert done.returncode == 2
    assert "apt-get install python3-venv" in done.stdout
    assert not (bare / ".venv").exists()


# Makes a .venv whose pip and modules are this script again; pip install fails in the folder with a file "offline".
_WORKING = """
case "$*" in
--version) echo Python 3.11.2 ;;
"-m venv --clear .venv") mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
*"pip install"*) [ ! -e offline ] || { echo "pip: no route to host"; exit 1; } ;;
"-m tools.demo"*) echo "demo runs: $*"; exit 0 ;;
esac
"""


def test_offline_first_run_says_so_and_the_next_one_goes_on(bare):
    """pip's words, one sentence, status 2; and .venv is finished once there is a connection."""
    python = "PYTHON=" + fake_python(bare, _WORKING)
    (bare / "offline").touch()
    done = make("demo", python, cwd=bare)
    assert done.returncode == 2
    assert "pip: no route to host" in done.stdout
    assert "needs the internet" in done.stdout
    assert "demo runs" not in done.stdout

    (bare / "offline").unlink()
    done = make("demo", python, "SECONDS=7", cwd=bare)
    assert done.returncode == 0, done.stdout
    assert "making .venv" not in done.stdout
    assert "demo runs: -m tools.demo --seconds 7" in done.stdout


def test_no_shell_stands_between_make_and_the_program(bare):
    """So a SIGTERM to make, or Ctrl-C, ends the device with its de-registration; brackets would call for a shell."""
    script = _WORKING.replace("esac", '"-m tools.device"*) echo "$PPID" "$*" >seen ;;\nesac')
    python = "PYTHON=" + fake_python(bare, script)
    command = ["make", "device", "SERVER=coap://[::1]:5683", "ENDPOINT=a b", "ARGS=--log debug", python]
    with subprocess.Popen(command, cwd=bare, stdout=subprocess.DEVNULL) as process:
        assert process.wait(60) == 0
    words = "-m tools.device --server coap://[::1]:5683 --endpoint a b --log debug"
    assert (bare / "seen").read_text().strip() == f"{process.pid} {words}"


def test_second_run_installs_nothing_and_a_moved_folder_starts_anew(bare):
    """The stamp holds in the folder where .venv was made, and nowhere else."""
    python = "PYTHON=" + fake_python(bare, _WORKING)
    assert "making .venv" in make("demo", python, cwd=bare).stdout
    again = make("demo", python, cwd=bare).stdout
    assert "installing" not in again
    assert "demo runs" in again
    moved = bare.with_name(bare.name + "-moved")
    bare.rename(moved)
    python = f"PYTHON={moved}/bin/fakepython"
    assert "making .venv" in make("demo", python, cwd=moved).stdout


def test_demo_does_not_wait_for_the_developers_packages(bare):
    """make demo installs requirements.txt alone."""
    done = make("demo", "PYTHON=" + fake_python(bare, _WORKING), cwd=bare)
    assert "requirements.txt" in done.stdout
    assert "requirements-dev.txt" not in done.stdout


@pytest.fixture
def debian(tmp_path):
    """Runs setup_debian.sh where only fake commands are found; they write what they were asked into the file calls."""
    calls = tmp_path / "calls"
    for name, script in {
        "dpkg": '[ "$2" != tshark ]',  # everything is installed but tshark
        "apt-get": f'echo "$DEBIAN_FRONTEND $*" >>{calls}',
        "env": '/usr/bin/env "$@"',
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)

    def run(**commands):
        for name, script in commands.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)
        command = ["/bin/sh", str(ROOT / "tools/setup_debian.sh")]
        done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, timeout=60)
        return done, calls.read_text().splitlines() if calls.exists() else []

    return run


INSTALLS_TSHARK = ["noninteractive update -qq", "noninteractive install -y -qq --no-install-recommends tshark"]


def test_setup_debian_installs_what_is_missing(debian):
    """As root, only the missing package, after one update."""
    done, calls = debian(id="echo 0")
    assert (done.returncode, calls) == (0, INSTALLS_TSHARK), done.stderr
    assert done.stdout == "installing Debian packages: tshark\n"


def test_setup_debian_uses_sudo(debian):
    """As somebody else, the same through sudo."""
    done, calls = debian(id="echo 1000", sudo='exec "$@"')
    assert (done.returncode, calls) == (0, INSTALLS_TSHARK), done.stderr


def test_setup_debian_without_root_says_so(debian):
    """No root, no sudo: a sentence and status 2."""
    done, calls = debian(id="echo 1000")
    assert (done.returncode, calls) == (2, [])
    assert "needs root" in done.stderr


def test_setup_debian_does_nothing_the_second_time(debian):
    """All is installed."""
    done, calls = debian(dpkg="true", id="echo 0")
    assert (done.returncode, calls) == (0, [])


def test_build_compiles_what_changed_and_removes_what_is_gone(tmp_path):
    """The folder of .mpy files follows the sources."""
    lib, out = tmp_path / "lib", tmp_path / "out"
    (lib / "room").mkdir(parents=True)
    (lib / "a.py").write_text("x = 1\n")
    (lib / "room/b.py").write_text("def f():\n    assert 0, 'a long text that -O3 drops'\n")
    assert set(mpy.build(out, lib=lib)) == {"a.py", "room/b.py"}
    before = (out / "a.mpy").stat().st_mtime_ns
    (lib / "room/b.py").unlink()
    assert mpy.build(out, lib=lib) == {"a.py": (out / "a.mpy").stat().st_size}
    assert (out / "a.mpy").stat().st_mtime_ns == before
    assert not (out / "room/b.mpy").exists()
    assert (out / "a.mpy").read_bytes()[:1] == b"M"

    (lib / "a.py").write_text("x = (\n")
    with pytest.raises(SystemExit, match=r"cannot compile .*a\.py"):
        mpy.build(out, lib=lib)


def test_level_3_drops_asserts_and_lines(tmp_path):
    """What is deployed is smaller than what is debugged."""
    lib = tmp_path / "lib"
    lib.mkdir()
    (lib / "a.py").write_text("def f(x):\n    assert x, 'text'\n    return x\n" * 20)
    small, big = (mpy.build(tmp_path / str(level), level, lib)["a.py"] for level in (3, 0))
    assert small < big


@pytest.mark.parametrize("tool", [mpy, size])
def test_tools_explain_themselves(tool, capsys, tmp_path, monkeypatch):
    """--help is help, and no folder of that name; what is not understood is status 2."""
    monkeypatch.chdir(tmp_path)
    for arguments, status in ((["--help"], 0), (["--what"], 2), (["a", "b"], 2)):
        with pytest.raises(SystemExit) as ended:
            tool.main(arguments)
        assert ended.value.code == status
    assert "usage: python -m tools." in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_mpy_into_a_folder_that_cannot_be(capsys):
    """One sentence and status 2."""
    with pytest.raises(SystemExit) as ended:
        mpy.main([])
    assert ended.value.code == 2
    capsys.readouterr()
    assert mpy.main(["/dev/null/x"]) == 2
    assert capsys.readouterr().err == "/dev/null/x cannot be written: Not a directory\n"


def test_every_file_of_lib_has_a_room_in_make_size():
    """And a file without one is told so in a sentence."""
    names = mpy.board_files()
    assert {size.room_of(name).name for name in names if PurePosixPath(name).parts[0] == "coap"} == {
        "CoAP",
        "CoAP over TCP",
        "OSCORE",
        "block-wise transfers",
        "repeats of old actions",
    }
    assert all(size.room_of(name) for name in names)
    assert size.room_of("lwm2m/formats/senml_cbor.py").is_core is False
    assert size.room_of("lwm2m/reporting.py").is_core
    with pytest.raises(SystemExit, match=r"lib/extra/new\.py belongs to no room"):
        size.room_of("extra/new.py")


def test_make_size_prints_a_table(capsys, micropython, monkeypatch):
    """One row a room, one for all, and the core against its budget."""
    monkeypatch.chdir(ROOT)
    size.main([])
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [re.split(r" \*| {2}", line)[0] for line in lines[: len(size.ROOMS)]] == [room.name for room in size.ROOMS]
    coap = next(line for line in lines if line.startswith("CoAP *"))
    files, compiled, ram = (int(word) for word in coap.split()[2:5])
    compiled_files = [
        path for path in Path("build/mpy/coap").glob("*.mpy") if size.room_of(f"coap/{path.stem}.py").name == "CoAP"
    ]
    assert (files, {path.stem for path in compiled_files}) == (4, {"__init__", "errors", "exchange", "message"})
    assert compiled == sum(path.stat().st_size for path in compiled_files)
    assert ram > 3000
    assert "budget (32 KB)" in lines[len(size.ROOMS) + 1]
