"""What one Read leaves for the collector, from the request's bytes to the response's, and that none of it is kept."""

import gc

from asking import Asking

_LIMIT = 1024  # bytes a Read
_LIMIT_PARSED = 2048  # the budget of 1024 is for 32 bits, where these objects are half as wide
_NOISE = 256  # bytes: the collector takes what looks like a pointer for one
_READS = 240

_NUMBERS = (
    "/3303/0/5700 /3303/0/5601 /3303/0/5602 /3304/0/5700 /3304/0/5601 /3304/0/5602 /3315/0/5700 /3315/0/5601"
    " /3301/0/5700 /3311/0/5852 /3347/0/5501 /1/0/1"
).split()

_MORE = "/3301/0/5601 /3301/0/5602 /3315/0/5602 /1/0/0 /1/0/6 /1/0/7 /3/0/13 /3/0/16".split()


def garbage(asking, requests):
    """Bytes a Read."""
    for request in requests * 2:
        assert asking.ask(request)[0][1] == 0x45
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    for number in range(_READS):
        asking.ask(requests[number % len(requests)])
    after = gc.mem_alloc()
    gc.enable()
    return (after - before) // _READS


def check(paths, limit=_LIMIT):
    """Garbage and growth of Reads of these paths in turn."""
    asking = Asking()
    requests = [asking.request("GET", path) for path in paths]
    garbage(asking, requests)  # until everything that remembers is full
    before = asking.level(requests)
    found = garbage(asking, requests)
    assert found < limit, "%d bytes of garbage a Read" % found
    kept = asking.level(requests) - before
    assert kept <= _NOISE, "%d Reads keep %d bytes" % (_READS, kept)


def test_the_same_resource_again_and_again():
    check(_NUMBERS[:1])


def test_several_resources_in_turn():
    check(_NUMBERS[:6])


def test_a_dozen_resources_in_turn():
    check(_NUMBERS)


def test_more_resources_in_turn_than_are_remembered():
    """Each has to be parsed again, as the memory holds 16."""
    check(_NUMBERS + _MORE, _LIMIT_PARSED)
