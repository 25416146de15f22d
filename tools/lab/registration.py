"""The registration interface without its network: who is registered, for how long, with which objects.

OMA CORE 6.2, TRANS 6.4.3. Raises aiocoap's errors, which carry the response code (4.00, 4.04, 4.12, 4.13).
"""

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from aiocoap.error import BadRequest, NotFound, PreconditionFailed, RequestEntityTooLarge

from . import links
from .blocks import MAX_BODY
from .errors import PayloadError
from .links import Attributes
from .paths import MAX_ID
from .trust import is_secure

VERSIONS = ("1.0", "1.1", "1.2")
DEFAULT_LIFETIME_S = 86400
_MAX_LIFETIME_S = 2**32 - 1

_BINDINGS_1_0 = ("U", "UQ", "S", "SQ", "US", "UQS")
_BINDING_LETTERS = "UTSNMH"  # 1.1 and 1.2: UDP, TCP, SMS, non-IP, MQTT, HTTP; each at most once
_OBJECT_PATH = re.compile(r"/([0-9]{1,5})(?:/([0-9]{1,5}))?")


@dataclass
class Registration:
    """One registered device. Times are of the server's clock, in seconds."""

    id: str
    endpoint: str
    remote: Any  # aiocoap's address of the device: where its newest Register or Update came from
    version: str
    lifetime_s: int  # 0 = for ever
    binding: str
    queue_mode: bool
    sms: str | None
    root: str  # "" or the alternate path that precedes every path of the device, "/lwm2m"
    root_attributes: Attributes
    objects: dict[str, Attributes]  # "/3", "/3/0" ... -> {"ver": "1.1"}
    registered_at: float
    updated_at: float
    heard_at: float  # when its newest message of any kind came
    units: dict[tuple[int, int], str] = field(default_factory=dict)  # (object, instance) -> its resource 5701

    @property
    def expires_at(self) -> float | None:
        return self.updated_at + self.lifetime_s if self.lifetime_s else None

    @property
    def address(self) -> str:
        return self.remote.hostinfo

    @property
    def location(self) -> str:
        return f"/rd/{self.id}"

    @property
    def origin(self) -> str:
        """Its address, and with what it has shown who it is: "127.0.0.1:40000 (PSK)"."""
        return f"{self.address} ({self.security})" if self.security else self.address

    @property
    def security(self) -> str | None:
        """With what the device has shown who it is: "PSK", "X.509", None for nothing at all."""
        return self.remote.security if is_secure(self.remote) else None


class Registrations:
    """All registered devices; iterate over them, or look one up by endpoint name with `get`."""

    def __init__(self, clock: Callable[[], float]):
        self._clock = clock
        self._by_id: dict[str, Registration] = {}

    def __iter__(self) -> Iterator[Registration]:
        return iter(list(self._by_id.values()))

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, endpoint: str | None) -> Registration | None:
        return next((each for each in self if each.endpoint == endpoint), None)

    def at(self, remote: Any) -> Registration | None:
        """The registration whose messages come from this address, or whose credentials this DTLS session has."""
        if is_secure(remote):
            found = self.get(remote.endpoint)
            return found if found and is_secure(found.remote) else None
        return next((each for each in self if each.remote == remote), None)

    def heard(self, registration: Registration) -> None:
        """The device has just sent something: it will listen for a while."""
        registration.heard_at = self._clock()

    def is_awake(self, registration: Registration, window_s: float) -> bool:
        """Whether the device listens now: in queue mode it does for `window_s` after its newest message."""
        return not registration.queue_mode or self._clock() - registration.heard_at < window_s

    def register(self, query: tuple[str, ...], payload: bytes, remote: Any) -> tuple[Registration, Registration | None]:
        """The new registration and the one of the same endpoint that it replaces.

        Raises BadRequest for a missing or broken parameter or object list, PreconditionFailed for a version of
        LwM2M that is not one of VERSIONS.
        """
        parameters = _parameters(query)
        version = _version(parameters)
        binding, queue_mode = _binding(parameters, version)
        if not payload:
            raise BadRequest("the object list is missing")
        root, root_attributes, objects = _object_list(payload)
        now = self._clock()
        registration = Registration(
            id=self._new_id(),
            endpoint=_endpoint(parameters),
            remote=remote,
            version=version,
            lifetime_s=_lifetime_s(parameters, DEFAULT_LIFETIME_S),
            binding=binding,
            queue_mode=queue_mode,
            sms=parameters.get("sms"),
            root=root,
            root_attributes=root_attributes,
            objects=objects,
            registered_at=now,
            updated_at=now,
            heard_at=now,
        )
        replaced = self.get(registration.endpoint)
        if replaced:
            del self._by_id[replaced.id]
        self._by_id[registration.id] = registration
        return registration, replaced

    def update(self, number: str, query: tuple[str, ...], payload: bytes, remote: Any) -> tuple[Registration, dict]:
        """Apply an Update; returns the registration and the fields that changed. Nothing changes on an error."""
        registration = self.find(number)
        parameters = _parameters(query)
        fixed = [name for name in ("ep", "lwm2m", "Q") if name in parameters]
        if fixed:
            raise BadRequest(f"{fixed[0]} cannot change in an Update")
        new = {"remote": remote, "sms": parameters.get("sms", registration.sms)}
        new["lifetime_s"] = _lifetime_s(parameters, registration.lifetime_s)
        if "b" in parameters:
            binding, queue_mode = _binding(parameters, registration.version)
            new["binding"] = binding
            if registration.version == "1.0":  # there the Q is part of the binding
                new["queue_mode"] = queue_mode
        if payload:
            new["root"], new["root_attributes"], new["objects"] = _object_list(payload)
        changes = {name: value for name, value in new.items() if value != getattr(registration, name)}
        for name, value in new.items():
            setattr(registration, name, value)
        registration.updated_at = registration.heard_at = self._clock()
        return registration, changes

    def deregister(self, number: str) -> Registration:
        """Take the registration out. Raises NotFound."""
        registration = self.find(number)
        del self._by_id[number]
        return registration

    def expire(self) -> list[Registration]:
        """Take out and return every registration whose lifetime is over."""
        now = self._clock()
        expired = [each for each in self if each.expires_at is not None and each.expires_at <= now]
        for registration in expired:
            del self._by_id[registration.id]
        return expired

    def next_expiry_s(self) -> float | None:
        """Seconds until the next lifetime ends, None if none will."""
        ends = [left_s for each in self if (left_s := self.left_s(each)) is not None]
        return max(0.0, min(ends)) if ends else None

    def left_s(self, registration: Registration) -> float | None:
        """Seconds until its lifetime ends, None if it has no end."""
        return None if registration.expires_at is None else registration.expires_at - self._clock()

    def find(self, number: str) -> Registration:
        """The registration at /rd/<number>. Raises NotFound."""
        if number not in self._by_id:
            raise NotFound("no such registration")
        return self._by_id[number]

    def _new_id(self) -> str:
        while (number := secrets.token_hex(3)) in self._by_id:
            pass
        return number


