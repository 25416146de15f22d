"""What the boards of a soak run: a resource of most kinds, something to create, and a gauge for what is in use."""

import asyncio
import gc
import sys

import machine

from lwm2m import Client
from lwm2m.object import Object
from lwm2m.objects.device import Device
from lwm2m.objects.ipso import LightControl, Temperature
from sensors import board


class Bench(Object):
    """What is read, written and executed."""

    OID = 32770
    RES = """
    0 RW str label
    1 RW int number
    2 R int count
    3 E none add
    4 E none slow
    5 RW opaque note
    6 R int heap
    """
    label = ""
    number = count = 0
    note = b""

    def add(self, args):
        """Count one more."""
        self.set("count", self.count + 1)

    def slow(self, args):
        """The same, a little later."""
        yield 300
        self.set("count", self.count + 1)

    def heap(self):
        """Bytes in use, with nothing left to collect."""
        gc.collect()
        gc.collect()
        return gc.mem_alloc() if hasattr(gc, "mem_alloc") else sys.getallocatedblocks() * 64


class Note(Object):
    """What the server creates and deletes."""

    OID = 32771
    RES = "\n0 RW! str text\n"
    text = None


client = Client.from_config()
client.add(Device(machine.reset, manufacturer="microlwm2m"))
client.add(Temperature(board.celsius))
client.add(LightControl(board.led))
client.add(Bench())
client.allow_create(Note)
asyncio.run(client.run())
