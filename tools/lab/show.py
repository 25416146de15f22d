"""Values as a student reads them: `/3303/0/5700 Sensor Value = 21.5 Cel`."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from . import definitions
from .paths import Path, text_of
from .records import Record

Units = dict[tuple[int, int], str]  # (object, instance) -> what its resource 5701, Sensor Units, says

_SENSOR_UNITS = 5701


def lines(path: Path, value: Any, units: Units) -> list[str]:
    """One line for each value below `path`."""
    return [_line(each, item, units) for each, item in _flat(path, value)]


def record_lines(records: Sequence[Record], units: Units) -> list[str]:
    """One line for each value with the time it had, which values of one path may have several of."""
    return [_line(each.path, each.value, units) + time_text(each) for each in records]


def time_text(record: Record) -> str:
    """When a value was taken, as the device said it, with a space before; nothing if it did not say."""
    if record.time is None:
        return ""
    if record.is_absolute:
        return f" at {record.time:.15g}{_date(record.time)}"
    if record.time == 0:
        return " now"
    return f" {-record.time:g} s ago" if record.time < 0 else f" in {record.time:g} s"


def link_lines(targets: dict[str, dict[str, str | None]]) -> list[str]:
    """One line for each link of a Discover: path, name, attributes."""
    return [" ".join([target, *_name(_ids(target)), *_attributes(each)]) for target, each in targets.items()]


def value_text(path: Path, value: Any, units: Units) -> str:
    """A single value with its unit. Text is quoted and bytes are hex, so that nothing from a device can act on a
    terminal."""
    resource = definitions.resource(path)
    if isinstance(value, bytes):
        return value.hex(" ") or "(no bytes)"
    text = json.dumps(value, ensure_ascii=True)
    if resource and resource.type == "Time" and isinstance(value, int):
        return text + _date(value)
    unit = _unit(path, units)
    return f"{text} {unit}" if unit else text


def learn_units(units: Units, path: Path, value: Any) -> None:
    """Remember what instances say about their unit in resource 5701."""
    for each, item in _flat(path, value):
        if len(each) == 3 and each[2] == _SENSOR_UNITS and isinstance(item, str):
            units[each[0], each[1]] = item if item.isprintable() else ""


def _flat(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if not isinstance(value, dict):
        yield path, value
        return
    if not value:
        yield path, None
    for number, item in value.items():
        if isinstance(number, int):  # links have text for keys
            yield from _flat((*path, number), item)


def _line(path: Path, value: Any, units: Units) -> str:
    head = " ".join([text_of(path), *_name(path)])
    return f"{head} is empty" if value is None else f"{head} = {value_text(path, value, units)}"


def _name(path: Path) -> list[str]:
    known = definitions.objects().get(path[0]) if path else None
    if known is None:
        return []
    resource = definitions.resource(path)
    if len(path) <= 2:
        return [known.name]
    return [resource.name] if resource else []


def _unit(path: Path, units: Units) -> str:
    resource = definitions.resource(path)
    if resource is None:
        return ""
    if definitions.objects()[path[0]].units_at_run_time(path[2]):
        return units.get((path[0], path[1]), "")
    return resource.units


def _date(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime(" (%Y-%m-%d %H:%M:%S UTC)")
    except (OverflowError, ValueError, OSError):
        return ""


def _ids(target: str) -> Path:
    parts = target.split("/")[1:]
    return tuple(int(part) for part in parts) if all(part.isascii() and part.isdigit() for part in parts) else ()


def _attributes(attributes: dict[str, str | None]) -> list[str]:
    return [name if value is None else f"{name}={value}" for name, value in attributes.items()]
