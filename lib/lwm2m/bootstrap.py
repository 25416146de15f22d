"""Interface 1, bootstrap: how a device gets its servers from a Bootstrap-Server (OMA Core 1.1 section 6.1). THE state
machine of the bootstrap session.

The Bootstrap is a session of the client, as a Registration is, and in one of these states:

STOPPED        Before the start and after the end.
IDLE           There is nothing to ask the Bootstrap-Server for: the registrations do their work. For ever, if its
               account was purged (/0/x/12).
WAITING        The next attempt comes when its time has come: the hold-off (/0/x/11), or after a failure the back-off.
CONNECTING     The link is being opened. From here on to the end, the device is silent to its other servers.
PACKING        LwM2M 1.2: the Bootstrap-Pack-Request is on its way.
REQUESTING     The Bootstrap-Request is on its way.
BOOTSTRAPPING  The Bootstrap-Server reads, writes and deletes. Every change can still be undone.
FINISHED       All is stored, the registrations begin. The link stays for a while, for a Finish that comes again.

What happens to it: START, STOP and RESET (to factory defaults) from our side; NEEDED when no account is left that may
work, NEEDLESS when one does; EXECUTED when a server says so (Execute /1/x/9), which needs no hold-off and ends after
RETRY_COUNT attempts; LINK_UP and LINK_DOWN from the transport, PACK in place of LINK_UP if a pack is worth asking for;
ACCEPTED (2.xx), FORMAT (4.15), REFUSED (4.xx, 5.xx) and SILENCE (no answer after all retransmissions) to our request;
FALL_BACK when there is no good pack; OPERATION, a request of the Bootstrap-Server; FINISH when what it wrote is good,
UNFIT if not; DUE when the timer of the state has run out: in BOOTSTRAPPING after EXCHANGE_LIFETIME without a request.

Whatever ends a bootstrap but FINISH undoes all it has changed, and lets the registrations go on.

ROWS below is all there is: state, event -> next state and action. `_go` is the only place that changes the state.
"""

from coap.errors import BadRequest, CoapError, FormatError, dotted
from coap.exchange import Exchange
from coap.message import RST
from compat import const, forget, print_exception
from lwm2m import formats, log, retry
from lwm2m.registration import earlier, scan

# State(s), event(s) -> next state, action: `_do_<action>` below.
ROWS = """
STOPPED START -> IDLE rest
IDLE NEEDED -> WAITING hold_off
IDLE,WAITING,FINISHED EXECUTED -> CONNECTING connect_anew
WAITING DUE -> CONNECTING connect
WAITING LINK_DOWN -> WAITING go_on
WAITING NEEDLESS -> IDLE rest
CONNECTING LINK_UP -> REQUESTING request
CONNECTING PACK -> PACKING ask_for_pack
CONNECTING LINK_DOWN -> WAITING back_off
PACKING FALL_BACK -> REQUESTING request
PACKING FINISH -> FINISHED finish
PACKING SILENCE,LINK_DOWN -> WAITING back_off
REQUESTING FORMAT -> REQUESTING request
REQUESTING ACCEPTED,OPERATION -> BOOTSTRAPPING listen
REQUESTING REFUSED,SILENCE,LINK_DOWN -> WAITING back_off
BOOTSTRAPPING ACCEPTED,OPERATION,SILENCE -> BOOTSTRAPPING listen
BOOTSTRAPPING FINISH -> FINISHED finish
BOOTSTRAPPING UNFIT -> WAITING wait
BOOTSTRAPPING FORMAT,REFUSED,DUE,LINK_DOWN -> WAITING back_off
FINISHED DUE,LINK_DOWN -> IDLE rest
IDLE,WAITING,CONNECTING,PACKING,REQUESTING,BOOTSTRAPPING,FINISHED,STOPPED RESET -> STOPPED stop
IDLE,WAITING,CONNECTING,PACKING,REQUESTING,BOOTSTRAPPING,FINISHED,STOPPED STOP -> STOPPED stop
"""

