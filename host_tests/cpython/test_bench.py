"""make bench measures what it says; and the budgets of memory, which no machine's load can move, are held here."""

import sys

import pytest

from packet import build
from tools.bench import __main__ as bench
from tools.bench import memory, process, table, wire
from tools.bench.table import Row

ROWS = [Row("heap", "90 KB", "64 KB", False), Row("echo", "4 us"), Row("garbage of one Read", "960", "1024", True)]


def test_text_has_a_line_for_each_row():
    assert table.text(ROWS).splitlines() == [
        "what                 measured  budget",
        "heap                 90 KB     64 KB   MISSED",
        "echo                 4 us",
        "garbage of one Read  960       1024    ok",
    ]


def test_write_replaces_the_old_section_alone(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    table.write(readme, table.markdown(ROWS, "Somewhere", "Why."))
    text = readme.read_text()
    assert text.startswith(f"before\n{table.BEGIN}\nSomewhere, ")
    assert text.endswith(f"| garbage of one Read | 960 | 1024 | ok |\n\nWhy.\n{table.END}\nafter\n")
    assert "old" not in text


@pytest.mark.parametrize("text", ["", table.BEGIN, f"{table.END}{table.BEGIN}", f"{table.BEGIN}{table.END}" * 2])
def test_write_wants_its_comments_once(tmp_path, text):
    readme = tmp_path / "README.md"
    readme.write_text(text)
    with pytest.raises(ValueError, match="once each"):
        table.write(readme, "new")
    assert readme.read_text() == text


def test_least_register_is_a_message_that_can_be_built():
    """By the codec of the tests: without token, and with everything else."""
    queries = [(15, text) for text in ("ep=dev1", "lt=300", "lwm2m=1.1", "b=U")]
    links = ['</>;rt="oma.lwm2m";ct="60 110 112 11542"', "</1/0>", "</3303>;ver=1.1", "</3303/0>"]
    datagram = build("CON", "POST", 1, b"", [(11, "rd"), (12, 40), *queries], ",".join(links).encode())
    assert wire.least_register(links) == len(datagram)


def test_least_counts_what_long_options_cost():
    for length in (0, 1, 12, 13, 268, 269, 300):
        options = [(11, b"x" * length), (60, b"\1"), (2000, b"")]
        assert wire.least(options, b"payload", b"tk") == len(build("ACK", "2.05", 7, b"tk", options, b"payload"))


def test_the_program_works_in_the_smallest_heap_of_the_budget(micropython):
    """112 KB on 64 bit, 64 KB on 32 bit: it registers and answers 1,000 requests."""
    heap_kb = 112 if process.evaluate("sys.maxsize > 1 << 32") == "True" else 64
    assert memory.works(memory.plain_device, heap_kb, 1000)


def test_a_heap_that_is_too_small_is_noticed(micropython):
    assert not memory.works(memory.plain_device, 40, 10)


def test_nothing_grows_in_256_kb_from_mpy(micropython):
    """Through sockets and asyncio; host_tests/upy has the great numbers."""
    assert max(memory.growth(2000, 500)) <= bench.NOISE


def test_garbage_of_one_read(micropython):
    """From socket to socket, under 1 KB."""
    assert memory.garbage([memory.READ], 500) < 1024


def test_quick_prints_a_row_for_every_budget(micropython, capsys):
    """And nothing but the frozen image is left unmeasured."""
    assert bench.main(["--quick"]) == 0
    lines = capsys.readouterr().out.splitlines()
    unmeasured = [line for line in lines if "not measured" in line and "/proc" not in line]
    assert len(unmeasured) == 1
    for start in ("bare UDP echo", "Read of one number: CPU", "aiocoap's server", "heap that stays", "smallest heap"):
        assert any(line.startswith(start) for line in lines)
    for start in ("garbage", "heap growth", "wire: Register", "wire: Update", "wire: notification", "idle", "compiled"):
        assert any(line.startswith(start) for line in lines)


def test_without_micropython_a_sentence(monkeypatch, capsys):
    monkeypatch.setenv("MICROPYTHON", "/no/such/program")
    assert bench.main(["--quick"]) == 2
    assert "MICROPYTHON=/path" in capsys.readouterr().err


def test_a_process_that_ends_by_itself_keeps_its_words():
    done = process.Process([sys.executable, "-c", "print('last words')"])
    done._process.wait(10)
    assert done.end() == "last words\n"
