"""The virtual board's side of the world: what the fakes read, what they show, and the line to the supervisor.

The supervisor (tools/board/supervisor.py) owns the world, as a room outlives the resets of a board standing in it. It
hands over one end of a socket pair by number (BOARD_LINK) and both sides talk in JSON lines:

    supervisor -> board   {"facts": {...}} once at the start, {"set": {name: value}} whenever something changes,
                          {"stop": true} in place of a Ctrl-C
    board -> supervisor   {"show": {name: value}}, {"wdt": ms}, {"rtc": {...}}, {"leave": {"kind": ...}},
                          {"stopping": true} in answer to stop

The link is read without blocking whenever a fake is touched, and by the event loop as soon as it is readable
(board_loop.py), so that a pressed button runs its handler at once and an idle board sleeps. No link, no supervisor:
then the world is what DEFAULTS says and what a test puts into `world`.
"""

import json
import os
import sys
import time

import board_world
from compat import Clock, is_micropython, print_exception

facts = {
    "chip": "esp32",
    "mac": "02a1b2c3d4e5",
    "reset_cause": 1,  # machine.PWRON_RESET
    "wake_reason": 0,
    "rtc_memory": "",  # hex
    "rtc_offset_s": 0,  # the board's clock minus the PC's
    "state_dir": ".",
    "steered": False,  # somebody may cut the Wi-Fi, so sockets must be cuttable
}
world = dict(board_world.DEFAULTS)
now_ms = Clock().ms  # a test puts its own clock here
wake_in = None  # board_loop: how the event loop comes back to run a timer

_link = None
_chunk = bytearray(512)
_pending = b""
_watchers = {}
_timers = []
_held = None  # a list of interrupts while machine.disable_irq() holds them back


def read(name):
    """The present value of a name of the world, or None."""
    poll()
    return board_world.lookup(world, name, time.time())


def fails(sensor):
    """Whether somebody unplugged the sensor."""
    return bool(read(sensor + ".fail"))


def show(name, state):
    """Tell the world outside what an output does now."""
    send({"show": {name: state}})


def watch(name, callback):
    """Call `callback()` whenever the named value changes."""
    _watchers.setdefault(name, []).append(callback)


def later(ms, callback):
    """Run a callback in so many milliseconds; returns the handle for cancel()."""
    timer = [now_ms() + ms, callback]
    _timers.append(timer)
    if wake_in:
        wake_in(ms)
    return timer


def cancel(timer):
    """Forget a timer that may have run already."""
    if timer in _timers:
        _timers.remove(timer)


def timers():
    """The milliseconds until each waiting timer, for an event loop that starts now."""
    return [max(0, timer[0] - now_ms()) for timer in _timers]


def interrupt(handler, argument):
    """Run a soft interrupt handler; as on a board its exception is printed and the program goes on."""
    if _held is not None:
        _held.append((handler, argument))
        return
    try:
        handler(argument)
    except Exception as error:
        print_exception(error)


def hold_interrupts(hold):
    """Keep interrupts back, or run those that came meanwhile. Returns whether they were held before."""
    global _held
    before, waiting = _held is not None, _held or ()
    _held = [] if hold else None
    for handler, argument in waiting:
        interrupt(handler, argument)
    return before


def send(message):
    """One message to the supervisor; nothing where there is none."""
    if not _link:
        return
    view = memoryview((json.dumps(message) + "\n").encode())
    while view:
        sent = _link.write(view)
        if sent:
            view = view[sent:]
        else:
            time.sleep(0.001)  # the supervisor is busy and the pipe is full


def leave(kind, **details):
    """Stop for a reset or deep sleep: at once, with no `finally` run, as when a chip does it."""
    details["kind"] = kind
    send({"leave": details})
    if _link:
        time.sleep(10)  # the supervisor kills this process meanwhile
    sys.exit("machine: %s; no supervisor is there to start the board again" % kind)


def wait(ms):
    """Sleep as light sleep does: woken early by whatever the supervisor sends."""
    import select

    poller = select.poll()
    if _link:
        poller.register(_link, select.POLLIN)
    poller.poll(ms)
    poll()


def poll():
    """Take in what came over the link and run the timers that are due; cheap when there is nothing."""
    global _pending
    while _link:
        count = _link.readinto(_chunk)
        if count is None:
            break
        if count == 0:
            sys.exit(1)  # the supervisor is gone, and with it the power
        _pending += bytes(_chunk[:count])
    while b"\n" in _pending:
        line, _pending = _pending.split(b"\n", 1)
        _take(json.loads(line))
    _run_timers()


def _take(message):
    facts.update(message.get("facts", {}))
    changes = message.get("set", {})
    for name in changes:
        if changes[name] is None:
            world.pop(name, None)
        else:
            world[name] = changes[name]
        for callback in _watchers.get(name, ()):
            callback()
    if "stop" in message:
        send({"stopping": True})
        _stop()


def _stop():
    """What Ctrl-C does; on CPython asyncio takes it over, and cancels the program."""
    if is_micropython:
        raise KeyboardInterrupt
    import signal

    signal.raise_signal(signal.SIGINT)


def _run_timers():
    if not _timers:
        return
    now = now_ms()
    for timer in [timer for timer in _timers if timer[0] <= now]:
        if timer in _timers:  # not cancelled by the one before
            _timers.remove(timer)
            timer[1]()


def _open():
    global _link
    number = getattr(os, "getenv", lambda name: None)("BOARD_LINK")
    if number:
        _link = open(int(number), "r+b", 0)
        poll()


def link():
    """The file whose readability means that poll() has work, or None."""
    return _link


_open()
