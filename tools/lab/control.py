"""The control channel of a running lab server: one JSON line in, JSON lines out, over a Unix socket.

A request is {"command": "read", "endpoint": "virtual-1" or null, "path": "/3/0", ...}. Replies are {"lines": [text
for a person], "data": {...}}, or {"notice": text} for somebody who has to wait; the last is {"done": true} or
{"error": sentence, "exit_code": 1 or 2}. Closing the connection stops the command.
"""

import asyncio
import contextlib
import json
import logging
import os
import pathlib
import socket
import stat
import tempfile
from typing import Any

from . import commands
from .errors import LabError, StartError
from .server import LabServer

log = logging.getLogger("lab")

_LONGEST_REQUEST = 1 << 20


def default_path(port: int) -> pathlib.Path:
    """Where the server on this UDP port listens for commands: in the user's own runtime directory if there is one."""
    directory = os.environ.get("XDG_RUNTIME_DIR")
    if directory:
        return pathlib.Path(directory) / f"microlwm2m-lab-{port}.sock"
    return pathlib.Path(tempfile.gettempdir()) / f"microlwm2m-lab-{os.getuid()}-{port}.sock"


class ControlServer:
    """Answers commands on `path` on behalf of `server`, one task for each connection."""

    def __init__(self, server: LabServer, path: pathlib.Path):
        self.path = path
        self._lab = server
        self._listener: asyncio.Server | None = None
        self._connections: set[asyncio.Task] = set()

    async def start(self) -> None:
        """Listen. Raises StartError: path taken by another server, not writable, too long."""
        if _is_alive(self.path):
            raise StartError(f"another lab server listens on {self.path}: choose another --control")
        mask = os.umask(0o177)  # the socket is for this user alone
        try:
            self._listener = await asyncio.start_unix_server(self._accept, self.path, limit=_LONGEST_REQUEST)
        except OSError as problem:
            reason = os.strerror(problem.errno) if problem.errno else str(problem)
            raise StartError(f"cannot make the control socket {self.path}: {reason}") from None
        finally:
            os.umask(mask)

    async def close(self) -> None:
        if self._listener is None:
            return
        self._listener.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        self.path.unlink(missing_ok=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._converse(reader, writer), name="control connection")
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            answering = asyncio.create_task(self._answer(await _request(reader), writer), name="control command")
            gone = asyncio.create_task(reader.read(1), name="control connection closed")
            try:
                await asyncio.wait({answering, gone}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                answering.cancel()
                gone.cancel()
                await asyncio.gather(answering, gone, return_exceptions=True)

    async def _answer(self, request: Any, writer: asyncio.StreamWriter) -> None:
        try:
            async with contextlib.aclosing(commands.run(self._lab, request)) as replies:
                async for reply in replies:
                    await _send(writer, reply)
            await _send(writer, {"done": True})
        except LabError as problem:
            await _send(writer, {"error": str(problem), "exit_code": problem.exit_code})
        except ConnectionError:
            raise
        except Exception as problem:  # a mistake of ours: the one who asked shall hear it, and the log tell where
            log.exception("the command %r failed", request.get("command"))  # its values may be secret
            await _send(writer, {"error": f"the lab server failed: {problem!r}", "exit_code": 1})


class ControlClient:
    """The other end, for the command line. Blocking; iterate over `ask`."""

    def __init__(self, path: pathlib.Path):
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise StartError(f"no lab server answers on {path}: start one with `python -m tools.lab serve`") from None

    def ask(self, request: dict[str, Any]) -> Any:
        """Yield the replies to `request` until the server is done. Raises Refused."""
        with self._socket, self._socket.makefile("rw", encoding="utf-8") as lines:
            lines.write(json.dumps(request) + "\n")
            lines.flush()
            for line in lines:
                reply = json.loads(line)
                if "error" in reply:
                    raise Refused(reply["error"], reply["exit_code"])
                if "done" in reply:
                    return
                yield reply
        raise Refused("the lab server went away", 1)


class Refused(LabError):
    """The server's answer to a command is an error."""

    def __init__(self, sentence: str, exit_code: int):
        super().__init__(sentence)
        self.exit_code = exit_code


async def _request(reader: asyncio.StreamReader) -> Any:
    """The request on the first line; anything else becomes a request that `commands` refuses."""
    try:
        return json.loads(await reader.readline())
    except (ValueError, RecursionError):  # no JSON, or longer than the limit
        return None


async def _send(writer: asyncio.StreamWriter, reply: dict[str, Any]) -> None:
    writer.write(json.dumps(reply).encode() + b"\n")
    await writer.drain()


def _is_alive(path: pathlib.Path) -> bool:
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(path))
        return True
    except OSError:
        return False
