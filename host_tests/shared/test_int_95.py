"""OMA-ETS-LightweightM2M_INT, 950-999: several servers. Each test is named by its number."""

from configurations import c14
from support import eq

OBJECTS = "</1/0>,</1/1>,</2>;ver=1.1,</2/0>,</2/1>,</2/2>,</3>;ver=1.1,</3/0>"


def test_int_950_registration_with_two_servers():
    """Registration with two servers"""
    one, two = c14(lifetime=86400)
    registers = [packet for packet in one.sent + two.sent if packet.path == "/rd"]
    eq(len(registers), 2)
    for register in registers:
        eq((register.type, register.code, register.path, register.content_format), ("CON", "POST", "/rd", 40))
        eq(register.queries, ["ep=dev1", "lt=86400", "lwm2m=1.1", "b=U"])
        eq(register.text.partition(",")[2], OBJECTS)
    eq((one.get("/1/0/0").payload, two.get("/1/1/0").payload), (b"1", b"2"))
    eq((one.get("/3/0/0").payload, two.get("/3/0/0").payload), (b"ACME", b"ACME"))
    two.requests()
    one.put("/1/0/1", b"60")
    two.put("/1/1/1", b"100")
    one.poll()
    eq([(packet.path, packet.queries) for packet in one.requests()], [("/rd/5a3f", ["lt=60"])])
    eq([(packet.path, packet.queries) for packet in two.requests()], [("/rd/two", ["lt=100"])])
    two.registration.link_down("cut", two.now)
    eq((one.state, two.state), ("REGISTERED", "LOST"))
    one.advance(300)
    eq((one.state, two.state), ("REGISTERED", "REGISTERED"))


def test_int_951_attributes_of_two_servers():
    """Write-Attributes and Discover with two servers"""
    one, two = c14()
    eq(one.put("/3/0?pmin=2&pmax=10").code, "2.04")
    eq(two.put("/3/0?pmin=15&pmax=50").code, "2.04")
    for peer, attributes in ((one, ["pmax=10", "pmin=2"]), (two, ["pmax=50", "pmin=15"])):
        reply = peer.get("/3/0", accept=40)
        eq((reply.code, reply.content_format), ("2.05", 40))
        links = [link for link in reply.text.split(",") if "pm" in link]
        eq([sorted(link.split(";")) for link in links], [["</3/0>"] + attributes])
    one.observe("/3/0/0", token=b"o", accept=0)
    two.observe("/3/0/0", token=b"o", accept=0)
    one.advance(101)
    eq((len(one.notifications()), len(two.notifications())), (10, 2))
