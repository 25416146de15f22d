"""A push button to ground: debounced, counted, and told of at once. Nothing is polled."""

from . import chip

_unsettled = []  # buttons that moved less than debounce_ms ago
_timer = None  # one hardware timer (0) for the buttons of the whole board, as some chips have only two


class Button:
    """The first edge is believed at once; those that follow within debounce_ms are judged when the contact is quiet.

    `count` is how often it was pressed. `on_change(pressed)` may be set at any time; it runs as a soft interrupt.
    """

    def __init__(self, pin, on_change=None, debounce_ms=30):
        self.count = 0
        self.on_change = on_change
        self._number = pin
        self._debounce_ms = debounce_ms
        self._pin = None
        if chip.name():
            self._open()

    def pressed(self):
        """True while the button is held down. OSError on a PC, which has no pins."""
        if not self._pin:
            self._open()
        if self not in _unsettled:
            self._look()
        return self._down

    def _open(self):
        Pin = chip.machine().Pin
        self._pin = Pin(self._number, Pin.IN, Pin.PULL_UP)
        self._down = not self._pin.value()
        self._pin.irq(self._edge, Pin.IRQ_FALLING | Pin.IRQ_RISING)

    def _edge(self, _):
        global _timer
        Timer = chip.machine().Timer
        _timer = _timer or Timer(0)
        _timer.init(mode=Timer.ONE_SHOT, period=self._debounce_ms, callback=_quiet)
        if self not in _unsettled:
            _unsettled.append(self)
            self._look()

    def _look(self):
        down = not self._pin.value()
        if down == self._down:
            return
        self._down = down
        self.count += down
        if self.on_change:
            self.on_change(down)


def _quiet(_):
    while _unsettled:
        _unsettled.pop()._look()
