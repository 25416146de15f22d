"""What came back from a device."""

from dataclasses import dataclass
from typing import Any

from aiocoap import Message
from aiocoap.numbers.types import CON

from . import payload as payloads
from .errors import DeviceError, PayloadError
from .paths import Path, text_of
from .records import Record, nest


@dataclass(frozen=True)
class Result:
    """A success response, or a notification (then `sequence` and `confirmable` are set).

    `code` is dotted ("2.05"), `name` the registered name ("Content"). `value` is decoded as payload.decode says,
    None without payload. `location` is the path of the instance that a Create made, if the device named one. `paths`
    are the targets of a composite operation (then `path` is the root), `records` the values with their times where the
    format has such.
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
    paths: tuple[Path, ...] = ()
    records: tuple[Record, ...] = ()


def target_text(path: Path, paths: tuple[Path, ...] = ()) -> str:
    """The path, or the paths of a composite operation."""
    return " ".join(text_of(each) for each in paths or (path,))


def what(operation: str, endpoint: str, path: Path, paths: tuple[Path, ...] = ()) -> str:
    """How sentences and log lines call a request."""
    return f"{operation} {endpoint} {target_text(path, paths)}"


def printable(text: str) -> str:
    """A device's words, so that nothing in them can act on a terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)


def result_of(operation: str, endpoint: str, path: Path, message: Message, paths: tuple[Path, ...] = ()) -> Result:
    """The Result in a response. Raises DeviceError for an error code, PayloadError for a broken payload."""
    code, sentence = message.code, what(operation, endpoint, path, paths)
    if not code.is_successful():
        diagnostic = printable(message.payload.decode("utf-8", "replace"))
        raise DeviceError(sentence, code.dotted, code.name_printable, diagnostic)
    content_format = None if message.opt.content_format is None else int(message.opt.content_format)
    try:
        value, records = _content(content_format, message.payload, path, paths)
    except PayloadError as problem:
        raise PayloadError(f"{sentence} -> {code}, but {problem}") from None
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
        location=printable("/" + "/".join(message.opt.location_path)) if message.opt.location_path else None,
        sequence=message.opt.observe,
        confirmable=message.mtype is CON if notified else None,
        paths=paths,
        records=records,
    )


def result_of_send(endpoint: str, content_format: int, payload: bytes) -> Result:
    """What a device sent by itself; the code is our answer's. Raises PayloadError."""
    value, records = _content(content_format, payload, (), ())
    return Result("send", endpoint, (), "2.04", "Changed", content_format, payload, value, records=records)


def _content(
    content_format: int | None, payload: bytes, path: Path, paths: tuple[Path, ...]
) -> tuple[Any, tuple[Record, ...]]:
    if content_format is None:
        return None, ()
    records = payloads.decode_records(content_format, payload)
    if records is None:
        return payloads.decode(content_format, payload, path), ()
    for record in records:
        if paths and not any(record.path[: len(each)] == each for each in paths):
            raise PayloadError(f"it carries {text_of(record.path)}, which was not asked for")
    return nest(records, path), tuple(records)
