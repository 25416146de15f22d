"""tools.skeleton: an object file for every definition there is, as good as one written by hand; mistakes in a sentence.

The XML files in host_tests/vectors/ddf are the registry's own, with the notice of their licence in each.
"""

import ast
import dataclasses
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

from host_tests.cpython import laws
from host_tests.cpython.test_object_tables import breaches
from lwm2m.object import Object
from lwm2m.table import check_table
from peer import Peer
from tools.lab import definitions
from tools.skeleton import ddf, render
from tools.skeleton.__main__ import PRIVATE, main, module_of, skeleton

ROOT = Path(__file__).parents[2]
DDF = ROOT / "host_tests" / "vectors" / "ddf"
FILES = sorted(DDF.glob("*.xml"))
OBJECTS = definitions.objects()
TLV = 11542

LAWS = [
    laws.imports_point_down,
    laws.no_io_in_the_core,
    laws.only_compat_asks_which_python,
    laws.one_place_assigns_state,
    laws.files_and_functions_are_short,
    laws.excepts_are_honest,
    laws.public_names_have_docstrings,
]


def compiled(text):
    """The one class of an object file."""
    scope = {"__name__": "generated"}
    exec(compile(text, "generated.py", "exec"), scope)
    (found,) = [
        one for one in scope.values() if isinstance(one, type) and issubclass(one, Object) and one is not Object
    ]
    return found


def example(cls, text):
    """The object that the usage in the file's docstring adds, and the Peer whose client it was added to."""
    doc = ast.get_docstring(ast.parse(text), clean=False)
    code = "\n".join(line[4:] for line in doc.splitlines() if line.startswith("    "))
    name = code.split()[1]
    before = sys.modules.get(name)
    sys.modules[name] = types.ModuleType(name)
    setattr(sys.modules[name], cls.__name__, cls)
    try:
        peer = Peer()
        scope = {"client": peer.client}
        exec(code, scope)
    finally:
        del sys.modules[name]
        if before:
            sys.modules[name] = before
    return scope["obj"], peer


def xml(resources="", head="", oid="32769", name="Thing", version="<ObjectVersion>1.0</ObjectVersion>"):
    """A definition, with one resource unless told."""
    resources = resources or item()
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{head}<LWM2M><Object ObjectType="MODefinition"><Name>{name}</Name>'
        f"<ObjectID>{oid}</ObjectID>{version}<MultipleInstances>Single</MultipleInstances>"
        f"<Mandatory>Optional</Mandatory><Resources>{resources}</Resources></Object></LWM2M>"
    ).encode()


def item(rid=0, name="Value", operations="R", type="Integer", mandatory="Optional", range="", multiple="Single"):
    return (
        f'<Item ID="{rid}"><Name>{name}</Name><Operations>{operations}</Operations><MultipleInstances>{multiple}'
        f"</MultipleInstances><Mandatory>{mandatory}</Mandatory><Type>{type}</Type>"
        f"<RangeEnumeration>{range}</RangeEnumeration><Units></Units></Item>"
    )


# -- what comes out ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("oid", sorted(OBJECTS))
def test_every_object_of_the_registry(oid):
    """Its file holds the laws, its table is the registry's, and its usage works as it stands, served to a server."""
    text = skeleton(str(oid))
    source = laws.source(f"lib/lwm2m/objects/{render.file_name(OBJECTS[oid])}.py", text)
    assert [breach for law in LAWS for breach in law(source)] == []
    assert max(map(len, text.splitlines())) <= 120
    cls = compiled(text)
    assert list(breaches(cls)) == []
    obj, peer = example(cls, text)
    check_table(obj)
    assert [row[3] for row in obj.rows() if not hasattr(obj, row[3])] == []
    if oid in (0, 1, 21):
        return  # accounts, which no server may read or which must be made by the client
    peer.register()
    assert peer.get(f"/{oid}/0", accept=TLV).code == "2.05"
    for row in obj.rows():
        if "E" in row[1]:
            reply = peer.post(f"/{oid}/0/{row[0]}")
            assert (reply.code, reply.payload) == ("5.03", f"{row[3]} does nothing yet".encode())


def test_mandatory_without_a_value():
    """An object made of nothing is accepted too: what is mandatory has no value yet."""
    for oid in sorted(OBJECTS):
        obj = compiled(skeleton(str(oid)))()
        check_table(obj)
        for row in obj.rows():
            resource = OBJECTS[oid].resources[int(row[0])]
            assert obj.has(row) == (resource.mandatory or resource.operations == "E")


