"""CoAP over DTLS 1.2 (coaps://, RFC 7252 section 9, OMA TRANS 1.1 section 5): one session a server.

The TLS library differs: MicroPython's own `tls` module (dtls_mbedtls), pyOpenSSL on CPython (dtls_openssl). Here is
what does not: the socket, the time limit of a handshake, which alert means what, and when a session has a future.
"""

import errno
import gc

from compat_load import load

from compat import Clock, const, is_micropython, readable, unix_time_s, wait_event
from lwm2m import log
from lwm2m.transport import udp

if is_micropython:
    from lwm2m.transport.dtls_mbedtls import Session
else:
    from lwm2m.transport.dtls_openssl import Session

_TURN_ms = const(250)  # a handshake retransmits only when it is looked after (1, 2, 4 ... s)
_RAW_DATAGRAM = const(1357)  # one of 1280 bytes in the suite that adds most, 77 bytes
_SESSION_SIZE = const(25600)
_GC_THRESHOLD = const(32768)  # bytes
_PSK = const(0)
_TRUST_ANCHOR = const(2)  # a certificate usage (/0/x/15)
_CLOCK_IS_SET_s = const(1735689600)  # 2025: a chip that was never told counts from 1970 or 2000

_CHANGE_CIPHER_SPEC = const(20)
_ALERT = const(21)
_HANDSHAKE = const(22)
_FATAL = const(2)  # the level of an alert

# Alerts that a server sends: what they mean for the person at the board (RFC 5246 section 7.2).
_MEANING = const(
    "10 did not expect this message|"
    "20 could not read our message: is the key right?|"
    "21 could not read our message: is the key right?|"
    "40 has no cipher suite in common with us, or wants credentials that we do not have|"
    "42 does not like our certificate|"
    "43 does not support our kind of certificate|"
    "44 says that our certificate was revoked|"
    "45 says that our certificate is not valid now: it has expired, or a clock is wrong|"
    "46 does not accept our certificate|"
    "48 does not know who signed our certificate|"
    "49 denies access|"
    "51 could not verify our message: is the key right?|"
    "70 speaks another version of DTLS|"
    "71 wants a stronger cipher suite|"
    "80 has an error inside|"
    "112 does not know the server name that we asked for (SNI)|"
    "115 does not know our identity|"
)
# After these, asking again soon is of no use (OMA TRANS, table of alerts); after all others it may be.
_FINAL = (42, 43, 44, 45, 46, 48, 49, 112, 113, 114, 115)


class LinkError(OSError):
    """There is no session, or not any more: a sentence. `code` is the alert that came or went, or None; `event` is
    what it means for a Registration: REFUSED if to try again soon is of no use."""

    def __init__(self, text, alert=None):
        super().__init__(text)
        self.code = alert
        self.event = "REFUSED" if alert in _FINAL else "LINK_DOWN"


class _Arrival:
    """What compat.wait_event waits for: a datagram in a socket."""

    def __init__(self, sock):
        self._sock = sock

    def wait(self):
        return readable(self._sock)


