"""Object 2 and what it means for the requests of two servers (OMA Core 1.1 section 7.3)."""

import json

from configurations import Bench, Probe, c14, device
from lwm2m import Client
from lwm2m.creating import remove_account
from lwm2m.object import Object
from lwm2m.objects.access_control import AccessControl
from peer import Peer, peers
from support import each, eq, unhex

TLV = 11542
NOBODY = 65535
SERVER = {"uri": "coap://server1", "ssid": 1, "lifetime": 300, "binding": "U"}


class Note(Object):
    """What servers create and delete."""

    OID = 32771
    RES = "\n0 RW! str text\n1 E none shout\n"
    text = "x"

    def shout(self, args):
        self.set("text", self.text.upper())


def open_pair(objects=(), creators=()):
    """Two registered servers of a device that knows no object 2."""
    one, two = peers(2, [device()] + list(objects), creators)
    two.location = [b"r", b"2"]
    one.register()
    two.poll()
    return one, two


def codes(peer, path):
    """What comes of a Read, Observe, Write-Attributes, Write, Execute and Delete of a Note."""
    return [
        reply.code
        for reply in (
            peer.get(path),
            peer.observe(path + "/0", token=b"o"),
            peer.put(path + "?pmin=1"),
            peer.put(path + "/0", b"new"),
            peer.post(path + "/1"),
            peer.delete(path),
        )
    ]


def expected(rights):
    """The codes that `codes` brings with some rights."""
    needed = ((1, "2.05"), (1, "2.05"), (1, "2.04"), (2, "2.04"), (4, "2.04"), (8, "2.02"))
    return [code if rights & bit else "4.01" for bit, code in needed]


def control_of(peer, oid, iid):
    """The instance of object 2 that names another instance, or None."""
    for control in peer.client.tree.objects.get(2, {}).values():
        if (control.object_id, control.instance_id) == (oid, iid):
            return control
    return None


# -- without and with rules --------------------------------------------------------------------------------------------


def test_a_single_server_needs_no_rules():
    """Neither object 2 nor the code for it is there, and everything is allowed."""
    peer = Peer([device()], [Note])
    peer.register()
    eq(peer.client.access, None)
    eq(peer.post("/32771", unhex("c1 00 61")).code, "2.01")
    eq(codes(peer, "/32771/0"), expected(15))
    eq(peer.get("/2").code, "4.04")


def test_a_single_server_is_above_the_rules():
    """Rules for servers that have no account yet, or no more. Only object 2 itself cannot be deleted or created."""
    peer = Peer([device(), Note(), AccessControl(32771, 0, owner=7, acl={0: 0})], [Note])
    peer.register()
    eq(peer.post("/2/0", unhex("c1 03 01"), content_format=TLV).code, "2.04")
    eq((peer.delete("/2/0").code, peer.post("/2").code), ("4.01", "4.01"))
    eq(codes(peer, "/32771/0"), expected(15))
    eq(peer.get("/2/0").code, "4.04")


def test_two_servers_without_rules():
    """As long as object 2 is not there both may do everything, but to the account of the other nothing."""
    one, two = open_pair([Note()], [Note])
    eq(one.post("/32771", unhex("c1 00 61")).code, "2.01")
    eq(codes(two, "/32771/1"), expected(15))
    eq(instances(two.get("/1", accept=TLV)), [1])
    eq((two.get("/1/0").code, two.put("/1/0/1", b"600").code, two.post("/1/0/8").code), ("4.01", "4.01", "4.01"))
    eq((two.put("/1/1/1", b"600").code, two.post("/1/1/8").code), ("2.04", "2.04"))
    eq((two.delete("/1/0").code, one.delete("/1/1").code), ("4.01", "4.01"))
    eq(two.get("/2").code, "4.04")


