"""What each process of a campaign runs, under MicroPython or CPython, with host_tests/shared and lib/ to import from:

worker.py random TARGET SEED FOLDER    lives from SEED on, until it is killed; "parsers" are all of these in turn
worker.py trace TARGET SEED FOLDER     that one life, each input being kept before it is tried: for what never ends
worker.py replay FILE...               reproducers, one after the other
worker.py shrink FILE SECONDS          make a reproducer as small as it can be in that time
worker.py list                         the names of all targets

It prints "LIFE seed inputs target" after each life, and "CRASH file signature" for each new way to go wrong.
"""

import sys
import time
from binascii import hexlify
from io import StringIO

import targets
from mutation import Chance
from siege_script import packed, unpacked

_INPUTS = 400  # of a life


def signature(error):
    """(what went wrong and where, in one word; the traceback as text)."""
    out = StringIO()
    native = getattr(sys, "print_exception", None)
    if native:
        native(error, out)
    else:
        import traceback

        traceback.print_exception(error, file=out)
    text = out.getvalue()
    places = [line.strip() for line in text.split("\n") if line.strip().startswith("File ")]
    words = places[-1].replace('"', "").replace(",", "").split() if places else ["", "?", "", "?"]
    return "%s:%s:%s" % (type(error).__name__, words[1].replace("\\", "/").split("/")[-1], words[3]), text


def attempt(name, data):
    """(inputs, None or the signature, traceback) of one run."""
    try:
        return targets.run(name, data), None, ""
    except Exception as error:
        return (1,) + signature(error)


def keep(path, data, comment):
    """Write a reproducer."""
    digits = str(hexlify(data), "ascii")
    with open(path, "w") as file:
        for line in comment.strip().split("\n"):
            file.write("# %s\n" % line)
        for start in range(0, len(digits), 96):
            file.write(digits[start : start + 96] + "\n")


def life(name, seed, folder, known, trace=False):
    """One life; `known` are the signatures that need no further reproducer."""
    count = 0
    path = "%s/%s-%d.hex" % (folder, name, seed)
    for data in targets.inputs(name, Chance(seed), _INPUTS):
        if trace:
            keep(path, data, "never came to an end")
        inputs, found, text = attempt(name, data)
        count += inputs
        if found and found not in known:
            known.append(found)
            path = "%s/%s-%d-%d.hex" % (folder, name, seed, len(known))
            keep(path, data, text)
            print("CRASH %s %s" % (path, found))
    print("LIFE %d %d %s" % (seed, count, name))
    if hasattr(sys.stdout, "flush"):
        sys.stdout.flush()


def random(wanted, seed, folder):
    """Life after life."""
    names = sorted(targets.checks()) if wanted == "parsers" else [wanted]
    known = []
    while True:
        life(names[seed % len(names)], seed, folder, known)
        seed += 1


def replay(paths):
    """The exit status: 1 if any of them still goes wrong."""
    status = 0
    for path in paths:
        _, found, text = attempt(*targets.load(path))
        if found:
            print("CRASH %s %s" % (path, found))
            print(text)
            status = 1
    return status


def shrink(path, seconds):
    """Leave out what can be left out: halves first, single pieces last."""
    name, data = targets.load(path)
    _, wanted, text = attempt(name, data)
    if not wanted:
        return
    until = time.time() + seconds
    pieces = unpacked(data)[1] if name == targets.CLIENT else [data[at : at + 1] for at in range(len(data))]

    def joined(pieces):
        return packed(data[0] & 3, pieces) if name == targets.CLIENT else b"".join(pieces)

    size = max(1, len(pieces) // 2)
    while size and time.time() < until:
        at = 0
        while at < len(pieces) and time.time() < until:
            fewer = pieces[:at] + pieces[at + size :]
            _, found, again = attempt(name, joined(fewer))
            if found == wanted:
                pieces, text = fewer, again
            else:
                at += size
        size //= 2
    keep(path, joined(pieces), text)


def main(words):
    """The exit status."""
    if words[0] == "replay":
        return replay(words[1:])
    if words[0] == "list":
        print(targets.CLIENT, *sorted(targets.checks()))
    elif words[0] == "shrink":
        shrink(words[1], int(words[2]))
    elif words[0] == "trace":
        name = words[1]
        if name == "parsers":
            names = sorted(targets.checks())
            name = names[int(words[2]) % len(names)]
        life(name, int(words[2]), words[3], [], True)
    else:
        random(words[1], int(words[2]), words[3])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
