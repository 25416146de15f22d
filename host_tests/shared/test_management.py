"""Who may ask, in which order requests are checked, Read, Discover, Write-Attributes and Execute."""

from coap.errors import BadRequest, NotFound
from configurations import Bench, account_of, device
from lwm2m.object import Object
from peer import Peer
from support import each, eq, unhex

TLV = 11542


def registered(objects=(), **settings):
    """(peer, bench) with a /32800/0 and a /32800/3."""
    bench = Bench(4)
    peer = Peer([device(), bench] + list(objects), **settings)
    peer.client.add(Bench(5), 3)
    peer.register()
    return peer, bench


# -- who may ask -------------------------------------------------------------------------------------------------------


def check_silence(peer, bench):
    """No answer to anything that a server may ask, and no effect."""
    peer.take()
    for method, path, more in (
        ("GET", "/3/0/0", {}),
        ("GET", "/3/0/0", {"type": "NON"}),
        ("GET", "/3/0/0", {"observe": 0}),
        ("GET", "/0", {}),
        ("GET", "/99999", {}),
        ("PUT", "/32800/0/0", {"payload": b"77"}),
        ("PUT", "/32800/0/0", {"payload": b"7" * 16, "block1": (0, True, 0)}),
        ("POST", "/32800/0/9", {}),
        ("DELETE", "/32800/0", {}),
        ("FETCH", "/", {}),
        (0x1F, "/3/0/0", {}),
    ):
        eq((method, path, peer.request(method, path, wait=0, **more)), (method, path, None))
    eq((bench.whole, bench.acts, bench.iid), (4, [], 0))


def test_only_a_registered_server_may_ask():
    """Silence before, while disabled, after a refusal and after the end; nothing of it is made up for later."""
    bench = Bench(4)
    peer = Peer([device(), bench])
    check_silence(peer, bench)
    peer.script(None)
    peer.client.start(peer.now)
    check_silence(peer, bench)
    peer.poll()
    eq(peer.state, "REGISTERING")
    check_silence(peer, bench)
    peer.script("4.03", None)
    peer.advance(4)
    eq(peer.state, "WAITING")
    check_silence(peer, bench)
    peer.script()
    peer.advance(20)
    peer.advance(100)
    eq((peer.state, peer.get("/32800/0/0").payload, bench.acts), ("REGISTERED", b"4", []))
    account_of(peer).disable_timeout = 50
    peer.post("/1/0/4")
    peer.advance(1)
    eq(peer.state, "DISABLED")
    check_silence(peer, bench)
    peer.advance(60)
    eq(peer.get("/32800/0/0").payload, b"4")
    peer.client.stop(peer.now)
    peer.poll()
    check_silence(peer, bench)


# -- the order of checks -----------------------------------------------------------------------------------------------


