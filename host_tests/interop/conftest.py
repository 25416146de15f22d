"""What every interop test may use. Tests here are coroutines, `async def test_...`, each in a loop of its own."""

import asyncio
import inspect
import shutil

import pytest

TEST_LIMIT_S = 90


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run a coroutine test to its end."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: value for name, value in pyfuncitem.funcargs.items() if name in wanted}
    asyncio.run(asyncio.wait_for(pyfuncitem.obj(**arguments), TEST_LIMIT_S))
    return True


@pytest.fixture(params=["unix", "cpython"])
def interpreter(request):
    """Both Pythons that a board's files run on."""
    if request.param == "unix":
        request.getfixturevalue("micropython")
    return request.param


@pytest.fixture(scope="session")
def coap_client():
    """Path of libcoap's client; Debian calls it after the TLS library that it was built with."""
    for name in ("coap-client", "coap-client-notls", "coap-client-openssl", "coap-client-gnutls"):
        if path := shutil.which(name):
            return path
    return pytest.skip("no libcoap: apt-get install libcoap3-bin")


@pytest.fixture(scope="session")
def tshark():
    """Path of Wireshark's command line."""
    return shutil.which("tshark") or pytest.skip("no tshark: apt-get install tshark")
