"""What the lab takes from the library in lib/: DTLS for CPython."""

import sys
from pathlib import Path

_LIB = str(Path(__file__).parents[2] / "lib")
if _LIB not in sys.path:
    sys.path.append(_LIB)  # last: lib/ has modules of short names

from dtls_host import (  # noqa: E402
    DtlsError,
    Session,
    is_client_hello,
    load_certificate,
    load_key,
    server_context,
)

__all__ = ["DtlsError", "Session", "is_client_hello", "load_certificate", "load_key", "server_context"]
