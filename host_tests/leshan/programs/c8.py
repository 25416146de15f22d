"""C.8: C.3 with a Firmware Update into a file of 20,000 bytes at most. A package called "bad" cannot be installed."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.file_sink import FileSink
from lwm2m.objects.device import Device
from lwm2m.objects.firmware import Firmware
from lwm2m.sink import InstallFailed
from lwm2m.store import FileStore


class Sink(FileSink):
    """A file that can also fail."""

    def install(self):
        """Put the package in its place; raises InstallFailed for a bad one."""
        if self.version == "bad":
            raise InstallFailed("told to fail")
        super().install()


def updated(version):
    """A package is what runs now."""
    device.firmware_version = version


client = Client.from_config()
client.store = FileStore()
device = client.add(Device(machine.reset, manufacturer="ACME", model="Board 1", serial="0815", firmware_version="1.0"))
client.add(Firmware(Sink("firmware.img", 20000), machine.reset, updated))
account = client.tree.objects[1][0]
account.notification_storing = False
account.default_pmin, account.default_pmax, account.disable_timeout = 1, 10, 86400
asyncio.run(client.run())
