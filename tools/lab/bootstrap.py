"""The lab's bootstrap server (OMA CORE, "Bootstrap Interface"): by itself for a class, step by step for a test.

A device asks with POST /bs; then the server discovers what it has, deletes its old accounts, writes the new ones and
finishes. It knows nothing of the device's codecs: the payloads are those of `payload`.
"""

import asyncio
import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from aiocoap import DELETE, GET, POST, PUT, Message
from aiocoap.error import BadRequest, Forbidden
from aiocoap.util import hostportsplit

from . import paths, payload
from .bootstrap_config import ACCESS, SECURITY, SERVER, Configuration, Configurations
from .bootstrap_directory import BootstrapDirectory
from .credentials import BOOTSTRAP
from .errors import DeviceError, LabError, PayloadError, UnknownEndpoint, UsageError
from .events import Event, Events, Subscription
from .layers import log
from .listening import Listening, Security
from .paths import Path
from .results import Result, result_of, what
from .server import LabServer
from .trust import admit, is_secure

PORT = 5783  # where Leshan's bootstrap server listens, too
_WILDCARDS = ("0.0.0.0", "::", "")
_ACCOUNT = re.compile(rf"/{SECURITY}/([0-9]{{1,5}})")  # as Discover names it


@dataclass
class Session:
    """One bootstrap of one device. `state` is "requested", "running", "finished" or "failed"."""

    endpoint: str
    remote: Any  # aiocoap's address of the device
    preferred: int | None  # the Content-Format that the device asked for with pct
    state: str = "requested"
    units: dict[tuple[int, int], str] = field(default_factory=dict)
    task: asyncio.Task | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        return self.remote.hostinfo