def test_ruff_is_content(tmp_path):
    """Every file is as `make lint` wants it."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    folder = tmp_path / "lib" / "lwm2m" / "objects"
    folder.mkdir(parents=True)
    for oid in OBJECTS:
        (folder / f"object_{oid}.py").write_text(skeleton(str(oid)))
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "."], cwd=tmp_path, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stdout + result.stderr


def test_names_of_every_object_are_kept_free():
    """The list of names that no attribute may have is that of Object."""
    names = {name for name in dir(Object) if name.islower() and not name.startswith("_")}
    assert names == render.OF_EVERY_OBJECT


# -- XML ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_xml_says_what_the_registry_says(path):
    """The reader of XML finds what another one found, from which the shipped registry was made."""
    found = ddf.read(path)
    assert found == OBJECTS[found.id]
    assert skeleton(str(path)) == skeleton(path.stem)
    assert "Redistribution and use in source and binary forms" in path.read_text("utf-8")


def test_xml_files_are_there():
    """The test above has something to test."""
    assert [path.name for path in FILES] == ["3200.xml", "3348.xml", "7.xml"]


NAMES = [
    ("Value", "value"),
    ("TotalBytesSent", "total_bytes_sent"),
    ("Connection end time (1)", "connection_end_time"),
    ("eDRX parameters for A/Gb mode", "edrx_parameters_for_a_gb_mode"),
    ("WEP Key 1", "wep_key_1"),
    ("Temp\u00e9rature \u00d7 2", "temperature_2"),
    ("\u6e29\u5ea6", "resource_5"),
    ("3D position", "resource_5"),
    ("l", "resource_5"),
    ("class", "class_5"),
    ("Set", "set_5"),
    ("Sample", "sample_5"),
    ("Write Value", "resource_5"),
    ("a" * 80, "a" * 40),
    ("one two three four five six seven eight nine ten", "one_two_three_four_five_six_seven_eight"),
    ('"""; import os', "import_os"),
    ("", "resource_5"),
]


@pytest.mark.parametrize(("name", "attribute"), NAMES)
def test_names_of_attributes(name, attribute):
    """Whatever a resource is called, its attribute is a name, and its file a file."""
    escaped = name.replace('"', "&quot;")
    for operations, type in (("RW", "String"), ("E", "")):
        found = ddf.parse(xml(item(5, escaped, operations, type)))
        text = render.render(found, found.id, "mine")
        check_table(compiled(text)())
        assert f"\n5 {operations} {render.TYPES[type]} {attribute}\n" in text
        assert text.isascii()


def test_the_same_name_twice():
    """Two resources of one name have two attributes."""
    found = ddf.parse(xml(item(1) + item(2) + item(3, "Value 2")))
    assert [row[3] for row in compiled(render.render(found, 32769, "mine"))().rows()] == [
        "value",
        "value_2",
        "value_2_3",
    ]


@pytest.mark.parametrize(
    ("name", "cls", "file"),
    [
        ("Push button", "PushButton", "push_button"),
        ("LwM2M Gateway", "Gateway", "gateway"),
        ("WLAN connectivity", "WlanConnectivity", "wlan_connectivity"),
        ("Up/Down Control", "UpDownControl", "up_down_control"),
        ("Object", "Object32769", "object"),
        ("True", "Object32769", "true"),
        ("class", "Class", "object_32769"),
        ("3D", "Object32769", "object_32769"),
        ("\u6e29\u5ea6", "Object32769", "object_32769"),
        ("", "Object32769", "object_32769"),
        ("a" * 200, "A" + "a" * 39, "a" * 40),
        ('"""', "Object32769", "object_32769"),
    ],
)
def test_names_of_classes(name, cls, file):
    """Whatever an object is called, its class and its file have a name."""
    found = ddf.parse(xml(name=name.replace('"', "&quot;")))
    assert (render.class_name(found), render.file_name(found)) == (cls, file)
    assert compiled(render.render(found, found.id, file)).__name__ == cls


