"""What must be right about an object's table, checked once, when the object is added."""

from lwm2m.config import ConfigError
from lwm2m.object import Object

TYPES = ("str", "int", "uint", "float", "bool", "opaque", "time", "link", "corelnk", "none")


def check_table(obj):
    """Raise ConfigError, naming the row, for a mistake in an object's table."""
    name = type(obj).__name__
    if not isinstance(obj.OID, int):
        raise ConfigError("%s: OID must be the object's number" % name)
    seen = set()
    for row in obj.rows():
        problem = _row_problem(obj, row, seen)
        if problem:
            raise ConfigError("%s: row '%s': %s" % (name, " ".join(row), problem))
        seen.add(row[0])
    if not seen:
        raise ConfigError("%s: its table RES has no rows" % name)


def _row_problem(obj, row, seen):
    if not 4 <= len(row) <= 5 or not row[0].isdigit():
        return "a row is: id, operations, type, attribute, and perhaps a range"
    if row[0] in seen:
        return "this id is there twice"
    letters = row[1].replace("!", "").replace("*", "")
    if letters not in ("R", "W", "RW", "E", "-"):
        return "operations are R, W, RW, E or -, with ! for mandatory and * for multiple"
    if row[2] not in TYPES:
        return "type must be one of " + " ".join(TYPES)
    if len(row) == 5 and not _is_range(row[4]):
        return "a range is like 0..255"
    if hasattr(Object, row[3]):
        return "every object has a %s already, take another name" % row[3]
    if "!" in row[1] and letters != "W" and not hasattr(obj, row[3]):
        return "mandatory, but there is no attribute " + row[3]
    value = getattr(obj, row[3], None)
    if value is None and not ("!" in row[1] and (letters == "E" or "*" in row[1])):
        return None  # absent, or not measured yet
    if letters == "E" and not callable(value):
        return row[3] + " must be a method, as it is executable"
    if "*" in row[1] and not callable(value) and not isinstance(value, dict):
        return row[3] + " must be a dict, as it is multiple"
    return None


def _is_range(text):
    low, dots, high = text.partition("..")
    try:
        return dots == ".." and (not low or float(low) is not None) and (not high or float(high) is not None)
    except ValueError:
        return False
