"""Interface 4, information reporting: Observe, Notify, Cancel (OMA Core 1.1 section 6.4, RFC 7641).

One Reporting per server. An observed value is looked at when it changed or when a timer says so:

    postponed while  now - last evaluation < epmin
    sent if          pmax has passed since the last notification (and pmax >= pmin)
    sent if          the change matters (attributes.has_changed) and pmin has passed; else looked at again then

A notification is non-confirmable, but each n-th one and at least one in a day is confirmable: it proves that the
observer is alive and holds the way through a NAT open. While a server is away they are stored, the newest kept, if its
/1/x/6 says so; else it gets the current value when it is back.
"""

from coap.errors import CoapError, ServiceUnavailable, Unauthorized
from coap.message import RST
from compat import const, print_exception
from lwm2m import attributes, log

_DAY_ms = const(86400000)


class Observation:
    """One observed path of one server: what was sent last and when. What the methods do for several paths at a time is
    in lwm2m.composite_observation."""

    szx = 6  # of the largest block that the observer wants (RFC 7959 section 3.4)
    own: dict | None = None  # path -> {name: value}: of this Observe alone (LwM2M 1.2), in place of what is set

    def __init__(self, token, path, format, row):
        self.token = token
        self.path = path
        self.format = format
        self.row = row  # None for a path above the resource
        self.plain = bool(row) and row[2] in attributes.PLAIN and ("*" not in row[1] or len(path) == 4)
        self.sequence = 0  # Observe option, 24 bit
        self.sent = None  # what is compared: the number or bool, else the payload
        self.sent_at = self.evaluated_at = self.confirmed_at = 0
        self.dirty = 0  # changed since the last evaluation: a bit for each path, -1 for all
        self.pending = None  # payload of a confirmable notification that waits for its ACK

    def compared(self, payload, value):
        """What tells one notification from the next: the value itself if it is a number or a bool."""
        if not self.plain:
            return payload
        return value[self.path[3]] if len(self.path) == 4 else value

    def mark(self, obj, name):
        """Be dirty if this observes a value, or whatever comes or goes with an instance (then name is None)."""
        path = self.path
        if path[0] == obj.OID and (len(path) == 1 or path[1] == obj.iid):
            if self.row is None or self.row[3] == name:
                self.dirty = 1

    def ends_with(self, obj):
        """Whether this cannot outlive an instance."""
        return self.path[:2] == (obj.OID, obj.iid)

    def found(self, registration):
        """The attributes that hold for this."""
        return attributes.effective(self.own or registration.attributes, self.path, registration.account)

    def next_look(self, found):
        """When this must be looked at, ms, or None."""
        return attributes.next_look(self.dirty, self.sent_at, self.evaluated_at, found)

    def render(self, registration, *time_s):
        """(payload, what is compared) of the current value; raises what a Read does."""
        path, client = self.path, registration.client
        if self.row is None:
            payload = self.format.encode(path, client.records(registration, path), *time_s)
            return payload, payload
        obj = client.tree.instance(path)
        client.permit(registration, obj, 1)
        record = client.tree.record(obj, self.row, path)
        payload = self.format.encode(path, (record,), *time_s)
        return payload, self.compared(payload, record[3])

    def calls(self, found, value, dirty, now):
        """Whether a value calls for a notification now; if it has to wait for pmin, this is dirty again."""
        since_ms = now - self.sent_at
        if attributes.is_overdue(found, since_ms) or attributes.has_changed(found, self.plain, self.sent, value):
            if since_ms >= found.get("pmin", 0) * 1000:
                return True
            self.dirty = 1
        elif "edge" in found:
            self.sent = value  # the way back is no news, but the next edge is one
        return False


