"""What a Bootstrap-Server may do and what not, in blocks as well; and what nonsense from one comes to."""

from coap.errors import ServiceUnavailable
from configurations import Bench, Probe
from configurations_bootstrap import TLV, c13, resources, security, server, tlv
from lwm2m import bootstrap
from lwm2m.object import Object
from support import each, eq, noise
from watch import Watch

SENML_JSON = 110


class Stubborn(Object):
    """Hardware that does not obey, and a value that the device itself finds out."""

    OID = 32772
    RES = "\n0 RW int first\n1 RW int second\n2 R str found\n3 R str fixed\n"
    first = 1
    second = 2
    fixed = "a"

    def write_second(self, value):
        if value > 50:
            raise ServiceUnavailable("stuck")
        self.set("second", value)

    def found(self):
        return "here"


def bootstrapping(*objects, **settings):
    """C.13 after the answer to its Request."""
    world = c13(list(objects), **settings)
    world.start()
    world.bs.requests()
    return world


# -- operations --------------------------------------------------------------------------------------------------------


def test_what_is_not_allowed():
    """4.05, and 4.00 for the Delete of a resource; 4.15 and 4.06 for formats, 4.00 for payloads."""
    world = bootstrapping(Bench())
    body = {"content_format": TLV}
    asked = (
        ("GET", "/", {}, "4.05"),
        ("GET", "/1/0", {"accept": 40}, "4.05"),
        ("GET", "/1/0/1", {}, "4.05"),
        ("GET", "/32800", {}, "4.05"),
        ("GET", "/4711", {"accept": 40}, "4.04"),
        ("GET", "/2/5", {}, "4.04"),
        ("GET", "/1", {"accept": 50}, "4.06"),
        ("GET", "/1/0/0/0", {}, "4.05"),
        ("GET", "/one", {}, "4.00"),
        ("PUT", "/", body, "4.05"),
        ("PUT", "/1?pmin=5", {}, "4.05"),
        ("PUT", "/32800/0/7/0", body, "4.05"),
        ("PUT", "/1", body, "4.00"),
        ("PUT", "/1", {"content_format": 50}, "4.15"),
        ("PUT", "/1/0", {}, "4.15"),
        ("PUT", "/1", {"payload": b"\xff\xff", "content_format": TLV}, "4.00"),
        ("PUT", "/1", {"payload": resources({0: b"\1"}), "content_format": TLV}, "4.00"),
        ("PUT", "/1/0/1", {"payload": b"soon"}, "4.00"),
        ("PUT", "/1/0/7", {"payload": b"X"}, "4.00"),
        ("PUT", "/3/1", {"payload": resources({0: b"a"}), "content_format": TLV}, "4.05"),
        ("POST", "/", {}, "4.05"),
        ("POST", "/1", {}, "4.05"),
        ("POST", "/1/0", {}, "4.05"),
        ("POST", "/3/0/4", {}, "4.05"),
        ("POST", "/rd", {}, "4.00"),
        ("DELETE", "/1/0/1", {}, "4.00"),
        ("DELETE", "/1/0", {}, "4.04"),
        ("DELETE", "/1", {}, "2.02"),
        ("FETCH", "/", {}, "4.05"),
        ("iPATCH", "/", {}, "4.05"),
    )
    each(asked, lambda method, path, more, code: eq(world.bs.request(method, path, **more).code, code))
    eq((world.instances(0), world.instances(1)), ([1], []))


def test_discover_of_an_object():
    """Version and parameters as in a Discover of everything; objects without instances when they can be created."""
    world = bootstrapping(creators=[Bench])
    eq(world.write("/0", security(2, b'coap://a"b', 7)), "2.04")
    eq(world.bs.get("/0", accept=40).text, '</>;lwm2m=1.1,</0/1>,</0/2>;ssid=7;uri="coap://a%22b"')
    eq(world.bs.get("/1", accept=40).text, "</>;lwm2m=1.1")
    eq(world.bs.get("/32800", accept=40).text, "</>;lwm2m=1.1,</32800>")


