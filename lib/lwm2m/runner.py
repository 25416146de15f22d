"""The asyncio driver around the client: wait for a datagram, a wake-up or a deadline; feed; flush; repeat.

Ways out of `Client.run`: every server is stopped (after `close`), cancellation, which de-registers first, ConfigError.
"""

import asyncio
import gc
import sys

from compat import Clock, WakeEvent, const, forget, print_exception, readable, unix_time_s, wait_event
from lwm2m import client, formats, log
from lwm2m.config import ConfigError, parse_uri

_LONGEST_SLEEP_ms = const(86400000)  # asyncio refuses 6 days, and the clock must be asked more often than ticks wrap
# Rooms that can be imported again, and what they stand on. When memory is short they are given back.
_ROOMS = const(
    "blocks composite creating bootstrap_stage bootstrap_stored discover executing write_attributes writing change "
    "objlnk bounds settings credentials table retry"
)
_FORMATS = const("text opaque cbor cbor_item senml senml_json senml_cbor json_item lwm2m_json typed tlv link")
_LAST_ATTEMPT = const(99)
_PAUSE_s = 0.2  # after something unexpected: it must not come back in a tight loop

running = []  # the Runner that a Ctrl-C has to close, if any


class Client(client.Client):
    """The client as programs use it: from config.json, over sockets, under asyncio."""

    local_port = 0
    watchdog = 0  # timeout in seconds of the board's watchdog (lwm2m.watchdog); 0 is none

    @classmethod
    def from_config(cls, path="config.json"):
        """A client as config.json says; raises ConfigError with one sentence."""
        from lwm2m import start

        return start.client(cls, path)

    async def run(self):
        """Serve until cancelled (Ctrl-C), then de-register. Raises ConfigError if it cannot start."""
        runner = Runner(self)
        running.append(runner)
        try:
            await runner.serve()
        except (asyncio.CancelledError, KeyboardInterrupt):  # Ctrl-C: on CPython the one, on MicroPython the other
            await runner.close()
            raise
        finally:
            runner.shut()
            if runner in running:
                running.remove(runner)


def mend_imports():
    """An import that found no memory may leave the name of a module without the module, and MicroPython then gives that
    nothing to whoever imports it again. Forget such a name; there is at most one, as each MemoryError leads here."""
    for name in sys.modules:
        if sys.modules.get(name) is None:
            sys.modules.pop(name, None)
            return


