"""The Bootstrap-Pack of LwM2M 1.2: all objects in one answer (OMA Core 1.2 section 6.1.6.2). Imported to ask for one.

An object that is in a pack is replaced as a whole, but for the account of the Bootstrap-Server and the Device.
"""

from coap.block import Collector, Download, szx_of
from coap.errors import BadRequest, CoapError, FormatError, dotted
from compat import const, print_exception
from lwm2m import bootstrap_requests, formats

_SENML_CBOR = const(112)
_CONTENT = const(0x45)
_CONTENT_FORMAT = const(12)


def ask(session, now):
    """GET /bspack; session.got_pack(error, now) is told the outcome."""
    client = session.client
    options = ((11, b"bspack"), (15, b"ep=" + client.endpoint.encode()), (17, _SENML_CBOR))
    Pack(session).ask(options, szx_of(client.config.BLOCK_SIZE), now)


class Pack:
    """One pack that is on its way."""

    def __init__(self, session):
        self._session = session
        self._sink = None

    def ask(self, options, szx, now):
        """Ask for the first block."""
        Download(self._session.exchange, options, szx, self._consume, self._on_end).send(now)

    def _consume(self, start, data):
        if start == 0:
            self._sink = Collector(self._session.client.config.MAX_BODY, None)
        try:
            self._sink.write(data)
        except CoapError as error:
            session = self._session
            session.got_pack("too big: %s" % error, session.client.clock())
            return False
        return True

    def _on_end(self, message, now):
        session = self._session
        if message is None:
            session.got_pack("", now)
            return
        if message.code == _CONTENT:
            session.got_pack(self._apply(message.options.uint(_CONTENT_FORMAT)), now)
        else:
            session.got_pack(dotted(message.code), now)

    def _apply(self, content_format):
        """Make true what the pack says; returns what is wrong with it, or None."""
        try:
            format = formats.get(_SENML_CBOR if content_format is None else content_format)
            if not hasattr(format, "decode_many"):
                return "unknown format"
            groups = {}
            for path, raw in format.decode_many(self._sink.body):
                if len(path) < 2:
                    raise BadRequest("a pack consists of instances")
                _put(groups.setdefault(path[0], {}).setdefault(path[1], {}), path, raw)
            if not groups:
                return "it is empty"
            client, session = self._session.client, self._session
            for oid in sorted(groups):
                bootstrap_requests.delete_all(client, session, oid)
                records = []
                for iid in sorted(groups[oid]):
                    found = groups[oid][iid]
                    records += [(iid, rid, found[rid]) for rid in found] or [(iid, None, None)]
                bootstrap_requests.write(client, session, (oid,), format, records)
            return None
        except (CoapError, FormatError) as error:
            return str(error) or dotted(getattr(error, "code", 0x80))
        except OSError as error:
            return "hardware: %s" % error
        except MemoryError:
            return "out of memory"
        except Exception as error:
            print_exception(error)
            return "unexpected"


def _put(resources, path, raw):
    """Add one record to {resource id: raw, or {resource instance id: raw}}."""
    if len(path) == 3 and raw is not None:
        resources[path[2]] = raw
    elif len(path) == 4 and raw is not None:
        resources.setdefault(path[2], {})[path[3]] = raw
    elif len(path) > 2:
        raise BadRequest("a value is missing")
