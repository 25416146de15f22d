"""machine.Pin and machine.Signal of the virtual board. A level comes from the world's "pin.<number>"."""

import board_sim

# chip: (highest number, numbers that do not exist, numbers that can only be input)
_CHIPS = {
    "esp32": (39, (20, 24, 28, 29, 30, 31), (34, 35, 36, 37, 38, 39)),
    "esp32s2": (46, (22, 23, 24, 25), (46,)),
    "esp32s3": (48, (22, 23, 24, 25), ()),
    "esp32c2": (20, (), ()),
    "esp32c3": (21, (), ()),
    "esp32c5": (28, (), ()),
    "esp32c6": (30, (), ()),
}
_pads = {}


class _Pad:
    """What the chip keeps about one pin, however many Pin objects name it."""

    def __init__(self, number):
        self.number = number
        self.mode = Pin.IN
        self.pull = None
        self.out = 0
        self.handler = None
        self.trigger = 0
        self.pin = None
        self.level = self.read()
        board_sim.watch("pin.%d" % number, self.changed)

    def read(self):
        """The level on the pin. A floating input reads 0 here."""
        if self.mode == Pin.OUT:
            return self.out
        if self.mode == Pin.OPEN_DRAIN and not self.out:
            return 0
        outside = board_sim.world.get("pin.%d" % self.number)
        if outside is None:
            return 1 if self.pull == Pin.PULL_UP else 0
        return 1 if outside else 0

    def changed(self):
        """The level may have changed: run the interrupt handler on the edge it waits for."""
        before, self.level = self.level, self.read()
        edge = 0 if before == self.level else Pin.IRQ_RISING if self.level else Pin.IRQ_FALLING
        if self.handler and edge & self.trigger:
            board_sim.interrupt(self.handler, self.pin)

    def drive(self, level):
        """Set the output and show it, if it is new."""
        if level != self.out:
            self.out = level
            if self.mode != Pin.IN:
                board_sim.show("pin.%d" % self.number, level)
        self.changed()


class Pin:
    """A GPIO. ValueError for a pin that the chip does not have, or an output on one that can only be input."""

    IN, OUT, OPEN_DRAIN = 1, 3, 7
    PULL_DOWN, PULL_UP = 1, 2
    IRQ_RISING, IRQ_FALLING, WAKE_LOW, WAKE_HIGH = 1, 2, 4, 5
    DRIVE_0, DRIVE_1, DRIVE_2, DRIVE_3 = 0, 1, 2, 3

    def __init__(self, id, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        highest, missing, _ = _CHIPS[board_sim.facts["chip"]]
        if isinstance(id, Pin):
            id = id._pad.number
        if not isinstance(id, int) or not 0 <= id <= highest or id in missing:
            raise ValueError("invalid pin")
        if id not in _pads:
            _pads[id] = _Pad(id)
        self._pad = _pads[id]
        self.init(mode, pull, value=value)

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        """Set what is given and leave the rest as it is."""
        pad = self._pad
        if mode in (Pin.OUT, Pin.OPEN_DRAIN) and pad.number in _CHIPS[board_sim.facts["chip"]][2]:
            raise ValueError("pin can only be input")
        if mode != -1 and mode is not None:
            pad.mode = mode
        if pull != -1:
            pad.pull = pull
        if value is not None:
            pad.drive(1 if value else 0)
        pad.level = pad.read()

    def value(self, x=None):
        """The level, 0 or 1; or set the output."""
        board_sim.poll()
        if x is None:
            return self._pad.read()
        self._pad.drive(1 if x else 0)
        return None

    __call__ = value

    def on(self):
        """Output high."""
        self.value(1)

    def off(self):
        """Output low."""
        self.value(0)

    def toggle(self):
        """Output the other level."""
        self.value(not self._pad.out)

    def irq(self, handler=None, trigger=3, wake=None, hard=False):
        """Call handler(pin) on the edges of trigger (IRQ_RISING | IRQ_FALLING); None ends it."""
        pad = self._pad
        pad.handler, pad.trigger, pad.pin = handler, trigger, self

    def __repr__(self):
        return "Pin(%d)" % self._pad.number

    def __str__(self):
        return "Pin(%d)" % self._pad.number


class Signal:
    """A pin that may be active low: on() is then level 0."""

    def __init__(self, pin, *args, invert=False, **kwargs):
        self._pin = pin if isinstance(pin, Pin) else Pin(pin, *args, **kwargs)
        self._invert = 1 if invert else 0

    def value(self, x=None):
        """Whether the signal is active, 0 or 1; or set it."""
        if x is None:
            return self._pin.value() ^ self._invert
        self._pin.value((1 if x else 0) ^ self._invert)
        return None

    __call__ = value

    def on(self):
        """Activate."""
        self.value(1)

    def off(self):
        """Deactivate."""
        self.value(0)
