"""From config.json to a client. Imported once, at the start."""

import gc

from compat import unique_id
from lwm2m import log, settings
from lwm2m.config import Config


def client(make, path):
    """The client that `make`, a class as lwm2m.runner.Client, gives for a file; raises ConfigError, one sentence."""
    found = settings.load(path)
    log.level(found["log"])
    servers = found["servers"] + [found["bootstrap"] or {"uri": ""}]
    secure = len([1 for server in servers if server["uri"].startswith("coaps")])
    if secure:
        from lwm2m.transport import dtls

        dtls.start(secure, found["ntp"])
    endpoint = found["endpoint"] or default_endpoint()
    made = make(endpoint, found["servers"], Config(**found["limits"]), found["lwm2m"])
    made.local_port = found["local_port"]
    made.watchdog = found["watchdog"]
    made.queue_mode = found["queue_mode"]
    for registration in made.registrations:  # optional resources are there only with a value, and not to be written
        account = registration.account
        account.default_pmin = account.default_pmax = 0
        account.disable_timeout = 86400
        account.mute_send = False
    if found["bootstrap"]:
        from lwm2m import accounts

        accounts.load(made, found, path)
    gc.collect()
    return made


def default_endpoint():
    """An endpoint name made from the chip's MAC address."""
    return "esp32-" + "".join(["%02x" % byte for byte in unique_id()])
