"""The table of budgets, as text and as the README shows it."""

from dataclasses import dataclass
from pathlib import Path

BEGIN = "<!-- budgets: begin -->"
END = "<!-- budgets: end -->"


@dataclass(frozen=True)
class Row:
    """What was measured; without a budget it is for information."""

    what: str
    measured: str
    budget: str = ""
    met: bool | None = None  # None: there is no budget, or it could not be measured

    @property
    def verdict(self) -> str:
        return "" if self.met is None else "ok" if self.met else "MISSED"


def text(rows: list[Row]) -> str:
    """Columns for a terminal."""
    lines = [("what", "measured", "budget", "")] + [(row.what, row.measured, row.budget, row.verdict) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(3)]
    padded = [[word.ljust(width) for word, width in zip(line, widths, strict=False)] + [line[3]] for line in lines]
    return "\n".join("  ".join(words).rstrip() for words in padded)


def markdown(rows: list[Row], where: str, notes: str = "") -> str:
    """The section of the README, with its two comments."""
    lines = ["| what | measured | budget | |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.measured} | {row.budget} | {row.verdict} |" for row in rows]
    return "\n".join([BEGIN, f"{where}, by `make bench ARGS=--write-readme`:", "", *lines, "", notes, END])


def write(readme: Path, section: str) -> None:
    """Put the section in place of the old one. Raises ValueError if its comments are not there, once each."""
    text = readme.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest or END in after:
        raise ValueError(f"{readme.name} needs the lines {BEGIN} and {END}, once each")
    readme.write_text(before + section + after)
