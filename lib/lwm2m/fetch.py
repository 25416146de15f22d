"""A download from any CoAP server, block by block (RFC 7959): what a Package URI leads to.

A Fetch is a session of the client, as a Registration is, with a link, an Exchange and a state of its own:

STOPPED     Before the start, after the end, and when the client stops.
CONNECTING  The link is being opened; the server's name is resolved anew each time.
FETCHING    Block after block is asked for.
WAITING     The link broke, or an answer did not come or made no sense; at growing distances, with jitter, the download
            goes on at the block where it was, or from the beginning if the ETag is another one.

Each block that comes gives it _ATTEMPTS new attempts. A body may change once; it may be as long as its sink has room.
"""

from coap.block import Download, szx_of
from coap.errors import dotted
from coap.exchange import Exchange
from compat import const, print_exception
from lwm2m import log
from lwm2m.config import ConfigError, parse_uri
from lwm2m.sink import ConnectionLost, InvalidUri, PackageError

_URI_HOST = const(3)
_URI_PATH = const(11)
_MAX_AGE = const(14)
_URI_QUERY = const(15)
_CONTENT = const(0x45)
_INCOMPLETE = const(0x88)
_TOO_MANY_REQUESTS = const(0x9D)
_ATTEMPTS = const(6)


class Fetch:
    """One download of `uri` into `sink`, as lwm2m.sink describes it; begin, write and nothing else is called here.

    on_end(error) is told once how it ended: None, a PackageError, or what the sink raised. start and etag are where an
    earlier download stopped. Raises InvalidUri.
    """

    security = None

    def __init__(self, client, uri, sink, on_end, start=0, etag=None):
        self.uri, options = split(uri)
        self.link = "closed"
        self.state = "STOPPED"
        self.outbox = []
        self.exchange = Exchange(client.config, self.outbox.append, _silence, client.randbelow)
        szx = szx_of(client.config.BLOCK_SIZE)
        self.download = Download(self.exchange, options, szx, self._consume, self._on_answer, start, etag)
        self._client = client
        self._sink = sink
        self._on_end = on_end
        self._attempt = 0
        self._due = None  # of the next attempt, ms

    def start(self, now):
        """Begin, or go on after a stop."""
        if self.state == "STOPPED":
            self._connect()

    def stop(self, now):
        """Say no more; on_end is not called."""
        self._enter("STOPPED", "closed")
        self.exchange.reset()

    def link_up(self, now, event=None):
        """The transport is ready for datagrams."""
        self._enter("FETCHING", "open")
        self.download.send(now)
        self._client.wake()

    def link_down(self, reason, now, event=None):
        """The transport cannot be opened, or broke."""
        self._back_off(reason, None, now)

    def poll(self, now):
        """Run what is due; returns the time of the next deadline in ms, or None."""
        due = self.exchange.poll(now)
        if self._due is None:
            return due
        if self._due <= now:
            self._connect()
        return self._due

    def _connect(self):
        self._enter("CONNECTING", "opening")

    def _enter(self, state, link):
        """The only place that changes the state."""
        if state != self.state:
            log.info("%s: %s -> %s", self.uri, self.state, state)
        self.state = state
        self.link = link
        self._due = None

    def _consume(self, start, data):
        """Pass a block on; whatever its sink finds wrong with it ends the download."""
        self._attempt = 0
        try:
            if start == 0:
                self._sink.begin(self.download.size)
            self._sink.write(data)
        except Exception as error:
            self._end(error)
            return False

    def _on_answer(self, message, now):
        """What ended a series of blocks: the last one, an error, or silence."""
        if message is None:
            self._back_off("no answer", None, now)
        elif message.code == _CONTENT:
            size = self.download.size
            complete = size in (None, self.download.start)
            self._end(None if complete else ConnectionLost("%d bytes of %d" % (self.download.start, size)))
        elif message.code >> 5 == 4 and message.code not in (_INCOMPLETE, _TOO_MANY_REQUESTS):
            self._end(InvalidUri(dotted(message.code)))
        else:
            self._back_off(dotted(message.code), message.options.uint(_MAX_AGE), now)

    def _back_off(self, reason, max_age_s, now):
        """Wait for the next attempt, unless this was the last one."""
        self.exchange.reset()
        self._attempt += 1
        if self._attempt >= _ATTEMPTS:
            self._end(ConnectionLost(reason))
            return
        config = self._client.config
        delay_s = min(config.RETRY_FIRST_s << self._attempt - 1, config.RETRY_MAX_s)
        if max_age_s:
            delay_s = min(max_age_s, 86400)
        self._enter("WAITING", "closed")
        self._due = now + delay_s * 1000 + self._client.randbelow(delay_s * 250 + 1)
        log.warning("%s: %s after %d bytes, goes on in %d s", self.uri, reason, self.download.start, delay_s)
        self._client.wake()

    def _end(self, error):
        self.stop(None)
        self._client.close_session(self)
        if error and not isinstance(error, (PackageError, OSError, MemoryError)):
            print_exception(error)  # a mistake in a sink
        self._on_end(error)


def _silence(message, now):
    """No server may ask anything over this link."""
    return False


# -- URIs (RFC 7252 section 6.4) -----------------------------------------------------------------------------------


def split(uri):
    """("coap://host:port", options) of a URI with path and query; raises InvalidUri."""
    scheme, found, rest = uri.partition("://")
    if scheme.lower() != "coap":  # a session over TCP is something else
        raise InvalidUri("not coap://")
    for char in uri:
        if not "!" <= char <= "~" or char in '"#<>\\^`{|}':
            raise InvalidUri("no character of a URI: %r" % char)
    rest, _, query = rest.partition("?")
    authority, _, path = rest.partition("/")
    base = scheme.lower() + "://" + authority
    try:
        if not found or "@" in authority:
            raise InvalidUri("not like coap://host/path")
        host = parse_uri(base)[0]
    except ConfigError:
        raise InvalidUri("no host, or no port")
    options = []
    if authority[:1] != "[" and host.strip("0123456789."):
        options.append((_URI_HOST, _decoded(host.lower())))
    options += [(_URI_PATH, _decoded(part)) for part in path.split("/") if path]
    options += [(_URI_QUERY, _decoded(part)) for part in query.split("&") if query]
    return base, tuple(options)


def _decoded(text):
    """The bytes of a part of a URI without its percent-encoding."""
    parts = text.split("%")
    out = parts[0].encode()
    for part in parts[1:]:
        if len(part) < 2 or not _is_hex(part[:2]):
            raise InvalidUri("a % without two digits")
        out += bytes((int(part[:2], 16),)) + part[2:].encode()
    return out


def _is_hex(text):
    return not text.lower().strip("0123456789abcdef")
