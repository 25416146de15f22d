"""What Wireshark makes of datagrams: a pcap file without any capturing, and tshark's fields."""

import asyncio
import ipaddress
import struct
from collections.abc import Iterable
from pathlib import Path

DEVICE, SERVER = ("192.0.2.10", 40000), ("192.0.2.1", 5683)  # 5683 makes tshark take it for CoAP
_RAW_IP = 101  # link type: frames begin with the IP header


def write_pcap(path: Path, datagrams: Iterable[tuple[bool, bytes]]) -> None:
    """Write datagrams, each with whether it comes from the device, as UDP over IPv4, one a second."""
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, _RAW_IP))
        for second, (from_device, datagram) in enumerate(datagrams):
            frame = _frame(DEVICE, SERVER, datagram) if from_device else _frame(SERVER, DEVICE, datagram)
            file.write(struct.pack("<IIII", 1_700_000_000 + second, 0, len(frame), len(frame)) + frame)


def _frame(source: tuple[str, int], target: tuple[str, int], datagram: bytes) -> bytes:
    addresses = [ipaddress.ip_address(host).packed for host, _ in (source, target)]
    header = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 28 + len(datagram), 0, 0, 64, 17, 0, *addresses)
    total = sum(struct.unpack(">10H", header))
    checksum = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    udp = struct.pack(">HHHH", source[1], target[1], 8 + len(datagram), 0)  # 0: no checksum
    return header[:10] + struct.pack(">H", checksum) + header[12:] + udp + datagram


DTLS = ("-d", "udp.port==5683,dtls", "-d", "dtls.port==5683,coap")  # what is at the server's port


class Capture:
    """A pcap file and the tshark that reads it, with options of its own."""

    def __init__(self, tshark: str, path: Path, *options: str):
        self._command = [tshark, "-r", str(path), *options]

    async def _run(self, *options: str) -> list[str]:
        command = [*self._command, *options]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
        async with asyncio.timeout(30):
            out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        return out.decode().splitlines()

    async def packets(self, filter: str) -> list[str]:
        """One line for each packet that passes a display filter."""
        return await self._run("-Y", filter)

    async def fields(self, filter: str, *names: str) -> list[tuple[str, ...]]:
        """The fields of each packet that passes a display filter; one that comes several times is joined by "|"."""
        options = ["-T", "fields", "-E", "aggregator=|"]
        for name in names:
            options += ["-e", name]
        return [tuple(line.split("\t")) for line in await self._run("-Y", filter, *options)]
