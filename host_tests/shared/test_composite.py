"""Composite operations: what is refused, what is left out, all or nothing, long lists and long answers."""

from configurations import Bench, Probe, c1, c14
from senml_judge import CBOR, JSON, packed, path_list, told
from support import each, eq, noise, truncated, unhex

EMPTY = b"\x80"


def registered(objects=(), **settings):
    peer = c1(objects, **settings)
    peer.register()
    return peer


def fetch(peer, *paths, **more):
    return peer.request("FETCH", "/", path_list(*paths), **dict({"content_format": CBOR}, **more))


def write(peer, *records, content_format=CBOR):
    return peer.request("iPATCH", "/", packed(list(records), content_format), content_format=content_format).code


# -- Read-Composite ----------------------------------------------------------------------------------------------------


def test_refused_reads():
    peer = registered()
    good = path_list("/3/0/0")

    def check(path, payload, more, code):
        reply = peer.request("FETCH", path, payload, **more)
        eq((reply.type, reply.code), ("ACK", code))

    cases = [("/", good, {"content_format": number}, "4.15") for number in (0, 40, 42, 60, 11542, 11543, 11544, 50)]
    cases += [("/", good, {}, "4.15"), ("/", good, {"accept": CBOR}, "4.15")]
    for number in (0, 40, 42, 60, 11542, 11543, 11544):
        cases.append(("/", good, {"content_format": CBOR, "accept": number}, "4.06"))
    cases += [(path, good, {"content_format": CBOR}, "4.05") for path in ("/3", "/3/0", "/3/0/0")]
    for text in ("", "ff", "80", "a0", "81", "81 a1 00 66 2f332f302f", "01", "81 a2 00 62 2f33 02 05"):
        cases.append(("/", unhex(text), {"content_format": CBOR}, "4.00"))
    for name in ("/65535", "/3/0/0/0/0", "/x", "/-1", "/03", "/3//0"):
        cases.append(("/", path_list(name), {"content_format": CBOR}, "4.00"))
    cases.append(("/", good, {"content_format": CBOR, "observe": 2}, "4.02"))
    cases.append(("/?pmin=5", good, {"content_format": CBOR, "observe": 0}, "4.00"))
    cases.append(("/", b"[" * 500, {"content_format": JSON}, "4.00"))
    each(cases, check)
    eq(fetch(peer, "/3/0/0").code, "2.05")


def test_what_is_left_out():
    """Unknown, write-only, executable, without a value, failing, closed; names of both fashions"""
    bench = Bench()
    peer = registered([bench])
    for name in ("/32800/0/9", "/32800/0/10", "/32800/0/11", "/32800/0/13", "/32800/0/7/9", "/32800/0/0/0", "/32800/1"):
        reply = fetch(peer, name)
        eq((name, reply.code, reply.payload), (name, "2.05", EMPTY))
    for name in ("/0", "/0/0", "/0/0/0", "/21", "/23", "/77", "/77/0", "/77/0/0/1"):
        eq((name, fetch(peer, name).payload), (name, EMPTY))
    eq(fetch(peer, "/77", accept=JSON).payload, b"[]")

    def broken():
        raise OSError(5)

    bench.real = broken
    eq(told(fetch(peer, "/32800/0/1", "32800/0/8", "/32800/0/7/1/")), {"/32800/0/8": 8, "/32800/0/7/1": 5})
    found = told(fetch(peer, "/32800"))
    assert "/32800/0/1" not in found and found["/32800/0/6"] == "3:0" and found["/32800/0/4"] == b"\0\1", found


def test_what_is_no_number_is_left_out():
    """Of JSON, which cannot tell it; a Read of it alone is refused"""
    peer = registered([Probe(float("nan"))])
    found = told(fetch(peer, "/32801", accept=JSON))
    eq(("/32801/0/0" in found, found["/32801/0/1"]), (False, 0))
    eq(fetch(peer, "/32801/0/0", accept=JSON).payload, b"[]")
    eq("/32801/0/0" in told(fetch(peer, "/32801", accept=CBOR)), True)
    for path in ("/32801", "/32801/0"):
        found = told(peer.get(path, accept=JSON))
        eq(("/32801/0/0" in found, found["/32801/0/1"]), (False, 0))
        eq(peer.get(path, accept=11543).code, "2.05")
    eq([peer.get("/32801/0/0", accept=number).code for number in (0, JSON, 11543, CBOR)], ["4.06"] * 3 + ["2.05"])


def test_no_record_comes_twice():
    peer = registered([Bench()])
    for paths in (
        ("/32800/0/7/1", "/32800/0/7/1", "/32800/0/7"),
        ("/32800/0/7", "/32800/0/7/0"),
        ("/32800/0/7/0", "/32800/0/7/1"),
    ):
        eq(told(fetch(peer, *paths)), {"/32800/0/7/0": 1, "/32800/0/7/1": 5})
    eq(told(fetch(peer, "/32800/0/8", "/32800/0", "/32800")), told(fetch(peer, "/32800")))


