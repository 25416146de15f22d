"""The same echo as a task of asyncio, which the device is, too: echo_asyncio.py PORT. Runs on MicroPython."""
# pyright: reportGeneralTypeIssues=false

import asyncio
import socket
import sys

from compat import readable


async def echo(port):
    """For ever."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(socket.getaddrinfo("127.0.0.1", port)[0][-1])
    sock.setblocking(False)
    while True:
        await readable(sock)
        datagram, sender = sock.recvfrom(1280)
        sock.sendto(datagram, sender)


asyncio.run(echo(int(sys.argv[1])))
