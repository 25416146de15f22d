"""pytest's side of shared/: what a test puts in place of the sockets does not outlive it, as other tests need them."""

import socket

import pytest

from lwm2m.transport import udp


@pytest.fixture(autouse=True)
def real_sockets():
    """On MicroPython each file has an interpreter of its own."""
    yield
    udp.socket = socket
    udp._seen.clear()
