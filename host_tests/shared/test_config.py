"""config.json: what is good, and what a mistake says: one sentence, for the person who made it."""

import os

from compat import is_micropython
from lwm2m import accounts, settings
from lwm2m.config import Config, ConfigError, parse_uri
from peer import Peer
from support import each, eq, raises

SERVER = {"uri": "coap://host", "ssid": 1, "lifetime": 86400, "binding": "U"}
DEFAULTS = {"endpoint": None, "lwm2m": "1.1", "queue_mode": False, "local_port": 0, "log": "info", "limits": {}}
DEFAULTS["bootstrap"] = DEFAULTS["ntp"] = None
DEFAULTS["watchdog"] = 0
FILE = "/tmp/microlwm2m-config-%d.json" % is_micropython


def sentence(call, *args):
    """What a ConfigError says; that it is one line."""
    text = str(raises(ConfigError, call, *args))
    eq(text.split("\n"), [text])
    return text


# -- good ones ---------------------------------------------------------------------------------------------------------


def test_defaults():
    """A server is all that must be there."""
    eq(settings.check({"server": "coap://host"}), dict(DEFAULTS, servers=[SERVER]))


def test_everything_set():
    found = settings.check(
        {
            "endpoint": "board-7",
            "server": [
                "coap://a:5684",
                {"uri": "coap://[2001:db8::1]", "ssid": 77, "lifetime": 0},
                {"uri": "coap://c/", "lifetime": 0x7FFFFFFF, "binding": "U"},
            ],
            "lifetime": 60,
            "binding": "UQ",
            "queue_mode": True,
            "lwm2m": "1.0",
            "local_port": 56830,
            "log": "debug",
            "wifi": {"ssid": "lab", "password": "secret"},
            "limits": {"BLOCK_SIZE": 64},
        }
    )
    servers = [
        {"uri": "coap://a:5684", "ssid": 1, "lifetime": 60, "binding": "UQ"},
        {"uri": "coap://[2001:db8::1]", "ssid": 77, "lifetime": 0, "binding": "UQ"},
        {"uri": "coap://c/", "ssid": 3, "lifetime": 0x7FFFFFFF, "binding": "U"},
    ]
    eq(found.pop("servers"), servers)
    eq((found["endpoint"], found["lwm2m"], found["local_port"], found["log"]), ("board-7", "1.0", 56830, "debug"))
    eq((found["limits"], "wifi" in found, found["queue_mode"]), ({"BLOCK_SIZE": 64}, False, True))
    eq(settings.check({"server": "coap://host", "lwm2m": "1.2"})["lwm2m"], "1.2")


def test_bootstrap_servers():
    """Alone, by one word for all; or beside servers, whose ids do not count it."""
    bs = {"uri": "coap://bs", "hold_off": 0}
    found = settings.check({"server": "coap://bs", "bootstrap": True})
    eq((found["servers"], found["bootstrap"]), ([], bs))
    mixed = [{"uri": "coap://bs", "bootstrap": True, "hold_off": 30}, "coap://a", {"uri": "coap://b"}]
    found = settings.check({"server": mixed})
    eq([(server["uri"], server["ssid"]) for server in found["servers"]], [("coap://a", 1), ("coap://b", 2)])
    eq(found["bootstrap"], {"uri": "coap://bs", "hold_off": 30})
    others = [{"uri": "coap://a", "bootstrap": False}, "coap://bs"]
    found = settings.check({"server": others, "bootstrap": True})
    eq(([server["ssid"] for server in found["servers"]], found["bootstrap"]), ([1], bs))


def test_mark():
    """It changes with whatever is said of a server, and with nothing else."""

    def mark(**config):
        return accounts.mark(settings.check(config))

    one = mark(server=["coap://a", {"uri": "coap://bs", "bootstrap": True}])
    eq(len(one), 4)
    eq(mark(server=["coap://a", {"uri": "coap://bs", "bootstrap": True}], endpoint="x", limits={"JOBS": 1}), one)
    others = (
        {"server": ["coap://b", {"uri": "coap://bs", "bootstrap": True}]},
        {"server": ["coap://a", {"uri": "coap://bs2", "bootstrap": True}]},
        {"server": ["coap://a", {"uri": "coap://bs", "bootstrap": True}], "lifetime": 60},
        {"server": ["coap://a", {"uri": "coap://bs", "bootstrap": True, "hold_off": 1}]},
        {"server": "coap://bs", "bootstrap": True},
    )
    eq(len({one} | {mark(**config) for config in others}), 6)


