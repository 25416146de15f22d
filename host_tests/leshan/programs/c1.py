"""C.1: one account with lifetime 86400 and without storing; Security, Server and Device."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.objects.device import Device

client = Client.from_config()
client.add(Device(machine.reset, manufacturer="ACME", model="Board 1", serial="0815", firmware_version="1.0"))
account = client.tree.objects[1][0]
account.notification_storing = False
asyncio.run(client.run())
