"""A workshop to try everything in: a program with resources of every kind, for the tests of host_tests/interop."""

import asyncio
from binascii import hexlify
from hashlib import sha256

import machine

from lwm2m import Client
from lwm2m.object import Object
from lwm2m.objects.device import Device
from lwm2m.objects.ipso import LightControl, Temperature
from sensors import board


class Package:
    """Takes a big write block by block, and keeps no more of it than size and digest."""

    def __init__(self, workshop):
        self._workshop = workshop
        self._sha = sha256()
        self._size = 0

    def write(self, data):
        """The next block."""
        self._sha.update(data)
        self._size += len(data)

    def close(self):
        """All blocks came."""
        self._workshop.set("received", self._size)
        self._workshop.set("digest", hexlify(self._sha.digest()).decode())

    def abort(self):
        """The rest will not come."""
        self._workshop.set("aborted", self._workshop.aborted + 1)


class Workshop(Object):
    """One resource of each kind."""

    OID = 32770
    RES = """
    0 RW str label
    1 RW int number -1000..1000
    2 RW* int numbers
    3 R int count
    4 E none add
    6 W opaque package
    7 R int received
    8 R str digest
    9 E none slow
    10 RW opaque note
    11 R int aborted
    """
    label = digest = ""
    number = count = received = aborted = 0
    package = b""
    note = b""

    def __init__(self):
        self.numbers = {0: 10, 3: 13}

    def add(self, args):
        """Execute: count one more, or as many as argument 0 says."""
        self.set("count", self.count + int(args.get(0) or 1))

    def slow(self, args):
        """Execute: count one more, but not before 0.3 s have passed; the server is told so by an empty ACK."""
        yield 300
        self.set("count", self.count + 1)
        print("slow is through")

    def stream_package(self, size):
        """Where a write of `package` goes."""
        return Package(self)


class Gallery(Object):
    """Something big to look at."""

    OID = 32772
    RES = """
    0 R str title
    1 R opaque picture
    """
    title = "A bigger splash"
    picture = b"0123456789abcdef" * 250  # 4000 bytes


class Note(Object):
    """What a server may create and delete."""

    OID = 32771
    RES = """
    0 RW! str text
    1 RW int priority
    2 R int length
    """
    text = None
    priority = 0

    def length(self):
        """Of the text."""
        return len(self.text)


class Thermometer:
    """A thermistor of 50 mV a degree, in place of the knob. It prints what it reads, for tests that cannot ask."""

    def __init__(self):
        self._last = None

    def celsius(self):
        """Degrees in tenths."""
        value = round(board.knob.volts() * 20, 1)
        if value != self._last:
            self._last = value
            print("thermometer: %.1f" % value)
        return value


client = Client.from_config()
client.add(Device(reboot=machine.reset, manufacturer="microlwm2m", battery_level=77))
client.add(Temperature(Thermometer().celsius))
client.add(LightControl(board.led))
client.add(Workshop())
client.add(Gallery())
client.allow_create(Note)
asyncio.run(client.run())
