"""The registration state machine as a diagram: read from its rows, written into README.md.

python -m tools.state_diagram            prints it (Mermaid)
python -m tools.state_diagram --write    writes it into README.md, between the two comments
python -m tools.state_diagram --check    exit status 1 if README.md shows another one
"""

import argparse
import importlib
import sys
from collections import namedtuple

from tools.mpy import LIB, ROOT

README = ROOT / "README.md"
BEGIN = "<!-- state machine: begin -->"
END = "<!-- state machine: end -->"

Row = namedtuple("Row", "state event next action")


def machine():
    """The module that holds ROWS."""
    if str(LIB) not in sys.path:
        sys.path.insert(0, str(LIB))
    return importlib.import_module("lwm2m.registration")


def rows(text):
    """The Rows of a table with lines "STATE[,STATE] EVENT[,EVENT] -> NEXT action", each state and event one Row.

    The first state of the first row is the one the machine starts in. Raises ValueError for any other line.
    """
    found = []
    for line in filter(None, map(str.strip, text.splitlines())):
        words = line.split()
        if len(words) != 5 or words[2] != "->":
            raise ValueError(f"not a row STATE EVENT -> NEXT action: {line}")
        states, events, _, next, action = words
        found += [Row(state, event, next, action) for state in states.split(",") for event in events.split(",")]
    return found


def unreachable(table):
    """The states of the table that no chain of rows leads to from the first one, sorted."""
    reached, more = set(), {table[0].state}
    while more:
        reached |= more
        more = {row.next for row in table if row.state in reached} - reached
    return sorted({name for row in table for name in (row.state, row.next)} - reached)


def mermaid(table):
    """The diagram; events that lead from one state to the same next one by the same action share an arrow."""
    arrows = {}
    for row in table:
        arrows.setdefault((row.state, row.next, row.action), []).append(row.event)
    lines = ["stateDiagram-v2", f"    [*] --> {table[0].state}"]
    lines += [f"    {state} --> {next}: {', '.join(e)} / {action}" for (state, next, action), e in arrows.items()]
    return "\n".join(lines)


def section(module):
    """What stands in the README: the diagram between the two comments."""
    return f"{BEGIN}\n```mermaid\n{mermaid(rows(module.ROWS))}\n```\n{END}"


def updated(readme, module):
    """The README's text with its section made anew; raises ValueError if the comments are not there, once each."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"README.md needs the lines {BEGIN} and {END}, once each")
    return before + section(module) + after


def main(argv=None):
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="the registration state machine as a diagram")
    parser.add_argument("--write", action="store_true", help="write it into README.md")
    parser.add_argument("--check", action="store_true", help="fail if README.md shows another one")
    args = parser.parse_args(argv)
    if not (args.write or args.check):
        print(section(machine()))
        return 0
    readme = README.read_text() if README.exists() else ""
    try:
        fresh = updated(readme, machine())
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if args.write:
        README.write_text(fresh)
    elif fresh != readme:
        print("README.md shows an old state machine: make generate", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
