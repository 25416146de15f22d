"""Object 21: what a Bootstrap-Server may write there, which keys are of use, and when they go."""

from coap import oscore_exchange
from configurations_bootstrap import BS, Memory, c13, c14, resources, security, server, tlv
from lwm2m import accounts
from lwm2m.objects.oscore import Oscore
from support import each, eq

SECRET = b"sixteen bytes 16"
KEYS = {0: SECRET, 1: b"\x01", 2: b"\x02"}
LINK = {17: b"\0\x15\0\7"}  # to /21/7


def keys(iid=7, without=(), **changes):
    """An instance of object 21 as a TLV; changes are r3=b"..." and the like."""
    values = dict(KEYS)
    for name in changes:
        values[int(name[1:])] = changes[name]
    for rid in without:
        del values[rid]
    return tlv(0, iid, resources(values))


def brought(*written, objects=()):
    """A world whose Bootstrap-Server has written an account with a link to /21/7, before all else, and more."""
    world = c13(objects)
    world.start()
    eq(world.write("/0", security(values=LINK)), "2.04")
    for path, payload in written:
        eq(world.write(path, payload), "2.04")
    eq(world.write("/1", server()), "2.04")
    return world


def exchange_of(world):
    return world.client.registrations[0].exchange


# -- which keys are of use --------------------------------------------------------------------------------------------

UNUSABLE = [
    ((), "/0/0: OSCORE: there is no /21/7"),
    ((("/21", keys(6)),), "/0/0: OSCORE: there is no /21/7"),
    ((("/21", keys(without=(0,))),), "/0/0: /21/7: secret is missing"),
    ((("/21", keys(without=(1,))),), "/0/0: /21/7: sender_id is missing"),
    ((("/21", keys(without=(2,))),), "/0/0: /21/7: recipient_id is missing"),
    ((("/21", keys(r0=b"")),), "/0/0: /21/7: secret is empty"),
    ((("/21", keys(r1=bytes(8))),), "/0/0: /21/7: sender_id must have at most 7 bytes"),
    ((("/21", keys(r2=b"\1")),), "/0/0: /21/7: sender_id and recipient_id must differ"),
    ((("/21", keys(r3=b"\x1e")),), "/0/0: /21/7: AEAD algorithm 30 is not there: use AES-CCM-16-64-128 (10)"),
    ((("/21", keys(r4=b"\7")),), "/0/0: /21/7: HMAC algorithm 7 is not there: use HMAC-SHA-256 (5)"),
    ((("/21", keys(r6=bytes(240))),), "/0/0: /21/7: id_context is too long"),
    (
        (("/21", keys()), ("/0", security(2, ssid=2, values=LINK)), ("/1", server(1, ssid=2))),
        "/0/0: OSCORE: /21/7 belongs to another account as well",
    ),
    (
        (("/21", keys()), ("/0", security(uri=b"coap+tcp://server1", values=LINK))),
        "/0/0: OSCORE is there over UDP and DTLS, not over TCP",
    ),
]


def test_keys_that_are_of_no_use():
    """4.06 to Finish, with a sentence that names the resource; and all is as it was before."""

    def check(written, sentence):
        world = brought(*written)
        reply = world.bs.post("/bs")
        eq((reply.code, reply.payload.decode()), ("4.06", sentence))
        eq((world.instances(21), world.instances(0)), ([], [1]))

    each(UNUSABLE, check)


def test_keys_come_after_the_link_to_them():
    """PUT /0, PUT /21, PUT /1, as in ETS 1.2-int-11; then everything is said under them, after a restart as well."""
    store = Memory()
    world = c13(store=store)
    world.start()
    eq(
        [world.write("/0", security(values=LINK)), world.write("/21", keys(r3=b"\x0a", r4=b"\5", r5=b"salt"))],
        ["2.04"] * 2,
    )
    eq([world.write("/1", server()), world.bs.post("/bs").code], ["2.04", "2.04"])
    world.client.poll(world.now)
    eq(isinstance(exchange_of(world), oscore_exchange.Exchange), True)
    again = c13(store=store)
    eq(isinstance(exchange_of(again), oscore_exchange.Exchange), True)
    stored = again.client.tree.objects[21][7]
    eq((stored.secret, stored.sender_id, stored.recipient_id, stored.aead, stored.hmac, stored.salt, stored.id_context),
       (SECRET, b"\1", b"\2", 10, 5, b"salt", None))  # fmt: skip


