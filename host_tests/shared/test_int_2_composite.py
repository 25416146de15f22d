"""OMA-ETS-LightweightM2M_INT, 200-299: composite operations. Each test is named by its number."""

from answers import DEVICE, SERVER, registered, updates
from configurations import account_of, c6
from lwm2m.objects.portfolio import Portfolio
from senml_judge import CBOR, JSON, packed, path_list, told
from support import eq, unhex

FORMATS = ((CBOR, CBOR), (JSON, JSON), (CBOR, JSON), (JSON, CBOR), (CBOR, None), (JSON, None))


def read(peer, *paths):
    """Ask for paths in each pair of formats; returns what is told, the same in all."""
    first = None
    for asked, wanted in FORMATS:
        reply = peer.request("FETCH", "/", path_list(*paths, content_format=asked), content_format=asked, accept=wanted)
        eq((reply.type, reply.code, reply.content_format), ("ACK", "2.05", wanted or asked))
        found = told(reply)
        first = first or found
        eq(found, first)
    return first


def write(peer, records, content_format=CBOR):
    return peer.request("iPATCH", "/", packed(records, content_format), content_format=content_format).code


def test_int_229_read_composite():
    """Read-Composite Operation: paths that contain each other do no harm"""
    found = read(registered(), "/3", "/1/0", "/1/0/1", "/3/0/11/0")
    eq(found, dict(SERVER, **DEVICE))


def test_int_230_write_composite():
    """Write-Composite Operation"""
    for content_format in (CBOR, JSON):
        peer = registered(objects=[Portfolio({0: "w", 1: "x", 2: "y", 3: "z"})])
        texts = {"/16/0/0/%d" % number: text for number, text in enumerate(("aa", "bb", "cc", "dd"))}
        wanted = [{"n": "/1/0/1", "v": 61}, {"n": "/1/0/6", "vb": True}]
        wanted += [{"n": name, "vs": texts[name]} for name in sorted(texts)]
        eq(write(peer, wanted, content_format), "2.04")
        eq(updates(peer), [["lt=61"]])
        eq(read(peer, "/1/0", "/16"), dict(SERVER, **dict(texts, **{"/1/0/1": 61, "/1/0/6": True})))


def test_int_235_read_composite_of_the_root():
    """Read-Composite Operation on root path"""
    peer = registered(objects=[Portfolio({0: "x"})])
    everything = dict(SERVER, **dict(DEVICE, **{"/16/0/0/0": "x"}))
    eq(read(peer, "/"), everything)
    eq(read(peer, "/3/0/0", "/", "/77"), everything)


def test_int_236_read_composite_of_what_is_partly_absent():
    """Read-Composite Operation on non-existing resources"""
    found = read(registered(), "/1/0", "/1/0/1", "/3/0/11/0", "/3339/0/5522", "/3353/0/6030")
    eq(found, dict(SERVER, **{"/3/0/11/0": 0}))


def test_int_257_write_composite_over_objects():
    """Write-Composite Operation on Server and Device: the bytes of the test specification"""
    peer = c6()
    peer.register()
    payload = unhex("83 A3 21612F 00 65312F302F32 02 1865 A2 00 65312F302F36 04 F5 A2 00 66332F302F3133 02 00")
    eq(peer.request("iPATCH", "/", payload, content_format=CBOR).code, "2.04")
    found = read(peer, "/1/0/2", "/1/0/6", "/3/0/13")
    eq(found, {"/1/0/2": 101, "/1/0/6": True, "/3/0/13": 0})
    eq((account_of(peer).default_pmin, account_of(peer).notification_storing), (101, True))


def test_int_280_read_composite_of_three_levels():
    """Successful Read-Composite Operation"""
    found = read(registered(), "/3/0/16", "/3/0/11/0", "/1/0")
    eq(found, dict(SERVER, **{"/3/0/16": "U", "/3/0/11/0": 0}))


def test_int_281_partial_read_composite():
    """Partially Successful Read-Composite Operation: an executable is left out"""
    peer = registered()
    eq(read(peer, "/1/0/1", "/1/0/7", "/1/0/8"), {"/1/0/1": 86400, "/1/0/7": "U"})
    reply = peer.request("FETCH", "/", path_list("/1/0/1", "/1/0/7", "/1/0/8"), content_format=CBOR)
    eq(reply.payload, unhex("82 A3 21 65 2F312F302F 00 61 31 02 1A 00015180 A2 00 61 37 03 61 55"))
