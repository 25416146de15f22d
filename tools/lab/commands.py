"""What the control channel can be asked: each command turns a request into replies with lines for a person."""

from collections.abc import AsyncGenerator
from typing import Any

from . import paths, payload, show
from .errors import Timeout, UsageError
from .observation import Observation
from .paths import Path
from .registration import Registration
from .results import Result
from .server import LabServer

Reply = dict[str, Any]  # {"lines": [...], "data": {...}}
Replies = AsyncGenerator[Reply, None]


def run(server: LabServer, fields: Any) -> Replies:
    """The replies to a request. Raises UsageError for a malformed one, else what the operation raises."""
    if not isinstance(fields, dict) or fields.get("command") not in _COMMANDS:
        raise UsageError(f"the lab server has no such command; it knows {', '.join(_COMMANDS)}")
    return _COMMANDS[fields["command"]](server, _Request(fields))


class _Request:
    """The fields of a request, checked when they are asked for."""

    def __init__(self, fields: dict[str, Any]):
        self._fields = fields

    def get(self, name: str, kind: type, default: Any = None) -> Any:
        value = self._fields.get(name, default)
        if value is not None and type(value) is not kind:
            raise UsageError(f"{name} is {value!r}, which is no {kind.__name__}")
        return value

    @property
    def endpoint(self) -> str | None:
        return self.get("endpoint", str)

    @property
    def path(self) -> str:
        return self.get("path", str) or "/"

    @property
    def timeout_s(self) -> float | None:
        return self.get("timeout_s", float)


async def _list(server: LabServer, _: _Request) -> Replies:
    lines = [line for registration in server.registrations for line in _registration_lines(server, registration)]
    data = [_registration_data(server, registration) for registration in server.registrations]
    yield {"lines": lines or ["no device is registered"], "data": data}


async def _read(server: LabServer, request: _Request) -> Replies:
    accept = request.get("accept", int)
    result = await server.read(request.endpoint, request.path, accept=accept, timeout_s=request.timeout_s)
    yield _reply(server, result)


async def _discover(server: LabServer, request: _Request) -> Replies:
    result = await server.discover(request.endpoint, request.path, timeout_s=request.timeout_s)
    yield {"lines": show.link_lines(result.value or {}), "data": _data(result)}


async def _write(server: LabServer, request: _Request) -> Replies:
    value = payload.from_command_line(request.get("value", str, ""), paths.parse(request.path))
    yield _reply(
        server,
        await server.write(
            request.endpoint,
            request.path,
            value,
            content_format=request.get("content_format", int),
            partial=request.get("partial", bool, False),
            timeout_s=request.timeout_s,
        ),
    )


async def _attributes(server: LabServer, request: _Request) -> Replies:
    attributes = request.get("attributes", dict, {})
    yield _reply(
        server,
        await server.write_attributes(request.endpoint, request.path, attributes, timeout_s=request.timeout_s),
    )


async def _execute(server: LabServer, request: _Request) -> Replies:
    arguments = request.get("arguments", str, "")
    yield _reply(server, await server.execute(request.endpoint, request.path, arguments, timeout_s=request.timeout_s))


async def _create(server: LabServer, request: _Request) -> Replies:
    instance = request.get("instance", int)
    ids = paths.parse(request.path)
    resources = payload.from_command_line(request.get("value", str) or "{}", (*ids[:1], instance or 0))
    yield _reply(
        server,
        await server.create(request.endpoint, request.path, resources, instance=instance, timeout_s=request.timeout_s),
    )


async def _delete(server: LabServer, request: _Request) -> Replies:
    yield _reply(server, await server.delete(request.endpoint, request.path, timeout_s=request.timeout_s))


