"""CPU time and round trip of a Read, as ratios to a bare UDP echo in the same interpreter and the same run."""

import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from . import process
from .server import CONTENT, Server, question

# A server that watches a device asks for one number after the other; here are a dozen of programs/device.py.
PATHS = [
    *("/3303/0/5700", "/3303/0/5601", "/3303/0/5602", "/3304/0/5700", "/3304/0/5601", "/3304/0/5602"),
    *("/3315/0/5700", "/3315/0/5601", "/3301/0/5700", "/3311/0/5851", "/3347/0/5501", "/1/0/1"),
]
ROTATING, SINGLE, PEER, ECHO, ASYNCIO = "rotating", "single", "peer", "echo", "asyncio"


@dataclass
class Contestant:
    """Who is measured: the process, the way to ask it, and (CPU s, round trip s) of a request in each round."""

    process: process.Process
    server: Server
    questions: list[bytes]
    share: float = 1.0  # of the requests of a round; aiocoap is slow
    rounds: list[tuple[float, float]] = field(default_factory=list)

    def run(self, requests: int) -> None:
        """One round."""
        count = max(len(self.questions), int(requests * self.share))
        ask, questions, several = self.server.ask, self.questions, len(self.questions)
        ask(questions[0])
        cpu_s, start_s = self.process.cpu_s(), time.perf_counter()
        for number in range(count):
            ask(questions[number % several])
        elapsed_s = time.perf_counter() - start_s
        self.rounds.append(((self.process.cpu_s() - cpu_s) / count, elapsed_s / count))


def measure(rounds: int, requests: int) -> dict[str, Contestant]:
    """All contestants, after `rounds` rounds of `requests` requests each, taken in turns."""
    with ExitStack() as stack:
        contestants = _start(stack)
        for contestant in contestants.values():
            contestant.run(requests // 4)
            contestant.rounds.clear()
        for _ in range(rounds):
            for contestant in contestants.values():
                contestant.run(requests)
    return contestants


def ratio(one: Contestant, other: Contestant, which: int) -> float:
    """The median of the pairwise ratios of the rounds: of CPU time (which = 0) or round trip (1)."""
    pairs = zip(one.rounds, other.rounds, strict=True)
    return statistics.median(mine[which] / max(theirs[which], 1e-9) for mine, theirs in pairs)


def median_us(contestant: Contestant, which: int) -> float:
    """Microseconds a request."""
    return statistics.median(each[which] for each in contestant.rounds) * 1e6


def _start(stack: ExitStack) -> dict[str, Contestant]:
    questions = [question(path) for path in PATHS]
    lwm2m = Server()
    board = stack.enter_context(process.device(lwm2m))
    stack.callback(lwm2m.close)
    lwm2m.accept()
    for path, asked in zip(PATHS, questions, strict=True):
        if lwm2m.ask(asked)[1] != CONTENT:
            raise process.BenchError(f"the device does not answer a Read of {path}")
    return {
        ECHO: _served(stack, process.echo, questions),
        ASYNCIO: _served(stack, lambda port: process.echo(port, "echo_asyncio.py"), questions),
        ROTATING: Contestant(board, lwm2m, questions),
        SINGLE: Contestant(board, lwm2m, questions[:1]),
        PEER: _served(stack, lambda port: process.peer(port, PATHS), questions, 0.2),
    }


def _served(stack: ExitStack, start, questions: list[bytes], share: float = 1.0) -> Contestant:
    """A contestant that does not register: it is asked until it answers."""
    port = process.free_port()
    started = stack.enter_context(start(port))
    server = Server()
    stack.callback(server.close)
    server.device = ("127.0.0.1", port)
    server.awaken(questions[0])
    return Contestant(started, server, questions, share)