def test_only_what_a_server_may_read():
    for peer, own in zip(c14(), ("/1/0", "/1/1")):
        found = told(fetch(peer, "/1/0/0", "/1/1/0", "/1", "/3/0/0"))
        eq({name[:4] for name in found if name.startswith("/1/")}, {own})
        eq(found["/3/0/0"], "ACME")
        eq(fetch(peer, "/1/0" if own == "/1/1" else "/1/1").payload, EMPTY)
        eq({name[:4] for name in told(fetch(peer, "/")) if name.startswith("/1/")}, {own})


def test_x_22_composite_answer_in_blocks():
    """Block2: the FETCH is said again, whole, with the number of the block"""
    peer = registered([Bench()], BLOCK_SIZE=64)
    paths = ("/3", "/32800")
    first = fetch(peer, *paths)
    eq((first.code, first.block2), ("2.05", (0, True, 2)))
    body, number = first.payload, 0
    while True:
        number += 1
        reply = fetch(peer, *paths, block2=(number, False, 2))
        eq((reply.code, reply.etag, reply.content_format), ("2.05", first.etag, CBOR))
        body += reply.payload
        if not reply.block2[1]:
            break
    eq(len(body), first.size2)
    big = registered([Bench()])
    eq(body, fetch(big, *paths).payload)
    other = fetch(peer, "/3", block2=(1, False, 2))
    eq(other.code, "2.05")
    assert other.etag != first.etag
    again = fetch(peer, *paths, block2=(1, False, 2))
    eq((again.etag, again.payload), (first.etag, body[64:128]))
    small = fetch(big, *paths, block2=(0, False, 1))
    eq((small.block2, small.payload), ((0, True, 1), body[:32]))
    nameless = peer.request("FETCH", "/", b"", content_format=CBOR, block2=(2, False, 2))
    eq((nameless.etag, nameless.payload), (first.etag, body[128:192]))


def test_long_list():
    """Block1, and then the answer in Block2"""
    peer = registered([Bench()], BLOCK_SIZE=32)
    names = ["/3/0/%d" % rid for rid in range(20)] + ["/32800/0/%d" % rid for rid in range(9)]
    replies = peer.put_blocks("/", path_list(*names), szx=1, method="FETCH", content_format=CBOR)
    eq([reply.code for reply in replies], ["2.31"] * (len(replies) - 1) + ["2.05"])
    last = replies[-1]
    eq((last.block2[0], last.block2[1], last.block1[0]), (0, True, len(replies) - 1))
    body, number = last.payload, 0
    while len(body) < last.size2:
        number += 1
        reply = peer.request("FETCH", "/", b"", content_format=CBOR, block2=(number, False, 1))
        eq((reply.code, reply.etag), ("2.05", last.etag))
        body += reply.payload
    whole = registered([Bench()])
    eq(body, fetch(whole, *names).payload)
    for key in ("/", "/3"):
        reply = peer.request("FETCH", key, b"", content_format=CBOR, block2=(1, False, 0), token=b"z")
    eq(reply.code, "4.08")


def test_repeated_fetch():
    peer = registered()
    first = fetch(peer, "/3/0/0", mid=0x1234, token=b"t")
    eq(peer.again().raw, first.raw)


# -- Write-Composite ---------------------------------------------------------------------------------------------------


def test_refused_writes():
    """4.15, 4.05, 4.04, 4.00, in the order of the checks; nothing is written"""
    bench, probe = Bench(), Probe()
    peer = registered([bench, probe])
    good = {"n": "/32800/0/0", "v": 5}

    def check(records, code):
        eq(write(peer, good, *records), code)
        eq((bench.whole, bench.flag, bench.words, bench.numbers), (0, False, "abc", {0: 1, 1: 5}))

    cases = [
        ([{"n": "/32800/0/8", "v": 5}], "4.05"),
        ([{"n": "/32800/0/9", "v": 5}], "4.05"),
        ([{"n": "/32801/0/0", "v": 5}], "4.05"),
        ([{"n": "/32800/0/99", "v": 5}], "4.04"),
        ([{"n": "/32800/1/0", "v": 5}], "4.04"),
        ([{"n": "/77/0/0", "v": 5}], "4.04"),
        ([{"n": "/0/0/0", "vs": "coap://x"}], "4.01"),
        ([{"n": "/32800/0/3", "v": 5}], "4.00"),
        ([{"n": "/32800/0/2", "vs": "far too long"}], "4.00"),
        ([{"n": "/32800/0/6", "vlo": "77:0"}], "4.00"),
        ([{"n": "/32800/0/7", "v": 5}], "4.00"),
        ([{"n": "/32800/0/3/0", "vb": True}], "4.00"),
        ([{"n": "/32800/0", "v": 5}], "4.00"),
        ([{"n": "/32800", "v": 5}], "4.00"),
        ([{"n": "/", "v": 5}], "4.00"),
        ([{"n": "/32800/0/3"}], "4.00"),
        ([{"n": "/32800/0/0", "v": 6}], "4.00"),
        ([{"n": "/32800/0/3", "vb": True}, {"n": "/32801/0/1", "v": 1}], "4.05"),
        ([{"n": "/32800/0/3", "v": 7}, {"n": "/32800/0/99", "v": 1}], "4.04"),
    ]
    each(cases, check)
    for number in (0, 42, 60, 11542, 11543, 11544, None):
        eq(peer.request("iPATCH", "/", packed([good]), content_format=number).code, "4.15")
    eq(peer.request("iPATCH", "/32800", packed([good]), content_format=CBOR).code, "4.05")
    eq([write(peer), bench.whole], ["4.00", 0])


