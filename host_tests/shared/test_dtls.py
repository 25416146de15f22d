"""What of DTLS needs no net: the clock that a CA needs, the memory of sessions, alerts in words, record headers."""

import os

from compat import is_micropython
from lwm2m.config import Config, ConfigError
from lwm2m.objects.security import Security
from lwm2m.transport import dtls
from support import each, eq, raises, unhex


class Replaced:
    """Other things under the names of a module, for as long as a with statement lasts."""

    def __init__(self, **names):
        self._names = names

    def __enter__(self):
        self._old = {name: getattr(dtls, name) for name in self._names}
        for name, value in self._names.items():
            setattr(dtls, name, value)

    def __exit__(self, *error):
        for name, value in self._old.items():
            setattr(dtls, name, value)


class Log:
    """Keeps the lines that are told."""

    def __init__(self):
        self.lines = []

    def warning(self, text, *args):
        self.lines.append(text % args)


class TimeServer:
    """ntptime with a server that answers, or not."""

    host = "time.lab"

    def __init__(self, world, answers):
        self._world, self._answers = world, answers

    def settime(self):
        self._world[0] += 1
        if not self._answers:
            raise OSError(110)
        self._world[1] = 1800000000


def trusting(host="127.0.0.1"):
    """A Transport that knows who signs the server's certificate."""
    security = Security("coaps://lab", 1, 2)
    security.server_key, security.certificate_usage = b"ca", 2
    return dtls.Transport(host, 5684, 0, security, Config())


def test_a_clock_that_is_not_set():
    """Fails closed, and says what to do."""
    log = Log()

    def refused(epoch_s, module):
        with Replaced(unix_time_s=lambda: epoch_s, load=lambda name: module, log=log):
            error = raises(dtls.LinkError, trusting().open)
            eq("clock is not set" in str(error), True)
            eq((error.code, error.event), (None, "LINK_DOWN"))

    each([(0, None), (946684800, TimeServer([0, 0], False))], refused)
    eq([line[:41] for line in log.lines], ["the time server time.lab does not answer:"])


def test_a_time_server_sets_the_clock():
    """It is asked once, and only when needed."""
    world = [0, 0]
    server = TimeServer(world, True)
    with Replaced(unix_time_s=lambda: world[1], load=lambda name: server):
        eq((dtls._clock_is_set(), dtls._clock_is_set(), world[0]), (True, True, 1))


class Chip:
    """esp32 with so much free C heap."""

    HEAP_DATA = 4

    def __init__(self, free):
        self._free = free

    def idf_heap_info(self, capabilities):
        eq(capabilities, 4)
        return [(100000, self._free - 1000, 20000, 0), (10000, 1000, 1000, 0)]


def test_memory():
    """Two sessions take 51,200 bytes of C heap; what does not fit is said before it fails."""

    def told(free, sessions, lines):
        log = Log()
        with Replaced(load=lambda name: Chip(free), log=log):
            dtls.start(sessions, None)
        eq(log.lines, lines)

    warning = "memory for 1 of 2 DTLS sessions: a server without one is tried again and again"
    each([(51200, 2, []), (51199, 2, [warning]), (25600, 1, [])], told)
    with Replaced(load=lambda name: None):
        dtls.start(9, "time.lab")  # a PC


def test_alerts():
    """In words for the person at the board; and whether it is of use to try again soon."""
    cases = [
        (115, "does not know our identity", True),
        (0, "ends the handshake", False),
        (11, "ends the handshake", False),
        (40, "has no cipher suite in common with us, or wants credentials that we do not have", False),
        (48, "does not know who signed our certificate", True),
        (80, "has an error inside", False),
        (255, "ends the handshake", False),
    ]
    events = ("LINK_DOWN", "REFUSED")

    def check(alert, text, final):
        eq((dtls.meaning(alert), dtls.LinkError("x", alert).event), (text, events[final]))

    each(cases, check)


def watched(*datagrams):
    """A Transport that has seen these, (is ours, hex)."""
    transport = trusting()
    for is_ours, text in datagrams:
        transport._watch(unhex(text), is_ours)
    return transport


def test_record_headers():
    """What the handshake shows to everyone (RFC 6347 section 4.1): type, version, epoch, sequence, length."""
    finished = "16 fefd 0001 000000000000 0002 aaaa"
    change = "14 fefd 0000 000000000003 0001 01"
    fatal = "15 fefd 0000 000000000001 0002 02 73"
    eq(watched((True, change), (False, change + finished))._stands, True)
    eq(watched((True, change + finished))._stands, False)
    eq(watched((False, change + finished))._stands, False)  # nobody's word, before all that is ours has left
    eq(watched((False, "15 fefd 0000 000000000001 0002 01 73"))._alert, None)  # a warning ends nothing
    eq(watched((True, change))._sent_last, True)
    eq(watched((False, change))._sent_last, False)
    eq(watched((False, fatal))._alert, (False, 115))
    eq(watched((True, fatal))._alert, (True, 115))
    eq(watched((True, change), (False, change + finished), (False, fatal))._alert, None)  # nor once a session stands
    each(
        [(text,) for text in ("", "15", "15 fefd 0000 000000000001 0002 02", "16 fefd 0001 0000000000 00ff")], harmless
    )


def harmless(text):
    transport = watched((False, text))
    eq((transport._stands, transport._alert), (False, None))


def test_noise_is_no_handshake():
    """Whatever comes, watching never raises."""
    transport = trusting()
    for _ in range(2000):
        transport._watch(os.urandom(40), False)


def test_the_right_library():
    """MicroPython's own, or pyOpenSSL."""
    eq(
        "mbedtls" in dtls.Session.__module__ if not is_micropython else hasattr(dtls.Session, "readinto"),
        is_micropython,
    )


class Firmware:
    """A `tls` module of so much, as older firmware has it."""

    CERT_NONE = 0

    def __init__(self, has_dtls):
        if has_dtls:
            self.PROTOCOL_DTLS_CLIENT = 2
        self.SSLContext = lambda protocol: Context()


class Context:
    """An SSLContext without psk_key, as in MicroPython 1.28."""

    __slots__ = ("verify_mode",)


def test_firmware_that_is_too_old():
    """Found out at the start, in one sentence that names the version that is needed."""
    if not is_micropython:
        return  # CPython's is pinned with its packages
    from lwm2m.transport import dtls_mbedtls

    security = Security("coaps://lab", 1, 0)
    security.identity, security.secret_key = b"i", b"k"
    old = dtls_mbedtls.load

    def refused(module, sentence):
        dtls_mbedtls.load = lambda name: module
        try:
            error = raises(ConfigError, dtls_mbedtls.Session, security, "lab", None, None)
        finally:
            dtls_mbedtls.load = old
        eq(str(error).partition(", and this is ")[0], sentence)
        eq("micropython" in str(error), True)

    cases = [
        (None, "coaps:// needs MicroPython 1.29 or newer"),
        (Firmware(False), "coaps:// needs MicroPython 1.29 or newer"),
        (Firmware(True), "a pre-shared key needs MicroPython 1.29 or newer"),
    ]
    each(cases, refused)
