"""Server A and the account of server B: only what object 2 says, and without object 2 nothing. A Bootstrap-Server has
its own requests during a bootstrap, and none after it; nobody else has them ever."""

from configurations import Probe, account_of, c1, device
from configurations_bootstrap import TLV, c13, security, server
from lwm2m.objects.access_control import AccessControl
from marks import HOSTS, IDENTITIES, KEYS, leaks
from packet import build
from peer import peers
from senml_judge import CBOR, packed, path_list, told
from support import each, eq

LINK = 40
FORMATS = (None, 0, 60, 110, 112, TLV, 11543)


def two(rules=()):
    """Servers A and B, registered; B's lifetime and times are like no others."""
    a, b = peers(2, [device(), Probe()] + list(rules))
    b.location = [b"rd", b"b"]
    account = b.registration.account
    account.lifetime, account.default_pmin, account.default_pmax, account.disable_timeout = 7777, 11, 7776, 7775
    account.mute_send = False
    a.registration.account.mute_send = False
    a.register()
    a.poll()
    return a, b


def pairs():
    """(A, B) of clients without object 2, and with one that is silent about B's account."""
    yield two()
    yield two([AccessControl(3, 0, owner=1, acl={0: 31})])
    yield two([AccessControl(1, 1, owner=2, acl={2: 15}), AccessControl(1, 0, owner=1)])


def of_b(peer):
    account = peer.client.tree.objects[1][1]
    return [getattr(account, row[3]) for row in account.rows() if row[2] != "none"]


def check_nothing(ask):
    """ask(a) for each pair; then B's account is as it was, B registered, and A has heard none of its values."""
    for a, b in pairs():
        before = of_b(a)
        ask(a)
        a.advance(30)
        eq((of_b(a), a.state, b.state), (before, "REGISTERED", "REGISTERED"))
        heard = b"".join([packet.payload for packet in a.sent if packet.path != "/rd"])
        for value in (7777, 7776, 7775):
            for form in (b"%d" % value, value.to_bytes(2, "big")):
                eq(form in heard, False, "%d was told" % value)


def test_read_and_observe():
    """4.01 at the instance and below in all formats; the object is that of A alone"""

    def ask(a):
        for path in ("/1/1", "/1/1/1", "/1/1/3", "/1/1/0", "/1/1/99"):
            for accept in FORMATS:
                eq(a.get(path, accept=accept).code, "4.01", path)
                eq(a.observe(path, accept=accept, token=b"o").code, "4.01", path)
        for accept in (110, 112):
            found = told(a.get("/1", accept=accept))
            eq({name[:5] for name in found}, {"/1/0/"})
            eq(a.observe("/1", accept=accept, token=b"p").code, "2.05")
        a.client.tree.objects[1][1].set("default_pmin", 12)
        a.advance(5)
        eq(a.notifications(), [])
        a.client.tree.objects[1][1].set("default_pmin", 11)

    check_nothing(ask)


def test_write_execute_delete():
    """4.01: also Disable, Update and Bootstrap of the other; and no attributes"""

    def ask(a):
        each(
            (
                (a.put("/1/1/1", b"60"),),
                (a.put("/1/1/23", b"1"),),
                (a.put("/1/1", b"\xc1\x01\x3c", content_format=TLV),),
                (a.post("/1/1", b"\xc1\x01\x3c", content_format=TLV),),
                (a.put("/1/1?pmin=5"),),
                (a.put("/1/1/1?pmin=5"),),
                (a.post("/1/1/4"),),
                (a.post("/1/1/8"),),
                (a.post("/1/1/9"),),
                (a.delete("/1/1"),),
            ),
            lambda reply: eq((reply.code, reply.payload), ("4.01", b"")),
        )
        eq(a.registration.attributes, {})

    check_nothing(ask)


def test_composite_and_send():
    """Left out, or refused as a whole; a Send brings to each its own"""

    def ask(a):
        names = ("/1/1/1", "/1", "/", "/1/1")
        for name in names:
            reply = a.request("FETCH", "/", path_list(name), content_format=CBOR, accept=CBOR)
            eq((reply.code, [name for name in told(reply) if name[:4] == "/1/1"]), ("2.05", []))
        reply = a.request("FETCH", "/", path_list("/1"), content_format=CBOR, accept=CBOR, observe=0, token=b"o")
        eq(reply.code, "2.05")
        for found in ([{"n": "/1/1/1", "v": 60}], [{"n": "/1/0/1", "v": 60}, {"n": "/1/1/1", "v": 60}]):
            eq(a.request("iPATCH", "/", packed(found), content_format=CBOR).code, "4.01")
        eq(a.registration.account.lifetime, 300)
        a.client.send("/1")
        a.advance(5)
        sent = [packet for packet in a.sent if packet.path == "/dp"]
        eq([sorted({name[:5] for name in told(packet)}) for packet in sent], [["/1/0/"]])

    check_nothing(ask)


