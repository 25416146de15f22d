"""A socket module and a network for tests of lwm2m.transport, with every trouble that real ones make.

network = Network(lab=["10.0.0.1"])                  # names and what they mean now
with_network(network, udp)                           # the transport's module sees it as `socket`
network.interface = "10.9.9.9"                       # another way out: what older sockets send is lost
network.sent                                         # [(source, destination, datagram)]
network.trouble["send"] = 113                        # the errno of each call of that kind, until it is taken away
network.limit = 0                                    # sockets used up
"""

import errno


class Network:
    AF_INET, AF_INET6, SOCK_DGRAM = 2, 10, 2

    def __init__(self, **names):
        self.names = names
        self.asked = []  # the names that were asked for
        self.interface = "10.0.9.1"
        self.trouble = {}
        self.limit = 10
        self.open = []
        self.sent = []
        self.ports = 50000

    def getaddrinfo(self, host, port, family=0, kind=0):
        if host.replace(".", "").isdigit():
            return [(2, kind, 0, "", (host, port))]
        self.asked.append(host)
        if not self.names.get(host):
            raise OSError(-2, "trouble")
        return [(10 if ":" in one else 2, kind, 0, "", (one, port)) for one in self.names[host]]

    def socket(self, family, kind):
        if len(self.open) >= self.limit:
            raise OSError(23, "trouble")
        return Socket(self, family)

    def fail(self, what):
        if what in self.trouble:
            raise OSError(self.trouble[what], "trouble")

    def arrive(self, *datagrams):
        """At every open socket; an exception is raised by recv."""
        for one in self.open:
            one.queue.extend(datagrams)


class Socket:
    """Its source address is that of the interface when it was connected first. Once an empty datagram came, recv gives
    b"" until it connects again, as on an ESP32."""

    def __init__(self, network, family):
        self._network = network
        self.family = family
        self.source = self.peer = None
        network.ports += 1
        self.port = network.ports
        self.queue = []
        self._shut = False
        network.open.append(self)

    def setblocking(self, blocking):
        assert blocking is False

    def bind(self, address):
        if [one for one in self._network.open if one.port == address[1]]:
            raise OSError(errno.EADDRINUSE, "trouble")
        self.port = address[1]

    def connect(self, address):
        self._network.fail("connect")
        self._shut = False
        self.source = self.source or self._network.interface
        self.peer = address

    def send(self, datagram):
        self._network.fail("send")
        if self.source == self._network.interface:
            self._network.sent.append(((self.source, self.port), self.peer[0], datagram))
        return len(datagram)

    def recv(self, size):
        self._network.fail("recv")
        if self._shut:
            return b""
        if not self.queue:
            raise OSError(errno.EAGAIN, "trouble")
        found = self.queue.pop(0)
        if isinstance(found, Exception):
            raise found
        self._shut = not found
        return found[:size]

    def close(self):
        self._network.open.remove(self)
