"""A flash whose power can be cut at every single step, and a driver that does so for whatever the device stores.

    flash = Flash()
    with flash:                                   # FileStore and FileSink write here
        at_every_cut(flash, prepare, act, check)

A step is whatever changes the flash: a truncation, a write, a removal, a new name. A cut has several variants: of a write
some first bytes arrive, and what should follow is missing, zero, or what was there before; any other step happened or not;
and in one more variant nothing is left of all that no flush has made lasting, as with LittleFS.
"""

from lwm2m import file_sink, store

_MODULES = (store, file_sink)


class PowerCut(BaseException):
    """The power is gone. Nothing that runs on the board can catch it."""


class Flash:
    """Files in RAM. arm(step, variant) chooses the cut; `variants` is how many there are at the step of the last one."""

    folder = ""
    variants = 0

    def __init__(self):
        self.files = {}
        self.power_on()

    def power_on(self):
        """Run without cuts again, from what the cut has left."""
        self.step = None
        self.dead = False
        self._lasting = dict(self.files)  # path -> content, None for a removed file

    def image(self):
        """What is on the flash, for `load`."""
        return dict(self.files)

    def load(self, image):
        """Have the content of an image."""
        self.files = dict(image)
        self.power_on()

    def arm(self, step, variant):
        """Let the power be cut at a step, counted from 0."""
        self.step, self._variant = step, variant
        self.variants = 0

    def read(self, name):
        """The content of a file, or None."""
        return self.files.get(name)

    # -- steps ----------------------------------------------------------------------------------------------------

    def change(self, path, outcomes):
        """One step: `outcomes` are what may be left of a file when the power is cut in it, the last one if it is not."""
        if self.dead:
            raise PowerCut()
        if self.step == 0:
            self._cut(path, outcomes)
        self.files[path] = outcomes[-1]
        if self.step is not None:
            self.step -= 1

    def _cut(self, path, outcomes):
        distinct = []
        for one in outcomes:
            if one not in distinct:
                distinct.append(one)
        self.variants = len(distinct) + 1
        if self._variant < len(distinct):
            self.files[path] = distinct[self._variant]
        else:
            self.files = dict(self._lasting)
        self._clean()
        self.dead = True
        raise PowerCut()

    def _clean(self):
        for path in [path for path in self.files if self.files[path] is None]:
            del self.files[path]

    def sync(self, file):
        """What lwm2m.store calls `lasting`."""
        if self.dead:
            raise PowerCut()
        self._lasting[file.path] = self.files[file.path]

    # -- what stands for open and os ------------------------------------------------------------------------------

    def open(self, path, mode="r"):
        """A File; raises OSError if it must be there and is not."""
        if mode != "wb" and self.files.get(path) is None:
            raise OSError(2, "ENOENT")
        if self.dead:
            raise PowerCut()
        return File(self, path, mode)

    def remove(self, path):
        """os.remove, lasting at once."""
        old = self._old(path)
        self.change(path, (old, None))
        del self.files[path]
        self._lasting.pop(path, None)

    def rename(self, path, to):
        """os.rename as LittleFS has it: in one step, lasting at once, in the place of what was there."""
        old = self._old(path)
        before = dict(self.files)
        self.change(to, (before.get(to), before.get(to)))
        del self.files[path]
        self.files[to] = old
        self._lasting.pop(path, None)
        self._lasting[to] = old

    def stat(self, path):
        """os.stat."""
        return (0, 0, 0, 0, 0, 0, len(self._old(path)))

    def statvfs(self, path):
        """os.statvfs: 100 KB are free."""
        return (1024, 1024, 100, 100, 100)

    def _old(self, path):
        if self.files.get(path) is None:
            raise OSError(2, "ENOENT")
        return self.files[path]

    def __enter__(self):
        for module in _MODULES:
            module.lasting, module._lasting = self.sync, module.lasting
            module.os, module._os = self, module.os
            module.open = self.open
        return self

    def __exit__(self, *error):
        for module in _MODULES:
            module.lasting, module.os = module._lasting, module._os
            del module.open


class Fat(Flash):
    """A flash that does not replace a file by a new name for another."""

    def rename(self, path, to):
        """os.rename as FAT has it."""
        if self.files.get(to) is not None:
            raise OSError(17, "EEXIST")
        super().rename(path, to)


class File:
    """An open file. What was in it before a truncation may come back in a cut, as flash is not erased at once."""

    def __init__(self, flash, path, mode):
        self._flash, self.path = flash, path
        self._at = 0
        self._ghost = flash.files.get(path) or b""
        if mode == "wb":
            flash.change(path, (flash.files.get(path), b""))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if not self._flash.dead:
            self.close()

    def write(self, data):
        """All of it in one step."""
        data = bytes(data)
        content = self._flash.files[self.path]
        head, old = content[: self._at], content[self._at :]
        ghost = old or self._ghost[self._at :]
        outcomes = []
        for arrived in (0, 1, len(data) // 2, len(data) - 1):
            part = head + data[:arrived]
            outcomes.append(part)
            outcomes.append(part + bytes(len(data) - arrived) + old[len(data) :])
            outcomes.append(part + ghost[arrived:])
        self._at += len(data)
        outcomes.append(head + data + old[len(data) :])
        self._flash.change(self.path, outcomes)
        return len(data)

    def read(self, size=None):
        """The rest, or so many bytes of it."""
        content = self._flash.files[self.path]
        end = len(content) if size is None else min(len(content), self._at + size)
        found = content[self._at : end]
        self._at = end
        return found

    def readinto(self, buffer):
        """Fill a buffer; returns how much there was."""
        found = self.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def seek(self, offset, whence=0):
        """Go to an offset, or with 2 to the end."""
        self._at = len(self._flash.files[self.path]) if whence == 2 else offset
        return self._at

    def close(self):
        """What was written is lasting now."""
        if self.path in self._flash.files:
            self._flash.sync(self)


def at_every_cut(flash, prepare, act, check):
    """Cut at every step of an act, in every variant; returns how many cuts there were.

    prepare(flash) fills the flash once; act(flash, arm, note) calls arm() when what is tested begins, and note(x) for what
    was acknowledged; check(flash, acknowledged, was_cut) looks at what is left.
    """
    prepare(flash)
    image = flash.image()
    step = variant = cuts = 0
    while True:
        flash.load(image)
        told = []
        try:
            act(flash, lambda: flash.arm(step, variant), told.append)
        except PowerCut:
            pass
        was_cut, variants = flash.dead, flash.variants
        flash.power_on()
        try:
            check(flash, told, was_cut)
        except Exception:
            print("cut at step %d, variant %d, acknowledged %r" % (step, variant, told))
            raise
        if not was_cut:
            return cuts
        cuts += 1
        variant += 1
        if variant >= variants:
            step, variant = step + 1, 0
        if step > 500:
            raise AssertionError("no end of steps")
