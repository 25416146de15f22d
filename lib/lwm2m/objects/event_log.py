"""Object 20, Event Log (OMA registry, and the OMA guidelines for reusable resources of logging)."""

from compat import const
from lwm2m.object import Object

_STOPPED = const(1)
_VALID = const(2)


class EventLog(Object):
    """Lines of text that a server collects: log() adds one while the log runs. When it is full the oldest ones go.

    capacity is bytes, and so much of the heap. log_class is 0 generic, 1 system, 2 security, 3 event, 4 trace, 5 panic,
    6 charging; from 100 on it is yours. status is bits: 1 stopped, 2 there are data, 4 an error. One that does not run
    from the beginning waits for a server's Start.
    """

    OID = 20
    VERSION = "2.1"
    RES = """
4010 RW int log_class 0..255
4011 E none start
4012 E none stop
4013 R int status
4014 R! opaque data
"""

    def __init__(self, capacity=1024, log_class=0, runs=True):
        self.log_class = log_class
        self.data = b""
        self.status = 0 if runs else _STOPPED
        self._capacity = capacity

    def log(self, line):
        """Add a line; returns whether the log runs. One that is longer than the log leaves its end."""
        if self.status & _STOPPED:
            return False
        data = self.data + line.encode() + b"\n"
        if len(data) > self._capacity:
            start = data.find(b"\n", len(data) - self._capacity - 1) + 1
            data = data[start if start < len(data) else -self._capacity :]
        self._keep(data)
        return True

    def _keep(self, data):
        self.set("data", data)
        self.set("status", self.status & _STOPPED | (_VALID if data else 0))

    def start(self, args):
        """Execute: run, with an empty log, or with what is there if argument 0 is '1'."""
        self.status &= ~_STOPPED
        self._keep(self.data if args.get(0) == "1" else b"")
        self.changed("status")

    def stop(self, args):
        """Execute: run no more; the log is kept, or emptied if argument 0 is '1'."""
        self.status |= _STOPPED
        self._keep(b"" if args.get(0) == "1" else self.data)
        self.changed("status")