def test_two_servers_with_rules():
    """Owner, ACL of server 1, what server 1 may do and what server 2."""
    cases = [
        (NOBODY, None, 0, 0),
        (NOBODY, {1: 1}, 1, 0),
        (NOBODY, {1: 2, 2: 4}, 2, 4),
        (NOBODY, {1: 15, 2: 8}, 15, 8),
        (NOBODY, {0: 5}, 5, 5),
        (NOBODY, {0: 15, 1: 0}, 0, 15),
        (1, None, 15, 0),
        (1, {0: 1}, 15, 1),
        (1, {1: 3}, 3, 0),
        (2, {1: 31}, 15, 15),
        (2, {1: 16, 2: 1}, 0, 1),
        (9, {9: 15, 0: 2}, 2, 2),
    ]

    def check(owner, acl, first, second):
        for which, rights in ((0, first), (1, second)):
            pair = open_pair([Note(), AccessControl(32771, 0, owner, acl)], [Note])
            eq(codes(pair[which], "/32771/0"), expected(rights))

    each(cases, check)


def test_no_rule_means_no_right():
    """An instance that no /2/x names is closed once there is any /2/x."""
    one, two = open_pair([Probe(), Probe(), AccessControl(32801, 0, owner=1)])
    eq(one.get("/32801/0/0").code, "2.05")
    each([("/32801/1",), ("/3/0",), ("/3/0/0",)], lambda path: eq(one.get(path).code, "4.01"))
    eq([two.get("/32801/%d" % iid).code for iid in (0, 1)], ["4.01", "4.01"])


def test_what_does_not_exist_is_told_first():
    """4.04 for objects and instances, then 4.01, then all the rest."""
    one, _ = open_pair([Probe(), Bench(), AccessControl(32801, 0, owner=1)])
    cases = [
        ("/32801/0/77", "4.04"),
        ("/32801/1", "4.04"),
        ("/32801/1/0", "4.04"),
        ("/4711", "4.04"),
        ("/32800/7", "4.04"),
        ("/32800/0/77", "4.01"),
        ("/32800/0/10", "4.01"),  # write-only
        ("/0", "4.01"),
    ]
    each(cases, lambda path, code: eq(one.get(path).code, code))
    eq((one.put("/32800/0/8", b"1").code, one.put("/32801/0/0", b"1").code), ("4.01", "4.05"))
    eq((one.put("/32800/9/8", b"1").code, one.post("/32800/0/0").code), ("4.04", "4.01"))


# -- what lies above an instance ---------------------------------------------------------------------------------------


def test_an_object_shows_what_the_server_may_read():
    """Read and Observe of an object leave out the rest; with nothing left it is 4.01, with no instance it is empty."""
    rules = [AccessControl(32801, 0, owner=1), AccessControl(32801, 1, NOBODY, {0: 1})]
    one, two = open_pair([Probe(), Probe(), Bench()] + rules, [Note])
    eq(sorted(instances(one.get("/32801", accept=TLV))), [0, 1])
    eq(sorted(instances(two.get("/32801", accept=TLV))), [1])
    eq((one.get("/32800").code, one.observe("/32800", token=b"b").code), ("4.01", "4.01"))
    reply = one.get("/32771", accept=TLV)
    eq((reply.code, reply.payload), ("2.05", b""))
    eq(instances(two.observe("/32801", token=b"o")), [1])
    probes = two.client.tree.objects[32801]
    probes[0].set("whole", 7)
    two.advance(2)
    eq(two.notifications(), [])
    probes[1].set("whole", 8)
    two.advance(2)
    (told,) = two.notifications()
    eq(instances(told), [1])


def test_composite_operations_know_the_rules():
    """Read-Composite leaves out what may not be read; Write-Composite is refused as a whole."""
    rules = [AccessControl(32801, 0, owner=1), AccessControl(32801, 1, acl={0: 1}), AccessControl(32800, 0, acl={2: 2})]
    one, two = open_pair([Probe(), Probe(), Bench()] + rules)
    wanted = b'[{"n":"/32801/0/1"},{"n":"/32801/1/1"},{"n":"/32800/0/0"},{"n":"/2/0/3"},{"n":"/4711"}]'
    for peer, seen in ((one, ["/2/0/3", "/32801/0/1", "/32801/1/1"]), (two, ["/2/0/3", "/32801/1/1"])):
        reply = peer.request("FETCH", "/", wanted, content_format=110, accept=110)
        eq((reply.code, sorted([record["n"] for record in full(json.loads(reply.payload))])), ("2.05", seen))
    allowed = b'[{"n":"/32800/0/0","v":5}]'
    both = b'[{"n":"/32800/0/0","v":6},{"n":"/2/0/3","v":2}]'
    bench = one.client.tree.objects[32800][0]
    for peer, body, code, value in ((one, allowed, "4.01", 0), (two, allowed, "2.04", 5), (two, both, "4.01", 5)):
        eq((peer.request("iPATCH", "/", body, content_format=110).code, bench.whole), (code, value))


