"""SECURITY.md is true where a machine can tell: what it names exists, and it stays a page or two."""

import inspect
import re

from lwm2m import settings
from lwm2m.transport import dtls_mbedtls
from tools import device
from tools.mpy import ROOT

PAGE = (ROOT / "SECURITY.md").read_text()
CODE = re.findall(r"`([^`\n]+)`", PAGE)


def test_files_are_there():
    """Those in the table of tests, each of which holds tests."""
    files = [ROOT / name for name in CODE if name.startswith("host_tests/")]
    assert len(files) > 10
    for file in files:
        assert "def test_" in file.read_text(), file
    assert PAGE.splitlines()[-1].startswith("|"), "the table is the end of the page"


def test_settings_and_options_are_known():
    """Of config.json and of tools.device."""
    words = [word for word in CODE if re.fullmatch("[a-z_]+", word) and word != "ps"]
    assert {"psk_identity", "psk_key", "server_cert", "ca", "cert", "key", "sni", "oscore", "ntp"} == set(words)
    known = (settings._KNOWN + settings._ACCOUNT + settings._CREDENTIALS).split()
    assert set(words) <= set(known)
    options = [word for word in CODE if word.startswith("--")]
    assert options and all(option in device.parser().format_help() for option in options)


def test_the_version_is_the_one_that_the_device_asks_for():
    """In the sentence about a firmware that is too old."""
    versions = set(re.findall(r"MicroPython ([0-9.]+[0-9])", inspect.getsource(dtls_mbedtls)))
    assert versions == set(re.findall(r"MicroPython ([0-9.]+[0-9])", PAGE)) == {"1.29"}


def test_it_is_a_page():
    """Plain words need not many."""
    assert len(PAGE.split()) < 1500
    assert max(len(line) for line in PAGE.splitlines() if not line.startswith("|")) <= 120