ORDER = [
    # the path
    ("GET", "/", {}, "4.00"),
    ("GET", "/0/0/0/0/0", {}, "4.00"),
    ("GET", "/0/x", {}, "4.00"),
    ("GET", "/65535", {}, "4.00"),
    ("PUT", "/03/0/0", {"payload": b"1"}, "4.00"),
    ("POST", "/rd", {}, "4.00"),
    # closed objects, whatever is wrong besides
    ("GET", "/0/99/99", {"accept": 50}, "4.01"),
    ("PUT", "/0/99", {"payload": b"x", "content_format": 50}, "4.01"),
    # object and instance, before the resource
    ("GET", "/99", {"accept": 50}, "4.04"),
    ("GET", "/32800/1/99", {"accept": 50}, "4.04"),
    ("PUT", "/32800/1/8", {"payload": b"x", "content_format": 50}, "4.04"),
    ("PUT", "/32800/1?pmin=x", {}, "4.04"),
    ("POST", "/99", {"payload": b"x", "content_format": 50}, "4.04"),
    ("POST", "/32800/1/9", {"payload": b"x", "content_format": 50}, "4.04"),
    ("DELETE", "/99/0", {}, "4.04"),
    ("DELETE", "/32800/1", {}, "4.04"),
    # the resource, before the operation
    ("GET", "/32800/0/99", {"accept": 50}, "4.04"),
    ("GET", "/32800/0/11", {}, "4.04"),
    ("PUT", "/32800/0/99", {"payload": b"x", "content_format": 50}, "4.04"),
    ("PUT", "/32800/0/99?pmin=x", {}, "4.04"),
    ("POST", "/32800/0/99", {"payload": b"x", "content_format": 50}, "4.04"),
    ("POST", "/32800/0/15", {}, "4.04"),
    ("GET", "/32800/0/7/9", {"accept": 50}, "4.06"),
    ("GET", "/32800/0/7/9", {}, "4.04"),
    ("GET", "/32800/0/0/0", {}, "4.04"),
    ("PUT", "/32800/0/7/9", {"payload": b"1"}, "4.04"),
    ("PUT", "/32800/0/0/0", {"payload": b"1"}, "4.04"),
    # the operation, before the formats
    ("GET", "/32800/0/9", {"accept": 50}, "4.05"),
    ("GET", "/32800/0/10", {"accept": 50}, "4.05"),
    ("PUT", "/32800/0/8", {"payload": b"x", "content_format": 50}, "4.05"),
    ("PUT", "/32800/0/9", {"payload": b"x"}, "4.05"),
    ("PUT", "/32800", {"payload": b"x", "content_format": 50}, "4.05"),
    ("POST", "/32800", {"payload": b"x", "content_format": 50}, "4.05"),
    ("POST", "/32800/0/0", {"payload": b"x", "content_format": 50}, "4.05"),
    ("POST", "/32800/0/7/0", {"payload": b"x", "content_format": 50}, "4.05"),
    ("DELETE", "/32800/0", {}, "4.05"),
    ("DELETE", "/32800/0/0", {}, "4.05"),
    ("DELETE", "/32800", {}, "4.05"),
    ("FETCH", "/32800/0", {"payload": b"x", "content_format": 50}, "4.05"),
    ("PATCH", "/32800/0", {"payload": b"x", "content_format": 50}, "4.05"),
    ("iPATCH", "/32800/0", {"payload": b"x", "content_format": 50}, "4.05"),
    (0x1F, "/32800/0", {}, "4.05"),
    # the formats, before the payload
    ("GET", "/32800/0/0", {"accept": 50}, "4.06"),
    ("GET", "/32800/0/0", {"accept": 42}, "4.06"),
    ("GET", "/32800/0", {"accept": 0}, "4.06"),
    ("GET", "/32800/0/7", {"accept": 0}, "4.06"),
    ("PUT", "/32800/0/0", {"payload": b"x", "content_format": 50}, "4.15"),
    ("PUT", "/32800/0/0", {"payload": b"x", "content_format": 42}, "4.15"),
    ("PUT", "/32800/0", {"payload": b"x", "content_format": 0}, "4.15"),
    ("PUT", "/32800/0", {"payload": b"x"}, "4.15"),
    ("POST", "/32800/0", {"payload": b"x", "content_format": 42}, "4.15"),
    ("POST", "/32800/0/9", {"payload": b"x", "content_format": TLV}, "4.15"),
    # the payload
    ("PUT", "/32800/0/0", {"payload": b"x"}, "4.00"),
    ("PUT", "/32800/0/0", {"payload": b"\xc1", "content_format": TLV}, "4.00"),
    ("POST", "/32800/0/9", {"payload": b"x"}, "4.00"),
]


def test_order_of_checks():
    """So that the codes are stable whatever else is wrong with a request; and nothing happens."""
    peer, bench = registered()

    def check(method, path, more, code):
        reply = peer.request(method, path, **more)
        eq((reply.type, reply.code), ("ACK", code))

    each(ORDER, check)
    eq((bench.whole, bench.words, bench.acts), (4, "abc", []))
    eq(peer.client.tree.objects[32800][0], bench)


# -- Read --------------------------------------------------------------------------------------------------------------