def full(records):
    """SenML records with their whole names (RFC 8428 section 4.1)."""
    base = ""
    for record in records:
        base = record.get("bn", base)
        record["n"] = base + record.get("n", "")
    return records


def instances(packet):
    """Ids of the instances in the TLV of an object with instances of 8 to 255 bytes."""
    found, payload = [], packet.payload
    while payload:
        eq(payload[0], 0x08)
        found.append(payload[1])
        payload = payload[3 + payload[2] :]
    return found


def test_discover_needs_no_right():
    """It tells what there is, and no value. Attributes of an object need no right either."""
    _, two = open_pair([Probe(), AccessControl(32801, 0, owner=1)])
    eq(two.put("/32801?pmin=3").code, "2.04")
    eq(two.put("/32801/0?pmin=3").code, "4.01")
    eq(two.put("/32801/0/0?pmin=3").code, "4.01")
    eq(two.get("/32801/0/0", accept=40).text, "</32801/0/0>;pmin=3")
    links = two.get("/32801", accept=40).text.split(",")
    eq(links[:2], ["</32801>;pmin=3", "</32801/0>"])


def test_a_server_has_its_own_account():
    """R W E on its own /1/x whatever object 2 says; nothing on the other's; Delete only by an entry."""
    one, two = open_pair([AccessControl(3, 0, owner=1), AccessControl(1, 1, NOBODY, {0: 0})])
    eq((one.get("/1/0/0").payload, two.get("/1/1/0").payload), (b"1", b"2"))
    eq((two.put("/1/1/1", b"400").code, two.post("/1/1/8").code), ("2.04", "2.04"))
    eq((two.get("/1/0").code, two.put("/1/0/1", b"4").code, two.post("/1/0/4").code), ("4.01", "4.01", "4.01"))
    eq((two.delete("/1/1").code, two.delete("/1/0").code), ("4.01", "4.01"))
    eq(instances(two.get("/1", accept=TLV)), [1])


# -- object 2 itself ---------------------------------------------------------------------------------------------------


def test_object_2_as_bytes():
    """/2/x of an instance with an ACL, and of what nobody owns; everyone reads all of it."""
    one, two = open_pair([AccessControl(3, 0, owner=1, acl={1: 15, 2: 1}), AccessControl(32771, acl={0: 16})], [Note])
    first = unhex("c1 00 03  c1 01 00  86 02 41 01 0f 41 02 01  c1 03 01")
    second = unhex("c4 00 00 00 80 03  c4 01 00 00 ff ff  83 02 41 00 10  c4 03 00 00 ff ff")
    for peer in (one, two):
        eq(peer.get("/2/0", accept=TLV).payload, first)
        eq(peer.get("/2/1", accept=TLV).payload, second)
        eq(instances(peer.get("/2", accept=TLV)), [0, 1])


def test_only_the_owner_writes_object_2():
    """ACL and owner, by its owner alone; object and instance never."""
    one, two = open_pair([AccessControl(3, 0, owner=1)])
    eq(two.get("/3/0/0").code, "4.01")
    eq(two.put("/2/0/2", unhex("41 02 01"), content_format=TLV).code, "4.01")
    eq(one.put("/2/0/0", b"4").code, "4.05")
    eq(one.post("/2/0", unhex("83 02 41 02 20"), content_format=TLV).code, "4.00")  # 32 is no right
    eq(one.post("/2/0", unhex("83 02 41 02 01"), content_format=TLV).code, "2.04")
    eq((two.get("/3/0/0").code, two.post("/3/0/4").code), ("2.05", "4.01"))
    eq(one.put("/2/0/3", b"2").code, "2.04")
    eq((one.get("/3/0/0").code, two.get("/3/0/0").code, two.post("/3/0/4").code), ("4.01", "2.05", "4.01"))
    eq((one.put("/2/0/3", b"1").code, two.put("/2/0/2/2", b"5").code), ("4.01", "2.04"))
    eq(control_of(one, 3, 0).acl, {2: 5})


