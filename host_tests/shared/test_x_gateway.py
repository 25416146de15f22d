"""X-66: end devices that do not speak LwM2M, behind a client that is their gateway."""

from configurations import c1
from lwm2m.gateway import Gateway
from lwm2m.objects.ipso import Temperature
from senml_judge import CBOR, JSON, told
from support import eq, unhex

LINK = 40


def test_x_66_gateway():
    """Gateway"""
    peer = c1()
    gateway = Gateway(peer.client)
    dev = gateway.add_device("dev0", "sensor-17")
    celsius = [21.25]
    dev.add(Temperature(lambda: celsius[0]))
    register = peer.register()
    links = register.text.split(",")
    eq([link for link in links if link[:3] == "</2" or "3303" in link], ["</25>;ver=2.0", "</25/0>"])

    eq([peer.get("/25/0/%d" % rid).text for rid in (0, 1, 3)], ["sensor-17", "dev0", "</3303>;ver=1.1,</3303/0>"])
    eq((peer.get("/dev0/3303/0/5700").text, peer.get("/3303/0/5700").code), ("21.25", "4.04"))
    eq(peer.get("/dev0/3303/0/5700", accept=11542).payload, unhex("e4 1644 41aa0000"))

    eq(peer.put("/dev0/3303/0/5700?gt=30").code, "2.04")
    listed = "</3303/0>,</3303/0/5700>;gt=30,</3303/0/5601>,</3303/0/5602>,</3303/0/5605>,</3303/0/5701>"
    eq(peer.get("/dev0/3303/0", accept=LINK).text, listed)
    eq(peer.get("/dev0/3303", accept=LINK).text, "</3303>;ver=1.1," + listed)
    eq(peer.get("/dev0/3303/0/5700", accept=LINK).text, "</3303/0/5700>;gt=30")

    for format in (CBOR, JSON):
        eq(told(peer.get("/dev0/3303/0/5700", accept=format)), {"/dev0/3303/0/5700": 21.25})
        names = ["/dev0/3303/0/%d" % rid for rid in (5601, 5602, 5700, 5701)]
        eq(sorted(told(peer.get("/dev0/3303", accept=format))), names)

    peer.observe("/dev0/3303/0/5700", token=b"o", accept=JSON)
    celsius[0] = 31.5
    peer.advance(1)
    eq([told(packet) for packet in peer.notifications(b"o")], [{"/dev0/3303/0/5700": 31.5}])

    peer.observe("/25", token=b"list", accept=JSON)
    gateway.add_device("dev1", "sensor-18").add(Temperature(lambda: 4.0))
    peer.advance(1)
    (update,) = peer.requests()
    eq((update.path, update.text.split(",")[-3:]), ("/rd/5a3f", ["</25>;ver=2.0", "</25/0>", "</25/1>"]))
    (notification,) = peer.notifications(b"list")
    eq(told(notification)["/25/1/1"], "dev1")
    eq(peer.get("/dev1/3303/0/5700").text, "4")

    gateway.remove_device("dev0")
    peer.advance(1)
    eq([packet.text.split(",")[-2:] for packet in peer.requests()], [["</25>;ver=2.0", "</25/1>"]])
    eq([(packet.token, packet.code) for packet in peer.notifications()], [(b"o", "4.04"), (b"list", "2.05")])
    eq((peer.get("/dev0/3303/0/5700").code, peer.get("/other/3303").code), ("4.04", "4.04"))
