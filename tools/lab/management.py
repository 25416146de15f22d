"""Device management and reporting, server side (OMA CORE 6.3 and 6.4): one method for each operation.

Every method takes the endpoint name (None if exactly one device is registered) and a path such as "/3/0". They raise
UnknownEndpoint and UsageError before anything is sent, then DeviceError, Timeout or PayloadError. What `timeout_s`
counts for stands in `operating`.
"""

from typing import Any

from aiocoap import DELETE, GET, POST, PUT, Message

from . import paths, payload
from .errors import UsageError
from .observation import Observation
from .operating import Operating
from .paths import Path
from .results import Result

_ANYTHING = (1, 2, 3, 4), "an object or something in it"
_TARGETS = {  # operation -> path depths (1 object, 2 instance, 3 resource, 4 resource instance) and their name
    "read": _ANYTHING,
    "discover": ((1, 2, 3), "an object, an instance or a resource"),
    "write": ((2, 3, 4), "an instance or a resource"),
    "attributes": _ANYTHING,
    "execute": ((3,), "a resource"),
    "create": ((1,), "an object"),
    "delete": ((2, 4), "an instance"),
    "observe": _ANYTHING,
}


class Management(Operating):
    """The operations on one path; those on several are in Composite."""

    async def read(
        self, endpoint: str | None, path: str, *, accept: int | None = None, timeout_s: float | None = None
    ) -> Result:
        """Read an object, instance, resource or resource instance; without `accept` the device picks the format."""
        ids = _target("read", path)
        return await self._operate("read", endpoint, ids, Message(code=GET, accept=accept), timeout_s)

    async def discover(self, endpoint: str | None, path: str, *, timeout_s: float | None = None) -> Result:
        """The links below an object, instance or resource: `value` is {"/3/0/6": {"dim": "2"}, ...}."""
        ids = _target("discover", path)
        return await self._operate("discover", endpoint, ids, Message(code=GET, accept=payload.LINKS), timeout_s)

    async def write(
        self,
        endpoint: str | None,
        path: str,
        value: Any,
        *,
        content_format: int | None = None,
        partial: bool = False,
        timeout_s: float | None = None,
    ) -> Result:
        """Write a resource (a value, {instance: value} if multiple) or an instance ({resource: value}).

        Replaces what is there (PUT); with `partial` it updates and leaves the rest (POST). Values are shaped as
        `payload` says; bytes that cannot be the value go out as they are in a `content_format` but text and TLV.
        """
        ids = _target("write", path)
        if content_format is None:
            content_format = payload.default_format(ids, value)
        data = payload.encode(content_format, value, ids)
        message = Message(code=POST if partial else PUT, content_format=content_format, payload=data)
        return await self._operate("write", endpoint, ids, message, timeout_s)

    async def write_attributes(
        self, endpoint: str | None, path: str, attributes: dict[str, Any], *, timeout_s: float | None = None
    ) -> Result:
        """Attach notification attributes, {"pmin": 1, "gt": 25.5}; None takes an attribute away."""
        ids = _target("attributes", path)
        query = [name if value is None else f"{name}={value}" for name, value in attributes.items()]
        if not query:
            raise UsageError("attributes needs at least one, such as pmin=1")
        return await self._operate("attributes", endpoint, ids, Message(code=PUT, uri_query=query), timeout_s)

    async def execute(
        self, endpoint: str | None, path: str, arguments: str = "", *, timeout_s: float | None = None
    ) -> Result:
        """Execute a resource; `arguments` as the standard writes them: 5 or 0='reboot',1."""
        message = Message(code=POST, payload=arguments.encode())
        if arguments:
            message.opt.content_format = payload.TEXT
        return await self._operate("execute", endpoint, _target("execute", path), message, timeout_s)

    async def create(
        self,
        endpoint: str | None,
        path: str,
        resources: dict | None = None,
        *,
        instance: int | None = None,
        content_format: int | None = None,
        timeout_s: float | None = None,
    ) -> Result:
        """Create an instance of the object at `path`, numbered `instance` or as the device likes (see `location`).

        In a `content_format` other than TLV the instance has to have a number.
        """
        ids = _target("create", path)
        content_format = payload.TLV if content_format is None else content_format
        data = payload.encode_new_instance(ids[0], instance, resources or {}, content_format)
        message = Message(code=POST, content_format=content_format, payload=data)
        return await self._operate("create", endpoint, ids, message, timeout_s)

    async def delete(self, endpoint: str | None, path: str, *, timeout_s: float | None = None) -> Result:
        """Delete an instance (in LwM2M 1.2 also a resource instance)."""
        return await self._operate("delete", endpoint, _target("delete", path), Message(code=DELETE), timeout_s)

    async def observe(
        self, endpoint: str | None, path: str, *, accept: int | None = None, timeout_s: float | None = None
    ) -> Observation:
        """Observe a path. Observing it again renews the same observation (same token, same object)."""
        ids = _target("observe", path)
        return await self._observe("observe", endpoint, ids, lambda: Message(code=GET, accept=accept), timeout_s)

    async def cancel(
        self, endpoint: str | None, path: str, *, passive: bool = False, timeout_s: float | None = None
    ) -> Result | None:
        """End an observation: actively (Observe=1 with its token), or `passive`: nothing is sent now, the next
        notification is answered with a Reset. Raises UsageError if the path is not observed."""
        return await self._cancel("cancel", endpoint, _target("observe", path), passive, timeout_s)


def _target(operation: str, path: str) -> Path:
    """The ids in `path`. Raises UsageError if it is no path or not one that `operation` can have."""
    ids = paths.parse(path)
    depths, wanted = _TARGETS[operation]
    if len(ids) not in depths:
        raise UsageError(f"{operation} needs the path of {wanted}, not {path}")
    return ids
