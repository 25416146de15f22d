"""What stays on the heap, what a Read leaves behind, and the smallest heap that is enough."""

from collections.abc import Callable

from . import process
from .server import CONTENT, POST, PUT, NoAnswer, Server, question
from .speed import PATHS

_KEPT, ALLOCATED, _HOLD = (question(f"/33000/0/{rid}") for rid in range(3))
READ = question("/3303/0/5700")
_LIGHT = question("/3311/0/5850")
ALL = [question(path) for path in PATHS]
_CHANGED = 0x44
_REMEMBERED = 300  # writes after which all that is remembered of actions (Parameters.REPEATS, twice) is there
_GROWTH_HEAP = 256 << 10
_NO_SAMPLING_ms = 1 << 30
_SMALLEST, _LARGEST = 32, 1024  # KB, where the smallest heap is looked for


def after_registration() -> tuple[int, int]:
    """Bytes in use after a collection: in a bare interpreter, and once the device has registered."""
    server = Server()
    with process.device(server) as board:
        server.accept()
        server.ask(READ)
        printed = board.end()
    server.close()
    return int(process.evaluate("gc.mem_alloc()")), int(printed.split("heap ")[1].split()[0])


class Metered:
    """A device that tells about its heap when it is asked over the air; a context manager."""

    def __init__(self, heap: int):
        self.server = Server()
        self._on = False
        self._board = process.device(self.server, "metered.py", heap, SAMPLE_ms=_NO_SAMPLING_ms)

    def __enter__(self) -> "Metered":
        self.server.accept()
        return self

    def __exit__(self, *_: object) -> None:
        self._board.end()
        self.server.close()

    def kept(self) -> int:
        """Bytes in use after a collection."""
        return int(self._number(_KEPT))

    def level(self) -> int:
        """The most that is kept between the Reads of two rounds: what is remembered of requests comes and goes."""
        highest = 0
        for options in ALL * 2:
            self.read(options, 1)
            highest = max(highest, self.kept())
        return highest

    def allocated(self) -> int:
        """Bytes in use, garbage included."""
        return int(self._number(ALLOCATED))

    def hold_garbage(self) -> None:
        """Collect once, and then no more until kept() is asked."""
        self.server.ask(_HOLD, POST)

    def read(self, options: bytes, count: int) -> None:
        """Read the same thing many times. Raises BenchError for anything but 2.05."""
        for _ in range(count):
            if self.server.ask(options)[1] != CONTENT:
                raise process.BenchError("the device does not answer a Read")

    def notify(self, count: int) -> None:
        """Switch the light, which is observed, and wait for the notification, `count` times."""
        for _ in range(count):
            self.server.notifications.clear()
            self._on = not self._on
            if self.server.ask(_LIGHT + b"\x10", PUT, b"%d" % self._on)[1] != _CHANGED:
                raise process.BenchError("the device does not switch its light")
            self.server.notified(1)

    def _number(self, options: bytes) -> bytes:
        return self.server.ask(options).partition(b"\xff")[2]


def garbage(questions: list[bytes], requests: int) -> float:
    """Bytes that one Read leaves for the collector, from the socket to the socket, when these are asked in turn."""
    with Metered(8 << 20) as board:
        for options in questions * 2:
            board.read(options, 1)
        board.hold_garbage()
        board.allocated()
        before = board.allocated()
        for number in range(requests):
            board.read(questions[number % len(questions)], 1)
        return (board.allocated() - before) / (requests + 1)


def growth(requests: int, notifications: int) -> tuple[int, int]:
    """How many bytes more are kept after so many Reads of all kinds, and then after so many notifications."""
    with Metered(_GROWTH_HEAP) as board:
        board.server.ask(question("/3311/0/5850", observe=True))
        board.notify(_REMEMBERED)
        start = settled(board)
        for number in range(requests):
            board.read(ALL[number % len(ALL)], 1)
        after_requests = settled(board)
        board.notify(notifications)
        return after_requests - start, board.level() - after_requests


def settled(board: Metered) -> int:
    """The level after one more round, so that what is remembered of the last requests is the same each time."""
    for path in ALL * 3:
        board.read(path, 1)
    return board.level()


def smallest_heap(start: Callable[[Server, int], process.Process], requests: int, step_kb: int = 1) -> int | None:
    """The least KB of heap in which a board registers and answers `requests` Reads without a miss; None if even the
    largest is not enough."""
    low, high = _SMALLEST, _LARGEST
    if not works(start, high, requests):
        return None
    while high - low > step_kb:
        middle = (low + high) // 2
        if works(start, middle, requests):
            high = middle
        else:
            low = middle
    return high


def works(start: Callable[[Server, int], process.Process], heap_kb: int, requests: int) -> bool:
    """Whether a board registers in so much heap and answers each of `requests` Reads with 2.05, at the first try."""
    server = Server(limit_s=1.5)
    board = start(server, heap_kb << 10)
    try:
        server.accept()
        questions = [question(path) for path in ("/3303/0/5700", "/3304/0/5700", "/3315/0/5700", "/3311/0/5850")]
        return all(server.ask(questions[number % 4])[1] == CONTENT for number in range(requests))
    except NoAnswer:
        return False
    finally:
        board.end()
        server.close()


def plain_device(server: Server, heap: int) -> process.Process:
    """The program device.py in so many bytes of heap, for `works` and `smallest_heap`."""
    return process.device(server, heap=heap)
