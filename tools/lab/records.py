"""Values with the path of each, the common ground of SenML and LwM2M JSON, and the nested shape that `payload` has."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import PayloadError, UsageError
from .paths import Path, text_of

_RELATIVE_BELOW = 2**28  # SenML times below this many seconds are relative to now (RFC 8428 4.5.3)


@dataclass(frozen=True)
class Record:
    """One value. `time` is as the device gave it: seconds since 1970, or relative to now when below 2**28; or None."""

    path: Path
    value: Any
    time: float | None = None

    @property
    def is_absolute(self) -> bool:
        return self.time is not None and self.time >= _RELATIVE_BELOW


def nest(records: Sequence[Record], base: Path) -> Any:
    """The values below `base`, shaped like it; of several at one path the newest.

    Raises PayloadError for records that are not below `base` or contradict each other.
    """
    newest: dict[Path, Any] = {record.path: record.value for record in sorted(records, key=_moment)}
    for path in newest:
        if path[: len(base)] != base or len(path) < 3:
            raise PayloadError(f"it carries a value for {text_of(path)}, which is not about {text_of(base)}")
    if base in newest and len(newest) == 1:
        return newest[base]
    tree: dict[int, Any] = {}
    for record in records:
        _insert(tree, record.path, len(base), newest[record.path])
    return tree


def flatten(path: Path, value: Any) -> Iterator[Record]:
    """One record for each value in `value`, which is shaped like `path`. Raises UsageError."""
    if isinstance(value, dict):
        if len(path) > 3:
            raise UsageError(f"{text_of(path)} takes a single value, not {value!r}")
        for number, item in value.items():
            yield from flatten((*path, number), item)
    elif len(path) < 3:
        raise UsageError(f"{text_of(path)} takes {{resource: value}}, not {value!r}")
    else:
        yield Record(path, value)


def _insert(tree: dict[int, Any], path: Path, depth: int, value: Any) -> None:
    *containers, leaf = path[depth:] or (None,)
    node: Any = tree
    for number in containers:
        node = node.setdefault(number, {}) if isinstance(node, dict) else None
    if leaf is None or not isinstance(node, dict) or isinstance(node.get(leaf), dict):
        raise PayloadError(f"it carries both {text_of(path)} as a value and something around or below it")
    node[leaf] = value


def _moment(record: Record) -> float:
    given = record.time or 0
    return given if record.is_absolute else time.time() + given
