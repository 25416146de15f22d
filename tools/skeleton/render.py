"""The text of an object file, from a definition. Only facts of that go into it: ids, names, operations, types, ranges
and units; its descriptions are another's text."""

import keyword
import re
import textwrap
import unicodedata

WIDTH = 120

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
SIZED = ("str", "opaque", "int", "uint", "float", "time")  # what a range is of
EXAMPLES = {"bool": "True", "time": "1767225600", "link": "(3, 0)", "corelnk": '"</3>"'}

# What an attribute cannot be called: every object has the first, a client gives or looks for the second.
OF_EVERY_OBJECT = set("changed has iid notify row rows set value_of".split())
TAKEN = OF_EVERY_OBJECT | set("client sample sample_ms".split()) | set(keyword.kwlist)

ABOUT = """
Readable resources are given by their names, each as a value or as a callable that returns it. What is None is absent
or, if it is mandatory, has no value yet. Take out what you do not serve: its row, its attribute and its method. A
method `write_<attribute>(value)` is called for a server's write, see lwm2m.object. Raises ConfigError.
"""


def render(definition, oid, module):
    """An object file for a definition, to be served as object `oid` and imported as `module`."""
    rows = list(_named(definition.resources.values()))
    lines = [
        *_head(definition, oid, module, rows),
        *_imports(rows),
        *_class(definition, oid),
        *_table(rows),
        *_attributes(rows),
        *_constructor(rows),
        *_methods(rows),
    ]
    return "\n".join(lines) + "\n"


# -- names -------------------------------------------------------------------------------------------------------------


def words_of(name):
    """The words of a name, as ASCII: "TotalBytesSent (1)" -> ["Total", "Bytes", "Sent", "1"]."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.findall(r"[A-Za-z0-9]+", re.sub(r"([a-z])([A-Z][a-z])", r"\1 \2", plain))


def class_name(definition):
    """ "LWM2M Software Management" -> "SoftwareManagement"."""
    words = [word.capitalize() if word.isupper() else word[0].upper() + word[1:] for word in _words(definition)]
    name = "".join(words)[:40]
    if not name.isidentifier() or keyword.iskeyword(name) or name in ("Object", "ServiceUnavailable"):
        return f"Object{definition.id}"
    return name


def file_name(definition):
    """ "LWM2M Software Management" -> "software_management"."""
    name = "_".join(_words(definition)).lower()[:40]
    return f"object_{definition.id}" if keyword.iskeyword(name) or not name.isidentifier() else name


def _words(definition):
    return words_of(re.sub("^LWM2M ", "", definition.name, flags=re.IGNORECASE))


def _named(resources):
    """(resource, attribute) by ascending id; no attribute is there twice, or means something else."""
    taken = set(TAKEN)
    for resource in sorted(resources, key=lambda resource: resource.id):
        words = words_of(resource.name)
        while words and words[-1].isdigit() and "(" in resource.name:  # "(1)" is a footnote of the registry
            words.pop()
        while len("_".join(words)) > 40 and len(words) > 1:
            words.pop()
        name = "_".join(words).lower()[:40]
        if not name.isidentifier() or len(name) < 2 or name.startswith(("write_", "stream_")):
            name = f"resource_{resource.id}"
        while name in taken:
            name = f"{name}_{resource.id}"
        taken.add(name)
        yield resource, name


def _plain(text):
    """Text for a comment or docstring: printable ASCII, without what could end it."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "".join(char for char in plain if char.isprintable() and char not in '"\\').strip()[:60]


# -- rows --------------------------------------------------------------------------------------------------------------


def range_of(resource):
    """The range of a table's row: "0..255 bytes", "1...15" and "0-50" of the registry; "" for what is no range."""
    found = re.fullmatch(r"(-?[\d.]*\d)(?:\.{2,3}|-)(-?\d[\d.]*)(?: bytes)?", resource.range or "")
    if not found or TYPES[resource.type] not in SIZED or len(found[0]) > 40:
        return ""
    try:
        return f"{found[1]}..{found[2]}" if float(found[1]) <= float(found[2]) else ""
    except ValueError:  # more than one dot
        return ""


def _row(resource, name):
    operations = (resource.operations or "-") + "!" * resource.mandatory + "*" * resource.multiple
    return f"{resource.id} {operations} {TYPES[resource.type]} {name} {range_of(resource)}".rstrip()


