"""The lab server: an LwM2M server for a classroom, a test or a desk."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

from aiocoap.error import BadRequest, Forbidden, NotFound

from .composite import Composite
from .credentials import SERVER
from .directory import Directory
from .errors import PayloadError, Timeout
from .events import Event, Subscription
from .listening import Listening, Security
from .management import Management
from .operating import MAX_TRANSMIT_WAIT_S
from .registration import Registration
from .results import result_of_send
from .trust import admit, is_secure, same_party


class LabServer(Management, Composite, Listening):
    """`async with LabServer(port=0) as server: await server.wait_registered("virtual-1")`.

    `host` and `port` are what to listen on (0: any free port, see `port` afterwards; None: no coap), `security` is for
    coaps beside it or instead of it. `timeout_s` is how long an operation may take by default, `awake_s` how long a
    device in queue mode listens after each message of its own, `clock` seconds that only grow: lifetimes and queue mode
    are counted with it. With a clock of one's own, call `expire` after advancing it.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int | None = 5683,
        *,
        security: Security | None = None,
        timeout_s: float = 10,
        awake_s: float = MAX_TRANSMIT_WAIT_S,
        clock: Callable[[], float] = time.monotonic,
    ):
        super().__init__(timeout_s, awake_s, clock)
        Listening.__init__(self, host, port, security, SERVER)
        self._deadlines_changed = asyncio.Event()
        self._watch: asyncio.Task | None = None

    async def start(self) -> None:
        """Listen. Raises StartError with a sentence: port in use, unknown host."""
        await self._listen(Directory(_Registrar(self)))
        self._watch = asyncio.create_task(self._watch_lifetimes(), name="lifetimes of registrations")

    async def close(self) -> None:
        """Stop listening; running operations end with Timeout, observations end."""
        if self._watch is None:
            return
        self._watch.cancel()
        self._give_up()
        for registration in self.registrations:
            self._void_observations(registration, "the lab server closed")
        await self._coap.close()
        await asyncio.gather(self._watch, return_exceptions=True)
        self._watch = None

    async def __aenter__(self) -> "LabServer":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def subscribe(self) -> Subscription:
        """A queue of everything that happens from now on."""
        return Subscription(self._events)

    def add_listener(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event, in order; it must not block."""
        self._events.add(listener)

    def remove_listener(self, listener: Callable[[Event], None]) -> None:
        self._events.remove(listener)

    async def wait_registered(self, endpoint: str | None = None, timeout_s: float = 10) -> Registration:
        """The registration of `endpoint` (None: of any), now or as soon as it comes. Raises Timeout."""
        with self.subscribe() as events:
            for registration in self.registrations:
                if endpoint in (None, registration.endpoint):
                    return registration
            try:
                return (await events.wait("register", endpoint, timeout_s)).registration
            except Timeout:
                raise Timeout(f"{endpoint or 'no device'} did not register within {timeout_s:g} s") from None

    def expire(self) -> float | None:
        """Remove the registrations whose lifetime is over; returns the seconds to the next such moment."""
        for registration in self.registrations.expire():
            self._void_observations(registration, "the lifetime is over")
            self._events.emit(Event("expire", registration))
            self._heard(registration.endpoint)
        return self.registrations.next_expiry_s()

    async def _watch_lifetimes(self) -> None:
        while True:
            self._deadlines_changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.expire()):
                    await self._deadlines_changed.wait()

    def _announce(self, event: Event) -> None:
        """Tell the listeners, and who waits for the device, once the response is on its way: a device serves requests
        only after its 2.01."""
        self._deadlines_changed.set()
        loop = asyncio.get_running_loop()
        loop.call_soon(self._events.emit, event)
        loop.call_soon(self._heard, event.endpoint)


class _Registrar:
    """What the directory asks of the server."""

    def __init__(self, server: LabServer):
        self._server = server

    def register(self, query: tuple[str, ...], object_list: bytes, remote: Any) -> str:
        query = self._admitted(query, remote)
        registration, replaced = self._server.registrations.register(query, object_list, remote)
        if replaced:
            self._server._void_observations(replaced, "the device registered again")
        self._server._announce(Event("register", registration))
        return registration.id

    def update(self, number: str, query: tuple[str, ...], object_list: bytes, remote: Any) -> None:
        same_party(self._server.credentials, self._server.registrations.find(number), remote)
        registration, changes = self._server.registrations.update(number, query, object_list, remote)
        if "remote" in changes:
            self._server._move_observations(registration)
        self._server._announce(Event("update", registration, changes=changes))

    def deregister(self, number: str, remote: Any) -> None:
        same_party(self._server.credentials, self._server.registrations.find(number), remote)
        registration = self._server.registrations.deregister(number)
        self._server._void_observations(registration, "the device de-registered")
        self._server._announce(Event("deregister", registration))

    def send(self, content_format: int, payload: bytes, remote: Any) -> None:
        registration = self._server.registrations.at(remote)
        if registration is None:
            raise NotFound("nobody is registered from that address")
        same_party(self._server.credentials, registration, remote)
        try:
            result = result_of_send(registration.endpoint, content_format, payload)
        except PayloadError as problem:
            raise BadRequest(str(problem)) from None
        self._server._learn(registration, (), result)
        self._server._announce(Event("send", registration, path=(), result=result))

    def _admitted(self, query: tuple[str, ...], remote: Any) -> tuple[str, ...]:
        """The parameters of a Register, if its sender may speak for the endpoint, which credentials can name, too."""
        names = [parameter.removeprefix("ep=") for parameter in query if parameter.startswith("ep=")]
        if not names and is_secure(remote) and remote.endpoint:
            return (*query, f"ep={remote.endpoint}")
        for endpoint in names:
            admit(self._server.credentials, SERVER, endpoint, remote)
            present = self._server.registrations.get(endpoint)
            if present and is_secure(present.remote) and not is_secure(remote):
                raise Forbidden("this endpoint is registered over DTLS")
        return query