def test_what_nobody_owns_is_the_bootstrap_servers():
    """Owner 65535: no server may change it."""
    one, two = open_pair([AccessControl(3, 0, acl={0: 31})])
    for peer in (one, two):
        eq(peer.put("/2/0/3", b"1").code, "4.01")
        eq(peer.delete("/2/0").code, "4.01")
        eq(peer.get("/3/0/0").code, "2.05")


def test_new_rights_hold_at_once():
    """A Read that was looked up already is looked up anew. The servers are told nothing: no instance came or went."""
    one, two = open_pair([AccessControl(3, 0, owner=1, acl={0: 1})])
    control = control_of(one, 3, 0)
    one.poll()
    one.requests(), two.requests()
    eq([two.get("/3/0/0").code for _ in range(3)], ["2.05"] * 3)
    control.set("acl", {2: 0})
    eq([two.get("/3/0/0").code for _ in range(3)], ["4.01"] * 3)
    eq(one.get("/3/0/0").code, "2.05")
    eq(one.put("/2/0/2/2", b"1").code, "2.04")
    eq(two.get("/3/0/0").code, "2.05")
    one.advance(1)
    eq((one.requests(), two.requests()), ([], []))


def test_new_rights_over_tcp():
    """There the same holds."""
    client = Client("dev1", [SERVER, dict(SERVER, uri="coap+tcp://server2", ssid=2)])
    rule = client.add(AccessControl(1, 0, owner=1))
    client.add(AccessControl(1, 1, owner=1))
    two = client.registrations[1]
    eq([obj.iid for obj in client.access.readable(two, client.tree.instances(1))], [1])
    rule.set("acl", {2: 1})
    eq([obj.iid for obj in client.access.readable(two, client.tree.instances(1))], [0, 1])


def test_rights_can_be_observed():
    """An instance of object 2 is one like any other in this."""
    one, two = open_pair([AccessControl(3, 0, owner=1)])
    two.observe("/2/0/3", token=b"o", accept=0)
    one.put("/2/0/3", b"2")
    two.advance(1)
    eq([packet.payload for packet in two.notifications()], [b"2"])


def test_an_observation_without_the_right_is_silent():
    """It is not ended: when the right is back, it goes on. It can be cancelled meanwhile."""
    rule = AccessControl(32801, 0, owner=1, acl={2: 1})
    one, two = open_pair([Probe(), rule])
    probe = one.client.tree.objects[32801][0]
    two.observe("/32801/0/1", token=b"a", accept=0)
    two.observe("/32801/0", token=b"b")
    two.put("/32801/0?pmax=10")
    rule.set("acl", {1: 15})
    probe.set("whole", 1)
    two.advance(30)
    eq(two.notifications(), [])
    rule.set("acl", {2: 1})
    two.cancel("/32801/0", token=b"b")
    probe.set("whole", 2)
    two.advance(1)
    eq([(packet.token, packet.payload) for packet in two.notifications()], [(b"a", b"2")])
    rule.set("acl", {2: 0})
    eq(two.cancel("/32801/0/1", token=b"a").code, "4.01")
    rule.set("acl", {2: 1})
    probe.set("whole", 3)
    two.advance(30)
    eq(two.notifications(), [])


