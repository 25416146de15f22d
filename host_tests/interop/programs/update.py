"""A board that can be updated: packages go into a file beside its other files."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.file_sink import FileSink
from lwm2m.objects.device import Device
from lwm2m.objects.firmware import Firmware
from lwm2m.store import FileStore

client = Client.from_config()
client.store = FileStore()
device = client.add(Device(reboot=machine.reset, firmware_version="1.0"))
sink = FileSink("firmware.img", 200000)
client.add(Firmware(sink, machine.reset, lambda version: device.set("firmware_version", version)))
asyncio.run(client.run())