def test_write_at_all_levels():
    """Object, instance, resource; in TLV, text, SenML; what was there stays, what is multiple is replaced."""
    bench = Bench()
    world = bootstrapping(bench)
    eq(world.bs.put("/1/3/1", b"77", content_format=0).code, "2.04")
    account = world.client.tree.objects[1][3]
    eq((account.ssid, account.lifetime, account.binding), (None, 77, None))
    text = b'[{"bn":"/1/3/","n":"0","v":5},{"n":"7","vs":"U"},{"n":"6","vb":true},{"n":"17","v":3}]'
    eq(world.bs.put("/1/3", text, content_format=SENML_JSON).code, "2.04")
    eq((account.ssid, account.lifetime, account.retry_count), (5, 77, 3))
    text = b'[{"n":"/1/3/1","v":78},{"n":"/1/9/0","v":9},{"n":"/1/3/0","v":6}]'
    eq(world.bs.put("/1", text, content_format=SENML_JSON).code, "2.04")
    eq((account.ssid, account.lifetime, world.client.tree.objects[1][9].ssid), (6, 78, 9))
    eq(world.bs.put("/32800/0", b"\x83\x07\x41\x03\x09", content_format=TLV).code, "2.04")
    eq((bench.numbers, bench.fixed), ({3: 9}, 8))
    eq(world.bs.put("/32800/0/8", b"11", content_format=0).code, "2.04")
    eq((bench.fixed, bench.words), (11, "abc"))


def test_what_a_device_finds_out_itself():
    """A method that is read: left out of a Write of many, refused alone. A veto: nothing of that instance."""
    found = Stubborn()
    world = bootstrapping(found)
    eq(world.write("/32772/0", resources({2: b"x", 3: b"y"})), "2.04")
    eq((found.found(), found.fixed), ("here", "y"))
    eq(world.bs.put("/32772/0/2", b"x", content_format=0).code, "4.05")
    eq(world.write("/32772/0", resources({0: b"\7", 1: b"\x63"})), "5.03")
    eq((found.first, found.second), (1, 2))
    eq(world.write("/32772/0", resources({0: b"\7", 1: b"\7"})), "2.04")
    world.advance(248)
    eq((world.bootstrap.state, found.first, found.second, found.fixed), ("WAITING", 1, 2, "a"))


def test_the_id_of_its_own_account():
    """A server's account written to the id of the Bootstrap-Server's: that one moves. After an abort it is back."""
    world = bootstrapping()
    own = world.bootstrap.security
    eq(world.write("/0", security(1)), "2.04")
    eq((own.iid, own.bootstrap, world.client.tree.objects[0][1].uri), (0, True, "coap://server1"))
    world.advance(248)
    eq((world.instances(0), world.client.tree.objects[0][1] is own, own.iid), ([1], True, 1))
    world.advance(15)
    eq([world.write("/0", security(1)), world.write("/1", server())], ["2.04"] * 2)
    eq(world.bs.post("/bs").code, "2.04")
    again = c13(store=world.store)
    eq((again.bootstrap.security.iid, again.bootstrap.security.uri), (0, "coap://bs"))


def test_new_credentials_of_the_bootstrap_server():
    """It may change its own account, or write another one in its place; nonsense is refused at the Finish."""
    world = bootstrapping()
    eq(world.write("/0/1", resources({0: b"coap://bs2"})), "2.04")
    world.finish()
    world.server.post("/1/0/9")
    world.advance(1)
    bs2 = world.peer("coap://bs2")
    eq([packet.path for packet in bs2.requests()], ["/bs"])
    account = resources({0: b"coap://bs3", 1: b"\1", 2: b"\3"})
    eq(bs2.put("/0/5", account).code, "2.04")
    eq(bs2.post("/bs").code, "2.04")
    world.advance(0)
    eq((world.instances(0), world.bootstrap.security.uri), ([0, 5], "coap://bs3"))
    world = bootstrapping()
    eq([world.write("/0/1", resources({0: b"gopher://x"})), world.write("/0", security())], ["2.04"] * 2)
    eq([world.write("/1", server()), world.bs.post("/bs").code], ["2.04", "4.06"])
    eq(world.bootstrap.security.uri, "coap://bs")