def test_rights_that_come_back():
    """What has changed meanwhile is told, whether entries of an ACL or all of /2/x go and come. Nothing else is."""
    rule = AccessControl(32801, 0, owner=1, acl={2: 1})
    one, two = open_pair([Probe(), rule, AccessControl(3, 0, owner=1, acl={2: 1})])
    probe = one.client.tree.objects[32801][0]
    payload = b'[{"n":"/32801/0/1"},{"n":"/3/0/3"}]'
    two.observe("/32801/0/1", token=b"a", accept=0)
    two.request("FETCH", "/", payload, content_format=110, accept=110, observe=0, token=b"c")

    def heard():
        two.advance(60)
        return [(packet.token, json.loads(packet.text)) for packet in two.notifications()]

    base, version = {"bn": "/32801/0/", "n": "1"}, {"bn": "/3/0/", "n": "3", "vs": "1.0"}

    def entries(acl):
        rule.set("acl", acl)

    def instances(acl):
        if acl:
            one.client.add(AccessControl(32801, 0, owner=1, acl=acl))
        else:
            one.client.remove(control_of(one, 32801, 0))

    for number, change in enumerate((entries, instances, instances), 1):
        change({})
        eq(heard(), [(b"c", [version])])
        probe.set("whole", number)
        eq(heard(), [])
        change({2: 1})
        eq(sorted(heard()), [(b"a", number), (b"c", [version, dict(base, v=number)])])
        change({})
        eq(heard(), [(b"c", [version])])
        change({2: 1})
        eq(heard(), [(b"c", [version, dict(base, v=number)])])


def test_rights_that_come_back_with_the_end_of_another_server():
    rule = AccessControl(32801, 0, acl={1: 1})
    one, two = open_pair([Probe(), rule])
    probe = one.client.tree.objects[32801][0]
    one.observe("/32801/0/1", token=b"a", accept=0)
    rule.set("acl", {})
    probe.set("whole", 5)
    one.advance(1)
    eq(one.notifications(), [])
    remove_account(one.client, two.registration.account, one.now)
    one.advance(1)
    eq([packet.payload for packet in one.notifications(b"a")], [b"5"])


# -- Create and Delete -------------------------------------------------------------------------------------------------


def test_create_needs_its_own_rule():
    """Bit C of the /2/x for the object; D, or owning an instance, does not do."""
    for acl, answers in (({1: 16}, ("2.01", "4.01")), ({0: 16, 1: 15}, ("4.01", "2.01")), (None, ("4.01", "4.01"))):
        one, two = open_pair([Note(), AccessControl(32771, 0, owner=1), AccessControl(32771, acl=acl)], [Note])
        eq((one.post("/32771").code, two.post("/32771").code), answers)
    one, _ = open_pair([Note(), AccessControl(32771, 0, owner=1)], [Note])
    eq((one.post("/32771").code, one.post("/4711").code, one.post("/2").code), ("4.01", "4.04", "4.01"))


def test_who_creates_owns():
    """The creator gets a /2/x with itself as owner, may let others in, and with the instance it goes away."""
    one, two = open_pair([AccessControl(32771, acl={1: 16})], [Note])
    eq(one.post("/32771", unhex("08 05 03 c1 00 61"), content_format=TLV).code, "2.01")
    control = control_of(one, 32771, 5)
    eq((control.iid, control.owner, control.acl), (1, 1, {}))
    eq(two.get("/2/1", accept=TLV).payload, unhex("c4 00 00 00 80 03  c1 01 05  80 02  c1 03 01"))
    eq((one.get("/32771/5/0").code, two.get("/32771/5/0").code, two.delete("/32771/5").code), ("2.05", "4.01", "4.01"))
    eq(one.put("/2/1/2", unhex("83 02 41 02 09"), content_format=TLV).code, "2.04")
    eq((two.get("/32771/5/0").code, two.put("/32771/5/0", b"b").code), ("2.05", "4.01"))
    eq((two.delete("/32771/5").code, two.get("/2/1").code), ("2.02", "4.04"))
    eq(one.post("/32771").code, "2.01")
    eq(control_of(one, 32771, 0).acl, {})


def test_without_rules_a_create_makes_none():
    """Else it would close everything that nobody made rules for."""
    one, two = open_pair((), [Note])
    eq(one.post("/32771").code, "2.01")
    eq((2 in one.client.tree.objects, two.get("/32771/0/0").code, two.get("/3/0/0").code), (False, "2.05", "2.05"))


