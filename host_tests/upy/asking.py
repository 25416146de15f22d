"""A registered client to ask without sockets, and what its heap holds meanwhile."""

import gc

from lwm2m import log
from lwm2m.objects.device import Device
from lwm2m.objects.ipso import Barometer, Humidity, Illuminance, LightControl, PushButton, Temperature
from packet import build
from peer import Peer

_NEVER_ms = 1 << 30


def nothing():
    """A reboot that is none."""


class Asking:
    """The demo's objects on plain callables; `light` is the one whose value a test may change."""

    def __init__(self):
        log.level("error")
        self.light = LightControl(lambda on: None)
        sensors = [kind(lambda: 21.25) for kind in (Temperature, Humidity, Barometer, Illuminance)]
        objects = [Device(reboot=nothing), self.light, PushButton(lambda: False)] + sensors
        self.peer = Peer(objects, SAMPLE_ms=_NEVER_ms)
        self.peer.register()
        self._mid = 0

    def request(self, method, path, payload=b"", options=()):
        """A request to be asked again and again, as a bytearray: `ask` gives it a Message ID and a token."""
        path, _, query = path.partition("?")
        found = [(11, segment) for segment in path.split("/") if segment]
        found += [(15, part) for part in query.split("&") if part]
        return bytearray(build("CON", method, 0, b"\1\2\3\4", found + list(options), payload))

    def ask(self, request):
        """Let the client receive it; returns the datagrams that it answers with."""
        self._mid = self._mid + 1 & 0xFFFF
        request[2] = request[6] = self._mid >> 8
        request[3] = request[7] = self._mid & 255
        outbox = self.peer.registration.outbox
        outbox.clear()
        self.peer.client.receive(self.peer.registration, bytes(request), self.peer.now)
        return outbox

    def poll(self):
        """Let the client do what is due now; returns the datagrams that it sends."""
        outbox = self.peer.registration.outbox
        outbox.clear()
        self.peer.client.poll(self.peer.now)
        return outbox

    def acknowledge(self, datagram):
        """An empty ACK from the server."""
        self.peer.client.receive(self.peer.registration, b"\x60\0" + datagram[2:4], self.peer.now)

    def level(self, requests):
        """The most that is kept between these requests, asked twice: what is remembered of some comes and goes."""
        highest = 0
        for request in requests + requests:
            self.ask(request)
            gc.collect()
            highest = max(highest, gc.mem_alloc())
        return highest