def test_uris():
    cases = [
        ("coap://host", ("host", 5683)),
        ("coap://host/", ("host", 5683)),
        ("coap://host:1", ("host", 1)),
        ("coap://192.168.4.1:65535/", ("192.168.4.1", 65535)),
        ("coap://[::1]", ("::1", 5683)),
        ("coap://[fe80::1]:5783", ("fe80::1", 5783)),
    ]
    each(cases, lambda uri, found: eq(parse_uri(uri), found))


# -- mistakes ----------------------------------------------------------------------------------------------------------

URI = "server must be like coap://host:port, not "
NONE = 'server is missing, as in {"server": "coap://host"}'
KNOWN = (
    "there are endpoint, server, bootstrap, lifetime, binding, queue_mode, lwm2m, local_port, log, ntp, wifi, limits, "
    "watchdog, psk_identity, psk_key, cert, key, ca, server_cert, sni"
)

MISTAKES = [
    ({}, NONE),
    ({"server": ""}, NONE),
    ({"server": []}, NONE),
    ({"server": None}, NONE),
    ({"server": 5}, "server must be a URI, an object, or a list of these"),
    ({"server": [["coap://host"]]}, "server must be a URI, an object, or a list of these"),
    ({"server": "host"}, URI + "host"),
    ({"server": "http://host"}, URI + "http://host"),
    ({"server": "coap://"}, URI + "coap://"),
    ({"server": "coap://:5683"}, URI + "coap://:5683"),
    ({"server": "coap://host:"}, URI + "coap://host:"),
    ({"server": "coap://host:0"}, URI + "coap://host:0"),
    ({"server": "coap://host:65536"}, URI + "coap://host:65536"),
    ({"server": "coap://host:x"}, URI + "coap://host:x"),
    ({"server": "coap://host:\u00b2"}, URI + "coap://host:\u00b2"),
    ({"server": "coap://host/rd"}, URI + "coap://host/rd"),
    ({"server": "coap://::1"}, URI + "coap://::1"),
    ({"server": "coap://[::1"}, URI + "coap://[::1"),
    ({"server": "coap://[]"}, URI + "coap://[]"),
    ({"server": "coap://[::1]x"}, URI + "coap://[::1]x"),
    ({"server": "coap://[::1]x5"}, URI + "coap://[::1]x5"),
    ({"server": {}}, NONE),
    ({"server": {"ssid": 1}}, URI),
    ({"server": {"uri": 5}}, "uri must be a text"),
    (
        {"server": {"url": "coap://host"}},
        "there is no setting called url; there are uri, ssid, lifetime, binding, bootstrap, hold_off, oscore, "
        "psk_identity, psk_key, cert, key, ca, server_cert, sni",
    ),
    ({"server": {"uri": "coap://host", "ssid": 0}}, "ssid must be a number from 1 to 65534"),
    ({"server": {"uri": "coap://host", "ssid": 65535}}, "ssid must be a number from 1 to 65534"),
    ({"server": {"uri": "coap://host", "ssid": True}}, "ssid must be a number from 1 to 65534"),
    ({"server": ["coap://a", {"uri": "coap://b", "ssid": 1}]}, "two servers have the ssid 1"),
    ({"server": "coap://host", "lifetime": -1}, "lifetime must be a number from 0 to 2147483647"),
    ({"server": "coap://host", "lifetime": "60"}, "lifetime must be a number from 0 to 2147483647"),
    ({"server": "coap://host", "lifetime": 1.5}, "lifetime must be a number from 0 to 2147483647"),
    ({"server": "coap://host", "lifetime": 1 << 31}, "lifetime must be a number from 0 to 2147483647"),
    ({"server": "coap://host", "binding": "T"}, 'binding must be one of "U", "UQ", not "T"'),
    ({"server": "coap://host", "binding": 5}, 'binding must be one of "U", "UQ", not 5'),
    ({"server": ["coap://a", "coap://b"], "bootstrap": True}, "there can be only one bootstrap server"),
    ({"server": "coap://host", "bootstrap": "yes"}, "bootstrap must be true or false"),
    ({"server": {"uri": "coap://host", "bootstrap": 1}}, "bootstrap must be true or false"),
    (
        {"server": {"uri": "coap://host", "bootstrap": True, "hold_off": -1}},
        "hold_off must be a number from 0 to 86400",
    ),
    ({"server": "coap://host", "queue_mode": 1}, "queue_mode must be true or false"),
    ({"server": "coap://host", "lwm2m": "1.3"}, 'lwm2m must be one of "1.1", "1.0", "1.2", not "1.3"'),
    ({"server": "coap://host", "lwm2m": 1.5}, 'lwm2m must be one of "1.1", "1.0", "1.2", not 1.5'),
    ({"server": "coap://host", "log": "loud"}, 'log must be one of "info", "debug", "warning", "error", not "loud"'),
    ({"server": "coap://host", "local_port": 65536}, "local_port must be a number from 0 to 65535"),
    ({"server": "coap://host", "local_port": -1}, "local_port must be a number from 0 to 65535"),
    ({"server": "coap://host", "endpoint": ""}, "endpoint must be a text"),
    ({"server": "coap://host", "endpoint": 7}, "endpoint must be a text"),
    ({"server": "coap://host", "limits": []}, "limits must be an object in braces"),
    ({"server": "coap://host", "limits": {"self": 1}}, "limits: there is no bound called self"),
    ({"server": "coap://host", "sever": 1}, "there is no setting called sever; " + KNOWN),
    ([], "it must be an object in braces"),
    ("coap://host", "it must be an object in braces"),
    (None, "it must be an object in braces"),
]


