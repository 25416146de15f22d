"""What of a bootstrap, and of later Writes to accounts, outlives a restart or a power cut at any moment."""

from configurations import Bench, Probe
from configurations_bootstrap import Memory, c13, c14, resources, security, server
from lwm2m.objects.access_control import AccessControl
from support import eq, noise
from test_store import Flash, PowerCut, SimulatedStore


def bootstrapped(**settings):
    """A device that was bootstrapped and has registered with server1."""
    world = c13(**settings)
    world.start()
    world.finish()
    eq(world.server.state, "REGISTERED")
    return world


def restarted(world, **settings):
    """The same device after a restart."""
    again = c13(store=world.store, **settings)
    again.start()
    return again


def accounts_of(world):
    """What matters of the accounts: (uri, lifetime) by short server id."""
    registrations = world.client.registrations
    return {one.account.ssid: (one.security.uri, one.account.lifetime) for one in registrations}


# -- a restart ---------------------------------------------------------------------------------------------------------


def test_accounts_outlive_a_restart():
    """All of /0, /1 and /2, also what no server may read; and the Bootstrap-Server's account where it was."""
    world = c13()
    world.start()
    account = security(uri=b"coaps://a:5684", mode=0, identity=b"\0id", key=b"\xff" * 32, values={11: b"\7"})
    eq(world.write("/0", account + security(2, b"coap://server2", 2)), "2.04")
    policy = {13: b"\1", 16: b"\0", 17: b"\x08", 5: b"\x64"}
    eq(world.write("/1", server(3, values=policy.items()) + server(7, 2, 60)), "2.04")
    eq(world.write("/2/9", b"\xc1\0\3\xc1\1\0\x83\2\x41\1\x0f\xc1\3\1"), "2.04")
    eq(world.bs.post("/bs").code, "2.04")
    again = restarted(world)
    eq((again.bs.requests(), again.server2.state), ([], "REGISTERED"))
    found, own, other = [again.client.tree.objects[0][iid] for iid in (0, 1, 2)]
    eq((found.uri, found.mode, found.identity, found.secret_key), ("coaps://a:5684", 0, b"\0id", b"\xff" * 32))
    eq((found.hold_off, found.bootstrap, other.hold_off, own.bootstrap), (7, False, None, True))
    account = again.client.tree.objects[1][3]
    eq((account.priority, account.retry_count, account.disable_timeout), (1, 8, 100))
    eq((account.bootstrap_on_failure, account.notification_storing, account.default_pmin), (False, False, None))
    control = again.client.tree.objects[2][9]
    eq((control.object_id, control.instance_id, control.acl, control.owner), (3, 0, {1: 15}, 1))
    eq(again.instances(1), [3, 7])


def test_what_was_written_elsewhere():
    """Resources of other objects, and no more of these, as soon as the program has added its objects."""
    bench = Bench(5)
    world = c13([bench])
    world.start()
    eq(world.write("/32800/0", resources({2: b"written", 7: b""}) + b"\x83\x07\x41\x00\x09"), "4.00")
    eq(world.write("/32800/0", resources({2: b"written"}) + b"\x83\x07\x41\x00\x09"), "2.04")
    world.finish()
    eq((bench.words, bench.numbers, bench.whole), ("written", {0: 9}, 5))
    fresh = Bench(6)
    restarted(world, objects=[fresh])
    eq((fresh.words, fresh.numbers, fresh.whole, fresh.real), ("written", {0: 9}, 6, 1.5))
    restarted(world)  # the program has no such object any more
    creatable = restarted(world, creators=[Bench])
    eq(creatable.instances(32800), [0])


def test_other_servers_in_config_json():
    """What was stored under another configuration counts no more."""
    world = bootstrapped()
    again = restarted(world, mark=b"else")
    eq((again.bootstrap.state, again.instances(1)), ("BOOTSTRAPPING", []))
    third = restarted(world)  # but it is there until something new is stored
    eq(third.server.state, "REGISTERED")


