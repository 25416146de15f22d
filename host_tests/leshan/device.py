"""A device of ours as the tests drive it: the board in a process of its own, and Leshan's end of the line to it."""

import contextlib
import itertools
import json
import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from host_tests.interop import board
from host_tests.leshan.harness import EVENT_LIMIT_S, Event, Harness

PROGRAMS = Path(__file__).parent / "programs"
TEXT, LINKS, OPAQUE, CBOR, SENML_JSON, SENML_CBOR, TLV, JSON = 0, 40, 42, 60, 110, 112, 11542, 11543

# CoAP's timers and ours, short enough for tests; a device of the field has the standard's.
QUICK = {**board.QUICK, "ACTION_DELAY_ms": 200}

_numbers = itertools.count(1)


class Device:
    """A registered device. Requests return Leshan's answer: "code", "format" and "payload" as they came, "content" as
    Leshan decoded it, with ids as texts. Events are those of this device alone."""

    def __init__(self, endpoint: str, leshan: Harness, program: board.Board):
        self.endpoint = endpoint
        self.leshan = leshan
        self.board = program

    # -- requests -----------------------------------------------------------------------------------------------------

    async def request(self, op: str, path: str | None = None, value=None, **options) -> dict:
        """Any command of Server.java; raises LeshanError if there is no response."""
        return await self.leshan.call(op, ep=self.endpoint, path=path, value=value, **options)

    async def read(self, path: str, accept: int | None = None) -> dict:
        return await self.request("read", path, format=accept)

    async def write(self, path: str, value, content_format: int = TLV) -> dict:
        """PUT."""
        return await self.request("write", path, value, format=content_format)

    async def update(self, path: str, value, content_format: int = TLV) -> dict:
        """POST: a partial write."""
        return await self.request("update", path, value, format=content_format)

    async def execute(self, path: str, arguments: str | None = None) -> dict:
        return await self.request("execute", path, arguments)

    async def create(self, path: str, values: dict, content_format: int = TLV) -> dict:
        return await self.request("create", path, values, format=content_format)

    async def delete(self, path: str) -> dict:
        return await self.request("delete", path)

    async def attributes(self, path: str, query: str) -> dict:
        return await self.request("attributes", path, query)

    async def discover(self, path: str) -> dict:
        return await self.request("discover", path)

    async def read_composite(self, *paths: str, accept: int = SENML_CBOR, path_format: int | None = None) -> dict:
        return await self.request("read-composite", paths=paths, format=accept, pathformat=path_format or accept)

    async def write_composite(self, values: dict, content_format: int = SENML_CBOR) -> dict:
        return await self.request("write-composite", value=values, format=content_format)

    async def observe(self, path: str, accept: int | None = None) -> dict:
        return await self.request("observe", path, format=accept)

    async def observe_composite(self, *paths: str, accept: int = SENML_CBOR) -> dict:
        return await self.request("observe-composite", paths=paths, format=accept)

    async def cancel(self, observation: str, active: bool) -> dict:
        """Active: the device is told; else it finds out by the RST to its next notification."""
        return await self.request("cancel", observation=observation, active=active)

    async def raw(self, method: str, path: str, **options) -> dict:
        """A request that Leshan's own classes refuse to send, or hide: from Leshan's socket nevertheless."""
        return await self.request("raw", path, method=method, **options)

    # -- events -------------------------------------------------------------------------------------------------------

    async def event(self, name: str, since: int, timeout_s: float = EVENT_LIMIT_S, times: int = 1, **values) -> Event:
        """The n-th event of this name since a mark."""
        return await self.leshan.wait(lambda event: self._is(event, name, values), since, timeout_s, times)

    def events(self, name: str, since: int, **values) -> list[Event]:
        return self.leshan.seen(lambda event: self._is(event, name, values), since)

    def _is(self, event: Event, name: str, values: dict) -> bool:
        mine = event["event"] == name and event.get("ep") == self.endpoint
        return mine and all(event.get(key) == value for key, value in values.items())

    def mark(self) -> int:
        return self.leshan.mark()

    def messages(self, since: int, **values) -> list[Event]:
        """The CoAP messages with these values between Leshan and this device since a mark, as Californium saw them."""
        return self.leshan.seen(lambda event: self._is_message(event, values), since)

    async def message(self, since: int, timeout_s: float = EVENT_LIMIT_S, times: int = 1, **values) -> Event:
        """The n-th message with these values since a mark."""
        return await self.leshan.wait(lambda event: self._is_message(event, values), since, timeout_s, times)

    def _is_message(self, event: Event, values: dict) -> bool:
        mine = event["event"] == "coap" and self.leshan.endpoints.get(event["port"]) == self.endpoint
        return mine and all(event.get(key) == value for key, value in values.items())


