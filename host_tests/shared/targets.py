"""All that can be fuzzed, by name: the whole client as "client", and every parser. See siege_script.py and parsers.py.

A reproducer is a text file `TARGET-whatever.hex`: bytes as hex digits, comments behind #.
"""

from compat import is_micropython
from mutation import scrambled
from siege_script import made, packed, play
from support import unhex

CLIENT = "client"
_STEPS = 1500  # of one client's life
_checks = {}


def checks():
    """{name: (check, seeds)} of the parsers that there are under this Python."""
    if not _checks:
        import parsers
        import parsers_formats
        import parsers_secure
        import parsers_stored

        for module in (parsers, parsers_formats, parsers_secure, parsers_stored):
            _checks.update(module.TARGETS)
    return _checks


def run(name, data):
    """Give bytes to a target; returns how many datagrams, or other inputs, they were. Raises what is wrong with it."""
    if name == CLIENT:
        return play(data)
    found = checks().get(name)
    if found is None and is_micropython:  # DTLS is the host's alone
        return 0
    found[0](data)
    return 1


def inputs(name, chance, count):
    """`count` inputs for a target by chance; for the client it is one, with more steps than it may survive."""
    if name == CLIENT:
        yield packed(*made(chance, _STEPS))
        return
    seeds = checks()[name][1]
    for _ in range(count):
        data = chance.pick(seeds)
        yield scrambled(data, chance.pick(seeds), chance) if chance.below(50) else data


def load(path):
    """(target, bytes) of a reproducer; the target's name ends at the first "-" or ".". Raises ValueError, OSError."""
    name = path.replace("\\", "/").split("/")[-1]
    with open(path) as file:
        return name.split("-")[0].split(".")[0], unhex(file.read())
