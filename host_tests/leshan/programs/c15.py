"""C.15: C.3 with two containers of binary data."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.objects.binary_data import BinaryAppData
from lwm2m.objects.device import Device

client = Client.from_config()
client.add(Device(machine.reset, manufacturer="ACME", model="Board 1", serial="0815", firmware_version="1.0"))
client.add(BinaryAppData({0: b"\1\2\3"}))
client.add(BinaryAppData({0: b"\0"}))
account = client.tree.objects[1][0]
account.notification_storing = False
account.default_pmin, account.default_pmax, account.disable_timeout = 1, 10, 86400
asyncio.run(client.run())
