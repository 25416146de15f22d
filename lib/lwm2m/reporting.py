"""Interface 4, information reporting: Observe, Notify, Cancel (OMA Core 1.1 section 6.4, RFC 7641).

One Reporting per server. An observed value is looked at when it changed or when a timer says so:

    postponed while  now - last evaluation < epmin
    sent if          pmax has passed since the last notification (and pmax >= pmin)
    sent if          the change matters (attributes.has_changed) and pmin has passed; else looked at again then

A notification is non-confirmable, but each n-th one and at least one in a day is confirmable: it proves that the
observer is alive and holds the way through a NAT open. While a server is away they are stored, the newest kept, if its
/1/x/6 says so; else it gets the current value when it is back.
"""

from coap.errors import CoapError, ServiceUnavailable
from coap.message import RST
from compat import const, print_exception
from lwm2m import attributes, log

_DAY_ms = const(86400000)


class Observation:
    """One observed path of one server: what was sent last and when."""

    def __init__(self, token, path, format, row):
        self.token = token
        self.path = path
        self.format = format
        self.row = row  # None for a path above the resource
        self.numeric = bool(row) and row[2] in attributes.NUMERIC and ("*" not in row[1] or len(path) == 4)
        self.sequence = 0  # Observe option, 24 bit
        self.sent = None  # what is compared: the number, else the payload
        self.sent_at = self.evaluated_at = self.confirmed_at = 0
        self.dirty = False  # changed since the last evaluation
        self.pending = None  # payload of a confirmable notification that waits for its ACK

    def compared(self, payload, value):
        """What tells one notification from the next: the number itself if it is one."""
        if not self.numeric:
            return payload
        return value[self.path[3]] if len(self.path) == 4 else value