@pytest.mark.parametrize(
    ("type", "text", "row"),
    [
        ("Integer", "0..100", "0..100"),
        ("Integer", "-158..-44", "-158..-44"),
        ("String", "0..255 bytes", "0..255"),
        ("Float", "0.5...1.5", "0.5..1.5"),
        ("Integer", "1-5", "1..5"),
        ("Integer", "5..1", ""),
        ("Integer", "0..1.2.3", ""),
        ("Integer", "8-Bits", ""),
        ("Boolean", "0..1", ""),
        ("Objlnk", "0..1", ""),
        ("Integer", "0.." + "9" * 50, ""),
    ],
)
def test_ranges(type, text, row):
    """A range is one only where a value can be compared with it."""
    found = ddf.parse(xml(item(0, "Value", "RW", type, "Mandatory", text)))
    assert render.range_of(found.resources[0]) == row
    rendered = render.render(found, found.id, "mine")
    obj, _ = example(compiled(rendered), rendered)
    assert (next(iter(obj.rows())) + [""])[4] == row


# -- the command line --------------------------------------------------------------------------------------------------


def test_it_prints_and_writes(tmp_path, capsys):
    """Without --out the file is printed; with it, written once."""
    assert main(["3303"]) == 0
    printed = capsys.readouterr().out
    assert printed == skeleton("3303")
    path = tmp_path / "thermo.py"
    assert main(["3303", "--out", str(path)]) == 0
    assert capsys.readouterr().out == f"wrote {path}\n"
    assert path.read_text() == printed.replace("lwm2m.objects.temperature", "thermo")
    path.write_text("mine")
    assert main(["3303", "--out", str(path)]) == 2
    assert (path.read_text(), "is there already" in capsys.readouterr().err) == ("mine", True)


def test_module_of_the_usage():
    """The usage imports the file from where it lies."""
    found = OBJECTS[3303]
    assert module_of(None, found, False) == "lwm2m.objects.temperature"
    assert module_of(None, found, True) == "temperature"
    assert module_of(ROOT / "lib" / "lwm2m" / "objects" / "thermo.py", found, False) == "lwm2m.objects.thermo"
    assert module_of(Path("thermo.py"), found, False) == "thermo"


def test_private_objects():
    """--private gives a number that nobody registers, another one for each object; one that is private stays."""
    numbers = {}
    for oid in OBJECTS:
        cls = compiled(skeleton(str(oid), private=True))
        assert cls.OID in PRIVATE and cls.VERSION == "1.0"
        numbers[cls.OID] = oid
    assert len(numbers) == len(OBJECTS)
    own = dataclasses.replace(OBJECTS[3303], id=32770)
    assert "OID = 32770" in render.render(own, 32770, "mine")
    assert "Object 36072, our own, after Temperature (object 3303)." in skeleton("3303", private=True)


BOMB = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY c "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY d "&c;&c;&c;&c;&c;&c;">]>'
OUTSIDE = '<!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/hostname">]>'

MISTAKES = [
    (b"", "no element found"),
    (b"hello", "this is no XML"),
    (b"<LWM2M><Object></LWM2M>", "this is no XML: mismatched tag"),
    (b"<html><body/></html>", "no definition of one LwM2M object: 0 of"),
    (b"<LWM2M/>", "no definition of one LwM2M object: 0 of"),
    (b"<LWM2M><Object/><Object/></LWM2M>", "no definition of one LwM2M object: 2 of"),
    (b"<LWM2M><Object/></LWM2M>", "the object has no resources"),
    (b'<?xml version="1.0" encoding="utf-99"?><LWM2M/>', "this is no XML"),
    (b'<?xml version="1.0" encoding="utf-7"?><LWM2M/>', "this is no XML"),
    (b"<a>" * 100 + b"</a>" * 100, "deeper than 16"),
    (b"<a>" * 100000, "deeper than 16"),
    (xml(head=BOMB), "no document type and no entities"),
    (xml(head=OUTSIDE, name="&a;"), "no document type and no entities"),
    (xml(name="&a;"), "this is no XML: undefined entity"),
    (b" " * (ddf.MAX_BYTES + 1), "longer than any definition"),
    (xml(oid=""), "ObjectID is ''"),
    (xml(oid="-1"), "ObjectID is '-1'"),
    (xml(oid="65535"), "ObjectID is '65535', and no number below 65535"),
    (xml(oid="\u0663"), "and no number below"),
    (xml(item(rid="x")), "ID of an Item is 'x'"),
    (xml("<Item/>"), "ID of an Item is None"),
    (xml(item(3) + item(3)), "resource 3 is there twice"),
    (xml(item(operations="X")), "resource 0: Operations are 'X'"),
    (xml(item(type="Blob")), "resource 0: Type is 'Blob'"),
    (xml(item(type="")), "resource 0: Type is ''"),
    (xml(item(mandatory="Maybe")), "Mandatory is 'Maybe', and neither Optional nor Mandatory"),
    (xml(item(multiple="")), "MultipleInstances is ''"),
    (xml(version="<ObjectVersion>one</ObjectVersion>"), "ObjectVersion is 'one', and not like 1.0"),
    (xml(version='<ObjectVersion>1.0"\n</ObjectVersion>'), "and not like 1.0"),
]


