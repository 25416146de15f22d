"""application/octet-stream: nothing but the bytes of one Opaque resource."""

from coap.errors import NotAcceptable, UnsupportedContentFormat
from lwm2m.formats import opaque
from support import eq, raises


def test_bytes_go_out_and_come_in_as_they_are():
    every_byte = bytes(range(256))
    for content in (b"", b"\0", every_byte, memoryview(every_byte)):
        payload = opaque.encode((19, 0, 0), iter([(0, 0, "opaque", content)]))
        assert type(payload) is bytes
        eq(payload, bytes(content))
        eq(opaque.decode((19, 0, 0), payload), [(0, 0, payload)])
        eq(opaque.value(memoryview(payload), "opaque"), payload)


def test_an_instance_of_a_multiple_resource_is_a_single_value():
    eq(opaque.encode((19, 0, 0, 7), ((0, 0, "opaque", {7: b"\x01\x02"}),)), b"\x01\x02")
    eq(opaque.decode((19, 0, 0, 7), b"\x01\x02"), [(0, 0, {7: b"\x01\x02"})])


def test_value_outlives_the_buffer_it_came_in():
    datagram = bytearray(b"abc")
    value = opaque.value(memoryview(datagram), "opaque")
    datagram[0] = 0
    eq(value, b"abc")


def test_only_one_opaque_value_can_be_read():
    raises(NotAcceptable, opaque.encode, (3, 0, 9), ((0, 9, "int", 100),))
    raises(NotAcceptable, opaque.encode, (3, 0, 0), ((0, 0, "str", "x"),))
    raises(NotAcceptable, opaque.encode, (19, 0, 0), ((0, 0, "opaque", {0: b"x"}),))
    raises(NotAcceptable, opaque.encode, (19, 0), ((0, 0, "opaque", b"x"),))
    raises(NotAcceptable, opaque.encode, (19,), ((0, 0, "opaque", b"x"),))


def test_only_one_opaque_value_can_be_written():
    raises(UnsupportedContentFormat, opaque.decode, (19,), b"x")
    raises(UnsupportedContentFormat, opaque.decode, (19, 0), b"x")
    for other in ("str", "int", "uint", "float", "bool", "time", "link", "corelnk"):
        raises(UnsupportedContentFormat, opaque.value, b"1", other)
