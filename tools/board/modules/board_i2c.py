"""machine.I2C of the virtual board: a bus with a BME280 at 0x76. No answer is OSError(ENODEV), as on a board."""

import errno

import board_sim
from board_bme280 import Bme280

_devices = {0x76: ("bme280", Bme280())}


class I2C:
    """A bus as a controller sees it."""

    def __init__(self, id=-1, *, scl=None, sda=None, freq=400000, timeout=50000):
        self.init(scl=scl, sda=sda, freq=freq)

    def init(self, *, scl=None, sda=None, freq=400000):
        """Accepted; every bus leads to the same devices."""

    def _device(self, addr):
        name, device = _devices.get(addr, ("", None))
        if device is None or board_sim.fails(name):
            raise OSError(errno.ENODEV, "no acknowledge")
        return device

    def scan(self):
        """The addresses that answer."""
        return [addr for addr in _devices if not board_sim.fails(_devices[addr][0])]

    def readfrom(self, addr, nbytes, stop=True):
        """Read bytes from the device."""
        return self._device(addr).read(nbytes)

    def readfrom_into(self, addr, buf, stop=True):
        """Fill a buffer from the device."""
        buf[:] = self.readfrom(addr, len(buf))

    def writeto(self, addr, buf, stop=True):
        """Write bytes; returns how many were acknowledged."""
        self._device(addr).write(bytes(buf))
        return len(buf)

    def writevto(self, addr, vector, stop=True):
        """Write several buffers as one transfer."""
        return self.writeto(addr, b"".join(vector))

    def readfrom_mem(self, addr, memaddr, nbytes, *, addrsize=8):
        """Read registers from memaddr on."""
        self.writeto(addr, memaddr.to_bytes(addrsize // 8, "big"))
        return self.readfrom(addr, nbytes)

    def readfrom_mem_into(self, addr, memaddr, buf, *, addrsize=8):
        """Fill a buffer with registers from memaddr on."""
        buf[:] = self.readfrom_mem(addr, memaddr, len(buf), addrsize=addrsize)

    def writeto_mem(self, addr, memaddr, buf, *, addrsize=8):
        """Write registers from memaddr on."""
        self.writeto(addr, memaddr.to_bytes(addrsize // 8, "big") + bytes(buf))


SoftI2C = I2C
