"""Whatever a device stores, and what may be left of it: stories for flash.at_every_cut, on a flash of any kind.

Each is a function of the flash, plays one story with a cut at every step, and returns how many cuts there were. The
device that starts afterwards must have the old or the new, never neither, and what was acknowledged must be the new;
and it must be managed again.
"""

from flash import at_every_cut

from configurations import Bench, c3
from configurations_bootstrap import c13, security, server
from configurations_firmware import PACKAGE, UPDATE, URI, FileServer, package, state
from lwm2m import accounts, bootstrap
from lwm2m.file_sink import FileSink
from lwm2m.objects.firmware import Firmware
from lwm2m.objects.software import SoftwareManagement
from lwm2m.oscore import Numbers
from lwm2m.store import FileStore
from support import eq

# -- accounts ----------------------------------------------------------------------------------------------------------


def device(flash, **settings):
    """A device with a Bootstrap-Server, started with what is on the flash."""
    world = c13([Bench(5)], store=FileStore(flash.folder), **settings)
    world.start()
    world.advance(1)
    return world


def bootstrapped(flash, uri=b"coap://server1", lifetime=300, more=()):
    """A device after a bootstrap. `more` are (path, payload) that the Bootstrap-Server writes as well."""
    world = device(flash)
    bring(world, uri, lifetime, more)
    eq(world.bs.post("/bs").code, "2.04")
    world.advance(1)
    return world


def bring(world, uri, lifetime, more=()):
    """Write an account and whatever else."""
    eq([world.write("/0", security(uri=uri)), world.write("/1", server(lifetime=lifetime))], ["2.04"] * 2)
    for path, payload in more:
        eq(world.write(path, payload), "2.04")


def contents(world):
    """What is stored of a device: accounts, rights, and what was written elsewhere."""
    accounts = {}
    for one in world.client.registrations:
        accounts[one.account.ssid] = (one.security.uri, one.account.lifetime)
    rights = {}
    for control in world.client.tree.objects.get(2, {}).values():
        rights[control.object_id, control.instance_id] = (control.owner, sorted(control.acl.items()))
    return accounts, rights, world.client.tree.objects[32800][0].words


def is_managed(world):
    """A server has registered the device, or the Bootstrap-Server has its turn."""
    if world.client.registrations:
        eq([one.state for one in world.client.registrations], ["REGISTERED"] * len(world.client.registrations))
    else:
        eq(world.bootstrap.state, "BOOTSTRAPPING")


def old_or_new(flash, prepare, change):
    """change(world) -> whether it was acknowledged: afterwards all of it is there, or nothing."""
    found = []

    def act(flash, record, note):
        world = device(flash)
        found.append(contents(world))
        record()
        eq(change(world), True)
        note("done")
        world.advance(1)
        found.append(contents(world))
        assert found[0] != found[1], found

    def check(flash, acknowledged):
        world = device(flash)
        left = contents(world)
        assert left in found, left
        if acknowledged:
            eq(left, found[1])
        is_managed(world)

    kept, accounts.forget = accounts.forget, lambda package, name: None  # else most of the time goes into imports
    bootstrap.forget = accounts.forget
    try:
        return at_every_cut(flash, prepare, act, check)
    finally:
        accounts.forget = bootstrap.forget = kept


def first_bootstrap(flash):
    """Nothing or everything that it brought."""
    more = (("/32800/0", b"\xc7\x02written"), ("/2/0", b"\xc1\0\3\xc1\1\0\x83\2\x41\1\x0f\xc1\3\1"))

    def change(world):
        bring(world, b"coap://server1", 300, more)
        return world.bs.post("/bs").code == "2.04"

    return old_or_new(flash, lambda flash: None, change)


def second_bootstrap(flash):
    """Another URI and another lifetime: both or none."""

    def change(world):
        world.server.post("/1/0/9")
        world.advance(1)
        bring(world, b"coap://server2", 60)
        return world.bs.post("/bs").code == "2.04"

    return old_or_new(flash, bootstrapped, change)


def write(flash):
    """A server's Write of two resources at a time."""
    whole = b"\xc1\x01\x3c\xc1\x05\x09\xc1\x06\x01\xc1\x07U"
    return old_or_new(
        flash,
        bootstrapped,
        lambda world: world.server.put("/1/0", whole, content_format=11542).code == "2.04",
    )


