"""Link-format (RFC 6690) as LwM2M uses it: the object list of a Register and the answer to a Discover."""

from aiocoap.util import linkformat
from aiocoap.util.vendored.link_header import ParseException

from .errors import PayloadError

Attributes = dict[str, str | None]  # a valueless attribute is None


def parse(payload: bytes) -> dict[str, Attributes]:
    """Targets and their attributes, in the order given. Raises PayloadError (not link-format, a target twice, control
    characters, which must not reach a terminal)."""
    try:
        links = linkformat.parse(payload.decode("utf-8")).links
    except UnicodeDecodeError:
        raise PayloadError("the link list is not UTF-8") from None
    except ParseException:
        raise PayloadError("the link list is not link-format (RFC 6690)") from None
    targets: dict[str, Attributes] = {}
    for link in links:
        if not str(link).isprintable():
            raise PayloadError("the link list has a character that cannot be shown")
        if link.href in targets:
            raise PayloadError(f"the link list names <{link.href}> twice")
        targets[link.href] = {str(pair[0]): pair[1] for pair in link.attr_pairs}
    return targets


def text_of(targets: dict[str, Attributes]) -> str:
    """The links as text, numbers and single words without quotes: </3>;ver=1.1,</3/0>."""
    return ",".join(
        f"<{target}>" + "".join(_parameter(*pair) for pair in attributes.items())
        for target, attributes in targets.items()
    )


def _parameter(name: str, value: str | None) -> str:
    if value is None:
        return f";{name}"
    plain = value and all(char.isascii() and (char.isalnum() or char in "._-+") for char in value)
    return f";{name}={value}" if plain else f';{name}="{value}"'
