"""Leshan for the tests of this folder: started at the first test, stopped after the last, in one event loop for all."""

import asyncio
import contextlib
import inspect
import tempfile
from pathlib import Path

import pytest

from host_tests.leshan import device, harness
from host_tests.leshan.credentials import Credentials, options, pre_shared_key

TEST_LIMIT_S = 60


class Lab:
    """Both servers, and the boards that several tests share: one for each program."""

    def __init__(self):
        self.stack = contextlib.AsyncExitStack()
        self._boards = contextlib.AsyncExitStack()
        self.leshan: harness.Harness
        self.bootstrap: harness.Harness
        self.credentials: Credentials
        self._second: harness.Harness | None = None
        self._shared: dict[str, device.Device] = {}

    async def start(self) -> None:
        """Both servers side by side: their ports are free ones."""
        folder = self.stack.enter_context(tempfile.TemporaryDirectory(prefix="leshan-"))
        self.credentials = Credentials(Path(folder))
        server = harness.running("server", "Server", folder, str(harness.AWAKE_MS))
        bootstrap = harness.running("bootstrap", "Bootstrap", folder)
        self.leshan, self.bootstrap = await asyncio.gather(
            self.stack.enter_async_context(server), self.stack.enter_async_context(bootstrap)
        )

    async def second(self) -> harness.Harness:
        """Another server, for the rows that need two."""
        if self._second is None:
            folder = str(self.credentials.folder)
            made = harness.running("server", "Server", folder, str(harness.AWAKE_MS))
            self._second = await self.stack.enter_async_context(made)
        return self._second

    async def shared(self, program: str) -> device.Device:
        """A registered board that tests share which leave it as they found it."""
        if program not in self._shared:
            made = device.registered(self.leshan, program)
            self._shared[program] = await self._boards.enter_async_context(made)
        return self._shared[program]

    async def drop_shared(self) -> None:
        """After a failure nobody knows how it left them: the next test that shares a board gets a new one."""
        self._shared.clear()
        await self._boards.aclose()

    async def stop(self) -> None:
        """The boards first, then the servers."""
        await self.drop_shared()
        await self.stack.aclose()

    async def psk(self, endpoint: str, server: harness.Harness | None = None) -> tuple[str, ...]:
        """Give an endpoint a pre-shared key with Leshan, or another server: the options of a device that has it."""
        server = server or self.leshan
        psk = pre_shared_key(endpoint)
        await server.call("account", ep=endpoint, **psk)
        return "--server", server.ready["coaps"], *options(psk)

    async def certificate(self, endpoint: str, server: harness.Harness | None = None) -> tuple[str, ...]:
        """The same with a certificate that the CA of the tests has signed."""
        server = server or self.leshan
        await server.call("account", ep=endpoint)
        return "--server", server.ready["coaps"], *self.credentials.certificate(endpoint)

    def registered(self, program: str, *options: str, **more):
        """A registered board of its own for one test; see device.registered."""
        return device.registered(self.leshan, program, *options, **more)

    def running(self, program: str, *options: str, **more):
        """A board of its own for one test; see device.running."""
        return device.running(self.leshan, program, *options, **more)


@pytest.fixture(scope="session")
def runner():
    """The event loop of all tests here: the servers and shared boards outlive a single test."""
    with asyncio.Runner() as one:
        yield one


@pytest.fixture(scope="session")
def lab(runner, micropython):
    """Leshan, running; skips with the reason where it cannot be had."""
    if reason := harness.set_up():
        pytest.skip(reason)
    one = Lab()
    runner.run(one.start())
    yield one
    runner.run(one.stop())


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run a coroutine test to its end."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: value for name, value in pyfuncitem.funcargs.items() if name in wanted}
    runner = pyfuncitem.funcargs["runner"]
    try:
        runner.run(asyncio.wait_for(pyfuncitem.obj(**arguments), TEST_LIMIT_S))
    except BaseException:
        runner.run(arguments["lab"].drop_shared())
        raise
    return True
