"""A board of which nothing works but the radio: a sensor that is not there, one that lies, a lamp that burnt out."""

import asyncio
from errno import EIO

import machine

from lwm2m import Client
from lwm2m.objects.device import Device
from lwm2m.objects.ipso import Humidity, LightControl, Temperature


def silent():
    """A sensor that does not answer."""
    raise OSError(EIO)


def battery():
    """A mistake in the program of a student."""
    return 1 // 0


class Lamp:
    """Its driver raises whatever it is told."""

    def on(self, value):
        """Switch."""
        raise OSError(EIO)

    def level(self, percent):
        """Dim."""
        raise OSError(EIO)


client = Client.from_config()
client.add(Device(reboot=machine.reset, manufacturer="microlwm2m", battery_level=battery))
client.add(Temperature(silent))
client.add(Humidity(lambda: "wet"))
client.add(LightControl(Lamp()))
asyncio.run(client.run())
