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
            words: list = text[start:stop].split()
            if words:
                yield words
            start = stop + 1

    def row(self, rid):
        """The row of one resource, or None if the object does not define it."""
        text = self.RES
        start = text.find("\n%d " % rid)
        if start >= 0:  # a search in C, where a table is written without indentation
            stop = text.find("\n", start + 1)
            return self._interned(text[start : stop if stop > 0 else None].split())
        for words in self.rows():
            if words[0] == str(rid):
                return self._interned(words)
        return None

    def _interned(self, words):
        """A row with its attribute's name as the interpreter keeps it: with a copy, getattr would have to search for
        that each time, which costs more than all the rest of a Read."""
        for known in self.__dict__:
            if known == words[3]:
                words[3] = known
        return words

    def has(self, row):
        """Whether this instance has the resource of a row; a mandatory one is there even before its first value."""
        return "!" in row[1] or getattr(self, row[3], None) is not None

    def value_of(self, row):
        """The current value of a readable resource; may raise what its method raises."""
        value = getattr(self, row[3])
        return value() if callable(value) else value
