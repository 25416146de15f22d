"""A board that nobody has configured yet."""

import asyncio
import os

from lwm2m import Client

os.remove("config.json")
asyncio.run(Client.from_config().run())