def two_servers(flash):
    """A device with two accounts, and rights on both, on the device, and on instances that servers may create."""
    world = device(flash, creators=[Bench])
    both = security() + security(2, b"coap://server2", 2)
    eq([world.write("/0", both), world.write("/1", server() + server(1, 2))], ["2.04"] * 2)
    rules = ((0, 1, 0, 1), (1, 1, 1, 2), (2, 3, 0, 1), (3, 32800, 65535, 1), (4, 32800, 0, 1))
    for iid, oid, target, owner in rules:
        rule = b"\xc4\0" + oid.to_bytes(4, "big") + b"\xc4\1" + target.to_bytes(4, "big")
        eq(world.write("/2/%d" % iid, rule + b"\x83\2\x41\1\x1f\xc1\3" + bytes([owner])), "2.04")
    eq(world.bs.post("/bs").code, "2.04")
    world.advance(1)
    return world


def write_rights(flash):
    """A Write to an instance of object 2."""
    rule = b"\x86\x02\x41\x01\x01\x41\x02\x0f"
    return old_or_new(
        flash, two_servers, lambda world: world.server.put("/2/2/2", rule, content_format=11542).code == "2.04"
    )


def delete_account(flash):
    """A server deletes its own account: its URI, its rights and its account go together."""
    return old_or_new(flash, two_servers, lambda world: world.server.delete("/1/0").code == "2.02")


def create(flash):
    """A Create adds an instance of object 2, and nothing else that is kept."""

    def change(world):
        world.client.allow_create(Bench)
        made = b"\x08\x07\x03\xc1\x00\x05"  # /32800/7 with resource 0
        return world.server.post("/32800", made, content_format=11542).code == "2.01"

    return old_or_new(flash, two_servers, change)


def delete(flash):
    """A Delete takes the rights on an instance with it."""

    def change(world):
        world.client.allow_create(Bench)
        before = world.client.tree.objects[32800][0]
        done = world.server.delete("/32800/0").code == "2.02"
        world.client.add(before, 0)  # contents() looks at it
        return done

    return old_or_new(flash, two_servers, change)


def factory_reset(flash):
    """The accounts, or the Bootstrap-Server of config.json."""

    def change(world):
        world.client.factory_reset()
        world.advance(1)
        return True

    return old_or_new(flash, bootstrapped, change)


# -- packages ----------------------------------------------------------------------------------------------------------

OLD = package(b"old" * 40, "demo 1.0")
NEW = package(bytes([index * 7 & 255 for index in range(1500)]))
LONG = package(bytes([index * 7 & 255 for index in range(8700)]))  # with a checkpoint in it


def updatable(flash):
    """A device with Firmware Update, registered; `peer.reboots` counts what its reboot was asked for."""
    peer = c3(BLOCK_SIZE=1024)
    peer.client.store = FileStore(flash.folder)
    peer.reboots = []
    peer.files = FileServer(peer, LONG)
    peer.files.szx = 6
    sink = FileSink(flash.folder + "fw.img", 100000)
    peer.firmware = Firmware(sink, lambda: peer.reboots.append(peer.now))
    peer.client.add(peer.firmware)
    peer.register()
    return peer


def with_old(flash):
    """A flash with the package that runs."""
    with flash.open(flash.folder + "fw.img", "wb") as file:
        file.write(OLD)


def push(peer):
    """Push the new package; whether it was taken."""
    return peer.put_blocks(PACKAGE, NEW, szx=6, content_format=42)[-1].code == "2.04"


def push_at_once(peer, record):
    """Push while the power may be cut."""
    record()
    return push(peer)


def pull(peer, record):
    """Pull a long package; whether it is there. The power may be cut from its seventh block on."""

    def answer(packet):
        if packet.block2[0] == 6:
            record()
        return peer.files.serve(packet)

    peer.files.answer = answer
    eq(peer.put(URI, peer.files.uri.encode(), content_format=0).code, "2.04")
    peer.advance(60)
    return state(peer) == (2, 0)


def brought(flash, bring, body):
    """A package comes, by push or pull. After a cut it is there, or goes on coming, or has failed; what ran before is
    untouched; and in the end it can be had."""

    def act(flash, record, note):
        peer = updatable(flash)
        if bring(peer, record):
            note(True)

    def check(flash, acknowledged):
        peer = updatable(flash)
        peer.advance(60)  # a pull goes on
        found = state(peer)
        assert found == (2, 0) or (found in ((0, 0), (0, 4), (0, 8)) and not acknowledged), found
        eq(flash.read("fw.img"), OLD)
        if found[0] == 0:
            eq((push(peer), flash.read("fw.img.part")), (True, NEW))
        else:
            eq(flash.read("fw.img.part"), body)
        eq(state(peer), (2, 0))

    return at_every_cut(flash, with_old, act, check)


