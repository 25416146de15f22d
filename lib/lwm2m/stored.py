"""Notifications that cannot be delivered now: kept if the server wishes so (/1/x/6). Imported by the first one."""

from coap.errors import CoapError


def undelivered(reporting, observation):
    """Nobody has acknowledged a notification: keep it, or have the current value told once the server is back. One that
    is not confirmable, and has not even left when the link broke, counts as never made."""
    registration = reporting.registration
    if observation.pending is None:
        for datagram in registration.outbox:
            if datagram[4 : 4 + (datagram[0] & 15)] == observation.token:
                observation.dirty = -1
                observation.sent = None
    elif registration.account.notification_storing and observation.found(registration).get("hqmax") != 0:
        reporting.stored.insert(0, (observation, observation.pending))  # older than what is there
        if len(reporting.stored) > reporting.client.config.STORED:
            reporting.stored.pop(0)
    else:
        observation.dirty = -1
        observation.sent = None
    observation.pending = None


def keep(reporting, observation, payload, is_now):
    """Add a payload to Reporting.stored. The newest are kept: at most Config.STORED in all, and hqmax of an observation
    where a server has set that (LwM2M 1.2).

    is_now says that the payload is the current value: it is stored with its time, if the format has a place for that.
    """
    client, registration, stored = reporting.client, reporting.registration, reporting.stored
    if is_now and client.unix_time_s and hasattr(observation.format, "encode_many"):
        try:
            payload = observation.render(registration, client.unix_time_s())[0]
        except (CoapError, OSError):
            pass  # a sensor that fails the second time: the value is kept, though without its time
    stored.append((observation, payload))
    most = observation.found(registration).get("hqmax")
    if most is not None:
        own = [entry for entry in stored if entry[0] is observation]
        if len(own) > most:
            stored.remove(own[0])
    if len(stored) > client.config.STORED:
        stored.pop(0)