def _example(resource):
    """A literal that fits a resource."""
    type = TYPES[resource.type]
    low = range_of(resource).partition("..")[0] or "0"
    if type in ("str", "opaque"):
        literal = ('"x"', 'b"x"')[type == "opaque"] + (f" * {int(float(low))}" if float(low) > 1 else "")
    elif type == "float":
        literal = repr(float(low))
    else:
        literal = EXAMPLES.get(type) or str(int(float(low)))
    return f"{{0: {literal}}}" if resource.multiple else literal


# -- the parts of the file ---------------------------------------------------------------------------------------------


def _head(definition, oid, module, rows):
    """The file's docstring, with a usage that works as it stands."""
    name = class_name(definition)
    needed = [(r, n) for r, n in rows if "R" in r.operations and r.mandatory]
    arguments = [f"{attribute}={_example(resource)}" for resource, attribute in needed]
    if oid == definition.id:
        title = f"Object {oid}, {_plain(definition.name)} (version {definition.version})."
    else:
        title = f"Object {oid}, our own, after {_plain(definition.name)} (object {definition.id})."
    call = f"    obj = client.add({name}({', '.join(arguments)}))"
    if len(call) > WIDTH:
        call = "\n".join([f"    obj = client.add({name}(", *(f"        {one}," for one in arguments), "    ))"])
    lines = [f'"""{title}', "", f"    from {module} import {name}", "", call]
    told = [(r, n) for r, n in rows if "R" in r.operations]
    if told:
        resource, attribute = (needed or told)[0]
        lines.append(f'    obj.set("{attribute}", {_example(resource)})')
    return [*lines, "", "`set` is the one door for change: observers hear of it.", '"""', ""]


def _imports(rows):
    executes = any(resource.operations == "E" for resource, _ in rows)
    return [
        *(["from coap.errors import ServiceUnavailable"] if executes else []),
        "from lwm2m.object import Object",
        "from lwm2m.objects import tell",
        "",
        "",
    ]


def _class(definition, oid):
    about = f"{_plain(definition.name) or 'An object'}. " + " ".join(ABOUT.split())
    return [
        f"class {class_name(definition)}(Object):",
        *textwrap.wrap('"""' + about, WIDTH, initial_indent="    ", subsequent_indent="    "),
        '    """',
        "",
        f"    OID = {oid}",
        *([f'    VERSION = "{definition.version}"'] if oid == definition.id and definition.version != "1.0" else []),
        *([] if definition.multiple else ["    MULTIPLE = False"]),
    ]


def _table(rows):
    return ['    RES = """', *(_row(resource, name) for resource, name in rows), '"""']


def _attributes(rows):
    """The class's own value of everything that is not executed; what is multiple and mandatory gets a dict of its own.
    One whose name does not say all stands alone, with a remark."""
    lines, plain = [], []
    for resource, name in rows:
        if resource.operations != "E" and not (resource.mandatory and resource.multiple):
            said = "_".join(words_of(resource.name)).lower() == name
            about = ", ".join(filter(None, ("" if said else _plain(resource.name), _plain(resource.units))))
            if about:
                lines.append(f"    {name} = None  # {about}")
            else:
                plain.append(name)
    return lines + _chains(plain)


def _chains(names):
    """The lines "a = b = None" for names, as few as their width allows."""
    lines = []
    while names:
        count = len(names)
        while count > 1 and len(_chain(names[:count])) > WIDTH:
            count -= 1
        lines.append(_chain(names[:count]))
        names = names[count:]
    return lines


def _chain(names):
    return "    " + " = ".join([*names, "None"])


def _constructor(rows):
    dicts = [name for resource, name in rows if resource.operations != "E" and resource.mandatory and resource.multiple]
    return [
        "",
        "    def __init__(self, **resources):",
        *(f"        self.{name} = {{}}" for name in dicts),
        "        tell(self, resources)",
    ]


def _methods(rows):
    lines = []
    for resource, name in rows:
        if resource.operations == "E":
            lines += [
                "",
                f"    def {name}(self, args):",
                f'        """Execute: {_plain(resource.name) or name}. args is {{digit: text or None}}."""',
                f'        raise ServiceUnavailable("{name} does nothing yet")',
            ]
    return lines
