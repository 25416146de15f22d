"""What a server changes and the device cannot store is answered with 5.03, and then nothing of it stays."""

from configurations import Bench
from configurations_bootstrap import Memory, c13, resources, security, server
from support import eq

FULL = 11542


class Store(Memory):
    """A Memory that can also be too small for what is to be saved."""

    error = None

    def save(self, name, data):
        if self.error:
            raise self.error
        super().save(name, data)


def two_servers(**settings):
    """A bootstrapped device: two servers, rights on both accounts and on /32800/0, which server 1 owns and no other may
    touch; servers may create its like."""
    world = c13(creators=[Bench], store=Store(), **settings)
    world.start()
    accounts = security() + security(2, b"coap://server2", 2)
    eq([world.write("/0", accounts), world.write("/1", server() + server(1, 2))], ["2.04"] * 2)
    eq(world.write("/32800/0", resources({0: b"\5"})), "2.04")
    for iid, oid, target, acl in (
        (0, 1, 0, b"\x41\1\x1f\x41\2\1"),
        (1, 1, 1, b"\x41\2\x1f"),
        (2, 32800, 0, b"\x41\1\x1f"),
        (3, 32800, 65535, b"\x41\1\x1f"),
        (4, 3, 0, b"\x41\1\1\x41\2\3"),
    ):
        rule = b"\xc4\0" + oid.to_bytes(4, "big") + b"\xc4\1" + target.to_bytes(4, "big")
        rule += bytes([0x80 | len(acl), 2]) + acl + b"\xc1\3\1"
        eq(world.write("/2/%d" % iid, rule), "2.04")
    eq(world.bs.post("/bs").code, "2.04")
    world.advance(1)
    return world


def picture(world):
    """All that a Create or Delete may touch."""
    tree, client = world.client.tree, world.client
    rights = {}
    for control in tree.objects[2].values():
        rights[control.iid] = (control.object_id, control.instance_id, control.owner, sorted(control.acl.items()))
    instances = {oid: {iid: id(tree.objects[oid][iid]) for iid in tree.objects[oid]} for oid in (0, 1, 32800)}
    servers = [(id(one), one.state, sorted(one.attributes)) for one in client.registrations]
    return rights, instances, servers, tree.version


def watched(world):
    """Both servers observe what may go, and have attributes on it."""
    world.server.observe("/1/0/1", token=b"a")
    world.server.observe("/32800/0/0", token=b"b")
    world.server2.observe("/1/0/1", token=b"c")
    world.server.put("/32800/0?pmax=60", content_format=None)
    world.server2.put("/1/0?pmax=50", content_format=None)
    world.advance(1)
    for peer in (world.server, world.server2):
        peer.take(), peer.requests(), peer.notifications()


def refused(world, act, error):
    """The answer to a request while nothing can be saved; all is as before, also to those who look on."""
    watched(world)
    before = picture(world)
    world.store.error = error
    eq(act(world).code, "5.03")
    eq(picture(world), before)
    world.advance(40)
    eq(picture(world), before)
    for peer in (world.server, world.server2):
        eq([packet.code for packet in peer.requests() + peer.notifications()], [])
    world.store.error = None
    world.client.tree.objects[1][0].set("lifetime", 86000)
    world.client.tree.objects[32800][0].set("whole", 6)
    world.advance(61)
    told = [packet.token for packet in world.server.notifications() + world.server2.notifications()]
    eq({token: token in told for token in (b"a", b"b", b"c")}, {b"a": True, b"b": True, b"c": True})


def each_error(act):
    for error in (OSError(28, "full"), MemoryError("none left")):
        world = two_servers()
        refused(world, act, error)
        assert act(world).code in ("2.01", "2.02")
        world.advance(1)
        again = c13(creators=[Bench], store=world.store)
        again.start()
        eq(sorted(again.client.tree.objects[1]), sorted(world.client.tree.objects[1]))
        eq(sorted(again.client.tree.objects[2]), sorted(world.client.tree.objects[2]))


def test_delete_of_an_account():
    """With its URI, its rights, and what only its server could use."""
    each_error(lambda world: world.server.delete("/1/0"))


def test_delete_of_an_instance():
    """With the rights on it."""
    each_error(lambda world: world.server.delete("/32800/0"))


def test_create():
    """With the rights on it."""
    each_error(lambda world: world.server.post("/32800", b"\x08\x07\x03\xc1\x00\x05", content_format=FULL))


def test_delete_when_all_goes_well():
    """The account, its URI, its rights, what it alone could use; the other server hears what is gone."""
    world = two_servers()
    watched(world)
    eq(world.server.delete("/1/0").code, "2.02")
    world.advance(1)
    eq({oid: world.instances(oid) for oid in (0, 1, 2, 32800)}, {0: [1, 2], 1: [1], 2: [1, 4], 32800: []})
    eq([(packet.token, packet.code) for packet in world.server2.notifications()], [(b"c", "4.04")])
    control = world.client.tree.objects[2][4]
    eq((control.owner, control.acl), (2, {2: 3}))
    eq(world.server.state, "STOPPED")


def test_a_write_without_memory_to_store_it():
    """5.03, and the value is the old one; the next one works."""
    world = two_servers()
    world.store.error = MemoryError()
    eq(world.server.put("/1/0/1", b"3600", content_format=0).code, "5.03")
    eq(world.server.get("/1/0/1").text, "86400")
    world.store.error = None
    eq(world.server.put("/1/0/1", b"3600", content_format=0).code, "2.04")


def test_the_last_block_of_a_write_that_cannot_be_stored():
    """Whoever sends it once more, as a new message, is told the same."""
    world = two_servers()
    whole = b"\xc4\x01\0\0\x0e\x10\xc1\x02\x01\xc1\x05\x09\xc1\x06\x01\xc1\x07U"
    world.store.error = OSError(28, "full")
    eq(world.server.put("/1/0", whole[:16], block1=(0, True, 0)).code, "2.31")
    for _ in range(2):
        eq(world.server.put("/1/0", whole[16:], block1=(1, False, 0)).code, "5.03")
    eq(world.server.get("/1/0/1").text, "86400")
