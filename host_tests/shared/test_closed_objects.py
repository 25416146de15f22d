"""Objects 0, 21 and 23 are closed to servers (OMA Core 1.1 section 6.3): in every operation and every format, for one
server and for two, with and without object 2, even if that gives all rights, and even if their tables do."""

from configurations import Bench, Probe, device
from lwm2m.config import ConfigError
from lwm2m.gateway import Gateway
from lwm2m.send import Series
from marks import KEYS, NAMES, SECRETS, OpenOscore, OpenSecurity, closed_objects, leaks, rights_on
from peer import peers
from senml_judge import CBOR, JSON, packed, path_list, told
from support import each, eq, raises, unhex

TLV, LINK = 11542, 40
FORMATS = (None, 0, 42, 60, 110, 112, TLV, 11543, 9999)
INSTANCES = ("/0/0", "/0/1", "/0/2", "/0/9", "/21/0", "/21/9", "/23/0")
RESOURCES = ("/0/0/0", "/0/0/3", "/0/0/5", "/0/0/16", "/0/1/5", "/0/0/99", "/0/9/5", "/21/0/0", "/21/0/9", "/23/0/2")
PATHS = ("/0", "/21", "/23") + INSTANCES + RESOURCES + ("/0/0/5/0", "/0/0/16/0", "/21/0/0/0")
BODIES = (b"1", unhex("c8 05 04 31 32 33 34"), b'[{"n":"5","vd":"MTIz"}]', b'{"e":[{"n":"5","ov":"0:0"}]}')


def servers(count=1, ruled=False, **settings):
    """Registered servers of a client with closed objects, an open Probe and Bench; all that it sent is kept."""
    objects = closed_objects() + [device(), Probe(), Bench()]
    rules = rights_on(objects) if ruled else []
    found = peers(count, objects + rules, [OpenSecurity, OpenOscore], **settings)
    for number, peer in enumerate(found):
        peer.location = [b"rd", b"%d" % number]
    found[0].register()
    found[0].poll()
    eq([peer.state for peer in found], ["REGISTERED"] * count)
    return found


def shapes():
    """Yields (what, a server of a new client) for each kind of client and each of its servers."""
    for count, ruled in ((1, False), (1, True), (2, False), (2, True)):
        for number in range(count):
            yield "server %d of %d, rules: %s" % (number + 1, count, ruled), servers(count, ruled)[number]


def held(peer):
    """All that the closed objects hold, to see that nothing changes."""
    objects = peer.client.tree.objects
    found = []
    for oid in (0, 21, 23):
        for iid in sorted(objects[oid]):
            obj = objects[oid][iid]
            found.append([(oid, iid)] + [getattr(obj, row[3]) for row in obj.rows() if row[2] != "none"])
    return found


def told_secrets(peer):
    """What the client has told of secrets to any server since the last call."""
    sent = b""
    for each_peer in peer.world.peers:
        sent += b"".join([packet.raw for packet in each_peer.sent])
        each_peer.forget()
    return leaks(sent)


def check_closed(ask):
    """ask(peer) for each shape; then nothing has changed, and nothing of a secret has left."""
    for what, peer in shapes():
        before = held(peer)
        ask(peer)
        peer.advance(60)
        eq(held(peer), before, what)
        eq((told_secrets(peer), peer.client.tree.objects[21][0].acts), ([], 0), what)


def refused(reply, what):
    eq((reply.code, reply.payload), ("4.01", b""), "%s" % (what,))


# -- the search itself -------------------------------------------------------------------------------------------------


def test_the_search_finds_what_is_told():
    """Were it not closed, the same values would be found, in each format and at each level"""
    bench = Bench()
    peer = peers(1, [device(), bench])[0]
    peer.register()
    for secret in SECRETS:
        bench.blob = secret
        for path, accept in [("/32800/0/4", ct) for ct in (0, 42, 60, 110, 112, TLV, 11543)] + [("/32800", TLV)]:
            eq(peer.get(path, accept=accept).code, "2.05")
            eq(told_secrets(peer), [secret], "%s in %s" % (path, accept))
    for text in ("%r" % KEYS[0], "key=" + "".join(["%02X" % byte for byte in KEYS[0]]), NAMES[0].decode()):
        eq(len(leaks(text)), 1, text)
    eq(leaks(b"\x60\x45\xff21.5 coap://server1"), [])


# -- one path ----------------------------------------------------------------------------------------------------------


