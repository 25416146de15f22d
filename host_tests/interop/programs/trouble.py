"""A board with a watchdog of two seconds, and what may go wrong with it, each at a server's wish."""

import asyncio
import time

import machine

from lwm2m import Client, runner
from lwm2m.object import Object
from lwm2m.objects.device import Device


class Trouble(Object):
    """Each Execute breaks something for good, once its response is out."""

    OID = 32776
    RES = """
    0 E none block
    1 E none silence
    2 E none end
    """

    def block(self, args):
        """A call that does not come back."""
        return lambda: time.sleep(600)

    def silence(self, args):
        """The task that reads the server's datagrams is gone."""

        def kill():
            for _, task in runner.running[0]._transports.values():
                task.cancel()

        return kill

    def end(self, args):
        """The program ends, but the interpreter does not."""
        return lambda: client.stop(client.clock())


print("reset cause", machine.reset_cause())
client = Client.from_config()
client.watchdog = 2
client.add(Device(print))
client.add(Trouble())
asyncio.run(client.run())
time.sleep(600)
