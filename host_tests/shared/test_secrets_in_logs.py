"""No line of the log has a key in it, at any level, whatever becomes of that key; and what a peer does wrong is a line
of the log, or its answer, but never a traceback."""

import sys

import compat
from configurations import Bench, c1, device
from configurations_bootstrap import TLV, c13, resources, security, server, tlv
from configurations_firmware import URI, c8
from lwm2m import log, settings
from lwm2m.config import ConfigError
from lwm2m.objects.firmware import Firmware
from marks import HOSTS, IDENTITIES, KEYS, leaks
from senml_judge import CBOR, JSON, packed
from support import each, eq, raises, unhex

WAY = b"coaps://" + HOSTS[0]
TOKEN = KEYS[0].hex() if hasattr(KEYS[0], "hex") else "".join(["%02x" % byte for byte in KEYS[0]])


class Ears:
    """While it is entered, all that the log prints at debug level, and what else would be printed as a traceback."""

    def __enter__(self):
        self.lines, self.tracebacks, self._patched = [], [], []
        self._level = log._shown[0]
        log.level("debug")
        self._patch(log, "print", lambda *words: self.lines.append(" ".join([str(word) for word in words])))
        for name in list(sys.modules):
            if name == "compat" or name.startswith("lwm2m"):
                if hasattr(sys.modules[name], "print_exception"):
                    self._patch(sys.modules[name], "print_exception", self.tracebacks.append)
        return self

    def _patch(self, module, name, value):
        self._patched.append((module, name, getattr(module, name, None)))
        setattr(module, name, value)

    def __exit__(self, *error):
        for module, name, value in self._patched:
            if value is None:
                delattr(module, name)
            else:
                setattr(module, name, value)
        log._shown[0] = self._level

    def check(self):
        """There were lines, none of them tells a key, and there were no tracebacks."""
        eq(len(self.lines) > 0, True)
        for line in self.lines:
            eq([key for key in leaks(line) if key in KEYS], [], line)
        eq([repr(error) for error in self.tracebacks], [])


def test_the_ears_hear():
    """A log line with a key, and an exception that is nobody's wish"""
    bench = Bench()
    bench.act = lambda args: {}[KEYS[0]]
    peer = c1([bench])
    with Ears() as ears:
        peer.register()
        eq(peer.post("/32800/0/9").code, "5.00")
        log.debug("a slip: %s", KEYS[0])
    eq((len(ears.tracebacks), [key for line in ears.lines for key in leaks(line)]), (1, [KEYS[0]]))
    eq(compat.print_exception is ears.tracebacks.append, False)


def account(iid=0, ssid=1, mode=0, uri=WAY, key=KEYS[0], **more):
    return security(iid, uri, ssid, mode, IDENTITIES[0], key, **more)


def test_a_bootstrap_with_keys():
    """From the Request to the registration, a restart, and the purge of the Bootstrap-Server's account"""
    with Ears() as ears:
        world = c13()
        world.start()
        own = tlv(0, 1, unhex("c1 0c 05"))  # /0/1/12: its account may go after 5 s
        for payload in (account(), account(key=KEYS[1]), own):
            eq(world.write("/0", payload), "2.04")
        eq((world.write("/0/0/5", KEYS[2]), world.write("/1", server())), ("4.00", "2.04"))
        eq(world.bs.post("/bs").code, "2.04")
        world.advance(400)
        again = c13(store=world.store)
        again.start()
        again.advance(60)
    eq(again.client.tree.objects[0][0].secret_key, KEYS[1])
    ears.check()


def mistakes():
    """(path, payload, format) of writes that cannot be right, all of them with keys."""
    yield "/0", account()[:-7], TLV
    yield "/0", account(mode=9), TLV
    yield "/0", account(uri=b"\xff\xfe" + KEYS[1]), TLV
    yield "/0", account(ssid=0), TLV
    yield "/0", account() * 2, TLV
    yield "/0/0", KEYS[0], TLV
    yield "/0/0/5", KEYS[0], 0
    yield "/0/0/5", KEYS[0], 110
    yield "/0/0/5", KEYS[0], 11543
    yield "/0/0/2", TOKEN.encode(), 0
    yield "/0/0/10", TOKEN.encode(), 0
    yield "/0/0/99", KEYS[0], 42
    yield "/9/9/9", KEYS[0], 42
    yield "/" + TOKEN, KEYS[0], 42
    yield "/0?" + TOKEN, KEYS[0], TLV
    for ct in (JSON, CBOR):
        yield "/0", packed([{"n": "/0/0/2", "vs": TOKEN}, {"n": "/0/0/5", "vs": TOKEN}], ct), ct
        yield "/0", packed([{"n": TOKEN, "vs": TOKEN}], ct), ct
        yield "/0", packed([{"n": "/0/0/5", TOKEN + "_": TOKEN}], ct), ct
        yield "/0", packed([{"n": "/0/0/5", "vs": TOKEN}], ct)[:-3], ct


