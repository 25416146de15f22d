"""C.1, and a button: whoever presses it has the device Send its lifetime and error codes."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.objects.device import Device
from sensors import board

client = Client.from_config()
client.add(Device(machine.reset, manufacturer="ACME", model="Board 1", serial="0815", firmware_version="1.0"))
account = client.tree.objects[1][0]
account.notification_storing = False
account.mute_send = False


def told(ssid, outcome):
    """What became of it."""
    print("send:", ssid, outcome)


def on_change(pressed):
    """The button."""
    if pressed:
        count = client.send(["/1/0/1", "/3/0/11/0"], on_outcome=told)
        print("send: to %d" % count)


board.button.on_change = on_change
asyncio.run(client.run())
