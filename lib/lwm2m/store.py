"""What must survive a restart: small files, each written so that a power cut at any moment leaves the old content or
the new one.

A name has two files, NAME.0 and NAME.1. The newer valid one counts, and the other one is written next: the content that
counts is never touched, so that no file need be replaced, which a FAT flash cannot do in one step. A file is a count of
the saves, from 1 up, the length and the CRC-32 of the content, and the content.
"""

import os
from binascii import crc32
from struct import pack, unpack

from compat import const
from lwm2m import log

_HEAD = const(12)
_ENOENT = const(2)


class FileStore:
    """Content by name in the files of a folder ("" is the current one)."""

    def __init__(self, folder=""):
        self._folder = folder + "/" if folder and folder[-1] != "/" else folder

    def load(self, name):
        """The content saved last, or None; raises OSError if that cannot be told, as it is there but cannot be read."""
        found = self._newest(name)
        return found and found[2]

    def save(self, name, data):
        """Have `data` be the content; raises OSError, and then the content is what it was."""
        found = self._newest(name)
        count, slot = (found[0] + 1 & 0xFFFFFFFF, 1 - found[1]) if found else (1, 0)
        found = None
        path = self._path(name, slot)
        try:
            with self._open(path, "wb") as file:
                file.write(pack(">III", count, len(data), _check(count, data)))
                file.write(data)
                self._sync(file)
        except OSError:
            self._try_to_remove(path)
            raise

    def remove(self, name):
        """Forget the content; raises OSError. The older file goes first: it must not count for a moment."""
        found = self._newest(name)
        if found:
            try:
                self._remove(self._path(name, 1 - found[1]))
            except OSError as error:
                if error.args[:1] != (_ENOENT,):
                    raise
            self._remove(self._path(name, found[1]))

    def _newest(self, name):
        """(count, slot, content) of the newer valid file, or None."""
        newest = None
        for slot in (0, 1):
            try:
                with self._open(self._path(name, slot), "rb") as file:
                    raw = file.read()
            except OSError as error:
                if error.args[:1] != (_ENOENT,):  # to take it for nothing would be to write over it
                    raise
                continue
            count = _valid(raw)
            if count is None:
                log.warning("%s is broken, as after a power cut", self._path(name, slot))
            elif newest is None or count - newest[0] & 0xFFFFFFFF < 1 << 31:
                newest = (count, slot, raw[_HEAD:])
        return newest

    def _path(self, name, slot):
        return "%s%s.%d" % (self._folder, name, slot)

    def _open(self, path, mode):
        umask = getattr(os, "umask", int)  # a PC has other users, whom keys do not concern
        before = umask(0o077)
        try:
            return open(path, mode)
        finally:
            umask(before)

    def _sync(self, file):
        lasting(file)

    def _remove(self, path):
        os.remove(path)

    def _try_to_remove(self, path):
        try:
            self._remove(path)
        except OSError:  # it is not there, or will be found broken
            return


def lasting(file):
    """Bring what was written to a file onto the flash, so that a power cut leaves it there; raises OSError."""
    file.flush()
    if hasattr(os, "fsync"):  # CPython's flush does not wait for the disk
        os.fsync(file.fileno())


def _valid(raw):
    """The count of a file's content, or None if it is not whole."""
    if len(raw) < _HEAD or not any(raw[:_HEAD]):  # a flash may fill with zeros what a power cut has left open
        return None
    count, length, check = unpack(">III", raw[:_HEAD])
    data = memoryview(raw)[_HEAD:]
    return count if length == len(data) and check == _check(count, data) else None


def _check(count, data):
    return crc32(data, count) & 0xFFFFFFFF
