"""C.12: C.3 with a Portfolio; servers may create and delete its instances."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.objects.device import Device
from lwm2m.objects.portfolio import Portfolio

client = Client.from_config()
client.add(Device(machine.reset, manufacturer="ACME", model="Board 1", serial="0815", firmware_version="1.0"))
identity = {0: "Host Device ID #1", 1: "Host Device Manufacturer #1", 2: "Host Device Model #1"}
identity[3] = "Host Device Software Version #1"
client.add(Portfolio(identity))
client.allow_create(Portfolio)
account = client.tree.objects[1][0]
account.notification_storing = False
account.default_pmin, account.default_pmax, account.disable_timeout = 1, 10, 86400
asyncio.run(client.run())
