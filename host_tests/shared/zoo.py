"""Objects with resources of every type, and valid requests to them: what hostile datagrams are made of."""

from lwm2m.object import Object
from packet import METHODS, block, build

TEXT, LINK, OPAQUE, CBOR, JSON, SENML, TLV, OLD_JSON = 0, 40, 42, 60, 110, 112, 11542, 11543


class Zoo(Object):
    """Every type; resource 20 never changes."""

    OID = 33000
    RES = """
    0  RW! str     text   0..40
    1  RW  int     whole  -100..100
    2  RW  uint    count
    3  RW  float   real
    4  RW  bool    flag
    5  RW  opaque  blob
    6  RW  time    when
    7  RW  link    target
    8  RW  corelnk links
    9  RW* int     many
    10 RW* str     names
    11 E   none    act
    12 E   none    later
    13 W   opaque  image
    14 R   float   absent
    20 R!  str     fixed
    """
    absent = None
    fixed = "as it was"

    def __init__(self):
        self.text, self.whole, self.count, self.real, self.flag = "t", -5, 7, 1.5, True
        self.blob, self.when, self.target, self.links = b"\0\xff", 1700000000, (65535, 65535), "</3>"
        self.many, self.names, self.image = {0: 1, 7: -1}, {0: "a"}, b""
        self.acts = 0

    def act(self, arguments):
        """Execute: something that is done when the response is out."""
        self.acts += 1
        return self.acted

    def acted(self):
        """It is done."""
        self.set("count", self.acts)

    def later(self, arguments):
        """Execute: something that takes a while."""
        yield 20
        self.acts += 1

    def stream_image(self, size):
        """Where a write of `image` goes."""
        return self

    def write(self, data):
        """The next block of it."""
        self.streamed = len(data)

    def close(self):
        """All of it has come."""
        self.set("flag", not self.flag)

    abort = close


class Cub(Zoo):
    """What servers may create."""

    OID = 33001


_RECORDS = b"\xc2\x00hi\xc1\x01\x05\x86\x09\x41\x00\x01\x41\x07\x02\xe8\x00\x05\x03abc"
_PATHS = (
    "3 3/0 3/0/13 33000/0 33000/0/20 33000/0/9/7 3303/0/5700 1/0/1 0/0/0 0 1 2 9/9/9 2/0 5/0 16/0 19/0/0 25/0 "
    "dev0/3303/0/5700 dev0/16/0 33000 33001 33001/0 33000/1/0 1/1/0 2/3/2 20/0"
)
_VALUES = (
    (0, 0, b"text"),
    (1, 0, b"-99"),
    (3, 0, b"1.5e3"),
    (3, CBOR, b"\xfb\x3f\xb9\x99\x99\x99\x99\x99\x9a"),
    (4, 0, b"1"),
    (5, 42, b"\0\1\2"),
    (5, 0, b"AAECAw=="),
    (6, 0, b"1700000001"),
    (7, 0, b"3:0"),
    (8, 0, b"</1/0>"),
    (9, TLV, b"\x86\x09\x41\x00\x01\x41\x07\x02"),
    (1, TLV, b"\xc1\x01\x05"),
    (1, CBOR, b"\x20"),
    (0, JSON, b'[{"n":"/33000/0/0","vs":"\\u20ac"}]'),
    (0, SENML, b"\x81\xa2\x00\x6a/33000/0/0\x03\x61z"),
    (13, 42, b"0123456789abcdef"),
)
_COMPOSITE = (
    (SENML, b"\x82\xa1\x00\x66/3/0/0\xa1\x00\x6e/3303/0/5700\x20"),
    (SENML, b"\x82\xa1\x00\x6c/3303/0/5700\xa1\x00\x68/33000/0"),
    (SENML, b"\x81\xa1\x00\x61/"),
    (SENML, b"\x81\xa1\x00\x70dev0/3303/0/5700"),
    (JSON, b'[{"n":"/3/0"},{"n":"/33000/0/9/7"},{"n":"/0"}]'),
)
_CHANGES = (
    (SENML, b"\x82\xa3\x21\x68/33000/0\x00\x62/1\x02\x05\xa2\x00\x62/4\x04\xf5"),
    (JSON, b'[{"bn":"/33000/0/","n":"0","vs":"x"},{"n":"3","v":2.5},{"bn":"/1/0/1","v":60}]'),
)
_ACTS = "33000/0/11 33000/0/12 3/0/4 3/0/5 3/0/12 1/0/4 1/0/8 1/0/9 3303/0/5605 5/0/2 5/0/10 20/0/4010 dev0/3303/0/5605"


class _Book:
    """Collects requests, each with a Message ID and a token of its own."""

    def __init__(self):
        self.found = []

    def add(self, method, path, payload=b"", options=(), type="CON"):
        number = len(self.found)
        segments = tuple([(11, segment) for segment in path.split("/") if segment])
        token = b"\xf0%c" % (number & 255)
        self.found.append(build(type, METHODS.index(method), 0x4000 + number, token, segments + options, payload))


def _reads(add):
    for path in _PATHS.split():
        add("GET", path)
        add("GET", path, options=((17, TLV),), type="NON")
        add("GET", path, options=((17, LINK),))
        add("GET", path, options=((17, SENML),))
        add("GET", path, options=((6, 0),))
        add("GET", path, options=((6, 0), (17, JSON)))
        add("GET", path, options=((6, 1),))
        add("GET", path, options=((23, block(1, 0, 0)),))
        add("DELETE", path)
        add("PUT", path, options=((15, "pmin=1"), (15, "pmax=9"), (15, "gt=2.5"), (15, "st=0.5")))
    add("GET", "33000/0", options=((3, "host"), (7, 5683), (6, 1)))


