"""The least device that is managed: a start takes a fraction of a second, so that it can be killed a thousand times."""

import asyncio

from lwm2m import Client
from lwm2m.objects.device import Device

client = Client.from_config()
client.add(Device(print))
asyncio.run(client.run())
