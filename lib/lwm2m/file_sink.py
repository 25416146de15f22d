"""A sink that keeps a package in a file, never in RAM: for the virtual board, and for packages that are files.

A package is

    4 bytes    "MPFW"
    32 bytes   SHA-256 of all that follows
    1 byte     n
    n bytes    name and version, UTF-8, with a space between them
    the rest   the content
"""

import os
from hashlib import sha256

from compat import const
from lwm2m.sink import InstallFailed, IntegrityFailure, UnsupportedPackage, too_big
from lwm2m.store import lasting

_MAGIC = const(b"MPFW")
_HEADER = const(37)
_PIECE = const(512)  # bytes that are read at a time
_ENOSPC = const(28)  # MicroPython's errno does not know it


class FileSink:
    """Keeps a package in `path` + ".part" until it is installed, then in `path`. `capacity` is the largest package in
    bytes; without it that is what the file system has room for when a package begins. A power cut amid an installation
    leaves the package before it, or the new one."""

    def __init__(self, path="firmware.img", capacity=None):
        self.name = self.version = None
        self._path = path
        self._part = path + ".part"
        self._old = path + ".old"  # the package before, while it is replaced
        self._capacity = capacity
        self._limit = self._size = 0
        self._file = None
        self._settle()

    def begin(self, size):
        """Open an empty file; raises NotEnoughStorage if there is no room for `size` bytes."""
        self.abort()
        self._limit = self._room()
        if size is not None and size > self._limit:
            raise too_big(self._limit)
        self._file = open(self._part, "wb")

    def resume(self, offset):
        """Open the file at `offset`; raises OSError if it is not there, or shorter than that."""
        self._close()
        self._limit = self._room() + offset if self._capacity is None else self._capacity
        self._file = open(self._part, "r+b")
        if self._file.seek(0, 2) < offset:
            raise OSError("the file is shorter than the download was")
        self._file.seek(offset)
        self._size = offset

    def write(self, data):
        """Append to the file; raises NotEnoughStorage, or UnsupportedPackage for what begins with other bytes."""
        if self._size == 0 and data[:4] != _MAGIC[: len(data)]:
            raise UnsupportedPackage("it does not begin with MPFW")
        if self._size + len(data) > self._limit:
            raise too_big(self._limit)
        self._guarded(self._file.write, data)
        self._size += len(data)

    def flush(self):
        """Bring what is buffered into the file."""
        self._guarded(lasting, self._file)

    def finish(self):
        """Compare the digest; raises IntegrityFailure or UnsupportedPackage."""
        self.flush()
        self._guarded(self._close)
        self.name, self.version = _inspect(self._part, self._size)

    def abort(self):
        """Remove the file."""
        self._close()
        self._size = 0
        self.name = self.version = None
        _remove(self._part)

    def install(self):
        """Put the package in the place of the one before; raises IntegrityFailure if it is not whole any more."""
        _inspect(self._part, self._size)
        if _exists(self._path):  # FAT cannot replace a file in one step
            os.rename(self._path, self._old)
        try:
            os.rename(self._part, self._path)
        finally:
            self._settle()

    def _settle(self):
        """What was there before an installation goes, or gets its name back if nothing has taken that: a power cut may
        have come in between."""
        if _exists(self._old):
            if _exists(self._path):
                _remove(self._old)
            else:
                os.rename(self._old, self._path)

    def confirm(self):
        """Look at the package in its place; raises InstallFailed if it is not there, or not whole."""
        if _exists(self._part):
            raise InstallFailed("it was not put in its place")
        try:
            self.name, self.version = _inspect(self._path, None)
        except (OSError, IntegrityFailure, UnsupportedPackage) as error:
            raise InstallFailed(str(error))

    def _close(self):
        file, self._file = self._file, None
        if file:
            file.close()

    def _room(self):
        if self._capacity is not None:
            return self._capacity
        found = os.statvfs(self._path.rpartition("/")[0] or ".")
        return found[1] * found[4]

    def _guarded(self, act, *args):
        """Run something that may find the file system full."""
        try:
            return act(*args)
        except OSError as error:
            if error.errno == _ENOSPC:
                raise too_big(self._size)
            raise


def _inspect(path, size):
    """(name, version) of the package in a file; it must have `size` bytes, unless that is None."""
    with open(path, "rb") as file:
        header = file.read(_HEADER)
        if len(header) < _HEADER or header[:4] != _MAGIC:
            raise UnsupportedPackage("it does not begin with MPFW")
        digest = sha256(header[36:])
        label = file.read(header[36])
        digest.update(label)
        read = _HEADER + len(label) + _update(digest, file)
    if digest.digest() != header[4:36] or size not in (None, read):
        raise IntegrityFailure("its SHA-256 is another one")
    try:
        name, _, version = label.decode().partition(" ")
    except UnicodeError:
        raise UnsupportedPackage("its name is no text")
    return name, version


def _update(digest, file):
    """Feed the rest of a file to a digest, and count it."""
    piece = bytearray(_PIECE)
    view = memoryview(piece)
    count = 0
    while True:
        length = file.readinto(piece)
        if not length:
            return count
        digest.update(view[:length])
        count += length


def _exists(path):
    try:
        os.stat(path)
        return True
    except OSError:
        return False


def _remove(path):
    try:
        os.remove(path)
    except OSError:  # it was not there; one that cannot be removed shows when it is to be written
        return
