"""Observe-Composite (OMA Core 1.1 section 6.4.4): several paths under one token. Imported by the first one.

Each path keeps its own attributes. Once those of any of them call for a notification, all are told. A path may lead
nowhere for a while: what comes and goes there is a change.
"""

from binascii import crc32

from lwm2m import attributes
from lwm2m.composite import items
from lwm2m.registration import earlier
from lwm2m.reporting import Observation


class CompositeObservation(Observation):
    """One token with its paths. `sent` is a list with what is compared of each: the value itself if it is a number or a
    bool, else a tuple with its checksum, () if there is nothing."""

    def __init__(self, token, paths, format, own, key):
        super().__init__(token, (), format, None)
        self.key = key  # what Blocks knows the rest of a long notification by
        self._paths = paths
        self._own = own or {}  # parameters of this Observe (LwM2M 1.2)
        self._evaluated_at = [0] * len(paths)

    def mark(self, obj, name):
        """See Observation: a bit in `dirty` for each path."""
        for number, path in enumerate(self._paths):
            if path[:2] == (obj.OID, obj.iid)[: len(path)] and _is_of(path, obj, name):
                self.dirty |= 1 << number

    def ends_with(self, obj):
        """See Observation: never."""
        return False

    def found(self, registration):
        """See Observation; "members" has the attributes of each path, the others are what concerns all."""
        members = []
        for path in self._paths:
            own = attributes.effective(registration.attributes, path, registration.account)
            own.update(self._own)
            members.append(own)
        found: dict = {"members": members}
        for name in ("con", "hqmax"):
            values = [own[name] for own in members if name in own]
            if values:
                found[name] = max(values)
        return found

    def next_look(self, found):
        """See Observation: the earliest that any path asks for."""
        due = None
        for number, own in enumerate(found["members"]):
            is_dirty = self.dirty >> number & 1
            due = earlier(due, attributes.next_look(is_dirty, self.sent_at, self._looked_at(number), own))
        return due

    def _looked_at(self, number):
        return max(self._evaluated_at[number], self.sent_at)

    def render(self, registration, *time_s):
        """See Observation."""
        values = [()] * len(self._paths)
        return self.format.encode_many(self._items(registration, values, time_s)), values

    def _items(self, registration, values, time_s):
        for number, path in enumerate(self._paths):
            for item in items(registration.client, registration, (path,), *time_s):
                values[number] = _compared(path, item, values[number])
                yield item

    def calls(self, found, value, dirty, now):
        """See Observation."""
        calls, late = False, 0
        for number, own in enumerate(found["members"]):
            is_dirty = dirty >> number & 1
            looked_ms, since_ms = now - self._looked_at(number), now - self.sent_at
            if looked_ms < own.get("epmin", 0) * 1000:
                late |= is_dirty << number
                continue
            overdue = attributes.is_overdue(own, since_ms)
            if not overdue and not is_dirty and not ("epmax" in own and looked_ms >= own["epmax"] * 1000):
                continue
            self._evaluated_at[number] = now
            if overdue or self._has_changed(number, own, value[number]):
                if since_ms >= own.get("pmin", 0) * 1000:
                    calls = True
                else:
                    late |= 1 << number
        if not calls:  # else all is told now
            self.dirty |= late
        return calls

    def _has_changed(self, number, own, value):
        sent = self.sent and self.sent[number]
        plain = not isinstance(sent, tuple) and not isinstance(value, tuple)
        changed = attributes.has_changed(own, plain, sent, value)
        if not changed and "edge" in own:
            self.sent[number] = value
        return changed


def _is_of(path, obj, name):
    """Whether a value of an instance lies under a path; no name is all of them."""
    if len(path) < 3 or name is None:
        return True
    row = obj.row(path[2])
    return row is not None and row[3] == name


def _compared(path, item, before):
    """What is compared of a path after one more item of it."""
    value = item[2]
    if len(path) == 4:
        value = value[path[3]]
    if isinstance(value, dict):
        value = sorted(value.items())
    elif len(path) > 2 and item[1] in attributes.PLAIN:
        return value if value == value else ()  # JSON leaves NaN out
    return (crc32(repr((item[0], value)).encode(), before[0] if before else 0),)
