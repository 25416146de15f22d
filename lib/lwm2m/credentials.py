"""How a server and this device prove to each other who they are: the Security instance (/0/x) of an account.

Imported at the start where config.json has credentials, and when a Bootstrap-Server has written an account.
"""

from binascii import unhexlify

from compat import const
from lwm2m.config import ConfigError
from lwm2m.objects.security import Security

PSK, CERTIFICATE, NO_SEC = 0, 2, 3  # modes (/0/x/2)
TRUST_ANCHOR, DOMAIN_ISSUED = 2, 3  # certificate usages (/0/x/15) that work without a store of root certificates

_NAMES = const("psk_identity psk_key cert key ca server_cert sni")
_FILES = (("cert", "identity"), ("key", "secret_key"), ("server_cert", "server_key"), ("ca", "server_key"))
_LONGEST_IDENTITY = const(128)  # bytes (OMA TRANS 1.1 section 5.2.8.1)
_LONGEST_KEY = const(64)
_HASH_LENGTH = const(32)


def give(account, server, settings, path):
    """Put a Security instance, if it needs one, into an account {"uri", "ssid"} of lwm2m.settings. server is what
    config.json at `path` says of it, settings where its credentials are; raises ConfigError."""
    folder = path[: path.rfind("/") + 1]
    found = {name: _text(settings, name) for name in _NAMES.split() if name in settings}
    if found or account["uri"].startswith("coaps:"):
        account["security"] = make(account, found, folder)
    if "oscore" in server:
        from lwm2m import oscore_keys

        oscore_keys.configure(account, server["oscore"], folder)


def make(account, settings, folder=""):
    """The Security instance of an account {"uri", "ssid"} as config.json has its credentials; raises ConfigError.

    psk_identity and psk_key (hex) are a pre-shared key. Files in DER: server_cert, the server's own certificate, or ca,
    which signed it; cert and key are this device's, if it has to show one. sni is the server's name, if not that of the
    URI.
    """
    security = Security(account["uri"], account.get("ssid"), NO_SEC)
    if "psk_identity" in settings or "psk_key" in settings:
        security.mode = PSK
        security.identity = settings.get("psk_identity", "").encode()
        security.secret_key = _unhex("psk_key", settings.get("psk_key", ""))
    for name, attribute in _FILES:
        if name in settings:
            if security.mode == PSK or getattr(security, attribute):
                raise ConfigError("there must be a pre-shared key, a server_cert or a ca, and only one of them")
            setattr(security, attribute, _file(folder + settings[name], name))
    if security.server_key or (security.identity and security.mode != PSK):
        security.mode = CERTIFICATE
    if "ca" in settings:
        security.certificate_usage = TRUST_ANCHOR  # pyright: ignore[reportAttributeAccessIssue] - a number, or None
    security.sni = settings.get("sni")
    found = problem(security)
    if found:
        raise ConfigError("%s: %s" % (account["uri"], found))
    return security


def problem(security):
    """What makes the credentials of a Security instance useless, as a sentence, or None."""
    mode, is_secure = security.mode, (security.uri or "").startswith("coaps://")
    if mode is None:
        return "mode is missing"
    if mode == NO_SEC:
        return "coaps:// needs a pre-shared key or certificates" if is_secure else None
    if not is_secure:
        return "credentials need a coaps:// URI"
    if mode == PSK:
        if not 0 < len(security.identity or b"") <= _LONGEST_IDENTITY:
            return "the identity of a pre-shared key must have 1 to %d bytes" % _LONGEST_IDENTITY
        if not 0 < len(security.secret_key or b"") <= _LONGEST_KEY:
            return "a pre-shared key must have 1 to %d bytes" % _LONGEST_KEY
        return None
    if mode != CERTIFICATE:
        return "mode %d is not there: MicroPython's TLS has no raw public keys (1) and no EST (4); use 0 or 2" % mode
    return _problem_of_certificates(security)


def _problem_of_certificates(security):
    usage = DOMAIN_ISSUED if security.certificate_usage is None else security.certificate_usage
    matching = security.matching_type or 0
    if bool(security.identity) != bool(security.secret_key):
        return "a certificate and its private key come together"
    if not security.server_key:
        return "the server's certificate, or that of who signed it, is missing"
    if usage < TRUST_ANCHOR:
        return "certificate usage %d needs a store of root certificates, which is not there: use 2 or 3" % usage
    if matching > 1:
        return "matching type %d is not there: use 0, the certificate, or 1, its SHA-256" % matching
    if matching and usage == TRUST_ANCHOR:
        return "a trust anchor must be there as a whole: use matching type 0"
    if matching and len(security.server_key) != _HASH_LENGTH:
        return "a SHA-256 has %d bytes" % _HASH_LENGTH
    return None


def _text(settings, name):
    if not isinstance(settings[name], str):
        raise ConfigError("%s must be a text" % name)
    return settings[name]


def _unhex(name, text):
    try:
        return unhexlify(text)
    except ValueError:
        raise ConfigError("%s must be hex digits, two for each byte" % name)


def _file(path, name):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        raise ConfigError("%s: there is no file of that name" % name)  # unless it was meant to be the key itself
