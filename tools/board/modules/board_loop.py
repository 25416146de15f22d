"""How the virtual board gets its turn inside the program's event loop. The only file that knows both asyncios.

Nothing is polled: the loop waits for the link to become readable, or for the next timer.
"""

import asyncio

import board_sim
from compat import is_micropython


def install():
    """Let every event loop that the program starts serve the board as well. Call before the program runs."""
    if is_micropython:
        _install_on_micropython()
    else:
        _install_on_cpython()


def _install_on_micropython():
    # MicroPython has one global task queue: a task made now is run by the asyncio.run() to come. A new loop empties it.
    make_loop = asyncio.new_event_loop

    def new_event_loop():
        loop = make_loop()
        if board_sim.link():
            asyncio.create_task(_serve(board_sim.link()))  # noqa: RUF006 - MicroPython keeps its tasks
        for ms in board_sim.timers():
            _wake_on_micropython(ms)
        return loop

    asyncio.new_event_loop = new_event_loop
    board_sim.wake_in = _wake_on_micropython
    new_event_loop()


async def _serve(link):
    while True:
        await _readable(link)
        board_sim.poll()


def _readable(link):
    yield asyncio.core._io_queue.queue_read(link)


def _wake_on_micropython(ms):
    asyncio.create_task(_wake(ms))  # noqa: RUF006


async def _wake(ms):
    await asyncio.sleep_ms(ms)
    board_sim.poll()


def _install_on_cpython():
    # asyncio.run() takes its loop from here; a policy would do the same but is on its way out of CPython.
    make_loop = asyncio.events.new_event_loop

    def new_event_loop():
        loop = make_loop()
        if board_sim.link():
            loop.add_reader(board_sim.link().fileno(), board_sim.poll)

        def wake_in(ms):
            if not loop.is_closed():
                loop.call_later(ms / 1000, board_sim.poll)

        board_sim.wake_in = wake_in
        for ms in board_sim.timers():
            wake_in(ms)
        return loop

    asyncio.events.new_event_loop = new_event_loop
