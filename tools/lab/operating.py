"""What all operations towards a device have in common: finding it, waiting until it listens, asking, telling.

`timeout_s` counts for the whole operation, with all its blocks and with the wait for a device in queue mode; without it
the server's default holds.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiocoap import Message

from . import paths, show
from .coap import CoapEndpoint
from .errors import DeviceError, LabError, Timeout, UnknownEndpoint, UsageError
from .events import Event, Events
from .observation import Observation
from .paths import Path
from .registration import Registration, Registrations
from .relation import Relation
from .results import Result, result_of, target_text, what

Paths = tuple[Path, ...]

MAX_TRANSMIT_WAIT_S = 93  # RFC 7252 4.8.2; so long a device in queue mode listens (OMA CORE, "Queue Mode")
_SHORTEST_S = 0.01  # what is left for the answer when a device wakes in the last moment


class Operating:
    """The common part; Management and Composite have the operations, LabServer the life of the socket."""

    def __init__(self, timeout_s: float, awake_s: float, clock: Callable[[], float]):
        self.timeout_s, self.awake_s = timeout_s, awake_s
        self.registrations = Registrations(clock)
        self._events = Events()
        self._observations: dict[tuple[str, Path, Paths], Observation] = {}
        self._waking: dict[str, asyncio.Event] = {}  # endpoint -> set as soon as the device is heard
        self._closed = False
        self._coap: CoapEndpoint

    @property
    def observations(self) -> list[Observation]:
        return list(self._observations.values())

    def observation(self, endpoint: str, path: Path, several: Paths = ()) -> Observation | None:
        """The running observation of a path, or of several (then `path` is the root)."""
        return self._observations.get((endpoint, path, several))

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

    def is_awake(self, registration: Registration) -> bool:
        """Whether requests go out at once; to a device in queue mode only for `awake_s` after its newest message."""
        return self.registrations.is_awake(registration, self.awake_s)

    async def request(
        self, endpoint: str | None, path: str, message: Message, *, timeout_s: float | None = None
    ) -> Message:
        """Send any aiocoap message to `path` of a device and return its response, also one with an error code.

        For what the other methods refuse to send; not even a sleeping device is waited for. Raises UnknownEndpoint,
        Timeout, DeviceError (Reset only).
        """
        registration = self.registration(endpoint)
        ids = paths.parse(path)
        sentence = what(str(message.code), registration.endpoint, ids)
        _addressed(message, registration, ids)
        response = await self._coap.request(message, timeout_s or self.timeout_s, sentence)
        self._heard(registration.endpoint)
        return response

    async def _operate(
        self,
        operation: str,
        endpoint: str | None,
        path: Path,
        message: Message,
        timeout_s: float | None,
        several: Paths = (),
    ) -> Result:
        registration = self.registration(endpoint)
        sentence = what(operation, registration.endpoint, path, several)

        async def respond() -> Message:
            current, left_s = await self._awake(operation, registration, path, several, timeout_s)
            return await self._coap.request(_addressed(message, current, path), left_s, sentence)

        return await self._report(operation, registration, path, several, respond())

    async def _observe(
        self,
        operation: str,
        endpoint: str | None,
        path: Path,
        request: Callable[[], Message],
        timeout_s: float | None,
        several: Paths = (),
    ) -> Observation:
        registration = self.registration(endpoint)
        name, sentence = registration.endpoint, what(operation, registration.endpoint, path, several)
        running = self._observations.pop((name, path, several), None)
        observation = running or self._new_observation(registration, path, several)
        observation.request = request

        async def respond() -> Message:
            current, left_s = await self._awake(operation, registration, path, several, timeout_s)
            return await observation.relation.establish(_addressed(request(), current, path), left_s, sentence)

        try:
            observation.first = await self._report(operation, registration, path, several, respond())
            if not observation.relation.active:
                raise DeviceError(sentence, "2.05", "Content", "the device answers but does not observe this")
        except LabError as problem:
            observation.relation.drop()
            if running:
                self._end(registration, observation, str(problem))
            raise
        self._observations[name, path, several] = observation
        return observation

    async def _cancel(
        self,
        operation: str,
        endpoint: str | None,
        path: Path,
        passive: bool,
        timeout_s: float | None,
        several: Paths = (),
    ) -> Result | None:
        registration = self.registration(endpoint)
        observation = self._observations.pop((registration.endpoint, path, several), None)
        if observation is None:
            raise UsageError(f"{target_text(path, several)} of {registration.endpoint} is not observed")
        sentence = what(operation, registration.endpoint, path, several)

        async def respond() -> Message:
            current, left_s = await self._awake(operation, registration, path, several, timeout_s)
            message = _addressed(observation.request(), current, path)
            return await observation.relation.cancel(message, left_s, sentence)

        try:
            if passive:
                observation.relation.drop()
                return None
            return await self._report(operation, registration, path, several, respond())
        finally:
            self._end(registration, observation, "cancelled")

    async def _awake(
        self, operation: str, registration: Registration, path: Path, several: Paths, timeout_s: float | None
    ) -> tuple[Registration, float]:
        """Wait until the device listens; its registration of then, and the seconds that are left of the timeout."""
        timeout_s, loop, name = timeout_s or self.timeout_s, asyncio.get_running_loop(), registration.endpoint
        if self.is_awake(registration):
            return registration, timeout_s
        reason = f"{operation} {target_text(path, several)} waits until the device wakes"
        self._events.emit(Event("queued", registration, path=path, paths=several, reason=reason))
        started, sentence = loop.time(), what(operation, name, path, several)
        try:
            async with asyncio.timeout(timeout_s):
                while not self.is_awake(registration):
                    await self._waking.setdefault(name, asyncio.Event()).wait()
                    if self._closed:
                        raise Timeout(f"{sentence}: the lab server closed")
                    registration = self.registration(name)
        except TimeoutError:
            raise Timeout(f"{sentence}: the device did not wake within {timeout_s:g} s") from None
        return registration, max(_SHORTEST_S, timeout_s - (loop.time() - started))

    async def _report(
        self, operation: str, registration: Registration, path: Path, several: Paths, responding: Awaitable[Message]
    ) -> Result:
        """Wait for the response and tell the listeners what became of the operation."""
        try:
            message = await responding
            self._heard(registration.endpoint)
            result = result_of(operation, registration.endpoint, path, message, several)
        except LabError as problem:
            self._events.emit(Event("operation", registration, path=path, paths=several, error=problem))
            raise
        self._learn(registration, path, result)
        self._events.emit(Event("operation", registration, path=path, paths=several, result=result))
        return result

    def _give_up(self) -> None:
        """The server closes: nobody waits any more for a device to wake."""
        self._closed = True
        for waking in self._waking.values():
            waking.set()

    def _heard(self, endpoint: str) -> None:
        """The device has sent something, or has gone for good: whoever waits for it looks again."""
        registration = self.registrations.get(endpoint)
        if registration:
            self.registrations.heard(registration)
        waking = self._waking.pop(endpoint, None)
        if waking:
            waking.set()

    def _learn(self, registration: Registration, path: Path, result: Result) -> None:
        """Keep the units that a result tells; the device may have registered anew since it was asked."""
        show.learn_units((self.registrations.get(registration.endpoint) or registration).units, path, result.value)

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

    def _new_observation(self, registration: Registration, path: Path, several: Paths) -> Observation:
        observation = Observation(registration.endpoint, path, several)

        def deliver(message: Message) -> None:
            self._notified(registration, observation, message)

        def ended(reason: str) -> None:
            self._end(registration, observation, reason)

        observation.relation = Relation(self._coap, deliver, ended)
        return observation

    def _notified(self, registration: Registration, observation: Observation, message: Message) -> None:
        self._heard(registration.endpoint)
        fields: dict[str, Any] = {"path": observation.path, "paths": observation.paths}
        try:
            result = result_of("notify", registration.endpoint, observation.path, message, observation.paths)
        except LabError as problem:
            observation.put(problem)
            self._events.emit(Event("notify", registration, error=problem, **fields))
        else:
            self._learn(registration, observation.path, result)
            observation.put(result)
            self._events.emit(Event("notify", registration, result=result, **fields))

    def _end(self, registration: Registration, observation: Observation, reason: str) -> None:
        self._observations.pop((observation.endpoint, observation.path, observation.paths), None)
        observation.end(reason)
        fields: dict[str, Any] = {"path": observation.path, "paths": observation.paths}
        self._events.emit(Event("ended", registration, reason=reason, **fields))


def _addressed(message: Message, registration: Registration, path: Path) -> Message:
    """`message` towards the address of the newest registration message, from the server's own socket."""
    root = [part for part in registration.root.split("/") if part]
    message.opt.uri_path = root + [str(number) for number in path]
    message.remote = registration.remote
    return message