class LabBootstrapServer(Listening):
    """`async with LabBootstrapServer(port=0, configurations=...) as server:` serves every device by itself.

    Without `configurations` it answers requests and does nothing more: a test goes step by step with `wait_request`,
    `discover`, `write`, `finish`. `lab` is the server that accounts without a URI point to; `pack` serves /bspack.
    `timeout_s` is for one step. The steps raise DeviceError, Timeout, PayloadError, UsageError.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int | None = PORT,
        *,
        security: Security | None = None,
        configurations: Configurations | None = None,
        lab: LabServer | None = None,
        pack: bool = False,
        timeout_s: float = 10,
    ):
        if configurations:
            _check(configurations, lab)
        super().__init__(host, port, security, BOOTSTRAP)
        self.timeout_s = timeout_s
        self.sessions: dict[str, Session] = {}  # the newest of each endpoint
        self._configurations, self._lab, self._serves_packs = configurations, lab, pack
        self._events = Events()

    async def start(self) -> None:
        """Listen. Raises StartError with a sentence: port in use, unknown host."""
        await self._listen(BootstrapDirectory(_Bootstrapper(self), self._serves_packs))

    async def close(self) -> None:
        """Stop listening; what is under way ends."""
        tasks = [session.task for session in self.sessions.values() if session.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._coap.close()

    async def __aenter__(self) -> "LabBootstrapServer":
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

    async def wait_request(self, endpoint: str | None = None, timeout_s: float = 10) -> Session:
        """The session of `endpoint` (None: of any), now or as soon as it asks. Raises Timeout."""
        with self.subscribe() as events:
            for session in self.sessions.values():
                if endpoint in (None, session.endpoint):
                    return session
            return (await events.wait("bootstrap", endpoint, timeout_s)).registration

    async def wait_finished(self, endpoint: str, timeout_s: float = 10) -> Session:
        """The session of `endpoint` once it is over, finished or failed. Raises Timeout."""
        with self.subscribe() as events:
            session = self.sessions.get(endpoint)
            if session and session.state in ("finished", "failed"):
                return session
            return (await events.wait("finished", endpoint, timeout_s)).registration

    async def discover(self, endpoint: str | None, path: str = "/") -> Result:
        """Bootstrap-Discover of everything or one object: `value` is {"/0/0": {"ssid": "101"}, ...}."""
        message = Message(code=GET, accept=payload.LINKS)
        return await self._operate("bs-discover", endpoint, _target(path, (0, 1)), message)

    async def read(self, endpoint: str | None, path: str, *, accept: int | None = None) -> Result:
        """Bootstrap-Read of the objects Server and Access Control or their instances (LwM2M 1.1)."""
        return await self._operate("bs-read", endpoint, _target(path, (1, 2)), Message(code=GET, accept=accept))

    async def write(self, endpoint: str | None, path: str, value: Any, *, content_format: int | None = None) -> Result:
        """Bootstrap-Write of an object, an instance or a resource, shaped as `payload` says, by default in the format
        that the device prefers, else TLV."""
        ids = _target(path, (1, 2, 3))
        if content_format is None:
            content_format = self.session(endpoint).preferred or payload.TLV
        data = payload.encode(content_format, value, ids)
        message = Message(code=PUT, content_format=content_format, payload=data)
        return await self._operate("bs-write", endpoint, ids, message)

    async def delete(self, endpoint: str | None, path: str = "/") -> Result:
        """Bootstrap-Delete of everything, an object or an instance; the device keeps its bootstrap account."""
        return await self._operate("bs-delete", endpoint, _target(path, (0, 1, 2)), Message(code=DELETE))

    async def finish(self, endpoint: str | None) -> Result:
        """Bootstrap-Finish: the device takes what was written, or refuses with 4.06."""
        return await self._operate("bs-finish", endpoint, (), Message(code=POST, uri_path=("bs",)))

    async def request(self, endpoint: str | None, path: str, message: Message) -> Message:
        """Send any message and return its response, also one with an error code: for what the steps refuse to send."""
        session, ids = self.session(endpoint), paths.parse(path)
        message.opt.uri_path, message.remote = [str(number) for number in ids], session.remote
        return await self._coap.request(message, self.timeout_s, what(str(message.code), session.endpoint, ids))

    async def run(self, endpoint: str, configuration: Configuration) -> None:
        """All steps, one after the other. Raises what the first that fails raises."""
        session = self.session(endpoint)
        session.state = "running"
        try:
            written = await self._run(session, configuration)
        except LabError as problem:
            session.state = "failed"
            self._events.emit(Event("finished", session, reason=f"the bootstrap failed: {problem}"))
            raise
        session.state = "finished"
        self._events.emit(_finished(session, written))

    def session(self, endpoint: str | None = None) -> Session:
        """The newest session of `endpoint`, or the only one there is. Raises UnknownEndpoint."""
        if endpoint is None and len(self.sessions) == 1:
            return next(iter(self.sessions.values()))
        if endpoint is None or endpoint not in self.sessions:
            names = ", ".join(sorted(self.sessions)) or "nobody"
            raise UnknownEndpoint(f"{endpoint or 'that device'} did not ask for a bootstrap ({names} did)")
        return self.sessions[endpoint]

    async def _run(self, session: Session, configuration: Configuration) -> dict[int, Any]:
        name, links = session.endpoint, {}
        if configuration.discover:
            with contextlib.suppress(DeviceError, PayloadError):  # not every device knows it; the log has the reason
                result = await self.discover(name)
                links = result.value if result.content_format == payload.LINKS else {}
        for path in configuration.delete if configuration.delete is not None else _default_delete(links):
            await self.delete(name, path)
        objects = self._complete(configuration, session).objects(_bootstrap_accounts(links))
        for oid in (SECURITY, SERVER, ACCESS):
            if oid in objects:
                await self.write(name, f"/{oid}", objects[oid], content_format=configuration.content_format)
        await self.finish(name)
        return objects

    async def _operate(self, operation: str, endpoint: str | None, path: Path, message: Message) -> Result:
        session = self.session(endpoint)
        message.remote = session.remote
        if not message.opt.uri_path:
            message.opt.uri_path = [str(number) for number in path]
        sentence = what(operation, session.endpoint, path)
        try:
            response = await self._coap.request(message, self.timeout_s, sentence)
            result = result_of(operation, session.endpoint, path, response)
        except LabError as problem:
            self._events.emit(Event("operation", session, path=path, error=problem))
            raise
        self._events.emit(Event("operation", session, path=path, result=result))
        return result

    def _complete(self, configuration: Configuration, session: Session) -> Configuration:
        """A configuration with the lab server's address, as this device can reach it, and the device's credentials."""
        lab = self._lab
        if lab is None:
            return configuration
        host: str | None = lab.host
        if host in _WILDCARDS:
            host, _ = hostportsplit(session.remote.hostinfo_local)
        servers, is_private = [], is_secure(session.remote) and lab.credentials is not None
        for account in configuration.servers:
            if is_private and account.may_be_secured:
                account = replace(account, credentials="psk")
            if account.uri is None:
                account = replace(account, uri=lab.uri_for(host or "", account.is_secure))
            if account.credentials and lab.credentials:
                known_by = lab.certificate or b"", lab.authority
                account = account.with_credentials(session.endpoint, lab.credentials, *known_by)
            servers.append(account)
        return replace(configuration, servers=tuple(servers))

    def _configuration(self, endpoint: str, remote: Any) -> Configuration | None:
        """None if there are no configurations at all. Raises BadRequest for a device that has none, and Forbidden or
        BadRequest for one that may not have it."""
        admit(self.credentials, BOOTSTRAP, endpoint, remote)
        if self._configurations is None:
            return None
        configuration = self._configurations.get(endpoint)
        if configuration is None:
            raise BadRequest("there is no configuration for this endpoint")
        if not is_secure(remote) and any(account.credentials for account in configuration.servers):
            log.warning("refused     %s  credentials for %s go out over coaps only", remote.hostinfo, endpoint)
            raise Forbidden("credentials are handed out over coaps only")
        if not is_secure(remote) and any(account.is_secure for account in configuration.servers):
            log.warning("readable    %s  keys for %s go out over coap: who listens has them", remote.hostinfo, endpoint)
        return configuration


class _Bootstrapper:
    """What the directory asks of the server."""

    def __init__(self, server: LabBootstrapServer):
        self._server = server

    def begin(self, endpoint: str, preferred: int | None, remote: Any) -> None:
        server = self._server
        configuration = server._configuration(endpoint, remote)
        previous, session = server.sessions.get(endpoint), Session(endpoint, remote, preferred)
        if previous and previous.task:
            previous.task.cancel()
        server.sessions[endpoint] = session
        asked = "" if preferred is None else f"pct={payload.format_name(preferred)} "
        event = Event("bootstrap", session, reason=f"{asked}from {session.address}")
        asyncio.get_running_loop().call_soon(server._events.emit, event)  # once the answer is on its way
        if configuration:
            session.task = asyncio.create_task(self._run(endpoint, configuration), name=f"bootstrap of {endpoint}")

    def pack(self, endpoint: str, content_format: int, remote: Any) -> dict[int, Any]:
        server = self._server
        configuration = server._configuration(endpoint, remote)
        if configuration is None:
            raise BadRequest("there is no configuration for this endpoint")
        session = server.sessions[endpoint] = Session(endpoint, remote, content_format, state="finished")
        reason = f"gets a pack in {payload.format_name(content_format)} from {session.address}"
        objects = server._complete(configuration, session).objects(_bootstrap_accounts({}))
        for event in (Event("bootstrap", session, reason=reason), _finished(session, objects)):
            server._events.emit(event)
        return objects

    async def _run(self, endpoint: str, configuration: Configuration) -> None:
        with contextlib.suppress(LabError):  # it is in the log and in the session's state
            await self._server.run(endpoint, configuration)


def _check(configurations: Configurations, lab: LabServer | None) -> None:
    """Raises UsageError if they speak of a lab server that is not there."""
    if configurations.needs_lab and lab is None:
        raise UsageError("an account without a URI needs a lab server in the same process")
    if any(account.credentials for account in configurations.accounts) and (lab is None or lab.credentials is None):
        raise UsageError('"credentials" needs a lab server with coaps in the same process')


def _finished(session: Session, objects: dict[int, Any]) -> Event:
    addresses = ", ".join(instance[0] for instance in objects[SECURITY].values())
    return Event("finished", session, reason=f"has its accounts: {addresses}")


def _bootstrap_accounts(links: dict[str, Any]) -> set[int]:
    """The instances of /0 that a Discover shows without a Short Server ID; without a Discover, instance 0."""
    found = (_ACCOUNT.fullmatch(target) for target, attributes in links.items() if "ssid" not in attributes)
    return {int(match[1]) for match in found if match} if links else {0}


def _default_delete(links: dict[str, Any]) -> list[str]:
    """The old accounts; not everything, which would take a board's sensors away."""
    has_access = any(target.startswith(f"/{ACCESS}/") for target in links)
    return [f"/{oid}" for oid in (SECURITY, SERVER, *([ACCESS] if has_access else []))]


def _target(path: str, depths: tuple[int, ...]) -> Path:
    ids = paths.parse(path)
    if len(ids) not in depths:
        raise UsageError(f"{path} is not what this step of a bootstrap can be about")
    return ids
