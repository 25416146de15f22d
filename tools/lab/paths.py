"""LwM2M paths: text such as "/3303/0/5700" and tuples of 0 to 4 ids (object, instance, resource, resource instance)."""

from .errors import UsageError

MAX_ID = 65534  # 65535 is reserved and means "no instance" (OMA CORE, object and resource identifiers)

Path = tuple[int, ...]


def parse(text: str) -> Path:
    """Return the ids of `text`, "/" being the empty tuple. Raises UsageError for anything but up to four ids."""
    if text == "/":
        return ()
    ids = text.split("/")[1:]
    if not text.startswith("/") or len(ids) > 4 or not all(_is_id(part) for part in ids):
        raise UsageError(f"{text!r} is not a path: write /object/instance/resource with ids from 0 to {MAX_ID}")
    return tuple(int(part) for part in ids)


def text_of(path: Path) -> str:
    return "/" + "/".join(str(number) for number in path)


def _is_id(part: str) -> bool:
    return part.isascii() and part.isdigit() and len(part) <= 5 and int(part) <= MAX_ID
