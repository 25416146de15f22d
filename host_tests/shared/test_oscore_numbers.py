"""OSCORE numbers in the store: none comes twice, wherever the power is cut; and what config.json says of the keys."""

from lwm2m import Client, oscore, oscore_keys, settings
from lwm2m.config import Config, ConfigError
from lwm2m.objects.oscore import Oscore
from support import each, eq, raises
from test_store import Flash, PowerCut, SimulatedStore

SECRET = "0102030405060708090a0b0c0d0e0f10"
URI = "coap://lab.example"


def client_on(store, **keys):
    """A client with one account, whose keys are those of RFC 8613 appendix C.1 unless told."""
    words = {"sender_id": "", "recipient_id": "01", "secret": SECRET, "salt": "9e7ca92223786340"}
    words.update(keys)
    found = settings.check({"endpoint": "dev1", "server": {"uri": URI, "oscore": words}})
    made = Client("dev1", found["servers"], Config(), randbelow=lambda limit: 7 % limit)
    made.store = store
    return made


def context_of(client):
    return client.registrations[0].exchange.context


def boot(store, **keys):
    """The context of a device that has just started."""
    client = client_on(store, **keys)
    keys = client.tree.objects[21][0]
    keys.context = None  # made before there was a store to ask
    return oscore._context(client, keys)


def say(context, used, count):
    """Protect messages; `used` is what is on the wire, which no power cut takes back."""
    for _ in range(count):
        used.append(int.from_bytes(context.protect_request(2, (), b"x")[3], "big"))


# -- a power cut ------------------------------------------------------------------------------------------------------


def life(flash, used):
    """Up to three starts, each with more messages than a range of numbers has."""
    store = SimulatedStore(flash)
    for _ in range(3):
        say(boot(store), used, 70)


def test_no_number_comes_twice_wherever_the_power_is_cut():
    """At every step of every write of three lives, and then once more in the life after it."""
    step = cuts = 0
    while True:
        flash, used = Flash(), []
        flash.steps = step
        try:
            life(flash, used)
            break
        except PowerCut:
            cuts += 1
        for again in (3, None):
            flash.steps = again
            try:
                life(flash, used)
            except PowerCut:
                pass
        eq((len(set(used)), len(used) >= 210), (len(used), True), "cut at step %d" % step)
        step += 1
    eq(cuts > 20, True)


def test_a_start_costs_64_numbers_at_most():
    flash, used = Flash(), []
    life(flash, used)
    eq((used[0], used[69], used[70], used[-1]), (0, 69, 128, 325))


def test_keys_have_numbers_of_their_own():
    """Other keys begin at 0 and do not touch the first; the sixteen that were used last are known."""
    flash, used = Flash(), []
    store = SimulatedStore(flash)
    say(boot(store), used, 1)
    for other in range(15):
        first = []
        say(boot(store, salt="%02x" % other), first, 1)
        eq(first, [0])
    say(boot(store), used, 1)
    say(boot(store, salt="ff"), [], 1)
    say(boot(store), used, 1)
    eq(used, [0, 64, 128])
    eq(len(store.load("oscore")), 16 * 13)


def test_two_contexts_of_one_key_share_the_numbers():
    """As when a bootstrap brings the keys again that a De-register is still under way with."""
    store, used = SimulatedStore(Flash()), []
    one, other = boot(store), boot(store)
    for _ in range(70):
        say(one, used, 1)
        say(other, used, 1)
    eq(len(set(used)), 140)


def test_a_full_flash():
    """Nothing leaves, and what is stored stays; it goes on when there is room."""
    flash, used = Flash(), []
    store = SimulatedStore(flash)
    context = boot(store)
    say(context, used, 64)
    flash.room = 0
    raises(OSError, context.protect_request, 2, (), b"x")
    raises(OSError, boot(store).protect_request, 2, (), b"x")
    flash.room = 10000
    say(context, used, 1)
    eq(used, list(range(65)))


def test_the_last_number():
    store = SimulatedStore(Flash())
    context = boot(store)
    store.save("oscore", context.fingerprint() + b"\xff\xff\xff\xff\xfe")
    eq(context.protect_request(2, (), b"x")[3], b"\xff\xff\xff\xff\xfe")
    raises(OSError, context.protect_request, 2, (), b"x")
    raises(OSError, boot(store).protect_request, 2, (), b"x")


