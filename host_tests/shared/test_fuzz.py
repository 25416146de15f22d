"""Hostile bytes, the same ones in each run: whatever a campaign of tools/fuzz has found, and a short campaign."""

import os

import targets
from mutation import Chance
from siege_script import made, packed, play, unpacked
from support import eq, show

VECTORS = "host_tests/vectors/fuzz"
_STEPS = 300  # of a life
_LIVES = 4  # of each kind of client
_INPUTS = 100  # of each parser


def test_what_was_found_stays_mended():
    """Reproducers of former campaigns, see targets.load."""
    names = [name for name in os.listdir(VECTORS) if name[-4:] == ".hex"]
    assert names
    for name in names:
        try:
            targets.run(*targets.load(VECTORS + "/" + name))
        except Exception:
            print(name)
            raise


def besiege(kind):
    """Some lives of one kind of client; returns how many datagrams they took."""
    count = 0
    for seed in range(_LIVES):
        script = packed(*made(Chance(20261128 + seed), _STEPS, kind))
        try:
            count += play(script)
        except Exception:
            print("kind %d, seed %d, %d bytes" % (kind, seed, len(script)))
            raise
    return count


def test_two_servers():
    """One that would send anything, and one that keeps to the rules and loses nothing."""
    assert besiege(0) > 500


def test_two_servers_lwm2m_1_2():
    """The same with what LwM2M 1.2 adds."""
    assert besiege(1) > 500


def test_a_bootstrap_server_beside_servers():
    """All three send anything."""
    assert besiege(2) > 500


def test_nothing_but_a_bootstrap_server():
    """A bootstrap is under way from the start, in LwM2M 1.2 by a pack."""
    assert besiege(3) > 500


def test_parsers():
    """Mutations of valid bytes for each of them."""
    for name in sorted(targets.checks()):
        check = targets.checks()[name][0]
        for data in targets.inputs(name, Chance(7), _INPUTS):
            try:
                check(data)
            except Exception:
                print(name, show(data))
                raise


def test_a_script_is_what_it_was():
    """Packed and unpacked; and what was cut off still is one."""
    kind, steps = made(Chance(3), 50, 2)
    script = packed(kind, steps)
    eq(unpacked(script), (kind, steps))
    for length in (0, 1, 5, len(script) - 1):
        eq(len(unpacked(script[:length])[1]) <= 50, True)
