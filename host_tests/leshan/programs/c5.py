"""C.5: C.3 with all of Connectivity Monitoring, in a cellular network that is not there."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.objects.connectivity import ConnectivityMonitoring
from lwm2m.objects.device import Device

client = Client.from_config()
client.add(Device(machine.reset, manufacturer="ACME", model="Board 1", serial="0815", firmware_version="1.0"))
cell = {"apn": {0: "lab"}, "cell_id": 268435455, "smnc": 1, "smcc": 262}
radio = {"bearer": 7, "bearers": {0: 7, 1: 21}, "rssi": -92, "link_quality": -11, "link_utilization": 5}
net = {"addresses": ("192.0.2.7", "2001:db8::7"), "routers": {0: "192.0.2.1"}}
client.add(ConnectivityMonitoring(**dict(cell, **dict(radio, **net))))
account = client.tree.objects[1][0]
account.notification_storing = False
account.default_pmin, account.default_pmax, account.disable_timeout = 1, 10, 86400
asyncio.run(client.run())
