"""What the control channel can be asked: each command turns a request into replies with lines for a person."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from . import paths, payload, replies
from .credentials_commands import credentials
from .errors import Timeout, UsageError
from .observation import Observation
from .replies import Reply
from .server import LabServer

Replies = AsyncGenerator[Reply, None]


async def run(server: LabServer, fields: Any) -> Replies:
    """The replies to a request. Raises UsageError for a malformed one, else what the operation raises."""
    command = fields.get("command") if isinstance(fields, dict) else None
    if not isinstance(command, str) or command not in (*_COMMANDS, *_WATCHING):
        raise UsageError(f"the lab server has no such command; it knows {', '.join((*_COMMANDS, *_WATCHING))}")
    request = _Request(fields)
    if command not in ("list", "sends", "credentials"):
        registration = server.registration(request.endpoint)
        if not server.is_awake(registration) and not request.get("passive", bool):
            yield {"notice": f"waiting until the device wakes ({registration.endpoint} is in queue mode)"}
    if command in _COMMANDS:
        yield await _COMMANDS[command](server, request)
    else:
        async with contextlib.aclosing(_WATCHING[command](server, request)) as watching:
            async for reply in watching:
                yield reply


class _Request:
    """The fields of a request, checked when they are asked for."""

    def __init__(self, fields: dict[str, Any]):
        self._fields = fields

    def get(self, name: str, kind: type, default: Any = None) -> Any:
        value = self._fields.get(name, default)
        if value is not None and type(value) is not kind:
            raise UsageError(f"{name} is {value!r}, which is no {kind.__name__}")
        return value

    def optional(self, **kinds: type) -> dict[str, Any]:
        """Those of the fields that are there, for a method that has defaults for them."""
        found = {name: self.get(name, kind) for name, kind in kinds.items()}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def endpoint(self) -> str | None:
        return self.get("endpoint", str)

    @property
    def path(self) -> str:
        return self.get("path", str) or "/"

    @property
    def paths(self) -> list[str]:
        several = self.get("paths", list, [])
        if not all(isinstance(path, str) for path in several):
            raise UsageError(f"paths is {several!r}, which is no list of paths")
        return several

    @property
    def timeout_s(self) -> float | None:
        return self.get("timeout_s", float)


async def _list(server: LabServer, _: _Request) -> Reply:
    return replies.of_registrations(server)


async def _read(server: LabServer, request: _Request) -> Reply:
    accept = request.get("accept", int)
    result = await server.read(request.endpoint, request.path, accept=accept, timeout_s=request.timeout_s)
    return replies.of_result(server, result)


async def _discover(server: LabServer, request: _Request) -> Reply:
    return replies.of_links(await server.discover(request.endpoint, request.path, timeout_s=request.timeout_s))


async def _write(server: LabServer, request: _Request) -> Reply:
    result = await server.write(
        request.endpoint,
        request.path,
        payload.from_command_line(request.get("value", str, ""), paths.parse(request.path)),
        content_format=request.get("content_format", int),
        partial=request.get("partial", bool, False),
        timeout_s=request.timeout_s,
    )
    return replies.of_result(server, result)


async def _attributes(server: LabServer, request: _Request) -> Reply:
    attributes = request.get("attributes", dict, {})
    result = await server.write_attributes(request.endpoint, request.path, attributes, timeout_s=request.timeout_s)
    return replies.of_result(server, result)


async def _execute(server: LabServer, request: _Request) -> Reply:
    arguments = request.get("arguments", str, "")
    result = await server.execute(request.endpoint, request.path, arguments, timeout_s=request.timeout_s)
    return replies.of_result(server, result)


async def _create(server: LabServer, request: _Request) -> Reply:
    instance = request.get("instance", int)
    ids = paths.parse(request.path)
    result = await server.create(
        request.endpoint,
        request.path,
        payload.from_command_line(request.get("value", str) or "{}", (*ids[:1], instance or 0)),
        instance=instance,
        content_format=request.get("content_format", int),
        timeout_s=request.timeout_s,
    )
    return replies.of_result(server, result)


async def _delete(server: LabServer, request: _Request) -> Reply:
    result = await server.delete(request.endpoint, request.path, timeout_s=request.timeout_s)
    return replies.of_result(server, result)


async def _cancel(server: LabServer, request: _Request) -> Reply:
    passive, timeout_s = request.get("passive", bool, False), request.timeout_s
    if request.paths:
        result = await server.cancel_composite(request.endpoint, request.paths, passive=passive, timeout_s=timeout_s)
    else:
        result = await server.cancel(request.endpoint, request.path, passive=passive, timeout_s=timeout_s)
    if result:
        return replies.of_result(server, result)
    return {"lines": ["the next notification will be answered with a Reset"], "data": None}


async def _read_composite(server: LabServer, request: _Request) -> Reply:
    formats = request.optional(accept=int, content_format=int)
    result = await server.read_composite(request.endpoint, request.paths, timeout_s=request.timeout_s, **formats)
    return replies.of_result(server, result)


async def _write_composite(server: LabServer, request: _Request) -> Reply:
    words = request.get("values", dict, {})
    if not all(isinstance(word, str) for word in words.values()):
        raise UsageError("values are texts, as a person types them")
    values = {path: payload.from_command_line(word, paths.parse(path)) for path, word in words.items()}
    formats = request.optional(content_format=int)
    result = await server.write_composite(request.endpoint, values, timeout_s=request.timeout_s, **formats)
    return replies.of_result(server, result)


def _observe(server: LabServer, request: _Request) -> Replies:
    endpoint = server.registration(request.endpoint).endpoint
    known = server.observation(endpoint, paths.parse(request.path))
    accept, timeout_s = request.get("accept", int), request.timeout_s

    def observe() -> Awaitable[Observation]:
        return server.observe(endpoint, request.path, accept=accept, timeout_s=timeout_s)

    def cancel() -> Awaitable[Any]:
        return server.cancel(endpoint, request.path, timeout_s=timeout_s)

    return _watch(server, request, known, observe, cancel)


def _observe_composite(server: LabServer, request: _Request) -> Replies:
    endpoint = server.registration(request.endpoint).endpoint
    known = server.observation(endpoint, (), tuple(paths.parse(path) for path in request.paths))
    formats, timeout_s = request.optional(accept=int, content_format=int), request.timeout_s

    def observe() -> Awaitable[Observation]:
        return server.observe_composite(endpoint, request.paths, timeout_s=timeout_s, **formats)

    def cancel() -> Awaitable[Any]:
        return server.cancel_composite(endpoint, request.paths, timeout_s=timeout_s)

    return _watch(server, request, known, observe, cancel)


async def _watch(
    server: LabServer,
    request: _Request,
    known: Observation | None,
    observe: Callable[[], Awaitable[Observation]],
    cancel: Callable[[], Awaitable[Any]],
) -> Replies:
    """The present value, then `count` notifications (none: until the connection closes).

    Cancels the observation at the end unless somebody else began it.
    """
    with server.subscribe() as events:
        observation = await observe()
        about = (observation.endpoint, observation.path, observation.paths)
        try:
            yield replies.of_result(server, observation.first)
            missing = request.get("count", int)
            while missing is None or missing > 0:
                event = await anext(events)
                if (event.endpoint, event.path, event.paths) != about:
                    continue
                if event.kind == "ended":
                    raise Timeout(f"the observation ended: {event.reason}")
                if event.kind == "notify":
                    if event.error:
                        raise event.error
                    yield replies.of_result(server, event.result)
                    missing = None if missing is None else missing - 1
        finally:
            if known is None and server.observation(*about) is observation:
                await cancel()


async def _sends(server: LabServer, request: _Request) -> Replies:
    """What devices (or one of them) send by themselves from now on, `count` times."""
    missing = request.get("count", int)
    with server.subscribe() as events:
        yield {"notice": "waiting for what devices send"}
        while missing is None or missing > 0:
            event = await anext(events)
            if event.kind == "send" and request.endpoint in (None, event.endpoint):
                yield replies.of_send(server, event.result)
                missing = None if missing is None else missing - 1


_COMMANDS: dict[str, Callable[[LabServer, _Request], Awaitable[Reply]]] = {
    "list": _list,
    "credentials": credentials,
    "read": _read,
    "discover": _discover,
    "write": _write,
    "attributes": _attributes,
    "execute": _execute,
    "create": _create,
    "delete": _delete,
    "cancel": _cancel,
    "read-composite": _read_composite,
    "write-composite": _write_composite,
}
_WATCHING: dict[str, Callable[[LabServer, _Request], Replies]] = {
    "observe": _observe,
    "observe-composite": _observe_composite,
    "sends": _sends,
}