def _writes(add):
    for rid, content_format, payload in _VALUES:
        path, ct = "33000/0/%d" % rid, (12, content_format)
        add("PUT", path, payload, (ct,))
        add("POST", path, payload, (ct,))
        add("PUT", path, b"0123456789abcdef", (ct, (27, block(0, 1, 0)), (60, 32)))
        add("PUT", path, payload[:16], (ct, (27, block(1, 0, 0))))
    for method in ("PUT", "POST"):
        add(method, "33000/0", _RECORDS, ((12, TLV),))
        add(method, "33000/0", _RECORDS[:16], ((12, TLV), (27, block(0, 1, 0))))
        add(method, "33000/0", _RECORDS[16:], ((12, TLV), (27, block(1, 0, 0))))
    add("PUT", "2/0", b"\x86\x02\x41\x01\x0f\x41\x02\x01", ((12, TLV),))
    add("PUT", "1/0/1", b"60", ((12, 0),))
    add("PUT", "1/0", b"\xc1\x01\x3c\xc1\x06\x01\xc1\x07U", ((12, TLV),))
    add("PUT", "5/0/1", b"coap://files.example/fw", ((12, 0),))
    add("PUT", "5/0/0", b"MPFW0123456789ab", ((12, OPAQUE), (27, block(0, 1, 0)), (60, 40)))
    add("PUT", "5/0/0", b"MPFW0123456789ab", ((12, OPAQUE),))


def _others(add):
    for path in ("33001", "dev0/16", "16"):
        add("POST", path, _RECORDS, ((12, TLV),))
        add("POST", path, b"\x08\x07\x03\xc1\x01\x05", ((12, TLV),))
        add("POST", path, b"\x86\x00\x41\x00x\x41\x03y", ((12, TLV),))
    for path in _ACTS.split():
        add("POST", path, b"0='on',1")
        add("POST", path)
    for ct, payload in _COMPOSITE:
        add("FETCH", "", payload, ((12, ct), (17, SENML)))
        add("FETCH", "", payload, ((12, ct), (6, 0)))
        add("FETCH", "", payload, ((12, ct), (6, 0), (15, "pmin=1"), (17, JSON)))
        add("FETCH", "", payload, ((12, ct), (6, 1)))
        add("FETCH", "", payload[:16], ((12, ct), (27, block(0, 1, 0))))
        add("FETCH", "", payload[16:], ((12, ct), (27, block(1, 0, 0))))
    for ct, payload in _CHANGES:
        add("iPATCH", "", payload, ((12, ct),))
        add("iPATCH", "", payload[:16], ((12, ct), (27, block(0, 1, 0)), (60, 50)))
        add("iPATCH", "", payload[16:], ((12, ct), (27, block(1, 0, 0))))
    add("PATCH", "3/0", b"\x80", ((12, SENML),))


def requests():
    """Valid requests of a server, as datagrams."""
    book = _Book()
    _reads(book.add)
    _writes(book.add)
    _others(book.add)
    return book.found


def bootstrap_requests():
    """Valid requests of a Bootstrap-Server, as datagrams."""
    from configurations_bootstrap import security, server

    book = _Book()
    add = book.add
    for path in ("", "0", "1", "2", "3"):
        add("GET", path, options=((17, LINK),))
        add("GET", path)
        add("DELETE", path)
    for iid, ssid in ((0, 1), (2, 2), (3, 7), (1, 1)):
        account = security(iid, b"coap://server%d" % ssid, ssid, key=b"0123456789abcdef")
        add("PUT", "0", account, ((12, TLV),))
        add("PUT", "0/%d" % iid, account[3 if len(account) < 256 else 4 :], ((12, TLV),))
        add("PUT", "1", server(iid, ssid, 60), ((12, TLV),))
        add("DELETE", "0/%d" % iid)
        add("DELETE", "1/%d" % iid)
    add("PUT", "1", server(0, 1, 60) + server(1, 2, 90), ((12, TLV),))
    add("PUT", "1/0/1", b"60", ((12, 0),))
    add("PUT", "33000/0", _RECORDS, ((12, TLV),))
    add("PUT", "33001/3", _RECORDS, ((12, TLV),))
    add("PUT", "2/0", b"\xc1\x00\x03\xc1\x01\x00\x86\x02\x41\x01\x0f\x41\x02\x01", ((12, TLV),))
    add("PUT", "1", b'[{"bn":"/1/0/","n":"0","v":1},{"n":"1","v":60},{"n":"7","vs":"U"}]', ((12, JSON),))
    for number in range(4):
        add("POST", "bs")
        add("PUT", "0", account[number * 16 :][:16], ((12, TLV), (27, block(number, number < 3, 0))))
    return book.found


def replies(mid, token):
    """Valid answers to a message of the client's."""
    return (
        build("ACK", "", mid),
        build("RST", "", mid),
        build("ACK", "2.04", mid, token),
        build("ACK", "2.01", mid, token, ((8, "rd"), (8, "zz"))),
        build("ACK", "2.31", mid, token, ((27, block(0, 1, 1)),)),
        build("ACK", "4.13", mid, token, ((27, block(0, 1, 0)), (60, 64))),
        build("ACK", "4.12", mid, token),
        build("ACK", "4.15", mid, token),
        build("CON", "5.03", mid ^ 1, token, ((14, 5),), b"busy"),
        build(
            "NON", "2.05", mid ^ 1, token, ((4, b"tag"), (12, 0), (23, block(0, 1, 0)), (28, 99)), b"0123456789abcdef"
        ),
        build(
            "ACK",
            "2.05",
            mid,
            token,
            ((12, SENML), (23, block(0, 0, 5))),
            b"\x81\xa3\x21\x63/1/\x00\x630/1\x02\x18\x3c",
        ),
        build("CON", "", mid),
    )
