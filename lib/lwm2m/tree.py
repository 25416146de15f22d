"""The tree of object instances, and the walk over it that every format encodes."""

from coap.errors import CoapError, MethodNotAllowed, NotFound, ServiceUnavailable, Unauthorized
from lwm2m.config import Config, ConfigError
from lwm2m.path import CLOSED


class Tree:
    """Objects by id, each a dict of instances by id. `version` changes whenever an instance comes or goes."""

    config = Config()  # until it is the client's

    def __init__(self):
        self.objects = {}
        self.creators = {}  # object id -> callable that makes an instance for a Create
        self.version = 0

    def add(self, obj, iid=None):
        """Add an instance, at the lowest free id unless told; raises ConfigError."""
        from lwm2m.table import check_table

        check_table(obj)
        instances = self.objects.setdefault(obj.OID, {})
        if iid is None:
            iid = self.free_id(obj.OID)
        if iid in instances:
            raise ConfigError("/%d/%d is there already" % (obj.OID, iid))
        if instances and not obj.MULTIPLE:
            raise ConfigError("object %d allows one instance only" % obj.OID)
        obj.iid = iid
        instances[iid] = obj
        self.version += 1
        return obj

    def remove(self, obj):
        """Take an instance out; its object stays known if servers may create instances of it."""
        instances = self.objects[obj.OID]
        del instances[obj.iid]
        obj.notify = None
        if not instances and obj.OID not in self.creators:
            del self.objects[obj.OID]
        self.version += 1

    def free_id(self, oid):
        """The lowest instance id that is not in use."""
        iid = 0
        while iid in self.objects.get(oid, ()):
            iid += 1
        return iid

    def allow_create(self, make):
        """Let servers create instances: make() returns a new one; make.OID is its object. A class will do."""
        self.creators[make.OID] = make
        self.objects.setdefault(make.OID, {})
        self.version += 1

    def instances(self, oid):
        """Instances of an object by ascending id; raises NotFound, and Unauthorized for the closed objects."""
        if oid in CLOSED:
            raise Unauthorized()
        if oid not in self.objects:
            raise NotFound()
        instances = self.objects[oid]
        return [instances[iid] for iid in sorted(instances)]

    def instance(self, path):
        """The instance that a path of two or more ids lies in; raises NotFound or Unauthorized."""
        oid = path[0]
        if oid in CLOSED:
            raise Unauthorized()
        try:
            return self.objects[oid][path[1]]
        except KeyError:
            raise NotFound()

    def resource(self, path):
        """(instance, row) of a path of three or four ids; raises NotFound if either is not there."""
        obj = self.instance(path)
        row = obj.row(path[2])
        if row is None or not obj.has(row):
            raise NotFound()
        return obj, row

    def record(self, obj, row, path):
        """The record of one resource, or of one resource instance if the path has four ids, as `walk` has them; raises
        MethodNotAllowed if it cannot be read, and what its value raises."""
        if "R" not in row[1]:
            raise MethodNotAllowed()
        value = getattr(obj, row[3])  # as Object.value_of does: this is the way of every Read
        if callable(value):
            value = value()
        if value is None:
            raise ServiceUnavailable("no value yet") if "!" in row[1] else NotFound()
        if len(path) == 4:
            if "*" not in row[1] or path[3] not in value:
                raise NotFound()
            value = {path[3]: value[path[3]]}  # pyright: ignore[reportIndexIssue] - a dict, as it is multiple
        return (path[1], path[2], row[2], value)

    def walk(self, instances):
        """The readable content of instances as (instance id, resource id, type, value), for a format to encode."""
        for obj in instances:
            empty = True
            for row in obj.rows():
                if "R" in row[1] and obj.has(row):
                    value = self._value_or_none(obj, row)
                    if value is not None:
                        empty = False
                        yield (obj.iid, int(row[0]), row[2], value)
            if empty:
                yield (obj.iid, None, None, None)

    def _value_or_none(self, obj, row):
        """A value for a read of many: a sensor that fails must not hide its neighbours."""
        try:
            return obj.value_of(row)
        except (CoapError, OSError):
            return None