def test_read_and_observe():
    """4.01 in all formats, whether the resource is there or not, in blocks as well"""

    def ask(peer):
        for path in PATHS:
            for accept in FORMATS + (LINK,):
                refused(peer.get(path, accept=accept), (path, accept))
                refused(peer.observe(path, accept=accept, token=b"o"), ("observe", path, accept))
                refused(peer.cancel(path, token=b"o", accept=accept), ("cancel", path, accept))
            for number in (0, 1):
                refused(peer.get(path, block2=(number, False, 2)), ("block", path))
            eq(told_secrets(peer), [], path)

    check_closed(ask)


def test_write_execute_create():
    """4.01 in all formats: PUT and POST, whole or in blocks, on an object, an instance, a resource and below"""

    def ask(peer):
        for path in PATHS:
            for method in ("PUT", "POST"):
                for ct in FORMATS:
                    for body in BODIES:
                        refused(peer.request(method, path, body, content_format=ct), (method, path, ct))
                block = {"block1": (0, True, 0), "content_format": TLV}
                refused(peer.request(method, path, bytes(16), **block), (method, "block", path))
            refused(peer.post(path), ("POST", path))
            eq(told_secrets(peer), [], path)

    check_closed(ask)


def test_attributes_and_delete():
    """4.01, and no attribute is kept"""

    def ask(peer):
        for path in PATHS:
            refused(peer.put(path + "?pmin=1&pmax=2"), ("attributes", path))
            refused(peer.delete(path), ("delete", path))
        eq(peer.registration.attributes, {})

    check_closed(ask)


def test_a_newer_server():
    """LwM2M 1.2: the depth of a Discover, parameters of an Observe"""
    (peer,) = servers(version="1.2")
    for path in PATHS:
        refused(peer.get(path + "?depth=3", accept=LINK), path)
        refused(peer.observe(path + "?pmin=1", token=b"o"), path)
    eq(told_secrets(peer), [])


def test_the_object_list():
    """It never has them, not even where servers might create some; nor has it what a program adds later"""
    for _, peer in shapes():
        peer.client.add(OpenOscore())
        peer.advance(1)
        for packet in peer.sent:
            for name in ("</0", "</21", "</23"):
                eq(name in packet.payload.decode(), False, packet.payload)
        eq(told_secrets(peer), [])


# -- several paths -----------------------------------------------------------------------------------------------------

NAMES_OF_CLOSED = [path[1:] for path in PATHS] + [path + "/" for path in PATHS] + list(PATHS)


def test_read_composite_leaves_them_out():
    """By whatever name, alone or beside what is open, and under the root"""

    def ask(peer):
        for ct, nothing in ((JSON, b"[]"), (CBOR, b"\x80")):
            for name in NAMES_OF_CLOSED:
                reply = peer.request("FETCH", "/", path_list(name, content_format=ct), content_format=ct)
                eq((reply.code, reply.payload), ("2.05", nothing), name)
            split = packed([{"bn": "/0/0", "n": "/5"}, {"bn": "/2", "n": "1/0/0"}, {"bn": "/", "n": "0"}], ct)
            eq(peer.request("FETCH", "/", split, content_format=ct).payload, nothing)
            beside = path_list("/0/0/5", "/32801/0/1", "/21", content_format=ct)
            eq(told(peer.request("FETCH", "/", beside, content_format=ct)), {"/32801/0/1": 0})
            eq(peer.request("FETCH", "/0", path_list("/0/0/5"), content_format=ct).code, "4.05")
            body, blocks = everything_in_blocks(peer, ct)
            eq((b"/32801/0/" in body, b"/0/0/" in body, blocks > 1), (True, False, True))

    check_closed(ask)


def everything_in_blocks(peer, ct):
    """A Read-Composite of the root, which takes some blocks."""
    body, number, more = b"", 0, True
    while more:
        block = (number, False, 1)
        reply = peer.request("FETCH", "/", path_list("/", content_format=ct), content_format=ct, block2=block)
        eq(reply.code, "2.05")
        body, more, number = body + reply.payload, reply.block2[1], number + 1
    return body, number


