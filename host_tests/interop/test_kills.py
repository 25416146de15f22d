"""The real process, killed at random: a few times here, a thousand times by `python -m host_tests.interop.kills`."""

import random

from host_tests.interop.kills import campaign


async def test_killed_at_random(micropython):
    """The accounts are the old or the new, and the device is managed again."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")  # pytest shows it if the test fails
    print(await campaign({"unix": 28, "cpython": 8, "board": 4}, 4, seed))
