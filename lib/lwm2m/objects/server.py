"""Object 1, LwM2M Server (OMA Core 1.1 appendix E.2): the account of one server."""

from coap.errors import BadRequest
from lwm2m.object import Object


class Server(Object):
    """One account: lifetime and all other times in seconds; what is None takes the default of the standard.
    bootstrap_request is a method where there is a Bootstrap-Server."""

    OID = 1
    VERSION = "1.1"
    RES = """
0 R! int ssid 1..65534
1 RW! int lifetime 0..
2 RW int default_pmin 0..
3 RW int default_pmax 0..
4 E none disable
5 RW int disable_timeout 0..
6 RW! bool notification_storing
7 RW! str binding
8 E! none update_trigger
9 E none bootstrap_request
11 R uint tls_alert 0..255
12 R time last_bootstrapped
13 - uint priority
14 - uint initial_delay
15 - bool failure_block
16 - bool bootstrap_on_failure
17 - uint retry_count
18 - uint retry_timer
19 - uint sequence_delay
20 - uint sequence_count
21 RW bool trigger
22 RW str preferred_transport
23 RW bool mute_send
"""
    default_pmin = default_pmax = None  # others of the table are None as long as they are not set, see __getattr__
    notification_storing = True

    def __init__(self, ssid, lifetime=86400, binding="U", registration=None):
        self.ssid = ssid
        self.lifetime = lifetime
        self.binding = binding
        self.registration = registration  # the state machine of this account; the client gives it

    def __getattr__(self, name):
        if name not in [row[3] for row in self.rows()]:
            raise AttributeError(name)  # else None: names that a class spells out cost RAM, and few accounts have these

    def disable(self, args):
        """Execute: de-register and be silent for disable_timeout, once the response is out."""
        return self.registration.disable_soon

    def update_trigger(self, args):
        """Execute: send an Update."""
        self.registration.update_wanted = True
        self.registration.client.wake()

    def write_binding(self, value):
        """Refuse a transport that is not there."""
        letter = (self.binding or value)[:1]  # of an account that a Bootstrap-Server makes, the first one
        if letter not in ("U", "T") or value not in (letter, letter + "Q"):
            raise BadRequest("binding must be %s or %sQ" % (letter, letter))
        self.set("binding", value)
