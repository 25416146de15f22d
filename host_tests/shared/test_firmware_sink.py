"""FileSink: a package in a file, verified, never in RAM."""

import os
from hashlib import sha256

from configurations_firmware import PATH, clean, package
from lwm2m.file_sink import FileSink
from lwm2m.sink import InstallFailed, IntegrityFailure, NotEnoughStorage, UnsupportedPackage
from support import each, eq, raises, truncated, unhex

# Made by hand: sha256 is that of 03 "a 1" "xyz", by coreutils' sha256sum.
KNOWN = unhex("""
    4d 50 46 57                                        # "MPFW"
    59 bd fd fb 12 48 2b d9 ee 25 24 67 e9 31 ed f8
    83 17 f3 ca 42 bc 6b a4 4d 79 2c e2 60 c7 a9 49
    03 61 20 31                                        # "a 1"
    78 79 7a                                           # "xyz"
""")


def taken(data, piece=16, capacity=None, size=None):
    """A FileSink that has got all of `data`."""
    clean()
    sink = FileSink(PATH, capacity)
    sink.begin(size)
    for start in range(0, len(data), piece):
        sink.write(data[start : start + piece])
    return sink


def content(path):
    with open(path, "rb") as file:
        return file.read()


def test_known_bytes():
    """A package that another program made; name and version are told."""
    sink = taken(KNOWN)
    eq((sink.name, sink.version), (None, None))
    sink.finish()
    eq((sink.name, sink.version, content(PATH + ".part")), ("a", "1", KNOWN))


def test_labels():
    """Name and version, or a name only, or neither; what is no text."""

    def check(label, name, version):
        sink = taken(package(b"x", label))
        sink.finish()
        eq((sink.name, sink.version), (name, version))

    each([("a b c", "a", "b c"), ("only", "only", ""), ("", "", "")], check)
    rest = b"\x02\xff\xfe" + b"x"
    raises(UnsupportedPackage, taken(b"MPFW" + sha256(rest).digest() + rest).finish)


def test_whatever_is_changed_is_found():
    """One byte anywhere: the wrong type in the first four, else the wrong digest."""
    for at in range(len(KNOWN)):
        bad = KNOWN[:at] + bytes([KNOWN[at] ^ 1]) + KNOWN[at + 1 :]
        if at < 4:
            raises(UnsupportedPackage, taken, bad)
        else:
            raises(IntegrityFailure, taken(bad).finish)


def test_whatever_is_missing_is_found():
    """Cut anywhere, or longer than it should be."""
    for short in truncated(KNOWN):
        sink = taken(short)
        raises((IntegrityFailure, UnsupportedPackage), sink.finish)
    raises(IntegrityFailure, taken(KNOWN + b"!").finish)


def test_any_piece():
    """The way in which it comes does not matter."""
    body = package(bytes(range(256)) * 20)
    for piece in (1, 3, 37, 512, 100000):
        taken(body, piece).finish()


def test_capacity():
    """Given, or that of the file system; the error tells it."""
    error = raises(NotEnoughStorage, taken, KNOWN, 16, len(KNOWN) - 1)
    eq((error.options, error.code, error.result), (((60, len(KNOWN) - 1),), 0x8D, 2))
    raises(NotEnoughStorage, taken, b"", 16, 100, 101)
    taken(KNOWN, 16, len(KNOWN), len(KNOWN)).finish()
    raises(NotEnoughStorage, taken, b"", 16, None, 1 << 60)


def test_resume():
    """Behind what was flushed, also if more had been written; not behind the end of the file."""
    body = package(bytes(range(256)) * 20)
    for written in (1024, 2000):
        sink = taken(body[:written])
        sink.flush()
        other = FileSink(PATH)
        other.resume(1024)
        other.write(body[1024:])
        other.finish()
        eq(content(PATH + ".part"), body)
    taken(body[:1000]).flush()
    raises(OSError, FileSink(PATH).resume, 1024)
    clean()
    raises(OSError, FileSink(PATH).resume, 0)


def test_install_and_confirm():
    """The package takes the place of the one before; confirm tells whether it has."""
    sink = taken(KNOWN)
    sink.finish()
    raises(InstallFailed, FileSink(PATH).confirm)
    sink.install()
    eq(content(PATH), KNOWN)
    raises(OSError, os.stat, PATH + ".part")
    after = FileSink(PATH)
    after.confirm()
    eq((after.name, after.version), ("a", "1"))
    newer = package(b"newer", "a 2")
    sink.begin(None)
    raises(InstallFailed, FileSink(PATH).confirm)
    sink.write(newer)
    sink.finish()
    sink.install()
    eq(content(PATH), newer)
    clean()
    raises(InstallFailed, after.confirm)


def test_begin_again():
    """What was there before goes."""
    sink = taken(package(b"x" * 1000)[:600])
    sink.begin(None)
    sink.write(KNOWN)
    sink.finish()
    eq(content(PATH + ".part"), KNOWN)
    sink.abort()
    eq((sink.name, sink.version), (None, None))
    raises(OSError, os.stat, PATH + ".part")
    sink.abort()