def test_garbage_in_the_store():
    """Whatever is there: the device starts, with what config.json says."""
    world = bootstrapped()
    whole = world.store.found["accounts"]
    for raw in [b"", b"mark", b"mar", whole[:-1], whole[:30], whole + b"\0"] + [
        b"mark" + junk for junk in noise(60, 50)
    ]:
        store = Memory()
        store.found["accounts"] = raw
        again = c13(store=store)
        again.start()
        assert again.bootstrap.state in ("BOOTSTRAPPING", "IDLE")
        assert 1 in again.instances(0) or again.bootstrap.security is None


# -- later changes -----------------------------------------------------------------------------------------------------


def test_later_writes_are_stored_before_their_answer():
    """Write, Write-Attributes, which are not, and the deletion of an account; reads and sensors store nothing."""
    world = bootstrapped()
    eq(world.store.saves, 1)
    eq(world.server.put("/1/0/1", b"3600", content_format=0).code, "2.04")
    eq((world.store.saves, accounts_of(restarted(world))), (2, {1: ("coap://server1", 3600)}))
    world.server.get("/1/0")
    world.server.put("/1/0?pmin=5", content_format=None)
    world.server.post("/1/0/8")
    world.client.tree.objects[3][0].set("manufacturer", "else")
    world.advance(10)
    eq(world.store.saves, 2)


def test_a_write_that_cannot_be_stored():
    """5.03, one line; reads go on, and so do later Writes once there is room."""
    world = bootstrapped()
    world.store.full = True
    eq(world.server.put("/1/0/1", b"3600", content_format=0).code, "5.03")
    eq(world.server.get("/1/0/1").text, "86400")
    eq([world.server.post(path).code for path in ("/1/0/8", "/3/0/12")], ["2.04", "2.04"])
    world.store.full = False
    eq(world.server.put("/1/0/1", b"7200", content_format=0).code, "2.04")
    eq(accounts_of(restarted(world)), {1: ("coap://server1", 7200)})


def test_what_could_not_be_stored_is_not_in_force():
    """Neither an optional value that was not there, nor rights; no Update, and the observers see nothing new."""
    world = c14()
    world.start()
    world.server.post("/1/0/9")
    world.advance(1)
    eq(world.bs.post("/bs").code, "2.04")
    world.advance(60)
    eq(world.server.observe("/1/0/1", token=b"o").code, "2.05")
    world.server.requests()
    world.store.full = True
    whole = b"\xc1\x01\x3c\xc1\x05\x09\xc1\x06\x01\xc1\x07U"
    eq(world.server.put("/1/0", whole, content_format=11542).code, "5.03")
    eq(world.server.put("/2/0/2", b"\x86\x02\x41\x01\x01\x41\x02\x0f", content_format=11542).code, "5.03")
    world.advance(10)
    account, control = world.client.tree.objects[1][0], world.client.tree.objects[2][0]
    eq((account.lifetime, account.disable_timeout, control.acl), (300, None, {1: 15}))
    eq((world.server.requests(), world.server.notifications(b"o")), ([], []))
    world.store.full = False
    eq(world.server.put("/1/0", whole, content_format=11542).code, "2.04")
    eq((account.lifetime, account.disable_timeout), (60, 9))


def test_rights_that_a_program_adds_at_each_start():
    """As README says it, after what was stored is back: neither a second instance nor an error, over three restarts."""

    def program(store):
        world = c13([Bench()], store=store)
        rights = world.client.add(AccessControl(32800, 0, owner=1, acl={1: 15}))
        world.start()
        return world, rights

    world, _ = program(None)
    world.finish()
    eq(world.instances(2), [0])
    for lifetime in (b"500", b"600", b"700"):
        world, rights = program(world.store)
        world.advance(1)
        eq((world.server.state, world.instances(2), rights.iid, rights.acl), ("REGISTERED", [0], 0, {1: 15}))
        eq(world.server.put("/1/0/1", lifetime, content_format=0).code, "2.04")


def test_factory_accounts_are_not_stored():
    """Without a bootstrap, config.json says what counts at the next start."""
    world = c14()
    world.start()
    eq(world.server.put("/1/0/1", b"3600", content_format=0).code, "2.04")
    eq((world.store.saves, accounts_of(world)[1][1]), (0, 3600))


# -- power cuts and full disks -----------------------------------------------------------------------------------------


