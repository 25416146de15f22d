"""What CPython needs in place of MicroPython's own: imported by compat alone, and never copied onto a board."""

import asyncio
import time
import traceback
import uuid


def const(value):
    """A constant; MicroPython's compiler puts its value in place of the name."""
    return value


WakeEvent = asyncio.Event


class _Cipher:
    def __init__(self, context):
        self.encrypt = context.update


def aes(key, mode, iv=None):
    """What MicroPython has in cryptolib: an object with encrypt(whole blocks); mode 1 is ECB, 2 CBC."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    return _Cipher(Cipher(algorithms.AES(key), modes.ECB() if mode == 1 else modes.CBC(iv)).encryptor())


def unique_id():
    """This computer's MAC address, 6 bytes."""
    return uuid.getnode().to_bytes(6, "big")


async def readable(sock):
    """Await this: a datagram waits in a socket."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()
    loop.add_reader(sock, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(sock)


async def wait_event(event, timeout_ms):
    """Wait for an asyncio.Event, but at most timeout_ms."""
    try:
        async with asyncio.timeout(timeout_ms / 1000):  # wait_for swallows a cancellation that comes with the event
            await event.wait()
    except asyncio.TimeoutError:
        return


def print_exception(error):
    """Print an exception with its traceback, as a REPL would."""
    traceback.print_exception(error)


class Clock:
    """Milliseconds since the clock was made."""

    def __init__(self):
        self._start = time.monotonic()

    def ms(self):
        """Now, in ms."""
        return int((time.monotonic() - self._start) * 1000)
