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


class Transport:
    """Datagrams to and from one server. `sock` is what to wait on, unless `waiting` says that something is there
    already; `handshake`, where there is one, is to be awaited after open. Every method but close may raise OSError."""

    waiting = handshake = None

    def __init__(self, host, port, local_port=0):
        self.host = host
        self.port = port
        self.local_port = local_port
        self.sock = None
        self._address: tuple | bytes = b""  # as getaddrinfo gave it

    def open(self):
        """Resolve the server's name (may block) and connect. An open socket keeps its port: to a server and a NAT on
        the way the device is then still the same. IPv4 goes first: a UDP socket cannot tell whether anybody is there.
        Raises ConfigError if the local port is taken."""
        error = OSError("%s has no address" % self.host)
        for family, _, _, _, address in sorted(self._resolve(), key=lambda found: found[0] != socket.AF_INET):
            try:
                if self.sock is None:
                    self._bind(family)
                self.sock.connect(address)
                self._address = address
                return
            except OSError as failure:
                error = failure
                self.close()
        raise error

    def _resolve(self):
        try:
            return socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_DGRAM)
        except (OSError, UnicodeError):
            raise OSError("the name %s cannot be resolved" % self.host)

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
        """One datagram, or None if there is none after all."""
        try:
            datagram = self._recv()
            if datagram is None:
                return None
        except OSError as error:
            if error.errno not in _LOSS:
                raise
            return None
        if not datagram:
            # An empty datagram makes an ESP32 socket return b"" for ever; connecting again cures it.
            self.sock.connect(self._address)
            return None
        return datagram

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