INCONSISTENT = (
    (security(uri=b""), server()),
    (security(uri=b"http://a"), server()),
    (security(uri=b"coaps://a/path"), server()),
    (security(ssid=2), server()),
    (security(mode=0), server()),
    (security(mode=0, identity=b"id"), server()),
    (security(), tlv(0, 0, resources({0: b"\1"}))),
    (security(), server() + server(1)),
    (security() + security(2, uri=b"coap://server2"), server()),
    (security(), server() + tlv(0, 1, resources({1: b"\1"}))),
    (security() + tlv(0, 3, resources({0: b"coap://x"})), server()),
    (server(), security()),
)


def test_inconsistent_accounts():
    """4.06, nothing is left, nothing is stored, nobody is registered with."""
    for found, account in INCONSISTENT:
        world = bootstrapping()
        world.bs.put("/0", found)
        world.bs.put("/1", account)
        reply = world.bs.post("/bs")
        eq((reply.code, world.bootstrap.state), ("4.06", "WAITING"))
        assert reply.payload
        eq((world.instances(0), world.instances(1), world.store.saves), ([1], [], 0))
        eq(world.bs.post("/bs").code, "4.01")


# -- in blocks ---------------------------------------------------------------------------------------------------------


def test_blocks():
    """Writes by Block1, answers by Block2; what is too big is refused with 4.13 at once."""
    world = bootstrapping(BLOCK_SIZE=64, MAX_BODY=2000)
    certificate = bytes(range(256)) * 3
    body = security(0, b"coaps://a", 1, 2, certificate, b"key" * 30, values={4: b"its certificate"}) + security(
        3, b"coap://b", 3
    )
    replies = world.bs.put_blocks("/0", body, content_format=TLV)
    eq((replies[-2].code, replies[-1].code), ("2.31", "2.04"))
    eq(world.client.tree.objects[0][0].identity, certificate)
    accounts = b"".join([server(iid, iid + 1) for iid in range(8)])
    eq(world.bs.put_blocks("/1", accounts, szx=6, content_format=TLV)[-1].code, "2.04")
    body, replies = world.bs.get_blocks("/1", accept=TLV)
    eq((body, replies[0].block2), (accounts, (0, True, 2)))
    body, _ = world.bs.get_blocks("/", accept=40)
    assert body.startswith(b'</>;lwm2m=1.1,</0/0>;ssid=1;uri="coaps://a",</0/1>,'), body
    reply = world.bs.put("/0", b"x" * 64, block1=(0, True, 2), size1=5000)
    eq((reply.code, reply.size1), ("4.13", 2000))
    replies = world.bs.put_blocks("/0", b"\x08\x00" + bytes(3000), content_format=TLV)
    eq((replies[-1].code, len(replies)), ("4.13", 32))
    eq(world.bs.put("/0", b"x" * 64, block1=(3, True, 2)).code, "4.08")
    eq(world.bs.post("/1", b"x" * 64, block1=(0, True, 2)).code, "4.05")
    eq(world.bs.post("/bs").code, "2.04")
    world.advance(0)
    eq(len(world.client.registrations), 2)


def test_pack_in_blocks():
    """A pack that comes in blocks; one that is too big, or never ends, is followed by a Request."""
    from test_int_0 import PACK

    world = c13(version="1.2", BLOCK_SIZE=32)

    def part(packet):
        num, _, szx = packet.block2 or (0, False, 1)
        data = PACK[num << szx + 4 : num + 1 << szx + 4]
        more = num + 1 << szx + 4 < len(PACK)
        return "2.05", [(12, 112), (23, num << 4 | more << 3 | szx)], data

    world.bs.answer = part
    world.start()
    world.advance(1)
    eq((world.bootstrap.state, world.server.state), ("FINISHED", "REGISTERED"))
    world = c13(version="1.2", BLOCK_SIZE=16, MAX_BODY=100)
    endless = lambda packet: ("2.05", [(23, packet.get(23)[0] | 8 if packet.get(23) else 8)], b"x" * 16)  # noqa: E731
    world.bs.script(*[endless] * 7)
    world.start()
    eq([packet.path for packet in world.bs.requests()], ["/bspack"] * 7 + ["/bs"])