VALUES = [
    ("/32800/0/0", 0, b"4"),
    ("/32800/0/1", 0, b"1.5"),
    ("/32800/0/2", 0, b"abc"),
    ("/32800/0/3", 0, b"0"),
    ("/32800/0/4", 42, b"\0\1"),
    ("/32800/0/5", 0, b"1000"),
    ("/32800/0/6", 0, b"3:0"),
    ("/32800/0/7", TLV, unhex("86 07 41 00 01 41 01 05")),
    ("/32800/0/7/1", 0, b"5"),
    ("/32800/0/8", 0, b"8"),
    ("/32800/0/12", 0, b"7"),
    ("/32800/0/14", 0, b"</3>"),
]
INSTANCE = """
    c1 00 %s  c4 01 3f c0 00 00  c3 02 61 62 63  c1 03 00  c2 04 00 01  c2 05 03 e8  c4 06 00 03 00 00
    86 07 41 00 01 41 01 05  c1 08 08  c1 0c 07  c4 0e 3c 2f 33 3e
"""


def test_read_without_accept():
    """Text for one value, octet-stream for an opaque one, TLV for all else."""
    peer, _ = registered()

    def check(path, content_format, payload):
        reply = peer.get(path)
        eq((reply.code, reply.content_format, reply.payload), ("2.05", content_format, payload))

    each(VALUES, check)


def test_read_of_an_instance_and_an_object():
    """What can be read, in the order of the table; absent resources, executables and write-only ones are left out."""
    peer, _ = registered()
    eq(peer.get("/32800/0").payload, unhex(INSTANCE % "04"))
    eq(peer.get("/32800/3").payload, unhex(INSTANCE % "05"))
    reply = peer.get("/32800", accept=TLV)
    eq(reply.payload, unhex("08 00 33") + unhex(INSTANCE % "04") + unhex("08 03 33") + unhex(INSTANCE % "05"))


def test_read_of_an_object_without_instances():
    """2.05 and nothing in it."""
    peer = Peer([device()], creators=[Bench])
    peer.register()
    reply = peer.get("/32800")
    eq((reply.code, reply.content_format, reply.payload), ("2.05", TLV, b""))
    eq(peer.get("/32800", accept=40).text, "</32800>")


def test_values_appear_and_disappear():
    """An absent optional resource is 4.04, and there as soon as it has a value; asked for by the very same bytes."""
    peer, bench = registered()
    for value, code in ((None, "4.04"), (1.0, "2.05"), (None, "4.04"), (0.0, "2.05")):
        bench.measured = value
        eq(peer.get("/32800/0/11", token=b"same").code, code)
    bench.names = {0: "a", 300: "b"}
    eq(peer.get("/32800/0/13").payload, unhex("87 0d 41 00 61 61 01 2c 62"))
    bench.names = {}
    eq(peer.get("/32800/0/13").payload, unhex("80 0d"))


# -- Discover and Write-Attributes -------------------------------------------------------------------------------------


def test_discover():
    """All that is there, whatever can be done with it; dim of multiple resources; only the asker's attributes."""
    peer, bench = registered()
    ids = "</32800/%d/0>,</32800/%d/1>,</32800/%d/2>,</32800/%d/3>,</32800/%d/4>,</32800/%d/5>,</32800/%d/6>,"
    ids += "</32800/%d/7>;dim=2,</32800/%d/8>,</32800/%d/9>,</32800/%d/10>,</32800/%d/12>,</32800/%d/14>"
    reply = peer.get("/32800", accept=40)
    eq((reply.code, reply.content_format), ("2.05", 40))
    eq(reply.text, "</32800>,</32800/0>," + ids % ((0,) * 13) + ",</32800/3>," + ids % ((3,) * 13))
    bench.names = {0: "a"}
    eq(peer.put("/32800/0/0?gt=2.5").code, "2.04")
    shown = ids.replace("/0>,", "/0>;gt=2.5,").replace(">,</32800/%d/14>", ">,</32800/%d/13>;dim=1,</32800/%d/14>")
    eq(peer.get("/32800/0", accept=40).text, "</32800/0>," + shown % ((0,) * 14))
    eq(peer.get("/32800/0/0", accept=40).text, "</32800/0/0>;gt=2.5")
    eq(peer.get("/1", accept=40).text[:23], "</1>,</1/0>,</1/0/0>,</")
    eq(peer.get("/3", accept=40).text[:21], "</3>;ver=1.1,</3/0>,<")
    for path, code in (("/9", "4.04"), ("/32800/1", "4.04"), ("/32800/0/11", "4.04"), ("/0/0", "4.01")):
        eq(peer.get(path, accept=40).code, code)