def content(answer: dict, content_format: int | None, value) -> None:
    """Assert 2.05 with this value in this format."""
    assert (answer["code"], answer.get("format")) == ("2.05", content_format), answer
    assert answer["content"] == value, answer


def contains(answer: dict, content_format: int | None, value: dict) -> None:
    """Assert 2.05 in this format, with at least these resources."""
    assert (answer["code"], answer.get("format")) == ("2.05", content_format), answer
    assert answer["content"].items() >= value.items(), answer


def composite(answer: dict, content_format: int, values: dict) -> None:
    """Assert 2.05 with exactly these paths; an instance has at least these resources."""
    assert (answer["code"], answer["format"]) == ("2.05", content_format), answer
    assert answer["content"].keys() == values.keys(), answer
    for path, value in values.items():
        found = answer["content"][path]
        assert found.items() >= value.items() if isinstance(value, dict) else found == value, answer


def code(answer: dict, expected: str) -> None:
    """Assert a response code."""
    assert answer["code"] == expected, answer


def changed(answer: dict) -> None:
    """Assert 2.04."""
    code(answer, "2.04")


def new_endpoint(program: str) -> str:
    """A name that no other device has."""
    return f"{Path(program).stem}-{next(_numbers)}"


@contextlib.asynccontextmanager
async def running(
    leshan: Harness,
    program: str,
    *options: str,
    endpoint: str | None = None,
    config: dict | None = None,
    steered: bool = False,
    **limits: float,
) -> AsyncIterator[Device]:
    """A board with one of programs/, not yet registered. It must end well, and have printed no trace of an error.

    `config` is what its config.json says beside the endpoint, `options` any of tools.device, `limits` bounds as QUICK.
    """
    endpoint = endpoint or new_endpoint(program)
    with tempfile.TemporaryDirectory(prefix="leshan-") as state_dir:
        settings = {"server": leshan.ready["uri"], **(config or {})}
        (Path(state_dir) / "config.json").write_text(json.dumps(settings))
        arguments = ["--endpoint", endpoint, "--program", str(PROGRAMS / program), *options]
        if steered:
            arguments += ["--control", str(Path(state_dir) / "control")]
        for name, value in {**QUICK, **limits}.items():
            arguments += ["--set", f"{name}={value}"]
        process = await board.start(Path(state_dir), *arguments)
        try:
            yield Device(endpoint, leshan, process)
        finally:
            status = await process.stop() if process.runs else await process.ended()
            print(*process.lines, sep="\n")  # pytest shows them if the test fails
        assert status == 0
        assert not [line for line in process.lines if re.match("Traceback|error|board: the program did not", line)]


@contextlib.asynccontextmanager
async def registered(leshan: Harness, program: str, *options: str, **more: Any) -> AsyncIterator[Device]:
    """A board that has registered; the options are those of `running`."""
    since = leshan.mark()
    async with running(leshan, program, *options, **more) as device:
        await device.board.printed("-> REGISTERED", timeout_s=15)
        await device.event("registered", since)
        yield device
