"""The client: ties the rooms together. Sans-IO: datagrams in by `receive`, time by `poll`, datagrams out by `outbox`.

lwm2m.runner drives it with sockets and asyncio; what a program imports as lwm2m.Client is the one from there.
"""

from coap.errors import BadRequest, CoapError, FormatError, ServiceUnavailable, dotted
from compat import print_exception
from compat import randbelow as system_randbelow
from lwm2m import log, management
from lwm2m.config import Config, ConfigError
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
        self.due = 0  # when poll wants to run, ms; None is never
        self.on_wake = None  # called when `due` moved to now
        self.on_event = None
        self.clock = None  # callable: ms, for objects that measure; set by the runner
        self._jobs = []  # [when, callable or generator, registration, token]: what runs after its response
        self._samplers = []  # [when, object, whether it failed]
        self.registrations = []
        for server in servers:
            self._add_server(server)

    def _add_server(self, server):
        account = Server(server["ssid"], server["lifetime"], server["binding"])
        self.add(account)
        registration = Registration(self, account)
        registration.uri = server["uri"]
        account.registration = registration
        self.registrations.append(registration)

    # -- objects --------------------------------------------------------------------------------------------------

    def add(self, obj, iid=None):
        """Add an object instance, at the lowest free id unless told, and return it; raises ConfigError."""
        self.tree.add(obj, iid)
        obj.notify = self._value_changed
        obj.client = self
        if hasattr(obj, "sample"):
            self._samplers.append([0, obj, False])
        self._value_changed(obj, None)
        return obj

    def allow_create(self, make):
        """Let servers create and delete instances: make() returns a new one, make.OID is its object."""
        self.tree.allow_create(make)
        self.wake()

    def create(self, made):
        """Add what a Create made, [(instance id or None, instance)], or none of it; raises CoapError."""
        there = sum([len(self.tree.objects[oid]) for oid in self.tree.creators])
        if there + len(made) > self.config.INSTANCES:
            raise ServiceUnavailable("no room for another instance")
        added = []
        try:
            for iid, obj in made:
                added.append(self.add(obj, iid))
        except ConfigError as error:
            for obj in added:
                self._drop(obj)
            raise BadRequest(str(error))

    def remove(self, obj, now=None):
        """Take an object instance away; its attributes go, and its observations end with 4.04."""
        self._drop(obj)
        for registration in self.registrations:
            for path in list(registration.attributes):
                if path[:2] == (obj.OID, obj.iid):
                    del registration.attributes[path]
            if registration.reporting:
                registration.reporting.instance_removed(obj, self.clock() if now is None else now)

    def _drop(self, obj):
        self.tree.remove(obj)
        self._samplers = [one for one in self._samplers if one[1] is not obj]
        self._value_changed(obj, None)

    def _value_changed(self, obj, name):
        for registration in self.registrations:
            if registration.reporting:
                registration.reporting.value_changed(obj, name)
        self.wake()

    def links(self, version):
        """The object list of a Register (OMA Core 1.1 section 6.2.1)."""
        from lwm2m.formats import link

        return link.registration(self.tree, version)

    # -- datagrams and time ---------------------------------------------------------------------------------------

    def receive(self, registration, datagram, now):
        """Take one datagram from a server."""
        problem = registration.exchange.receive(datagram, now)
        if problem:
            log.debug("server %d: not CoAP: %s", registration.account.ssid, problem)

    def poll(self, now):
        """Run everything that is due; returns ms until the next time, or None."""
        self.due = None
        due = None
        for job in list(self._jobs):
            due = earlier(due, self._run_job(job, now))
        for sampler in self._samplers:
            if sampler[0] <= now:
                self._sample(sampler, now)
            due = earlier(due, sampler[0])
        for registration in self.registrations:
            due = earlier(due, registration.poll(now))
        self.due = due = earlier(due, self.due)
        return None if due is None else max(0, due - now)

    def wake(self):
        """Something changed outside of poll: it must run soon."""
        self.due = 0
        if self.on_wake:
            self.on_wake()

    def start(self, now):
        """Register with every server."""
        for registration in self.registrations:
            registration.start(now)

    def stop(self, now):
        """De-register from every server and close."""
        self._samplers = []
        for registration in self.registrations:
            registration.stop(now)

    def state_changed(self, registration):
        """Called by a registration whenever it enters a state."""
        if self.on_event:
            self.on_event(registration.state, registration)
        self.wake()

    # -- requests -------------------------------------------------------------------------------------------------

    def handle(self, registration, message, now):
        """Answer a request: (code, options, payload), or None if the answer comes later. The one place that renders
        errors; nothing a peer sends gets past it."""
        try:
            asked = message.options.route or management.route(message.options)
            if asked.block1 is None and asked.block2 is None:
                answer = management.respond(self, registration, message, asked, message.payload, now)
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
        except Exception as error:
            print_exception(error)
            answer = (0xA0, (), b"")
        if message.code != 1 and answer:
            log.info("server %d: %s -> %s", registration.account.ssid, described(message), dotted(answer[0]))
        return answer

    def executed(self, registration, token, result, now):
        """What an executable returned: nothing, a callable to run when the response is out, or a generator that takes
        long and yields how many ms to wait each time. Then the response comes when it is through. Raises
        ServiceUnavailable if too many are under way."""
        if result is None:
            return 0x44, (), b""
        if len(self._jobs) >= self.config.JOBS:
            raise ServiceUnavailable("busy")
        if hasattr(result, "send"):
            self._jobs.append([now, result, registration, token])
            self.wake()
            return None
        self._jobs.append([now + self.config.ACTION_DELAY_ms, result, None, None])
        self.wake()
        return 0x44, (), b""

    def _run_job(self, job, now):
        """Run one job if it is due; returns when it wants to run next, or None when it is done."""
        if job[0] > now:
            return job[0]
        try:
            if job[2] is None:
                self._jobs.remove(job)
                job[1]()
                return None
            job[0] = now + next(job[1])
            return job[0]
        except StopIteration:
            code = 0x44
        except CoapError as error:
            code = error.code
        except OSError as error:
            log.warning("hardware: %s", error)
            code = 0xA3
        except Exception as error:
            print_exception(error)
            code = 0xA0
        if job[2] is not None:
            self._jobs.remove(job)
            if job[2].holds:
                exchange = job[2].exchange
                exchange.respond(job[3], code, (), b"", now, None, not exchange.full)
        return None

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

    def make_blocks(self, registration):
        """The Blocks of a server, made at its first block-wise transfer."""
        if registration.blocks is None:
            from lwm2m.blocks import Blocks

            registration.blocks = Blocks(registration)
        return registration.blocks

    def content(self, registration, observation, payload, now):
        """(options, first block or all) of a notification."""
        content = ((12, observation.format.CT),)
        options = ((6, observation.sequence),) + content
        if len(payload) <= self.config.BLOCK_SIZE:
            return options, payload
        return self.make_blocks(registration).notification(observation, options, payload, now)


def described(message):
    """A request for the log: "PUT /1/0/1"."""
    method = ("?", "GET", "POST", "PUT", "DELETE", "FETCH", "?", "iPATCH")[message.code & 7]
    path = [str(segment, "utf-8") if segment.isdigit() else "?" for segment in message.options.all(11)]
    return "%s /%s" % (method, "/".join(path))