async def _observe(server: LabServer, request: _Request) -> Replies:
    """The present value, then `count` notifications (none: until the connection closes).

    Cancels the observation at the end unless somebody else began it.
    """
    registration, ids = server.registration(request.endpoint), paths.parse(request.path)
    begun_here = _find(server, registration, ids) is None
    with server.subscribe() as events:
        accept = request.get("accept", int)
        observation = await server.observe(
            registration.endpoint, request.path, accept=accept, timeout_s=request.timeout_s
        )
        try:
            yield _reply(server, observation.first)
            missing = request.get("count", int)
            while missing is None or missing > 0:
                event = await anext(events)
                if (event.endpoint, event.path) != (registration.endpoint, ids):
                    continue
                if event.kind == "ended":
                    raise Timeout(f"the observation ended: {event.reason}")
                if event.kind == "notify":
                    if event.error:
                        raise event.error
                    yield _reply(server, event.result)
                    missing = None if missing is None else missing - 1
        finally:
            if begun_here and _find(server, registration, ids) is observation:
                await server.cancel(registration.endpoint, request.path, timeout_s=request.timeout_s)


async def _cancel(server: LabServer, request: _Request) -> Replies:
    passive = request.get("passive", bool, False)
    result = await server.cancel(request.endpoint, request.path, passive=passive, timeout_s=request.timeout_s)
    if result:
        yield _reply(server, result)
    else:
        yield {"lines": ["the next notification will be answered with a Reset"], "data": None}


_COMMANDS = {
    "list": _list,
    "read": _read,
    "discover": _discover,
    "write": _write,
    "attributes": _attributes,
    "execute": _execute,
    "create": _create,
    "delete": _delete,
    "observe": _observe,
    "cancel": _cancel,
}


def _find(server: LabServer, registration: Registration, path: Path) -> Observation | None:
    found = (each for each in server.observations if (each.endpoint, each.path) == (registration.endpoint, path))
    return next(found, None)


def _reply(server: LabServer, result: Result) -> Reply:
    registration = server.registrations.get(result.endpoint)
    units = registration.units if registration else {}  # gone meanwhile, perhaps by this very command
    if result.value is None:
        location = f" {result.location}" if result.location else ""
        lines = [f"{result.code} {result.name}{location}"]
    elif result.content_format not in payload.FORMATS.values():
        name = payload.format_name(result.content_format)
        lines = [f"{paths.text_of(result.path)} in {name}, which is not decoded here: {result.payload.hex(' ')}"]
    elif result.content_format == payload.LINKS:
        lines = show.link_lines(result.value)
    else:
        lines = show.lines(result.path, result.value, units)
    return {"lines": lines, "data": _data(result)}


def _data(result: Result) -> Reply:
    return {
        "code": result.code,
        "name": result.name,
        "path": paths.text_of(result.path),
        "content_format": result.content_format,
        "value": payload.to_json(result.value),
        "location": result.location,
        "sequence": result.sequence,
    }


def _registration_lines(server: LabServer, registration: Registration) -> list[str]:
    left_s = server.registrations.left_s(registration)
    lifetime = "for ever" if left_s is None else f"lifetime {registration.lifetime_s} s, {left_s:.0f} s left"
    queue = ", queue mode" if registration.queue_mode else ""
    head = f"{registration.endpoint}  {registration.address}  LwM2M {registration.version}"
    objects = show.link_lines(registration.objects)
    observed = [
        f"{show.link_lines({paths.text_of(each.path): {}})[0]}  observed"
        for each in server.observations
        if each.endpoint == registration.endpoint
    ]
    return [f"{head}  binding {registration.binding}{queue}  {lifetime}", *(f"  {line}" for line in objects + observed)]


def _registration_data(server: LabServer, registration: Registration) -> Reply:
    return {
        "endpoint": registration.endpoint,
        "address": registration.address,
        "location": registration.location,
        "version": registration.version,
        "binding": registration.binding,
        "queue_mode": registration.queue_mode,
        "lifetime_s": registration.lifetime_s,
        "left_s": server.registrations.left_s(registration),
        "objects": registration.objects,
    }
