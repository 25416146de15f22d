"""What came back from a device."""

from dataclasses import dataclass
from typing import Any

from aiocoap import Message
from aiocoap.numbers.types import CON

from . import payload as payloads
from .errors import DeviceError, PayloadError
from .paths import Path, text_of


@dataclass(frozen=True)
class Result:
    """A success response, or a notification (then `sequence` and `confirmable` are set).

    `code` is dotted ("2.05"), `name` the registered name ("Content"). `value` is decoded as payload.decode says,
    None without payload. `location` is the path of the instance that a Create made, if the device named one.
    """

    operation: str
    endpoint: str
    path: Path
    code: str
    name: str
    content_format: int | None
    payload: bytes
    value: Any
    location: str | None = None
    sequence: int | None = None
    confirmable: bool | None = None


def what(operation: str, endpoint: str, path: Path) -> str:
    """How sentences and log lines call a request."""
    return f"{operation} {endpoint} {text_of(path)}"


def result_of(operation: str, endpoint: str, path: Path, message: Message) -> Result:
    """The Result in a response. Raises DeviceError for an error code, PayloadError for a broken payload."""
    code = message.code
    if not code.is_successful():
        diagnostic = message.payload.decode("utf-8", "replace")
        printable = "".join(char if char.isprintable() else "?" for char in diagnostic)
        raise DeviceError(what(operation, endpoint, path), code.dotted, code.name_printable, printable)
    content_format = None if message.opt.content_format is None else int(message.opt.content_format)
    try:
        value = payloads.decode(content_format, message.payload, path) if content_format is not None else None
    except PayloadError as problem:
        raise PayloadError(f"{what(operation, endpoint, path)} -> {code}, but {problem}") from None
    notified = message.opt.observe is not None
    return Result(
        operation=operation,
        endpoint=endpoint,
        path=path,
        code=code.dotted,
        name=code.name_printable,
        content_format=content_format,
        payload=message.payload,
        value=value,
        location="/" + "/".join(message.opt.location_path) if message.opt.location_path else None,
        sequence=message.opt.observe,
        confirmable=message.mtype is CON if notified else None,
    )