def test_mistakes():
    each(MISTAKES, lambda config, text: eq(sentence(settings.check, config), text))


# -- the file ----------------------------------------------------------------------------------------------------------


def loaded(content):
    with open(FILE, "wb") as file:
        file.write(content)
    try:
        return settings.load(FILE)
    finally:
        os.remove(FILE)


def test_file():
    """It is read and checked; a mistake in it names the file."""
    eq(loaded(b'{"server": "coap://host"}'), dict(DEFAULTS, servers=[SERVER]))
    eq(loaded('{"server": "coap://host", "endpoint": "b\u00fc"}'.encode())["endpoint"], "b\u00fc")
    cases = [
        (b"", " is no valid JSON"),
        (b"{", " is no valid JSON"),
        (b'{"server": "coap://host"} x', " is no valid JSON"),
        (b"server = coap://host", " is no valid JSON"),
        (b"[" * 9000, " is no valid JSON"),
        (b"[]", ": it must be an object in braces"),
        (b"{}", ": " + NONE),
        (b'{"server": "coap://host", "lifetime": "x"}', ": lifetime must be a number from 0 to 2147483647"),
    ]
    each(cases, lambda content, text: eq(sentence(loaded, content), FILE + text))


def test_file_that_is_not_there_or_no_text():
    """The sentences name the file, and what to do."""
    expected = '/no/config.json is missing: it must name at least the server, as in {"server": "coap://host"}'
    eq(sentence(settings.load, "/no/config.json"), expected)
    assert sentence(loaded, b"\xff\xfe\x00") in (FILE + " is no text", FILE + " is no valid JSON")


# -- limits ------------------------------------------------------------------------------------------------------------


def test_limits():
    """Any bound may be set, CoAP's included; the others keep their defaults, and derived times follow."""
    found = Config(BLOCK_SIZE=16, ACK_TIMEOUT_ms=1000, ACK_RANDOM_FACTOR=1, MAX_RETRANSMIT=2, OBSERVATIONS=0)
    eq((found.BLOCK_SIZE, found.OBSERVATIONS, found.MAX_BODY, Config().BLOCK_SIZE), (16, 0, 4096, 512))
    eq((found.max_transmit_span_ms(), found.max_transmit_wait_ms()), (3000, 7000))
    eq((Config().max_transmit_span_ms(), Config().max_transmit_wait_ms()), (45000, 93000))
    eq(Config().exchange_lifetime_ms(), 247000)
    sizes = [16, 32, 64, 128, 256, 512, 1024]
    eq([Config(BLOCK_SIZE=size).BLOCK_SIZE for size in sizes], sizes)


