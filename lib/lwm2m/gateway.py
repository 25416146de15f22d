"""LwM2M Gateway (OMA Gateway 1.1): end devices that do not speak LwM2M, each under a prefix. Imported by programs that
are one.

    gateway = Gateway(client)
    dev = gateway.add_device("dev0", "sensor-17")
    dev.add(Temperature(read_over_ble))                      # /dev0/3303/0, sampled and reported like our own

Each has an instance of object 25, from which servers learn its prefix and its objects; a Register tells no more. In the
house an object of an end device has a number of its own: that of the device above the 16 bits of its object id. So it
lives in the one tree, and all operations, attributes and observations are as everywhere else; only the log shows it,
/68839/0 for 65536 + 3303. Prefixes are where names are: in Uri-Paths and SenML, not in what Discover answers. A prefix
keeps its number as long as the program runs.

Where rights are told by object 2 (see lwm2m.access), those on /25/x are the rights on all that its device has.
"""

from coap.errors import BadRequest, NotFound
from compat import const
from lwm2m import path as paths
from lwm2m.config import ConfigError
from lwm2m.formats.link import links
from lwm2m.objects.gateway import GatewayDevice

_OWN = const((0, 1, 2, 21, 23, 25, 26))  # objects that only the gateway has: accounts, rights, keys, and these
_RESERVED = const(("bs", "rd", "dp", ".well-known"))
_EXTRA = const("-:._")
_NOWHERE = const(-65536)


class _Prefixes:
    """All that there ever were, of any client: here are names only. See lwm2m.path.prefixes."""

    def __init__(self):
        self._found = {}  # prefix as bytes -> number, and the other way round

    def __contains__(self, prefix):
        return prefix in self._found

    def number(self, prefix):
        """What the object ids of an end device are counted from: n << 16 for the n-th prefix."""
        found = self._found
        if prefix not in found:
            number = len(found) // 2 + 1 << 16
            found[prefix] = number
            found[number] = prefix
        return found[prefix]

    def parse(self, segments):
        """lwm2m.path.parse for what begins with a prefix; raises BadRequest. Where there never was such a prefix, the
        object id is negative, and leads nowhere."""
        path = paths.parse(segments[1:])
        if not path or not segments[0]:
            raise BadRequest("bad id in path")
        return (self._found.get(segments[0], _NOWHERE) + path[0],) + path[1:]

    def name(self, oid):
        """What an object of an end device is called outside, as bytes: "dev0/3303"."""
        return b"%s/%d" % (self._found[_base(oid)], oid & 65535)


_prefixes = paths.prefixes = _Prefixes()


def _base(oid):
    return oid >> 16 << 16


class Gateway:
    """The end devices behind one client; raises ConfigError if that has a Gateway already."""

    def __init__(self, client):
        if client.gateway:
            raise ConfigError("gateway: the client has one already")
        self.client = client
        self.devices = {}  # prefix -> EndDevice
        client.gateway = self

    def add_device(self, prefix, device_id):
        """Have a new end device, and return its EndDevice. Servers hear of it by an Update. Raises ConfigError."""
        if prefix in self.devices:
            raise ConfigError("gateway: %s is there already" % prefix)
        device = self.devices[prefix] = EndDevice(self.client, _checked(prefix), device_id)
        return device

    def remove_device(self, prefix):
        """Forget an end device and all its objects; observations of them end with 4.04. Raises ConfigError."""
        if prefix not in self.devices:
            raise ConfigError("gateway: %s is not there" % prefix)
        self.devices.pop(prefix).close()

    # -- what lwm2m.path has for plain paths ------------------------------------------------------------------------

    def parse(self, segments):
        """The path in the Uri-Path options of a request; raises BadRequest, NotFound."""
        if not segments or segments[0].isdigit():
            return paths.parse(segments)
        if segments[0] not in _prefixes:
            raise NotFound("no such end device")
        return _prefixes.parse(segments)


def _checked(prefix):
    """A prefix that stands for nothing else in a path and may stand in a SenML name; raises ConfigError."""
    for letter in prefix:
        if not ("0" <= letter <= "9" or "A" <= letter <= "Z" or "a" <= letter <= "z" or letter in _EXTRA):
            raise ConfigError("gateway: a prefix has letters, digits and %s only, not %s" % (_EXTRA, prefix))
    if not prefix or len(prefix) > 255 or prefix in _RESERVED or prefix.encode().isdigit():
        raise ConfigError("gateway: not a prefix: '%s'" % prefix)
    return prefix


class EndDevice:
    """One end device: what it is called and the objects that it has. Made by Gateway.add_device."""

    def __init__(self, client, prefix, device_id):
        self.prefix = prefix
        self.number = _prefixes.number(prefix.encode())
        self._client = client
        self.entry = client.add(GatewayDevice(device_id, prefix, self.links))

    def add(self, obj, iid=None):
        """Add an object instance, at the lowest free id unless told, and return it; raises ConfigError."""
        self.own(obj)
        try:
            self._client.add(obj, iid)
        except ConfigError as error:
            oid = obj.OID
            self._disown(obj)
            raise ConfigError(str(error).replace(str(oid), "%s/%d" % (self.prefix, obj.OID)))
        self.entry.changed("objects")
        return obj

    def remove(self, obj):
        """Take an object instance away; its attributes go, and its observations end with 4.04."""
        self._client.remove(obj)
        self._disown(obj)
        self.entry.changed("objects")

    def allow_create(self, make):
        """Let servers create and delete instances here: make() returns a new one, make.OID is its object."""
        _check_oid(make.OID)
        self._client.allow_create(_Maker(self, make))
        self.entry.changed("objects")

    def links(self):
        """Its object list, as /25/x/3 has it."""
        return ",".join(links(self._client.tree, self._oids(), self._client.version))

    def _oids(self):
        return [oid for oid in self._client.tree.objects if _base(oid) == self.number]

    def close(self):
        """The end of it; see Gateway.remove_device."""
        client = self._client
        for oid in self._oids():
            for obj in list(client.tree.objects[oid].values()):
                client.remove(obj)
                self._disown(obj)
            client.tree.creators.pop(oid, None)
            client.tree.objects.pop(oid, None)
        client.remove(self.entry)

    def own(self, obj):
        """Make an object instance one of this device, before it is added."""
        _check_oid(obj.OID)
        obj.OID += self.number
        obj.gateway_entry = self.entry

    def _disown(self, obj):
        del obj.OID, obj.gateway_entry


def _check_oid(oid):
    if oid in _OWN or not 0 < oid < paths.MAX_ID:
        raise ConfigError("gateway: an end device has no object %d" % oid)


class _Maker:
    """What makes instances for a Create on an end device."""

    def __init__(self, device, make):
        self.OID = make.OID + device.number
        self.VERSION = getattr(make, "VERSION", "1.0")
        self.gateway_entry = device.entry
        self._device = device
        self._make = make

    def __call__(self):
        obj = self._make()
        self._device.own(obj)
        return obj
