"""C.10: C.1 with Cellular Connectivity, a profile and a WLAN, as the registry has them today."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.objects.apn import ApnProfile
from lwm2m.objects.cellular import CellularConnectivity
from lwm2m.objects.device import Device
from lwm2m.objects.wlan import WlanConnectivity

client = Client.from_config()
client.add(Device(machine.reset, manufacturer="ACME", model="Board 1", serial="0815", firmware_version="1.0"))
client.add(CellularConnectivity(psm_timer=3600, active_timer=600, edrx_wb=b"\x02", edrx_nb=b"\x03"))
client.add(ApnProfile("lab", enabled=True))
client.add(WlanConnectivity())
client.allow_create(ApnProfile)
account = client.tree.objects[1][0]
account.notification_storing = False
asyncio.run(client.run())
