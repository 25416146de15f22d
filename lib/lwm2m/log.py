"""One line a thing that happened, for the person at the REPL. Never a key, never a password."""

LEVELS = ("debug", "info", "warning", "error")
_shown = [1]  # index of the lowest level that is printed


def level(name):
    """Show lines of this level and above."""
    _shown[0] = LEVELS.index(name)


def debug(text, *args):
    """Every request and why; for a lecture."""
    if _shown[0] == 0:
        print("debug", text % args)


def info(text, *args):
    """What a person at the REPL wants to see."""
    if _shown[0] <= 1:
        print("info", text % args)


def warning(text, *args):
    """Something failed, and the client goes on."""
    if _shown[0] <= 2:
        print("warning", text % args)


def error(text, *args):
    """Something that must not happen, and the client goes on."""
    print("error", text % args)
