"""Object 5, Firmware Update (OMA Core 1.1 appendix E.6).

A device is in one of these states, which are the values of /5/0/3:

IDLE         Nothing is going on. How the last update ended is in the Update Result, /5/0/5.
DOWNLOADING  A package is coming: pushed by a server that writes /5/0/0, or pulled from the URI that it wrote to /5/0/1.
DOWNLOADED   The package is there and verified.
UPDATING     It is being installed; the device restarts.

What happens to it: RESET, when a server writes an empty URI or a package of nothing or one NUL byte; PUSH, the first
block of a package; URI, a Package URI; COMPLETE, all of it has come and is verified; FAILED, something is wrong with
the package, its URI, its server or the memory, and the error says which Update Result that is; CORRUPT, the package has
changed since; UPDATE and CANCEL, which a server executes; after the restart STARTED, when the package is what runs now,
or ROLLED_BACK.

ROWS below is all there is; what has no row is answered with 4.05. `_go` is the only place that changes the state, and
keeps it in the client's store: after a restart `_restore` puts it back, a pull goes on where it was, a push has failed.
"""

import json
from binascii import hexlify, unhexlify

from coap.errors import MethodNotAllowed
from compat import const
from lwm2m import log
from lwm2m.object import Object
from lwm2m.objects import now_ms
from lwm2m.sink import ConnectionLost, InstallFailed, PackageError, Push, UnsupportedProtocol

# State(s) event -> next state, Update Result (* is the error's), action: `_do_<action>` below.
ROWS = """
IDLE,DOWNLOADING,DOWNLOADED RESET -> IDLE 0 discard
IDLE PUSH -> DOWNLOADING 0 nothing
IDLE URI -> DOWNLOADING 0 nothing
DOWNLOADING COMPLETE -> DOWNLOADED 0 name
DOWNLOADING,DOWNLOADED FAILED -> IDLE * discard
DOWNLOADED UPDATE -> UPDATING 0 nothing
UPDATING FAILED -> DOWNLOADED 8 nothing
UPDATING CORRUPT -> IDLE 5 discard
UPDATING STARTED -> IDLE 1 tell
UPDATING ROLLED_BACK -> IDLE 8 discard
DOWNLOADING,DOWNLOADED CANCEL -> IDLE 10 discard
"""
_STATES = ("IDLE", "DOWNLOADING", "DOWNLOADED", "UPDATING")
_DOWNLOADED = const(2)
_UPDATING = const(3)
_INTEGRITY = const(5)

_SCHEMES = const("coap coaps http https coap+tcp coaps+tcp")  # in the order of /5/0/8
_RECORD = const("firmware")  # what the store calls it
_CHECKPOINT = const(8192)  # bytes of a pull after which its place is kept; a multiple of every block size


def find_row(state, event):
    """[states, event, "->", next state, result, action] for an event in a state; raises MethodNotAllowed."""
    for line in ROWS.split("\n"):
        words = line.split()
        if words and state in words[0].split(",") and event == words[1]:
            return words
    raise MethodNotAllowed()


