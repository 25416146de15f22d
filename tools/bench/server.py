"""The least of an LwM2M server, as quick as Python goes: one socket that accepts a Register and asks."""

import select
import socket
import time

CON, NON = 0, 1
GET, POST, PUT = 1, 2, 3
CONTENT = 0x45
LOCATION = b"\x82rd\x045a3f"  # Location-Path rd, 5a3f
_TOKEN_LENGTH = 4


class NoAnswer(Exception):
    """Nothing came in time; one sentence."""


def question(path: str, observe: bool = False) -> bytes:
    """What follows the token in a request for a path such as /3303/0/5700: its options, without payload."""
    options = b"\x60" if observe else b""  # Observe=0: an empty value
    delta = 11 - 6 * observe
    for segment in path.split("/")[1:]:
        options += bytes([delta << 4 | len(segment)]) + segment.encode()
        delta = 0
    return options


class Server:
    """Blocking. `port` is where it listens, `device` the address of who registered, `notifications` those that came,
    limit_s how long it waits for anything."""

    def __init__(self, limit_s: float = 5.0) -> None:
        self._limit_s = limit_s
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(limit_s)
        self.port: int = self._socket.getsockname()[1]
        self.device = ("127.0.0.1", 0)
        self.notifications: list[bytes] = []
        self._count = 0

    def close(self) -> None:
        """Give the port back."""
        self._socket.close()

    def accept(self) -> bytes:
        """Wait for a Register and accept it; returns its bytes. Raises NoAnswer."""
        try:
            datagram, self.device = self._socket.recvfrom(2048)
        except TimeoutError:
            raise NoAnswer("the device did not register") from None
        self._acknowledge(datagram, 0x41, LOCATION)
        return datagram

    def update(self) -> bytes:
        """Wait for an Update and accept it; returns its bytes. Raises NoAnswer."""
        while (datagram := self._receive())[1] != POST:
            self._take(datagram)
        self._acknowledge(datagram, 0x44)
        return datagram

    def ask(self, options: bytes, code: int = GET, payload: bytes = b"") -> bytes:
        """Send a request and return the response to it. Raises NoAnswer."""
        self._count += 1
        # There are more requests than Message IDs: those of actions, which a device remembers for long, stay apart.
        mid = (self._count % 0xFF00 if code == GET else 0xFF00 | self._count & 0xFF).to_bytes(2, "big")
        token = self._count.to_bytes(_TOKEN_LENGTH, "big")
        head = bytes([0x40 | CON << 4 | _TOKEN_LENGTH, code])
        body = b"\xff" + payload if payload else b""
        self._socket.sendto(head + mid + token + options + body, self.device)
        while True:
            datagram = self._receive()
            if datagram[4 : 4 + _TOKEN_LENGTH] == token:
                return datagram
            self._take(datagram)

    def awaken(self, options: bytes) -> None:
        """Ask until there is an answer: a server that is just starting does not hear the first ones."""
        self._socket.settimeout(0.1)
        for _ in range(int(self._limit_s * 10)):
            try:
                self.ask(options)
            except NoAnswer:
                continue
            self._socket.settimeout(self._limit_s)
            return
        raise NoAnswer("the server that is compared with does not answer")

    def notified(self, count: int) -> None:
        """Wait until so many notifications have come in all. Raises NoAnswer."""
        while len(self.notifications) < count:
            self._take(self._receive())

    def listen(self, seconds: float) -> None:
        """Take notifications for a while."""
        deadline = time.monotonic() + seconds
        while (left_s := deadline - time.monotonic()) > 0:
            if select.select([self._socket], [], [], left_s)[0]:
                self._take(self._receive())

    def _receive(self) -> bytes:
        try:
            return self._socket.recv(2048)
        except TimeoutError:
            raise NoAnswer("the device did not answer") from None

    def _take(self, datagram: bytes) -> None:
        """Anything but the response that is waited for."""
        if datagram[1] == CONTENT and datagram[0] >> 4 & 3 in (CON, NON):
            self.notifications.append(datagram)
        if datagram[0] >> 4 & 3 == CON:
            self._socket.sendto(b"\x60\x00" + datagram[2:4], self.device)

    def _acknowledge(self, request: bytes, code: int, options: bytes = b"") -> None:
        token_length = request[0] & 15
        head = bytes([0x60 | token_length, code]) + request[2 : 4 + token_length]
        self._socket.sendto(head + options, self.device)
