"""C.4: C.3 with two power sources and a battery. A test turns a knob, which is 0 before: it is the first source's
voltage and current in thousandths, and a hundredth of that the battery's level."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.objects.device import Device
from sensors import board


def knob():
    """Thousandths of a volt above what the converter can tell from nothing."""
    return max(0, round(board.knob.volts() * 1000) - 150)


def sources():
    """One value for each."""
    return {0: knob(), 1: 0}


def level():
    """Of the battery, %."""
    return knob() // 100


client = Client.from_config()
power = {"power_sources": {0: 1, 1: 2}, "power_voltage": sources, "power_current": sources, "battery_level": level}
identity = {"manufacturer": "ACME", "model": "Board 1", "serial": "0815", "firmware_version": "1.0"}
device = client.add(Device(machine.reset, **dict(identity, **power)))
device.sample_ms = 50
account = client.tree.objects[1][0]
account.notification_storing = False
account.default_pmin, account.default_pmax, account.disable_timeout = 1, 10, 86400
asyncio.run(client.run())
