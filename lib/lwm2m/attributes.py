"""Notification attributes (OMA Core 1.1 sections 5.1.2 and 6.4): parse, inherit, decide.

Each server has its own, in a dict path -> {name: value}; pmin, pmax, epmin and epmax are seconds.
"""

from coap.errors import BadRequest
from compat import const

_PERIODS = const(("pmin", "pmax", "epmin", "epmax"))
_THRESHOLDS = const(("gt", "lt", "st"))
NUMERIC = ("int", "uint", "float", "time")


def parse(queries, numeric):
    """The Uri-Query options of a Write-Attributes -> {name: value, or None to remove it}; raises BadRequest."""
    parsed = {}
    for query in queries:
        name, _, text = query.partition("=")
        if name in parsed:
            raise BadRequest(name + " comes twice")
        if name in _PERIODS:
            parsed[name] = _period(text) if text else None
        elif name in _THRESHOLDS and numeric:
            parsed[name] = _threshold(name, text) if text else None
        else:
            raise BadRequest("no attribute here: " + name)
    return parsed


def _period(text):
    if not text.encode().isdigit():
        raise BadRequest("not a period in seconds: " + text)
    return int(text)


def _threshold(name, text):
    for letter in text:
        if letter not in "0123456789+-.eE":
            raise BadRequest("not a number: " + text)
    try:
        value = float(text)
    except ValueError:
        raise BadRequest("not a number: " + text)
    if value - value != 0:
        raise BadRequest("not finite: " + text)
    if name == "st" and value < 0:
        raise BadRequest("st must not be negative")
    return value


def write(store, path, queries, numeric):
    """Set what the queries say at a path of one server's store, or nothing; raises BadRequest."""
    merged = dict(store.get(path, {}))
    for name, value in parse(queries, numeric).items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = value
    _check(merged)
    if merged:
        store[path] = merged
    else:
        store.pop(path, None)


def _check(merged):
    """OMA Core 1.1 section 5.1.2: lt < gt, lt + 2 st < gt, epmin < epmax."""
    low, high = merged.get("lt"), merged.get("gt")
    if low is not None and high is not None and not (low < high and low + 2 * merged.get("st", 0) < high):
        raise BadRequest("lt + 2 st must be below gt")
    if merged.get("epmin", 0) >= merged.get("epmax", 1 << 30):
        raise BadRequest("epmin must be below epmax")


def effective(store, path, account):
    """What holds at a path: the nearest level wins; pmin and pmax default to the account's (/1/x/2 and 3)."""
    found = {}
    if account.default_pmin:
        found["pmin"] = account.default_pmin
    if account.default_pmax:
        found["pmax"] = account.default_pmax
    for length in range(1, len(path) + 1):
        found.update(store.get(path[:length], {}))
    return found


def has_changed(found, numeric, sent, value):
    """Whether a value calls for a notification: by the thresholds if any is set, else if it differs from that sent."""
    if sent is None:
        return True
    if not numeric or not ("gt" in found or "lt" in found or "st" in found):
        return value != sent
    if "st" in found and abs(value - sent) >= found["st"]:
        return True
    for name in ("gt", "lt"):
        limit = found.get(name)
        if limit is not None and (sent <= limit < value or sent >= limit > value):
            return True
    return False
