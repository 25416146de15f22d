"""One line for each event, in the words of the lecture: `register    virtual-1  lt=300 ...  </1/0>,</3/0>`."""

import logging

from . import links, payload, show
from .events import Event
from .paths import text_of
from .records import Record
from .registration import Registration
from .results import Result, target_text

log = logging.getLogger("lab")

_FEW = 3  # records that a line has room for


def write(event: Event) -> None:
    """A listener for LabServer.add_listener: logs the event to the logger "lab"."""
    log.info("%s", line(event))


def line(event: Event) -> str:
    """The event in one line, without its time."""
    if event.error is not None:
        operation, _, rest = str(event.error).partition(" ")
        return f"{operation:<11} {rest}"
    if event.result is not None:
        return f"{event.result.operation:<11} {event.endpoint} {_outcome(event)}"
    return f"{event.kind:<11} {event.endpoint}  {_detail(event)}".rstrip()


def _detail(event: Event) -> str:
    if event.kind == "register":
        return registration_text(event.registration)
    if event.kind == "ended":
        return f"observation of {target_text(event.path or (), event.paths)}: {event.reason}"
    if event.reason:
        return event.reason
    return " ".join(_change(event.registration, name) for name in event.changes)


def registration_text(registration: Registration) -> str:
    """What a device said about itself when it registered."""
    queue = " Q" if registration.queue_mode and "Q" not in registration.binding else ""
    return (
        f"lt={registration.lifetime_s} lwm2m={registration.version} b={registration.binding}{queue}"
        f" from {registration.origin}  {links.text_of(registration.objects)}"
    )


def _change(registration: Registration, name: str) -> str:
    if name == "objects":
        return links.text_of(registration.objects)
    texts = {
        "lifetime_s": f"lt={registration.lifetime_s}",
        "binding": f"b={registration.binding}",
        "remote": f"from {registration.origin}",
        "sms": f"sms={registration.sms}",
    }
    return texts.get(name, "")


def _outcome(event: Event) -> str:
    result: Result = event.result
    if event.kind == "send":
        return f" {_content(event)}"
    target = target_text(result.path, result.paths)
    if event.kind == "notify":
        kind = "CON" if result.confirmable else "NON"
        return f"{target} = {_content(event)}  ({kind} {result.sequence})"
    content = _content(event)
    location = f" {result.location}" if result.location else ""
    return f"{target} -> {result.code} {result.name}{location}" + (f"  {content}" if content else "")


def _content(event: Event) -> str:
    """A single value in full, of anything larger the format and size; few values that are not all of one path, too."""
    result: Result = event.result
    if not result.payload:
        return ""
    if result.operation == "bs-discover" and result.content_format == payload.LINKS:
        return links.text_of(result.value)
    if _are_few(result):
        return ", ".join(_record_text(event, each) for each in result.records)
    if result.value is None or isinstance(result.value, dict | bytes) or len(result.records) > 1:
        count = f", {len(result.records)} values" if result.records else ""
        return f"{payload.format_name(result.content_format)}, {len(result.payload)} bytes{count}"
    return show.value_text(result.path, result.value, event.registration.units)


def _are_few(result: Result) -> bool:
    short = all(not isinstance(record.value, bytes) for record in result.records)
    return short and (len(result.records) == 1 or (result.path == () and 0 < len(result.records) <= _FEW))


def _record_text(event: Event, record: Record) -> str:
    text = show.value_text(record.path, record.value, event.registration.units) + show.time_text(record)
    return text if record.path == event.result.path else f"{text_of(record.path)} = {text}"
