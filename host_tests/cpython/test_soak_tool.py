"""make soak says what is not where it began: a leak of the client, descriptors, registrations."""

import asyncio
import random
import shutil
from types import SimpleNamespace

import pytest

from tools.fuzz.engines import environment, interpreter
from tools.lab import DeviceError
from tools.mpy import LIB, ROOT
from tools.soak import __main__ as soak
from tools.soak.real import HEAP, Life, Soak, SoakError

SEASON = ROOT / "tools" / "soak" / "season.py"


async def season(lib, seconds=1):
    """(exit status, lines) of the least of virtual time under MicroPython."""
    process = await asyncio.create_subprocess_exec(
        *(*interpreter("micropython"), str(SEASON), "1", str(seconds)),
        cwd=ROOT,
        env=environment(lib),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 240)
    return process.returncode, output.decode().splitlines()


def test_a_leak_is_found(tmp_path, micropython):
    """200 bytes of each request that asks for a right are kept. That ours ends well is for make soak to show."""
    lib = tmp_path / "lib"
    shutil.copytree(LIB, lib)
    path = lib / "lwm2m" / "access.py"
    right = '        """Raise Unauthorized unless `allowed`."""\n'
    assert right in path.read_text()
    path.write_text(path.read_text().replace(right, right + "        _kept.append(bytes(200))\n") + "\n_kept = []\n")
    status, lines = asyncio.run(season(lib))
    assert status == 1, lines
    assert "bytes more on the heap than at the beginning" in lines[-1]


class Server:
    """What the check at the end asks of a server. `answers` are by path."""

    def __init__(self, answers, endpoints):
        self.answers = answers
        self.registrations = [SimpleNamespace(endpoint=endpoint) for endpoint in endpoints]

    async def write(self, endpoint, path, value):
        self.answers.setdefault(path, str(value))

    async def read(self, endpoint, path):
        return SimpleNamespace(value=self.answers[path])


def check(tmp_path, descriptors=7, endpoints=("board-1",), **answers):
    """Hold a board that began with 7 descriptors and 1000 bytes against what it has in the end."""
    board = SimpleNamespace(name="board-1", interpreter="unix", descriptors=lambda: descriptors)
    life = Life(board, None)
    life.heap, life.descriptors = 1000, 7
    run = Soak(1, 1, tmp_path, [])
    run.server = Server({HEAP: "1500", **{path.replace("_", "/"): value for path, value in answers.items()}}, endpoints)
    asyncio.run(run._check(life))


def test_all_is_where_it_began(tmp_path):
    check(tmp_path)


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        ({"descriptors": 8}, "board-1 had 7 files and sockets open, and has 8"),
        ({"endpoints": ()}, "board-1 is not registered once"),
        ({"endpoints": ("board-1", "board-1")}, "board-1 is not registered once"),
        ({"_32770_0_6": "9000"}, "board-1 has 8000 bytes more on its heap than in the beginning"),
        ({"_32770_0_1": "4"}, "board-1 has 4 where 4711 was written"),
    ],
)
def test_what_is_not_where_it_began(tmp_path, found, sentence):
    """One sentence for each."""
    with pytest.raises(SoakError, match=sentence):
        check(tmp_path, **found)


def test_a_board_that_has_ended_is_told(tmp_path):
    """With the last that it has said."""
    board = SimpleNamespace(name="board-1", runs=False, lines=["MemoryError"])
    with pytest.raises(SoakError, match=r"board-1 is not served within 60 s, and has ended: \['MemoryError'\]"):
        asyncio.run(Soak(1, 1, tmp_path, [])._settled(Life(board, None)))


def test_a_refusal_is_an_answer_too(tmp_path):
    """What devices may refuse does not end the soak, and is counted."""

    async def refuse():
        raise DeviceError("read", "4.04", "Not Found", "")

    run = Soak(1, 1, tmp_path, [])
    assert asyncio.run(run._surely(refuse())) is None
    assert run.errors == 1


def test_the_seed_is_all_chance(tmp_path):
    """The same events for the same seed."""
    first, second = (Soak(1, 9, tmp_path, []).chance for _ in range(2))
    assert [first.random() for _ in range(5)] == [second.random() for _ in range(5)]
    assert first.random() != random.Random(10).random()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--minutes", "0"], "'0' is not a number of minutes"),
        (["--minutes", "nan"], "'nan' is not a number of minutes"),
        (["--seed", "x"], "'x' is not a whole number from 1 to 1073741823"),
        (["--part", "dry"], "invalid choice: 'dry'"),
        (["--what"], "unrecognized arguments"),
    ],
)
def test_what_cannot_be_meant(words, sentence, capsys):
    """One sentence, status 2."""
    with pytest.raises(SystemExit) as ended:
        soak.main(words)
    assert ended.value.code == 2
    assert sentence in capsys.readouterr().err