def test_discover_of_what_fails():
    """A sensor that fails is there, without instances; its neighbours are shown as ever."""
    peer, bench = registered()

    def fails():
        raise OSError(5)

    bench.names = fails
    reply = peer.get("/32800/0", accept=40)
    eq(reply.code, "2.05")
    eq(reply.text.split(",")[-3:], ["</32800/0/12>", "</32800/0/13>;dim=0", "</32800/0/14>"])
    eq(peer.get("/32800/0/13", accept=40).text, "</32800/0/13>;dim=0")


def test_discover_of_a_resource_instance():
    """There is none (OMA Core 1.1 section 6.3.2)."""
    peer, _ = registered()
    for path, code in (("/7/0", "4.05"), ("/7/9", "4.05"), ("/0/0", "4.05"), ("/11/0", "4.04"), ("/99/0", "4.04")):
        eq((path, peer.get("/32800/0" + path, accept=40).code), (path, code))


def test_thresholds_are_decimals():
    """As text/plain has them, not as each Python reads them."""
    peer, _ = registered()
    for text in ". -. e5 -e5 1. +1 .5 5e 5e+ 1_0 1e999 -1e999 nan inf 0x1 --1 1-1 1.5.5 1,5".split():
        for name in ("gt", "lt", "st"):
            query = "%s=%s" % (name, text)
            eq((query, peer.put("/32800/0/1?" + query).code), (query, "4.00"))
    eq(peer.get("/32800/0/1", accept=40).text, "</32800/0/1>")
    for text, shown in (("5", "5"), ("-1.5", "-1.5"), ("1e2", "100"), ("25E-1", "2.5"), ("-0.25e+1", "-2.5")):
        eq(peer.put("/32800/0/1?gt=" + text).code, "2.04")
        eq(peer.get("/32800/0/1", accept=40).text, "</32800/0/1>;gt=" + shown)


def test_attributes_are_written_all_or_none():
    """One that is wrong refuses the whole request; what was there before stays."""
    peer, _ = registered()

    def shown():
        return set(peer.get("/32800/0/0", accept=40).text.split(";"))

    eq(peer.put("/32800/0/0?pmin=5&gt=100&lt=50&st=10").code, "2.04")
    before = {"</32800/0/0>", "pmin=5", "gt=100", "lt=50", "st=10"}
    eq(shown(), before)
    for queries in (
        "pmin=6&pmin=7",
        "pmin=6&pmax=x",
        "pmin=6&gt=70",
        "pmin=6&lt=80",
        "pmin=6&st=25",
        "pmin=6&edge=1",
        "pmin=6&foo",
        "pmin=6&epmin=9&epmax=9",
        "pmin=6&dim=2",
    ):
        eq((queries, peer.put("/32800/0/0?" + queries).code, shown()), (queries, "4.00", before))
    eq(peer.put("/32800/0/0?gt=70&st=9&lt=51").code, "2.04")
    eq(shown(), {"</32800/0/0>", "pmin=5", "gt=70", "lt=51", "st=9"})
    eq(peer.put("/32800/0/0?gt&st&lt=&pmin").code, "2.04")
    eq(shown(), {"</32800/0/0>"})


# -- Execute -----------------------------------------------------------------------------------------------------------