def test_several_objects_at_once():
    bench, other = Bench(), Bench()
    peer = registered([bench, other])
    peer.observe("/32800/1/0", token=b"o")
    records = [
        {"bn": "/32800/", "n": "0/7/5", "v": 9},
        {"n": "1/0", "v": -3},
        {"n": "0/7/1", "v": 8},
        {"n": "0/2", "vs": "new"},
        {"n": "0/4", "vd": b"\xff"},
        {"n": "1/6", "vlo": "3:0"},
    ]
    eq(write(peer, *records), "2.04")
    eq((bench.numbers, bench.words, bench.blob, other.whole), ({0: 1, 1: 8, 5: 9}, "new", b"\xff", -3))
    peer.poll()
    eq([packet.text for packet in peer.notifications()], ["-3"])


class Stubborn(Bench):
    """Hardware that does not obey."""

    OID = 32802

    def write_real(self, value):
        raise OSError(5)


def test_hardware_that_fails_in_the_middle():
    """What has been written to other objects is put back"""
    bench, stubborn = Bench(), Stubborn()
    peer = registered([bench, stubborn])
    peer.observe("/32800/0/0", token=b"o")
    records = [{"n": "/32800/0/0", "v": 5}, {"n": "/32802/0/0", "v": 6}, {"n": "/32802/0/1", "v": 7}]
    eq(write(peer, *records, {"n": "/32800/0/12", "v": 1}), "5.03")
    eq((bench.whole, bench.count, stubborn.whole), (0, 7, 0))
    peer.poll()
    eq(peer.notifications(), [])


def test_only_where_a_server_may_write():
    one, two = c14()
    eq(write(one, {"n": "/1/0/1", "v": 500}, {"n": "/1/1/1", "v": 500}), "4.01")
    eq(one.registration.account.lifetime, two.registration.account.lifetime)
    eq(write(two, {"n": "/1/1/1", "v": 500}), "2.04")
    eq((one.registration.account.lifetime == 500, two.registration.account.lifetime), (False, 500))


def test_long_write():
    """Block1"""
    bench = Bench()
    peer = registered([bench], RESOURCE_INSTANCES=40)
    body = packed([{"n": "/32800/0/7/%d" % riid, "v": riid} for riid in range(40)])
    replies = peer.put_blocks("/", body, szx=4, method="iPATCH", content_format=CBOR)
    eq([reply.code for reply in replies], ["2.31"] * (len(replies) - 1) + ["2.04"])
    eq(bench.numbers, {riid: riid for riid in range(40)})


# -- bad input ---------------------------------------------------------------------------------------------------------


def test_bad_payloads():
    """Cut, changed and random bytes: an error or, by chance, something valid; never 5.00, and all stays as it was"""
    bench = Bench()
    peer = registered([bench])
    writing = packed([{"bn": "/32800/0/", "n": "2", "vs": "abc"}, {"n": "7/0", "v": 1}, {"n": "6", "vlo": "3:0"}])
    found = set()
    for body in (path_list("/32800/0", "/32800/0/7/1", "/3", "/"), writing):
        payloads = list(truncated(body)) + list(noise(300, 40))
        for at in range(len(body)):
            for byte in (0, 0x7F, 0x80, 0x9F, 0xBF, 0xFF):
                payloads.append(body[:at] + bytes([byte]) + body[at + 1 :])
        for payload in payloads:
            for method, observe in (("FETCH", None), ("FETCH", 0), ("iPATCH", None)):
                reply = peer.request(method, "/", payload, content_format=CBOR, observe=observe, token=b"f", wait=0)
                found.add(reply.code)
                eq(reply.code in ("2.05", "2.04", "4.00", "4.01", "4.04", "4.05"), True, repr((method, payload)))
            peer.forget()
    eq("2.05" in found and "4.00" in found, True)
    eq((bench.fixed, peer.state, len(peer.registration.reporting.observations) < 2), (8, "REGISTERED", True))
