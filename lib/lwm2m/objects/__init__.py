"""The objects, one file an object or family; each is imported when it is used."""

from lwm2m.config import ConfigError


def client_of(obj):
    """The client that an object was added to; None before."""
    return getattr(obj, "client", None)


def now_ms(obj):
    """The clock of the client that an object was added to, ms; 0 as long as that does not run."""
    client = client_of(obj)
    return client.clock() if client and client.clock else 0


def give(obj, **attributes):
    """Set those attributes of a new object that are not None; the others stay as its class has them."""
    for name, value in attributes.items():
        if value is not None:
            setattr(obj, name, value)


def tell(obj, resources):
    """Set resources of a new object by the names in its table, each to a value, or to a callable that returns it. Where
    there are callables, observers look again at what they return each sample_ms; an object with a `sample` of its own
    calls from there what is returned here, if anything. Raises ConfigError for other names.
    """
    readable = [row[3] for row in obj.rows() if row[1][0] == "R"]
    for name in resources:
        if name not in readable:
            raise ConfigError(
                "%s has nothing called %s; there are %s" % (type(obj).__name__, name, ", ".join(readable))
            )
    give(obj, **resources)
    live = [name for name in resources if callable(resources[name])]
    if not live:
        return None

    def look_again():
        for name in live:
            obj.changed(name)

    obj.sample = look_again
    return look_again