def test_keys_in_a_wrong_bootstrap():
    """Writes that are refused, and a Finish of what makes no sense"""
    for version in ("1.0", "1.1", "1.2"):
        with Ears() as ears:
            world = c13(version=version)
            if version == "1.2":
                world.bs.script("4.04")  # there is no pack
            world.start()
            eq(world.write("/0/0", account()[3:]), "2.04")
            for path, payload, ct in mistakes():
                reply = world.bs.put(path, payload, content_format=ct)
                eq((reply.code[0], leaks(reply.payload)), ("4", []), path)
            eq(world.bs.post("/bs").code, "4.06")
            world.advance(600)
        ears.check()


def test_keys_in_a_pack():
    """One that is applied, and some that cannot be"""
    good = [
        {"n": "/0/0/0", "vs": "coaps://server1"},
        {"n": "/0/0/3", "vd": b"id"},
        {"n": "/0/0/5", "vd": KEYS[0]},
        {"n": "/0/0/1", "vb": False},
        {"n": "/0/0/2", "v": 0},
        {"n": "/0/0/10", "v": 1},
        {"n": "/1/0/0", "v": 1},
        {"n": "/1/0/1", "v": 60},
        {"n": "/1/0/6", "vb": False},
        {"n": "/1/0/7", "vs": "U"},
    ]
    for pack in (good, good[:-2], good + [{"n": "/0/0/99999", "vd": KEYS[1]}], good + [{"n": TOKEN, "vs": TOKEN}]):
        with Ears() as ears:
            world = c13(version="1.2")
            world.bs.script(("2.05", [(12, CBOR)], packed(pack)))
            world.start()
            world.advance(60)
        eq(world.peer("coaps://server1").state == "REGISTERED", pack is good)
        ears.check()


def test_keys_in_a_broken_store():
    """Accounts that are cut, or of which any byte is another one; and a store that is full"""
    world = c13()
    world.start()
    eq((world.write("/0", account()), world.write("/1", server()), world.bs.post("/bs").code), ("2.04",) * 3)
    (name,) = [name for name in world.store.found if "accounts" in name]
    whole = world.store.found[name]
    eq(KEYS[0] in whole, True)
    for at in range(0, len(whole), 3):
        for broken in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]):
            world.store.found[name] = broken
            with Ears() as ears:
                again = c13(store=world.store)
                again.start()
            ears.check()
    with Ears() as ears:
        world = c13()
        world.store.full = True
        world.start()
        eq(
            (world.write("/0", account()), world.write("/1", server()), world.bs.post("/bs").code),
            ("2.04", "2.04", "5.03"),
        )
        world.advance(1)
    ears.check()


def test_what_servers_write():
    """Values out of range, of wrong types and in wrong formats; and hardware that fails with one"""
    with Ears() as ears:
        bench = Bench()
        peer = c1([bench])
        peer.register()
        for rid in range(16):
            for ct in (0, 42, 60, 110, 112, TLV, 11543, 9):
                reply = peer.put("/32800/0/%d" % rid, TOKEN.encode(), content_format=ct)
                eq(leaks(reply.payload), [])
        bench.write_secret = fails
        eq(peer.put("/32800/0/10", TOKEN.encode(), content_format=0).code, "5.03")
        peer.put("/32800/0?pmin=" + TOKEN)
        peer.post("/32800/0/9", TOKEN.encode(), content_format=0)
        peer.request("FETCH", "/", TOKEN.encode(), content_format=JSON)
    ears.check()


def fails(value):
    """A write_... of hardware that does not answer."""
    raise OSError(19)


def test_tokens_in_a_package_uri():
    """They let one fetch a firmware: none is in the log, whether the URI is good or not"""
    for uri in (
        "https://user:%s@files.example/fw?sig=%s",
        "coap://user:%s@files.example/fw?sig=%s",
        "coap://files.example:%s/fw?sig=%s",
        "coap://files.example/%s?sig=%s",
        "%s?%s",
    ):
        with Ears() as ears:
            peer = c8()
            peer.put(URI, (uri % (TOKEN, TOKEN)).encode(), content_format=0)
            peer.advance(900)
        eq(isinstance(peer.firmware, Firmware), True)
        ears.check()


