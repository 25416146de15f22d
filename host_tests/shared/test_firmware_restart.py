"""Firmware Update (object 5) over a restart: what is kept in the client's store, and what becomes of it."""

import json

from configurations_firmware import (
    GOOD,
    PACKAGE,
    PATH,
    UPDATE,
    URI,
    Store,
    c8,
    package,
    pull,
    push,
    reset,
    restarted,
    state,
)
from lwm2m import log
from support import eq, noise

log.level("error")


def stored(peer):
    return json.loads(peer.store.kept["firmware"])


def test_restart_with_a_package():
    """It is verified again, and can be installed; one that is damaged is not."""
    peer = c8()
    push(peer)
    peer = restarted(peer)
    eq((state(peer), peer.get("/5/0/7").text, peer.post(UPDATE).code), ((2, 0), "2.0", "2.04"))
    peer = c8()
    push(peer)
    with open(PATH + ".part", "r+b") as file:
        file.write(b"?")
    eq(state(restarted(peer)), (0, 6))


def test_restart_before_the_installation():
    """The package was not put in its place: Update Result 8, and the version is the old one."""
    peer = c8()
    push(peer)
    peer.post(UPDATE)
    eq(state(peer), (3, 0))
    peer = restarted(peer)
    eq((state(peer), peer.get("/3/0/3").text, peer.get("/5/0/7").code), ((0, 8), "1.0", "4.04"))


def test_restart_into_a_package_without_version():
    """Nothing to compare but what the sink says."""
    peer = c8()
    push(peer, package(b"x", "only"))
    peer.post(UPDATE)
    peer.advance(1)
    eq(state(restarted(peer)), (0, 1))


def test_restart_into_another_version():
    """A boot loader has gone back to what was there before: Update Result 8."""
    peer = c8()
    push(peer)
    peer.post(UPDATE)
    peer.advance(1)
    with open(PATH, "wb") as file:
        file.write(package(b"the old one", "demo 1.0"))
    peer = restarted(peer)
    eq((state(peer), peer.get("/3/0/3").text, peer.get("/5/0/7").code), ((0, 8), "1.0", "4.04"))


def test_restart_after_an_update():
    """The result stays until the next download, and the program is told of the version once."""
    peer = c8()
    push(peer)
    peer.post(UPDATE)
    peer.advance(1)
    peer = restarted(peer)
    eq((state(peer), peer.get("/3/0/3").text), ((0, 1), "2.0"))
    peer = restarted(peer)
    eq((state(peer), peer.get("/3/0/3").text), ((0, 1), "1.0"))
    eq((peer.get("/5/0/6").text, peer.get("/5/0/7").text), ("demo", "2.0"))
    reset(peer)
    eq((state(restarted(peer)), peer.store.kept), ((0, 0), {}))


def test_restart_during_a_push():
    """The server has to begin anew."""
    peer = c8()
    peer.put(PACKAGE, GOOD[:16], content_format=42, block1=(0, True, 0))
    peer = restarted(peer)
    reply = peer.put(PACKAGE, GOOD[16:32], content_format=42, block1=(1, True, 0))
    eq((state(peer), reply.code), ((0, 4), "4.08"))
    eq((push(peer), state(peer)), ("2.04", (2, 0)))


def interrupted(numbers=24, **settings):
    """A peer whose download stands still after some blocks of 512 bytes."""
    peer = c8(**settings)
    peer.files.answer = lambda packet: peer.files.serve(packet) if packet.block2[0] < numbers else None
    pull(peer)
    peer.advance(1)
    return peer


def test_restart_during_a_pull():
    """It goes on at the last checkpoint, by the ETag; nothing before is asked for again."""
    peer = interrupted()
    found = stored(peer)
    eq((found["state"], found["uri"], found["offset"], found["etag"]), (1, peer.files.uri, 8192, "6531"))
    peer = restarted(peer)
    eq((peer.files.numbers()[0], state(peer)), (16, (2, 0)))


def test_restart_during_a_pull_of_what_has_changed():
    """Another ETag: from the beginning; a server without ETags: as well."""
    peer = interrupted()
    peer = restarted(peer, register=False)
    peer.files.etag, peer.files.body = b"e2", package(b"other" * 3000)
    peer.register()
    peer.advance(1)
    eq((peer.files.numbers()[:3], state(peer)), ([16, 0, 1], (2, 0)))
    peer = c8()
    peer.files.etag = None
    peer.files.answer = lambda packet: peer.files.serve(packet) if packet.block2[0] < 24 else None
    pull(peer)
    peer.advance(1)
    assert "etag" not in stored(peer)
    peer = restarted(peer)
    eq((peer.files.numbers()[0], state(peer)), (0, (2, 0)))


def test_restart_during_a_pull_whose_file_is_gone():
    """From the beginning."""
    peer = interrupted()
    peer.sink.abort()
    peer = restarted(peer)
    eq((peer.files.numbers()[0], state(peer)), (0, (2, 0)))


def test_stop_and_start_during_a_pull():
    """The client stops, and the download with it; when it starts, it goes on where it was."""
    peer = interrupted()
    peer.client.stop(peer.now)
    peer.advance(10)
    eq({session.state for session in peer.client.sessions}, {"STOPPED"})
    peer.files.answer = peer.files.serve
    peer.files.numbers()
    peer.client.start(peer.now)
    peer.advance(10)
    eq((peer.files.numbers()[0], peer.firmware.state), (24, 2))


def test_records_that_make_no_sense():
    """Anything in the store: the device starts, idle."""
    whole = {"state": 1, "result": 0, "uri": "coap://h", "offset": 512, "etag": "6531", "name": "", "version": ""}
    texts = [b"", b"x", b"[]", b"1", b'{"state": 1}', b"\xff\xfe", b"{}", b"null"]
    for name, value in (("state", 7), ("state", None), ("offset", "x"), ("etag", "zz"), ("etag", 5), ("result", {})):
        texts.append(json.dumps(dict(whole, **{name: value})).encode())
    for text in texts + list(noise(20, 40)):
        store = Store()
        store.kept["firmware"] = text
        peer = c8(store)
        eq((text, state(peer)), (text, (0, 0)))
        eq(push(peer), "2.04")


def test_a_store_that_is_full_or_not_there():
    """The update goes its way."""
    peer = c8()
    peer.store.works = False
    pull(peer)
    peer.advance(1)
    eq((state(peer), peer.post(UPDATE).code), ((2, 0), "2.04"))
    peer.advance(1)
    eq(len(peer.reboots), 1)
    peer = c8()
    push(peer)
    peer.store.works = False
    eq((reset(peer), state(peer)), ("2.04", (0, 0)))
    peer = c8()
    peer.client.store = None
    push(peer)
    eq((state(peer), reset(peer), state(peer)), ((2, 0), "2.04", (0, 0)))


def test_the_store_is_spared():
    """One write a transition, and one for each 8 KiB of a pull."""
    peer = c8()
    pull(peer)
    peer.advance(1)
    eq((state(peer), peer.store.saves), ((2, 0), 4))
    eq(peer.get(URI).text, peer.files.uri)
