"""A board that hangs, in whatever way, is reset by its watchdog and managed again; one that does not is left alone."""

import asyncio

from host_tests.interop.board import scripted

_WATCHDOG = "^reset cause 3$"


async def test_whatever_hangs_is_reset(micropython):
    """Three kinds of trouble, one after another; each costs one reset."""
    async with scripted("trouble.py", options=("--heap", "320k")) as (server, board):
        await asyncio.sleep(3.5)  # longer than the watchdog, without a word of the server
        for number, (rid, what) in enumerate(((0, "a call that blocks"), (1, "a reader that is gone"), (2, "the end"))):
            assert board.count("watchdog reset") == number, what
            server.ask("POST", f"/32776/0/{rid}")
            assert (await server.reply()).code == "2.04", what
            await board.printed(_WATCHDOG, number + 1, timeout_s=15)
            await server.asked("POST /rd", number + 2)
            await board.printed("-> REGISTERED", number + 2)
        assert board.count("watchdog reset") == 3
        board.lines = [line for line in board.lines if not line.startswith(("Traceback", "board: watchdog"))]
