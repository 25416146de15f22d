"""pytest's side of all tests: which MicroPython they use, and no silent skips where everything must run."""

import pytest

from tools import mpy


def pytest_addoption(parser):
    """Options of this repository; `make test PYTEST_ARGS=...` passes them on."""
    group = parser.getgroup("microlwm2m")
    group.addoption("--no-skip", action="store_true", help="a skipped test fails, unless it is marked device_only")
    group.addoption("--heap", default="4m", metavar="BYTES", help="MicroPython's heap in the shared tests (default 4m)")


def pytest_configure(config):
    """Our markers."""
    config.addinivalue_line("markers", "device_only(reason): needs a board on a cable, so --no-skip lets it be skipped")


@pytest.fixture(scope="session", autouse=True)
def state_home(tmp_path_factory):
    """Programs that keep something for their user keep it out of the user's own state."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


def pytest_ignore_collect(collection_path):
    """host_tests/upy/ is for MicroPython alone: cpython/test_shared_on_micropython.py runs it."""
    return True if collection_path.name == "upy" else None


def pytest_collection_modifyitems(items):
    """Where several processes share the tests (make test), one has all of Leshan's, which starts but once."""
    for item in items:
        if "leshan" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group("leshan"))


@pytest.fixture(scope="session")
def micropython():
    """Path of the Unix port."""
    path = mpy.micropython()
    if path is None:
        pytest.skip("no MicroPython for this machine: set MICROPYTHON=/path/to/micropython")
    return path


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item):
    """With --no-skip, turn the skip of one test into its failure."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and not item.get_closest_marker("device_only"):
        _forbid_skip(item.config, report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(collector):
    """With --no-skip, turn the skip of a whole file into its failure."""
    report = yield
    if report.skipped:
        _forbid_skip(collector.config, report)
    return report


def _forbid_skip(config, report):
    if config.getoption("no_skip"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = "Nothing may be skipped here (--no-skip), and this was. " + reason