def test_a_peer_that_makes_no_sense():
    """Datagrams that are cut or another thing are one line each, at debug level, without what was in them"""
    with Ears() as ears:
        peer = c1()
        peer.register()
        peer.put("/3/0/14", b"+01:00", content_format=0)
        good = peer.last
        for length in range(len(good)):
            peer.send(good[:length] + KEYS[0][:2])
            peer.send(KEYS[1][:length] + KEYS[0])
    ears.check()
    eq(peer.get("/3/0/0").code, "2.05")


def test_objects_have_no_repr_that_tells():
    """As a program or an error might print one"""
    world = c13([])
    world.start()
    eq(world.write("/0", account()), "2.04")
    for obj in list(world.client.tree.objects[0].values()) + [device(), world.client, world.bootstrap]:
        eq(leaks(repr(obj) + str(obj)), [])


def test_mistakes_in_the_configuration():
    """The sentence that names one shows no key, not even where it stands under a wrong name"""
    good = {"server": "coaps://host", "psk_identity": "board-7", "psk_key": TOKEN}
    cases = [
        {"psk_key": TOKEN[:-1]},
        {"psk_key": TOKEN[:-1] + "g"},
        {"psk_key": TOKEN * 5},
        {"psk_key": [TOKEN]},
        {"psk_key": {TOKEN: TOKEN}},
        {"psk_identity": TOKEN * 9},
        {"psk_identity": None, "psk_key": TOKEN},
        {"key": TOKEN},
        {"psk_key": None, "psk_identity": None, "key": TOKEN, "cert": TOKEN},
        {"psk_key": None, "psk_identity": None, "server_cert": TOKEN},
        {"psk_key": None, "psk_identity": None, "ca": TOKEN},
        {"server": "coap://host"},
        {"server": ["coap://host", "coap://other"]},
        {"server": {"uri": "coaps://host", "psk_key": TOKEN}},
        {"server": {"uri": "coap://host", "psk_identity": "me", "psk_key": TOKEN}},
        {"server": ["coaps://host", {"uri": "coaps://host", "key": TOKEN}]},
    ]

    def check(change):
        wrong = dict(good)
        wrong.update(change)
        for name in [name for name in wrong if wrong[name] is None]:
            del wrong[name]
        sentence = str(raises(ConfigError, settings.check, wrong))
        eq((leaks(sentence), "\n" in sentence, len(sentence) < 200), ([], False, True), sentence)

    each([(change,) for change in cases], check)
    eq(settings.check(good)["servers"][0]["security"].secret_key, KEYS[0])


# -- OSCORE ------------------------------------------------------------------------------------------------------------


def test_mistakes_in_the_configuration_of_oscore():
    """The same for its secret"""
    good = {"sender_id": "01", "recipient_id": "02", "secret": TOKEN}
    cases = [
        {"secret": TOKEN[:-1]},
        {"secret": TOKEN[:8]},
        {"secret": [TOKEN]},
        {"sender_id": TOKEN},
        {"recipient_id": "01"},
        {"salt": TOKEN + "g"},
        {"id_context": TOKEN * 20},
        {"key": TOKEN},
    ]

    def check(change):
        wrong = {"server": {"uri": "coap://host", "oscore": dict(good, **change)}}
        sentence = str(raises(ConfigError, settings.check, wrong))
        eq((leaks(sentence), len(sentence) < 200), ([], True), sentence)

    each([(change,) for change in cases], check)
    settings.check({"server": {"uri": "coap://host", "oscore": good}})


def test_oscore_keys_from_a_bootstrap():
    """Good ones and others; then a server that knows nothing of them, and a store that cannot keep numbers"""
    for secret, sender, code in ((KEYS[0], b"\1", "2.04"), (b"", KEYS[1][:7], "4.06"), (KEYS[0], KEYS[1], "4.06")):
        with Ears() as ears:
            world = c13()
            world.start()
            eq(world.write("/0", security(values={17: b"\0\x15\0\7"})), "2.04")
            keys = resources({0: secret, 1: sender, 2: b"\2", 5: KEYS[2], 6: KEYS[3]})
            eq(world.write("/21", tlv(0, 7, keys)), "2.04")
            eq((world.write("/1", server()), world.bs.post("/bs").code), ("2.04", code))
            world.advance(300)
            told = b"".join([packet.raw for peer in world.peers for packet in peer.sent])
            eq([key for key in leaks(told) if key is not KEYS[3]], [])  # the id context is no secret
            world.store.full = True
            world.advance(3000)
        ears.check()