class Reporting:
    """The observations of one server."""

    def __init__(self, registration):
        self.registration = registration
        self.client = registration.client
        self.observations = []
        self._stored = []  # (observation, payload) while the server is away, oldest first
        self._due = None

    # -- Observe and Cancel ---------------------------------------------------------------------------------------

    def observe(self, token, path, format, row, payload, value, now):
        """Start to observe, or replace what the same token observed; returns the Observe option's value, or None if
        there is no room: the answer is then a plain Read (RFC 7641 section 4.1)."""
        sequence = self.cancel(token)
        if len(self.observations) >= self.client.config.OBSERVATIONS:
            log.warning("server %d: no room for one more observation", self.registration.account.ssid)
            return None
        observation = Observation(token, path, format, row)
        observation.sequence = sequence
        observation.confirmed_at = now
        self._sent(observation, observation.compared(payload, value), now)
        self.observations.append(observation)
        self._due = now
        self.client.wake()
        return observation.sequence

    def cancel(self, token):
        """Forget what `token` observes, if anything; returns the number that an observation under the same token has
        to go on with, lest its notifications look old to the observer (RFC 7641 section 3.4)."""
        for observation in self.observations:
            if observation.token == token:
                self._remove(observation)
                return observation.sequence + 1 & 0xFFFFFF
        return 0

    def _remove(self, observation):
        if observation in self.observations:
            self.observations.remove(observation)
        observation.pending = None
        self._stored = [entry for entry in self._stored if entry[0] is not observation]

    def clear(self):
        """A new registration voids all observations."""
        self.observations = []
        self._stored = []

    # -- what happened --------------------------------------------------------------------------------------------

    def value_changed(self, obj, name):
        """Mark whatever observes this value."""
        for observation in self.observations:
            path = observation.path
            if path[0] == obj.OID and (len(path) == 1 or path[1] == obj.iid):
                if observation.row is None or observation.row[3] == name:
                    observation.dirty = True
                    self._due = 0

    def instance_removed(self, obj, now):
        """4.04 ends the observations below a deleted instance (RFC 7641 section 4.2); those above see a change."""
        for observation in list(self.observations):
            path = observation.path
            if path[0] == obj.OID:
                if len(path) == 1:
                    observation.dirty = True
                    self._due = 0
                elif path[1] == obj.iid:
                    self._fail(observation, 0x84, now)

    def attributes_changed(self):
        """Timers run anew from the last notification."""
        self._due = 0

    def went_offline(self):
        """The link is gone, and with it the notifications that waited for their ACK."""
        for observation in self.observations:
            self._undelivered(observation)

    def _undelivered(self, observation):
        if observation.pending is None:
            return
        if self.registration.account.notification_storing:
            self._store(observation, observation.pending)
        else:
            observation.dirty = True
            observation.sent = None
        observation.pending = None

    def back_online(self, now):
        """Send what was stored, in order."""
        stored, self._stored = self._stored, []
        for observation, payload in stored:
            self._transmit(observation, payload, now)
        self._due = now

    # -- time -----------------------------------------------------------------------------------------------------

    def poll(self, now):
        """Send the notifications that are due; returns the time of the next look in ms, or None."""
        if self._due is None or self._due > now:
            return self._due
        self._due = None
        try:
            for observation in list(self.observations):
                due = self._look(observation, now)
                if due is not None and (self._due is None or due < self._due):
                    self._due = due
        except Exception:
            self._due = now + 1000  # it is the runner's to tell, but the timers must not stop
            raise
        return self._due

    def _look(self, observation, now):
        """Evaluate one observation if it is time; returns when to look again, or None."""
        if observation.pending is not None:
            return None
        found = attributes.effective(self.registration.attributes, observation.path, self.registration.account)
        due = self._next_look(observation, found)
        if due is None or due > now:
            return due
        try:
            if not self._evaluate(observation, found, now):
                return None
        except MemoryError:
            observation.dirty = True  # nothing was sent: once the runner has made room, look again
            raise
        due = self._next_look(observation, found)
        return None if due is None else max(due, now + 1)

    def _next_look(self, observation, found):
        """When an observation must be looked at: a change after epmin and pmin, else after pmax or epmax."""
        times = []
        pmin, pmax = found.get("pmin", 0), found.get("pmax", 0)
        if observation.dirty:
            times.append(observation.sent_at + pmin * 1000)
        if pmax and pmax >= pmin:
            times.append(observation.sent_at + pmax * 1000)
        if "epmax" in found:
            times.append(observation.evaluated_at + found["epmax"] * 1000)
        return max(min(times), observation.evaluated_at + found.get("epmin", 0) * 1000) if times else None

    def _evaluate(self, observation, found, now):
        """Send or store the current value if the algorithm above says so; returns whether the observation lives on."""
        registration = self.registration
        online = registration.online
        if not online and not registration.account.notification_storing:
            observation.dirty = True
            return False
        observation.dirty = False  # before the value is read: an interrupt may change it again meanwhile
        try:
            payload, value = self._render(observation)
        except (ServiceUnavailable, OSError):
            observation.evaluated_at = observation.sent_at = now
            return True
        except CoapError as error:
            self._fail(observation, error.code, now)
            return False
        except MemoryError:
            raise
        except Exception as error:
            print_exception(error)
            self._fail(observation, CoapError.code, now)
            return False
        observation.evaluated_at = now
        pmin, pmax = found.get("pmin", 0), found.get("pmax", 0)
        overdue = pmax and pmax >= pmin and now - observation.sent_at >= pmax * 1000
        if overdue or attributes.has_changed(found, observation.numeric, observation.sent, value):
            if now - observation.sent_at < pmin * 1000:
                observation.dirty = True
                return True
            if online:
                self._transmit(observation, payload, now)
            else:
                self._store(observation, payload)
            self._sent(observation, value, now)
        return True

    def _render(self, observation):
        """(payload, what is compared) of the current value."""
        path, tree = observation.path, self.client.tree
        if observation.row is None:
            payload = observation.format.encode(path, tree.records(path))
            return payload, payload
        record = tree.record(tree.instance(path), observation.row, path)
        payload = observation.format.encode(path, (record,))
        return payload, observation.compared(payload, record[3])

    def _sent(self, observation, value, now):
        observation.sent = value
        observation.sent_at = observation.evaluated_at = now

    # -- on the way -----------------------------------------------------------------------------------------------

    def _store(self, observation, payload):
        self._stored.append((observation, payload))
        if len(self._stored) > self.client.config.STORED:
            self._stored.pop(0)

    def _transmit(self, observation, payload, now):
        config = self.client.config
        observation.sequence = observation.sequence + 1 & 0xFFFFFF
        confirmable = observation.sequence % config.CON_EVERY == 0 if config.CON_EVERY else False
        confirmable = confirmable or now - observation.confirmed_at >= _DAY_ms
        confirmable = confirmable and not self.registration.exchange.full
        options, part = self.client.content(self.registration, observation, payload, now)

        def on_reply(message, now):
            self._on_reply(observation, message, now)

        self.registration.exchange.respond(observation.token, 0x45, options, part, now, on_reply, confirmable)
        if confirmable:
            observation.pending = payload
            observation.confirmed_at = now
            self.client.wake()  # for its retransmission

    def _on_reply(self, observation, message, now):
        """ACK, RST or, after the last retransmission, nothing."""
        self._due = now
        self.client.wake()
        if message is None:
            self._undelivered(observation)
            self.registration.silent(now)
            return
        observation.pending = None
        if message.type == RST:
            log.info("server %d: cancelled an observation by reset", self.registration.account.ssid)
            self._remove(observation)

    def _fail(self, observation, code, now):
        """An error notification ends the observation (RFC 7641 section 4.2)."""
        self._remove(observation)
        if self.registration.holds:
            self.registration.exchange.respond(observation.token, code, (), b"", now, None, False)
