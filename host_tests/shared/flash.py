"""A flash that keeps what a power cut would have left at every step, and a driver that starts from each of these.

    with Flash() as flash:                        # FileStore and FileSink write here
        at_every_cut(flash, prepare, act, check)

A step is whatever changes the flash: a truncation, a write, a removal, a new name. A cut in it leaves one of several
things: of a write some first bytes, and what should follow is missing, zero, or what was there before; any other step
has happened or not; or nothing is left of all that no flush has made lasting, as with LittleFS.
"""

from lwm2m import file_sink, store
from support import eq

_MODULES = (store, file_sink)


class Flash:
    """Files in RAM."""

    folder = ""

    def __init__(self):
        self.load({})

    def load(self, image):
        """Start with what a cut has left: {path: content}."""
        self.files = dict(image)
        self._lasting = dict(image)
        self._told = None
        self._cuts = []

    def record(self, told):
        """From now on keep what cuts leave, and with each what is told by then."""
        self._told = told

    def cuts(self):
        """[(image, what was told)] of all cuts since `record`, the last one after the end."""
        return self._cuts + [(dict(self.files), list(self._told))]

    def read(self, name):
        """The content of a file, or None."""
        return self.files.get(name)

    # -- steps ----------------------------------------------------------------------------------------------------

    def change(self, path, content, torn=()):
        """One step, after which a file has this content, None is no file. A cut in it may leave what was there, this,
        or what torn() makes of it."""
        if self._told is not None:
            self._keep(self._lasting)
            seen = []
            for left in [self.files.get(path), content] + list(torn and torn()):
                if left not in seen:
                    seen.append(left)
                    self._keep(dict(self.files, **{path: left}))
        self.files[path] = content
        if content is None:
            del self.files[path]

    def _keep(self, image):
        image = {path: image[path] for path in image if image[path] is not None}
        if not self._cuts or self._cuts[-1] != (image, self._told):
            self._cuts.append((image, list(self._told)))

    def sync(self, file):
        """What a file has now outlives a cut."""
        self._lasting[file.path] = self.files[file.path]

    # -- what stands for open and os ------------------------------------------------------------------------------

    def open(self, path, mode="r"):
        """A File; raises OSError if it must be there and is not."""
        if mode != "wb":
            self._content(path)
        return File(self, path, mode)

    def remove(self, path):
        """os.remove, lasting at once."""
        self._content(path)
        self.change(path, None)
        self._lasting.pop(path, None)

    def rename(self, path, to):
        """os.rename as LittleFS has it: in one step, lasting at once, in the place of what was there."""
        content = self._content(path)
        self.change(to, self.files.get(to))
        del self.files[path]
        self.files[to] = self._lasting[to] = content
        self._lasting.pop(path, None)

    def stat(self, path):
        """os.stat."""
        return (0, 0, 0, 0, 0, 0, len(self._content(path)))

    def statvfs(self, path):
        """os.statvfs: 100 KB are free."""
        return (1024, 1024, 100, 100, 100)

    def _content(self, path):
        if path not in self.files:
            raise OSError(2, "ENOENT")
        return self.files[path]

    def __enter__(self):
        for module in _MODULES:
            module.os, module._os = self, module.os
            module.open = self.open
        return self

    def __exit__(self, *error):
        for module in _MODULES:
            module.os = module._os
            del module.open, module._os


class Fat(Flash):
    """A flash that does not replace a file by a new name for another."""

    def rename(self, path, to):
        """os.rename as FAT has it."""
        if to in self.files:
            raise OSError(17, "EEXIST")
        super().rename(path, to)


class File:
    """An open file. What was in it before a truncation may come back in a cut, as flash is not erased at once."""

    def __init__(self, flash, path, mode):
        self._flash, self.path = flash, path
        self._at = 0
        self._ghost = flash.files.get(path) or b""
        if mode == "wb":
            flash.change(path, b"")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def write(self, data):
        """All of it in one step."""
        data = bytes(data)
        content = self._flash.files[self.path]
        head, old = content[: self._at], content[self._at :]
        ghost = old or self._ghost[self._at :]
        most = len(data) - 1

        def torn():
            for arrived in (0, 1, most // 2, most) if most < 64 else (0, most // 2, most):
                part = head + data[:arrived]
                yield part
                yield part + bytes(len(data) - arrived) + old[len(data) :]
                yield part + ghost[arrived:]

        self._at += len(data)
        self._flash.change(self.path, head + data + old[len(data) :], torn)
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

    def flush(self):
        """What was written is lasting now."""
        self._flash.sync(self)

    def close(self):
        """What was written is lasting now."""
        if self.path in self._flash.files:
            self._flash.sync(self)


def at_every_cut(flash, prepare, act, check):
    """Play an act once, and go on from what a power cut at each of its steps would have left; returns how many cuts.

    prepare(flash) fills the flash; act(flash, record, note) calls record() when what is tested begins, and note(x) for
    what was acknowledged; check(flash, acknowledged) looks at what is left.
    """
    prepare(flash)
    told = []
    act(flash, lambda: flash.record(told), told.append)
    cuts = 0
    for image, acknowledged in flash.cuts():
        flash.load(image)
        try:
            check(flash, acknowledged)
        except Exception:
            print("cut %d, acknowledged %r" % (cuts, acknowledged))
            raise
        cuts += 1
    eq(acknowledged, told)
    return cuts
