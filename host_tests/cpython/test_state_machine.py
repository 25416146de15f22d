"""The rows of the registration state machine, as far as reading them tells: and the tool that draws them."""

import re
from types import SimpleNamespace

import pytest

from lwm2m import registration
from tools import state_diagram
from tools.state_diagram import Row

TABLE = state_diagram.rows(registration.ROWS)
STATES = {name for row in TABLE for name in (row.state, row.next)}


def test_every_state_can_be_reached_and_left():
    """No row leads into a blind alley."""
    assert len(STATES) > 5
    assert state_diagram.unreachable(TABLE) == []
    assert {row.state for row in TABLE if row.next != row.state} == STATES


def test_every_action_exists_and_is_used():
    """The actions of the rows and the methods are the same set."""
    methods = {name.removeprefix("_do_") for name in dir(registration.Registration) if name.startswith("_do_")}
    assert methods == {row.action for row in TABLE}


def test_no_state_has_two_rows_for_an_event():
    """The rows decide."""
    assert len({(row.state, row.event) for row in TABLE}) == len(TABLE)


def test_the_library_reads_the_rows_as_we_do():
    """find_row and this tool mean the same table."""
    for row in TABLE:
        assert registration.find_row(row.state, row.event) == (row.next, row.action)
    with pytest.raises(KeyError):
        registration.find_row(TABLE[0].state, "NO_SUCH_EVENT")


def test_prose_names_every_state_and_event():
    """The prose at the head of the file and the rows speak of the same things."""
    prose = registration.__doc__ or ""
    assert set(re.findall(r"^([A-Z_]{4,}) {2,}\S", prose, re.MULTILINE)) == STATES
    assert {row.event for row in TABLE} - set(re.findall(r"\b[A-Z_]{3,}\b", prose)) == set()


def test_readme_shows_this_machine(capsys):
    """make generate was run after the last change of the rows."""
    assert state_diagram.main(["--check"]) == 0, capsys.readouterr().err


SAMPLE = """
OFF,BROKEN START -> BUSY open
BUSY DONE,FAIL -> OFF close
"""


def test_rows():
    """Commas stand for one row each."""
    assert state_diagram.rows(SAMPLE) == [
        Row("OFF", "START", "BUSY", "open"),
        Row("BROKEN", "START", "BUSY", "open"),
        Row("BUSY", "DONE", "OFF", "close"),
        Row("BUSY", "FAIL", "OFF", "close"),
    ]
    for bad in ("OFF START -> BUSY", "OFF START BUSY open", "OFF -> BUSY open now"):
        with pytest.raises(ValueError, match=bad):
            state_diagram.rows(bad)


def test_unreachable_states_are_found():
    """BROKEN has rows but nothing leads there."""
    assert state_diagram.unreachable(state_diagram.rows(SAMPLE)) == ["BROKEN"]


def test_section_of_the_readme():
    """Only what stands between the comments changes."""
    module = SimpleNamespace(ROWS=SAMPLE)
    text = f"a\n{state_diagram.BEGIN}\nold\n{state_diagram.END}\nz\n"
    fresh = state_diagram.updated(text, module)
    assert fresh.startswith("a\n<!--")
    assert fresh.endswith("-->\nz\n")
    assert "old" not in fresh
    assert "    [*] --> OFF\n    OFF --> BUSY: START / open\n" in fresh
    assert "    BUSY --> OFF: DONE, FAIL / close\n" in fresh
    assert state_diagram.updated(fresh, module) == fresh
    for bad in ("", state_diagram.BEGIN, text + state_diagram.END, text + text):
        with pytest.raises(ValueError, match="once each"):
            state_diagram.updated(bad, module)