def test_packs_that_are_no_good():
    """Everything as before, and a Request; what a pack replaces it replaces as a whole."""
    from configurations_bootstrap import World

    packs = (
        b"\x81\xa2\x00\x65/1/0/\x02\x05",
        b"\x81\xa2\x00\x66/1/0/0\x03\x61a",
        b"\x81\xa2\x00\x66/1/0/0\x02\x05",
        b"\x81\xa2\x00\x69/4711/0/0\x02\x05",
        b"\x81\xa1\x00\x62/1",
        b"\x80",
        b"",
    )
    for pack in packs:
        world = World(count=1, version="1.2", RETRY_COUNT=1)
        world.server.answer = lambda packet: "4.03"
        world.bs.script(("2.05", [(12, 112)], pack))
        world.start()
        world.advance(1)
        eq((world.bootstrap.state, world.instances(0), world.instances(1)), ("BOOTSTRAPPING", [0, 1], [0]))
        eq(([packet.path for packet in world.bs.requests()]), ["/bspack", "/bs"])
        eq((world.client.tree.objects[1][0].ssid, world.store.saves), (1, 0))


# -- nonsense ----------------------------------------------------------------------------------------------------------


def test_noise():
    """Whatever a Bootstrap-Server sends: the client lives on, and all is as before when it has given up."""
    probe = Probe()
    world = bootstrapping(probe)
    paths = ("/0", "/0/1", "/1", "/1/0", "/1/0/1", "/2", "/2/0", "/3", "/3/0/13", "/32801/0", "/", "/0/0", "/21/0")
    formats = (0, 42, 60, 110, 112, 11542, 11543)
    for number, junk in enumerate(noise(400, 60)):
        reply = world.bs.put(paths[number % len(paths)], junk, content_format=formats[number % len(formats)], wait=0)
        assert reply.code[0] in "24", reply
        if number % 9 == 0:
            world.bs.send(junk)
    world.advance(248)
    eq((world.bootstrap.state, world.instances(0), world.instances(1), world.store.saves), ("WAITING", [1], [], 0))
    eq((probe.value, probe.words), (0.0, "a"))
    world.advance(20)
    world.finish()
    eq(world.server.state, "REGISTERED")


def test_too_many_instances():
    """5.03 beyond Config.INSTANCES; and creating and deleting for ever costs nothing."""
    world = bootstrapping(INSTANCES=10)
    codes = [world.write("/1/%d" % iid, resources({0: bytes([iid + 1])})) for iid in range(12)]
    eq((codes.count("2.04"), codes[-1]), (10, "5.03"))
    eq(world.bs.delete("/1").code, "2.02")
    for _ in range(200):
        eq(world.write("/1/5", resources({0: b"\1"})), "2.04")
        eq(world.bs.delete("/1/5").code, "2.02")
    world.finish()
    eq((world.server.state, world.instances(1)), ("REGISTERED", [0]))


def test_a_second_2_04():
    """Repeated and late answers to the Request change nothing."""
    world = c13()
    world.bs.script("")
    world.start()
    (request,) = world.bs.requests()
    for _ in range(3):
        world.bs.respond(request, "2.04")
        world.bs.respond(request, "4.00")
    eq(world.bootstrap.state, "BOOTSTRAPPING")
    world.finish()
    world.bs.respond(request, "4.00")
    eq((world.bootstrap.state, world.server.state), ("FINISHED", "REGISTERED"))


# -- all or nothing ----------------------------------------------------------------------------------------------------


def test_a_refused_write_adds_nothing():
    """Three instances, and the last is refused: the new ones go, the old one has its values, and the Finish tells."""
    world = bootstrapping()
    eq([world.write("/0", security()), world.write("/1", server())], ["2.04", "2.04"])
    three = server(lifetime=77) + server(1, 2) + server(2, 3, values={7: b"X"})
    eq(world.write("/1", three), "4.00")
    eq((world.instances(1), world.client.tree.objects[1][0].lifetime), ([0], 86400))
    world = bootstrapping(INSTANCES=3)
    eq((world.write("/1", server(0) + server(1, 2) + server(2, 3) + server(3, 4)), world.instances(1)), ("5.03", []))


