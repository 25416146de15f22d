"""What a siege consists of: a kind of client and steps, as bytes that can be kept, made by chance or changed by it.

A script is one byte for the kind (see siege.Siege), and for each step one byte for what happens (low half) and to whom
(high half), two bytes of length and the data: of DATAGRAM and REPLY a datagram, of TIME two bytes.
"""

from mutation import reshaped, scrambled
from siege import ASK, CHANGE, DATAGRAM, LINK, REPLY, SILENCE, STORE, TIME, Siege
from zoo import bootstrap_requests, replies, requests

VALID = requests()
BOOTSTRAP = bootstrap_requests()
REPLIES = list(replies(0x1234, b"\x11\x22"))
ALL = VALID + BOOTSTRAP + REPLIES
_MOST = 4096  # steps


def packed(kind, steps):
    """A script as bytes."""
    out = bytearray([kind])
    for op, who, data in steps:
        out += bytes([op | who << 4, len(data) >> 8, len(data) & 255]) + data
    return bytes(out)


def unpacked(script):
    """(kind, [step]) of any bytes."""
    steps = []
    at = 1
    while at + 3 <= len(script) and len(steps) < _MOST:
        length = script[at + 1] << 8 | script[at + 2]
        steps.append((script[at] & 7, script[at] >> 4 & 3, bytes(script[at + 3 : at + 3 + length])))
        at += 3 + length
    return (script[0] & 3 if script else 0), steps


def play(script):
    """Run a script; returns how many datagrams it had. Raises what went wrong."""
    kind, steps = unpacked(script)
    siege = Siege(kind)
    try:
        for op, who, data in steps:
            siege.step(op, who, data)
            if siege.over:
                break
        siege.finish()
        return siege.datagrams
    finally:
        siege.end()


# -- by chance ---------------------------------------------------------------------------------------------------------


def made(chance, count, kind=None):
    """(kind, steps) of a script with `count` steps."""
    kind = chance.below(4) if kind is None else kind
    return kind, [step(kind, chance) for _ in range(count)]


def step(kind, chance):
    """A step by chance: mostly a datagram."""
    dice = chance.below(100)
    who = chance.below(3)
    if dice < 82:
        return (DATAGRAM, who, _datagram(BOOTSTRAP if kind > 1 and who == 2 else VALID, chance))
    if dice < 88:
        return (REPLY, who, _changed(chance.pick(REPLIES), chance))
    if dice < 94:
        return (TIME, who, bytes([chance.below(1 << chance.below(9)), chance.below(256)]))
    if dice < 97:
        return (CHANGE, who, b"\0" * (1 + chance.below(9)))
    return (chance.pick((LINK, SILENCE, SILENCE, STORE, ASK)), who, b"")


def _datagram(valid, chance):
    datagram = chance.pick(valid)
    if chance.below(16):  # else it may be a repeat
        datagram = datagram[:2] + bytes([chance.below(256), chance.below(256)]) + datagram[4:]
    return _changed(datagram, chance)


def _changed(datagram, chance):
    dice = chance.below(8)
    if dice < 3:
        return datagram
    if dice < 7:
        return reshaped(datagram, ALL, chance)
    return scrambled(datagram, chance.pick(ALL), chance)


def varied(script, chance, most):
    """A script with some of its steps changed, left out, doubled or moved, or new ones; at most `most` bytes long."""
    kind, steps = unpacked(script)
    for _ in range(1 + chance.below(4)):
        dice = chance.below(8)
        at = chance.below(len(steps) + 1)
        if dice < 3 or at == len(steps):
            steps[at:at] = [step(kind, chance) for _ in range(1 + chance.below(3))]
        elif dice < 6:
            op, who, data = steps[at]
            change = reshaped if op <= REPLY and chance.below(4) else scrambled
            data = change(data, ALL, chance) if change is reshaped else change(data, chance.pick(ALL), chance)
            steps[at] = (op, who, data)
        elif dice == 6:
            del steps[at : at + 1 + chance.below(4)]
        else:
            steps[at:at] = steps[chance.below(len(steps)) :][: 1 + chance.below(3)]
    if not chance.below(50):
        kind = chance.below(4)
    found = packed(kind, steps)
    while len(found) > most and steps:
        steps.pop(0)
        found = packed(kind, steps)
    return found
