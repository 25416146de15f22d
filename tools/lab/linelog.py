"""One line for each event, in the words of the lecture: `register    virtual-1  lt=300 ...  </1/0>,</3/0>`."""

import logging

from . import links, payload, show
from .events import Event
from .paths import text_of
from .registration import Registration
from .results import Result

log = logging.getLogger("lab")


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
        return f"observation of {text_of(event.path or ())}: {event.reason}"
    return " ".join(_change(event.registration, name) for name in event.changes)


def registration_text(registration: Registration) -> str:
    """What a device said about itself when it registered."""
    queue = " Q" if registration.queue_mode and "Q" not in registration.binding else ""
    return (
        f"lt={registration.lifetime_s} lwm2m={registration.version} b={registration.binding}{queue}"
        f" from {registration.address}  {links.text_of(registration.objects)}"
    )


def _change(registration: Registration, name: str) -> str:
    if name == "objects":
        return links.text_of(registration.objects)
    texts = {
        "lifetime_s": f"lt={registration.lifetime_s}",
        "binding": f"b={registration.binding}",
        "remote": f"from {registration.address}",
        "sms": f"sms={registration.sms}",
    }
    return texts.get(name, "")


def _outcome(event: Event) -> str:
    result: Result = event.result
    path = text_of(result.path)
    if event.kind == "notify":
        kind = "CON" if result.confirmable else "NON"
        return f"{path} = {_content(event)}  ({kind} {result.sequence})"
    content = _content(event)
    location = f" {result.location}" if result.location else ""
    return f"{path} -> {result.code} {result.name}{location}" + (f"  {content}" if content else "")


def _content(event: Event) -> str:
    """A single value in full, of anything larger the format and size."""
    result: Result = event.result
    if not result.payload:
        return ""
    if result.value is None or isinstance(result.value, dict | bytes):
        return f"{payload.format_name(result.content_format)}, {len(result.payload)} bytes"
    return show.value_text(result.path, result.value, event.registration.units)