def test_arguments():
    """arglist = arg *("," arg), arg = DIGIT ["=" "'" chars "'"]."""
    good = [
        (b"", {}),
        (b"5", {5: None}),
        (b"2='10.3'", {2: "10.3"}),
        (b"7,0='https://www.oma.org'", {7: None, 0: "https://www.oma.org"}),
        (b"0,1,2", {0: None, 1: None, 2: None}),
        (b"0='',9='a,b=c'", {0: "", 9: "a,b=c"}),
        (b"0='reboot now'", {0: "reboot now"}),
    ]
    bad = [
        b"a",
        b",",
        b"0,",
        b",0",
        b"10",
        b"0=",
        b"0=1",
        b"0='",
        b"0='a",
        b"0=a'",
        b"0='a'b",
        b"0='a'1",
        b"0,0",
        b"0 ,1",
    ]
    bad += [b"'a'", b"-1", b"0==", b"0='a',,1", b"\xff", b"0='\xff'", b" "]
    bad += [b"0='%s'" % char for char in (b"\0", b"\x01", b"\t", b"\n", b"\x1f", b"\x7f", b"\xc3\xa9", b'"', b"\\")]
    peer, bench = registered()
    for payload, expected in good:
        reply = peer.post("/32800/0/9", payload, content_format=0 if len(payload) % 2 else None)
        eq((reply.code, reply.payload, bench.acts.pop()), ("2.04", b"", expected))
    for payload in bad:
        eq((payload, peer.post("/32800/0/9", payload, content_format=0).code), (payload, "4.00"))
    eq(bench.acts, [])


class Machine(Object):
    """Executes and reads what it is given: a function."""

    OID = 32804
    RES = "0 E! none run\n1 RW! int number\n"
    number = 1
    does = None

    def run(self, args):
        """Execute."""
        return self.does()


def raiser(error):
    def does(*args):
        raise error

    return does


def test_handlers_that_fail():
    """A CoapError is the answer, OSError and MemoryError are 5.03, anything else 5.00; and the client lives on."""
    machine = Machine()
    peer, _ = registered([machine])
    for error, code, text in (
        (BadRequest("no such gear"), "4.00", b"no such gear"),
        (NotFound(), "4.04", b""),
        (OSError(5), "5.03", b"hardware does not answer"),
        (MemoryError(), "5.03", b"out of memory"),
        (ValueError("a bug"), "5.00", b""),
        (KeyError(7), "5.00", b""),
    ):
        machine.does = machine.write_number = raiser(error)
        for reply in (peer.post("/32804/0/0"), peer.put("/32804/0/1", b"5")):
            eq((reply.type, reply.code, reply.payload), ("ACK", code, text))
        machine.number = machine.does
        eq(peer.get("/32804/0/1").code, code)
        machine.number = 1
        eq((peer.get("/32804/0/1").payload, peer.state), (b"1", "REGISTERED"))


def test_what_is_to_be_done_after_the_response():
    """A callable runs half a second later, once; its failure is nobody's death."""
    machine = Machine()
    peer, _ = registered([machine])
    done = []
    for error in (None, ValueError("a bug"), OSError(5)):

        def act(error=error):
            done.append(peer.now)
            if error:
                raise error

        machine.does = lambda: act
        start = peer.now
        eq(peer.post("/32804/0/0").code, "2.04")
        eq(done, [])
        peer.advance(60)
        eq(done, [start + 500])
        done.clear()
        eq(peer.get("/32804/0/1").code, "2.05")


def test_what_takes_long():
    """An empty ACK first; the response by itself when it is through, confirmable and with the same token."""
    for error, code in ((None, "2.04"), (BadRequest("x"), "4.00"), (OSError(5), "5.03"), (ValueError("a"), "5.00")):
        machine = Machine()
        peer, _ = registered([machine])

        def long(error=error):
            yield 1000
            yield 2500
            if error:
                raise error

        machine.does = long
        reply = peer.post("/32804/0/0", token=b"long", wait=0)
        eq((reply.type, reply.code), ("ACK", ""))
        eq(peer.get("/32804/0/1").code, "2.05")
        peer.advance(3.4)
        eq(peer.notifications(), [])
        peer.advance(0.1)
        (response,) = peer.notifications()
        eq((response.type, response.code, response.token), ("CON", code, b"long"))
        peer.advance(60)
        eq(peer.notifications(), [])
