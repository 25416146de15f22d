"""A bare UDP echo, the floor under any server in this interpreter: echo.py PORT. Runs on MicroPython."""

import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(socket.getaddrinfo("127.0.0.1", int(sys.argv[1]))[0][-1])
while True:
    datagram, sender = sock.recvfrom(1280)
    sock.sendto(datagram, sender)
