"""A board whose names come from a file `hosts` beside config.json, {"lab.example": "127.0.0.1"}: no name server needed.

Only for a board that is steered: its `socket` is a module of ours, whose functions can be exchanged.
"""

import asyncio
import json
import socket

import machine

from lwm2m import Client
from lwm2m.objects.device import Device

native = socket.getaddrinfo


def getaddrinfo(host, *rest):
    """As ever, but for names that end in .example."""
    if host.endswith(".example"):
        try:
            with open("hosts") as file:
                host = json.load(file)[host]
        except (OSError, KeyError):
            raise OSError(-2)  # EAI_NONAME
    return native(host, *rest)


socket.getaddrinfo = getaddrinfo

client = Client.from_config()
client.add(Device(reboot=machine.reset, battery_level=77))
asyncio.run(client.run())
