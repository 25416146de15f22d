"""An LwM2M object instance: one text table and plain attributes (OMA Core 1.1 chapter 7).

    class Temperature(Object):
        OID = 3303
        RES = '''
        5700 R!  float value
        5701 R   str   units
        5605 E   none  reset_min_max
        '''
        units = "Cel"

A row is: resource id, operations, type, attribute, and where the registry gives one a range (`0..255`: of a number,
or of the length of a string). Operations are R, W, RW, E, or - for what only a Bootstrap-Server may touch, with `!` for
mandatory and `*` for multiple. The attribute named in a row is the value, a dict {id: value} if multiple, None if the
resource is absent; or a method, called to read or to execute. A method `write_<attribute>(value)`, if there is one, is
called for a server's write in place of `set`; it may raise a CoapError to refuse, or OSError when the hardware does not
obey.
"""

from coap.errors import BadRequest
from lwm2m import log
from lwm2m.config import ConfigError

TYPES = ("str", "int", "uint", "float", "bool", "opaque", "time", "link", "corelnk", "none")


class Object:
    """One object instance. Subclasses give OID, RES, and VERSION and MULTIPLE where they differ from these."""

    OID = None
    RES = ""
    VERSION = "1.0"
    MULTIPLE = True  # may there be several instances?
    iid = None  # given by client.add
    notify = None  # set by the client: called with (object, attribute name) when a value changes

    # -- the one door for change --------------------------------------------------------------------------------

    def set(self, name, value):
        """Change the value called `name`; observers are told if it differs. Returns whether it did."""
        old = getattr(self, name)
        if old == value and (old is None) == (value is None):
            return False
        setattr(self, name, value)
        self.changed(name)
        return True

    def changed(self, name):
        """Tell observers about a value that changed in place, or that a method computes."""
        if self.notify:
            self.notify(self, name)

    # -- the table ----------------------------------------------------------------------------------------------

    def rows(self):
        """The rows of the table, as lists of words [id, operations, type, attribute, range...]."""
        text = self.RES
        start = 0
        while start < len(text):
            stop = text.find("\n", start)
            if stop < 0:
                stop = len(text)
            words = text[start:stop].split()
            if words:
                yield words
            start = stop + 1

    def row(self, rid):
        """The row of one resource, or None if the object does not define it."""
        rid = str(rid)
        for words in self.rows():
            if words[0] == rid:
                words[3] = self._interned(words[3])
                return words
        return None

    def _interned(self, name):
        """The same name as the interpreter keeps it for its attributes: with a copy, getattr would search for that
        each time, which costs more than the rest of a Read."""
        for known in dir(self):
            if known == name:
                return known
        return name

    def has(self, row):
        """Whether this instance has the resource of a row; a mandatory one is there even before its first value."""
        return "!" in row[1] or getattr(self, row[3], None) is not None

    def value_of(self, row):
        """The current value of a readable resource; may raise what its method raises."""
        value = getattr(self, row[3])
        return value() if callable(value) else value

    # -- writes -------------------------------------------------------------------------------------------------

    def apply(self, changes):
        """Make every (attribute, value) of a list true, or none of them (then re-raises what went wrong)."""
        done = []
        try:
            for name, value in changes:
                done.append((name, self._current(name)))
                self._write(name, value)
        except Exception:
            for name, old in reversed(done):
                self._put_back(name, old)
            raise

    def _current(self, name):
        value = getattr(self, name)
        return value() if callable(value) else value

    def _put_back(self, name, old):
        """Hardware that just failed may fail again; the other values are put back all the same."""
        try:
            if self._current(name) != old:
                self._write(name, old)
        except Exception as error:
            log.warning("/%d/%s: %s is not what it was: %r", self.OID, self.iid, name, error)

    def _write(self, name, value):
        write = getattr(self, "write_" + name, None)
        if write:
            write(value)
        else:
            self.set(name, value)

    def default(self, name):
        """What an optional writable resource becomes when a replacing Write leaves it out."""
        return None if getattr(self, name) is None else getattr(type(self), name, None)


def check_range(row, value):
    """Raise BadRequest if a value lies outside the range of its row (a number, or the length of a string)."""
    if len(row) < 5:
        return
    low, high = row[4].split("..")
    size = value if row[2] in ("int", "uint", "float", "time") else len(value)
    if (low and not size >= float(low)) or (high and not size <= float(high)):  # so that NaN lies outside as well
        raise BadRequest("%s must be %s" % (row[3], row[4]))


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
