"""Something for two servers to share: a note each, and what object 2 says about them."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.object import Object
from lwm2m.objects.access_control import AccessControl
from lwm2m.objects.device import Device


class Note(Object):
    """What servers may write, and create if object 2 says so."""

    OID = 32771
    RES = """
    0 RW! str text
    1 E none shout
    """
    text = "hello"

    def shout(self, args):
        """Execute."""
        self.set("text", self.text.upper())


client = Client.from_config()
client.add(Device(reboot=machine.reset, manufacturer="microlwm2m"))
client.add(AccessControl(3, 0, acl={0: 1}))
for ssid in (1, 2):
    note = client.add(Note())
    client.add(AccessControl(note.OID, note.iid, owner=ssid))
    client.add(AccessControl(1, ssid - 1, acl={ssid: 15}))
client.allow_create(Note)
client.add(AccessControl(Note.OID, acl={2: 16}))
asyncio.run(client.run())
