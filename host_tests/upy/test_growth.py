"""100,000 Reads, 10,000 requests of every kind and 10,000 notifications leave the heap as it was."""

from asking import Asking

_READS = 100000
_REQUESTS = 10000
_NOTIFICATIONS = 10000
_WARM_UP = 1000  # until everything that remembers is full
_NOISE = 512  # bytes: what is remembered of the last requests is not always the same


def kinds(asking):
    """Requests of all operations, good and bad, and what their answers' codes are."""
    text, tlv = [(12, b"")], [(12, 11542)]
    asked = (
        (0x45, "GET", "/3303/0/5700"),
        (0x45, "GET", "/3303/0/5601"),
        (0x45, "GET", "/3303/0"),
        (0x45, "GET", "/3"),
        (0x45, "GET", "/3303", b"", [(17, 40)]),
        (0x44, "PUT", "/3311/0/5850", b"1", text),
        (0x44, "PUT", "/3311/0/5850", b"0", text),
        (0x44, "POST", "/3311/0", b"\xe1\x16\xda\x01", tlv),
        (0x44, "PUT", "/3303/0/5700?pmin=1&pmax=10"),
        (0x44, "PUT", "/3303/0/5700?pmin&pmax"),
        (0x44, "POST", "/3303/0/5605"),
        (0x45, "GET", "/3304/0/5700", b"", [(6, b"")]),
        (0x45, "GET", "/3304/0/5700", b"", [(6, 1)]),
        (0x84, "GET", "/3303/9"),
        (0x84, "GET", "/9/0/1"),
        (0x85, "PUT", "/3303/0/5700", b"1", text),
        (0x80, "PUT", "/3311/0/5850", b"maybe", text),
        (0x80, "GET", "/x"),
        (0x82, "GET", "/3", b"", [(9, b"?")]),
        (0x8F, "PUT", "/3311/0/5850", b"1", [(12, 50)]),
    )
    return [asking.request(*each[1:]) for each in asked], [each[0] for each in asked]


def ask_all(asking, requests, codes, count):
    """The requests in turn, with a look at what is due now and then."""
    for number in range(count):
        which = number % len(requests)
        code = asking.ask(requests[which])[0][1]
        if code != codes[which]:
            raise AssertionError("request %d: code %02x, wanted %02x" % (which, code, codes[which]))
        if which == 0:
            asking.poll()


def check(asking, requests, codes, count):
    """So many of these requests keep nothing."""
    ask_all(asking, requests, codes, _WARM_UP)
    start = asking.level(requests)
    ask_all(asking, requests, codes, count)
    grown = asking.level(requests) - start
    assert grown <= _NOISE, "%d requests keep %d bytes" % (count, grown)


def test_x_68_soak_reads():
    asking = Asking()
    paths = ("/3303/0/5700", "/3304/0/5700", "/3315/0/5700", "/3301/0/5700", "/3311/0/5850", "/3347/0/5501")
    requests = [asking.request("GET", path) for path in paths]
    check(asking, requests, [0x45] * len(paths), _READS)


def test_requests_of_every_kind():
    asking = Asking()
    requests, codes = kinds(asking)
    check(asking, requests, codes, _REQUESTS)


def notify(asking, count):
    """Change the observed value so often; each change is one notification."""
    for _ in range(count):
        asking.light.set("on", not asking.light.on)
        sent = asking.poll()
        if len(sent) != 1 or sent[0][1] != 0x45:
            raise AssertionError("a change sent %r" % (sent,))
        if sent[0][0] & 0x30 == 0:
            asking.acknowledge(sent[0])
        asking.peer.world.now += 10


def test_notifications():
    asking = Asking()
    requests = [asking.request("GET", "/3311/0/5850", b"", [(6, b"")])]
    asking.ask(requests[0])
    asking.poll()
    reads = [asking.request("GET", "/3303/0/5700")]
    notify(asking, _WARM_UP)
    start = asking.level(reads)
    notify(asking, _NOTIFICATIONS)
    grown = asking.level(reads) - start
    assert grown <= _NOISE, "%d notifications keep %d bytes" % (_NOTIFICATIONS, grown)
