"""A strip of NeoPixels (WS2812), or the single one on many boards."""

from .chip import machine


class Pixels:
    """`count` pixels that show one colour. OSError on a PC, which has no pins."""

    def __init__(self, pin, count=1):
        self._pin = pin
        self._count = count
        self._strip = None
        self._colour = (255, 255, 255)
        self._percent = 0

    def on(self, on=True):
        """Switch it on, or with False off."""
        self.level(100 if on else 0)

    def level(self, percent):
        """Brightness from 0 to 100 %; the limits hold for whatever comes."""
        self._percent = min(max(percent, 0), 100)
        self._show()

    def colour(self, text):
        """The colour as "#rrggbb"; ValueError if it is none. It shows at the present brightness."""
        if len(text) != 7 or text[0] != "#":
            raise ValueError("a colour is #rrggbb")
        self._colour = tuple(int(text[i : i + 2], 16) for i in (1, 3, 5))
        self._show()

    def _show(self):
        if not self._strip:
            import neopixel

            self._strip = neopixel.NeoPixel(machine().Pin(self._pin), self._count)
        self._strip.fill(tuple(int(part * self._percent / 100) for part in self._colour))
        self._strip.write()
