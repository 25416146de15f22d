"""A workshop whose heap can be filled: Execute /32775/0/0 with 0='n' takes all but n bytes of it for a while."""

import asyncio
import gc

from lwm2m import Client
from lwm2m.object import Object
from lwm2m.objects.device import Device


class Glutton(Object):
    """Eats the heap, and gives it back by itself after `patience` ms: a server may not get through to ask for it."""

    OID = 32775
    RES = """
    0 E none eat
    1 RW int patience 0..60000
    2 RW str label
    3 RW* int numbers
    4 R int count
    5 R opaque picture
    6 W opaque heap
    7 E none add
    """
    patience = 5000
    label = "none"
    count = 0
    picture = b"0123456789abcdef" * 40
    heap = b""

    def __init__(self):
        self.numbers = {0: 10, 1: 20}
        self._eaten = None
        self._wakes = asyncio.Event()

    def add(self, args):
        """Execute: count."""
        self.set("count", self.count + 1)

    def eat(self, args):
        """Execute: once the response is out."""
        self._left = int(args[0])
        return self._wakes.set

    async def dine(self):
        """The task that holds what was eaten."""
        while True:
            await self._wakes.wait()
            self._wakes.clear()
            self._eat()
            await asyncio.sleep_ms(self.patience)
            self._eaten = None
            gc.collect()
            print("heap is back")

    def _eat(self):
        """Fill all holes, but for the last `left` bytes."""
        gc.collect()
        reserve = eaten = None
        for _ in range(self._left // 128):
            reserve = [reserve, bytearray(96)]  # 128 bytes with what holds it
        size = 8192
        while size >= 8:
            try:
                eaten = [eaten, bytearray(size)]
            except MemoryError:
                size //= 2
        self._eaten = eaten
        reserve = eaten = None
        print("heap is full")


class Note(Object):
    """What a server may create."""

    OID = 32771
    RES = """
    0 RW! str text
    """
    text = None


glutton = Glutton()
client = Client.from_config()
client.add(Device(print))
client.add(glutton)
client.allow_create(Note)


async def main():
    """Both at once."""
    meal = asyncio.create_task(glutton.dine())
    await client.run()
    meal.cancel()


asyncio.run(main())
