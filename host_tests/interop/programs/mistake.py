"""A board whose object has a mistake in its table: RX is no operation."""

import asyncio

from lwm2m import Client
from lwm2m.object import Object


class Lamp(Object):
    """Does not light."""

    OID = 32769
    RES = """
    0 RW! bool on
    1 RX int level 0..100
    """
    on = False
    level = 0


client = Client.from_config()
client.add(Lamp())
asyncio.run(client.run())
