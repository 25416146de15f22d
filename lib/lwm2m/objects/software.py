"""Object 9, Software Management (OMA registry): fetch, install, switch on and off one piece of software.

Its states are the values of /9/x/7:

    INITIAL           the first byte of a package comes  -> DOWNLOAD STARTED  result 1
    DOWNLOAD STARTED  all of it is there                 -> DOWNLOADED, is verified -> DELIVERED  result 3
    DOWNLOAD STARTED  anything else                      -> INITIAL           result 50 to 57
    DELIVERED         Install                            -> INSTALLED         result 2, or stays and 58
    DELIVERED         Uninstall                          -> INITIAL           result 0
    INSTALLED         Uninstall                          -> INITIAL           result 0, or stays and 59
    INSTALLED         Activate, Deactivate               stays, and is active or not

What is asked for in any other state is refused with 4.05. Executables run when their response is out.
"""

from coap.errors import MethodNotAllowed
from compat import const
from lwm2m import log
from lwm2m.object import Object
from lwm2m.objects import client_of, now_ms
from lwm2m.sink import InvalidUri, PackageError, Push

_INITIAL = const(0)
_STARTED = const(1)
_DOWNLOADED = const(2)
_DELIVERED = const(3)
_INSTALLED = const(4)

_ENOSPC = const(28)  # MicroPython's errno has no name for it
_OTHER = const(57)


class SoftwareManagement(Object):
    """One package. sink takes it and installs it (see lwm2m.sink: its begin, write, finish, abort, install are used):

        client.add(SoftwareManagement(FileSink("app.img"), activate=app.start, deactivate=app.stop, uninstall=remove))

    uninstall(update) removes what was installed; update is whether a newer one follows, for which settings are to be
    kept. All three may be left out, and may raise OSError or a PackageError. Nothing of this is kept over a restart:
    the program says what it finds there with installed=(name, version).
    """

    OID = 9
    RES = """
0 R! str name 0..255
1 R! str version 0..255
2 W opaque package
3 W str uri 0..255
4 E! none install
6 E! none uninstall
7 R! int update_state 0..4
9 R! int update_result 0..200
10 E! none activate
11 E! none deactivate
12 R! bool active
"""
    name = version = uri = ""
    LAST = ("package", "uri")  # names whose write cannot be taken back
    package = b""  # never kept here
    update_state = update_result = 0
    active = False
    coming = None  # the _Push or the Fetch that brings a package

    def __init__(self, sink, uninstall=None, activate=None, deactivate=None, installed=None):
        self._sink = sink
        self._acts = (uninstall, activate, deactivate)
        if installed:
            self.name, self.version = installed
            self.update_state = _INSTALLED

    def _go(self, state, result):
        log.info("/9/%s: state %d, result %d", self.iid, state, result)
        self.set("update_state", state)
        self.set("update_result", result)

    # -- the package comes ----------------------------------------------------------------------------------------

    def stream_package(self, size):
        """A package that comes in blocks; returns what takes them. Raises MethodNotAllowed and what the sink raises."""
        self._start()
        push = self.coming = Push(self, self._sink.write)
        push.attempt(self._sink.begin, size)
        return push

    def write_package(self, value):
        """A package that is short enough to come at once."""
        push = self.stream_package(len(value))
        push.write(value)
        push.close()

    def write_uri(self, value):
        """Pull a package by CoAP. What is wrong with its URI is told by the Update Result."""
        self._start()
        try:
            if not value.lower().startswith("coap://"):
                raise InvalidUri(value)
            from lwm2m.fetch import Fetch

            client = client_of(self)
            self.coming = fetch = Fetch(client, value, self._sink, self._fetched)
        except (PackageError, ValueError, MemoryError) as error:
            self.fail(error)
            return
        client.open_session(fetch)
        if client.clock:  # else it starts with the client
            fetch.start(now_ms(self))

    def _start(self):
        if self.update_state != _INITIAL:
            raise MethodNotAllowed()
        self._go(_STARTED, 1)

    def finish(self):
        """All of it has come: verify it."""
        self._go(_DOWNLOADED, 1)
        self._sink.finish()
        self.coming = None
        self.set("name", self._sink.name or "")
        self.set("version", self._sink.version or "")
        self._go(_DELIVERED, 3)

    def _fetched(self, error):
        if error:
            self.fail(error)
            return
        try:
            self.finish()
        except Exception as problem:
            self.fail(problem)

    def fail(self, error):
        """Something went wrong while a package came."""
        log.warning("/9/%s: %r", self.iid, error)
        self.coming = None
        self._discard()
        self._go(_INITIAL, result_of(error))

    def _discard(self):
        try:
            self._sink.abort()
        except OSError as error:
            log.warning("/9/%s: the package cannot be removed: %r", self.iid, error)

    # -- what it is for -------------------------------------------------------------------------------------------

    def install(self, args):
        """Execute: install what was delivered."""
        return self._deferred(_DELIVERED, self._install)

    def uninstall(self, args):
        """Execute: remove it; argument 1 announces a newer one."""
        if self.update_state == _DELIVERED:
            return self._deferred(_DELIVERED, self._forget)
        return self._deferred(_INSTALLED, lambda: self._uninstall(1 in args))

    def activate(self, args):
        """Execute: let it run."""
        return self._deferred(_INSTALLED, lambda: self._switch(True))

    def deactivate(self, args):
        """Execute: let it run no more."""
        return self._deferred(_INSTALLED, lambda: self._switch(False))

    def _deferred(self, state, act):
        if self.update_state != state:
            raise MethodNotAllowed()
        return lambda: act() if self.update_state == state else None  # another Execute may have come before

    def _install(self):
        worked = self._works(self._sink.install)
        self._go(_INSTALLED if worked else _DELIVERED, 2 if worked else 58)

    def _uninstall(self, update):
        if self.active:
            self._switch(False)
        if self._works(self._acts[0], update):
            self._forget()
        else:
            self._go(_INSTALLED, 59)

    def _forget(self):
        self._discard()
        self.set("name", "")
        self.set("version", "")
        self._go(_INITIAL, 0)

    def _switch(self, active):
        if self._works(self._acts[1 if active else 2]):
            self.set("active", active)

    def _works(self, act, *args):
        try:
            if act:
                act(*args)
            return True
        except (OSError, PackageError) as error:
            log.warning("/9/%s: %r", self.iid, error)
            return False


def result_of(error):
    """The Update Result (/9/x/9) that tells of an error: object 9 has numbers of its own for what object 5 tells."""
    if isinstance(error, PackageError):
        return {2: 50, 3: 51, 4: 52, 5: 53, 6: 54, 7: 56, 9: 56}.get(error.result, _OTHER)
    if isinstance(error, MemoryError):
        return 51
    return 50 if isinstance(error, OSError) and error.args[:1] == (_ENOSPC,) else _OTHER
