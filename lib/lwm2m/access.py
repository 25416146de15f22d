"""Who may do what: the rights of several servers, as object 2 says (OMA Core 1.1 section 7.3).

Imported when there is a second server account, or an instance of object 2. As long as the device does not know object
2, its servers may do everything, but to the accounts of others nothing. From then on a server has on an object instance

    the bits of its entry in the ACL of the /2/x that names the instance;
    without such an entry R W E D if it is the owner, else the bits of entry 0;
    nothing, if no /2/x names the instance.

On its own /1/x it has at least R W E. Every /2/x can be read by all and written by its owner, but no server creates or
deletes one. Create needs bit C in a /2/x that names the object with MAX_ID as the instance. A single server may do
everything.
"""

from coap.errors import Unauthorized
from compat import const
from lwm2m.path import MAX_ID

_SERVER = const(1)
_ACCESS_CONTROL = const(2)
_READ = const(1)
_WRITE = const(2)
_CREATE = const(16)
_OWNER = const(15)  # R W E D
_OWN_ACCOUNT = const(7)  # R W E


def make(client):
    """Let a client look at rights from now on."""
    if client.access is None:
        client.access = Access(client)
    client.access.changed()


class Access:
    """The rights of one client's servers."""

    def __init__(self, client):
        self._client = client

    # -- questions --------------------------------------------------------------------------------------------------

    def allowed(self, registration, obj, right):
        """Whether a server has a right on an object instance: 1 Read, 2 Write, 4 Execute, 8 Delete. For those of an end
        device (see lwm2m.gateway) it is its instance of object 25 that tells."""
        obj = getattr(obj, "gateway_entry", obj)
        ssid = registration.account.ssid
        if obj.OID == _ACCESS_CONTROL:
            return right == _READ or (right == _WRITE and (self._is_alone() or obj.owner == ssid))
        own = obj.OID == _SERVER and obj.ssid == ssid
        if self._is_open():
            return own or obj.OID != _SERVER or self._is_alone()
        rights = _bits(self._control(obj.OID, obj.iid), ssid)
        if own:
            rights |= _OWN_ACCOUNT
        return rights & right != 0

    def permit(self, registration, obj, right):
        """Raise Unauthorized unless `allowed`."""
        if not self.allowed(registration, obj, right):
            raise Unauthorized()

    def readable(self, registration, instances):
        """Those of some instances that a server may read; raises Unauthorized if it may read none of them."""
        found = [obj for obj in instances if self.allowed(registration, obj, _READ)]
        if instances and not found:
            raise Unauthorized()
        return found

    def may_create(self, registration, oid):
        """Whether a server may create instances of an object."""
        if oid == _ACCESS_CONTROL:
            return False
        iid = MAX_ID
        entry = getattr(self._client.tree.creators.get(oid), "gateway_entry", None)
        if entry:
            oid, iid = entry.OID, entry.iid
        return self._is_open() or _bits(self._control(oid, iid), registration.account.ssid) & _CREATE != 0

    def _is_alone(self):
        return len(self._client.registrations) < 2

    def _is_open(self):
        return self._is_alone() or _ACCESS_CONTROL not in self._client.tree.objects

    def _controls(self):
        return self._client.tree.objects.get(_ACCESS_CONTROL, {}).values()

    def _control(self, oid, iid):
        """The instance of object 2 that names this one, or None."""
        for control in self._controls():
            if control.object_id == oid and control.instance_id == iid:
                return control
        return None

    # -- what happens to instances and accounts -----------------------------------------------------------------------

    def changed(self):
        """Rights may be different now, by a server more or less or by any change in object 2: what was found out about
        requests that come again holds no more, and what is observed may come back."""
        for registration in self._client.registrations:
            registration.exchange.memo.clear()
            if registration.reporting:
                registration.reporting.rights_changed()

    def created(self, registration, obj):
        """A server has created an instance: it owns it."""
        if _ACCESS_CONTROL in self._client.tree.objects and obj.OID < MAX_ID:
            from lwm2m.objects.access_control import AccessControl

            self._forget(obj)  # of one that was there before under this id
            self._client.add(AccessControl(obj.OID, obj.iid, registration.account.ssid))

    def _forget(self, obj):
        """Remove the rights on an instance."""
        control = self._control(obj.OID, obj.iid)
        if control:
            self._client.remove(control)
            self._client.tree.objects.setdefault(_ACCESS_CONTROL, {})

    def heirs(self, gone, ssid, stage):
        """Instances are about to go: add to them those of object 2 that name them. Where it is the account of a server,
        its entries go as well, and what it owned gets a new owner, or goes. `stage` makes the changes (see
        lwm2m.bootstrap_stage)."""
        for control in self._controls():
            if [1 for obj in gone if (obj.OID, obj.iid) == (control.object_id, control.instance_id)]:
                gone.append(control)
            elif ssid is not None:
                acl = dict(control.acl)
                acl.pop(ssid, None)
                changes: list = [("acl", acl)]
                if control.owner == ssid:
                    changes.append(("owner", self._heir(control, acl, ssid, gone)))
                stage.write(control, changes)

    def _heir(self, control, acl, ssid, gone):
        """The server with the most of W and D, the lowest id among equals. What no server has any rights on goes, if
        servers may create its like; else only a bootstrap can give rights on it again."""
        heirs = []
        for found in self._client.registrations:
            other = found.account.ssid
            bits = acl.get(other, acl.get(0, 0))
            if bits and other != ssid:
                heirs.append((-(bits >> 1 & 1) - (bits >> 3 & 1), other))
        if heirs:
            return min(heirs)[1]
        tree = self._client.tree
        obj = tree.objects.get(control.object_id, {}).get(control.instance_id)
        if obj is None or obj.OID in tree.creators:
            gone.append(control)
            if obj is not None:
                gone.append(obj)
        return MAX_ID


def _bits(control, ssid):
    """The rights that an instance of object 2, or None, gives a server (OMA Core 1.1 section 7.3.2.2)."""
    if control is None:
        return 0
    acl = control.acl
    if ssid in acl:
        return acl[ssid]
    return _OWNER if control.owner == ssid else acl.get(0, 0)
