"""The server accounts of a device with a Bootstrap-Server: pairs of /0/x and /1/y with the same short server id.

What a bootstrap has brought is stored, later changes by a server as well, and counts at the next start in place of what
config.json says, as long as the servers named there stay the same. Imported only if config.json has a Bootstrap-Server.
"""

import gc
from binascii import crc32

from coap.errors import CoapError, FormatError, NotAcceptable, ServiceUnavailable
from compat import const, forget
from lwm2m import log
from lwm2m.bootstrap_accounts import KEPT, bootstrap_account, inconsistency, pairs
from lwm2m.objects.security import Security
from lwm2m.registration import earlier

_NAME = const("accounts")
_GC_THRESHOLD = const(32768)  # bytes: what stays is to lie side by side, as later rooms want RAM in one piece


def mark(found):
    """4 bytes that change with what is set of the servers: what a bootstrap has brought is as old as they are."""
    lines = []
    for server in found["servers"] + [found["bootstrap"]]:
        lines.append(" ".join(["%s=%s" % (name, server[name]) for name in sorted(server) if name != "security"]))
        security = server.get("security")
        if security:
            lines.append("%s %s %s" % (security.identity, security.server_key, security.secret_key))
    return (crc32("\n".join(lines).encode()) & 0xFFFFFFFF).to_bytes(4, "big")


def load(client, found, path):
    """Furnish a client with what config.json at `path` says (lwm2m.settings) of its Bootstrap-Server."""
    from lwm2m.store import FileStore

    client.store = FileStore(path[: path.rfind("/") + 1])
    furnish(client, found["bootstrap"], client.store, mark(found))


def furnish(client, bootstrap, store, mark):
    """Give a client that was made with the servers of config.json its Bootstrap, or what an earlier one has brought.

    bootstrap is {"uri": ..., "hold_off": s or None}; mark is 4 bytes that change with the servers of config.json.
    """
    if hasattr(gc, "threshold"):
        gc.threshold(_GC_THRESHOLD)  # pyright: ignore[reportAttributeAccessIssue] - MicroPython's own
    iid = 0
    for registration in client.registrations:
        account = registration.account
        security = registration.security or Security(registration.uri, account.ssid)
        registration.security = client.add(security, iid)
        iid += 1 if iid else 2
    security = bootstrap.get("security") or Security(bootstrap["uri"], None)
    security.bootstrap = True
    security.hold_off = bootstrap.get("hold_off")
    if security.oscore:
        from lwm2m import oscore

        oscore.keys(client, security)
    client.add(security, 1)
    client.accounts = Accounts(client, store, mark)
    client.accounts.restore()
    for name in ("bootstrap_stored", "creating", "writing", "change"):  # come back when something is to be written
        forget("lwm2m", name)
    forget("lwm2m.formats", "tlv")