class Transport(udp.Transport):
    """Datagrams to and from one server, protected. `security` is the account's Security instance."""

    def __init__(self, host, port, local_port, security, config):
        super().__init__(host, port, local_port)
        self.waiting = []  # datagrams that came together with others
        self._security = security
        self._config = config
        self._engine = None
        self._unasked = False  # whether what was to be sent has not even left: the session may go on, see open
        self._failure = None  # what sending has met, where the TLS library must not see it
        self._watch_from_start()

    def _watch_from_start(self):
        self._heard = self._stands = False
        self._sent_last = False  # whether all that is ours of the handshake has left
        self._alert = None

    def open(self):
        """Connect as udp.Transport does, and begin a handshake. Where only our own network was away, the session goes
        on in its place: a plain Update may do (OMA Core 1.1 section 6.2.2). One that has met silence is over.

        Raises ConfigError if the credentials are of no use to this firmware.
        """
        if self._engine and self._stands and self._unasked:
            self._unasked = False
            return
        self.close()
        if self._security.certificate_usage == _TRUST_ANCHOR and not _clock_is_set():
            raise LinkError(
                "the clock is not set, so that the server's certificate cannot be checked: name a time server in "
                "config.json (ntp), or know the certificate itself (server_cert), which needs no clock"
            )
        super().open()
        self._watch_from_start()
        try:
            self._engine = Session(self._security, self.host, self._read_raw, self._write_raw)
        except (MemoryError, OSError) as error:
            if getattr(error, "errno", errno.ENOMEM) != errno.ENOMEM:
                raise
            raise LinkError("no memory for a DTLS session")

    async def connect(self):
        """Wait until the session stands: "LINK_NEW", or "LINK_UP" if it has stood before. Raises LinkError."""
        if self._stands:
            return "LINK_UP"
        clock = Clock()
        while True:
            data = self._call(self._engine.recv)  # looks after the handshake, too
            if data:
                self.waiting.append(data)
            if self._stands:
                log.info("%s:%d: DTLS session, %s", self.host, self.port, self._trust())
                return "LINK_NEW"
            if clock.ms() > self._config.HANDSHAKE_s * 1000:
                raise LinkError(self._excuse())
            before = clock.ms()
            await wait_event(_Arrival(self.sock), _TURN_ms)
            if clock.ms() - before > _TURN_ms // 2:
                self._count = 0  # nobody has said that there is something

    def _trust(self):
        if self._security.mode == _PSK:
            return "pre-shared key"
        if self._security.certificate_usage == _TRUST_ANCHOR:
            return "certificate signed by whom we know"
        return "certificate that we know, whatever the clock says"

    def send(self, datagram):
        """Send one datagram; losing it is no error."""
        self._failure = None
        self._call(self._engine.send, datagram)
        if self._failure:
            self._unasked = True
            raise self._failure

    def recv(self):
        """One datagram, or None if there is none after all."""
        if self.waiting:
            return self.waiting.pop(0)
        first = self._call(self._engine.recv)
        while first:
            data = self._call(self._engine.recv)
            if not data:
                break
            self.waiting.append(data)
        return first

    def close(self):
        """Say good-bye, and give socket and session back."""
        engine, self._engine = self._engine, None
        if engine:
            engine.close()
        self.waiting = []
        super().close()

    # -- the TLS library ----------------------------------------------------------------------------------------------

    def _call(self, call, *args):
        """Have the TLS library do something; raises LinkError when the session is over."""
        try:
            found = call(*args)
        except MemoryError:
            raise
        except (OSError, ValueError) as error:
            self._stands = False
            raise LinkError(*self._reason(error))
        if found == b"":
            stood, self._stands = self._stands, False
            raise LinkError("the server closed the session" if stood else self._excuse("gives up"), 0)
        return found

    def _read_raw(self):
        """The next datagram as it comes from the net, or None."""
        datagram = udp.Transport.recv(self)
        if datagram:
            self._heard = True
            self._watch(datagram, False)
        return datagram

    def _recv(self, limit=_RAW_DATAGRAM):
        return super()._recv(limit)

    def _write_raw(self, datagram):
        """Send a datagram as it is. What goes wrong is for us, not for the TLS library, which would never forget it."""
        self._watch(datagram, True)
        try:
            udp.Transport.send(self, datagram)
        except OSError as error:
            self._failure = error

    # -- what the handshake shows to everyone ------------------------------------------------------------------------

    def _watch(self, datagram, is_ours):
        """Follow the handshake by its record headers: whether it is through, and which alert has ended it. Anybody can
        write such headers: they only say when to ask the library, and whom to blame."""
        at = 0
        while at + 13 < len(datagram):
            kind, epoch = datagram[at], datagram[at + 3] << 8 | datagram[at + 4]
            length = datagram[at + 11] << 8 | datagram[at + 12]
            if at + 13 + length > len(datagram):
                return  # no record; the library drops it, too
            if kind == _CHANGE_CIPHER_SPEC and is_ours:
                self._sent_last = True
            elif kind == _HANDSHAKE and epoch and not is_ours and self._sent_last:
                self._stands = True  # the server's Finished; if it is not good, the library says so
            elif kind == _ALERT and not epoch and length == 2 and datagram[at + 13] == _FATAL and not self._stands:
                self._alert = (is_ours, datagram[at + 14])
            at += 13 + length

    def _reason(self, error):
        """(sentence, alert) of why the TLS library gave up."""
        if self._alert is None:
            words = _words(error)
            if "FATAL_ALERT" in words:  # inside the session, and Mbed TLS does not tell which
                words = "the server ended the session by an alert"
            return "DTLS: %s" % words, None
        is_ours, alert = self._alert
        if is_ours:
            text = getattr(self._engine, "problem", None) or _words(error)
            return "DTLS: we refuse the server: %s" % text, alert
        return "DTLS: the server %s (alert %d)" % (meaning(alert), alert), alert

    def _excuse(self, does="falls silent"):
        """Why a handshake has come to nothing, as far as one can tell from outside."""
        where = "%s:%d" % (self.host, self.port)
        if not self._heard:
            return "DTLS: nobody answers at %s" % where
        if not self._sent_last:
            return "DTLS: the handshake with %s does not get through" % where
        if self._security.mode == _PSK:
            return "DTLS: %s %s at our key: it has another one for our identity, or does not know that" % (where, does)
        return "DTLS: %s %s at our certificate" % (where, does)


def _clock_is_set():
    """Whether it is known which day it is; a time server is asked if not (NTP), which blocks for a second at most."""
    ntptime = load("ntptime")
    if ntptime and unix_time_s() < _CLOCK_IS_SET_s:
        try:
            ntptime.settime()
        except OSError as error:
            log.warning("the time server %s does not answer: %s", ntptime.host, error)
    return unix_time_s() >= _CLOCK_IS_SET_s


def start(sessions, time_server):
    """Make ready for so many sessions before anything else takes RAM: what stays is to lie side by side, as datagrams
    want RAM in one piece. time_server is a name, or None for MicroPython's own. Warns if that many sessions do not fit
    into the C heap of an ESP32, where each takes 25 KB."""
    if hasattr(gc, "threshold"):
        gc.threshold(_GC_THRESHOLD)  # pyright: ignore[reportAttributeAccessIssue] - MicroPython's own
    ntptime = load("ntptime")
    if time_server and ntptime:  # a PC has none, and needs none
        ntptime.host = time_server
    esp32 = load("esp32")
    if hasattr(esp32, "idf_heap_info"):
        free = sum([area[1] for area in esp32.idf_heap_info(esp32.HEAP_DATA)])
        if free < sessions * _SESSION_SIZE:
            log.warning(
                "memory for %d of %d DTLS sessions: a server without one is tried again and again",
                free // _SESSION_SIZE,
                sessions,
            )


def meaning(alert):
    """What an alert of the server says, as in "the server ..."."""
    start = ("|" + _MEANING).find("|%d " % alert)
    if start < 0:
        return "ends the handshake"
    return _MEANING[start : _MEANING.find("|", start)].partition(" ")[2]


def _words(error):
    """The TLS library's own words, in one line."""
    words = str(error.args[-1]) if error.args else type(error).__name__
    return words.strip().replace("\n", "; ")
