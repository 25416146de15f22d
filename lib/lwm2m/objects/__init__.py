"""The objects, one file an object or family; each is imported when it is used."""


def now_ms(obj):
    """The clock of the client that an object was added to, ms; 0 as long as that does not run."""
    client = getattr(obj, "client", None)
    return client.clock() if client and client.clock else 0


def give(obj, **attributes):
    """Set those attributes of a new object that are not None; the others stay as its class has them."""
    for name, value in attributes.items():
        if value is not None:
            setattr(obj, name, value)
