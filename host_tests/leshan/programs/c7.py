"""C.7: C.3 with a Location."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.objects.device import Device
from lwm2m.objects.location import Location

client = Client.from_config()
client.add(Device(machine.reset, manufacturer="ACME", model="Board 1", serial="0815", firmware_version="1.0"))
there = {"latitude": 43.5723, "longitude": 153.2176, "altitude": 140.0, "radius": 100.0}
client.add(Location(velocity=b"\0", timestamp=1367491215, speed=3.0, **there))
account = client.tree.objects[1][0]
account.notification_storing = False
account.default_pmin, account.default_pmax, account.disable_timeout = 1, 10, 86400
asyncio.run(client.run())
