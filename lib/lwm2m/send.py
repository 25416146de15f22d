"""Send (OMA Core 1.1 section 6.4.6): the device tells values unasked, now, or a series of them. Imported by the first.

    client.send(["/3303/0/5700", "/3"])                      # to every server, as soon as that can hear it

    series = Series(client, "/3303/0/5700")
    series.add()                                             # the value of now and its time; as often as you like
    series.send(on_outcome=lambda ssid, outcome: print(ssid, outcome))

A server gets nothing while its /1/x/23 (Mute Send) is true or absent, if it speaks LwM2M 1.0, or before it has
registered the device; and only what it may read. What cannot be sent at once waits, at most Config.SENDS of them per
server; the oldest go first. `on_outcome(ssid, outcome)` hears "2.04", or why not: a code such as "4.04" of a server
without Send (it is not tried again), "dropped" for want of room or after three time-outs, "muted" while it waited.
"""

from coap.errors import CoapError, dotted
from coap.message import RST
from compat import const
from lwm2m import formats, log
from lwm2m.composite import items, path_list
from lwm2m.config import ConfigError
from lwm2m.formats.senml import path_of
from lwm2m.path import CLOSED

_POST = const(2)
_TRIES = const(3)  # time-outs of a server that still answers Updates
_PAUSE_ms = const(1000)  # while something else is under way


def send(client, paths, server=None, on_outcome=None, content_format=112):
    """Send the current values under paths such as "/3303/0/5700" or "/3", or a list of them, to every server or to that
    with the Short Server ID `server`; returns to how many. content_format is 112 (SenML CBOR) or 110 (SenML JSON).

    What is not there, or has no value, is left out. Raises ConfigError for a path that can never be sent, or no path.
    """
    if isinstance(paths, str):
        paths = (paths,)
    found = [(as_path(path), None) for path in paths]
    if not found:
        raise ConfigError("send: no paths")
    wanted = path_list(found)
    for path in wanted:
        _look(client, path)

    def content(registration, time_s):
        return items(client, registration, wanted, time_s)

    return _send(client, content, server, on_outcome, content_format)


def as_path(text):
    """The ids of a path such as "/3303/0/5700"; raises ConfigError if it is none, or of keys and accounts' secrets."""
    try:
        path = path_of(text)
    except CoapError as error:
        raise ConfigError("send: %s: %s" % (text, error))
    if path and path[0] in CLOSED:
        raise ConfigError("send: object %d is closed to all servers" % path[0])
    if path and path[0] < 0:
        raise ConfigError("send: %s: no such end device" % text)
    return path


def _look(client, path):
    """A path that leads nowhere may be a slip of the pen."""
    try:
        if len(path) > 2:
            client.tree.resource(path)
        elif len(path) > 1:
            client.tree.instance(path)
        elif path:
            client.tree.instances(path[0])
    except CoapError:
        log.warning("send: /%s is not there", "/".join([str(one) for one in path]))


def _send(client, content, server, on_outcome, content_format):
    """content(registration, time_s or None) makes the items for one server; returns how many get some."""
    format = formats.get(content_format) if content_format in (110, 112) else None
    if format is None:
        raise ConfigError("send: content_format must be 110 or 112")
    count = 0
    for registration in client.registrations:
        if server in (None, registration.account.ssid) and _listens(registration):
            later = registration.state != "REGISTERED" and client.unix_time_s
            found = content(registration, client.unix_time_s() if later else None)
            first = next(found, None)
            if first is None:
                continue
            if registration.sends is None:
                registration.sends = Sends(registration)
            payload = format.encode_many(_again(first, found))
            if len(payload) < 3:  # JSON left all of it out
                continue
            registration.sends.add(payload, format.CT, on_outcome)
            count += 1
    return count


def _again(first, rest):
    yield first
    yield from rest


def _listens(registration):
    """Whether a server may be sent anything."""
    if registration.location is None or registration.version == "1.0":
        return False
    if registration.account.mute_send is False:
        return True
    log.debug("server %d: has muted Send", registration.account.ssid)
    return False