class Accounts:
    """The accounts of one client, and which of its servers to register with in which order."""

    def __init__(self, client, store, mark):
        self._unsaved = False  # whether /0, /1 or /2 have changed since they were stored
        self._client = client
        self._store = store
        self._mark = mark
        self._stored = False
        self._others = {}  # (object id, instance id) -> resource ids that a Bootstrap-Server has written elsewhere
        self._late = []  # (object id, TLV) of those, until the program has added its objects
        self._order = []  # registrations that wait for their turn (/1/x/13), the first is the current one
        self._next_at = 0  # when the current one may start, ms
        self._factory = None

    # -- stored and restored ----------------------------------------------------------------------------------------

    def restore(self):
        """At the start: what was stored, or else what config.json says."""
        from lwm2m import bootstrap_stored

        client = self._client
        self._factory = bootstrap_stored.packed(client, {})
        try:
            raw = self._store.load(_NAME)
        except OSError as error:
            log.warning("the stored accounts cannot be read: %s", error)
            raw = None
        if raw and raw[:4] == self._mark:
            try:
                self._others, self._late = bootstrap_stored.unpack(client, raw[4:])
                self._stored = True
            except (CoapError, FormatError, ValueError) as error:
                log.warning("the stored accounts are of no use: %s", error)
                bootstrap_stored.unpack(client, self._factory)
        elif raw:
            log.warning("config.json names other servers than before: what bootstraps have brought counts no more")
        self.rebuild()

    def save(self, others=None):
        """Store all accounts; raises ServiceUnavailable."""
        from lwm2m import bootstrap_stored

        others = self._others if others is None else others
        try:
            self._store.save(_NAME, self._mark + bootstrap_stored.packed(self._client, others))
        except OSError as error:
            log.warning("the accounts cannot be stored: %s", error)
            raise ServiceUnavailable("cannot be stored")
        self._others = others
        self._stored = True
        self._unsaved = False

    def update(self, obj):
        """An object instance has changed, come or gone."""
        if obj.OID < 3:
            self._unsaved = True

    def flush(self):
        """Store what a server has just changed, if it was stored before; raises ServiceUnavailable, and then
        the values are the stored ones."""
        unsaved, self._unsaved = self._unsaved, False  # what follows must not be refused for it as well
        if unsaved and self._stored:
            try:
                self.save()
            except (ServiceUnavailable, MemoryError):
                if self._client.make_room:
                    self._client.make_room()
                from lwm2m import bootstrap_stored

                bootstrap_stored.revert(self._client, (self._store.load(_NAME) or b"")[len(self._mark) :])
                self._unsaved = False
                raise

    # -- registrations ----------------------------------------------------------------------------------------------

    def find(self, control):
        """The instance of object 2 that was stored, where the program adds one for the same before the start."""
        if self._stored and self._session().state == "STOPPED":
            for known in self._client.tree.objects.get(2, {}).values():
                if (known.object_id, known.instance_id) == (control.object_id, control.instance_id):
                    return known
        return None

    def rebuild(self):
        """Have registrations for the accounts as they are now, none of them started, and a Bootstrap."""
        client = self._client
        for registration in list(client.registrations):
            if registration in client.sessions:
                client.close_session(registration)
            registration.account.registration = None
        client.registrations.clear()
        security = bootstrap_account(client)
        session = self._session()
        session.security = security
        client.bootstrap = session if security else None
        for server, its_security in pairs(client):
            server.bootstrap_request = session.execute if security else None
            client.close_session(client.add_account(server, its_security.uri, its_security))

    def _session(self):
        """The Bootstrap, which is there even without its account, to look after the order of registrations."""
        from lwm2m.bootstrap import Bootstrap

        for session in self._client.sessions:
            if isinstance(session, Bootstrap):
                return session
        session = Bootstrap(self._client, self)
        self._client.open_session(session)
        return session

    def start(self, now):
        """Register with the servers: at once with those that have no priority, with the others one after another."""
        if self._late:
            from lwm2m import bootstrap_stored

            late, self._late = self._late, []
            bootstrap_stored.put_back_late(self._client, late, self._others)
        for device in self._client.tree.objects.get(3, {}).values():
            if device.factory_reset is None:
                device.factory_reset = lambda args: self.factory_reset
        self._order = [one for one in self._client.registrations if one.account.priority is not None]
        self._order.sort(key=lambda one: (one.account.priority, one.account.iid))
        self._turn(now)
        for registration in self._client.registrations:
            if registration not in self._order:
                self._begin(registration, now)

    def stop(self):
        """Start none of those that wait."""
        self._order = []

    def _begin(self, registration, now):
        self._client.open_session(registration)
        registration.start(now)

    def _turn(self, now):
        if self._order:
            self._next_at = now + (self._order[0].account.initial_delay or 0) * 1000

    def poll(self, now):
        """See whose turn it is (/1/x/13-15), and who has gone; returns when to look again, ms, or None."""
        client = self._client
        for session in list(client.sessions):
            if session.state == "STOPPED" and hasattr(session, "account") and session not in client.registrations:
                client.close_session(session)  # its account was removed
        due = None
        while self._order and self._order[0] not in client.registrations:  # its account was removed
            self._order.pop(0)
            self._turn(now)
        if self._order:
            current = self._order[0]
            if current not in client.sessions:
                if self._next_at > now:
                    return self._next_at
                self._begin(current, now)
            elif current.state == "FAILED" and current.account.failure_block:
                log.warning("server %d blocks those after it", current.account.ssid)
                self._order = []
            elif current.holds or current.state == "FAILED":
                self._order.pop(0)
                self._turn(now)
                due = earlier(due, now)
        return due

    def hopeless(self):
        """Whether only a bootstrap can help: no account, or none that works and does not forbid it (/1/x/16)."""
        registrations = self._client.registrations
        failed = [one for one in registrations if one.state == "FAILED"]
        if [one for one in failed if one.account.bootstrap_on_failure]:
            return True
        waiting = [one for one in registrations if one.state == "STOPPED"]
        if self._order or len(failed) + len(waiting) < len(registrations):
            return False
        return not registrations or bool([one for one in failed if one.account.bootstrap_on_failure is None])

    def silence(self, now):
        """A bootstrap begins: no server is heard or told anything, but none is left either."""
        for registration in self._client.registrations:
            if registration in self._client.sessions:
                if registration.link == "open":
                    registration.link_down("silent during the bootstrap", now)
                self._client.close_session(registration)

    def resume(self):
        """A bootstrap has failed: go on with the servers as before."""
        self._unsaved = False
        for registration in self._client.registrations:
            if registration.state != "STOPPED" and registration not in self._client.sessions:
                self._client.open_session(registration)

    # -- the end of a bootstrap -------------------------------------------------------------------------------------

    def commit(self, stage):
        """Make what a bootstrap has brought last. Raises NotAcceptable if it makes no sense, ServiceUnavailable if it
        cannot be stored; then the stage has to be rolled back."""
        client = self._client
        problem = inconsistency(client)
        if problem:
            log.warning("bootstrap: %s", problem)
            raise NotAcceptable(problem)
        own = client.bootstrap.security
        for security in list(client.tree.objects[0].values()):
            if security.bootstrap and security is not own and security.iid in stage.written.get(0, {}):
                stage.drop(own)  # another account for a Bootstrap-Server takes the place of the old one
                if _keys(client, own):
                    stage.drop(_keys(client, own))
                own = security
        if client.unix_time_s:
            for server, _ in pairs(client):
                stage.write(server, [("last_bootstrapped", client.unix_time_s())])
        others = dict(self._others)
        for oid in stage.written:
            for iid in stage.written[oid]:
                if oid not in KEPT:
                    others[oid, iid] = sorted(set(others.get((oid, iid), [])) | set(stage.written[oid][iid]))
        self.save(others)

    def purge(self):
        """Give up the account of the Bootstrap-Server, as it wished (/0/x/12)."""
        client = self._client
        log.info("the account of the Bootstrap-Server is removed")
        security = client.bootstrap.security
        client.drop(security)
        if _keys(client, security):
            client.drop(_keys(client, security))
        client.bootstrap.security = None
        client.bootstrap = None
        for server in client.tree.objects.get(1, {}).values():
            server.bootstrap_request = None
        try:
            self.save()
        except ServiceUnavailable:  # told; the account is back after a restart, and goes again
            return

    def factory_reset(self):
        """Leave all servers, forget what was stored, and begin anew with what config.json says."""
        from lwm2m import bootstrap_stored

        client = self._client
        now = client.clock()
        self._store.remove(_NAME)
        self._stored = False
        session = self._session()
        session.reset(now)
        for registration in list(client.registrations):
            client.registrations.remove(registration)
            if registration in client.sessions:
                registration.stop(now)
        self._others, self._late = bootstrap_stored.unpack(client, self._factory)
        self.rebuild()
        session.start(now)


def _keys(client, security):
    """The instance of object 21 that belongs to a Security instance, or None."""
    return client.tree.objects.get(21, {}).get(security.oscore and security.oscore[1])