def test_who_has_spoken_before_is_challenged():
    """A first start needs no Echo, for nothing can have been heard; every other one does, and one without a store."""
    store = SimulatedStore(Flash())
    context = boot(store)
    eq(context.challenge, None)
    say(context, [], 1)
    eq(boot(store).challenge, b"\0\7" * 4)
    eq(boot(None).challenge, b"\0\7" * 4)
    raises(OSError, boot(None).protect_request, 2, (), b"x")


def test_the_same_keys_are_the_same_context():
    """With all it has heard, in a new Exchange as a Bootstrap makes one; other keys under the same id are another."""
    client = client_on(SimulatedStore(Flash()))
    security = client.registrations[0].security
    eq(security.oscore, (21, 0))
    keys = client.tree.objects[21][0]
    before = context_of(client)
    eq(oscore.exchange(client, security)(client.config, None, None, client.randbelow).context is before, True)
    keys.set("secret", b"another secret..")
    eq(oscore.exchange(client, security)(client.config, None, None, client.randbelow).context is before, False)


# -- what config.json says --------------------------------------------------------------------------------------------

MISTAKES = [
    ("keys", "oscore must be an object in braces with sender_id, recipient_id, secret, salt, id_context"),
    ({"key": "00"}, "oscore: there is no key; there are sender_id, recipient_id, secret, salt, id_context"),
    ({"recipient_id": "01", "secret": SECRET}, "oscore: sender_id is missing"),
    ({"sender_id": "00", "secret": SECRET}, "oscore: recipient_id is missing"),
    ({"sender_id": "00", "recipient_id": "01"}, "oscore: secret is missing"),
    ({"sender_id": "0", "recipient_id": "01"}, "oscore: sender_id must be hex digits, two for each byte"),
    ({"sender_id": 0, "recipient_id": "01"}, "oscore: sender_id must be hex digits, two for each byte"),
    ({"sender_id": "00", "recipient_id": "xy"}, "oscore: recipient_id must be hex digits, two for each byte"),
    ({"sender_id": "00" * 8, "recipient_id": "01", "secret": SECRET}, "oscore: sender_id must have at most 7 bytes"),
    ({"sender_id": "01", "recipient_id": "01", "secret": SECRET}, "oscore: sender_id and recipient_id must differ"),
    ({"sender_id": "00", "recipient_id": "01", "secret": SECRET[:30]}, "oscore: secret must have at least 16 bytes"),
    (
        {"sender_id": "00", "recipient_id": "01", "secret": SECRET, "id_context": "00" * 240},
        "oscore: id_context is too long",
    ),
]


def test_mistakes_in_config_json():
    def check(keys, sentence):
        server = {"uri": URI, "oscore": keys}
        eq(str(raises(ConfigError, settings.check, {"endpoint": "dev1", "server": server})), sentence)

    each(MISTAKES, check)
    keys = {"sender_id": "00", "recipient_id": "01", "secret": SECRET}
    server = {"uri": "coap+tcp://lab.example", "oscore": keys}
    error = raises(ConfigError, settings.check, {"endpoint": "dev1", "server": server})
    eq(str(error), "oscore: it is there over UDP and DTLS, not over TCP")


def test_algorithms():
    """The two that there are, by their numbers in COSE or by default; -10 is how some servers call the HMAC."""
    keys = Oscore()
    keys.secret, keys.sender_id, keys.recipient_id = b"a secret of a kind", b"", b"\x01"
    for aead, hmac, problem in (
        (None, None, None),
        (10, 5, None),
        (10, -10, None),
        (1, 5, "AEAD algorithm 1 is not there: use AES-CCM-16-64-128 (10)"),
        (10, 6, "HMAC algorithm 6 is not there: use HMAC-SHA-256 (5)"),
    ):
        keys.aead, keys.hmac = aead, hmac
        eq(oscore_keys.problem(keys), problem)


def test_over_dtls_as_well():
    """A coaps URI has its own credentials beside the keys of OSCORE."""
    keys = {"sender_id": "00", "recipient_id": "01", "secret": SECRET}
    server = {"uri": "coaps://lab.example", "psk_identity": "me", "psk_key": "aabb", "oscore": keys}
    security = settings.check({"endpoint": "dev1", "server": server})["servers"][0]["security"]
    eq((security.mode, security.identity, security.oscore.sender_id), (0, b"me", b"\0"))
    server = {"uri": "coaps://lab.example", "oscore": keys}
    raises(ConfigError, settings.check, {"endpoint": "dev1", "server": server})
