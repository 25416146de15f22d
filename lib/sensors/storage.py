"""The flash, or the disk of a PC: how much of it is free."""

import os


def free_kb(path="/"):
    """Kilobytes (of 1000 bytes) that files may still take; OSError if there is no file system."""
    found = os.statvfs(path)
    return found[1] * found[4] // 1000


def total_kb(path="/"):
    """Kilobytes (of 1000 bytes) of the file system; OSError if there is none."""
    found = os.statvfs(path)
    return found[1] * found[2] // 1000
