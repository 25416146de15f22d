"""Block-wise transfer (RFC 7959): bodies bigger than a datagram, in both directions. What they mean is not known here.

A body of theirs arrives in an Incoming (Block1), one of ours leaves from a Body (Block2); towards a server, Upload
sends a request of ours in blocks (Block1) and Download fetches something in blocks (Block2).
"""

from binascii import crc32

from coap.errors import BadRequest, RequestEntityIncomplete, RequestEntityTooLarge, ServiceUnavailable
from coap.message import RST
from compat import const

_ETAG = const(4)
_OBSERVE = const(6)
_BLOCK2 = const(23)
_BLOCK1 = const(27)
_SIZE2 = const(28)
_SIZE1 = const(60)
_SUCCESS = const(2)
_CLIENT_ERROR = const(4)
_CONTENT = const(0x45)
_INCOMPLETE = const(0x88)
_TOO_LARGE = const(0x8D)


def parse(value):
    """(num, more, szx) of a Block option; raises BadRequest for the reserved SZX 7 (RFC 7959 section 2.2)."""
    if value & 7 == 7:
        raise BadRequest("block size 7 is reserved")
    return value >> 4, bool(value & 8), value & 7


def pack(num, more, szx):
    """The value of a Block option."""
    return num << 4 | more << 3 | szx


def check_length(data, more, szx):
    """Raise BadRequest unless a block has the length that its Block option says (RFC 7959 section 2.2)."""
    size = 16 << szx
    if len(data) > size or (more and len(data) < size):
        raise BadRequest("length of block")


def szx_of(size):
    """The SZX of a block size in bytes (16 to 1024): size = 16 << SZX."""
    szx = 0
    while 16 << szx < size:
        szx += 1
    return szx


def insert(options, number, value):
    """A tuple of options, ascending, with one more in its place."""
    at = 0
    while at < len(options) and options[at][0] <= number:
        at += 1
    return tuple(options[:at]) + ((number, value),) + tuple(options[at:])


# -- what a peer sends and asks for --------------------------------------------------------------------------------


class Collector:
    """A sink that keeps a body in RAM. `size` is what the peer announces, or None; raises RequestEntityTooLarge."""

    def __init__(self, limit, size):
        self.body = bytearray()
        self._limit = limit
        self._check(size or 0)

    def _check(self, size):
        if size > self._limit:
            error = RequestEntityTooLarge("at most %d bytes" % self._limit)
            error.options = ((_SIZE1, self._limit),)
            raise error

    def write(self, data):
        """One more block; raises RequestEntityTooLarge."""
        self._check(len(self.body) + len(data))
        self.body += data

    def close(self):
        """The body is complete."""

    def abort(self):
        """The body will never be complete."""


class Incoming:
    """A body that arrives in blocks and goes to a sink: an object with write(data), close() and abort()."""

    def __init__(self, sink, content_format):
        self.sink = sink  # None at the end
        self.content_format = content_format
        self.touched = 0  # when the last block came, ms
        self.outcome = None  # the answer to the last block, or the exception that ended it
        self._start = self._end = 0  # of the last block

    def accept(self, num, szx, data):
        """Whether a block is the next one: False if it is the last one once more, whose answer is then the same too.
        Raises RequestEntityIncomplete if it is neither (RFC 7959 section 2.9.2)."""
        start = num << szx + 4
        end = start + len(data)
        if (start, end) == (self._start, self._end):
            return False
        if self.sink is None or start != self._end:
            raise RequestEntityIncomplete()
        self._start, self._end = start, end
        return True

    def abort(self):
        """Give up; the sink hears about it, unless its body was complete."""
        sink, self.sink = self.sink, None
        if sink:
            sink.abort()


class Body:
    """A payload that leaves in blocks; `options` are those of the whole response.

    The ETag is made of the bytes: when they are rendered again and are the same, so is the ETag.
    """

    def __init__(self, options, payload):
        self.options = options
        self.payload = payload
        self.etag = (crc32(payload) & 0xFFFFFFFF).to_bytes(4, "big")

    def block(self, num, szx):
        """(options, part) of one block; raises BadRequest beyond the end."""
        payload, options = self.payload, self.options
        size = 16 << szx
        start = num * size
        if num and start >= len(payload):
            raise BadRequest("no such block")
        if num:
            options = [option for option in options if option[0] != _OBSERVE]
        elif len(payload) > size:
            options = insert(options, _SIZE2, len(payload))
        if len(payload) > size:
            options = insert(options, _ETAG, self.etag)
        options = insert(options, _BLOCK2, pack(num, start + size < len(payload), szx))
        return options, payload[start : start + size]


