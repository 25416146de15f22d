"""A gateway with two end devices, for the tests of host_tests/interop."""

import asyncio

from lwm2m import Client
from lwm2m.gateway import Gateway
from lwm2m.objects.device import Device
from lwm2m.objects.ipso import Temperature
from lwm2m.objects.portfolio import Portfolio

reading = [21.25]


def read():
    """It gets warmer with every look."""
    reading[0] += 0.5
    return reading[0]


client = Client.from_config()
client.add(Device(print, manufacturer="ACME"))
gateway = Gateway(client)
gateway.add_device("dev0", "sensor-17").add(Temperature(read))
dev1 = gateway.add_device("dev1", "pump-7")
dev1.add(Portfolio({0: "Pump 7"}))
dev1.allow_create(Portfolio)
asyncio.run(client.run())