_POST = const(2)
_URI_PATH = const(11)
_URI_QUERY = const(15)
_UNSUPPORTED = const(0x8F)
_UNAUTHORIZED = const(0x81)
_UNAVAILABLE = const(0xA3)
_CHANGED = const(0x44)
_PREFERRED = (112, 110, 11542)  # formats for the Bootstrap-Writes, the shortest first
_LONGEST_ms = const(86400000)


def find_row(state, event):
    """(next state, action) for an event in a state; raises KeyError if there is no such row."""
    words = scan(ROWS, state, event)
    return words[3], words[4]


class Bootstrap:
    """The session with the Bootstrap-Server whose account `security` is (an instance of /0, None without one).

    `link`, `outbox`, `exchange` and the methods that the client and the runner call are as a Registration has them.
    """

    def __init__(self, client, accounts, security=None):
        self.client = client
        self.accounts = accounts
        self.security = security
        self.uri = ""
        self.state = "STOPPED"
        self.link = "closed"
        self.outbox = []
        self.exchange = self._new_exchange()
        self.blocks = None  # made by the first request
        self.stage = None  # what this bootstrap has changed
        self.due = None  # when the timer of the state runs out, ms
        self._attempt = 0
        self._pct = True  # whether to tell the format that we prefer
        self._pack = False  # whether to ask for a pack
        self._purge_at = None
        self._asked = False  # whether a server has asked for it
        self._begins = False  # whether the registrations have to be made and started
        self.interface = None  # the room for the requests of the Bootstrap-Server, opened by the first

    # -- what the rest of the house asks and says ---------------------------------------------------------------------

    def start(self, now):
        """Register where there are accounts; a bootstrap comes when there are none that work."""
        self._go("START", now)
        if self.security and self.accounts.hopeless():
            self._go("NEEDED", now)
        self.accounts.start(now)

    def stop(self, now):
        """The client ends."""
        self._go("STOP", now)
        self.accounts.stop()
        for registration in self.client.registrations:
            if registration.state != "STOPPED":
                registration.stop(now)

    def reset(self, now):
        """Back to factory defaults: whatever was under way ends. Then comes a new start."""
        self._go("RESET", now)
        self.accounts.stop()

    def execute(self, args):
        """Execute /1/x/9: bootstrap, once the response is out."""
        return self._executed

    def _executed(self):
        if self.state in ("IDLE", "WAITING", "FINISHED"):
            self._go("EXECUTED", self.client.clock())

    def link_up(self, now, event=None):
        """The transport is ready for datagrams."""
        self.link = "open"
        self._go("PACK" if self._pack else "LINK_UP", now)

    def link_down(self, reason, now, event=None):
        """The transport cannot be opened, or broke."""
        log.warning("bootstrap: %s", reason)
        self.link = "closed"
        self._go("LINK_DOWN", now)

    def poll(self, now):
        """Run what is due; returns the time of the next deadline in ms, or None."""
        due = self.exchange.poll(now)
        if self._begins:  # after the response to Finish; if it fails for want of memory, once more
            self.accounts.rebuild()
            self.accounts.start(now)
            self._begins = False
            self._make_room()
        if self.state == "WAITING" and not self._asked and not self.accounts.hopeless():
            self._go("NEEDLESS", now)
        if self.due is None and not self.exchange.busy and not self.exchange.waiting:
            self._revive(now)
        if self.due is not None and self.due <= now:
            self.due = None
            self._go("DUE", now)
        due = earlier(due, self.accounts.poll(now))
        if self.state == "IDLE" and self.security:
            if self._purge_at is not None and self._purge_at <= now:
                self._purge_at = None
                self.accounts.purge()
            elif self.accounts.hopeless():
                self._go("NEEDED", now)
            due = earlier(due, self._purge_at)
        if self.blocks:
            due = earlier(due, self.blocks.poll(now))
        return earlier(due, self.due)

    def _make_room(self):
        """A bootstrap needs rooms that nothing else needs; at its end all they could do is to answer Finish again."""
        self.interface = self.blocks = None
        for name in ("bootstrap_requests", "bootstrap_stage", "bootstrap_pack", "bootstrap_stored"):
            forget("lwm2m", name)
        if self.client.make_room:
            self.client.make_room()

    def _revive(self, now):
        """Nothing would ever come: what a row should have done was cut short, as by a lack of memory."""
        if self.state in ("PACKING", "REQUESTING"):
            self._go("SILENCE", now)
        elif self.state == "CONNECTING" and self.link not in ("opening", None):
            self._go("LINK_DOWN", now)
        elif self.state == "WAITING":
            self.due = now + 60000

    # -- the machine ----------------------------------------------------------------------------------------------

    def _go(self, event, now):
        try:
            state, action = find_row(self.state, event)
        except KeyError:
            log.error("bootstrap: no row for %s in state %s", event, self.state)
            return
        changes = state != self.state
        if changes:
            log.info("bootstrap: %s -> %s", self.state, state)
        self.state = state
        getattr(self, "_do_" + action)(now)
        if changes and self.state == state:
            self.client.state_changed(self)

    def _do_rest(self, now):
        self._close()
        self._plan_purge(now)

    def _do_go_on(self, now):
        """The link that was kept for repeats is gone; the timer stays."""

    def _do_hold_off(self, now):
        """The first attempt: /0/x/11 says how long to wait before."""
        self._attempt, self._asked = 0, False
        self._pack = self.client.version == "1.2"
        self._pct = self.client.version != "1.0"
        self.due = now + (self.security.hold_off or 0) * 1000

    def _do_connect_anew(self, now):
        self._do_hold_off(now)
        self._asked = True
        self._close()
        self._do_connect(now)

    def _do_connect(self, now):
        self.due = None
        self.accounts.silence(now)
        self._make_room()
        self.uri = self.security.uri
        self.exchange = self._new_exchange()  # what was heard over another link is no repeat
        self.link = "opening"

    def _do_ask_for_pack(self, now):
        from lwm2m import bootstrap_pack

        bootstrap_pack.ask(self, now)

    def _do_request(self, now):
        """CON POST /bs (OMA Core 1.1 section 6.1.6.1); pct, the preferred format, is of 1.1."""
        options = [(_URI_PATH, b"bs"), (_URI_QUERY, b"ep=" + self.client.endpoint.encode())]
        if self._pct:
            preferred = [ct for ct in _PREFERRED if ct in formats.SUPPORTED]
            options.append((_URI_QUERY, b"pct=%d" % preferred[0]))
        self.exchange.request(_POST, options, b"", self._on_answer, now)

    def _do_listen(self, now):
        self.due = now + self.client.config.exchange_lifetime_ms()

    def _do_finish(self, now):
        """The accounts are stored; what had been silent is over, and the new ones begin."""
        self.stage = None
        self.due = now + self.client.config.max_transmit_span_ms()
        self._begins = True

    def _do_back_off(self, now):
        self._do_wait(now)
        self._close_link()

    def _do_wait(self, now):
        """Undo everything; the next attempt comes after the hold-off, but at least RETRY_FIRST_s, doubled each time up
        to RETRY_MAX_s, and up to a quarter or SPREAD_s later."""
        self._undo()
        config = self.client.config
        first_s = max(self.security.hold_off or 0, config.RETRY_FIRST_s)
        delay_s = min(first_s << min(self._attempt, 16), max(first_s, config.RETRY_MAX_s))
        delay_ms = min(delay_s * 1000, _LONGEST_ms)
        self._attempt += 1
        self._asked = self._asked and self._attempt < config.RETRY_COUNT  # a wish must not silence us for ever
        self.due = now + retry.later(self.client, delay_ms)
        log.info("bootstrap: next attempt in %d s", (self.due - now + 999) // 1000)

    def _do_stop(self, now):
        self._undo()
        self._close()

    def _new_exchange(self):
        client, exchange = self.client, Exchange
        if self.security and self.security.oscore:
            from lwm2m import oscore

            exchange = oscore.exchange(client, self.security)
        elif self.uri.startswith("coap+tcp://"):
            from coap.tcp import Exchange as exchange
        return exchange(client.config, self.outbox.append, self._handle, client.randbelow)

    def _close(self):
        self.due = None
        self._close_link()

    def _close_link(self):
        self.link = "closed"
        self.exchange.reset()
        if self.blocks:
            self.blocks.reset()
            self.blocks = None

    def _undo(self):
        self._undo_stage()
        self.accounts.resume()

    def _plan_purge(self, now):
        self._purge_at = None
        if self.security and self.security.account_timeout and not self.accounts.hopeless():
            self._purge_at = now + self.security.account_timeout * 1000

    # -- what the Bootstrap-Server says -------------------------------------------------------------------------------

    def _on_answer(self, message, now):
        """The answer to the Bootstrap-Request; None after the last retransmission."""
        if message is None or message.type == RST:
            self._go("SILENCE", now)
        elif message.code >> 5 == 2:
            self._go("ACCEPTED", now)
        elif message.code == _UNSUPPORTED and self._pct:
            self._pct = False
            self._go("FORMAT", now)
        else:
            log.warning("bootstrap: %s %s", dotted(message.code), bytes(message.payload))
            self._go("REFUSED", now)

    def got_pack(self, error, now):
        """The end of a Bootstrap-Pack-Request: the pack is applied, or a sentence says why not; "" for silence."""
        self._pack = False
        error = self._commit() if error is None else error
        if error is None:
            self._go("FINISH", now)
            return
        self._undo_stage()
        if error:
            log.info("bootstrap: no pack: %s", error)
        self._go("FALL_BACK" if error else "SILENCE", now)

    def _undo_stage(self):
        stage, self.stage = self.stage, None
        if stage:
            stage.roll_back()
            log.warning("bootstrap: all is as it was before")

    def changes(self):
        """The Stage of this bootstrap, made by its first change."""
        if self.stage is None:
            from lwm2m.bootstrap_stage import Stage

            self.stage = Stage(self.client)
        return self.stage

    def _handle(self, message, now):
        """A request of the Bootstrap-Server."""
        if self.link != "open":
            return False
        if self.state in ("WAITING", "FINISHED"):
            again = self.state == "FINISHED" and _is_finish(message)
            return _CHANGED if again else _UNAUTHORIZED, (), b""
        if self.state not in ("REQUESTING", "BOOTSTRAPPING"):
            return False
        self._go("OPERATION", now)
        if _is_finish(message):
            return self._finish(now)
        try:
            if self.interface is None:
                from lwm2m import bootstrap_requests

                self.interface = bootstrap_requests
            if self.blocks is None:
                self.blocks = self.interface.Blocks(self)
        except MemoryError:
            return _UNAVAILABLE, (), b"out of memory"
        return self.client.handle(self, message, now)

    def _finish(self, now):
        """Bootstrap-Finish (OMA Core 1.1 section 6.1.7.6): store what is there if it makes sense."""
        self.exchange.reset()  # of ours is at most the Request, whose answer matters no more
        error = self._commit()
        log.info("bootstrap: Finish -> %s", "2.04" if error is None else dotted(error.code))
        if error is None:
            self._go("FINISH", now)
            return _CHANGED, (), b""
        self._go("UNFIT", now)
        return error.code, (), str(error).encode()

    def _commit(self):
        """Store everything; returns the CoapError if that was not to be."""
        try:
            self.accounts.commit(self.changes())
        except CoapError as error:
            return error
        except FormatError as error:
            return BadRequest(str(error))
        except MemoryError:
            return CoapError("out of memory")
        except Exception as error:
            print_exception(error)
            return CoapError()
        return None


def _is_finish(message):
    return message.code == _POST and not message.options.bad and message.options.all(_URI_PATH) == [b"bs"]
