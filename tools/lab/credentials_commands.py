"""Credentials over the control channel: {"command": "credentials", "action": "list" or "add" or "new-psk" or "remove"}.

"add" has "endpoint", and "psk_key" (hex) with or without "psk_identity", or "cert" (PEM); "new-psk" answers with the
key that it made, once. "role" is "server" if it is not there. No other answer has a key in it.
"""

from typing import Any

from .credentials import SERVER, Credentials
from .credentials_cli import key_from_hex, lines_of
from .errors import UsageError
from .replies import Reply
from .server import LabServer


async def credentials(server: LabServer, request: Any) -> Reply:
    """The reply to such a request. Raises UsageError."""
    store, action = server.credentials, request.get("action", str, "list")
    if store is None:
        raise UsageError("the lab server does not listen with coaps, so it has no credentials")
    if action == "list":
        return {"lines": lines_of(store), "data": [vars(each) for each in store.entries()]}
    endpoint, role = request.endpoint, request.get("role", str, SERVER)
    if not endpoint or action not in _ACTIONS:
        raise UsageError(f"credentials needs an endpoint and one of these actions: list, {', '.join(_ACTIONS)}")
    return _ACTIONS[action](store, endpoint, role, request)


def _add(store: Credentials, endpoint: str, role: str, request: Any) -> Reply:
    identity, key, certificate = (request.get(name, str) for name in ("psk_identity", "psk_key", "cert"))
    if (key is None) == (certificate is None):
        raise UsageError("credentials to add are psk_key or cert")
    if certificate is not None:
        store.add_certificate(endpoint, certificate.encode(), role)
    else:
        store.add_psk(endpoint, (identity or endpoint).encode(), key_from_hex(key), role)
    return {"lines": [f"{endpoint}: accepted"], "data": None}


def _new_psk(store: Credentials, endpoint: str, role: str, request: Any) -> Reply:
    wanted = request.get("psk_identity", str)
    identity, key = store.new_psk(endpoint, role, wanted.encode() if wanted else None)
    data = {"psk_identity": identity.decode(), "psk_key": key.hex()}
    return {"lines": [f"{name} {value}" for name, value in data.items()], "data": data}


def _remove(store: Credentials, endpoint: str, role: str, request: Any) -> Reply:
    if not store.remove(endpoint, role):
        raise UsageError(f"{endpoint} has no credentials for the {role} server")
    return {"lines": [f"{endpoint}: no credentials any more"], "data": None}


_ACTIONS = {"add": _add, "new-psk": _new_psk, "remove": _remove}
