"""The stories of power_cuts.py on LittleFS and on FAT, as boards have them, on a flash in RAM whose power is cut at
each write and erasure. LittleFS must stand a block that is half written, FAT, which promises less, one that was not."""

import power_cuts
import vfs

from lwm2m import log

log.level("error")
_ROOT = "/flash"
_BLOCK = 512
_BLOCKS = 64


class Chip:
    """The flash. While `told` is a list, every step is kept, with how much was told before it."""

    def __init__(self):
        self.data = bytearray(_BLOCK * _BLOCKS)
        self.told = None
        self.steps = []

    def readblocks(self, number, buffer, offset=0):
        start = number * _BLOCK + offset
        buffer[:] = memoryview(self.data)[start : start + len(buffer)]

    def ioctl(self, op, argument):
        if op == 6:
            self.erase(argument)
        return {4: _BLOCKS, 5: _BLOCK}.get(op, 0)

    def step(self, start, new, cut=b""):
        """Change what is at `start`; in a power cut it is as before, or changed by `cut`."""
        if self.told is not None:
            self.steps.append((start, new, cut, len(self.told)))
        self.data[start : start + len(new)] = new


class Raw(Chip):
    """As LittleFS uses it: of a write nothing may arrive, or the half; an erasure has not begun, or left noise."""

    def writeblocks(self, number, buffer, offset=0):
        buffer = bytes(buffer)
        self.step(number * _BLOCK + offset, buffer, buffer[: len(buffer) // 2])

    def erase(self, number):
        self.step(number * _BLOCK, b"\xff" * _BLOCK, b"\xa5" * (_BLOCK // 2))


class Sectors(Chip):
    """As FAT uses it: each block is replaced as a whole, or not."""

    def writeblocks(self, number, buffer, offset=0):
        for at in range(0, len(buffer), _BLOCK):
            self.step(number * _BLOCK + at, bytes(buffer[at : at + _BLOCK]))

    def erase(self, number):
        """Nothing to do."""


class Medium:
    """What flash.at_every_cut wants, on a real file system."""

    folder = _ROOT + "/"

    def __init__(self, system, chip):
        self._system, self._make = system, chip
        self._chip = chip()
        system.mkfs(self._chip)
        vfs.mount(system(self._chip), _ROOT)

    def load(self, image):
        """A start with this content; files that nobody has closed stay with the chip before."""
        vfs.umount(_ROOT)
        self._chip = self._make()
        self._chip.data[:] = image
        vfs.mount(self._system(self._chip), _ROOT)

    def record(self, told):
        self._start = bytearray(self._chip.data)
        self._chip.told = self._told = told

    def cuts(self):
        """Each image with what was told by then."""
        steps, self._chip.told = self._chip.steps, None
        image = self._start
        for start, new, cut, count in steps:
            yield image, self._told[:count]
            if cut:
                torn = bytearray(image)
                torn[start : start + len(cut)] = cut
                yield torn, self._told[:count]
            image[start : start + len(new)] = new
        yield image, list(self._told)

    def open(self, path, mode):
        return open(path, mode)

    def read(self, name):
        try:
            with open(self.folder + name, "rb") as file:
                return file.read()
        except OSError:
            return None


def play(system, chip, least, *stories):
    """Play stories, each on a flash of its own."""
    for story in stories:
        medium = Medium(system, chip)
        try:
            cuts = getattr(power_cuts, story)(medium)
        finally:
            vfs.umount(_ROOT)
        assert cuts >= least, "%s: %d" % (story, cuts)


def test_accounts_on_littlefs():
    play(vfs.VfsLfs2, Raw, 3, "first_bootstrap", "second_bootstrap", "write", "delete_account", "factory_reset")
    play(vfs.VfsLfs2, Raw, 3, "numbers")


def test_packages_on_littlefs():
    play(vfs.VfsLfs2, Raw, 3, "pulled", "installed", "reset", "software")


def test_accounts_on_fat():
    play(vfs.VfsFat, Sectors, 3, "first_bootstrap", "second_bootstrap", "write", "factory_reset", "numbers")


def test_packages_on_fat():
    play(vfs.VfsFat, Sectors, 3, "installed", "software")
