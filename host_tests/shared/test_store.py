"""The store: what a power cut at any moment leaves, and what a full, broken or strange flash does to it."""

import os

from compat import is_micropython
from lwm2m.store import FileStore
from support import eq, noise, raises

FOLDER = "/tmp/microlwm2m-store-%d" % is_micropython


class PowerCut(BaseException):
    """The flash has died. Nothing that runs on the board can catch it."""


class Flash:
    """Files in RAM. Each write, and each step that changes a folder, counts down `steps`; at 0 the power is cut: of a
    write the first half arrives. `room` is how many bytes there are."""

    def __init__(self):
        self.files = {}
        self.unreadable = ()  # paths
        self.steps = None
        self.room = 10000

    def step(self):
        if self.steps is not None:
            self.steps -= 1
            if self.steps < 0:
                raise PowerCut()


class File:
    def __init__(self, flash, path, mode):
        self.flash, self.path = flash, path
        if path in flash.unreadable:
            raise OSError(5, "EIO")
        if mode == "wb":
            flash.step()
            flash.files[path] = b""
        elif path not in flash.files:
            raise OSError(2, "ENOENT")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

    def read(self):
        return self.flash.files[self.path]

    def write(self, data):
        """In pieces of 5 bytes, as pages of a flash are."""
        data = bytes(data)
        for start in range(0, len(data), 5):
            part = data[start : start + 5]
            if sum([len(content) for content in self.flash.files.values()]) + len(part) > self.flash.room:
                raise OSError(28)
            try:
                self.flash.step()
            except PowerCut:
                self.flash.files[self.path] += part[: len(part) // 2]
                raise
            self.flash.files[self.path] += part

    def flush(self):
        """Nothing waits here."""


class SimulatedStore(FileStore):
    """A FileStore on a Flash."""

    def __init__(self, flash):
        super().__init__()
        self.flash = flash

    def _open(self, path, mode):
        return File(self.flash, path, mode)

    def _sync(self, file):
        file.flush()

    def _remove(self, path):
        self.flash.step()
        if path not in self.flash.files:
            raise OSError(2, "ENOENT")
        del self.flash.files[path]


def saved(*contents):
    """A flash on which these contents were saved one after another."""
    flash = Flash()
    for content in contents:
        SimulatedStore(flash).save("a", content)
    return flash


def cut(flash, act):
    """Let the power be cut at every step of act(store); yields what is loaded after each, last of all without a cut."""
    before = dict(flash.files)
    steps = 0
    while True:
        flash.files, flash.steps = dict(before), steps
        try:
            act(SimulatedStore(flash))
            done = True
        except PowerCut:
            done = False
        flash.steps = None
        yield SimulatedStore(flash).load("a")
        if done:
            return
        steps += 1
        assert steps < 1000


def test_saving_and_loading():
    """The last content counts, whatever its bytes, and names do not mix."""
    flash = saved()
    store = SimulatedStore(flash)
    eq(store.load("a"), None)
    for content in [b"", b"one", b"two" * 300, b""] + list(noise(20, 60)):
        store.save("a", content)
        eq((SimulatedStore(flash).load("a"), store.load("b")), (content, None))
    store.save("b", b"other")
    eq((store.load("a"), store.load("b")), (content, b"other"))
    store.remove("a")
    eq((store.load("a"), store.load("b"), len(flash.files)), (None, b"other", 1))
    store.remove("a")


def test_power_cut_while_saving():
    """At every single step: the old content or the new one, and a later save works."""
    for contents in ((), (b"first" * 9,), (b"first" * 9, b"second" * 7), (b"1", b"2", b"3" * 50)):
        flash = saved(*contents)
        old = contents[-1] if contents else None
        found = []
        for after in cut(flash, lambda store: store.save("a", b"new" * 20)):
            assert after in (old, b"new" * 20), after
            found.append(after)
            SimulatedStore(flash).save("a", b"later")
            eq(SimulatedStore(flash).load("a"), b"later")
        eq((found[0], found[-1]), (old, b"new" * 20))
        assert len(found) > 12, found


def test_two_power_cuts():
    """The second one hits what comes after the first."""
    for first in range(14):
        flash = saved(b"old")
        flash.steps = first
        try:
            SimulatedStore(flash).save("a", b"new" * 10)
        except PowerCut:
            pass
        flash.steps = None
        middle = SimulatedStore(flash).load("a")
        assert middle in (b"old", b"new" * 10)
        for after in cut(flash, lambda store: store.save("a", b"newest" * 5)):
            assert after in (middle, b"newest" * 5), after


def test_power_cut_while_removing():
    """The newest content or none: an older one never comes back."""
    for contents in ((b"only",), (b"older", b"newest"), (b"oldest", b"older", b"newest")):
        found = list(cut(saved(*contents), lambda store: store.remove("a")))
        eq((found[0], found[-1]), (contents[-1], None))
        eq([one for one in found if one not in (contents[-1], None)], [])


def test_full_flash():
    """OSError, the old content stays, and what was half written is gone."""
    flash = saved(b"old" * 10)
    flash.room = 100
    raises(OSError, SimulatedStore(flash).save, "a", b"n" * 80)
    eq((SimulatedStore(flash).load("a"), len(flash.files)), (b"old" * 10, 1))
    SimulatedStore(flash).save("a", b"small")
    eq(SimulatedStore(flash).load("a"), b"small")


def test_broken_files():
    """A byte that was flipped, a file that was cut, or that is something else: the other one counts, or none."""
    flash = saved(b"old content", b"new content")
    (newest,) = [path for path in flash.files if b"new" in flash.files[path]]
    whole = flash.files[newest]
    for at in range(len(whole)):
        flash.files[newest] = whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]
        eq(SimulatedStore(flash).load("a"), b"old content")
        flash.files[newest] = whole[:at]
        eq(SimulatedStore(flash).load("a"), b"old content")
    flash.files[newest] = whole + b"x"
    eq(SimulatedStore(flash).load("a"), b"old content")
    for junk in noise(50, 40):
        flash.files = {"a.0": junk, "a.1": junk[1:] + b"x"}
        eq(SimulatedStore(flash).load("a"), None)


def test_a_file_that_cannot_be_read():
    """Neither the older content nor none: an error, and nothing is written over what may be the newest."""
    flash = saved(b"old", b"new")
    for path in ("a.0", "a.1"):
        flash.unreadable = (path,)
        before = dict(flash.files)
        store = SimulatedStore(flash)
        for act, *args in ((store.load, "a"), (store.save, "a", b"x"), (store.remove, "a")):
            raises(OSError, act, *args)
        eq(flash.files, before)
    flash.unreadable = ()
    eq(SimulatedStore(flash).load("a"), b"new")


def test_real_files():
    """The same on a real file system; a folder that is not there is an OSError."""
    try:
        os.mkdir(FOLDER)
    except OSError:
        pass
    store = FileStore(FOLDER)
    try:
        eq(store.load("a"), None)
        for content in (b"one", b"two", b"three"):
            store.save("a", content)
            eq(FileStore(FOLDER + "/").load("a"), content)
        eq(sorted(os.listdir(FOLDER)), ["a.0", "a.1"])
    finally:
        store.remove("a")
        os.rmdir(FOLDER)
    raises(OSError, store.save, "a", b"x")
    eq(store.load("a"), None)
