"""OMA-ETS-LightweightM2M_INT, 600-699: Device. Each test is named by its number, its docstring is the title."""

from configurations import c1, c6, device_of
from support import eq, unhex

TLV = 11542


def test_int_651_write_device():
    """Setting writable resources of the Device object"""
    peer = c6()
    peer.register()
    before = [peer.get("/3/0/%d" % rid, accept=0).text for rid in (13, 14, 15)]
    written = unhex("""
        c4 0d 51 82 42 8f                              # 13: 1367491215
        c6 0e 2b 30 32 3a 30 30                        # 14: +02:00
        c8 0f 0c 45 75 72 6f 70 65 2f 50 61 72 69 73   # 15: Europe/Paris
    """)
    device_of(peer)._ahead_s = -1000  # its clock is wrong until the server sets it
    eq(peer.post("/3/0", written, content_format=TLV).code, "2.04")
    reply = peer.get("/3/0", accept=TLV)
    eq((reply.code, written in reply.payload), ("2.05", True))
    reset = b"\xc4\x0d" + int(before[0]).to_bytes(4, "big") + b"\xc6\x0e" + before[1].encode()
    eq(len(before[2]), 7)
    eq(peer.put("/3/0", reset + b"\xc7\x0f" + before[2].encode(), content_format=TLV).code, "2.04")
    eq([peer.get("/3/0/%d" % rid, accept=0).text for rid in (13, 14, 15)], before)


def test_int_652_firmware_version():
    """Querying the firmware version from the client"""
    peer = c6()
    peer.register()
    reply = peer.get("/3/0/3", accept=0)
    eq((reply.code, reply.content_format, reply.payload), ("2.05", 0, b"1.0"))


def test_int_680_create_device():
    """Creation of a Device object instance is refused"""
    peer = c1()
    peer.register()
    for payload in (b"", unhex("08 01 06 c1 0e 41 c1 0f 41"), unhex("c1 0e 41")):
        eq(peer.post("/3", payload, content_format=TLV).code, "4.05")
    eq(peer.get("/3", accept=40).text.count("</3/"), peer.get("/3/0", accept=40).text.count("</3/"))


def test_int_685_delete_device():
    """Deletion of the Device object instance is refused"""
    peer = c1()
    peer.register()
    eq(peer.delete("/3/0").code, "4.05")
    eq(peer.get("/3/0/0", accept=0).payload, b"ACME")


def test_x_34_factory_reset():
    """Execute /3/0/5: 2.04 first, then the reset"""
    acts = []
    peer = c6(resources={"factory_reset": lambda: acts.append("reset")})
    peer.register()
    eq((peer.post("/3/0/5").code, acts), ("2.04", []))
    peer.advance(1)
    eq(acts, ["reset"])
