"""The servers in the foreground, with a log for a class, until Ctrl-C."""

import argparse
import asyncio
import contextlib
import logging
import signal
import sys

from . import bootstrap_config, linelog, security
from .bootstrap import LabBootstrapServer
from .bootstrap_config import Account, Configuration, Configurations
from .control import ControlServer, default_path
from .errors import UsageError
from .server import LabServer

log = logging.getLogger("lab")


async def serve(options: argparse.Namespace) -> None:
    """The lab server with its control socket, and perhaps a bootstrap server beside it."""
    configurations = _configurations_beside(options)
    stopped = _prepare()
    async with contextlib.AsyncExitStack() as running:
        store = security.credentials_of(options, running)
        server = LabServer(
            options.host,
            None if options.no_coap else options.port,
            security=security.of(options, store, options.port),
            timeout_s=options.timeout,
            awake_s=options.awake,
        )
        await running.enter_async_context(server)
        server.add_listener(linelog.write)
        control = ControlServer(
            server, options.control or default_path(options.port or server.port or server.secure_port)
        )
        await control.start()
        running.push_async_callback(control.close)
        log.info("listening   %s  control %s", "  ".join(server.uris), control.path)
        if configurations:
            beside = LabBootstrapServer(
                options.host,
                None if options.no_coap else options.bootstrap_port,
                security=security.of(options, store, options.bootstrap_port, beside=True),
                configurations=configurations,
                lab=server,
                timeout_s=options.timeout,
            )
            await _start(beside, running)
        await stopped.wait()


async def bootstrap(options: argparse.Namespace) -> None:
    """A bootstrap server alone."""
    configurations = _configurations_alone(options)
    stopped = _prepare()
    async with contextlib.AsyncExitStack() as running:
        server = LabBootstrapServer(
            options.host,
            None if options.no_coap else options.port,
            security=security.of(options, security.credentials_of(options, running), options.port),
            configurations=configurations,
            pack=options.pack,
            timeout_s=options.timeout,
        )
        await _start(server, running)
        await stopped.wait()


async def _start(server: LabBootstrapServer, running: contextlib.AsyncExitStack) -> None:
    await running.enter_async_context(server)
    server.add_listener(linelog.write)
    log.info("bootstraps  %s", "  ".join(server.uris))


def _prepare() -> asyncio.Event:
    """Log to stdout; the event is set by Ctrl-C and SIGTERM."""
    logging.basicConfig(stream=sys.stdout, format="%(asctime)s %(message)s", datefmt="%H:%M:%S", level=logging.INFO)
    logging.getLogger("lab.aiocoap").setLevel(logging.ERROR)
    logging.raiseExceptions = False  # the server outlives whoever reads its log through a pipe
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


def _configurations_beside(options: argparse.Namespace) -> Configurations | None:
    if options.bootstrap_port is None:
        if options.bootstrap_config:
            raise UsageError("--bootstrap-config needs --bootstrap-port")
        return None
    if options.bootstrap_config:
        return bootstrap_config.load(options.bootstrap_config)
    return Configurations(Configuration((Account(),)))  # this very server


def _configurations_alone(options: argparse.Namespace) -> Configurations:
    given = {name: getattr(options, name) for name in ("ssid", "lifetime", "binding")}
    given = {name: value for name, value in given.items() if value is not None}
    how = {"delete": options.delete and tuple(options.delete), "content_format": options.format}
    if options.config:
        if options.server or given or options.allow_send or any(how.values()) or options.no_discover:
            raise UsageError("--config says all: it goes with --host, --port, --timeout and --pack only")
        return bootstrap_config.load(options.config)
    if not options.server:
        raise UsageError("say what to hand out: --server coap://host:port, or --config FILE")
    account = Account(options.server, allow_send=options.allow_send, **given)
    return Configurations(Configuration((account,), discover=not options.no_discover, **how))
