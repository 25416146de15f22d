"""The client: ties the rooms together. Sans-IO: datagrams in by `receive`, time by `poll`, datagrams out by `outbox`.

lwm2m.runner drives it with sockets and asyncio; what a program imports as lwm2m.Client is the one from there.
"""

from coap.errors import CoapError, FormatError, dotted
from compat import print_exception
from compat import randbelow as system_randbelow
from lwm2m import log, management
from lwm2m.config import Config
from lwm2m.objects.server import Server
from lwm2m.registration import Registration, earlier
from lwm2m.tree import Tree


class Client:
    """One LwM2M client with its objects and its servers.

    servers is a list of {"uri", "ssid", "lifetime", "binding"}; version is "1.1" or "1.0"; config holds the bounds.
    `on_event(name, registration)`, if set, is called at each change of a server's state with the state's name.
    """

    def __init__(self, endpoint, servers, config=None, version="1.1", randbelow=system_randbelow):
        self.endpoint = endpoint
        self.config = config or Config()
        self.version = version
        self.randbelow = randbelow
        self.tree = Tree()
        self.tree.config = self.config
        self.due = 0  # when poll wants to run, ms; None is never
        self.on_wake = None  # called when `due` moved to now
        self.on_event = None
        self.make_room = None  # callable: gives back what RAM it can; set by the runner
        self.clock = None  # callable: ms, for objects that measure; set by the runner
        self.unix_time_s = None  # callable: seconds since 1970, for time stamps; set by the runner
        self.queue_mode = False  # whether the device sleeps between Updates (OMA Core 1.1 section 6.5)
        self.access = None  # the Access of the servers, where there are several
        self.bootstrap = None  # the Bootstrap, where there is a Bootstrap-Server
        self.gateway = None  # the Gateway, if there are end devices behind this one
        self.profile = None  # the Profile that is told in place of an object list (LwM2M 1.2)
        self.accounts = None  # the Accounts, where there is a Bootstrap-Server
        self.store = None  # what keeps things over a restart, see lwm2m.store
        self.jobs = None  # made by the first Execute that leaves something to do
        self._samplers = []  # [when, object, whether it failed]
        self.registrations = []  # with the LwM2M servers
        self.sessions = []  # everything that has a link: the registrations, a Bootstrap, a download
        for server in servers:
            account = self.add(Server(server["ssid"], server["lifetime"], server["binding"]))
            self.add_account(account, server["uri"], server.get("security"))

    def add_account(self, account, uri, security=None):
        """Have a Registration for a Server object instance that was added; security is its Security instance."""
        if security and security.oscore:
            from lwm2m import oscore

            registration = Registration(self, account, oscore.exchange(self, security))  # pyright: ignore - makes one
        elif uri.startswith("coap+tcp://"):
            from coap import tcp

            registration = Registration(self, account, tcp.Exchange)  # pyright: ignore[reportArgumentType] - alike
        else:
            registration = Registration(self, account)
        registration.uri = uri
        registration.security = security
        account.registration = registration
        self.registrations.append(registration)
        if len(self.registrations) > 1:
            from lwm2m import access

            access.make(self)
        self.open_session(registration)
        return registration

    # -- sessions ---------------------------------------------------------------------------------------------------

    def open_session(self, session):
        """Have the runner look after something with a link: `uri`, `security`, `link`, `outbox`, `exchange`, `state`,
        and start, stop, link_up, link_down and poll as a Registration has them."""
        self.sessions.append(session)
        self.wake()

    def close_session(self, session):
        """The end of it; the runner closes its socket."""
        self.sessions.remove(session)
        self.wake()

    # -- objects --------------------------------------------------------------------------------------------------

    def add(self, obj, iid=None):
        """Add an object instance, at the lowest free id unless told, and return it; raises ConfigError."""
        if obj.OID == 2 and self.accounts:
            known = self.accounts.find(obj)
            if known:
                return known
        self.tree.add(obj, iid)
        obj.notify = self._value_changed
        obj.client = self
        if obj.OID == 2:
            from lwm2m import access

            access.make(self)
        if hasattr(obj, "sample"):
            self._samplers.append([0, obj, False])
        self._value_changed(obj, None)
        return obj

    def allow_create(self, make):
        """Let servers create and delete instances: make() returns a new one, make.OID is its object."""
        self.tree.allow_create(make)
        self.wake()

    def remove(self, obj, now=None):
        """Take an object instance away; its attributes go, and its observations end with 4.04."""
        from lwm2m import creating

        self.drop(obj)
        creating.forget(self, obj, self.clock() if now is None else now)

    def drop(self, obj):
        """Take an object instance away that no server knows of yet; see remove."""
        self.tree.remove(obj)
        self._samplers = [one for one in self._samplers if one[1] is not obj]
        self._value_changed(obj, None)

    def _value_changed(self, obj, name):
        if obj.OID == 2 and self.access:
            self.access.changed()
        for registration in self.registrations:
            if registration.reporting:
                registration.reporting.value_changed(obj, name)
        if self.accounts:
            self.accounts.update(obj)
        self.wake()

    def links(self, version):
        """The object list of a Register (OMA Core 1.1 section 6.2.1)."""
        from lwm2m.formats import link

        return link.registration(self.tree, version)

    # -- datagrams and time ---------------------------------------------------------------------------------------

    def receive(self, session, datagram, now):
        """Take one datagram from a server; not from one whose session is over, or silent during a bootstrap."""
        if session not in self.sessions:
            return
        problem = session.exchange.receive(datagram, now)
        if problem:
            log.debug("%s: not CoAP: %s", session.uri, problem)

    def poll(self, now):
        """Run everything that is due; returns ms until the next time, or None."""
        self.due = None
        due = None
        if self.jobs:
            due = self.jobs.poll(now)
        for sampler in self._samplers:
            if sampler[0] <= now:
                self._sample(sampler, now)
            due = earlier(due, sampler[0])
        for session in list(self.sessions):
            due = earlier(due, session.poll(now))
        self.due = due = earlier(due, self.due)
        return None if due is None else max(0, due - now)

    def wake(self):
        """Something changed outside of poll: it must run soon."""
        self.due = 0
        if self.on_wake:
            self.on_wake()

    def start(self, now):
        """Register with every server."""
        for session in list(self.sessions):
            session.start(now)

    def stop(self, now):
        """De-register from every server and close."""
        self._samplers = []
        for session in list(self.sessions):
            session.stop(now)

    def factory_reset(self):
        """Forget what bootstraps have brought and begin anew with what config.json says; for Device(factory_reset=)."""
        if self.accounts:
            self.accounts.factory_reset()

    def state_changed(self, registration):
        """Called by a registration whenever it enters a state."""
        if self.on_event:
            self.on_event(registration.state, registration)
        self.wake()

    # -- requests -------------------------------------------------------------------------------------------------

    def permit(self, registration, obj, right):
        """Raise Unauthorized unless a server has this right (1 Read, 2 Write, 4 Execute, 8 Delete) on an instance."""
        if self.access:
            self.access.permit(registration, obj, right)

    def records(self, registration, path):
        """The readable content under a path of one or two ids, as much of it as this server may read (Tree.walk)."""
        tree = self.tree
        instances = tree.instances(path[0]) if len(path) == 1 else (tree.instance(path),)
        if self.access:
            instances = self.access.readable(registration, instances)
        return tree.walk(instances)

    def handle(self, registration, message, now, first=True):
        """Answer a request: (code, options, payload), or None if the answer comes later. The one place that renders
        errors; nothing a peer sends gets past it. A read for which there was no memory is tried once more with what
        could be given back."""
        by_server = registration is not self.bootstrap
        interface = management if by_server else registration.interface
        try:
            asked = message.options.route or management.route(message.options, self.gateway)
            if asked.block1 is None and asked.block2 is None:
                answer = interface.respond(self, registration, message, asked, message.payload, now)
                if answer and len(answer[2]) > self.config.BLOCK_SIZE:
                    answer = self.make_blocks(registration).first(message, asked, answer, now)
            else:
                answer = self.make_blocks(registration).respond(message, asked, now)
        except CoapError as error:
            answer = (error.code, error.options, str(error).encode())
        except FormatError as error:
            answer = (0x80, (), str(error).encode())
        except OSError as error:
            log.warning("hardware: %s", error)
            answer = (0xA3, (), b"hardware does not answer")
        except MemoryError:
            answer = (0xA3, (), b"out of memory")
            if self.make_room:
                self.make_room()
                if first and message.code == 1:
                    return self.handle(registration, message, now, False)
        except Exception as error:
            print_exception(error)
            answer = (0xA0, (), b"")
        if message.code != 1 and answer:
            ssid = registration.account.ssid if by_server else 0  # 0 is no server: the Bootstrap-Server
            log.info("server %d: %s -> %s", ssid, described(message), dotted(answer[0]))
        return answer

    def later(self, act, now):
        """Run act() when the response that is under way is out; raises ServiceUnavailable."""
        from lwm2m import executing

        executing.executed(self, None, None, act, now)

    def _sample(self, sampler, now):
        """Read one sensor. A failure is told once; the last value stays."""
        obj = sampler[1]
        sampler[0] = now + (getattr(obj, "sample_ms", None) or self.config.SAMPLE_ms)
        try:
            obj.sample()
            if sampler[2]:
                log.info("/%d/%d: the sensor works again", obj.OID, obj.iid)
            sampler[2] = False
        except Exception as error:
            if not sampler[2]:
                log.warning("/%d/%d: the sensor fails: %r", obj.OID, obj.iid, error)
            sampler[2] = True

    # -- rooms that are opened when first used ----------------------------------------------------------------------

    def make_reporting(self, registration):
        """The Reporting of a server, made at its first Observe."""
        if registration.reporting is None:
            from lwm2m.reporting import Reporting

            registration.reporting = Reporting(registration)
        return registration.reporting

    def send(self, paths, **options):
        """Tell servers the current values under paths such as "/3303/0/5700", unasked; returns to how many. For the
        options see lwm2m.send.send, and there as well a series of values with their times."""
        from lwm2m import send

        return send.send(self, paths, **options)

    def make_blocks(self, registration):
        """The Blocks of a server, made at its first block-wise transfer."""
        if registration.blocks is None:
            from lwm2m.blocks import Blocks

            registration.blocks = Blocks(registration)
        return registration.blocks


def described(message):
    """A request for the log: "PUT /1/0/1"."""
    method = ("?", "GET", "POST", "PUT", "DELETE", "FETCH", "?", "iPATCH")[message.code & 7]
    path = [str(segment, "utf-8") if segment.isdigit() else "?" for segment in message.options.all(11)]
    return "%s /%s" % (method, "/".join(path))
