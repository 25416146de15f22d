"""Bytes on the wire, against the least that RFC 7252 and OMA Core 1.1 allow for the same content.

The least is worked out here from the standards' own formats, not by the library: a header of 4 bytes; no token, which
RFC 7252 section 5.3.1 allows to who sends one request after the other; each option as short as it goes; and of the
parameters and links only those that the standard asks for.
"""

from dataclasses import dataclass

from . import process
from .server import LOCATION, POST, Server, question

_LIFETIME_S = 300


@dataclass(frozen=True)
class Message:
    """One datagram: what it is, its bytes, and the least they could be."""

    name: str
    bytes: int
    least: int


def measure() -> list[Message]:
    """Register, Update and one notification of a float, as a device sends them."""
    server = Server()
    with process.device(server, lifetime_s=_LIFETIME_S):
        register = server.accept()
        server.ask(question("/1/0/8"), POST)  # Registration Update Trigger
        update = server.update()
        token = server.ask(question("/3303/0/5700", observe=True))[4:8]
        server.notified(1)
    server.close()
    notification = server.notifications[0]
    links = payload(register).decode().split(",")
    instances = sum(link.count("/") == 2 for link in links)
    return [
        Message(f"Register with {instances} instances", len(register), least_register(links)),
        Message("Update", len(update), least([(11, b"rd"), (11, LOCATION[-4:])])),
        Message(
            f"notification of {payload(notification).decode()}, text",
            len(notification),
            least([(6, b"\1"), (12, b"")], payload(notification), token),
        ),
    ]


def payload(datagram: bytes) -> bytes:
    """What follows the marker."""
    return datagram.partition(b"\xff")[2]


def least_register(links: list[str]) -> int:
    """The parameters that OMA's conformance case 101 lists, and the links with their rt, ct and ver."""
    queries = [(15, query) for query in (b"ep=dev1", b"lt=%d" % _LIFETIME_S, b"lwm2m=1.1", b"b=U")]
    return least([(11, b"rd"), (12, b"\x28"), *queries], ",".join(links).encode())


def least(options: list[tuple[int, bytes]], content: bytes = b"", token: bytes = b"") -> int:
    """Bytes of a message with these options, in ascending order (RFC 7252 section 3)."""
    size, last = 4 + len(token), 0
    for number, value in options:
        size += 1 + _extension(number - last) + _extension(len(value)) + len(value)
        last = number
    return size + (1 + len(content) if content else 0)


def _extension(number: int) -> int:
    return 0 if number < 13 else 1 if number < 269 else 2
