"""make conformance: every case of the OMA test specification, and how the tests for it ended.

python -m tools.conformance                     runs the tests, prints the table, writes it into README.md
python -m tools.conformance --results FILE      takes pytest's --junitxml report of an earlier run
python -m tools.conformance --check             writes nothing: exit status 1 if README.md shows another table

Exit status 1 if a case failed, was not run or has no test. README.md is written only if all ran.
"""

import argparse
import sys
from pathlib import Path
from xml.etree.ElementTree import ParseError

from tools.conformance import results
from tools.conformance.cases import Case
from tools.mpy import ROOT

README = ROOT / "README.md"
BEGIN = "<!-- conformance: begin -->"
END = "<!-- conformance: end -->"

Row = tuple[Case, str, str]


def text(rows: list[Row]) -> str:
    """The table for a terminal."""
    line = "{:6} {:58} {:9} {}".format
    return "\n".join([line("case", "title", "scripted", "Leshan")] + [line(*_cells(row)) for row in rows])


def _cells(row: Row) -> tuple[str, str, str, str]:
    case, scripted, leshan = row
    return case.number, case.title, scripted, leshan if case.driver else case.reason


def summary(rows: list[Row]) -> str:
    """How many, in one sentence."""
    with_test = [row for row in rows if row[0].driver]
    passed = sum(row[1] == results.PASSED for row in with_test)
    leshan = [row for row in with_test if row[2] != results.NONE]
    judged = sum(row[2] == results.PASSED for row in leshan)
    return (
        f"{passed} of {len(with_test)} cases pass against a scripted server, on CPython and on MicroPython; {judged} "
        f"of {len(leshan)} that Eclipse Leshan can play pass with it as well; "
        f"{len(rows) - len(with_test)} have no test."
    )


def section(rows: list[Row]) -> str:
    """What stands in README.md."""
    lines = [summary(rows), "", "<details><summary>All cases</summary>", "", "| case | title | scripted | Leshan |"]
    lines += ["|---|---|---|---|", *("| {} | {} | {} | {} |".format(*_cells(row)) for row in rows), "", "</details>"]
    return "\n".join(lines)


def with_section(readme: str, new: str) -> str:
    """README.md with this section between its two comments. Raises SystemExit if they are not there."""
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"README.md has no place for the table: {BEGIN} {END}")
    return f"{head}{BEGIN}\n{new}\n{END}{tail}"


def verdict(rows: list[Row]) -> list[str]:
    """A sentence for each case that is not as it should be."""
    bad = []
    for case, scripted, leshan in rows:
        if not case.driver and (scripted, leshan) != (results.NONE, results.NONE):
            bad.append(f"{case.number} {case.title}: has a test, but cases.txt says: {case.reason}")
        elif case.driver and (scripted != results.PASSED or leshan not in (results.PASSED, results.NONE)):
            bad.append(f"{case.number} {case.title}: scripted {scripted}, Leshan {leshan}")
    return bad


def main(arguments: list[str] | None = None) -> int:
    """Run, print, write; the exit status."""
    parser = argparse.ArgumentParser("python -m tools.conformance", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--results", type=Path, metavar="FILE", help="pytest's --junitxml report; runs nothing")
    parser.add_argument("--check", action="store_true", help="write nothing, compare README.md")
    options = parser.parse_args(arguments)
    report = options.results or ROOT / "build" / "conformance.xml"
    if options.results is None:
        report.parent.mkdir(exist_ok=True)
        results.run(report)
    try:
        rows = results.table(results.read(report))
    except (OSError, ParseError) as error:
        print(f"conformance: {report} is no report of pytest: {error}", file=sys.stderr)
        return 2
    print(text(rows), summary(rows), sep="\n\n")
    bad = verdict(rows)
    if bad:
        print("", *bad, "README.md is left as it was.", sep="\n", file=sys.stderr)
        return 1
    old = README.read_text()
    new = with_section(old, section(rows))
    if options.check and new != old:
        print("README.md shows another table: run make conformance", file=sys.stderr)
        return 1
    if not options.check:
        README.write_text(new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
