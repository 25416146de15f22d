"""The conformance table: no case is forgotten, and what it says of a report is what the report says."""

import ast

import pytest

from tools.conformance import __main__ as conformance
from tools.conformance import cases, results
from tools.mpy import ROOT

LIST = cases.cases()
SCRIPTED = cases.tests(cases.SCRIPTED)
LESHAN = cases.tests(cases.LESHAN)


def test_cases_are_numbered_once():
    """118 numbers of OMA's and 68 of ours, and a few that OMA leaves empty."""
    numbers = [case.number for case in LIST]
    assert len(set(numbers)) == len(numbers)
    assert sum(number.startswith("X-") for number in numbers) == 68
    assert sum(number.isdigit() for number in numbers) >= 118


def test_every_case_has_its_tests():
    """A scripted test for each that can be played, one with Leshan for each that it can play, none for the others."""
    assert [case.number for case in LIST if case.driver and case.number not in SCRIPTED] == []
    assert [case.number for case in LIST if case.driver == "L" and case.number not in LESHAN] == []
    known = {case.number for case in LIST if case.driver}
    assert sorted({*SCRIPTED, *LESHAN} - known) == []


def test_cases_with_a_board_run_on_both_pythons():
    """A case in interop/ has the board on either: its test takes the fixture for that."""
    found = [
        (path.name, node.name)
        for path in (ROOT / "host_tests/interop").glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.AsyncFunctionDef) and cases.numbers_of(node.name)
        if "interpreter" not in [argument.arg for argument in node.args.args]
    ]
    assert found == []


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("test_int_101_initial_registration", ["101"]),
        ("test_int_000_bootstrap", ["0"]),
        ("test_x_13_x_19_opaque", ["X-13", "X-19"]),
        ("test_interval", []),
        ("test_x_axis", []),
        ("helper_int_101_", []),
    ],
)
def test_numbers_in_names(name, numbers):
    """A test is named after its cases."""
    assert cases.numbers_of(name) == numbers


ON_MICROPYTHON = 'classname="host_tests.cpython.test_shared_on_micropython" name="test_file[host_tests/shared'
REPORT = f"""<testsuites><testsuite>
<testcase classname="host_tests.shared.test_a" name="test_int_101_one"/>
<testcase classname="host_tests.shared.test_a" name="test_int_102_two"><failure/></testcase>
<testcase classname="host_tests.shared.test_b" name="test_int_103_three"/>
<testcase {ON_MICROPYTHON}/test_a.py]"/>
<testcase {ON_MICROPYTHON}/test_b.py]"><error/></testcase>
<testcase classname="host_tests.interop.test_i" name="test_int_106_six[unix]"><failure/></testcase>
<testcase classname="host_tests.interop.test_i" name="test_int_106_six[cpython]"/>
<testcase classname="host_tests.interop.test_i" name="test_int_107_seven[unix]"/>
<testcase classname="host_tests.interop.test_i" name="test_int_107_seven[cpython]"/>
<testcase classname="host_tests.leshan.test_l" name="test_int_101_one"><skipped/></testcase>
<testcase classname="host_tests.leshan.test_l" name="test_int_102_two[tlv]"/>
</testsuite></testsuites>"""
A, B, L = "host_tests/shared/test_a.py", "host_tests/shared/test_b.py", "host_tests/leshan/test_l.py"
BOARD = "host_tests/interop/test_i.py"


@pytest.fixture
def rows(tmp_path, monkeypatch):
    """The table of REPORT."""
    scripted = {"101": [(A, "test_int_101_one")], "102": [(A, "test_int_102_two")], "103": [(B, "test_int_103_three")]}
    scripted |= {"106": [(BOARD, "test_int_106_six")], "107": [(BOARD, "test_int_107_seven")]}
    leshan = {"101": [(L, "test_int_101_one")], "102": [(L, "test_int_102_two")]}
    found = {cases.SCRIPTED: scripted, cases.LESHAN: leshan}
    monkeypatch.setattr(cases, "tests", lambda patterns: found[patterns])
    numbers = [("101", "L"), ("102", "L"), ("103", "S"), ("104", "S"), ("105", ""), ("106", "S"), ("107", "S")]
    monkeypatch.setattr(
        cases, "cases", lambda: [cases.Case(number, driver, "why", "title") for number, driver in numbers]
    )
    report = tmp_path / "report.xml"
    report.write_text(REPORT)
    return results.table(results.read(report))


def test_table(rows):
    """Passed is what passed on both Pythons; a case without test is missing if it should have one."""
    assert [row[1:] for row in rows] == [
        ("pass", "not run"),
        ("FAIL", "pass"),
        ("FAIL", "-"),
        ("MISSING", "-"),
        ("-", "-"),
        ("FAIL", "-"),
        ("pass", "-"),
    ]


def test_verdict_names_what_is_not_as_it_should_be(rows):
    """All but the case that cannot be tested."""
    assert [sentence.split()[0] for sentence in conformance.verdict(rows)] == ["101", "102", "103", "104", "106"]
    assert conformance.summary(rows).startswith("2 of 6 cases pass")


def test_readme_section():
    """Between its two comments, and nowhere else."""
    readme = f"before\n{conformance.BEGIN}\nold\n{conformance.END}\nafter\n"
    assert conformance.with_section(readme, "new") == readme.replace("old", "new")
    with pytest.raises(SystemExit, match="no place"):
        conformance.with_section("nothing", "new")


def test_bad_report(tmp_path, capsys):
    """No traceback for a report that is not there or none."""
    for content in (None, "nonsense"):
        report = tmp_path / "report.xml"
        if content:
            report.write_text(content)
        assert conformance.main(["--results", str(report)]) == 2
        assert "is no report of pytest" in capsys.readouterr().err