def _parameters(query: tuple[str, ...]) -> dict[str, str | None]:
    parameters: dict[str, str | None] = {}
    for item in query:
        name, equals, value = item.partition("=")
        if not item.isprintable():
            raise BadRequest(f"{name} has a character that cannot be shown")
        if name in parameters:
            raise BadRequest(f"{name} is given twice")
        parameters[name] = value if equals else None
    return parameters


def _endpoint(parameters: dict[str, str | None]) -> str:
    endpoint = parameters.get("ep")
    if not endpoint:
        raise BadRequest("ep, the endpoint name, is missing")
    return endpoint


def _version(parameters: dict[str, str | None]) -> str:
    version = parameters.get("lwm2m")
    if version is None or not re.fullmatch(r"[0-9]+\.[0-9]+(\.[0-9]+)?", version, re.ASCII):
        raise BadRequest("lwm2m, the version, is missing or broken")
    if version not in VERSIONS:
        raise PreconditionFailed(f"LwM2M {version} is not supported, only {', '.join(VERSIONS)}")
    return version


def _lifetime_s(parameters: dict[str, str | None], default: int) -> int:
    if "lt" not in parameters:
        return default
    text = parameters["lt"]
    if text is None or not re.fullmatch(r"[0-9]{1,10}", text, re.ASCII) or int(text) > _MAX_LIFETIME_S:
        raise BadRequest(f"lt, the lifetime, is not a number of seconds from 0 to {_MAX_LIFETIME_S}")
    return int(text)


def _binding(parameters: dict[str, str | None], version: str) -> tuple[str, bool]:
    """Binding letters and whether the device uses queue mode: Q inside b in 1.0, a parameter of its own since 1.1."""
    binding = parameters.get("b", "U") or ""
    if parameters.get("Q") is not None:
        raise BadRequest("Q takes no value")
    if version == "1.0":
        if binding not in _BINDINGS_1_0:
            raise BadRequest(f"b, the binding, is none of {' '.join(_BINDINGS_1_0)}")
        return binding, "Q" in binding
    if not binding or len(set(binding)) != len(binding) or not set(binding) <= set(_BINDING_LETTERS):
        raise BadRequest(f"b, the binding, is not made of the letters {_BINDING_LETTERS}")
    return binding, "Q" in parameters


def _object_list(payload: bytes) -> tuple[str, Attributes, dict[str, Attributes]]:
    """Root path, attributes of the root, objects by path. Raises BadRequest, RequestEntityTooLarge."""
    if len(payload) > MAX_BODY:
        raise RequestEntityTooLarge(f"the object list is longer than {MAX_BODY} bytes")
    try:
        targets = links.parse(payload)
    except PayloadError as problem:
        raise BadRequest(str(problem)) from None
    roots = [target for target, attributes in targets.items() if "oma.lwm2m" in (attributes.get("rt") or "").split()]
    root = roots[0] if roots else "/"
    root_attributes = targets.pop(root, {})
    prefix = root.rstrip("/")
    for target in targets:
        match = _OBJECT_PATH.fullmatch(target.removeprefix(prefix)) if target.startswith(prefix + "/") else None
        if match is None or any(int(number) > MAX_ID for number in match.groups() if number):
            raise BadRequest(f"<{target}> is neither an object nor an instance")
    return prefix, root_attributes, {target.removeprefix(prefix): each for target, each in targets.items()}
