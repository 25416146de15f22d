"""C.14: two servers, whose rights Access Control tells: each has its own account, both have the Device."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.objects.access_control import AccessControl
from lwm2m.objects.device import Device

client = Client.from_config()
client.add(Device(machine.reset, manufacturer="ACME", model="Board 1", serial="0815", firmware_version="1.0"))
client.add(AccessControl(1, 0, 1, {1: 15}))
client.add(AccessControl(1, 1, 2, {2: 15}))
client.add(AccessControl(3, 0, 65535, {1: 15, 2: 15}))
asyncio.run(client.run())
