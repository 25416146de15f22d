"""Helpers for tests that run on both Pythons: MicroPython's assert prints no values, and it has no pytest."""

import binascii


def eq(actual, expected, what=""):
    """Fail with both values unless they are equal and of the same kind (1, 1.0 and True are three things here)."""
    if actual == expected and _kind(actual) is _kind(expected):
        return
    raise AssertionError("%s\n  is     %s\n  wanted %s" % (what or "not equal", show(actual), show(expected)))


def near(actual, expected, tolerance=1e-6):
    """Fail unless |actual - expected| <= tolerance."""
    if not abs(actual - expected) <= tolerance:
        raise AssertionError("%r is not within %r of %r" % (actual, tolerance, expected))


def raises(kind, call, *args, **kwargs):
    """Call `call(*args, **kwargs)`, which must raise `kind` and nothing else; returns the exception."""
    try:
        result = call(*args, **kwargs)
    except kind as error:
        return error
    name = kind.__name__ if isinstance(kind, type) else "any of %r" % (kind,)
    raise AssertionError("%s expected, but it returned %s" % (name, show(result)))


def each(cases, check):
    """check(*case) for every case of a list of tuples; says which case it was that failed."""
    count = 0
    for case in cases:
        try:
            check(*case)
        except Exception:
            print("case %d: %r" % (count, case))
            raise
        count += 1
    if not count:
        raise AssertionError("no cases")


def unhex(text):
    """Bytes from groups of hex digits; the rest of a line after # is a comment.

    unhex('''44 01 30 39  # ACK, 0.01, id 0x3039
             b1 2f        # Uri-Path "/" ''')
    """
    digits = "".join(line.partition("#")[0] for line in text.split("\n"))
    return binascii.unhexlify("".join(digits.split()).encode())


def show(value):
    """`value` as a failure shows it: bytes as groups of hex digits, anything else as its repr."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        value = bytes(value)
        return "%d bytes: %s" % (len(value), " ".join("%02x" % byte for byte in value))
    return repr(value)


def truncated(data):
    """Every proper beginning of data, the empty one included."""
    for length in range(len(data)):
        yield data[:length]


def noise(count, longest, seed=1):
    """`count` byte strings of 0 to `longest` pseudo-random bytes; the same ones for the same seed on both Pythons."""
    state = seed or 1
    for _ in range(count):
        state = xorshift32(state)
        out = bytearray(state % (longest + 1))
        for i in range(len(out)):
            state = xorshift32(state)
            out[i] = state >> 11 & 0xFF
        yield bytes(out)


def xorshift32(state):
    """The next state of Marsaglia's generator (Xorshift RNGs, 2003), an int of 32 bits, from the one before."""
    state ^= state << 13 & 0xFFFFFFFF
    state ^= state >> 17
    return state ^ (state << 5 & 0xFFFFFFFF)


def _kind(value):
    if isinstance(value, (bytearray, memoryview)):
        return bytes
    return type(value)
