"""Block-wise transfer towards one server (RFC 7959): what is too big for a datagram, whatever it is.

A write that comes in blocks is collected in RAM, up to MAX_BODY, and then carried out as if it had come at once. A big
opaque one need not be: where an object has a method `stream_<attribute>(size)`, it is called at the first block with
the announced size or None, and returns a sink, an object with write(data) for each block as it comes, close() at the
end, and abort() if the end never comes. They may raise a CoapError, or OSError when the hardware does not obey.

Blocks belong together by method, path and query; a token may change from block to block, and with Leshan it does.
"""

from binascii import crc32

from coap import block
from coap.errors import (
    BadRequest,
    MethodNotAllowed,
    RequestEntityIncomplete,
    ServiceUnavailable,
    UnsupportedContentFormat,
)
from compat import const, print_exception
from lwm2m import formats, management

_GET = const(1)
_POST = const(2)
_PUT = const(3)
_FETCH = const(5)
_IPATCH = const(7)
_CONTINUE = const(0x5F)
_CHANGED = const(0x44)
_CONTENT = const(0x45)
_CONTENT_FORMAT = const(12)
_BLOCK1 = const(27)
_SIZE1 = const(60)
_OPAQUE = const(42)


class Blocks:
    """The transfers of one server."""

    def __init__(self, registration):
        self.registration = registration
        self.client = registration.client
        self.config = registration.client.config
        self.BLOCK_SIZE = self.config.BLOCK_SIZE  # of requests of ours: less than configured, if the server wishes so
        self._szx = block.szx_of(self.config.BLOCK_SIZE)
        self._transfers = {}  # what arrives: (method, path, queries) -> Incoming
        self._body = None  # what leaves: the last one that was bigger than a block, for those who ask for its rest,
        self._key = None  # under the same kind of key,
        self._used = 0  # and when they did, ms

    def reset(self):
        """The registration is void, and with it all transfers."""
        for key in list(self._transfers):
            self._abandon(key)
        self._body = self._key = None

    def poll(self, now):
        """Drop what came to a halt; returns the time of the next such deadline in ms, or None."""
        due = None
        for key in list(self._transfers):
            ends = self._transfers[key].touched + self.config.exchange_lifetime_ms()
            if ends <= now:
                self._abandon(key)
            elif due is None or ends < due:
                due = ends
        if self._body:
            ends = self._used + self.config.max_transmit_wait_ms()
            if ends <= now:
                self._body = self._key = None
            elif due is None or ends < due:
                due = ends
        return due

    def respond(self, message, asked, now):
        """Answer a request with Block1 or Block2, as management.respond does one without; raises the same."""
        num = block.parse(asked.block2 or 0)[0]
        if asked.block1 is None and num:
            return self._later(message, asked, now)
        if asked.block1 is None:
            answer = self._answer(message, asked, message.payload, now)
        else:
            answer = self._receive(message, asked, now)
        return answer and self.first(message, asked, answer, now)

    def _answer(self, message, asked, payload, now):
        return management.respond(self.client, self.registration, message, asked, payload, now)

    # -- a body that arrives: Block1 ------------------------------------------------------------------------------

    def _receive(self, message, asked, now):
        """Take one block of a body, and answer it."""
        num, more, szx = block.parse(asked.block1)
        block.check_length(message.payload, more, szx)
        key = _key(message, asked)
        if num == 0:
            self._abandon(key)
            if not more:
                return _echo(self._answer(message, asked, message.payload, now), asked)
            self._make_room(now)
            self._transfers[key] = block.Incoming(self._sink(message, asked), asked.content_format)
            self.client.wake()
        transfer = self._transfers.get(key)
        if transfer is None or transfer.content_format != asked.content_format:
            raise RequestEntityIncomplete()
        transfer.touched = now
        if transfer.accept(num, szx, message.payload):
            self._pass_on(transfer, message, asked, more, now)
        if isinstance(transfer.outcome, Exception):
            raise transfer.outcome
        if more:
            return _CONTINUE, ((_BLOCK1, block.pack(num, True, min(szx, self._szx))),), b""
        return transfer.outcome

    def _pass_on(self, transfer, message, asked, more, now):
        """Give a block to its sink. Whatever goes wrong ends the transfer, and answers its repeats too."""
        sink = transfer.sink
        try:
            sink.write(message.payload)
            if more:
                return
            if isinstance(sink, block.Collector):
                answer = self._answer(message, asked, sink.body, now)
            else:
                sink.close()
                answer = _CHANGED, (), b""
            transfer.outcome = _echo(answer, asked)
            transfer.sink = None
        except Exception as error:
            transfer.outcome = error
            transfer.abort()

    def _make_room(self, now):
        """Forget a transfer that is over or whose sender must have given up; raises ServiceUnavailable if none is."""
        if len(self._transfers) < self.config.BLOCK_TRANSFERS:
            return
        for key in list(self._transfers):
            transfer = self._transfers[key]
            if transfer.sink is None or now - transfer.touched > self.config.max_transmit_wait_ms():
                self._abandon(key)
                return
        raise ServiceUnavailable("too many block-wise transfers")

    def _abandon(self, key):
        transfer = self._transfers.pop(key, None)
        try:
            if transfer:
                transfer.abort()
        except Exception as error:  # there is nobody to answer
            print_exception(error)

    def _sink(self, message, asked):
        """Where a body goes. What can be refused without knowing all of it is refused here, at its first block."""
        obj, row = self._target(message.code, asked.path)
        if asked.content_format is not None and formats.get(asked.content_format) is None:
            raise UnsupportedContentFormat()
        size = message.options.uint(_SIZE1)
        if row and len(asked.path) == 3 and row[2] == "opaque" and asked.content_format == _OPAQUE:
            stream = getattr(obj, "stream_" + row[3], None)
            if stream:
                return stream(size)
        return block.Collector(self.config.MAX_BODY, size)

    def _target(self, code, path):
        """(instance, row) that a Write addresses, (None, None) for a Create or an Execute; raises what they raise."""
        from lwm2m import writing

        tree = self.client.tree
        if code in (_FETCH, _IPATCH):
            return None, None
        if not path:
            raise BadRequest("path needs 1 to 4 ids")
        if code == _PUT or (code == _POST and len(path) == 2):
            return writing.writable(self.client, self.registration, path)
        if code == _POST and len(path) == 1:
            tree.instances(path[0])
            if path[0] in tree.creators:
                return None, None
        elif code == _POST and "E" in tree.resource(path)[1][1]:
            return None, None
        raise MethodNotAllowed()

    # -- a body that leaves: Block2 -------------------------------------------------------------------------------

    def first(self, message, asked, answer, now):
        """The first block of an answer to a request, or all of it if it fits."""
        code, options, payload = answer
        szx = self._szx if asked.block2 is None else min(asked.block2 & 7, self._szx)
        fits = len(payload) <= 16 << szx
        if fits and (asked.block2 is None or not payload):
            return answer
        body = block.Body(options, payload)
        if not fits:
            self._keep(body, _key(message, asked), now)
        return (code,) + body.block(0, szx)

    def _keep(self, body, key, now):
        self._body, self._key, self._used = body, key, now
        self.client.wake()

    def _later(self, message, asked, now):
        """Any other block, of what was kept or else of a new rendering; its ETag tells whether that is the same."""
        num, _, szx = block.parse(asked.block2)
        if szx > self._szx:
            num, szx = num << szx - self._szx, self._szx
        if not self._is_kept(message, asked):
            if message.code != _GET and (message.code != _FETCH or not message.payload):
                raise RequestEntityIncomplete()
            asked.observe = None  # only block 0 can register (RFC 7959 section 2.6)
            answer = self._answer(message, asked, message.payload, now)
            _, options, payload = answer  # pyright: ignore[reportGeneralTypeIssues] - a read is answered at once
            self._keep(block.Body(options, payload), _key(message, asked), now)
        self._used = now
        return (_CONTENT,) + self._body.block(num, szx)

    def _is_kept(self, message, asked):
        """Whether this asks for more of what is kept. A FETCH says again what it wants (RFC 8132 section 2.4), but not
        after a long list, which came in blocks itself."""
        key = _key(message, asked)
        if message.code == _FETCH and self._key and not message.payload:
            key = key[:3] + self._key[3:]
        return key == self._key and asked.accept in (None, _format(self._body))

    def notification(self, observation, options, payload, now):
        """(options, first block) of a notification; the observer asks for the rest as it asked at first, but without
        Observe."""
        key = getattr(observation, "key", None) or (_GET, observation.path, ())
        self._keep(block.Body(options, payload), key, now)
        return self._body.block(0, min(self._szx, observation.szx))

    # -- a request of ours ----------------------------------------------------------------------------------------

    def retry(self, message):
        """Whether a 4.13 asks for smaller blocks (RFC 7959 section 2.9.3); requests of ours have such from now on."""
        szx = message.options.uint(_BLOCK1)
        if szx is None or 16 << (szx & 7) >= self.BLOCK_SIZE:
            return False
        self.BLOCK_SIZE = 16 << (szx & 7)
        return True

    def upload(self, code, options, payload, on_answer, now):
        """Exchange.request for a payload that is bigger than a block; on_answer(message, now) gets the last answer,
        or None. Raises ServiceUnavailable when the queue is full."""
        szx = block.szx_of(self.BLOCK_SIZE)
        block.Upload(self.registration.exchange, code, options, payload, szx, on_answer).send(now)


def _key(message, asked):
    """What the blocks of one transfer have in common; never the token, which may change."""
    key = message.code, asked.path, tuple(asked.queries)
    if message.code == _FETCH and asked.block1 is None:
        key += (crc32(message.payload),)
    return key


def _echo(answer, asked):
    """The answer to a whole body, with the Block1 option of its last block."""
    return answer and (answer[0], block.insert(answer[1], _BLOCK1, asked.block1), answer[2])


def _format(body):
    """The Content-Format of a body."""
    for number, value in body.options:
        if number == _CONTENT_FORMAT:
            return value
    return None
