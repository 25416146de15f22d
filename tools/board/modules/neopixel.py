"""MicroPython's `neopixel` for the virtual board: write() shows the colours as "neopixel.<pin>"."""

import board_sim


class NeoPixel:
    """A strip of n pixels; strip[i] = (red, green, blue) and then write()."""

    ORDER = (1, 0, 2, 3)

    def __init__(self, pin, n, bpp=3, timing=1):
        self.pin, self.n, self.bpp = pin, n, bpp
        self.buf = bytearray(n * bpp)
        pin.init(pin.OUT)

    def __len__(self):
        return self.n

    def __setitem__(self, i, v):
        for channel in range(self.bpp):
            self.buf[i * self.bpp + self.ORDER[channel]] = v[channel]

    def __getitem__(self, i):
        return tuple(self.buf[i * self.bpp + self.ORDER[channel]] for channel in range(self.bpp))

    def fill(self, v):
        """The same colour for every pixel."""
        for i in range(self.n):
            self[i] = v

    def write(self):
        """Send the colours to the strip."""
        board_sim.show("neopixel.%d" % self.pin._pad.number, [list(self[i]) for i in range(self.n)])