def test_a_refused_write_moves_nothing():
    """The Bootstrap-Server's own account is where it was if the Write that wanted its id is refused."""
    world = bootstrapping(INSTANCES=2)
    own = world.bootstrap.security
    eq(world.write("/0", security(1) + security(2, ssid=2)), "5.03")
    eq((world.instances(0), own.iid, own.uri), ([1], 1, "coap://bs"))
    eq((world.write("/0", security(1)), world.instances(0), own.iid), ("2.04", [0, 1], 0))


def test_a_refused_write_calls_no_hardware_twice():
    """What a method finds out is put back as a value; and nothing is stored of what was not written."""

    class Dial(Object):
        """A value by a method, and a hook that sets it."""

        OID = 32773
        RES = "\n0 RW int angle\n"

        def __init__(self, angle):
            self.turned = [angle]

        def angle(self):
            return self.turned[-1]

        def write_angle(self, value):
            if value > 50:
                raise ServiceUnavailable("stuck")
            self.turned.append(value)

    one, two = Dial(1), Dial(2)
    world = bootstrapping(one, two)
    eq(world.write("/32773", tlv(0, 0, resources({0: b"\7"})) + tlv(0, 1, resources({0: b"\x64"}))), "5.03")
    eq((one.turned, two.turned), ([1, 7, 1], [2]))
    world.finish()
    eq(world.client.accounts._others, {})


# -- what there is not -------------------------------------------------------------------------------------------------


def test_an_optional_resource_without_an_attribute():
    """/3/0/9, the battery level of a board without battery: 4.05, left out of more, and the bootstrap goes on."""
    world = bootstrapping()
    eq(world.bs.put("/3/0/9", b"50", content_format=0).code, "4.05")
    eq((world.write("/3/0", resources({9: b"\x32"})), world.bootstrap.state), ("2.04", "BOOTSTRAPPING"))
    world.finish()
    eq(world.server.state, "REGISTERED")


def test_a_pack_with_an_optional_resource_without_an_attribute():
    """The same in a pack: the rest of it counts."""
    from test_int_0 import PACK

    world = c13(version="1.2")
    battery = b"\xa3\x21\x65/3/0/\x00\x619\x02\x05"  # {-2: "/3/0/", 0: "9", 2: 5}
    eq(PACK[0] >> 5, 4)
    world.bs.script(("2.05", [(12, 112)], bytes([PACK[0] + 1]) + PACK[1:] + battery))
    world.start()
    world.advance(1)
    eq((world.bootstrap.state, world.server.state), ("FINISHED", "REGISTERED"))


def test_half_an_account():
    """/1/1 without a Security instance: Execute of Disable and of Update Trigger have nobody to go to."""
    world = bootstrapping()
    eq([world.write("/0", security()), world.write("/1", server() + server(1, 9))], ["2.04", "2.04"])
    eq(world.bs.post("/bs").code, "2.04")
    world.advance(1)
    eq([world.server.post("/1/1/%d" % rid, wait=0).code for rid in (8, 4)], ["4.05", "4.05"])


# -- the Finish --------------------------------------------------------------------------------------------------------


def test_finish_is_answered_first():
    """The registrations begin when the 2.04 is out."""
    world = bootstrapping()
    eq([world.write("/0", security()), world.write("/1", server())], ["2.04", "2.04"])
    eq((world.bs.post("/bs", wait=0).code, world.bootstrap.state), ("2.04", "FINISHED"))
    eq((world.client.registrations, world.server.requests()), ([], []))
    world.advance(0)
    eq([packet.path for packet in world.server.requests()], ["/rd"])


def test_a_late_answer_after_the_finish():
    """The Request was acknowledged only; its answer comes when all is over, whether well or not."""

    for fit in (True, False):
        world = c13()
        world.bs.script("")
        world.start()
        (request,) = world.bs.requests()
        if fit:
            world.finish()
        eq(world.bs.post("/bs").code, "2.04" if fit else "4.06")
        state = world.bootstrap.state
        with Watch(bootstrap) as watch:
            world.bs.respond(request, ("2.04",))
            world.bs.respond(request, ("4.00",))
        eq((watch.taken, watch.missing, world.bootstrap.state), ([], [], state))
