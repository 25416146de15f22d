"""Plain UDP (binding U, mode NoSec): one connected socket a server, so that nobody else's datagrams come in."""

import errno
import socket

from compat import const
from lwm2m import log
from lwm2m.config import ConfigError

# A datagram lost on the way out or refused at the other end is a loss like any other: CoAP sends it again.
# ETIMEDOUT is what an ESP32 says when a send would block. The numbers differ between the ports.
_LOSS = (errno.EAGAIN, errno.ENOMEM, errno.ENOBUFS, errno.ETIMEDOUT, errno.ECONNREFUSED)
_MAX_DATAGRAM = const(1280)
_SHORT_DATAGRAM = const(128)
_MOST_FRUITLESS = const(16)
_MOST_SEEN = const(8)

# (host, port) -> [(family, address) of the last connection, whether anything came through it]: outlives a Transport, as
# after a failed Register the next one has to know where not to begin again.
_seen = {}


class Transport:
    """Datagrams to and from one server. `sock` is what to wait on, unless `waiting` says that something is there
    already; `connect`, where there is one, is to be awaited after open. Every method but close may raise OSError."""

    waiting = connect = None

    def __init__(self, host, port, local_port=0):
        self.host = host
        self.port = port
        self.local_port = local_port
        self.sock = None
        self._last = [None, True]  # see _seen
        self._count = 0  # how often in a row the socket was readable and had nothing

    def open(self):
        """Resolve the server's name (may block) and connect. Raises ConfigError if the local port is taken.

        An open socket keeps its port: to a server and a NAT on the way the device is then still the same. But if
        nothing came through it, the way out may be another one now (an interface has changed, a socket is stuck): then
        it is a new one, to the name's next address."""
        place = (self.host, self.port)
        known, heard = _seen.get(place, self._last)
        choices = self._resolve(known)
        if known in choices:
            first = choices.index(known) + (not heard)
            choices = choices[first:] + choices[:first]
        if not heard:
            self.close()
        if len(_seen) >= _MOST_SEEN:
            _seen.clear()  # downloads may come from anywhere
        error = OSError("%s has no address" % self.host)
        for choice in choices:
            self._last = _seen[place] = [choice, False]
            self._count = 0
            try:
                if self.sock is None:
                    self._bind(choice[0])
                self.sock.connect(choice[1])
                return
            except OSError as failure:
                error = failure
                self.close()
        raise error

    def _resolve(self, known):
        """[(family, address)], IPv4 first: a UDP socket cannot tell whether anybody is there. Without a working
        resolver it is the address that the name had before."""
        try:
            found = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            text = "the name %s cannot be resolved" % self.host
            if known is None:
                raise OSError(text)
            log.warning(text + ": trying the address that it had")
            return [known]
        choices, later = [], []
        for family, _, _, _, address in found:
            (choices if family == socket.AF_INET else later).append((family, address))
        return choices + later

    def _bind(self, family):
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.setblocking(False)
        if self.local_port:
            any_address = "::" if family != socket.AF_INET else "0.0.0.0"
            try:
                self.sock.bind(socket.getaddrinfo(any_address, self.local_port, 0, socket.SOCK_DGRAM)[0][-1])
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    raise ConfigError("local port %d is in use" % self.local_port)
                raise

    def send(self, datagram):
        """Send one datagram; losing it is no error."""
        try:
            self.sock.send(datagram)
        except OSError as error:
            if error.errno not in _LOSS:
                raise

    def recv(self):
        """One datagram, or None if there is none after all. Raises OSError when that goes on and on: a socket that is
        stuck must not keep the board busy."""
        try:
            datagram = self._recv()
            if datagram:
                self._last[1] = True
                self._count = 0
            if datagram != b"":
                return datagram
            # An empty datagram makes an ESP32 socket return b"" for ever; connecting again cures it.
            self.sock.connect(self._last[0][1])
        except OSError as error:
            if error.errno not in _LOSS:
                raise
        self._count += 1
        if self._count > _MOST_FRUITLESS:
            self._last[1] = False  # a new socket, then
            raise OSError("the socket is stuck")
        return None

    def _recv(self, limit=_MAX_DATAGRAM):
        try:
            datagram = self.sock.recv(limit + 1)
        except MemoryError:
            # The heap has no such hole left. Most requests are short; a longer one is lost, and when the server sends
            # it again there may be room.
            limit = _SHORT_DATAGRAM
            datagram = self.sock.recv(limit + 1)
        if len(datagram) <= limit:
            return datagram
        log.warning("a datagram of more than %d bytes is lost", limit)  # it has been cut
        return None

    def close(self):
        """Give the socket back; open makes another."""
        if self.sock:
            self.sock.close()
            self.sock = None
