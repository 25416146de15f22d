"""Interface 3, Execute (OMA Core 1.1 section 6.3.5), and what it leaves to be done: acts that run when the response is
out, and operations that take long.

Imported by the first Execute. The order of checks is that of lwm2m.management.
"""

from coap.errors import BadRequest, CoapError, MethodNotAllowed, ServiceUnavailable, UnsupportedContentFormat
from compat import const, print_exception
from lwm2m import log
from lwm2m.registration import earlier

_TEXT = const(0)
_EXECUTE = const(4)  # the right (OMA Core 1.1 section 7.3.1)


def respond(client, registration, message, asked, payload, now):
    """Carry out one request; returns and raises what management.respond does."""
    client.permit(registration, client.tree.instance(asked.path), _EXECUTE)
    obj, row = client.tree.resource(asked.path)
    if len(asked.path) != 3 or "E" not in row[1]:
        raise MethodNotAllowed()
    if getattr(obj, "registration", obj) is None:  # half an account, without Security instance
        raise MethodNotAllowed("no such server")
    if asked.content_format not in (None, _TEXT):
        raise UnsupportedContentFormat()
    return executed(client, registration, message.token, getattr(obj, row[3])(arguments(payload)), now)


def arguments(payload):
    """Execute arguments such as b"0='on',2" -> {0: "on", 2: None} (OMA Core 1.1 section 6.3.5); raises BadRequest."""
    try:
        text = bytes(payload).decode()
    except UnicodeError:
        raise BadRequest("arguments are no text")
    found = {}
    while text:
        if not "0" <= text[0] <= "9" or int(text[0]) in found:
            raise BadRequest("bad arguments")
        number, value, rest = int(text[0]), None, text[1:]
        if rest[:2] == "='":
            value, quote, rest = rest[2:].partition("'")
            if not quote or [char for char in value if not " " <= char <= "~" or char in '"\\']:
                raise BadRequest("bad arguments")
        if rest and (rest[0] != "," or len(rest) == 1):
            raise BadRequest("bad arguments")
        found[number] = value
        text = rest[1:]
    return found


def executed(client, session, token, result, now):
    """The answer to an Execute, by what the executable returned: nothing, or what Jobs.take wants."""
    if result is None:
        return 0x44, (), b""
    if client.jobs is None:
        client.jobs = Jobs(client)
    return client.jobs.take(session, token, result, now)


class Jobs:
    """The jobs of one client, at most Config.JOBS."""

    def __init__(self, client):
        self._client = client
        self._jobs = []  # [when, callable or generator, session, token]; the last two are None for a callable

    def take(self, session, token, result, now):
        """The answer to an Execute that returned a callable, to run when the response is out, or a generator, which
        yields how many ms to wait each time; then the response comes when it is through. Raises ServiceUnavailable."""
        client = self._client
        if len(self._jobs) >= client.config.JOBS:
            raise ServiceUnavailable("busy")
        client.wake()
        if hasattr(result, "send"):
            self._jobs.append([now, result, session, token])
            return None
        self._jobs.append([now + client.config.ACTION_DELAY_ms, result, None, None])
        return 0x44, (), b""

    def owes(self, session):
        """Whether a server waits for the response to an Execute that takes long."""
        return bool([job for job in self._jobs if job[2] is session])

    def poll(self, now):
        """Run what is due; returns when to run next, or None."""
        due = None
        for job in list(self._jobs):
            due = earlier(due, self._run(job, now))
        return due

    def _run(self, job, now):
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
