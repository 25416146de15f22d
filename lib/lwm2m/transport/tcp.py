"""CoAP over TCP (binding T, RFC 8323), without TLS: one connection a server."""

import errno
import socket

from coap.errors import FormatError
from coap.tcp import MAX_MESSAGE, csm, frame_length
from compat import const

_CONNECT_TIMEOUT_s = const(5)


class Transport:
    """Frames to and from one server, as udp.Transport has datagrams. The local port is any."""

    waiting = connect = None

    def __init__(self, host, port, local_port=0):
        self.host = host
        self.port = port
        self.sock = None
        self._data = b""

    def open(self):
        """Resolve the server's name, connect (blocks for at most 5 s) and say what we can (CSM)."""
        self.close()
        error = OSError("%s has no address" % self.host)
        try:
            found = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise OSError("the name %s cannot be resolved" % self.host)
        for family, _, _, _, address in found:
            self.sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                self.sock.settimeout(_CONNECT_TIMEOUT_s)
                self.sock.connect(address)
                self.sock.setblocking(False)
                self.send(csm())
                return
            except OSError as failure:
                error = failure
                self.close()
        raise error

    def send(self, data):
        """Send one frame; what the connection cannot take at once breaks it."""
        if self.sock.send(data) != len(data):
            raise OSError(errno.ENOBUFS)

    def recv(self):
        """The whole frames that have arrived, or None if there are none."""
        try:
            found = self.sock.recv(MAX_MESSAGE)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return None
            raise
        if not found:
            raise OSError("closed by the server")
        data = self._data + found if self._data else found
        end = self._whole(data)
        self._data = data[end:]
        return data[:end] or None

    def _whole(self, data):
        """Where the last whole frame ends."""
        end = 0
        try:
            while True:
                length = frame_length(data, end)
                if length is None or end + length > len(data):
                    return end
                end += length
        except FormatError as error:
            raise OSError(str(error))

    def close(self):
        """Give the socket back; open makes another."""
        self._data = b""
        if self.sock:
            self.sock.close()
            self.sock = None