def test_power_cut_at_every_step_of_a_commit():
    """A second bootstrap: the old accounts or the new ones; and if the Finish was answered by 2.04, the new ones."""
    flash = Flash()
    bootstrapped(store=SimulatedStore(flash))
    before = dict(flash.files)
    old, new = {1: ("coap://server1", 86400)}, {1: ("coap://server2", 60)}
    steps, outcomes = 0, []
    while not outcomes or outcomes[-1] != "finished":
        flash.files, flash.steps = dict(before), None
        world = c13(store=SimulatedStore(flash))
        world.start()
        world.server.post("/1/0/9")
        world.advance(1)
        eq([world.write("/0", security(uri=b"coap://server2")), world.write("/1", server(lifetime=60))], ["2.04"] * 2)
        flash.steps = steps
        try:
            eq(world.bs.post("/bs").code, "2.04")
            outcomes.append("finished")
        except PowerCut:
            outcomes.append("cut")
        flash.steps = None
        found = accounts_of(restarted(world))
        assert found in (old, new), found
        if outcomes[-1] == "finished":
            eq(found, new)
        steps += 1
    assert len(outcomes) > 20, outcomes


def test_power_cut_during_a_bootstrap():
    """Before the Finish nothing is stored, whatever was written."""
    world = bootstrapped()
    world.server.post("/1/0/9")
    world.advance(1)
    eq([world.bs.delete("/1").code, world.write("/0", security(uri=b"coap://server2"))], ["2.02", "2.04"])
    again = restarted(world)
    eq((accounts_of(again), again.server.state), ({1: ("coap://server1", 86400)}, "REGISTERED"))


def test_full_disk_at_the_commit():
    """An answer of class 5, the old accounts, their registration goes on; and the next attempt may work."""
    world = bootstrapped()
    location = world.server.registration
    world.server.requests()
    world.server.post("/1/0/9")
    world.advance(1)
    eq([world.write("/0", security(uri=b"coap://server2")), world.write("/1", server(lifetime=60))], ["2.04"] * 2)
    world.store.full = True
    eq((world.bs.post("/bs").code[0], world.bootstrap.state), ("5", "WAITING"))
    eq(accounts_of(world), {1: ("coap://server1", 86400)})
    world.advance(5)
    eq((world.server.state, world.server.registration is location), ("REGISTERED", True))
    eq([packet.path for packet in world.server.requests()], ["/rd/5a3f"])
    world.store.full = False
    world.advance(15)
    eq(world.bootstrap.state, "BOOTSTRAPPING")
    eq([world.write("/0", security(uri=b"coap://server2")), world.write("/1", server(lifetime=60))], ["2.04"] * 2)
    eq(world.bs.post("/bs").code, "2.04")
    eq(accounts_of(restarted(world)), {1: ("coap://server2", 60)})


def test_power_cut_during_a_factory_reset():
    """The accounts or none."""
    flash = Flash()
    bootstrapped(store=SimulatedStore(flash))
    before = dict(flash.files)
    for steps in range(4):
        flash.files, flash.steps = dict(before), None
        world = c13(store=SimulatedStore(flash))
        world.start()
        flash.steps = steps
        try:
            world.client.factory_reset()
        except PowerCut:
            pass
        flash.steps = None
        again = restarted(world)
        assert again.server.state == "REGISTERED" or again.bootstrap.state == "BOOTSTRAPPING"
    eq((again.bootstrap.state, flash.files), ("BOOTSTRAPPING", {}))


def test_x_67_reboot():
    """A reboot: the stored account, and with it a Register in place of an Update; old observations are void"""
    world = c13([Probe()])
    world.start()
    world.finish()
    world.advance(1)
    (server,) = world.client.registrations
    old = world.server
    old.observe("/32801/0/1", token=b"o")
    eq((server.state, old.registration.location), ("REGISTERED", [b"rd", b"5a3f"]))
    again = c13([Probe()], store=world.store)
    again.start()
    eq([packet.path for packet in again.server.requests()], ["/rd"])
    eq(again.bs.requests(), [])
    again.client.tree.objects[32801][0].set("whole", 9)
    again.advance(10)
    eq((again.server.state, again.server.notifications()), ("REGISTERED", []))
