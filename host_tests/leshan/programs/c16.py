"""C.16: C.3 with a log that has stopped and holds something."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.objects.device import Device
from lwm2m.objects.event_log import EventLog

client = Client.from_config()
client.add(Device(machine.reset, manufacturer="ACME", model="Board 1", serial="0815", firmware_version="1.0"))
log = client.add(EventLog())
log.log("boot")
log.stop({})
account = client.tree.objects[1][0]
account.notification_storing = False
account.default_pmin, account.default_pmax, account.disable_timeout = 1, 10, 86400
asyncio.run(client.run())