def test_observe_composite_leaves_them_out():
    """What changes there is not told, nor that it did"""

    def ask(peer):
        objects = peer.client.tree.objects
        for token, names in ((b"a", ("/0/0/5", "/21", "/23/0/2")), (b"b", ("/",)), (b"c", ("/0", "/32801/0/1"))):
            reply = peer.request(
                "FETCH", "/", path_list(*names), content_format=CBOR, accept=CBOR, observe=0, token=token
            )
            eq((reply.code, reply.observe), ("2.05", 0))
        peer.notifications()
        objects[0][0].set("secret_key", KEYS[2])
        objects[21][0].set("salt", KEYS[0])
        peer.advance(10)
        eq(peer.notifications(), [])
        objects[32801][0].set("whole", 7)
        peer.advance(10)
        eq(sorted([packet.token for packet in peer.notifications()]), [b"b", b"c"])
        objects[0][0].secret_key, objects[21][0].salt = KEYS[0], KEYS[5]

    check_closed(ask)


def test_write_composite_is_refused_as_a_whole():
    """4.01, and what is open is not written either"""

    def ask(peer):
        bench = peer.client.tree.objects[32800][0]
        for ct in (JSON, CBOR):
            for path, value in (("/0/0/5", "MTIz"), ("/0/0/0", "coap://evil"), ("/21/0/0", "MTIz"), ("/23/0/2", "me")):
                records = [{"n": "/32800/0/0", "v": 77}, {"n": path, "vs": value}]
                for found in (records, records[::-1], records[1:]):
                    refused(peer.request("iPATCH", "/", packed(found, ct), content_format=ct), path)
            eq(bench.whole, 0)

    check_closed(ask)


# -- ways around -------------------------------------------------------------------------------------------------------


def test_prefixes_of_a_gateway():
    """An end device has none of them, and its prefix leads to none of ours: 4.04, or left out"""
    for _, peer in shapes():
        gateway = Gateway(peer.client)
        dev = gateway.add_device("dev0", "sensor-17")
        raises(ConfigError, dev.add, OpenOscore())
        peer.advance(1)
        before = held(peer)
        for path in PATHS:
            eq(peer.get("/dev0" + path, accept=TLV).code, "4.04")
            eq(peer.get("/dev0" + path, accept=LINK).code, "4.04")
            eq(peer.put("/dev0" + path, b"1", content_format=0).code, "4.04")
            eq(peer.post("/dev0" + path).code in ("4.04", "4.05"), True)
            eq(peer.delete("/dev0" + path).code, "4.04")
            reply = peer.request("FETCH", "/", path_list("/dev0" + path), content_format=CBOR, accept=CBOR)
            eq((reply.code, reply.payload), ("2.05", b"\x80"))
        eq((held(peer), told_secrets(peer)), (before, []))


def test_a_link_does_not_tell_what_there_is():
    """To write an Objlnk that names a closed object fails the same way, whether it exists or not"""
    for _, peer in shapes():
        replies = [
            peer.put("/32800/0/6", text, content_format=0)
            for text in (b"0:0", b"0:9", b"0:65535", b"21:0", b"21:7", b"23:0", b"4711:0")
        ]
        eq({(reply.code, reply.payload) for reply in replies}, {("4.00", b"link to nothing")})
        eq(peer.put("/32800/0/6", b"3:0", content_format=0).code, "2.04")


def test_the_program_cannot_send_them():
    """Send and Series raise, and leave them out of the root"""
    for _, peer in shapes():
        client = peer.client
        for registration in client.registrations:
            registration.account.mute_send = False
        for path in PATHS:
            raises(ConfigError, client.send, path)
            raises(ConfigError, Series, client, path)
        client.send("/")
        peer.advance(5)
        eq(len([packet for packet in peer.sent if packet.path == "/dp"]) > 0, True)
        eq(told_secrets(peer), [])


def test_bootstrap_operations_of_a_server():
    """What only a Bootstrap-Server may do: 4.00 and 4.01"""
    for _, peer in shapes():
        before = held(peer)
        asked = (
            (peer.get("/", accept=LINK), "4.00"),
            (peer.get("/0", accept=LINK), "4.01"),
            (peer.delete("/"), "4.00"),
            (peer.delete("/0"), "4.01"),
            (peer.post("/bs"), "4.00"),
            (peer.get("/bspack"), "4.00"),
            (peer.put("/0", unhex("08 00 03 c1 02 00"), content_format=TLV), "4.01"),
            (peer.put("/", b"x", content_format=TLV), "4.00"),
        )
        each(asked, lambda reply, code: eq(reply.code, code))
        eq((held(peer), told_secrets(peer)), (before, []))
