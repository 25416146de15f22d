"""What a bootstrap, or a Create or Delete, has changed so far, and how all was before. Imported by the first."""

from coap.errors import BadRequest, ServiceUnavailable
from lwm2m import log
from lwm2m.change import apply
from lwm2m.config import ConfigError


class Stage:
    """The changes. Each is made at once, after what it changes was kept."""

    def __init__(self, client):
        self.written = {}  # object id -> {instance id: set of resource ids}
        self._client = client
        self._tree = client.tree
        self._version = client.tree.version
        self._instances = {}  # object id -> {instance id: instance}, or None if the object was not there
        self._values = {}  # instance that was there -> {attribute: value}

    def keep(self, oid):
        """Remember which instances an object has; returns them."""
        if oid not in self._instances:
            instances = self._tree.objects.get(oid)
            self._instances[oid] = None if instances is None else dict(instances)
        return self._instances[oid] or {}

    def write(self, obj, changes):
        """Make every (attribute, value) true, or none of them; raises what the object raises."""
        if obj in self.keep(obj.OID).values():
            olds = self._values.setdefault(obj, {})
            for name, _ in changes:
                if name not in olds:
                    olds[name] = current(obj, name)
        apply(obj, changes)

    def note(self, obj, rids):
        """Remember which resources of an instance the Bootstrap-Server has written."""
        instances = self.written.setdefault(obj.OID, {})
        instances.setdefault(obj.iid, set()).update(rids)

    def add(self, obj, iid):
        """Add an instance; raises BadRequest, or ServiceUnavailable if there are too many."""
        client = self._client
        self.keep(obj.OID)
        if sum([len(client.tree.objects[oid]) for oid in self._instances if oid in client.tree.objects]) >= (
            client.config.INSTANCES
        ):
            raise ServiceUnavailable("no room for another instance")
        try:
            client.add(obj, iid)
        except ConfigError as error:
            raise BadRequest(str(error))

    def drop(self, obj):
        """Take an instance away."""
        self.keep(obj.OID)
        self.written.get(obj.OID, {}).pop(obj.iid, None)
        self._client.drop(obj)

    def move(self, obj, iid):
        """Give an instance another id, which is free; it needs no more room than before."""
        self.drop(obj)
        self._client.add(obj, iid)

    def roll_back(self):
        """Make everything as it was. Hardware that refuses is told, and the rest goes on."""
        tree, client = self._tree, self._client
        for oid in self._instances:
            was = self._instances[oid] or {}
            for obj in list(tree.objects.get(oid, {}).values()):
                if was.get(obj.iid) is not obj:
                    client.drop(obj)
            for iid in sorted(was):
                if tree.objects.get(oid, {}).get(iid) is not was[iid]:
                    client.add(was[iid], iid)
            if self._instances[oid] is not None:
                tree.objects.setdefault(oid, {})
        for obj in self._values:
            for name in self._values[obj]:
                self.put_back(obj, name, self._values[obj][name])
        tree.version = self._version

    def put_back(self, obj, name, old):
        """Let one attribute of an instance have its old value."""
        try:
            apply(obj, [(name, old)])
        except Exception as error:
            log.warning("/%d/%s: %s could not be put back: %r", obj.OID, obj.iid, name, error)


def current(obj, name):
    """The value of an attribute, None without one."""
    value = getattr(obj, name, None)
    return value() if callable(value) else value
