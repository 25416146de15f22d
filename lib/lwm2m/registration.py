"""Interface 2, registration: register, update, de-register (OMA Core 1.1 section 6.2). THE per-server state machine.

A board is in one of these states towards each of its servers:

STOPPED        Nothing is wanted of this server: before the start, and after the end.
CONNECTING     The link to the server is being opened, with DTLS a handshake made; its name is resolved anew each time.
REGISTERING    The Register is on its way.
WAITING        An attempt failed; the next one comes when its time has come (back-off with jitter).
REGISTERED     The server may manage us. The next Update is due before the lifetime ends.
UPDATING       An Update is on its way, for whatever reason.
LOST           No contact, but the registration holds by its lifetime and is kept: a new one would end all observations.
RECONNECTING   The link is being opened again, for an Update if it is the same link as before.
DISABLING      The server disabled itself (Execute /1/x/4): the De-register is on its way.
DISABLED       Silent and deaf until the Disable Timeout (/1/x/5) is over.
ASLEEP         Queue mode: registered, but deaf, until there is something to tell or the next Update is due.
STOPPING       The De-register is on its way, as the device is about to end.
FAILED         All attempts that the account allows (/1/x/17-20) were in vain, or the server refuses for good.

What happens to it: START and STOP from our side; LINK_UP and LINK_DOWN from the transport, LINK_NEW if the link has a
new DTLS session, which a Register must begin (OMA Core 1.1 section 6.2.2); ACCEPTED (2.xx), REFUSED (4.xx, 5.xx, or a
fatal alert), VERSION (4.12, or any refusal of a profile), BUSY (5.03 with Max-Age) and SILENCE (no answer after all
retransmissions) from the server's answers; GIVE_UP when /1/x/17-20 allow no further attempt; DUE when the timer of the
state has run out, EXPIRED if the lifetime has as well; UPDATE when there is something to tell; DISABLE when the server
wishes so; SLEEP when queue mode's awake time is over, QUEUE when that mode is switched on or off.

ROWS below is all there is: state, event -> next state and action. `_go` is the only place that changes the state.
"""

from coap.errors import ServiceUnavailable, dotted
from coap.exchange import Exchange
from coap.message import RST
from lwm2m import log

# State(s), event(s) -> next state, action: `_do_<action>` below. Scanned as text: a transition is rare, RAM is not.
ROWS = """
STOPPED,FAILED START -> CONNECTING start_over
CONNECTING LINK_UP,LINK_NEW -> REGISTERING register
CONNECTING LINK_DOWN,REFUSED -> WAITING back_off
REGISTERING ACCEPTED -> REGISTERED registered
REGISTERING VERSION -> REGISTERING lower_version
REGISTERING BUSY -> WAITING wait_max_age
REGISTERING REFUSED,SILENCE,LINK_DOWN -> WAITING back_off
WAITING DUE -> CONNECTING connect
WAITING LINK_DOWN -> WAITING wait_max_age
WAITING GIVE_UP -> FAILED close
FAILED DUE -> CONNECTING start_over
REGISTERED DUE,UPDATE,SILENCE -> UPDATING update
REGISTERED SLEEP -> ASLEEP keep_waiting
REGISTERED,ASLEEP QUEUE -> REGISTERING register
ASLEEP DUE,UPDATE -> UPDATING update
REGISTERED,ASLEEP DISABLE -> DISABLING deregister
UPDATING ACCEPTED -> REGISTERED registered
UPDATING REFUSED,VERSION -> REGISTERING register
UPDATING BUSY -> LOST wait_max_age
REGISTERED,UPDATING,LOST,ASLEEP,RECONNECTING LINK_DOWN -> LOST retry_soon
UPDATING SILENCE -> LOST retry_soon
LOST DUE -> RECONNECTING connect
REGISTERED,ASLEEP,LOST EXPIRED -> CONNECTING start_over
RECONNECTING LINK_UP -> UPDATING update
RECONNECTING LINK_NEW -> REGISTERING register
RECONNECTING REFUSED -> WAITING back_off
DISABLING ACCEPTED,REFUSED,VERSION,BUSY,SILENCE,LINK_DOWN -> DISABLED sleep
DISABLED DUE -> CONNECTING connect
REGISTERED,UPDATING,ASLEEP STOP -> STOPPING deregister
DISABLING,STOPPING STOP -> STOPPING keep_waiting
STOPPING ACCEPTED,REFUSED,VERSION,BUSY,SILENCE,LINK_DOWN -> STOPPED close
CONNECTING,REGISTERING,WAITING,LOST,RECONNECTING,DISABLED,FAILED,STOPPED STOP -> STOPPED close
"""


