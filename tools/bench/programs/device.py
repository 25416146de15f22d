"""The demo's program with plain callables in place of hardware: Device and six IPSO objects. Runs on MicroPython.

Prints "heap N" when it has registered: the bytes in use after a collection.
"""
# pyright: reportAttributeAccessIssue=false

import asyncio
import gc

from lwm2m import Client
from lwm2m.objects.device import Device
from lwm2m.objects.ipso import Barometer, Humidity, Illuminance, LightControl, PushButton, Temperature


class Room:
    """The sensors: a quarter of a degree up and down, so that there is something to notify."""

    temperature = 21.25

    def celsius(self):
        """Degrees Celsius."""
        self.temperature = 21.25 if self.temperature > 21.25 else 21.5
        return self.temperature

    def humidity(self):
        """% relative."""
        return 40.5

    def pressure(self):
        """hPa."""
        return 1013.25

    def lux(self):
        """Lux."""
        return 320.0


class Lamp:
    """An output that can be dimmed."""

    percent = 0

    def level(self, percent):
        """Shine."""
        self.percent = percent


class Contact:
    """A button that tells by itself, as sensors.button.Button does."""

    on_change = None

    def pressed(self):
        """Never."""
        return False


def report(state, registration):
    """Tell what is in use once the server knows us."""
    if state == "REGISTERED":
        gc.collect()
        print("heap", gc.mem_alloc())


room = Room()
client = Client.from_config()
client.add(Device(reboot=Lamp))
client.add(Temperature(room.celsius))
client.add(Humidity(room.humidity))
client.add(Barometer(room.pressure))
client.add(Illuminance(room.lux))
client.add(LightControl(Lamp()))
client.add(PushButton(Contact()))
client.on_event = report

if __name__ == "__main__":
    asyncio.run(client.run())
