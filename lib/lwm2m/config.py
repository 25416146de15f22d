"""Every bound of the client in one place, and what config.json may say."""

from coap.exchange import Parameters


class ConfigError(ValueError):
    """A mistake of the person who configures or programs the device, as one clear sentence."""


class Config(Parameters):
    """The bounds, with what each costs in RAM; CoAP's own (RFC 7252 section 4.8) are inherited.

    When something is full the peer gets 4.13 or 5.03. Set one with `Config(NAME=value)`, the "limits" of
    config.json, or `--set NAME=VALUE` on a PC.
    """

    # A text table, as most of them are asked for by few devices; name and value, which must be a whole number.
    BOUNDS = (
        "\nBLOCK_SIZE 512"  # bytes of payload in one datagram, a power of two from 16 to 1024; thrice that in buffers
        "\nMAX_BODY 4096"  # bytes of a block-wise write that is collected in RAM; bigger ones must be streamed
        "\nBLOCK_TRANSFERS 2"  # block-wise transfers per server at a time, each up to MAX_BODY
        "\nOBSERVATIONS 16"  # per server, about 200 bytes each
        "\nATTRIBUTES 32"  # paths with notification attributes, per server, about 100 bytes each
        "\nMEMBERS 16"  # paths of one composite observation, about 100 bytes each
        "\nSENDS 4"  # Sends that wait for a server that is away or asleep, each as big as its payload
        "\nSTORED 10"  # notifications kept for a server that is away, about 100 bytes each
        "\nINSTANCES 32"  # of the objects that servers may create
        "\nRESOURCE_INSTANCES 64"  # of a multiple resource that a server writes, about 30 bytes each
        "\nJOBS 4"  # Executes that are not through yet, about 100 bytes each
        "\nCON_EVERY 10"  # each n-th notification is confirmable, which also proves the way through a NAT
        "\nSAMPLE_ms 1000"  # how often a sensor is read
        "\nACTION_DELAY_ms 500"  # between the answer to Execute Reboot (and the like) and the act
        "\nAWAKE_ms 0"  # queue mode: how long to listen after the last message; 0 is MAX_TRANSMIT_WAIT, 93 s
        "\nRETRY_FIRST_s 10"  # Register again after a failure: first pause, doubled each time ...
        "\nRETRY_MAX_s 300"  # ... up to this; for accounts without any of /1/x/17-20
        "\nRETRY_COUNT 5"  # /1/x/17 where the account has some of 17-20, but not this one
        "\nRETRY_TIMER_s 60"  # /1/x/18
        "\nSEQUENCE_DELAY_s 86400"  # /1/x/19
        "\nSEQUENCE_COUNT 1"  # /1/x/20
        "\nSPREAD_s 10"  # each of these pauses is up to so much longer, by chance: for 500 boards that lost one server
        "\nHANDSHAKE_s 20"  # how long a DTLS handshake may take
        "\nCLOSE_TIMEOUT_ms 3000"  # how long Ctrl-C waits for the de-registration
        "\n"
    )

    def __init__(self, **bounds):
        if bounds:
            from lwm2m.bounds import check

            for name in bounds:
                check(name, getattr(self, name, None), bounds[name])
                setattr(self, name, bounds[name])

    def __getattr__(self, name):
        start = self.BOUNDS.find("\n" + name + " ") + len(name) + 2
        if start < len(name) + 2:
            raise AttributeError(name)
        value = int(self.BOUNDS[start : self.BOUNDS.find("\n", start)])
        setattr(self, name, value)  # from now on it is an attribute like any other
        return value


def parse_uri(uri):
    """(host, port) of a URI such as "coap://host:5683", "coaps://host" or "coap+tcp://host"; raises ConfigError."""
    scheme, found, rest = uri.partition("://")
    if rest[-1:] == "/":
        rest = rest[:-1]
    host, colon, port = rest, "", ""
    if rest[:1] == "[":
        host, colon, port = rest[1:].partition("]:")
        if not colon:
            host = host[:-1] if host[-1:] == "]" else ""
    elif ":" in rest:
        host, colon, port = rest.partition(":")
    port = port if colon else "5683"
    is_coap = found and scheme in ("coap", "coaps", "coap+tcp")
    if not is_coap or not host or "/" in host or not port.encode().isdigit() or not 0 < int(port) < 65536:
        raise ConfigError("server must be like coap://host:port, not %s" % uri)
    return host, int(port) + (not colon and scheme == "coaps")