def find_row(state, event):
    """(next state, action) for an event in a state; raises KeyError if there is no such row."""
    words = scan(ROWS, state, event)
    return words[3], words[4]


def scan(rows, state, event):
    """The words of a row of a table like ROWS; raises KeyError."""
    stop = 0
    while stop >= 0:  # line by line: a list of all would need half a kilobyte in one piece
        start = stop + 1
        stop = rows.find("\n", start)
        words = rows[start:stop].split()
        if words and state in words[0].split(",") and event in words[1].split(","):
            return words
    raise KeyError(state + " " + event)


class Registration:
    """One server: its account (the Server instance, /1/x), its link, the exchanges with it, and what it observes.

    `link` tells the runner what is wanted: "closed", "opening" (open it and report by link_up or link_down), "open", or
    "waiting": it broke, and "opening" comes.
    """

    uri = security = None

    def __init__(self, client, account, exchange=Exchange):
        self.client, self.account = client, account
        self.outbox = []  # datagrams for the transport, oldest first
        self.state = "STOPPED"
        self.holds = False  # whether the server may manage the device: it has registered there, by all we know
        self.link = "closed"
        self.location = None  # Location-Path segments, verbatim
        self.version = client.version
        self.profile = None  # the client's, as long as this server may know it (LwM2M 1.2)
        self.exchange = exchange(client.config, self.outbox.append, self._handle, client.randbelow)
        self.attributes = {}  # path -> {name: value}, this server's own (OMA Core 1.1 section 5.1.2)
        self.reporting = None  # made by the first Observe
        self.blocks = None  # made by the first block-wise transfer
        self.sends = None  # made by the first Send
        self.due = None  # when the timer of this state runs out, ms
        self.expires = None  # when the registration ends by its lifetime, ms; None is never
        self.update_wanted = self.disable_wanted = False  # by Execute /1/x/8 and 4
        self.attempt, self.sequence, self.retry_after_ms = 0, 0, 60000  # see lwm2m.retry
        self._told = self._telling = None  # what the server knows, or will once it has accepted it: see _facts

    # -- what the rest of the house asks and says -----------------------------------------------------------------

    @property
    def online(self):
        """Whether a notification has a chance to arrive now; one that is due during an Update waits for its answer."""
        return self.state == "REGISTERED"

    def start(self, now):
        """Want this server."""
        self._go("START", now)

    def stop(self, now):
        """De-register if registered, and close."""
        self._go("STOP", now)

    def link_up(self, now, event="LINK_UP"):
        """The transport is ready for datagrams."""
        self.link = "open"
        self._go(event, now)

    def link_down(self, reason, now, event="LINK_DOWN"):
        """The transport cannot be opened, or broke."""
        log.warning("server %d: %s", self.account.ssid, reason)
        self.link = "waiting"
        self.exchange.reset()
        self._go(event, now)

    def disable_soon(self):
        """Execute /1/x/4, once its response is out."""
        self.disable_wanted = True
        self.client.wake()

    def silent(self, now):
        """A confirmable notification was not acknowledged: look whether the server is still there."""
        if self.state == "REGISTERED":
            self._go("SILENCE", now)

    def poll(self, now):
        """Run what is due; returns the time of the next deadline in ms, or None."""
        if self.account.registration is None and self.state != "STOPPING":  # see creating.remove_account
            self.stop(now)
        due = self.exchange.poll(now)
        if self.state in ("REGISTERED", "ASLEEP") and not self.exchange.busy:
            self._tell(now)
        if self._told and self._told[2] and self.state == "REGISTERED":
            from lwm2m import queue_mode

            at = queue_mode.due(self)
            if at is None or at > now:
                due = earlier(due, at)
            else:
                self._go("SLEEP", now)
        if self.due is not None and self.due <= now:
            self._timer(now)
        elif self.due is None and not self.exchange.busy and not self.exchange.waiting:
            self._timed_out(now)
        for room in (self.reporting, self.blocks, self.sends):
            if room:
                due = earlier(due, room.poll(now))
        return earlier(due, self.due)

    def _timed_out(self, now):
        """Nothing would ever come: what a row should have done was cut short, as by a lack of memory."""
        if self.state in ("REGISTERING", "UPDATING", "DISABLING", "STOPPING"):
            self._go("SILENCE", now)
        elif self.state in ("WAITING", "LOST", "DISABLED"):
            self._wait(60000, now)

    def _tell(self, now):
        """Start what a server asked for by Execute, and the Update that any change of what it knows calls for."""
        if self.disable_wanted:
            self.disable_wanted = False
            self._go("DISABLE", now)
        elif self.update_wanted or self._told != self._facts():
            queue_changed = self.version != "1.0" and self._told[2] != self._facts()[2]
            self._go("QUEUE" if queue_changed else "UPDATE", now)

    def _facts(self):
        """(lifetime, binding, queue mode, version of the object list)."""
        account = self.account
        queue = self.client.queue_mode or "Q" in account.binding
        binding = account.binding.replace("Q", "") + ("Q" if queue and self.version == "1.0" else "")
        return (account.lifetime, binding, queue, self.client.tree.version)

    # -- the machine ----------------------------------------------------------------------------------------------

    def _go(self, event, now):
        try:
            state, action = find_row(self.state, event)
        except KeyError:
            log.error("server %d: no row for %s in %s", self.account.ssid, event, self.state)
            return
        if state != self.state:
            log.info("server %d: %s -> %s", self.account.ssid, self.state, state)
        self.state = state
        self.holds = state in ("REGISTERED", "UPDATING", "LOST", "RECONNECTING")
        if state != "ASLEEP":
            self.due = None
        getattr(self, "_do_" + action)(now)
        if self.state == state:  # else the action has led on, and that has been told
            self.client.state_changed(self)

    def _timer(self, now):
        self.due = None
        expired = self.expires is not None and now >= self.expires and self.state in ("REGISTERED", "ASLEEP", "LOST")
        self._go("EXPIRED" if expired else "DUE", now)

    def _do_connect(self, now):
        self.link = "opening"

    def _do_start_over(self, now):
        self.attempt = self.sequence = 0
        self.profile = self.client.profile if self.version == "1.2" else None
        self.link = "opening"

    def _do_close(self, now):
        self.link = "closed"
        self.exchange.reset()
        self._forget()
        if self.account.registration is None:
            self.client.close_session(self)

    def _do_sleep(self, now):
        self._do_close(now)
        timeout_s = self.account.disable_timeout
        self.due = now + (86400 if timeout_s is None else timeout_s) * 1000

    def _do_keep_waiting(self, now):
        """The De-register is under way already; or the timer goes on in sleep."""

    def _do_register(self, now):
        """CON POST /rd (OMA Core 1.1 section 6.2.1): a new registration, so the old one's observations are void."""
        self.exchange.reset()
        self._forget()
        client, version = self.client, self.version
        self._telling = lifetime, binding, queue, _ = self._facts()
        options = [(11, b"rd"), (12, 40)]
        for query in "ep=" + client.endpoint, "lt=%d" % lifetime, "lwm2m=" + version, "b=" + binding:
            options.append((15, query.encode()))
        if queue and version != "1.0":
            options.append((15, b"Q"))
        links = client.links(version)
        if self.profile:
            links = self.profile(options, links)
        self._send(2, options, links.encode(), now)

    def _do_lower_version(self, now):
        """Say less: all objects in place of a profile, or an older version."""
        if self.profile:
            self.profile = None
        else:
            self.version = "1.0" if self.version == "1.1" else "1.1"
        log.warning("server %d: trying LwM2M %s", self.account.ssid, self.version)
        self._do_register(now)

    def _do_registered(self, now):
        self.attempt = self.sequence = 0
        self._alive(now)
        if self.reporting:
            self.reporting.back_online(now)

    def _do_update(self, now):
        """CON POST to the Location-Path with only what has changed (OMA Core 1.1 section 6.2.2)."""
        known, self._telling = self._told, self._facts()
        self.update_wanted = False
        options, payload = [(11, segment) for segment in self.location], b""
        if known[3] != self._telling[3]:
            options.append((12, 40))
            payload = self.client.links(self.version).encode()
        if known[0] != self._telling[0]:
            options.append((15, b"lt=%d" % self._telling[0]))
        if known[1] != self._telling[1]:
            options.append((15, b"b=" + self._telling[1].encode()))
        self._send(2, options, payload, now)

    def _do_deregister(self, now):
        self.exchange.reset()  # it must not wait for the answer to an Update that may never come
        self._send(4, [(11, segment) for segment in self.location], b"", now)

    def _do_back_off(self, now):
        """The next Register, or none."""
        from lwm2m import retry

        self.link = "closed"
        delay_ms = retry.delay_ms(self)
        if delay_ms is None:
            self._go("GIVE_UP", now)
            self.due = retry.due(self, now)  # a Bootstrap-Server may be gone for good
        else:
            self._wait(delay_ms, now)

    def _do_retry_soon(self, now):
        """The registration holds: try to get back at 1, 2, 4 ... s, at most a minute apart."""
        self.exchange.reset()
        if self.reporting:
            self.reporting.went_offline()
        delay_ms = min(1000 << min(self.attempt, 16), 60000)
        self.attempt += 1
        self._wait(delay_ms, now)
        if self.expires is not None and self.due > self.expires > now:
            self.due = self.expires

    def _do_wait_max_age(self, now):
        self._wait(self.retry_after_ms, now)

    def _wait(self, delay_ms, now):
        """Set the timer, or somewhat later."""
        from lwm2m import retry

        self.due = now + retry.later(self.client, delay_ms)
        log.info("server %d: next attempt in %d s", self.account.ssid, (self.due - now + 999) // 1000)

    # -- requests of ours -----------------------------------------------------------------------------------------

    def _send(self, code, options, payload, now):
        request = self.exchange.request
        if len(payload) > (self.blocks or self.client.config).BLOCK_SIZE:
            request = self.client.make_blocks(self).upload
        try:
            request(code, options, payload, self._on_answer, now)
        except ServiceUnavailable:
            self.exchange.reset()
            if self.reporting:
                self.reporting.went_offline()
            request(code, options, payload, self._on_answer, now)

    def _on_answer(self, message, now):
        """The server's answer to Register, Update or De-register; None after the last retransmission."""
        if message is None or message.type == RST:
            event = "SILENCE"
        elif message.code >> 5 == 2:
            event = self._accept(message)
        else:
            log.warning("server %d: %s %s", self.account.ssid, dotted(message.code), bytes(message.payload))
            if message.code == 0x8D and self.client.make_blocks(self).retry(message) and self.state == "REGISTERING":
                self._do_register(now)
                return
            from lwm2m import retry

            event = retry.refusal(self, message)
        self._go(event, now)

    def _accept(self, message):
        if self.state == "REGISTERING":
            self.location = message.options.all(8)
            if not self.location:
                log.warning("server %d: no Location-Path", self.account.ssid)
                return "REFUSED"
        return "ACCEPTED"

    def _alive(self, now):
        """The server has just confirmed the registration: the lifetime starts anew."""
        self._told = self._telling
        lifetime_ms = self._told[0] * 1000
        self.expires = self.due = None
        if lifetime_ms:
            self.expires = now + lifetime_ms
            self.due = self.expires - min(lifetime_ms // 2, self.client.config.max_transmit_wait_ms())

    def _forget(self):
        self.location = self.expires = None
        if self.reporting:
            self.reporting.clear()
        if self.blocks:
            self.blocks.reset()

    def _handle(self, message, now):
        """A request of this server; silence before it has registered us."""
        return self.client.handle(self, message, now) if self.holds and self.account.registration else False


def earlier(one, other):
    """The earlier of two times, each of which may be None."""
    if one is None:
        return other
    return one if other is None or one <= other else other