@pytest.mark.parametrize(("data", "sentence"), MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes_in_xml(tmp_path, capsys, data, sentence):
    """Each is one sentence with the file's name, exit status 2, and nothing written."""
    path = tmp_path / "mine.xml"
    path.write_bytes(data)
    assert main([str(path), "--out", str(tmp_path / "mine.py")]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), err.endswith("\n")) == ("", 1, True)
    assert str(path) in err and sentence in err
    assert not (tmp_path / "mine.py").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["9999"], "no object 9999 in the registry that comes along: give the XML of its definition"),
        (["9" * 5000], f"no object {'9' * 5000} in the registry that comes along: give the XML of its definition"),
        (["3303", "--out", "my file.py"], "my file.py cannot be imported: take a name like my_object.py"),
        (["3303", "--out", "class.py"], "class.py cannot be imported: take a name like my_object.py"),
        (["3303", "--out", "1x.py"], "1x.py cannot be imported: take a name like my_object.py"),
        (["3303", "--out", "thermo"], "thermo cannot be imported: take a name like my_object.py"),
        (["3303", "--out", ""], ". cannot be imported: take a name like my_object.py"),
        (["nothing.xml"], "nothing.xml: No such file or directory"),
        (["."], ".: Is a directory"),
        (["3303", "--out", "nowhere/a.py"], "nowhere/a.py: No such file or directory"),
    ],
)
def test_mistakes_on_the_command_line(tmp_path, capsys, monkeypatch, arguments, sentence):
    """One sentence, exit status 2."""
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert capsys.readouterr().err == sentence + "\n"


def test_as_a_program():
    """The command of the README, in a process of its own."""
    command = [sys.executable, "-m", "tools.skeleton"]
    result = subprocess.run([*command, "3303"], cwd=ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stderr, result.stdout) == (0, "", skeleton("3303"))
    assert subprocess.run([*command, "x.xml"], cwd=ROOT, capture_output=True).returncode == 2


def test_a_version_may_be_absent():
    """It is then 1.0, and the file need not say so."""
    found = ddf.parse(xml(version=""))
    assert found.version == "1.0"
    assert "VERSION" not in render.render(found, found.id, "mine")


def test_mistakes_are_no_tracebacks():
    """A damaged file is a mistake like any other, or still a definition."""
    good = DDF.joinpath("3348.xml").read_bytes()
    for position in range(0, len(good), 37):
        for byte in (0, 60, 255):
            data = good[:position] + bytes([byte]) + good[position + 1 :]
            try:
                found = ddf.parse(data)
            except ddf.SkeletonError as error:
                assert str(error)
            else:
                check_table(compiled(render.render(found, found.id, "mine"))())


ON_MICROPYTHON = """
import sys
from lwm2m.tree import Tree
for name in sys.argv[1:]:
    module = __import__(name)
    (cls,) = [one for key, one in module.__dict__.items() if isinstance(one, type) and key == module.CLASS]
    obj = Tree().add(cls())
    print(name, obj.OID, len(list(obj.rows())))
"""


def test_every_object_on_micropython(tmp_path, micropython):
    """MicroPython loads each file, and accepts its object."""
    wanted = []
    for oid in sorted(OBJECTS):
        found = OBJECTS[oid]
        (tmp_path / f"o{oid}.py").write_text(skeleton(str(oid)) + f"\n\nCLASS = {render.class_name(found)!r}\n")
        wanted.append(f"o{oid} {oid} {len(found.resources)}")
    (tmp_path / "check.py").write_text(ON_MICROPYTHON)
    command = [micropython, "-X", "heapsize=8m", str(tmp_path / "check.py"), *(line.split()[0] for line in wanted)]
    environment = {"MICROPYPATH": f".frozen:{ROOT / 'lib'}:{tmp_path}"}
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (result.returncode, result.stdout.splitlines()) == (0, wanted), result.stderr
