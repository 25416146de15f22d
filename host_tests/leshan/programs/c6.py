"""C.6: C.4 with everything else that a Device may tell; an error is present."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.objects.device import Device

client = Client.from_config()
identity = {"manufacturer": "ACME", "model": "Board 1", "serial": "0815", "firmware_version": "1.0"}
power = {"power_sources": {0: 1, 1: 2}, "power_voltage": {0: 3800, 1: 5000}, "power_current": {0: 125, 1: 900}}
battery = {
    "battery_level": 100,
    "battery_status": 0,
    "memory_free": 15,
    "memory_total": 64,
    "ext_dev_info": {0: (4, 0)},
}
kind = {"device_type": "Sensor", "hardware_version": "A1", "software_version": "1.0"}
device = client.add(Device(machine.reset, machine.reset, **dict(dict(identity, **power), **dict(battery, **kind))))
device.add_error(1)
device.add_error(3)
account = client.tree.objects[1][0]
account.notification_storing = False
account.default_pmin, account.default_pmax, account.disable_timeout = 1, 10, 86400
asyncio.run(client.run())
