"""Runs boot.py and then the program, exactly as they are, as a board's firmware does: start.py BOOT PROGRAM.

Runs inside the interpreter (Unix port or CPython); the working folder is the board's file system.
Exit status: 0 at the end or after Ctrl-C, 1 after an uncaught exception, 2 for a mistake in the configuration.
"""

import sys

# The board's "/", not the folder of this file; and what lies beside the program, which a board has in "/", too.
sys.path[0] = ""
sys.path.insert(1, sys.argv[2].rpartition("/")[0] or "/")

_namespace = {"__name__": "__main__"}  # boot.py and the program share it, as on a board


def run(path):
    """Run one file; returns the exit status that it leads to, 0 at its normal end."""
    from compat import is_micropython, print_exception

    try:
        if is_micropython:
            execfile(path, _namespace)  # noqa: F821 - MicroPython's own
        else:
            with open(path, "rb") as file:
                exec(compile(file.read(), path, "exec"), _namespace)
    except Exception as error:
        if type(error).__name__ == "ConfigError":  # by name: lwm2m is imported only if the program does
            print(error, file=sys.stderr)
            return 2
        print_exception(error)
        return 1
    return 0


def start(boot, program):
    """What happens after power-on or a reset; the exit status."""
    import gc

    import board_loop
    import board_sim

    board_loop.install()
    if board_sim.facts["steered"]:
        import board_socket

        board_socket.install()
    run(boot)  # a board goes on with main.py whatever became of boot.py
    gc.collect()
    return run(program)


def close_client():
    """De-register after a Ctrl-C. CPython's asyncio cancels the program, which then does it by itself; MicroPython's is
    left at once, and its tasks go on in the next asyncio.run."""
    runner = sys.modules.get("lwm2m.runner")
    if runner and runner.running:
        import asyncio

        asyncio.run(runner.running[0].close())


try:
    status = start(sys.argv[1], sys.argv[2])
except KeyboardInterrupt:
    status = 0  # asked to stop
    close_client()
sys.exit(status)