def test_what_rights_allow():
    """Each right opens its operations, and no other"""
    for bits, codes in ((1, "2.05 4.01 4.01 4.01"), (2, "4.01 2.04 4.01 4.01"), (4, "4.01 4.01 2.04 4.01")):
        a, b = two([AccessControl(1, 1, owner=2, acl={1: bits, 2: 15})])
        replies = (a.get("/1/1/1"), a.put("/1/1/1", b"60"), a.post("/1/1/8"), a.delete("/1/1"))
        eq(" ".join([reply.code for reply in replies]), codes)
        eq(b.state, "REGISTERED")


def test_what_is_told_to_all():
    """That there is another account, which ids it has, and who has which rights: the object list, Discover, object 2"""
    a, _ = two([AccessControl(1, 1, owner=2, acl={2: 15})])
    links = a.get("/1", accept=LINK).text.split(",")
    eq(("</1/1>" in links, "</1/1/1>" in links), (True, True))
    eq(a.get("/2/0/2", accept=TLV).payload, b"\x83\x02\x41\x02\x0f")


# -- whose peer speaks -------------------------------------------------------------------------------------------------


def test_answers_of_one_server_are_no_answers_of_another():
    """B cannot accept, refuse or acknowledge for A, even with A's Message ID and token"""
    a, b = peers(2, [device()])
    a.silent = True
    a.client.start(0)
    a.poll()
    (register,) = a.requests()
    eq((a.state, b.state), ("REGISTERING", "REGISTERED"))
    for type in ("ACK", "NON", "CON"):
        for code, options in (("2.01", [(8, b"rd"), (8, b"x")]), ("4.03", ()), ("", ())):
            if code or type == "ACK":
                deliver(b, type, code, register, options)
    deliver(b, "RST", "", register, ())
    a.advance(1)
    eq(a.state, "REGISTERING")
    deliver(a, "ACK", "2.01", register, [(8, b"rd"), (8, b"x")])
    eq(a.state, "REGISTERED")


def deliver(peer, type, code, request, options):
    peer.send(build(type, code, request.mid, request.token if code else b"", options))


def test_no_answers_without_a_registration():
    """Until it has accepted the device, a server hears silence or a RST, shorter than what it sent; so it does when it
    has disabled itself, or refused"""
    for state in ("REGISTERING", "WAITING", "DISABLED", "STOPPED"):
        peer = c1([Probe()])
        reach(peer, state)
        eq(peer.state, state)
        for type in ("CON", "NON"):
            for method, path in (
                ("GET", "/3"),
                ("PUT", "/1/0/1"),
                ("DELETE", "/0"),
                ("POST", "/3/0/4"),
                ("FETCH", "/"),
            ):
                heard(peer, request_bytes(method, path, type))
                heard(peer, request_bytes(method, path, type)[:-1] + b"\xff")
            for code in ("", "2.05", "4.04", "7.31", "1.01"):
                heard(peer, build(type, code, 0x4242, b"x" if code else b""))
        for type in ("ACK", "RST"):
            heard(peer, build(type, "", 0x4242))
        eq((peer.state, account_of(peer).lifetime), (state, 86400))


def reach(peer, state):
    """Let a client get into a state."""
    if state == "DISABLED":
        peer.register()
        eq(peer.post("/1/0/4").code, "2.04")
        peer.advance(5)
        return
    peer.script("4.03" if state == "WAITING" else None)
    peer.client.start(peer.now)
    peer.poll()
    if state == "STOPPED":
        peer.client.stop(peer.now)
        peer.poll()


def heard(peer, datagram):
    """Nothing, or a RST that is no longer than this datagram."""
    out = peer.send(datagram)
    eq([packet.type for packet in out], ["RST"] * len(out))
    eq(sum([len(packet.raw) for packet in out]) <= len(datagram), True)


