"""OSCORE (RFC 8613) for the accounts that have it: the Exchange of such an account, and the numbers of its messages.

No number may come twice under one key, and a power cut may come at any moment. So numbers are reserved in the store, 64
at a time, before the first of them is used; after a restart it goes on with the next 64. They outlive the account, for
a later one may have the same key. Which numbers of the server were there is not stored: after a restart its first
request is answered by an Echo (RFC 8613 appendix B.1). A server that does not know Echo, or has lost its own numbers,
gets a new context (appendix B.2, coap.oscore_renewal), which needs nothing stored.

Imported when there is such an account.
"""

import gc

from coap import oscore_exchange
from coap.oscore import Context
from compat import const, forget
from lwm2m import log
from lwm2m.config import ConfigError

_OSCORE = const(21)
_STEP = const(64)  # a write to the flash for so many messages, and so many numbers lost by a restart
_NAME = const("oscore")  # in the store
_FINGERPRINT = const(8)  # bytes: the key is not stored once more
_RECORD = const(13)  # a fingerprint, and the first number that is not reserved
_LAST = const((1 << 40) - 1)  # RFC 8613 section 7.2.1
_GC_THRESHOLD = const(32768)  # bytes: a message leaves 5 KB of garbage, which must not scatter what stays
_RECORDS = const(16)  # keys whose numbers are kept, those reserved last


def exchange(client, security):
    """What makes the Exchange of an account, to be called as coap.exchange.Exchange is. Raises ConfigError if
    there are no keys."""
    context = _context(client, keys(client, security))
    if hasattr(gc, "threshold"):
        gc.threshold(_GC_THRESHOLD)  # pyright: ignore[reportAttributeAccessIssue] - MicroPython's own
    return lambda *arguments: oscore_exchange.Exchange(context, *arguments)


def keys(client, security):
    """The instance of object 21 that a Security instance links to; one from config.json is added first. Raises
    ConfigError."""
    found = security.oscore
    if not isinstance(found, tuple):
        security.oscore = None
        client.add(found)
        security.oscore = (_OSCORE, found.iid)
        forget("lwm2m", "oscore_keys")
        if client.store is None:
            from lwm2m.store import FileStore

            client.store = FileStore(found.folder)
        return found
    found = client.tree.objects.get(_OSCORE, {}).get(security.oscore[1])
    if found is None:
        raise ConfigError("there is no /21/%d" % security.oscore[1])
    return found


def _context(client, found):
    """The Context of an instance of object 21; the same as before, with all that it has heard, if the keys are."""
    made_of = found.secret, found.salt or b"", found.sender_id, found.recipient_id, found.id_context
    if found.context is None or found.context[0] != made_of:
        numbers = Numbers(client)
        context = Context(*made_of, numbers.reserve)
        numbers.fingerprint = context.fingerprint()
        if numbers.known():
            context.challenge = b"".join([client.randbelow(1 << 16).to_bytes(2, "big") for _ in range(4)])
        found.context = made_of, context
    return found.context[1]


class Numbers:
    """The numbers of the messages under one key."""

    fingerprint = b""

    def __init__(self, client):
        self._client = client
        self._failed = False

    def known(self):
        """Whether any were ever used. Where nothing can be known, they were."""
        store = self._client.store
        try:
            return store is None or self._find(store.load(_NAME) or b"")[1] is not None
        except OSError:
            return True

    def reserve(self):
        """(first, end) of numbers that are never given out again; raises OSError if that cannot be stored."""
        store = self._client.store
        try:
            if store is None:
                raise OSError("there is no store")
            others, first = self._find(store.load(_NAME) or b"")
            first = first or 0
            end = min(first + _STEP, _LAST)
            if first == end:
                raise OSError("they are used up, the account needs another key")
            store.save(_NAME, others[-_RECORD * (_RECORDS - 1) :] + self.fingerprint + end.to_bytes(5, "big"))
        except OSError as error:
            if not self._failed:
                log.error("OSCORE: nothing can be sent, as no number for it can be kept: %s", error)
            self._failed = True
            raise
        self._failed = False
        return first, end

    def _find(self, records):
        """(the records of other keys, the first number of this one that is not reserved, or None)."""
        for at in range(0, len(records), _RECORD):
            if records[at : at + _FINGERPRINT] == self.fingerprint:
                number = int.from_bytes(records[at + _FINGERPRINT : at + _RECORD], "big")
                return records[:at] + records[at + _RECORD :], number
        return records, None