class Reporting:
    """The observations of one server."""

    def __init__(self, registration):
        self.registration = registration
        self.client = registration.client
        self.observations = []
        self.stored = []  # (observation, payload) while the server is away, oldest first
        self._due = None

    # -- Observe and Cancel ---------------------------------------------------------------------------------------

    def start(self, token, asked, payload, value, now):
        """Start to observe a path; returns and raises what observe does, and BadRequest for bad parameters."""
        observation = Observation(token, asked.path, asked.format, asked.row)
        if asked.block2 is not None:
            observation.szx = asked.block2 & 7
        if asked.queries:
            from lwm2m import write_attributes

            observation.own = write_attributes.parameters(self.registration, asked)
        return self.observe(observation, observation.compared(payload, value), now)

    def observe(self, observation, value, now):
        """Start to observe, or replace what the same token observed; returns the Observe option's value, or None if
        there is no room: the answer is then a plain Read (RFC 7641 section 4.1). value is what is compared."""
        sequence = self.cancel(observation.token)
        if len(self.observations) >= self.client.config.OBSERVATIONS:
            log.warning("server %d: no room for one more observation", self.registration.account.ssid)
            return None
        observation.sequence = sequence
        observation.confirmed_at = now
        self._sent(observation, value, now)
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
        self.stored = [entry for entry in self.stored if entry[0] is not observation]
        self._due = 0  # others may have waited for its ACK

    def clear(self):
        """A new registration voids all observations."""
        self.observations = []
        self.stored = []

    # -- what happened --------------------------------------------------------------------------------------------

    def value_changed(self, obj, name):
        """Mark whatever observes this value."""
        for observation in self.observations:
            observation.mark(obj, name)
            if observation.dirty:
                self._due = 0

    def instance_removed(self, obj, now):
        """4.04 ends the observations below a deleted instance (RFC 7641 section 4.2); those above see a change."""
        for observation in list(self.observations):
            if observation.ends_with(obj):
                self._fail(observation, 0x84, now)

    def rights_changed(self):
        """What may be read is another thing now: look at all of it once."""
        for observation in self.observations:
            observation.dirty = -1
        self._due = 0

    def attributes_changed(self):
        """Timers run anew from the last notification."""
        self._due = 0

    def went_offline(self):
        """The link is gone, and with it the notifications that waited for their ACK, or that have not even left."""
        self._due = 0  # what changed in sleep is to be stored now
        for observation in self.observations:
            self._undelivered(observation)

    def _undelivered(self, observation):
        if observation.pending is not None or self.registration.outbox:
            from lwm2m import stored

            stored.undelivered(self, observation)

    def back_online(self, now):
        """What was stored has its turn now."""
        self._due = now

    def _send_stored(self, now):
        while self.stored and self.stored[0][0].pending is None:  # else the rest waits for that ACK, to keep the order
            observation, payload = self.stored.pop(0)
            self._transmit(observation, payload, now, observation.found(self.registration).get("con"))

    # -- time -----------------------------------------------------------------------------------------------------

    def poll(self, now):
        """Send the notifications that are due; returns the time of the next look in ms, or None."""
        if self._due is None or self._due > now:
            return self._due
        self._due = None
        try:
            if self.stored and self.registration.online:
                self._send_stored(now)
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
        if observation.pending is not None or (self.stored and self.registration.online):
            return None
        found = observation.found(self.registration)
        due = observation.next_look(found)
        if due is None or due > now:
            return due
        try:
            if not self._evaluate(observation, found, now):
                return None
        except MemoryError:
            observation.dirty = -1  # nothing was sent: once the runner has made room, look again
            raise
        due = observation.next_look(found)
        return None if due is None else max(due, now + 1)

    def _evaluate(self, observation, found, now):
        """Send or store the current value if the algorithm above says so; returns whether the observation lives on."""
        registration = self.registration
        online = registration.online
        asleep = registration.state == "ASLEEP"
        stores = registration.account.notification_storing
        if not online and not asleep and (not stores or (registration.state == "UPDATING" and found.get("hqmax") == 0)):
            observation.dirty = -1
            return False
        dirty = observation.dirty
        observation.dirty = 0  # before the value is read: an interrupt may change it again meanwhile
        try:
            payload, value = observation.render(registration)
        except (ServiceUnavailable, Unauthorized, OSError):
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
        if observation.calls(found, value, dirty, now):
            if asleep:  # an Update first: the server must hear that we listen
                observation.dirty |= dirty or -1
                registration.update_wanted = True
                self.client.wake()
                return False
            if online:
                self._transmit(observation, payload, now, found.get("con"))
            else:
                from lwm2m import stored

                stored.keep(self, observation, payload, True)
            self._sent(observation, value, now)
        return True

    def _sent(self, observation, value, now):
        observation.sent = value
        observation.sent_at = observation.evaluated_at = now

    # -- on the way -----------------------------------------------------------------------------------------------

    def _transmit(self, observation, payload, now, confirmable=None):
        config = self.client.config
        observation.sequence = observation.sequence + 1 & 0xFFFFFF
        if config.CON_EVERY and observation.sequence % config.CON_EVERY == 0:
            confirmable = True
        confirmable = confirmable or now - observation.confirmed_at >= _DAY_ms
        confirmable = confirmable and not self.registration.exchange.full
        options, part = ((6, observation.sequence), (12, observation.format.CT)), payload
        if len(payload) > min(config.BLOCK_SIZE, 16 << observation.szx):
            options, part = self.client.make_blocks(self.registration).notification(observation, options, payload, now)

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
            self.registration.update_wanted = True  # it may have restarted, and know nothing of us at all

    def _fail(self, observation, code, now):
        """An error notification ends the observation (RFC 7641 section 4.2)."""
        self._remove(observation)
        if self.registration.holds:
            self.registration.exchange.respond(observation.token, code, (), b"", now, None, False)
