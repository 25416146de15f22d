"""The wiring: which sensor and which actuator is which object. Edit this file; nothing else need change."""

import asyncio

import machine

from lwm2m import Client
from lwm2m.objects.device import Device
from lwm2m.objects.ipso import Barometer, Humidity, LightControl, PushButton, Temperature
from sensors import board, chip, storage

client = Client.from_config()  # config.json on the board, flags on a PC

client.add(  # /3/0: who we are, how much flash there is, and a way to restart
    Device(machine.reset, serial=chip.serial(), memory_free=storage.free_kb, memory_total=storage.total_kb)
)
client.add(Temperature(board.celsius))  # /3303/0, sampled and reported by itself
client.add(Humidity(board.humidity))  # /3304/0
client.add(Barometer(board.pressure))  # /3315/0
client.add(LightControl(board.led))  # /3311/0, the server switches the LED
client.add(PushButton(board.button))  # /3347/0, reported when pressed

asyncio.run(client.run())
