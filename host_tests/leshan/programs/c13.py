"""C.13, C.14: a Device that can be reset to what config.json says; accounts come from there and from bootstraps."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.objects.device import Device

client = Client.from_config()
identity = {"manufacturer": "ACME", "model": "Board 1", "serial": "0815", "firmware_version": "1.0"}


def forget():
    """Factory reset."""
    client.factory_reset()


client.add(Device(machine.reset, forget, **identity))
asyncio.run(client.run())
