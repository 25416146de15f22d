"""Devices that are killed at random, a thousand times, while servers write to them and bootstrap them.

    python -m host_tests.interop.kills --kills 1000 [--seed N] [--at-once 6]

After each start a device must register with its old account or the new one, with all of it (which of two servers, and
the lifetime), and with the new one if that was acknowledged. Only one without an account may ask for a bootstrap. Exit
status 0, or 1 with the seed and what was seen.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "lib"), str(ROOT / "host_tests" / "shared")]  # for when it runs by itself

from configurations_bootstrap import security, server
from host_tests.interop.network import Address, Socket
from packet import Packet, build
from tools import mpy

LEAN = Path(__file__).parent / "programs" / "lean.py"
LIMITS = {"ACK_TIMEOUT_ms": 500, "ACTION_DELAY_ms": 10, "RETRY_FIRST_s": 1, "RETRY_MAX_s": 2, "SPREAD_s": 0}
PATIENCE_s = 40
TLV = 11542

Account = tuple[int, int]  # which of the two servers, and the lifetime


def lean(interpreter: str, folder: Path, uri: str) -> tuple[list[str], dict[str, str]]:
    """The command of the least device, and its environment; writes its config.json."""
    settings = {"endpoint": folder.name, "server": {"uri": uri, "bootstrap": True}, "log": "warning", "limits": LIMITS}
    (folder / "config.json").write_text(json.dumps(settings))
    if interpreter == "unix":
        return [mpy.micropython(), str(LEAN)], {"MICROPYPATH": f".frozen:{mpy.deployed()}"}
    return [sys.executable, "-u", str(LEAN)], {"PYTHONPATH": str(ROOT / "lib")}


def board(folder: Path, uri: str) -> tuple[list[str], dict[str, str]]:
    """The same for a virtual board, with all that belongs to it."""
    command = [sys.executable, "-m", "tools.device", "--bootstrap", "--server", uri, "--state-dir", str(folder)]
    command += ["--endpoint", folder.name, "--program", str(LEAN)]
    for name, value in LIMITS.items():
        command += ["--set", f"{name}={value}"]
    return command, {"PYTHONPATH": str(ROOT)}


class Victim:
    """One device, over all its lives, and the servers that manage it."""

    numbers = itertools.count(1000)

    def __init__(self, kind: str, folder: Path, rng: random.Random):
        self.kind, self.folder, self.rng = kind, folder, rng
        self.kills = self.writes = self.bootstraps = self.news = 0
        self.known: Account | None = None  # what the device has acknowledged or shown
        self.maybe: set[Account] = set()  # what it has not acknowledged, but may have stored
        self._registered = asyncio.Event()
        self._asked = asyncio.Event()  # for a bootstrap
        self._bootstrapping = False
        self._devices: dict[int, Address] = {}  # number of a socket -> where the device is; 2 is the Bootstrap-Server
        self._replies: dict[bytes, asyncio.Future] = {}
        self._tokens = itertools.count(1)
        self._problem: asyncio.Future = asyncio.get_running_loop().create_future()

    async def live(self, kills: int) -> None:
        """So many lives that end by a kill, and one that shows that all is well."""
        async with contextlib.AsyncExitStack() as stack:
            self._sockets = [await stack.enter_async_context(Socket.open()) for _ in range(3)]
            for number, sock in enumerate(self._sockets):
                sock.heard = lambda data, address, number=number: self._hear(number, data, address)
            uri = self._sockets[2].uri
            self._command = board(self.folder, uri) if self.kind == "board" else lean(self.kind, self.folder, uri)
            for _ in range(kills):
                await self._life(True)
                self.kills += 1
            await self._life(False)

    async def _life(self, ends: bool) -> None:
        self._registered.clear()
        self._asked.clear()
        self._bootstrapping = False
        with open(self.folder / "output", "ab") as output:
            process = await asyncio.create_subprocess_exec(
                *self._command[0],
                cwd=ROOT if self.kind == "board" else self.folder,
                env={**os.environ, **self._command[1]},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        management = asyncio.create_task(self._manage(1 << 30 if ends else 6))
        try:
            if ends:
                await self._until_the_end(management)
            else:
                await self._first(management, asyncio.sleep(PATIENCE_s, "not managed within 40 s"))
        finally:
            _kill(process.pid)
            management.cancel()
            await asyncio.gather(management, return_exceptions=True)
            await process.wait()

    async def _until_the_end(self, management: asyncio.Task) -> None:
        """Wait for a random moment: soon after the start, or while servers are busy with the device."""
        if self.rng.random() < 0.2:
            await self._first(management, asyncio.sleep(self.rng.uniform(0, 0.5)))
            return
        waiting = asyncio.create_task(self._registered.wait())
        late = asyncio.sleep(PATIENCE_s, "not managed within 40 s")
        await self._first(management, waiting, late)
        await self._first(management, asyncio.sleep(self.rng.uniform(0, 0.3)))

    async def _first(self, *events) -> None:
        """Wait for the first of some events. A text, or an exception of any of them, is a failure."""
        tasks = [asyncio.ensure_future(event) for event in events]
        try:
            done, _ = await asyncio.wait([*tasks, self._problem], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                assert not isinstance(task.result(), str), task.result()
        finally:
            for task in tasks[1:]:  # the first is the management, which goes on
                task.cancel()

    # -- what the servers do --------------------------------------------------------------------------------------

    async def _manage(self, actions: int) -> None:
        """Write and bootstrap, one after another, as fast as the device allows."""
        for _ in range(actions):
            if self.known is None or self.rng.random() < 0.3:
                await self._bootstrap()
            else:
                await self._write()

    async def _write(self) -> None:
        """A new lifetime."""
        await self._registered.wait()
        number, lifetime = self.known[0], next(self.numbers)
        self.maybe.add((number, lifetime))
        reply = await self._ask(number, "PUT", "/1/0/1", str(lifetime).encode(), 0)
        self._acknowledge(reply, (number, lifetime))
        self.writes += 1

    async def _bootstrap(self) -> None:
        """Another server and a new lifetime."""
        if self.known is not None:
            await self._registered.wait()
            self._bootstrapping = True
            self._asked.clear()
            assert (await self._ask(self.known[0], "POST", "/1/0/9")).code == "2.04"
        await self._asked.wait()
        self._bootstrapping = True
        account = (self.rng.randrange(2), next(self.numbers))
        for path, payload in (
            ("/0", security(uri=self._sockets[account[0]].uri.encode())),
            ("/1", server(lifetime=account[1])),
        ):
            assert (await self._ask(2, "PUT", path, payload, TLV)).code == "2.04"
        self._registered.clear()
        self.maybe.add(account)
        self._acknowledge(await self._ask(2, "POST", "/bs"), account)
        self._bootstrapping = False
        self.bootstraps += 1
        await self._registered.wait()

    def _acknowledge(self, reply: Packet, account: Account) -> None:
        assert reply.code == "2.04", f"{reply.code} {reply.payload}"
        self.known, self.maybe = account, set()

    async def _ask(self, number: int, method: str, path: str, payload: bytes = b"", content_format=None) -> Packet:
        """The answer to a request; the server sends it again as CoAP wants."""
        token = next(self._tokens).to_bytes(4, "big")
        options = [(11, segment) for segment in path.split("/")[1:]]
        options += [] if content_format is None else [(12, content_format)]
        datagram = build("CON", method, next(self._tokens) & 0xFFFF, token, options, payload)
        reply = self._replies[token] = asyncio.get_running_loop().create_future()
        for pause_s in (2, 4, 8, 16):
            self._sockets[number].send(datagram, self._devices[number])
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):  # wait_for swallows a cancellation that comes with the reply
                    return await asyncio.shield(reply)
        raise AssertionError(f"no answer to {method} {path}")

    # -- what the device says -------------------------------------------------------------------------------------

    def _hear(self, number: int, data: bytes, address: Address) -> None:
        try:
            packet = Packet(data)
            if packet.is_request:
                self._devices[number] = address
                code, options = self._answer(number, packet)
                self._sockets[number].send(build("ACK", code, packet.mid, packet.token, options), address)
            elif packet.code and packet.token in self._replies:
                self._replies.pop(packet.token).set_result(packet)
        except Exception as error:
            if not self._problem.done():
                self._problem.set_exception(error)

    def _answer(self, number: int, packet: Packet) -> tuple[str, list]:
        if packet.path == "/bs":
            allowed = self.known is None or self._bootstrapping
            assert allowed, f"it asks for a bootstrap, but has the account {self.known}"
            self._asked.set()
            return "2.04", []
        if packet.path == "/rd":
            (lifetime,) = [int(query[3:]) for query in packet.queries if query.startswith("lt=")]
            found = (number, lifetime)
            assert found in self.maybe | {self.known}, f"{found}: neither {self.known} nor of {self.maybe}"
            self.news += found != self.known
            self.known, self.maybe = found, set()
            self._registered.set()
            return "2.01", [(8, "rd"), (8, "1")]
        return "2.02" if packet.code == "DELETE" else "2.04", []


def _kill(pid: int) -> None:
    """SIGKILL for a process and its children."""
    for one in [pid, *_children(pid)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(one, 9)


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


async def campaign(kinds: dict[str, int], at_once: int, seed: int, told=print) -> str:
    """Kill devices: `kinds` is how often each kind is killed, "unix", "cpython" and "board". Returns a summary; raises
    AssertionError with what went wrong."""
    with tempfile.TemporaryDirectory(prefix="kills-") as root:
        victims = []
        for kind, kills in kinds.items():
            share = min(at_once, max(1, kills // 5))
            for number in range(share):
                folder = Path(root) / f"{kind}-{number}"
                folder.mkdir()
                victim = Victim(kind, folder, random.Random(f"{seed} {folder.name}"))
                victims.append((victim, kills // share + (number < kills % share)))
        gate = asyncio.Semaphore(at_once)
        await asyncio.gather(*[_live(gate, victim, kills, told) for victim, kills in victims])
        total = [
            sum(getattr(victim, name) for victim, _ in victims) for name in ("kills", "writes", "bootstraps", "news")
        ]
    return "%d kills, %d writes, %d bootstraps; %d changes were stored but not acknowledged" % tuple(total)


async def _live(gate: asyncio.Semaphore, victim: Victim, kills: int, told) -> None:
    async with gate:
        try:
            await victim.live(kills)
        except Exception as error:
            output = (victim.folder / "output").read_text(errors="replace")[-2000:]
            raise AssertionError(f"{victim.folder.name}, kill {victim.kills}: {error}\n{output}") from error
        told(f"{victim.folder.name}: {victim.kills} kills")


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m host_tests.interop.kills", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1000, help="how often (1000)")
    parser.add_argument("--at-once", type=int, default=6, help="how many devices live at the same time (6)")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32), help="of all that is random")
    options = parser.parse_args(arguments)
    print(f"seed {options.seed}", flush=True)
    boards, cpython = options.kills // 20, options.kills // 5
    kinds = {"unix": options.kills - boards - cpython, "cpython": cpython, "board": boards}
    try:
        print(asyncio.run(campaign(kinds, options.at_once, options.seed)))
    except AssertionError as error:
        print(f"seed {options.seed}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
