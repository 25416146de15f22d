"""What OSCORE keys are of use, and those that config.json has. Imported at the start and at the end of a bootstrap."""

from binascii import unhexlify

from coap.oscore import AEAD, LONGEST_ID
from compat import const
from lwm2m.config import ConfigError
from lwm2m.objects.oscore import Oscore
from lwm2m.objects.security import Security

_OSCORE = const(21)
_HMAC = (5, -10)  # HMAC-SHA-256, in COSE's registry of algorithms; or HKDF with it, which comes to the same
_SHORTEST_SECRET = const(16)  # bytes that a person may choose: those of the key that is made of it
_LONGEST = const(255)
_NAMES = const("sender_id recipient_id secret salt id_context")


def configure(account, settings, folder):
    """Give an account of config.json (lwm2m.settings) the keys that its "oscore" says, a dict of hex digits; raises
    ConfigError. The numbers of its messages are kept in that folder."""
    if not isinstance(settings, dict):
        raise ConfigError("oscore must be an object in braces with %s" % _NAMES.replace(" ", ", "))
    keys = Oscore()
    keys.folder = folder
    for name in settings:
        if name not in _NAMES.split():
            raise ConfigError("oscore: there is no %s; there are %s" % (name, _NAMES.replace(" ", ", ")))
        setattr(keys, name, _unhex(name, settings[name]))
    found = problem(keys)
    if not found and len(keys.secret or b"") < _SHORTEST_SECRET:
        found = "secret must have at least %d bytes" % _SHORTEST_SECRET
    if not found and account["uri"].startswith("coap+tcp://"):
        found = "it is there over UDP and DTLS, not over TCP"
    if found:
        raise ConfigError("oscore: " + found)
    security = account.get("security") or Security(account["uri"], account.get("ssid"))
    security.oscore = keys  # pyright: ignore[reportAttributeAccessIssue] - until lwm2m.oscore makes it a link
    account["security"] = security
    account["oscore"] = " ".join([str(settings.get(name)) for name in _NAMES.split()])  # see lwm2m.accounts.mark


def _unhex(name, text):
    try:
        return unhexlify(text)
    except (TypeError, ValueError):
        raise ConfigError("oscore: %s must be hex digits, two for each byte" % name)


def problem(keys):
    """What makes an instance of object 21 useless, as a sentence, or None."""
    for name in ("sender_id", "recipient_id", "secret"):
        if getattr(keys, name) is None:
            return name + " is missing"
    for name in ("sender_id", "recipient_id"):
        if len(getattr(keys, name)) > LONGEST_ID:
            return "%s must have at most %d bytes" % (name, LONGEST_ID)
    if keys.sender_id == keys.recipient_id:
        return "sender_id and recipient_id must differ"
    if not keys.secret:
        return "secret is empty"
    if len(keys.id_context or b"") > _LONGEST - 16:
        return "id_context is too long"
    if keys.aead not in (None, AEAD):
        return "AEAD algorithm %d is not there: use AES-CCM-16-64-128 (%d)" % (keys.aead, AEAD)
    if keys.hmac not in (None,) + _HMAC:
        return "HMAC algorithm %d is not there: use HMAC-SHA-256 (%d)" % (keys.hmac, _HMAC[0])
    return None


def link_problem(client, security):
    """What is wrong with the link of a Security instance to object 21, as a sentence, or None."""
    oid, iid = security.oscore
    keys = client.tree.objects.get(_OSCORE, {}).get(iid)
    if oid != _OSCORE or keys is None:
        return "OSCORE: there is no /%d/%d" % (oid, iid)
    others = [one for one in client.tree.objects[0].values() if one.oscore == security.oscore]
    if len(others) > 1:
        return "OSCORE: /21/%d belongs to another account as well" % iid
    if security.uri.startswith("coap+tcp:"):
        return "OSCORE is there over UDP and DTLS, not over TCP"
    found = problem(keys)
    return found and "/21/%d: %s" % (iid, found)