# -- what we send and ask for --------------------------------------------------------------------------------------


class Upload:
    """A request of ours whose body leaves in blocks; on_answer(message, now) gets the answer to the whole of it, the
    error that ended it, the RST, or None after a time-out."""

    def __init__(self, exchange, code, options, body, szx, on_answer):
        self._exchange = exchange
        self._code = code
        self._options = options
        self._body = body
        self._szx = szx
        self._on_answer = on_answer
        self._start = 0
        self._restarted = False

    def send(self, now):
        """Send the next block; raises ServiceUnavailable when the exchange's queue is full."""
        size = 16 << self._szx
        end = self._start + size
        options = insert(self._options, _BLOCK1, pack(self._start // size, end < len(self._body), self._szx))
        if self._start == 0:
            options = insert(options, _SIZE1, len(self._body))
        self._exchange.request(self._code, options, self._body[self._start : end], self._on_reply, now)

    def _on_reply(self, message, now):
        if message and message.type != RST and self._goes_on(message):
            try:
                self.send(now)
                return
            except ServiceUnavailable:
                message = None
        self._on_answer(message, now)

    def _goes_on(self, message):
        """Move to the next block, or back to the first (RFC 7959 section 2.9); False if this is the answer."""
        given = message.options.uint(_BLOCK1)
        szx = self._szx if given is None else min(self._szx, given & 7)
        if message.code >> 5 == _SUCCESS:
            self._start += 16 << self._szx
        elif message.code == _TOO_LARGE and szx < self._szx:
            self._start = 0
        elif message.code == _INCOMPLETE and not self._restarted:
            self._start = 0
            self._restarted = True
        else:
            return False
        self._szx = szx
        return self._start < len(self._body)


class Download:
    """A GET of ours whose body comes in blocks, from block 0 or from where an earlier one stopped (start, etag).

    consume(start, data) takes them in order, and may return False to stop it all; start 0 once more means that the
    body has changed and begins anew. on_end(message, now) gets the response with the last block, the error that ended
    it, or None: a time-out, a RST, or nothing that makes sense. After None, send goes on at the same block.
    """

    def __init__(self, exchange, options, szx, consume, on_end, start=0, etag=None):
        self._exchange = exchange
        self._options = options
        self._szx = szx
        self._consume = consume
        self._on_end = on_end
        self.start = start
        self.etag = etag
        self.size = None  # of the whole body, as the other side announces it with its first block
        self._restarted = False

    def send(self, now):
        """Ask for the next block; raises ServiceUnavailable when the exchange's queue is full."""
        options = insert(self._options, _BLOCK2, pack(self.start >> self._szx + 4, False, self._szx))
        if self.start == 0:
            options = insert(options, _SIZE2, 0)
        self._exchange.request(1, options, b"", self._on_reply, now)

    def _on_reply(self, message, now):
        if message and message.type == RST:
            message = None
        try:
            if message and self._goes_on(message):
                self.send(now)
                return
        except (BadRequest, ServiceUnavailable):
            message = None
        if self._on_end:
            self._on_end(message, now)

    def _goes_on(self, message):
        """Whether there is another block to ask for. Raises BadRequest if the blocks make no sense."""
        if message.code == _CONTENT:
            return self._take(message)
        if message.code >> 5 == _CLIENT_ERROR and self.start and not self._restarted:
            self._restart()  # no such block: the body may have become shorter
            return True
        return False

    def _take(self, message):
        """Take one block, and move on to the next; returns whether there is one."""
        given = message.options.uint(_BLOCK2)
        num, more, szx = parse(given or 0)
        start = num << szx + 4
        etag = message.options.get(_ETAG)
        if start != self.start or (start and self.etag is not None and etag != self.etag):
            self._restart()
            return True
        if given is not None:  # else it is all there is
            check_length(message.payload, more, szx)
            self._szx = min(self._szx, szx)
        if start == 0:
            self.size = message.options.uint(_SIZE2)
        self.etag = etag
        if self._consume(start, message.payload) is False:
            self._on_end = None
            return False
        self.start = start + len(message.payload)
        return more

    def _restart(self):
        """Back to the first block, for once."""
        if self._restarted:
            raise BadRequest("the body changes all the time")
        self._restarted = True
        self.start = 0
