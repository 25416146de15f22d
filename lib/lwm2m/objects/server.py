"""Object 1, LwM2M Server (OMA Core 1.1 appendix E.2): the account of one server."""

from coap.errors import BadRequest
from lwm2m.object import Object


class Server(Object):
    """One account: lifetime and all other times in seconds; what is None takes the default of the standard."""

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
    default_pmin = default_pmax = disable_timeout = trigger = preferred_transport = mute_send = None
    priority = initial_delay = failure_block = bootstrap_on_failure = None
    retry_count = retry_timer = sequence_delay = sequence_count = None
    notification_storing = True

    def __init__(self, ssid, lifetime=86400, binding="U", registration=None):
        self.ssid = ssid
        self.lifetime = lifetime
        self.binding = binding
        self.registration = registration  # the state machine of this account; the client gives it

    def has_retry_policy(self):
        """Whether any of resources 17-20 says how often to try again."""
        policy = (self.retry_count, self.retry_timer, self.sequence_delay, self.sequence_count)
        return policy != (None, None, None, None)

    def disable(self, args):
        """Execute: de-register and be silent for disable_timeout, once the response is out."""
        return self.registration.disable_soon

    def update_trigger(self, args):
        """Execute: send an Update."""
        self.registration.update_wanted = True
        self.registration.client.wake()

    def write_binding(self, value):
        """Refuse a transport that is not there."""
        if value != "U":
            raise BadRequest("binding must be U")
        self.set("binding", value)
