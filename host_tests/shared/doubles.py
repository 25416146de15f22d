"""Stand-ins for what objects meet: the client, sensors and drivers, and a server's Read."""

from lwm2m.tree import Tree


class Client:
    """What objects see of the client: its clock. `told` are the names of the values that changed."""

    def __init__(self, obj):
        self.now = 5000
        self.told = []
        obj.client = self
        obj.notify = self._notify

    def clock(self):
        return self.now

    def _notify(self, obj, name):
        self.told.append(name)


class Script:
    """A sensor that gives one thing after the other; an exception is raised."""

    def __init__(self, *readings):
        self.readings = list(readings)

    def __call__(self):
        reading = self.readings.pop(0)
        if isinstance(reading, Exception):
            raise reading
        return reading


class Lamp:
    """A driver that is dimmed. It breaks when `works` is False."""

    def __init__(self):
        self.seen = []
        self.works = True

    def level(self, percent):
        if not self.works:
            raise OSError(19)
        self.seen.append(percent)


class Relay:
    """A driver that can only be switched."""

    def __init__(self):
        self.seen = []

    def on(self, on=True):
        self.seen.append(on)


class Pixel(Lamp):
    """A driver with a colour."""

    def colour(self, text):
        if text[0] != "#":
            raise ValueError("a colour is #rrggbb")
        self.seen.append(text)


class Button:
    """A driver that tells of changes."""

    def __init__(self):
        self.on_change = None
        self.down = False

    def pressed(self):
        return self.down

    def push(self, down):
        self.down = down
        self.on_change(down)


def read(obj, rid):
    """One resource as a server gets it; raises CoapError."""
    tree = Tree()
    tree.add(obj)
    path = (obj.OID, obj.iid, rid)
    return tree.record(*tree.resource(path), path)[3]
