"""Everything that reads bytes which others have written, as targets for fuzzing.

TARGETS is {name: (check, seeds)}: check(data) raises nothing for any bytes, whatever they say; what it calls may raise
only what its docstring promises, and what it accepts must be fit for use. seeds are valid bytes. The formats are in
parsers_formats.py, what is read from the flash in parsers_stored.py.
"""

from coap.block import Body, Download, Upload, pack, parse
from coap.errors import BadRequest, CoapError, FormatError
from coap.exchange import Exchange, Parameters
from coap.message import decode, encode
from coap.tcp import Exchange as TcpExchange
from coap.tcp import csm, frame, frame_length
from lwm2m import path as paths
from lwm2m import write_attributes
from lwm2m.config import ConfigError, parse_uri
from lwm2m.executing import arguments
from lwm2m.fetch import split
from lwm2m.sink import InvalidUri
from packet import Packet, build
from zoo import replies, requests

LEGAL = tuple(requests()[::5]) + replies(0x1234, b"\x11\x22")


# -- CoAP --------------------------------------------------------------------------------------------------------------


def message(data):
    """Accepted is what the tests' own codec accepts, with the same parts; and it can be written again."""
    try:
        found = decode(data)
    except FormatError:
        assert _packet(data) is None or _overflows(data), "refused, but legal"
        return
    packet = _packet(data)
    assert packet, "accepted, but not legal"
    parts = (packet.mid, packet.token, packet.payload)
    assert (found.mid, bytes(found.token), bytes(found.payload)) == parts, "other parts than %r" % packet
    options = [(number, bytes(value)) for number, value in found.options.pairs]
    rest = list(packet.options)  # elective ones that mean nothing are left out
    for pair in options:
        assert pair in rest, "another option than %r" % packet
        del rest[: rest.index(pair) + 1]
    again = decode(encode(found.type, found.code, found.mid, found.token, options, found.payload))
    assert [(number, bytes(value)) for number, value in again.options.pairs] == options
    memo = {}
    for _ in range(2):
        same = decode(data, None, memo)
        assert (same.options.bad, bytes(same.payload)) == (found.options.bad, bytes(found.payload))


def _packet(data):
    try:
        return Packet(data)
    except (AssertionError, IndexError):
        return None


def _overflows(data):
    """Whether an option has a number above 65535, which Packet does not mind."""
    return bool([1 for number, _ in Packet(data).options if number > 65535])


def frames(data):
    """What arrives over TCP is answered by whole frames, refused in one sentence, or ends the connection."""
    sent = []
    exchange = TcpExchange(Parameters(), sent.append, lambda message, now: (0x45, ((12, 0),), b"x"), lambda limit: 0)
    exchange.request(1, (), b"", lambda message, now: None, 0)
    end = 0
    try:
        while True:
            length = frame_length(data, end)
            if length is None or end + length > len(data):
                break
            assert length > 1
            end += length
        problem = exchange.receive(data[:end], 0)
    except (FormatError, OSError):
        return
    assert problem is None or sent[-1][1] == 0xE5 or sent[-1][0] & 0xF0 > 0xC0, "refused without Abort"
    for one in sent:
        assert frame_length(one) == len(one)


def _answers(data):
    """[(code, block, etag, payload)] of what a server may answer, from any bytes."""
    found = []
    for at in range(0, len(data) - 3, 4):
        code = (0x45, 0x5F, 0x44, 0x80, 0x84, 0x88, 0x8D, 0xA3)[data[at] & 7]
        block = data[at + 1] | (data[at] >> 3 & 3) << 8
        etag = b"e" if data[at] & 32 else None
        found.append((code, block if data[at] & 64 else None, etag, bytes([data[at + 2]]) * (data[at + 3] * 5)))
    return found


class _Serving:
    """Answers what an exchange asks with what it is given, until there is no more of it, and then never again."""

    def __init__(self, answers):
        self.answers = answers
        self.sent = []
        self.exchange = Exchange(Parameters(), self.sent.append, lambda message, now: False, lambda limit: 0)

    def run(self, number):
        """Deliver; `number` is that of the Block option. The time-out of the last request ends it all."""
        now = 0
        for code, value, etag, payload in self.answers:
            asked = Packet(self.sent[-1])
            options = [(4, etag)] if etag else []
            if value is not None:
                options.append((number, value))
            self.exchange.receive(build("ACK", code, asked.mid, asked.token, options, payload), now)
        while now is not None and len(self.sent) < 500:
            now = self.exchange.poll(now)


