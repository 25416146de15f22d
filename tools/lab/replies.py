"""Results and registrations as lines for a person and as data for a program."""

from typing import Any

from . import links, payload, show
from .paths import text_of
from .registration import Registration
from .results import Result, target_text
from .server import LabServer

Reply = dict[str, Any]  # {"lines": [...], "data": {...}}


def of_result(server: LabServer, result: Result) -> Reply:
    registration = server.registrations.get(result.endpoint)
    units = registration.units if registration else {}  # gone meanwhile, perhaps by this very command
    return {"lines": _lines(result, units), "data": data_of(result)}


def of_links(result: Result) -> Reply:
    """The answer to a Discover."""
    return {"lines": show.link_lines(result.value or {}), "data": data_of(result)}


def of_send(server: LabServer, result: Result) -> Reply:
    """What a device sent by itself, with its name, as several may send."""
    reply = of_result(server, result)
    return reply | {"lines": [f"{result.endpoint} {line}" for line in reply["lines"]]}


def data_of(result: Result) -> Reply:
    data = {
        "code": result.code,
        "name": result.name,
        "path": text_of(result.path),
        "content_format": result.content_format,
        "value": payload.to_json(result.value),
        "location": result.location,
        "sequence": result.sequence,
    }
    if result.records:
        data["records"] = [
            {"path": text_of(each.path), "value": payload.to_json(each.value), "time": each.time}
            for each in result.records
        ]
    if result.paths:
        data["paths"] = [text_of(path) for path in result.paths]
    if result.operation == "send":
        data["endpoint"] = result.endpoint
    return data


def of_registrations(server: LabServer) -> Reply:
    lines = [line for registration in server.registrations for line in _registration_lines(server, registration)]
    data = [_registration_data(server, registration) for registration in server.registrations]
    return {"lines": lines or ["no device is registered"], "data": data}


def _lines(result: Result, units: show.Units) -> list[str]:
    if result.value is None:
        location = f" {result.location}" if result.location else ""
        return [f"{result.code} {result.name}{location}"]
    if result.content_format not in payload.FORMATS.values():
        name = payload.format_name(result.content_format)
        return [f"{text_of(result.path)} in {name}, which is not decoded here: {result.payload.hex(' ')}"]
    if result.content_format == payload.LINKS:
        return show.link_lines(result.value)
    if any(record.time is not None for record in result.records):
        return show.record_lines(result.records, units)
    if result.value == {} and not result.path:
        return [f"{target_text(result.path, result.paths)} -> nothing"]
    return show.lines(result.path, result.value, units)


def _registration_lines(server: LabServer, registration: Registration) -> list[str]:
    left_s = server.registrations.left_s(registration)
    lifetime = "for ever" if left_s is None else f"lifetime {registration.lifetime_s} s, {left_s:.0f} s left"
    asleep = "awake" if server.is_awake(registration) else "asleep"
    queue = f", queue mode ({asleep})" if registration.queue_mode else ""
    head = f"{registration.endpoint}  {registration.origin}  LwM2M {registration.version}"
    objects = show.link_lines(registration.objects)
    observed = [
        f"{show.link_lines({text_of(path): {}})[0]}  observed"
        for each in server.observations
        if each.endpoint == registration.endpoint
        for path in each.paths or (each.path,)
    ]
    return [f"{head}  binding {registration.binding}{queue}  {lifetime}", *(f"  {line}" for line in objects + observed)]


def _registration_data(server: LabServer, registration: Registration) -> dict[str, Any]:
    objects: dict[str, links.Attributes] = registration.objects
    return {
        "endpoint": registration.endpoint,
        "address": registration.address,
        "security": registration.security,
        "location": registration.location,
        "version": registration.version,
        "binding": registration.binding,
        "queue_mode": registration.queue_mode,
        "awake": server.is_awake(registration),
        "lifetime_s": registration.lifetime_s,
        "left_s": server.registrations.left_s(registration),
        "objects": objects,
    }
