"""The program of device.py with one object more, through which the server looks at the heap. Runs on MicroPython."""
# pyright: reportAttributeAccessIssue=false, reportMissingImports=false

import asyncio
import gc

from device import client

from lwm2m.object import Object


class Heap(Object):
    """Private object 33000: bytes of heap in use."""

    OID = 33000
    RES = """
0 R! int kept
1 R! int allocated
2 E! none hold
"""

    def kept(self):
        """After a collection, which is automatic again from now on."""
        gc.enable()
        gc.collect()
        return gc.mem_alloc()

    def allocated(self):
        """As it is, garbage included."""
        return gc.mem_alloc()

    def hold(self, args):
        """From now on garbage stays, so that it can be counted."""
        gc.collect()
        gc.disable()


client.add(Heap())
asyncio.run(client.run())