def download(data):
    """Blocks come in order, or begin anew; it ends once, or stops when it is told to."""
    serving, got, ended = _Serving(_answers(data)), [0], []

    def consume(start, part):
        assert start in (0, got[0]), "block at %d after %d bytes" % (start, got[0])
        got[0] = start + len(part)
        return got[0] < 9000

    Download(serving.exchange, ((11, b"f"),), 2, consume, lambda message, now: ended.append(message)).send(0)
    serving.run(23)
    assert len(ended) == 1 or (got[0] >= 9000 and not ended), "ended %d times" % len(ended)


def upload(data):
    """What leaves is the body, block by block; there is one end."""
    serving, ended = _Serving(_answers(data)), []
    body = bytes(range(200))
    Upload(serving.exchange, 2, ((11, b"f"),), body, 2, lambda message, now: ended.append(message)).send(0)
    serving.run(27)
    for datagram in serving.sent:
        num, _, szx = Packet(datagram).block1
        start = num << szx + 4
        assert Packet(datagram).payload == body[start : start + (16 << szx)]
    assert len(ended) == 1, "ended %d times" % len(ended)


def blocks(data):
    """Any Block option of any body: a part of it that has that length, or BadRequest."""
    value = int.from_bytes(data[:3], "big")
    body = bytes(data[3:])
    try:
        num, more, szx = parse(value)
        options, part = Body(((12, 0),), body).block(num, szx)
    except BadRequest:
        return
    assert pack(num, more, szx) == value
    assert part == body[num << szx + 4 :][: 16 << szx]
    assert [number for number, _ in options] == sorted([number for number, _ in options])


# -- what stands in requests -------------------------------------------------------------------------------------------


def path(data):
    """Up to four ids."""
    try:
        found = paths.parse(bytes(data).split(b"/"))
    except BadRequest:
        return
    assert len(found) < 5 and all(0 <= number < 65535 for number in found)
    assert "/".join([str(number) for number in found]).encode() == data


def queries(data):
    """Attributes that contradict nothing; the first byte says of what."""
    if not data:
        return
    type = ("int", "float", "str", "bool", None)[data[0] % 5]
    try:
        text = [bytes(query).decode() for query in bytes(data[1:]).split(b"&")]
        found = write_attributes.parse(text, type, ("1.1", "1.2")[data[0] >> 7])
        found = {name: found[name] for name in found if found[name] is not None}
        write_attributes._check(found)
    except (CoapError, UnicodeError):
        return
    for name in found:
        value = found[name]
        assert value == value and isinstance(value, float if name in ("gt", "lt", "st") else int), (name, value)
        assert name in ("gt", "lt") or value >= 0


def execute(data):
    """Ten arguments at most."""
    try:
        found = arguments(data)
    except BadRequest:
        return
    assert len(found) < 11 and all(0 <= number <= 9 for number in found)
    for value in found.values():
        assert value is None or not [char for char in value if not " " <= char <= "~" or char in "\"'\\"]


def uri(data):
    """Of a server, and of a package."""
    try:
        text = bytes(data).decode()
    except UnicodeError:
        return
    try:
        host, port = parse_uri(text)
        assert host and 0 < port < 65536 and "/" not in host
    except ConfigError:
        pass
    try:
        base, options = split(text)
    except InvalidUri:
        return
    parse_uri(base)
    encode(0, 1, 0, b"", options)


TARGETS = {
    "message": (message, LEGAL),
    "tcp": (frames, (csm(), csm() + frame(1, b"t", ((11, b"3"),), b""), frame(0x45, b"\0\1", (), b"x" * 300))),
    "download": (download, (b"\x48\x0a\x61\x07\x48\x1a\x62\x07\x48\x22\x63\x01", b"\x40\x0d\x61\x33\x40\x15\x61\x02")),
    "upload": (upload, (b"\x41\x0a\0\0\x41\x1a\0\0\x41\x2a\0\0\x42\x32\0\0", b"\x46\x09\0\0\x41\x09\0\0\x45\x19\0\0")),
    "block": (blocks, (b"\0\0\x0a" + b"x" * 99, b"\0\0\x10" + b"y" * 40)),
    "path": (path, (b"3/0/13", b"33000/0/9/7", b"0", b"65534/65534/65534/65534")),
    "query": (queries, (b"\x00pmin=1&pmax=9&gt=2.5&st=0.5", b"\x81epmin=1&epmax=4&con=1&hqmax=3", b"\x83edge=1&pmin")),
    "execute": (execute, (b"0", b"0='on',1", b"9='http://x/',3,1=''")),
    "uri": (uri, (b"coap://[::1]:5683", b"coap+tcp://host", b"coap://files.example:5700/fw/a%20b.bin?v=2&x=%25")),
}