LIMITS = [
    ({"BLOKSIZE": 1}, "limits: there is no bound called BLOKSIZE"),
    ({"_set": 1}, "limits: there is no bound called _set"),
    ({"max_transmit_wait_ms": 1}, "limits: there is no bound called max_transmit_wait_ms"),
    ({"": 1}, "limits: there is no bound called "),
    ({"BOUNDS": 1}, "limits: there is no bound called BOUNDS"),
    ({"BOUNDS": "\nNSTART 1\n"}, "limits: there is no bound called BOUNDS"),
    ({"OBSERVATIONS": -1}, "limits: OBSERVATIONS must be a number, 0 or more, not -1"),
    ({"OBSERVATIONS": "5"}, "limits: OBSERVATIONS must be a number, 0 or more, not 5"),
    ({"OBSERVATIONS": 1.5}, "limits: OBSERVATIONS must be a number, 0 or more, not 1.5"),
    ({"OBSERVATIONS": True}, "limits: OBSERVATIONS must be a number, 0 or more, not True"),
    ({"OBSERVATIONS": None}, "limits: OBSERVATIONS must be a number, 0 or more, not None"),
    ({"BLOCK_SIZE": 100}, "limits: BLOCK_SIZE must be a power of two from 16 to 1024, not 100"),
    ({"BLOCK_SIZE": 2048}, "limits: BLOCK_SIZE must be a power of two from 16 to 1024, not 2048"),
    ({"ACK_TIMEOUT_ms": 0}, "limits: ACK_TIMEOUT_ms must be at least 1, not 0"),
    ({"ACK_RANDOM_FACTOR": 0.5}, "limits: ACK_RANDOM_FACTOR must be at least 1, not 0.5"),
    ({"NSTART": 0}, "limits: NSTART must be at least 1, not 0"),
    ({"QUEUE": 0}, "limits: QUEUE must be at least 1, not 0"),
    ({"SAMPLE_ms": 0}, "limits: SAMPLE_ms must be at least 1, not 0"),
    ({"STORED": 0}, "limits: STORED must be at least 1, not 0"),
    ({"TOKEN_LENGTH": 0}, "limits: TOKEN_LENGTH must be at least 1, not 0"),
    ({"TOKEN_LENGTH": 9}, "limits: TOKEN_LENGTH must be at most 8, not 9"),
    ({"OBSERVATIONS": 1 << 31}, "limits: OBSERVATIONS must be at most 2147483647, not 2147483648"),
    ({"ACK_TIMEOUT_ms": 1 << 31}, "limits: ACK_TIMEOUT_ms must be at most 2147483647, not 2147483648"),
    ({"MAX_RETRANSMIT": 21}, "limits: MAX_RETRANSMIT must be at most 20, not 21"),
    ({"ACK_RANDOM_FACTOR": 10.5}, "limits: ACK_RANDOM_FACTOR must be at most 10, not 10.5"),
    ({"ACK_RANDOM_FACTOR": float("inf")}, "limits: ACK_RANDOM_FACTOR must be at most 10, not inf"),
    ({"ACK_RANDOM_FACTOR": float("nan")}, "limits: ACK_RANDOM_FACTOR must be a number, 0 or more, not nan"),
]


def test_wrong_limits():
    each(LIMITS, lambda bounds, text: eq(sentence(lambda: Config(**bounds)), text))


def test_the_biggest_limits_work():
    """The times that follow from them are numbers still."""
    found = Config(ACK_TIMEOUT_ms=0x7FFFFFFF, ACK_RANDOM_FACTOR=10, MAX_RETRANSMIT=20, MAX_LATENCY_ms=0x7FFFFFFF)
    eq(found.max_transmit_span_ms(), 0x7FFFFFFF * 0xFFFFF * 10)
    eq(found.exchange_lifetime_ms(), 0x7FFFFFFF * 0xFFFFF * 10 + 3 * 0x7FFFFFFF)


def test_the_smallest_limits_work():
    """A client of nothing but minima registers, is read and reports."""
    tiny = {
        "BLOCK_SIZE": 16,
        "MAX_BODY": 0,
        "BLOCK_TRANSFERS": 0,
        "OBSERVATIONS": 1,
        "STORED": 1,
        "INSTANCES": 0,
        "JOBS": 0,
        "CON_EVERY": 0,
        "MAX_RETRANSMIT": 0,
        "QUEUE": 1,
        "SEEN": 0,
        "TOKEN_LENGTH": 1,
    }
    peer = Peer([], **tiny)
    peer.answer = lambda packet: ("2.31", [(27, packet.get(27))]) if packet.block1[1] else peer.usual_answer(packet)
    peer.register()
    peer.answer = peer.usual_answer
    eq((peer.get("/1/0/1").payload, peer.get("/1/0/1").payload), (b"300", b"300"))
    eq(peer.observe("/1/0/1", token=b"o").observe, 0)
    eq(peer.put("/1/0/1", b"200").code, "2.04")
    peer.advance(150)
    eq(([packet.text for packet in peer.notifications()], peer.state), (["200"], "REGISTERED"))
    eq(peer.post("/1/0/4").code, "5.03")
