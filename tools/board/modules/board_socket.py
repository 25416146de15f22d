"""Sockets that a cut Wi-Fi really cuts. Installed only where somebody can cut it (tools.device --control).

While Wi-Fi is up, a socket's methods ARE those of the native socket, kept as attributes of the instance, so that a call
costs next to nothing more. When it goes down they are exchanged: sending raises EHOSTUNREACH as lwIP does without a
route, received datagrams are thrown away, names are not resolved. When it is back, what queued up meanwhile is thrown
away, too: the air does not store datagrams. Only IPv4 and IPv6 sockets are concerned.

They have a trap of lwIP's as well: an empty datagram makes `recv` return b"" for ever, until the socket connects again.
"""

import errno
import select
import socket as native
import sys

from board_wifi import station
from compat import is_micropython

_SENDING = ("send", "sendall", "sendto", "write", "sendmsg")
_RECEIVING = ("recv", "recvfrom", "read", "readline", "recv_into", "recvfrom_into", "recvmsg")
_MP_STREAM_POLL, _MP_STREAM_CLOSE, _MP_STREAM_GET_FILENO = 3, 4, 10  # MicroPython, py/stream.h
_INET = (native.AF_INET, native.AF_INET6)
_NativeSocket = native.socket
_native_getaddrinfo = native.getaddrinfo
_sockets = []


def _unreachable(*_):
    raise OSError(errno.EHOSTUNREACH, "no Wi-Fi")


def _aborted(*_):
    raise OSError(errno.ECONNABORTED, "no Wi-Fi")


def _lossy(receive):
    """A receiving method that loses whatever arrives while Wi-Fi is down."""

    def receive_or_lose(*args):
        while not _flows():
            receive(*args)  # raises when there is nothing, as ever
        return receive(*args)

    return receive_or_lose


def _flows():
    station.status()
    return station.flows()


def _carrier(flows):
    for socket in _sockets:
        socket.plug() if flows else socket.cut()


class _Cable:
    """The part that both Pythons share: the native methods out, the dead ones in, and back."""

    shut = False  # an empty datagram has come

    def trapped(self, receive):
        """A receiving method that an empty datagram puts out of order, as lwIP's are."""

        def receive_or_nothing(*args):
            if self.shut:
                return b""
            data = receive(*args)
            self.shut = not data and not self.is_stream
            return data

        return receive_or_nothing

    def cut(self):
        for name in _SENDING:
            if hasattr(self.native, name):
                setattr(self, name, _unreachable)
        for name in _RECEIVING:
            if hasattr(self.native, name):
                setattr(self, name, _aborted if self.is_stream else _lossy(getattr(self.native, name)))

    def begin(self, family, kind):
        """Take part, if it is a socket for the net."""
        self.is_stream = kind == native.SOCK_STREAM
        if family in _INET:
            _sockets.append(self)
            if not _flows():
                self.cut()

    def end(self):
        if self in _sockets:
            _sockets.remove(self)

    def drain(self):
        """Lose the datagrams that are still in the queue."""
        try:
            while not self.is_stream:
                self.native.recv(1, native.MSG_DONTWAIT)
        except OSError:
            return  # the queue is empty


if is_micropython:
    import io

    class socket(io.IOBase, _Cable):  # the stream first: MicroPython takes the protocol of the first base
        """A native socket, seen through a Python object that polls as its file number."""

        def __init__(self, family=native.AF_INET, kind=native.SOCK_DGRAM, *rest):
            self.native = _NativeSocket(family, kind, *rest)
            self.plug(False)
            for name in ("accept", "bind", "fileno", "listen", "setblocking", "setsockopt", "settimeout"):
                setattr(self, name, getattr(self.native, name))
            self.begin(family, kind)

        def plug(self, drain=True):
            if drain:
                self.drain()
            for name in _SENDING + _RECEIVING:
                if hasattr(self.native, name):
                    setattr(self, name, getattr(self.native, name))
            self.recv = self.trapped(self.native.recv)

        def connect(self, address):
            """As ever; it opens the trap."""
            self.shut = False
            self.native.connect(address)

        def readinto(self, buf, *_):
            """What tls calls; one datagram a call, where the native one joins datagrams."""
            try:
                data = self.recv(len(buf))
            except OSError as error:
                if error.errno == errno.EAGAIN:
                    return None
                raise
            buf[: len(data)] = data
            return len(data)

        def ioctl(self, request, argument):
            if request == _MP_STREAM_GET_FILENO:
                return self.native.fileno()
            if request == _MP_STREAM_CLOSE:
                self.close()
                return 0
            if request == _MP_STREAM_POLL:
                poller = select.poll()
                poller.register(self.native, argument)
                return sum(event for _, event in poller.poll(0))
            return -1

        def close(self):
            self.end()
            self.native.close()

else:

    class socket(_Cable, _NativeSocket):
        """A socket whose methods can be covered by attributes of the instance."""

        def __init__(self, *args, **kwargs):
            _NativeSocket.__init__(self, *args, **kwargs)
            self.native = super()
            self.begin(self.family, self.type)
            if _flows():
                self.plug()

        def plug(self):
            self.drain()
            for name in _SENDING + _RECEIVING:
                self.__dict__.pop(name, None)
            self.recv = self.trapped(self.native.recv)

        def connect(self, address):
            """As ever; it opens the trap."""
            self.shut = False
            _NativeSocket.connect(self, address)

        def close(self):
            self.end()
            _NativeSocket.close(self)


def getaddrinfo(host, *args, **kwargs):
    """As ever; but without Wi-Fi only numeric addresses (OSError -202 as on an ESP32, EAI_FAIL)."""
    numeric = host is None or ":" in host or host.replace(".", "").isdigit()
    if not numeric and not _flows():
        raise OSError(-202, "no Wi-Fi")
    return _native_getaddrinfo(host, *args, **kwargs)


def __getattr__(name):
    return getattr(native, name)


def install():
    """Let `import socket` give these sockets from now on."""
    station.carrier = _carrier
    if is_micropython:
        sys.modules["socket"] = sys.modules[__name__]
    else:
        native.socket = socket
        native.getaddrinfo = getaddrinfo
