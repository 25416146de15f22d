"""Interface 3, device management and service enablement: a request becomes a response (OMA Core 1.1 section 6.3).

Checks come in one order, so that the codes are stable: path (4.00), closed objects (4.01), object and instance (4.04),
resource (4.04), operation (4.05), formats (4.15, 4.06), payload (4.00), the object's own veto.
"""

from coap.errors import BadOption, BadRequest, MethodNotAllowed, NotAcceptable
from compat import const
from lwm2m import formats
from lwm2m import path as paths

_GET = const(1)
_FETCH = const(5)
_IPATCH = const(7)
_READ = const(1)
_TEXT = const(0)
_LINK = const(40)
_OPAQUE = const(42)
_TLV = const(11542)


class Route:
    """What the options of a request ask for; kept with them, as a server asks the same again and again."""

    def __init__(self, options, paths):
        self.accept = options.uint(17)
        self.content_format = options.uint(12)
        self.observe = options.uint(6)
        self.block1 = options.uint(27)
        self.block2 = options.uint(23)
        try:
            self.queries = [query.decode() for query in options.all(15)]
        except UnicodeError:
            raise BadRequest("query is no UTF-8")
        self.path = paths.parse(options.all(11))  # () is the root, of which composite operations are asked
        self.version = -1  # of the tree, when obj, row and format were looked up
        self.obj = self.row = self.format = self.content = None


def route(options, gateway=None):
    """The Route of a request's options; raises BadOption or BadRequest, and what gateway.parse does."""
    found = options.route
    if found is None:
        if options.bad:
            raise BadOption("option %d" % options.bad)
        found = options.route = Route(options, gateway or paths)
    return found


def respond(client, registration, message, asked, payload, now):
    """Carry out one request of a server; returns (code, options, payload), or None if the answer comes later.

    Raises CoapError for an answer that is an error, FormatError for a payload that breaks its format.
    """
    code = message.code
    if code == _GET and asked.path:
        if asked.accept == _LINK:
            return _discover(client, registration, asked)
        if asked.observe is None:
            payload, _ = _content(client, registration, asked)
            return 0x45, asked.content, payload
        return _observe(client, registration, message.token, asked, now)
    if code in (_FETCH, _IPATCH):
        from lwm2m import composite

        room = composite
    elif not asked.path:
        raise BadRequest("path needs 1 to 4 ids")
    else:
        from lwm2m import writing

        room = writing
    answer: tuple | None = room.respond(client, registration, message, asked, payload, now)
    if client.accounts:
        client.accounts.flush()
    return answer


# -- Read and Discover --------------------------------------------------------------------------------------------


def _content(client, registration, asked):
    """(payload, value if it is one resource's) of what a Read asks for."""
    tree = client.tree
    if asked.version != tree.version:
        _look_up(client, registration, asked)
    path = asked.path
    if asked.row is None:
        return asked.format.encode(path, client.records(registration, path)), None
    record = tree.record(asked.obj, asked.row, path)
    return asked.format.encode(path, (record,)), record[3]


def _look_up(client, registration, asked):
    """Find the target and the format of a Read once for as long as the tree, and who may read it, stay the same."""
    path, tree = asked.path, client.tree
    asked.version = -1
    asked.row = None
    if len(path) == 1:
        tree.instances(path[0])
    else:
        client.permit(registration, tree.instance(path), _READ)
        if len(path) > 2:
            asked.obj, asked.row = tree.resource(path)
            if "R" not in asked.row[1]:
                raise MethodNotAllowed()
    accept = asked.accept
    if accept is None:
        accept = _TLV
        if asked.row and ("*" not in asked.row[1] or len(path) == 4):
            accept = _OPAQUE if asked.row[2] == "opaque" else _TEXT
    asked.format = formats.get(accept)
    if asked.format is None:
        raise NotAcceptable()
    asked.content = ((12, accept),)
    asked.version = tree.version


def _discover(client, registration, asked):
    from lwm2m.discover import discover

    links = discover(client.tree, asked.path, registration, asked.queries)
    return 0x45, ((12, _LINK),), links.encode()


def _observe(client, registration, token, asked, now):
    if asked.observe > 1:
        raise BadOption("Observe must be 0 or 1")
    if asked.observe == 1 and registration.reporting:
        registration.reporting.cancel(token)  # even if there is nothing to read any more
    payload, value = _content(client, registration, asked)
    if asked.observe == 1:
        return 0x45, asked.content, payload
    sequence = client.make_reporting(registration).start(token, asked, payload, value, now)
    if sequence is None:
        return 0x45, asked.content, payload
    return 0x45, ((6, sequence),) + asked.content, payload
