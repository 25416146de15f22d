"""Every table of every object in lib/lwm2m/objects against the OMA registry: ids, operations, types, ranges."""

import importlib
import inspect
import json
import pkgutil
import re
from pathlib import Path

import pytest

import lwm2m.objects
from lwm2m.object import Object
from lwm2m.table import check_table

ROOT = Path(__file__).parents[2]
REGISTRY = ("tools/lab/registry/objects.json", "host_tests/vectors/registry-older.json")

TYPES = {
    "String": "str",
    "Integer": "int",
    "Unsigned Integer": "uint",
    "Float": "float",
    "Boolean": "bool",
    "Opaque": "opaque",
    "Time": "time",
    "Objlnk": "link",
    "Corelnk": "corelnk",
    "": "none",
}

# Everything that a Device can be told.
MULTIPLE = "power_sources power_voltage power_current ext_dev_info"
NUMBERS = "battery_level battery_status memory_free memory_total"
TEXTS = "manufacturer model serial device_type firmware_version hardware_version software_version"
DEVICE = {name: {0: 1} for name in MULTIPLE.split()}
DEVICE.update(dict.fromkeys(NUMBERS.split(), 1), **dict.fromkeys(TEXTS.split(), "x"))

# How to make one where a single callable will not do.
MAKE = {
    0: lambda cls: cls("coap://lab.example", 1),
    1: lambda cls: cls(1),
    3: lambda cls: cls(reboot=print, factory_reset=print, **DEVICE),
    5: lambda cls: cls(None, print),
    16: lambda cls: cls({0: "x"}),
    19: lambda cls: cls({0: b"x"}),
}


def subclasses(cls):
    """All that derive from a class and come from the package of objects."""
    for sub in cls.__subclasses__():
        if sub.__module__.startswith("lwm2m.objects."):
            yield sub
        yield from subclasses(sub)


def load():
    """Every class that is an object, by importing every module there is."""
    for module in pkgutil.iter_modules(lwm2m.objects.__path__):
        importlib.import_module("lwm2m.objects." + module.name)
    return sorted({cls for cls in subclasses(Object) if cls.OID is not None}, key=lambda cls: cls.OID)


CLASSES = load()
DEFINITIONS = {
    (entry["id"], entry["ver"]): entry for path in REGISTRY for entry in json.loads((ROOT / path).read_text("utf-8"))
}


def normal_range(text):
    """ "0..255 bytes", "0-50", "1...15" -> (low, high); None for what is no range."""
    found = re.fullmatch(r"(-?[\d.]*\d)(?:\.{2,3}|-)(-?\d[\d.]*)(?: bytes)?", text or "")
    return (float(found[1]), float(found[2])) if found else None


def breaches(cls):
    """A sentence for everything in which a class differs from its definition."""
    definition = DEFINITIONS.get((cls.OID, cls.VERSION))
    if definition is None:
        yield f"no version {cls.VERSION} of object {cls.OID}"
        return
    if definition["multi"] != cls.MULTIPLE:
        yield f"MULTIPLE is {cls.MULTIPLE}"
    resources = {entry["id"]: entry for entry in definition["res"]}
    rows = [line.split() for line in cls.RES.splitlines() if line.strip()]
    for row in rows:
        entry = resources.get(int(row[0]))
        if entry is None:
            yield f"{row[0]}: not in this version"
        else:
            yield from (f"{row[0]}: {problem}" for problem in differences(row, entry))
    for missing in {rid for rid in resources if resources[rid]["mand"]} - {int(row[0]) for row in rows}:
        yield f"{missing}: mandatory, and missing"


def differences(row, entry):
    """A sentence for everything in which a row differs from the definition of its resource."""
    operations = (entry["op"] or "-") + "!" * entry["mand"] + "*" * entry["multi"]
    if row[1] != operations:
        yield f"operations are {row[1]}, not {operations}"
    if row[2] != TYPES[entry["type"]]:
        yield f"type is {row[2]}, not {TYPES[entry['type']]}"
    wanted = normal_range(entry.get("range"))
    if wanted is None:
        return  # a table may bound what the registry leaves open
    if len(row) > 4 and normal_range(row[4]) != wanted:
        yield f"range is {row[4]}, not {entry['range']}"
    if len(row) == 4 and ("W" in row[1] or row[1][0] == "-"):
        yield f"range {entry['range']} is missing"


def instance(cls):
    """One instance, with hardware that obeys where it has to be given."""
    if cls.OID in MAKE:
        return MAKE[cls.OID](cls)
    parameters = inspect.signature(cls).parameters.values()
    required = [one for one in parameters if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
    return cls(*[lambda *args: 0 for _ in required])


def test_objects_are_found():
    """The list of classes is that of the objects there should be, each id once."""
    oids = [cls.OID for cls in CLASSES]
    ipso = [3200, 3201, 3202, 3301, 3303, 3304, 3306, 3311, 3315, 3330, 3338, 3342, 3347]
    assert len(set(oids)) == len(oids)
    assert {0, 1, 3, 4, 6, 7, 9, 10, 11, 12, 13, 16, 19, 20, *ipso} <= set(oids)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.OID}-{cls.__name__}")
def test_table_is_the_registrys(cls):
    """The table says what the registry says."""
    assert list(breaches(cls)) == []


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.OID}-{cls.__name__}")
def test_class_serves_its_table(cls):
    """Every row has its attribute, what is executable is callable, and every write hook belongs to a writable row."""
    obj = instance(cls)
    check_table(obj)
    rows = list(obj.rows())
    assert [row[3] for row in rows if not hasattr(obj, row[3])] == []
    hooks = {name.removeprefix("write_") for name in vars(cls) if name.startswith("write_")}
    assert hooks <= {row[3] for row in rows if "W" in row[1]}


@pytest.mark.parametrize(
    ("res", "word"),
    [
        ("5700 R float value", "5700: operations are R, not R!"),
        ("5700 R!* float value", "5700: operations are R!*, not R!"),
        ("5700 R! int value", "5700: type is int, not float"),
        ("5700 R! float value\n5605 R none reset", "5605: operations are R, not E"),
        ("5700 R! float value\n5850 RW bool on", "5850: not in this version"),
        ("5701 R str units", "5700: mandatory, and missing"),
        ("5700 R! float value\n6049 R int quality 0..99", "6049: range is 0..99, not 0..100"),
    ],
)
def test_a_wrong_table_is_found(res, word):
    """The comparison finds each kind of mistake, once."""
    assert list(breaches(type("Wrong", (Object,), {"OID": 3303, "VERSION": "1.1", "RES": res}))) == [word]
