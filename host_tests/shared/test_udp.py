"""lib/lwm2m/transport/udp.py with sockets that make trouble: what is a loss, what breaks the link, what is mended."""

import errno

from lwm2m.config import ConfigError
from lwm2m.transport import udp
from sockets import Network
from support import each, eq, raises

UNREACHABLE = (101, errno.EHOSTUNREACH, 100, 22)  # ENETUNREACH, ENETDOWN, EINVAL: what an interface that is gone says


class Case:
    """A network in place of the socket module, and a transport to the host "lab"."""

    def __init__(self, host="lab", local_port=0, **names):
        self.network = Network(**(names or {"lab": ["10.0.0.1"]}))
        udp.socket = self.network
        udp._seen.clear()
        self.transport = udp.Transport(host, 5683, local_port)

    def open(self):
        """Returns the address that it leads to."""
        self.transport.open()
        return self.transport.sock.peer[0]

    def hear(self, datagram=b"x"):
        self.network.arrive(datagram)
        return self.transport.recv()


def test_one_datagram_a_call():
    """And None when there is none."""
    case = Case()
    case.open()
    case.network.arrive(b"one", b"two")
    eq([case.transport.recv() for _ in range(3)], [b"one", b"two", None])
    eq(case.network.open[0].family, 2)


def test_losses():
    """Sent again by CoAP, so no reason to give up the link."""

    def check(number):
        case = Case()
        case.open()
        case.network.trouble = {"send": number, "recv": number}
        case.transport.send(b"x")
        eq(case.transport.recv(), None)

    each([(errno.EAGAIN,), (errno.ENOMEM,), (errno.ENOBUFS,), (errno.ETIMEDOUT,), (errno.ECONNREFUSED,)], check)


def test_a_link_that_is_gone():
    """Told at the first send: no server can be reached."""

    def check(number):
        case = Case()
        case.open()
        case.network.trouble = {"send": number}
        eq(raises(OSError, case.transport.send, b"x").errno, number)
        case.network.trouble = {"connect": number}
        raises(OSError, case.transport.open)
        eq(case.network.open, [])

    each([(number,) for number in UNREACHABLE], check)


def test_sockets_used_up():
    """An OSError like any other; when there is one again the transport opens."""
    case = Case()
    case.network.limit = 0
    eq(raises(OSError, case.open).errno, 23)
    case.network.limit = 1
    eq(case.open(), "10.0.0.1")
    eq(case.open(), "10.0.0.1")


def test_empty_datagrams():
    """Connecting again cures the socket each time."""
    case = Case()
    case.open()
    for number in range(100):
        case.network.arrive(b"", b"%d" % number)
        eq([case.transport.recv(), case.transport.recv()], [None, b"%d" % number])
    eq(case.network.ports, 50001)


def check_stuck(trouble):
    case = Case()
    case.open()
    eq(case.hear(), b"x")
    for _ in range(16):
        if trouble == b"":
            case.network.arrive(b"")
        else:
            case.network.trouble = {"recv": trouble}
        eq(case.transport.recv(), None)
    raises(OSError, case.transport.recv)
    case.network.trouble = {}
    case.open()
    eq([one.port for one in case.network.open], [50002])
    for _ in range(100):  # now and then is no reason
        eq(case.transport.recv(), None)
        eq(case.hear(b"y"), b"y")


def test_a_socket_that_is_stuck():
    """Readable again and again, and nothing there: that would keep the board busy for ever, so the link is broken."""
    each([(errno.EAGAIN,), (errno.ECONNREFUSED,), (b"",)], check_stuck)


def test_an_open_socket_keeps_its_port():
    """To the server and a NAT on the way the device is then still the same."""
    case = Case()
    case.open()
    eq(case.hear(), b"x")
    case.open()
    case.transport.send(b"a")
    eq(case.network.sent, [(("10.0.9.1", 50001), "10.0.0.1", b"a")])


def test_another_interface():
    """A connected socket keeps the address of the interface that is gone: the second attempt is made with a new one."""
    case = Case()
    case.open()
    case.hear()
    case.network.interface = "192.168.1.7"
    for number in range(2):
        case.open()
        case.transport.send(b"%d" % number)
    eq(case.network.sent, [(("192.168.1.7", 50002), "10.0.0.1", b"1")])
    eq(len(case.network.open), 1)


