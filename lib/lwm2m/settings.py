"""config.json -> checked settings. Imported once, at start."""

import json

from compat import const
from lwm2m.config import ConfigError, parse_uri

_CREDENTIALS = const("psk_identity psk_key cert key ca server_cert sni")  # see lwm2m.credentials
_KNOWN = const("endpoint server bootstrap lifetime binding queue_mode lwm2m local_port log ntp wifi limits watchdog ")
_ACCOUNT = const("uri ssid lifetime binding bootstrap hold_off oscore ")
_LONGEST_NAME = const(252)  # so that "ep=" and it fit into one Uri-Query
_LEAST_WATCHDOG = const(10)  # s: a name that cannot be resolved may block for as long
_LEVELS = const(("info", "debug", "warning", "error"))


def load(path="config.json"):
    """The settings in a file, as a dict with every default filled in; raises ConfigError with one sentence."""
    try:
        with open(path) as file:
            settings = json.loads(file.read())
    except OSError:
        raise ConfigError('%s is missing: it must name at least the server, as in {"server": "coap://host"}' % path)
    except UnicodeError:
        raise ConfigError("%s is no text" % path)
    except (ValueError, RuntimeError):  # the latter is CPython's for brackets that lie too deep in each other
        raise ConfigError("%s is no valid JSON" % path)
    except MemoryError:
        raise ConfigError("%s is too long" % path)
    try:
        return check(settings, path)
    except ConfigError as error:
        raise ConfigError("%s: %s" % (path, error))


def check(settings, path=""):
    """Fill in the defaults of a file's settings dict; the files that it names are beside it. Raises ConfigError."""
    if not isinstance(settings, dict):
        raise ConfigError("it must be an object in braces")
    _only(settings, _KNOWN + _CREDENTIALS)
    checked = {
        "endpoint": _text(settings, "endpoint", None),
        "lwm2m": _one_of(settings, "lwm2m", ("1.1", "1.0", "1.2")),
        "queue_mode": _boolean(settings, "queue_mode"),
        "local_port": _number(settings, "local_port", 0, 65535),
        "log": _one_of(settings, "log", _LEVELS),
        "watchdog": _number(settings, "watchdog", 0, 600),
        "ntp": _text(settings, "ntp", None),
        "limits": settings.get("limits", {}),
    }
    if not isinstance(checked["limits"], dict):
        raise ConfigError("limits must be an object in braces")
    if 0 < checked["watchdog"] < _LEAST_WATCHDOG:
        raise ConfigError("watchdog must be a number of seconds from %d to 600, or 0 for none" % _LEAST_WATCHDOG)
    for name in checked["limits"]:
        if name == "self" or len(name) > 99:  # what Config(**limits) cannot take, and MicroPython no name that long
            raise ConfigError("limits: there is no bound called %s" % name[:99])
    if checked["endpoint"] and len(checked["endpoint"].encode()) > _LONGEST_NAME:
        raise ConfigError("endpoint must have at most %d bytes" % _LONGEST_NAME)
    checked["servers"], checked["bootstrap"] = _accounts(settings, path)
    return checked


def _accounts(settings, path):
    """([server], Bootstrap-Server or None)."""
    servers = settings.get("server")
    if not servers:
        raise ConfigError('server is missing, as in {"server": "coap://host"}')
    if not isinstance(servers, list):
        servers = [servers]
    accounts = []
    bootstrap = None
    for server in servers:
        account = _account(server, settings, len(accounts), path)
        if "ssid" not in account:
            if bootstrap:
                raise ConfigError("there can be only one bootstrap server")
            bootstrap = account
            continue
        if account["ssid"] in [other["ssid"] for other in accounts]:
            raise ConfigError("two servers have the ssid %d" % account["ssid"])
        accounts.append(account)
    unused = [name for name in settings if name in _CREDENTIALS.split()]
    if unused and not [1 for one in accounts + [bootstrap or {}] if "security" in one]:
        raise ConfigError("%s is of no use, as no server is coaps://" % unused[0])
    return accounts, bootstrap


def _account(server, settings, number, path):
    if isinstance(server, str):
        server = {"uri": server}
    if not isinstance(server, dict):
        raise ConfigError("server must be a URI, an object, or a list of these")
    _only(server, _ACCOUNT + _CREDENTIALS)
    merged = {"ssid": number + 1}
    for name, usual in (("lifetime", 86400), ("binding", None), ("bootstrap", False)):
        merged[name] = settings.get(name, usual)
    merged.update(server)
    uri = _text(merged, "uri", "")
    parse_uri(uri)
    letter = "T" if uri.startswith("coap+tcp://") else "U"
    if _boolean(merged, "bootstrap"):
        account = {"uri": uri, "hold_off": _number(merged, "hold_off", 0, 86400)}
    else:
        account = {
            "uri": uri,
            "ssid": _number(merged, "ssid", 1, 65534),
            "lifetime": _number(merged, "lifetime", 0, 0x7FFFFFFF),
            "binding": letter if merged["binding"] is None else _one_of(merged, "binding", (letter, letter + "Q")),
        }
    own = [name for name in server if name in _CREDENTIALS.split()]
    if own or "oscore" in server or uri.startswith("coaps"):
        from lwm2m import credentials

        credentials.give(account, server, server if own else settings, path)
    return account


def _only(settings, known):
    for name in settings:
        if name not in known.split():
            raise ConfigError("there is no setting called %s; there are %s" % (name, known.replace(" ", ", ")))


def _text(settings, name, default):
    value = settings.get(name, default)
    if value is not default and (not isinstance(value, str) or not value):
        raise ConfigError("%s must be a text" % name)
    return value


def _one_of(settings, name, choices):
    value = settings.get(name, choices[0])
    if value not in choices:
        raise ConfigError('%s must be one of "%s", not %s' % (name, '", "'.join(choices), json.dumps(value)))
    return value


def _boolean(settings, name):
    value = settings.get(name, False)
    if not isinstance(value, bool):
        raise ConfigError("%s must be true or false" % name)
    return value


def _number(settings, name, low, high):
    value = settings.get(name, low)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError("%s must be a number from %d to %d" % (name, low, high))
    return value