class Firmware(Object):
    """Takes packages into a sink (see lwm2m.sink), and has it install them.

        client.store = FileStore()
        client.add(Firmware(FileSink("firmware.img"), machine.reset))

    reboot is called when a package is installed. After that restart `updated(version)`, if given, is called once,
    from within client.add, so that the program can show the version in /3/0/3; it may be None. The client's store must
    be set before: without one, the device knows nothing of an update after it.
    """

    OID = 5
    VERSION = "1.2"
    MULTIPLE = False
    RES = """
0 W! opaque package
1 RW! str uri 0..255
2 E! none update
3 R! int state
5 R! int result
6 R str name
7 R str version
8 R* int protocols
9 R! int delivery
10 E none cancel
"""
    LAST = ("package", "uri")  # names whose write cannot be taken back
    package = b""  # never kept here
    uri = ""
    state = result = 0
    name = version = None
    protocols = {0: 0}  # those of _SCHEMES that a pull may use
    delivery = 2  # push and pull
    _client = coming = _fetch = None
    _received = 0  # bytes in the sink

    def __init__(self, sink, reboot, updated=None):
        self._sink = sink
        self._reboot = reboot
        self._updated = updated

    @property
    def client(self):
        """The client that this was added to; it takes up there what was under way before a restart."""
        return self._client

    @client.setter
    def client(self, client):
        known, self._client = self._client, client
        if known is None:  # else a bootstrap had deleted this and failed: what was under way still is
            self._restore()

    # -- the machine ----------------------------------------------------------------------------------------------

    def _go(self, event, error=None):
        words = find_row(_STATES[self.state], event)
        if words[3] != _STATES[self.state]:
            log.info("firmware: %s -> %s", _STATES[self.state], words[3])
        self.set("state", _STATES.index(words[3]))
        self.set("result", result_of(error) if words[4] == "*" else int(words[4]))
        getattr(self, "_do_" + words[5])()
        self._save()

    def fail(self, error):
        """Something went wrong while a package came or was installed."""
        log.warning("firmware: %r", error)
        corrupt = self.state == _UPDATING and result_of(error) == _INTEGRITY
        self._go("CORRUPT" if corrupt else "FAILED", error)

    def _do_nothing(self):
        """All is said."""

    def _do_name(self):
        self.coming = None
        self.set("name", self._sink.name)
        self.set("version", self._sink.version)

    def _do_tell(self):
        self._do_name()
        if self._updated:
            self._updated(self.version)

    def _do_discard(self):
        """End what brings the package, and remove what has come of it."""
        fetch, self.coming, self._fetch = self._fetch, None, None
        if fetch:
            fetch.stop(now_ms(self))
            self._client.close_session(fetch)
        try:
            self._sink.abort()
        except OSError as error:
            log.warning("firmware: the package cannot be removed: %s", error)
        self._received = 0
        self.set("name", None)
        self.set("version", None)

    # -- what a server writes and executes ------------------------------------------------------------------------

    def write_package(self, value):
        """A package that is short enough to come at once; nothing, or one NUL byte, resets."""
        if not value or value == b"\0":
            self._begin("RESET", "")
            return
        push = self.stream_package(len(value))
        push.write(value)
        push.close()

    def stream_package(self, size):
        """A package that comes in blocks; returns what takes them. Raises MethodNotAllowed, NotEnoughStorage."""
        self._begin("PUSH", "")
        push = self.coming = Push(self, self.write)
        push.attempt(self.begin, size)
        return push

    def write_uri(self, value):
        """Pull a package; an empty URI resets. What is wrong with it is told by the Update Result."""
        self._begin("URI" if value else "RESET", value)
        if value:
            self._try_pull(0, None)

    def _begin(self, event, uri):
        find_row(_STATES[self.state], event)  # 4.05 before the URI changes
        self.set("uri", uri)
        self._go(event)

    def update(self, args):
        """Execute: install the package and restart, once the response is out."""
        find_row(_STATES[self.state], "UPDATE")
        self._client.later(self._install, now_ms(self))  # 5.03 before the state changes
        self._go("UPDATE")

    def cancel(self, args):
        """Execute: forget the package, unless it is being installed."""
        self._go("CANCEL")

    def _install(self):
        try:
            self._sink.install()
        except Exception as error:
            self.fail(error)
            return
        self._reboot()

    # -- what comes -------------------------------------------------------------------------------------------------

    def begin(self, size):
        """The sink's; a Fetch calls it, too, when the body begins anew."""
        self._received = 0
        self._sink.begin(size)

    def write(self, data):
        """Hand a block to the sink."""
        self._sink.write(data)
        self._received += len(data)
        if self._fetch and self._received % _CHECKPOINT == 0:
            self._sink.flush()
            self._save()

    def finish(self):
        """All blocks have come: verify the package."""
        self._sink.finish()
        self._go("COMPLETE")

    def _try_pull(self, start, etag):
        """Fetch the URI, from its beginning or from where an earlier download stopped."""
        try:
            self._pull(start, etag)
        except (PackageError, MemoryError) as error:
            self.fail(error)

    def _pull(self, start, etag):
        from lwm2m.fetch import Fetch

        scheme, found, _ = self.uri.partition("://")
        schemes = _SCHEMES.split()
        known = [schemes[number] for number in self.protocols.values()]
        if found and scheme.lower() not in known:
            raise UnsupportedProtocol(scheme)
        self._fetch = Fetch(self._client, self.uri, self, self._fetched, start, etag)
        self._client.open_session(self._fetch)
        if self._client.clock:  # else it starts with the client
            self._fetch.start(now_ms(self))

    def _fetched(self, error):
        self._fetch = None
        if error is None:
            try:
                self.finish()
                return
            except Exception as failure:
                error = failure
        self.fail(error)

    # -- what outlives a restart ------------------------------------------------------------------------------------

    def _save(self):
        """Keep the state, and how far a pull has come."""
        store = self._client.store
        if store is None:
            return
        record = {"state": self.state, "result": self.result, "uri": self.uri, "offset": self._received}
        record["name"], record["version"] = self.name or "", self.version or ""
        if self._fetch and self._fetch.download.etag:
            record["etag"] = hexlify(self._fetch.download.etag).decode()
        try:
            if self.state == self.result == 0:
                store.remove(_RECORD)
            else:
                store.save(_RECORD, json.dumps(record).encode())
        except (OSError, MemoryError) as error:
            log.warning("firmware: its state cannot be kept: %r", error)

    def _restore(self):
        """Take up what a record says."""
        store = self._client.store
        try:
            saved = store and store.load(_RECORD)
            if not saved:
                return
            record = json.loads(saved)
            etag = record.get("etag")
            etag = etag and unhexlify(etag)
            state, self.result = int(record["state"]), int(record["result"])
            self.uri, self._received = str(record["uri"]), int(record["offset"])
            name, version = str(record["name"]), str(record["version"])
            take_up = getattr(self, "_restore_" + _STATES[state].lower())
            if state < 0 or not 0 <= self.result <= 10:
                raise ValueError("state %d, result %d" % (state, self.result))
        except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            log.warning("firmware: what was kept cannot be read: %r", error)
            self.result, self.uri = 0, ""
            self._save()
            return
        self.state, self.name, self.version = state, name or None, version or None
        take_up(etag)

    def _restore_idle(self, etag):
        """Only the Update Result was of interest."""

    def _restore_downloading(self, etag):
        if self.uri:
            self._try_pull(self._resumed(etag), etag)
        else:
            self.fail(ConnectionLost("the device has restarted"))

    def _resumed(self, etag):
        """Where a download can go on."""
        if etag and self._received:
            try:
                self._sink.resume(self._received)
                return self._received
            except OSError as error:
                log.info("firmware: the download begins anew: %s", error)
        return 0

    def _restore_downloaded(self, etag):
        try:
            self._sink.resume(self._received)
            self._sink.finish()
            self._do_name()
        except Exception as error:
            self.fail(error)

    def _restore_updating(self, etag):
        try:
            self._sink.confirm()
            if self.version != (self._sink.version or None):
                raise InstallFailed("what runs is version %s" % self._sink.version)
        except Exception as error:
            log.warning("firmware: %r", error)
            self._go("ROLLED_BACK", error)
            return
        self._go("STARTED")


def result_of(error):
    """The Update Result (/5/0/5) that an exception stands for."""
    return 3 if isinstance(error, MemoryError) else getattr(error, "result", 8)
