"""A server's write to an object: all of it or nothing, within the ranges of its table. Imported by the first one."""

from coap.errors import BadRequest
from lwm2m import log


def apply(obj, changes):
    """Make every (attribute, value) of a list true, or none of them (then re-raises what went wrong)."""
    apply_all([(obj, name, value) for name, value in changes])


def apply_all(changes):
    """The same for a list of (instance, attribute, value)."""
    done = []
    try:
        for obj, name, value in changes:
            done.append((obj, name, _current(obj, name)))
            _write(obj, name, value)
    except Exception:
        for obj, name, old in reversed(done):
            _put_back(obj, name, old)
        raise


def _current(obj, name):
    value = getattr(obj, name)
    return value() if callable(value) else value


def _put_back(obj, name, old):
    """Hardware that just failed may fail again; the other values are put back all the same."""
    try:
        if _current(obj, name) != old:
            _write(obj, name, old)
    except Exception as error:
        log.warning("/%d/%s: %s could not be put back: %r", obj.OID, obj.iid, name, error)


def _write(obj, name, value):
    write = getattr(obj, "write_" + name, None)
    if write:
        write(value)
    else:
        obj.set(name, value)


def default(obj, name):
    """What an optional writable resource becomes when a replacing Write leaves it out."""
    return None if getattr(obj, name) is None else getattr(type(obj), name, None)


def check_range(row, value):
    """Raise BadRequest if a value lies outside the range of its row (a number, or the length of a string)."""
    if len(row) < 5:
        return
    low, high = row[4].split("..")
    size = value if row[2] in ("int", "uint", "float", "time") else len(value)
    if (low and not size >= float(low)) or (high and not size <= float(high)):  # so that NaN lies outside as well
        raise BadRequest("%s must be %s" % (row[3], row[4]))
