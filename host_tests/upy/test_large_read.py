"""A Read of some 4 KB needs the heap for its payload once: no copy of it, and no list of what is in it."""

import gc

from lwm2m import formats

_OVERHEAD = 640  # bytes: the encoder's frames and one record, on 64 bits
_NUMBERS = (60, 110, 112, 11542, 11543)


class Records:
    """A Read's records; before each of them it is seen what is kept until then."""

    def __init__(self, count, type, value):
        self._all = range(count)
        self._type, self._value = type, value
        self.most = 0

    def __iter__(self):
        for rid in self._all:
            gc.collect()
            self.most = max(self.most, gc.mem_alloc())
            yield 0, rid, self._type, self._value


def path(ct):
    """That of a resource for the format of a single value, else that of an instance."""
    return (33000, 0, 0) if ct == 60 else (33000, 0)


def read(ct, records):
    """The payload of a Read."""
    return formats.get(ct).encode(path(ct), records)


def kept(ct, count, type, value):
    """(bytes of the payload, the most bytes that its making kept)."""
    read(ct, Records(2, type, value))
    records = Records(count, type, value)
    gc.collect()
    before = gc.mem_alloc()
    payload = read(ct, records)
    gc.collect()
    return len(payload), max(records.most, gc.mem_alloc()) - before


def check(count, type, value):
    """In every format at most an eighth more is kept than there are bytes."""
    for ct in _NUMBERS[1:]:
        size, most = kept(ct, count, type, value)
        assert size > 2000, size
        assert most < size * 9 // 8 + _OVERHEAD, "format %d: %d bytes for a payload of %d" % (ct, most, size)


def test_many_strings():
    check(40, "str", "x" * 100)


def test_many_opaques():
    check(40, "opaque", b"x" * 100)


def test_many_numbers():
    check(350, "float", 22.5)
    check(400, "int", 70000)


def test_one_resource_of_many_instances():
    check(1, "int", {riid: 70000 + riid for riid in range(400)})


def test_a_payload_is_a_bytearray():
    """Which the encoder made, and did not copy."""
    for ct in _NUMBERS:
        assert type(read(ct, Records(1, "str", "x"))) is bytearray, ct


def allocated(ct, count, type, value):
    """(bytes of the payload, bytes that its making took from a heap that nothing is given back to)."""
    records = [(0, rid, type, value) for rid in range(count)]
    read(ct, records[:1])
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    size = len(read(ct, records))
    after = gc.mem_alloc()
    gc.enable()
    return size, after - before


def test_without_the_collector():
    """Garbage and all, long values take less than half as much again as their payload in the binary formats."""
    for ct, count, type, value in (
        (60, 1, "opaque", b"x" * 4000),
        (60, 1, "str", "x" * 4000),
        (112, 1, "opaque", b"x" * 4000),
        (112, 8, "opaque", b"x" * 500),
        (112, 8, "str", "x" * 500),
        (11542, 1, "opaque", b"x" * 4000),
        (11542, 8, "opaque", b"x" * 500),
        (11542, 8, "str", "x" * 500),
    ):
        size, taken = allocated(ct, count, type, value)
        assert size >= 4000
        assert taken < size * 3 // 2, "format %d: %d bytes for a payload of %d" % (ct, taken, size)