def test_another_interface_with_a_port_of_its_own():
    """The new socket has the port of the configuration again."""
    case = Case(local_port=5683)
    case.open()
    case.network.interface = "192.168.1.7"
    case.open()
    case.transport.send(b"x")
    eq(case.network.sent, [(("192.168.1.7", 5683), "10.0.0.1", b"x")])


def test_a_taken_port():
    """One sentence."""
    case = Case(local_port=5683)
    other = case.network.socket(2, 2)
    other.bind(("0.0.0.0", 5683))
    eq(str(raises(ConfigError, case.open)), "local port 5683 is in use")


def test_several_addresses():
    """As long as one answers it is kept; one that does not is followed by the next, round and round; IPv4 first."""
    case = Case(lab=["fe80::1", "10.0.0.1", "10.0.0.2"])
    eq([case.open() for _ in range(5)], ["10.0.0.1", "10.0.0.2", "fe80::1", "10.0.0.1", "10.0.0.2"])
    for _ in range(3):
        case.hear()
        eq(case.open(), "10.0.0.2")
    eq(case.open(), "fe80::1")
    eq(len(case.network.open), 1)


def test_several_addresses_after_a_broken_link():
    """What is known of the addresses outlives socket and transport: after a failed Register there is a new one."""
    case = Case(lab=["10.0.0.1", "10.0.0.2"])
    eq(case.open(), "10.0.0.1")
    for wanted in ("10.0.0.2", "10.0.0.1"):
        case.transport.close()
        case.transport = udp.Transport("lab", 5683)
        eq(case.open(), wanted)
    case.hear()
    case.transport.close()
    case.transport = udp.Transport("lab", 5683)
    eq(case.open(), "10.0.0.1")
    case.network.names["lab"] = []
    eq(case.open(), "10.0.0.1")


def test_many_hosts():
    """Downloads may come from anywhere: what is known of hosts is bounded."""
    case = Case(**{"h%d" % number: ["10.0.0.%d" % number] for number in range(100)})
    for number in range(100):
        case.transport = udp.Transport("h%d" % number, 5683)
        case.open()
        case.transport.close()
    assert len(udp._seen) <= 8


def test_the_address_moves():
    """The name is asked at each attempt."""
    case = Case()
    eq(case.open(), "10.0.0.1")
    case.hear()
    case.network.names["lab"] = ["10.0.0.8"]
    eq(case.open(), "10.0.0.8")
    case.transport.send(b"x")
    eq(case.network.sent[-1][1], "10.0.0.8")


def test_an_order_that_changes():
    """Round-robin name servers turn the list each time: the address that answered is kept all the same."""
    case = Case(lab=["10.0.0.1", "10.0.0.2"])
    eq(case.open(), "10.0.0.1")
    case.hear()
    case.network.names["lab"] = ["10.0.0.2", "10.0.0.1"]
    eq(case.open(), "10.0.0.1")


def test_a_resolver_that_fails():
    """Without an earlier answer there is no link; with one its address is tried, until there is a new one."""
    case = Case(lab=[])
    eq(str(raises(OSError, case.open)), "the name lab cannot be resolved")
    case.network.names["lab"] = ["10.0.0.1"]
    eq(case.open(), "10.0.0.1")
    case.network.names["lab"] = []
    for _ in range(3):
        eq(case.open(), "10.0.0.1")
    case.network.names["lab"] = ["10.0.0.2"]
    eq(case.open(), "10.0.0.2")


def test_numbers_are_not_asked_for():
    """A server given by its address needs no resolver."""
    case = Case("10.0.0.5")
    case.network.names = {}
    eq((case.open(), case.open(), case.network.asked), ("10.0.0.5", "10.0.0.5", []))


def test_no_memory_for_a_datagram():
    """A short one still fits; a longer one is lost, and comes again."""
    case = Case()
    case.open()
    eq(case.hear(b"z" * 1280), b"z" * 1280)
    eq(case.hear(b"z" * 1281), None)
    case.network.arrive(MemoryError(), b"short", MemoryError(), b"z" * 200, b"next")
    eq([case.transport.recv() for _ in range(3)], [b"short", None, b"next"])
