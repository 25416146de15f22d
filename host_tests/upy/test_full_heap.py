"""With the heap full but for so many bytes, for many such numbers: every request is answered legally or dropped, and no
later than when memory is back the very same request works, and observations tell changes."""

import gc
import os

from asking import Asking

from lwm2m.objects.ipso import Temperature
from lwm2m.runner import mend_imports
from support import eq, xorshift32

_LEGAL = (0x41, 0x42, 0x44, 0x45, 0x5F, 0x8D, 0xA3)
_ROUNDS = int(os.getenv("ROUNDS") or 8)  # more of them in a soak


def kinds(asking):
    """[(request, code of success)]: one of every operation."""
    text, tlv, senml = [(12, b"")], [(12, 11542)], [(12, 110), (17, 110)]
    names = b'[{"n":"/3303/0/5700"},{"n":"/3/0"}]'
    asked = (
        (0x45, "GET", "/3303/0/5700"),
        (0x45, "GET", "/3303/0"),
        (0x45, "GET", "/3"),
        (0x45, "GET", "/3303", b"", [(17, 40)]),
        (0x45, "GET", "/3", b"", [(23, 0)]),
        (0x44, "PUT", "/3311/0/5850", b"1", text),
        (0x44, "POST", "/3311/0", b"\xe1\x16\xda\x01", tlv),
        (0x5F, "PUT", "/3311/0", b"\xe1\x16\xda\x01" * 4, tlv + [(27, 0x08)]),
        (0x44, "PUT", "/3303/0/5700?pmin=0&pmax=100"),
        (0x44, "POST", "/3303/0/5605"),
        (0x45, "FETCH", "", names, senml),
        (0x44, "iPATCH", "", b'[{"n":"/3311/0/5850","vb":false}]', senml[:1]),
        (0x45, "GET", "/3304/0/5700", b"", [(6, b"")]),
        (0x41, "POST", "/3303", b"", tlv),
    )
    return [(asking.request(*each[1:]), each[0]) for each in asked]


def fill(left):
    """Take all of the heap but so many bytes; returns what holds it."""
    gc.collect()
    reserve = eaten = None
    for _ in range(left // 128):
        reserve = [reserve, bytearray(96)]  # 128 bytes with what holds it
    size = 1 << 18
    while size >= 8:
        try:
            eaten = [eaten, bytearray(size)]
        except MemoryError:
            size //= 2
    return eaten


def ask_all(asking, requests, codes):
    """Ask everything; codes gets the first bytes of what was answered, None for nothing."""
    for number in range(len(requests)):
        codes[number] = 0
        try:
            sent = asking.ask(requests[number])
            for datagram in sent:
                codes[number] = datagram[1]
        except MemoryError:  # as in the runner, what it was is lost
            codes[number] = -1
            mend_imports()


class Made(Temperature):
    """What a server may create."""

    def __init__(self):
        super().__init__(lambda: 20.5)


def test_every_request_with_a_full_heap():
    seed = int(os.getenv("SEED") or int.from_bytes(os.urandom(4), "big") | 1)
    print("seed", seed)
    asking = Asking()
    client = asking.peer.client
    client.allow_create(Made)
    client.make_room = mend_imports
    found = kinds(asking)
    requests, wanted = [one[0] for one in found], [one[1] for one in found]
    asking.ask(asking.request("GET", "/3304/0/5700", b"", [(6, b"")]))
    asking.poll()
    codes = [0] * len(requests)
    refused = 0
    for turn in range(_ROUNDS):
        seed = xorshift32(seed)
        left = 0 if turn == 0 else seed % (300 if turn % 3 == 0 else 3000)
        hoard = [fill(left)]
        ask_all(asking, requests, codes)
        hoard.clear()
        gc.collect()
        for number, code in enumerate(codes):
            assert code in _LEGAL or code in (0, -1), "%d bytes left, request %d: %02x" % (left, number, code)
            refused += code in (0, -1, 0x8D, 0xA3)
        ask_all(asking, requests, codes)
        assert codes == wanted, "after %d bytes were left: %r" % (left, codes)
        tidy(asking)
        told(asking)
    assert refused > _ROUNDS, refused


def tidy(asking):
    """Delete what was created."""
    for iid in sorted(asking.peer.client.tree.objects[3303]):
        if iid:
            sent = asking.ask(asking.request("DELETE", "/3303/%d" % iid))
            assert sent[0][1] == 0x42, "Delete: %02x" % sent[0][1]


def told(asking):
    """A change of what is observed is told."""
    humidity = asking.peer.client.tree.objects[3304][0]
    peer = asking.peer
    peer.registration.outbox.clear()
    peer.advance(5)  # an Update, as an instance has come and gone
    assert peer.state == "REGISTERED", peer.state
    reporting = peer.registration.reporting
    del reporting.observations[1:]  # those that are new; the first has been there from the beginning
    peer.forget()
    humidity.set("value", humidity.value + 1)
    peer.advance(1)
    eq([packet.code for packet in peer.notifications()], ["2.05"])