def test_the_null_link_is_none():
    world = c13()
    world.start()
    eq(world.write("/0", security(values={17: b"\xff\xff\xff\xff"})), "2.04")
    eq([world.write("/1", server()), world.bs.post("/bs").code], ["2.04", "2.04"])
    eq(world.client.tree.objects[0][0].oscore, None)
    world.advance(1)
    eq(world.server.state, "REGISTERED")


def test_discover():
    """Without parameters in 1.1; with the short server id in 1.2, but for the keys of the Bootstrap-Server."""
    for version, shown in (("1.1", "</21/7>,"), ("1.2", "</21/7>;ssid=1,")):
        world = c13(version=version)
        if version == "1.2":
            world.bs.script("4.04")
        world.start()
        eq([world.write("/0", security(values=LINK)), world.write("/21", keys())], ["2.04"] * 2)
        world.client.tree.objects[0][1].oscore = (21, 8)
        world.client.add(Oscore(), 8)
        found = world.bs.get("/21", accept=40).payload.decode() + ","
        eq((shown in found, "</21/8>," in found, "</21>;ver=2.0," in found), (True, True, True))
        eq(world.bs.get("/21", accept=11542).code, "4.05")
        eq(world.bs.get("/21/7", accept=11542).code, "4.05")


# -- when they go -----------------------------------------------------------------------------------------------------


def own_keys(world):
    """Let the account of the Bootstrap-Server have keys, in /21/8."""
    own = Oscore()
    own.secret, own.sender_id, own.recipient_id = SECRET, b"\3", b"\4"
    world.client.add(own, 8)
    world.client.tree.objects[0][1].oscore = (21, 8)


def test_delete_leaves_the_keys_of_the_bootstrap_server():
    world = brought(("/21", keys()))
    own_keys(world)
    eq((world.bs.delete("/").code, world.instances(21), world.instances(0)), ("2.02", [8], [1]))
    eq(world.bs.delete("/21/8").code, "4.00")


def test_an_account_that_a_server_deletes_takes_its_keys_along():
    world = c14()
    world.start()
    world.advance(1)
    own = Oscore()
    world.client.add(own, 3)
    world.client.tree.objects[0][0].oscore = (21, 3)
    world.client.add(Oscore(), 4)
    eq((world.server.delete("/1/0").code, world.instances(21), world.instances(0)), ("2.02", [4], [1, 2]))


def test_the_account_of_a_bootstrap_server_takes_its_keys_along():
    """When it is purged, and when another one takes its place."""
    world = c13()
    own_keys(world)
    world.client.accounts.purge()
    eq((world.instances(21), world.instances(0)), ([], []))
    world = brought(("/21", keys()))
    own_keys(world)
    eq(world.write("/0", security(5, uri=b"coap://bs2", ssid=9, values={1: b"\1"})), "2.04")
    eq((world.bs.post("/bs").code, world.instances(21), world.instances(0)), ("2.04", [7], [0, 5]))


def test_config_json_gives_the_bootstrap_server_keys():
    """Its session is protected as well; a factory reset keeps them, and the numbers that are used up."""
    from lwm2m import settings

    words = {"sender_id": "0a", "recipient_id": "0b", "secret": "aa" * 16}
    found = settings.check({"endpoint": "dev1", "server": {"uri": BS, "bootstrap": True, "oscore": words}})
    world = c13()
    client, store = world.client, Memory()
    for session in list(client.sessions):
        client.close_session(session)
    client.tree.objects.clear()
    client.store = store
    accounts.furnish(client, found["bootstrap"], store, accounts.mark(found))
    eq(client.tree.objects[0][1].oscore, (21, 0))
    session = client.bootstrap
    client.start(0)
    client.poll(0)
    session.link_up(0)
    eq(isinstance(session.exchange, oscore_exchange.Exchange), True)
    eq((len(session.outbox), session.outbox[0][:2], b"ep=dev1" in session.outbox[0]), (1, b"\x42\2", False))
    client.clock = lambda: 0
    client.factory_reset()
    eq((client.tree.objects[0][1].oscore, client.tree.objects[21][0].sender_id), ((21, 0), b"\x0a"))
    eq(len(store.load("oscore")), 13)


def test_other_keys_in_config_json_make_what_was_stored_old():
    from lwm2m import settings

    marks = []
    for salt in ("00", "01", "00"):
        words = {"sender_id": "0a", "recipient_id": "0b", "secret": "aa" * 16, "salt": salt}
        found = settings.check({"endpoint": "dev1", "server": {"uri": BS, "bootstrap": True, "oscore": words}})
        marks.append(accounts.mark(found))
    eq((marks[0] == marks[1], marks[0] == marks[2]), (False, True))