def pushed(flash):
    """By a push."""
    return brought(flash, push_at_once, NEW)


def pulled(flash):
    """By a pull, which takes up at its checkpoint."""
    return brought(flash, pull, LONG)


def installed(flash):
    """From Execute Update to the restart: what is there is the old package or the new one, and the state says which."""

    def prepare(flash):
        with_old(flash)
        eq(push(updatable(flash)), True)

    def act(flash, record, note):
        peer = updatable(flash)
        record()
        if peer.post(UPDATE).code == "2.04":
            note("update")
        peer.advance(1)
        if peer.reboots:
            note("reboot")
        updatable(flash)

    def check(flash, acknowledged):
        peer = updatable(flash)
        content, found = flash.read("fw.img"), state(peer)
        assert (content == NEW and found == (0, 1)) or (content == OLD and found in ((2, 0), (0, 8))), found
        if "reboot" in acknowledged:
            eq(found, (0, 1))
        if found == (0, 8):
            eq(push(peer), True)
        if found != (0, 1):
            eq(peer.post(UPDATE).code, "2.04")
            peer.advance(1)
            eq((state(updatable(flash)), flash.read("fw.img")), ((0, 1), NEW))

    return at_every_cut(flash, prepare, act, check)


def reset(flash):
    """A package that is there is given up: it is there, or gone, and a new one can come."""

    def prepare(flash):
        with_old(flash)
        eq(push(updatable(flash)), True)

    def act(flash, record, note):
        peer = updatable(flash)
        record()
        if peer.put(URI, b"", content_format=0).code == "2.04":
            note(True)

    def check(flash, acknowledged):
        peer = updatable(flash)
        found = state(peer)
        assert found == (0, 0) or (found in ((2, 0), (0, 8)) and not acknowledged), found
        eq(flash.read("fw.img"), OLD)
        if found[0] == 0:
            eq(push(peer), True)
        eq(state(peer), (2, 0))

    return at_every_cut(flash, prepare, act, check)


def software(flash):
    """Software is pushed and installed in the place of other: that or the new is there, and it can be done again."""

    def managed(flash):
        peer = c3([SoftwareManagement(FileSink(flash.folder + "app.img", 100000))], BLOCK_SIZE=1024)
        peer.register()
        return peer

    def bring(peer):
        return (
            peer.put_blocks("/9/0/2", NEW, szx=6, content_format=42)[-1].code == "2.04"
            and peer.post("/9/0/4").code == "2.04"
        )

    def prepare(flash):
        with flash.open(flash.folder + "app.img", "wb") as file:
            file.write(OLD)

    def act(flash, record, note):
        peer = managed(flash)
        record()
        if bring(peer):
            peer.advance(1)
            note(peer.get("/9/0/9").text)

    def check(flash, acknowledged):
        peer = managed(flash)
        content = flash.read("app.img")
        assert content in (OLD, NEW), content
        if acknowledged:
            eq((acknowledged, content), (["2"], NEW))
        eq(bring(peer), True)
        peer.advance(1)
        eq((peer.get("/9/0/7").text, flash.read("app.img")), ("4", NEW))

    return at_every_cut(flash, prepare, act, check)


# -- OSCORE ------------------------------------------------------------------------------------------------------------


def numbers(flash):
    """The numbers of messages under two keys: none that was given out comes again."""

    def reserve(key):
        found = Numbers(Holder(flash))
        found.fingerprint = key * 8
        return found.reserve()

    def prepare(flash):
        eq([reserve(b"A"), reserve(b"B"), reserve(b"A")], [(0, 64), (0, 64), (64, 128)])

    def act(flash, record, note):
        record()
        for key in (b"A", b"B", b"A"):
            note((key, reserve(key)[1]))

    def check(flash, acknowledged):
        used = {b"A": 128, b"B": 64}
        used.update(dict(acknowledged))
        for key in (b"A", b"B"):
            first = reserve(key)[0]
            assert used[key] <= first <= used[key] + 64, (key, first)

    return at_every_cut(flash, prepare, act, check)


class Holder:
    """What Numbers wants of a client."""

    def __init__(self, flash):
        self.store = FileStore(flash.folder)
