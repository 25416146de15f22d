"""Device management and reporting, server side (OMA CORE 6.3 and 6.4): one method for each operation.

Every method takes the endpoint name (None if exactly one device is registered) and a path such as "/3/0". They raise
UnknownEndpoint and UsageError before anything is sent, then DeviceError, Timeout or PayloadError. `timeout_s` counts
for the whole operation with all its blocks; without it the server's default holds.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from aiocoap import DELETE, GET, POST, PUT, Message

from . import paths, payload, show
from .coap import CoapEndpoint
from .errors import DeviceError, LabError, UnknownEndpoint, UsageError
from .events import Event, Events
from .observation import Observation
from .paths import Path
from .registration import Registration, Registrations
from .relation import Relation
from .results import Result, result_of, what

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


class Management:
    """The operations; LabServer adds the registration interface and the life of the socket."""

    def __init__(self, timeout_s: float, clock: Callable[[], float]):
        self.timeout_s = timeout_s
        self.registrations = Registrations(clock)
        self._events = Events()
        self._observations: dict[tuple[str, Path], Observation] = {}
        self._coap: CoapEndpoint

    @property
    def observations(self) -> list[Observation]:
        return list(self._observations.values())

    def registration(self, endpoint: str | None = None) -> Registration:
        """The registration of `endpoint`, or the only one there is. Raises UnknownEndpoint."""
        names = ", ".join(sorted(each.endpoint for each in self.registrations)) or "none"
        if endpoint is None:
            if not len(self.registrations):
                raise UnknownEndpoint("no device is registered")
            if len(self.registrations) > 1:
                raise UnknownEndpoint(f"name the device: registered are {names}")
            return next(iter(self.registrations))
        registration = self.registrations.get(endpoint)
        if registration is None:
            raise UnknownEndpoint(f"{endpoint!r} is not registered (registered: {names})")
        return registration

    async def request(
        self, endpoint: str | None, path: str, message: Message, *, timeout_s: float | None = None
    ) -> Message:
        """Send any aiocoap message to `path` of a device and return its response, also one with an error code.

        For what the other methods refuse to send. Raises UnknownEndpoint, Timeout, DeviceError (Reset only).
        """
        registration = self.registration(endpoint)
        ids = paths.parse(path)
        _addressed(message, registration, ids)
        sentence = what(str(message.code), registration.endpoint, ids)
        return await self._coap.request(message, timeout_s or self.timeout_s, sentence)

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
        `payload` says; bytes go out as they are in a `content_format` that is not text or TLV.
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
        timeout_s: float | None = None,
    ) -> Result:
        """Create an instance of the object at `path`, numbered `instance` or as the device likes (see `location`)."""
        ids = _target("create", path)
        data = payload.encode_new_instance(ids[0], instance, resources or {})
        message = Message(code=POST, content_format=payload.TLV, payload=data)
        return await self._operate("create", endpoint, ids, message, timeout_s)

    async def delete(self, endpoint: str | None, path: str, *, timeout_s: float | None = None) -> Result:
        """Delete an instance (in LwM2M 1.2 also a resource instance)."""
        return await self._operate("delete", endpoint, _target("delete", path), Message(code=DELETE), timeout_s)

    async def observe(
        self, endpoint: str | None, path: str, *, accept: int | None = None, timeout_s: float | None = None
    ) -> Observation:
        """Observe a path. Observing it again renews the same observation (same token, same object)."""
        registration, ids = self.registration(endpoint), _target("observe", path)
        running = self._observations.pop((registration.endpoint, ids), None)
        observation = running or self._new_observation(registration, ids)
        observation.accept = accept
        sentence = what("observe", registration.endpoint, ids)
        message = _addressed(Message(code=GET, accept=accept), registration, ids)
        establishing = observation.relation.establish(message, timeout_s or self.timeout_s, sentence)
        try:
            observation.first = await self._report("observe", registration, ids, establishing)
            if not observation.relation.active:
                raise DeviceError(sentence, "2.05", "Content", "the device answers but does not observe this")
        except LabError as problem:
            observation.relation.drop()
            if running:
                self._end(registration, observation, str(problem))
            raise
        self._observations[registration.endpoint, ids] = observation
        return observation

    async def cancel(
        self, endpoint: str | None, path: str, *, passive: bool = False, timeout_s: float | None = None
    ) -> Result | None:
        """End an observation: actively (Observe=1 with its token), or `passive`: nothing is sent now, the next
        notification is answered with a Reset. Raises UsageError if the path is not observed."""
        registration, ids = self.registration(endpoint), _target("observe", path)
        observation = self._observations.pop((registration.endpoint, ids), None)
        if observation is None:
            raise UsageError(f"{path} of {registration.endpoint} is not observed")
        try:
            if passive:
                observation.relation.drop()
                return None
            message = _addressed(Message(code=GET, accept=observation.accept), registration, ids)
            sentence = what("cancel", registration.endpoint, ids)
            cancelling = observation.relation.cancel(message, timeout_s or self.timeout_s, sentence)
            return await self._report("cancel", registration, ids, cancelling)
        finally:
            self._end(registration, observation, "cancelled")

    def _void_observations(self, registration: Registration, reason: str) -> None:
        """Forget all observations of a device that will not serve them any more."""
        for observation in self.observations:
            if observation.endpoint == registration.endpoint:
                observation.relation.drop()
                self._end(registration, observation, reason)

    def _move_observations(self, registration: Registration) -> None:
        for observation in self.observations:
            if observation.endpoint == registration.endpoint:
                observation.relation.move(registration.remote)

    async def _operate(
        self, operation: str, endpoint: str | None, path: Path, message: Message, timeout_s: float | None
    ) -> Result:
        registration = self.registration(endpoint)
        sentence = what(operation, registration.endpoint, path)
        _addressed(message, registration, path)
        responding = self._coap.request(message, timeout_s or self.timeout_s, sentence)
        return await self._report(operation, registration, path, responding)

    async def _report(
        self, operation: str, registration: Registration, path: Path, responding: Awaitable[Message]
    ) -> Result:
        """Wait for the response and tell the listeners what became of the operation."""
        try:
            result = result_of(operation, registration.endpoint, path, await responding)
        except LabError as problem:
            self._events.emit(Event("operation", registration, path=path, error=problem))
            raise
        show.learn_units(registration.units, path, result.value)
        self._events.emit(Event("operation", registration, path=path, result=result))
        return result

    def _new_observation(self, registration: Registration, path: Path) -> Observation:
        observation = Observation(registration.endpoint, path)

        def deliver(message: Message) -> None:
            self._notified(registration, observation, message)

        def ended(reason: str) -> None:
            self._end(registration, observation, reason)

        observation.relation = Relation(self._coap, deliver, ended)
        return observation

    def _notified(self, registration: Registration, observation: Observation, message: Message) -> None:
        try:
            result = result_of("notify", registration.endpoint, observation.path, message)
        except LabError as problem:
            observation.put(problem)
            self._events.emit(Event("notify", registration, path=observation.path, error=problem))
        else:
            show.learn_units(registration.units, observation.path, result.value)
            observation.put(result)
            self._events.emit(Event("notify", registration, path=observation.path, result=result))

    def _end(self, registration: Registration, observation: Observation, reason: str) -> None:
        self._observations.pop((observation.endpoint, observation.path), None)
        observation.end(reason)
        self._events.emit(Event("ended", registration, path=observation.path, reason=reason))


def _target(operation: str, path: str) -> Path:
    """The ids in `path`. Raises UsageError if it is no path or not one that `operation` can have."""
    ids = paths.parse(path)
    depths, wanted = _TARGETS[operation]
    if len(ids) not in depths:
        raise UsageError(f"{operation} needs the path of {wanted}, not {path}")
    return ids


def _addressed(message: Message, registration: Registration, path: Path) -> Message:
    """`message` towards the address of the newest registration message, from the server's own socket."""
    root = [part for part in registration.root.split("/") if part]
    message.opt.uri_path = root + [str(number) for number in path]
    message.remote = registration.remote
    return message