def test_without_the_last_rule_all_is_closed():
    """A server must not gain rights by deleting what the last rule is about."""
    one, two = open_pair([Note(), Probe(), AccessControl(32771, 0, owner=1)], [Note])
    eq(one.delete("/32771/0").code, "2.02")
    eq((one.client.tree.objects[2], one.get("/32801/0").code, two.get("/32801/0").code), ({}, "4.01", "4.01"))
    eq((one.get("/2").code, one.get("/1/0/0").code), ("2.05", "2.05"))


# -- an account ends ---------------------------------------------------------------------------------------------------


def three(objects):
    """Three registered servers; the first deletes its own account, for which there is a rule."""
    found = peers(3, objects + [AccessControl(1, 0, owner=1)], [Note])
    found[0].register()
    eq([peer.state for peer in found], ["REGISTERED"] * 3)
    eq(found[0].delete("/1/0").code, "2.02")
    found[0].advance(2)
    eq(found[0].state, "STOPPED")
    return found


def test_a_removed_server_leaves_no_entry():
    """It has no rights any more that a later account with its id would inherit."""
    rules = [AccessControl(3, 0, NOBODY, {1: 15, 2: 1}), AccessControl(32771, acl={1: 16, 0: 16})]
    _, two, _ = three([Note()] + rules)
    eq((control_of(two, 3, 0).acl, control_of(two, 32771, NOBODY).acl), ({2: 1}, {0: 16}))
    eq(control_of(two, 1, 0), None)


def test_a_removed_servers_instances_get_an_owner():
    """Who has most of W and D, the lowest id among equals; what nobody may use goes, if its like can be created."""
    cases = [
        ({2: 1, 3: 2}, 3),
        ({2: 7, 3: 10}, 3),
        ({2: 8, 3: 2}, 2),
        ({1: 15, 2: 2, 3: 11}, 3),
        ({3: 1}, 3),
        ({2: 16, 3: 0}, 2),
        ({0: 15}, 2),
        ({0: 10, 2: 3}, 3),
        ({0: 0, 1: 15, 9: 15}, None),
        ({2: 0}, None),
        (None, None),
    ]

    def check(acl, owner):
        _, two, _ = three([Note(), AccessControl(32771, 0, 1, acl)])
        control = control_of(two, 32771, 0)
        eq((control and control.owner, 0 in two.client.tree.objects[32771]), (owner, owner is not None))

    each(cases, check)


def test_a_removed_server_does_not_take_the_devices_own():
    """What no server can create stays, closed until a bootstrap opens it."""
    _, two, three_ = three([Probe(), AccessControl(32801, 0, 1)])
    eq(
        (control_of(two, 32801, 0).owner, two.get("/32801/0").code, three_.get("/32801/0").code),
        (NOBODY, "4.01", "4.01"),
    )


def test_the_last_server_may_do_everything():
    """With one account left there are no rules to keep; with a second one there are."""
    one, two = c14([Probe()])
    eq(two.get("/32801/0/0").code, "4.01")
    eq(one.delete("/1/0").code, "2.02")
    eq((two.get("/32801/0/0").code, two.put("/2/1/3", b"2").code), ("2.05", "2.04"))


def test_a_server_without_account_has_no_rights():
    """It has deleted its own /1/x: what it has sent behind that is not answered, and changes nothing."""
    bench = Bench(1)
    one, two = c14([bench], [AccessControl(32800, 0, owner=1, acl={1: 15, 2: 0})])
    eq((two.get("/32800/0/0", wait=0).code, two.delete("/1/1", wait=0).code), ("4.01", "2.02"))
    late = (("GET", "/32800/0/0"), ("GET", "/3/0/0"), ("PUT", "/32800/0/0"), ("DELETE", "/1/0"), ("POST", "/3/0/4"))
    each(late, lambda method, path: eq(two.request(method, path, b"66" if method == "PUT" else b"", wait=0), None))
    eq((bench.whole, one.get("/32800/0/0", accept=0).text), (1, "1"))
    two.advance(1)
    eq((two.state, two.requests()[-1].code), ("STOPPED", "DELETE"))
