"""Notification attributes (OMA Core 1.1 sections 5.1.2 and 6.4): inherit, decide. How servers set them is in
lwm2m.write_attributes.

Each server has its own, in a dict path -> {name: value}; pmin, pmax, epmin and epmax are seconds.
"""

NUMERIC = ("int", "uint", "float", "time")
PLAIN = NUMERIC + ("bool",)  # types whose values are compared as they are


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


def has_changed(found, plain, sent, value):
    """Whether a value calls for a notification: by edge or the thresholds if any is set, else if it differs from that
    sent; plain says that both are a number or a bool."""
    if sent is None:
        return True
    if plain and "edge" in found:
        return value != sent and value == found["edge"]
    if not plain or not ("gt" in found or "lt" in found or "st" in found):
        return value != sent
    if "st" in found and abs(value - sent) >= found["st"]:
        return True
    for name in ("gt", "lt"):
        limit = found.get(name)
        if limit is not None and (sent <= limit < value or sent >= limit > value):
            return True
    return False


def is_overdue(found, since_ms):
    """Whether pmax has passed since the last notification; a pmax of 0, or below pmin, means nothing."""
    pmax = found.get("pmax", 0)
    return pmax and pmax >= found.get("pmin", 0) and since_ms >= pmax * 1000


def next_look(dirty, sent_at, evaluated_at, found):
    """When a value must be looked at: a change after epmin and pmin, else after pmax or epmax."""
    times = []
    if dirty:
        times.append(sent_at + found.get("pmin", 0) * 1000)
    pmax = found.get("pmax", 0)
    if pmax and pmax >= found.get("pmin", 0):
        times.append(sent_at + pmax * 1000)
    if "epmax" in found:
        times.append(evaluated_at + found["epmax"] * 1000)
    return max(min(times), evaluated_at + found.get("epmin", 0) * 1000) if times else None
