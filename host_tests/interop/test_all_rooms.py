"""The board of main.py, bootstrapped, with every kind of request: in the heap that it has, and in one too small."""

import contextlib

from host_tests.interop.board import ENDPOINT, running
from tools.lab import Account, Configuration, Configurations, DeviceError, LabBootstrapServer, LabServer, UsageError
from tools.lab.payload import CBOR, SENML_CBOR, SENML_JSON, TLV

FORMATS = (TLV, SENML_CBOR, SENML_JSON)
PATHS = ["/3/0", "/3303/0/5700", "/1/0/1"]


@contextlib.asynccontextmanager
async def bootstrapped(heap):
    """(lab server, bootstrap server, board that has registered by way of the bootstrap server)."""
    async with LabServer(port=0) as server:
        configurations = Configurations(Configuration(servers=(Account(server.uri, lifetime=300),)))
        async with LabBootstrapServer(port=0, configurations=configurations) as bootstrap:
            options = ("--bootstrap", "--heap", heap)
            async with running(bootstrap.uri, options=options) as board:
                await server.wait_registered(ENDPOINT, 15)
                await board.printed("-> REGISTERED")
                yield server, bootstrap, board


def requests(server):
    """One of each kind, as callables that return a coroutine."""
    reads = [lambda accept=accept: server.read(ENDPOINT, "/3303", accept=accept) for accept in FORMATS]
    return (
        *reads,
        lambda: server.read(ENDPOINT, "/3303/0/5701", accept=CBOR),
        lambda: server.discover(ENDPOINT, "/3"),
        lambda: server.write(ENDPOINT, "/3311/0/5850", True),
        lambda: server.write(ENDPOINT, "/1/0", {1: 299}, partial=True),
        lambda: server.execute(ENDPOINT, "/3303/0/5605"),
        lambda: server.write_attributes(ENDPOINT, "/3303/0/5700", {"pmin": 1, "st": 0.5}),
        lambda: server.observe(ENDPOINT, "/3303/0/5700"),
        lambda: server.read_composite(ENDPOINT, PATHS),
        lambda: server.write_composite(ENDPOINT, {"/1/0/1": 300, "/3311/0/5850": False}),
        lambda: server.observe_composite(ENDPOINT, PATHS),
        lambda: server.cancel_composite(ENDPOINT, PATHS),
    )


async def test_everything_fits(micropython):
    """All kinds of requests, a second bootstrap, and all once more: no 5.03 among the answers."""
    async with bootstrapped("320k") as (server, bootstrap, board):
        for request in requests(server):
            await request()
        with server.subscribe() as events:
            await server.execute(ENDPOINT, "/1/0/9")
            await bootstrap.wait_finished(ENDPOINT)
            await events.wait("register", ENDPOINT, 15)
        for request in requests(server):
            await request()
        assert board.count(r"-> 5\.") == 0


async def test_what_does_not_fit_does_no_lasting_harm(micropython):
    """With less memory some answers are 5.03: rooms are closed, and the board goes on, and leaves as it should."""
    async with bootstrapped("272k") as (server, _, board):
        for request in requests(server) * 2:
            try:
                await request()
            except UsageError:  # there is nothing to cancel, as the observation got 5.03
                continue
            except DeviceError as error:
                assert error.code == "5.03", error
        assert float((await server.read(ENDPOINT, "/3303/0/5700")).value) > 0
        assert board.count("Traceback") == 0
