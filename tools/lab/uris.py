"""Addresses of servers as devices are told them."""

import re
from urllib.parse import urlsplit

from .errors import UsageError

_SCHEMES = ("coap", "coaps", "coap+tcp", "coaps+tcp")
_HOST = re.compile(r"[A-Za-z0-9._:%~-]+")
_LONGEST = 255  # bytes: /0/x/0 (OMA CORE)


def coap_uri(host: str, port: int, scheme: str = "coap") -> str:
    """coap://127.0.0.1:5683, with brackets around an IPv6 address."""
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def checked(uri: object) -> str:
    """`uri` if a device can be sent there (OMA CORE, /0/x/0). Raises UsageError."""
    try:
        parts = urlsplit(uri if isinstance(uri, str) else "")
        good = parts.scheme in _SCHEMES and parts.path in ("", "/") and not parts.query and not parts.fragment
        good = (
            good and _HOST.fullmatch(parts.hostname or "") is not None and parts.port != 0 and "@" not in parts.netloc
        )
    except ValueError:
        good = False
    if not good or len(str(uri)) > _LONGEST:
        raise UsageError(f"{uri!r} is not the URI of a server: write coap://host:port")
    return str(uri)