class Runner:
    """Sockets, tasks and the clock of one client."""

    def __init__(self, client):
        self.client = client
        self._clock = Clock()
        self._event = WakeEvent()
        self._transports = {}  # session -> [transport, reader task or None]
        self.watchdog = None  # made by lwm2m.watchdog, if config.json wants one
        client.clock = self._clock.ms
        client.on_wake = self._event.set
        client.unix_time_s = unix_time_s
        client.make_room = self.make_room

    async def serve(self):
        """Register everywhere and serve until every server is stopped."""
        for name in ("bounds", "credentials", "settings", "start", "table"):  # were needed only to get here
            forget("lwm2m", name)
        gc.collect()
        log.info("endpoint %s", self.client.endpoint)
        if self.client.watchdog:
            from lwm2m import watchdog

            self.watchdog = watchdog.start(self.client.watchdog, self._clock.ms())
        self.client.start(self._clock.ms())
        await self._loop(None)

    def make_room(self):
        """Give back what can be made again: requests that are remembered, and rooms that nobody is in."""
        mend_imports()
        for session in self.client.sessions:
            session.exchange.memo.clear()
        for name in _ROOMS.split():
            forget("lwm2m", name)
        forget("coap", "block")
        formats.loaded.clear()
        for name in _FORMATS.split():
            forget("lwm2m.formats", name)
        gc.collect()

    async def close(self):
        """De-register, but do not wait for ever (Config.CLOSE_TIMEOUT_ms)."""
        self.make_room()
        for session, entry in self._transports.items():
            if entry[1]:  # on MicroPython, Ctrl-C may have hit the reader and ended it
                entry[1].cancel()
                entry[1] = asyncio.create_task(self._read(session, entry[0]))
        now = self._clock.ms()
        self.client.stop(now)
        await self._loop(now + self.client.config.CLOSE_TIMEOUT_ms)

    async def _loop(self, deadline):
        """Turn until every server is stopped, or the deadline. Whatever happens in a turn, no memory for a moment or a
        mistake in a program's callback, the next one comes."""
        while True:
            try:
                if await self._turn(deadline):
                    return
            except ConfigError:
                raise
            except Exception as error:
                try:
                    await self._wait(error)
                except MemoryError:
                    await asyncio.sleep(1)  # a whole number: MicroPython needs no memory for it

    async def _wait(self, error):
        """What to do after something unexpected; raises MemoryError."""
        self.make_room()
        if isinstance(error, MemoryError):
            log.warning("out of memory")
        else:
            print_exception(error)
        await asyncio.sleep(_PAUSE_s)

    async def _turn(self, deadline):
        """Run what is due, and wait until something else is; returns whether there is nothing left to do."""
        client = self.client
        self._event.clear()
        now = self._clock.ms()
        delay = client.poll(now)
        self._links(now)
        for session in client.sessions:
            self._flush(session)
        if not [1 for session in client.sessions if session.state != "STOPPED"]:
            return True
        if deadline is not None:
            if now >= deadline:
                return True
            delay = deadline - now if delay is None else min(delay, deadline - now)
        if self.watchdog:
            delay = self.watchdog.poll(delay, now, client.sessions, self._transports)
        await wait_event(self._event, _LONGEST_SLEEP_ms if delay is None else min(delay, _LONGEST_SLEEP_ms))
        return False

    # -- links ----------------------------------------------------------------------------------------------------

    def _links(self, now):
        """Open and close sockets as the sessions want them."""
        sessions = self.client.sessions
        for session in list(self._transports):
            if session.link == "closed" or session not in sessions:
                self._flush(session)
                self._shut(session)
        for session in list(sessions):
            if session.link == "opening":
                self._open(session, now)

    def _open(self, session, now):
        entry = self._transports.get(session)
        try:
            if entry is None:
                entry = self._transports[session] = [self._transport(session), None]
            elif entry[1]:
                entry[1].cancel()
                entry[1] = None
            entry[0].open()
        except (ConfigError, OSError) as error:
            if session in self._transports:
                self._shut(session)
            client = self.client
            if isinstance(error, ConfigError) and (session is client.bootstrap or not client.accounts):
                if not [1 for one in client.sessions if one.exchange.touched]:
                    raise  # config.json is wrong; later it is an account that a server wrote, or a matter of time
            self._broken(session, error)
            return
        entry[1] = asyncio.create_task(self._read(session, entry[0]))  # before it counts as opened: memory may lack
        session.link = None  # the runner's own, between "opening" and "open": hands are shaken, where there is DTLS
        if not entry[0].connect:
            session.link_up(now)

    def _transport(self, session):
        host, port = parse_uri(session.uri)
        local_port = self.client.local_port if session in self.client.registrations[:1] else 0
        if session.uri.startswith("coaps"):
            from lwm2m.transport import dtls

            return dtls.Transport(host, port, local_port, session.security, self.client.config)
        if session.uri.startswith("coap+tcp://"):
            from lwm2m.transport import tcp as transport
        else:
            from lwm2m.transport import udp as transport
        return transport.Transport(host, port, local_port)

    def _shut(self, session):
        transport, task = self._transports.pop(session)
        if task:
            task.cancel()
        transport.close()

    def shut(self):
        """Close every socket."""
        for session in list(self._transports):
            self._shut(session)

    # -- datagrams ------------------------------------------------------------------------------------------------

    async def _read(self, session, transport):
        """Feed what one server sends to the client. Ends by cancellation, or when the socket fails."""
        receive, now = self.client.receive, self._clock.ms
        sock, outbox, failure = transport.sock, session.outbox, None
        while True:
            try:
                if failure:
                    self._broken(session, failure)
                    return
                if session.link is None:
                    session.link_up(now(), await transport.connect())
                if not transport.waiting:
                    await readable(sock)  # pyright: ignore[reportGeneralTypeIssues] - MicroPython awaits any generator
                datagram = transport.recv()
                if datagram:
                    receive(session, datagram, now())
                    while outbox:
                        datagram = outbox.pop(0)
                        transport.send(datagram)
                        if not datagram[0] & 0x30:  # confirmable: poll has to know when to send it again
                            self.client.wake()
            except OSError as error:
                failure = error
            except Exception as error:
                try:
                    await self._wait(error)
                except MemoryError:
                    await asyncio.sleep(1)

    def _flush(self, session):
        """Send what the client has for a server."""
        outbox = session.outbox
        if not outbox:
            return
        entry = self._transports.get(session)
        try:
            for datagram in outbox:
                if entry:
                    entry[0].send(datagram)
        except OSError as error:
            self._broken(session, error)
        outbox.clear()

    def _broken(self, session, error):
        """Tell a session that there is no link, unless it knows; and its account the alert that ended it (/1/x/11)."""
        if session.link in ("open", "opening", None):
            code, account = getattr(error, "code", None), getattr(session, "account", None)
            if code is not None and account:
                account.set("tls_alert", code)
            event = getattr(error, "event", "LINK_DOWN")
            if event == "REFUSED":  # to ask again soon is of no use: the attempts of this sequence are over
                session.attempt = _LAST_ATTEMPT
            session.link_down("no link: %s" % error, self._clock.ms(), event)
        session.outbox.clear()