class Series:
    """Values of one resource with their times, to be sent together; the newest `length` are kept."""

    def __init__(self, client, path, length=32):
        self._client = client
        self._path = as_path(path)
        if len(self._path) not in (3, 4):
            raise ConfigError("a series is one of a resource, not of %s" % path)
        self._length = length
        self._values = []  # (time in s, value), oldest first

    def __len__(self):
        return len(self._values)

    def add(self, value=None, time_s=None):
        """Remember a value, the current one unless told, at a time in s since 1970, now unless told. A resource without
        a value now is left out. Raises ConfigError if there is no clock yet, or no such resource."""
        client, path = self._client, self._path
        if time_s is None:
            if not client.unix_time_s:
                raise ConfigError("a series needs a clock, which the client has once it runs")
            time_s = client.unix_time_s()
        if value is None:
            obj, row = self._resource()
            try:
                value = client.tree.record(obj, row, path)[3]
            except (CoapError, OSError):
                return
            if len(path) == 4:
                value = value[path[3]]
            elif isinstance(value, dict):
                value = dict(value)
        self._values.append((int(time_s), value))
        if len(self._values) > self._length:
            self._values.pop(0)

    def send(self, server=None, on_outcome=None, content_format=112):
        """Send all of it and begin anew, if anybody listens; see client.send."""
        count = _send(self._client, self._content, server, on_outcome, content_format)
        if count:
            self._values = []
        return count

    def _resource(self):
        try:
            return self._client.tree.resource(self._path)
        except CoapError:
            raise ConfigError("a series of what is not there: /%s" % "/".join([str(one) for one in self._path]))

    def _content(self, registration, _):
        obj, row = self._resource()
        path = self._path
        try:
            self._client.permit(registration, obj, 1)
        except CoapError:
            return
        for time_s, value in self._values:
            yield path[:3], row[2], {path[3]: value} if len(path) == 4 else value, time_s


class _Waiting:
    def __init__(self, payload, ct, on_outcome):
        self.payload = payload
        self.ct = ct
        self.on_outcome = on_outcome
        self.tries = 0


class Sends:
    """What waits for one server."""

    def __init__(self, registration):
        self._registration = registration
        self._queue = []
        self._under_way = None

    def add(self, payload, ct, on_outcome):
        """Queue one; the oldest has to go if there is no room."""
        client = self._registration.client
        self._queue.append(_Waiting(payload, ct, on_outcome))
        waiting = [one for one in self._queue if one is not self._under_way]
        if len(waiting) > client.config.SENDS:
            self._end(waiting[0], "dropped")
        client.wake()

    def poll(self, now):
        """Send what can be sent; returns when to look again in ms, or None."""
        registration = self._registration
        exchange = registration.exchange
        if self._under_way and not exchange.busy and not exchange.waiting:
            self._under_way = None  # lost with the link, which took all that was under way with it
        if not self._queue or self._under_way:
            return None
        if registration.state == "ASLEEP" and not registration.update_wanted:
            registration.update_wanted = True
            registration.client.wake()
        if registration.state != "REGISTERED":
            return None
        if registration.account.mute_send is not False:
            for one in list(self._queue):
                self._end(one, "muted")
            return None
        if exchange.busy:  # an Update may have to go first: it tells of new instances
            return now + _PAUSE_ms
        self._transmit(self._queue[0], now)
        return None

    def _transmit(self, one, now):
        registration = self._registration
        client = registration.client
        request = registration.exchange.request
        if len(one.payload) > (registration.blocks or client.config).BLOCK_SIZE:
            request = client.make_blocks(registration).upload

        def on_answer(message, now):
            if message and message.code == 0x8D and client.make_blocks(registration).retry(message):
                self._under_way = None  # it is still the first in the queue
                client.wake()
            else:
                self._on_answer(one, message, now)

        request(_POST, ((11, b"dp"), (12, one.ct)), one.payload, on_answer, now)
        self._under_way = one
        client.wake()  # for its retransmission

    def _on_answer(self, one, message, now):
        self._under_way = None
        if message is None:
            one.tries += 1
            self._registration.silent(now)
            if one.tries == _TRIES:
                self._end(one, "dropped")
        elif message.type == RST:
            self._end(one, "RST")
        else:
            self._end(one, dotted(message.code))
        self._registration.client.wake()

    def _end(self, one, outcome):
        """Take one out of the queue, and say why."""
        ssid = self._registration.account.ssid
        if one in self._queue:
            self._queue.remove(one)
        if outcome[0] != "2":
            log.warning("server %d: Send: %s", ssid, outcome)
        if one.on_outcome:
            one.on_outcome(ssid, outcome)