def test_observations_belong_to_who_began_them():
    """B's RST and cancel under A's token change nothing; A's values do not reach B"""
    a, b = two()
    a.observe("/32801/0/1", token=b"o", accept=0)
    b.cancel("/32801/0/1", token=b"o", accept=0)
    probe = a.client.tree.objects[32801][0]
    for value in (1, 2, 3):
        probe.set("whole", value)
        a.advance(2)
        (packet,) = a.notifications()
        eq(packet.payload, b"%d" % value)
        b.reset(packet)
    eq(b.notifications(), [])


def test_blocks_belong_to_who_sent_them():
    """B cannot go on with A's write, nor ask for the rest of what A reads"""
    a, b = two()
    eq(a.put("/1/0", bytes(16), block1=(0, True, 0), content_format=TLV).code, "2.31")
    eq(b.put("/1/0", b"x", block1=(1, False, 0), content_format=TLV).code in ("4.01", "4.08"), True)
    eq(a.get("/3/0", block2=(0, False, 0)).code, "2.05")
    a.client.tree.objects[3][0].set("manufacturer", "Another one")
    first, second = a.get("/3/0", block2=(1, False, 0)), b.get("/3/0", block2=(1, False, 0))
    eq(first.etag == second.etag, False)


# -- bootstrap ---------------------------------------------------------------------------------------------------------


def with_keys(ssid, host, identity, key):
    uri = b"coaps://" + host
    return security(ssid - 1, uri, ssid, 0, identity, key)


def test_the_bootstrap_server_reads_no_keys():
    """It writes them; it discovers URIs, but neither Read nor Discover shows a key or an identity, before and after"""
    world = c13()
    world.start()
    bs = world.bs
    accounts = with_keys(1, HOSTS[0], IDENTITIES[0], KEYS[0]) + with_keys(2, HOSTS[1], IDENTITIES[1], KEYS[1])
    eq(bs.put("/0", accounts).code, "2.04")
    eq(bs.put("/1", server() + server(1, 2)).code, "2.04")
    eq(leaks(b"".join([packet.raw for packet in bs.sent])), [])
    eq(leaks(bs.get("/", accept=LINK).payload), HOSTS)
    for path in ("/0", "/0/0", "/0/0/5", "/0/0/3", "/21", "/21/0", "/0/0/5/0"):
        for accept in FORMATS:
            reply = bs.get(path, accept=accept)
            eq((reply.code[0], leaks(reply.payload)), ("4", []), path)
        eq(bs.observe(path, token=b"o").code[0], "4")
    for method in ("FETCH", "iPATCH"):
        eq(bs.request(method, "/", path_list("/0"), content_format=CBOR).code, "4.05")
    eq(bs.post("/bs").code, "2.04")
    world.advance(1)
    eq(leaks(b"".join([packet.raw for peer in world.peers for packet in peer.sent])), HOSTS)


def test_after_the_bootstrap_not_even_the_bootstrap_server():
    """While its link is open for a repeated Finish it hears 4.01; then nothing"""
    world = c13()
    world.start()
    world.finish()
    bs, before = world.bs, world.instances(0)
    for _ in range(2):
        for method, path in (
            ("GET", "/1"),
            ("GET", "/"),
            ("PUT", "/0"),
            ("DELETE", "/"),
            ("DELETE", "/0"),
            ("POST", "/3/0/4"),
        ):
            reply = bs.request(method, path, security(5, key=KEYS[0]) if method == "PUT" else b"", wait=0)
            eq(reply and (reply.code, reply.payload), ("4.01", b"") if bs.registration.link == "open" else None)
        world.advance(300)
    eq((bs.registration.link, world.instances(0), world.server.state), ("closed", before, "REGISTERED"))


def test_during_a_bootstrap_no_server_is_heard():
    """Neither in its own words nor in those of a Bootstrap-Server"""
    world = c13()
    world.start()
    world.finish()
    eq(world.server.post("/1/0/9").code, "2.04")
    world.advance(1)
    eq(world.bootstrap.state, "BOOTSTRAPPING")
    session = world.client.registrations[0]
    count = len(world.server.sent)
    for method, path in (("GET", "/3/0/0"), ("PUT", "/0/0"), ("DELETE", "/"), ("POST", "/bs")):
        world.client.receive(session, request_bytes(method, path), world.now)
    world.flush()
    eq((len(world.server.sent), session.outbox, world.bootstrap.state), (count, [], "BOOTSTRAPPING"))


def request_bytes(method, path, type="CON"):
    return build(type, method, 0x7777, b"t", [(11, part) for part in path.split("/") if part])
