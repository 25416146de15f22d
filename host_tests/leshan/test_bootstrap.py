"""OMA's bootstrap cases (0-99), NoSec: Leshan is the Bootstrap-Server, and the server a device is sent to."""

import contextlib

from host_tests.leshan import device as devices
from host_tests.leshan.device import SENML_CBOR, SENML_JSON, TEXT, TLV, changed, content

SERVER = {"0": 1, "1": 86400, "6": False, "7": "U"}
FINISH = "BootstrapFinishRequest"
PROGRAM = "c13.py"


class Session:
    """A device and what the Bootstrap-Server sees of it."""

    def __init__(self, lab, endpoint):
        self.lab = lab
        self.bootstrap = lab.bootstrap
        self.endpoint = endpoint
        self.since = lab.bootstrap.mark()
        self.registered_since = lab.leshan.mark()
        self.device: devices.Device

    def _mine(self, event, name):
        return event["event"] == name and event.get("ep") == self.endpoint

    async def event(self, name, times=1, timeout_s=10):
        """The n-th event of this name at the Bootstrap-Server."""
        return await self.bootstrap.wait(lambda event: self._mine(event, name), self.since, timeout_s, times)

    def events(self, name):
        return self.bootstrap.seen(lambda event: self._mine(event, name), self.since)

    def answers(self):
        """(what was answered, to which path, code) in order."""
        return [(one["to"], one["path"], one["code"]) for one in self.events("response")]

    async def plan(self, *tasks):
        """What the Bootstrap-Server does at the next Request."""
        await self.bootstrap.call("plan", ep=self.endpoint, tasks=tasks)

    async def registered(self, times=1):
        """Wait for the Register."""
        return await self.device.event("registered", self.registered_since, times=times, timeout_s=15)

    def account(self, content_format=TLV, **credentials):
        """The tasks that bring the account of C.1; `credentials` are resources of Security, as in rid_2=0."""
        security = {"0": self.lab.leshan.ready["uri"], "1": False, "2": 3, "10": 1}
        security.update({name.removeprefix("rid_"): value for name, value in credentials.items()})
        return write("/0", {"0": security}, content_format), write("/1", {"0": SERVER}, content_format)


def write(path, value, content_format=TLV):
    return {"do": "write", "path": path, "value": value, "format": content_format}


def read(path, accept=TLV):
    return {"do": "read", "path": path, "format": accept}


def discover(path):
    return {"do": "discover", "path": path}


def delete(path):
    return {"do": "delete", "path": path}


def links(event):
    """The links of a Discover."""
    return bytes.fromhex(event["payload"]).decode().split(",")


@contextlib.asynccontextmanager
async def session(lab, *tasks, factory=(), endpoint=None, credentials=(), **limits):
    """A device that knows the Bootstrap-Server and, from the factory, those servers; the plan is made before it starts.
    A task may be a function of the Session, which returns several. `credentials` are options, as Lab.psk gives them."""
    one = Session(lab, endpoint or devices.new_endpoint(PROGRAM))
    wanted = []
    for task in tasks:
        wanted += task(one) if callable(task) else [task]
    await one.plan(*wanted)
    if factory:
        options, config = (), {"server": [*factory, {"uri": lab.bootstrap.ready["uri"], "bootstrap": True}]}
    else:
        options, config = (*(credentials or ("--server", lab.bootstrap.ready["uri"])), "--bootstrap"), None
    async with lab.running(PROGRAM, *options, endpoint=one.endpoint, config=config, **limits) as one.device:
        yield one


async def test_int_000_client_initiated_bootstrap(lab):
    """Client-initiated bootstrap"""
    for content_format in (TLV, SENML_CBOR, SENML_JSON):
        tasks = (lambda one, chosen=content_format: one.account(chosen), discover("/"))
        async with session(lab, *tasks) as one:
            request = await one.event("request")
            assert request.get("pct") in (None, TLV, SENML_CBOR, SENML_JSON)
            await one.event("end")
            assert one.answers() == [
                ("BootstrapWriteRequest", "/0", "2.04"),
                ("BootstrapWriteRequest", "/1", "2.04"),
                ("BootstrapDiscoverRequest", "/", "2.05"),
                (FINISH, "/bs", "2.04"),
            ]
            found = links(one.events("response")[2])
            assert found[0] in ("</>;lwm2m=1.1", 'lwm2m="1.1"')
            assert "</0/1>" in found and "</1/0>;ssid=1" in found and "</3/0>" in found
            assert next(link for link in found if link.startswith("</0/0>")).split(";")[1] == "ssid=1"
            await one.registered()
            assert len(one.events("request")) == 1
            finish = lab.bootstrap.seen(
                lambda event: event.get("path") == "/bs" and event.get("way") == "out", one.since
            )
            register = one.device.messages(one.registered_since, path="/rd")
            assert register[0]["ms"] >= finish[0]["ms"]
            content(await one.device.read("/1/0/1", TLV), TLV, 86400)


async def test_int_004_bootstrap_delete(lab):
    """Bootstrap-Delete"""
    tasks = [Session.account, discover("/"), read("/1"), delete("/0"), delete("/1"), discover("/"), Session.account]
    async with session(lab, *tasks) as one:
        await one.event("end")
        answers = one.events("response")
        codes = [answer["code"] for answer in answers]
        assert codes == ["2.04", "2.04", "2.05", "2.05", "2.02", "2.02", "2.05", "2.04", "2.04", "2.04"]
        assert answers[3]["content"]["0"].items() >= SERVER.items()
        before, after = links(answers[2]), links(answers[6])
        assert "</0/1>" in before and "</1/0>;ssid=1" in before
        assert "</0/1>" in after and not [link for link in after if link.startswith(("</1/", "</0/0>"))]
        await one.registered()


async def test_int_005_server_initiated_bootstrap(lab):
    """Server-initiated bootstrap"""
    async with session(lab, Session.account, factory=[lab.leshan.ready["uri"]]) as one:
        await one.registered()
        assert not one.events("request")
        changed(await one.device.execute("/1/0/9"))
        await one.event("end")
        assert [code for _, _, code in one.answers()] == ["2.04"] * 3
        await one.registered(times=2)


async def test_int_006_bootstrap_sequence(lab):
    """Bootstrap sequence"""
    async with session(lab, Session.account, factory=[lab.leshan.ready["uri"]]) as one:
        await one.registered()
        assert not one.events("request")
    async with session(lab, Session.account) as one:
        await one.event("request")
        await one.registered()
        since = lab.leshan.mark()
        changed(await one.device.execute("/3/0/4"))
        await one.device.event("registered", since)
        assert len(one.events("request")) == 1


async def test_int_007_fallback_to_bootstrap(lab):
    """Fallback to bootstrap"""
    quick = {"RETRY_COUNT": 2, "RETRY_TIMER_s": 1, "ACK_TIMEOUT_ms": 50, "MAX_RETRANSMIT": 1}
    async with session(lab, Session.account, factory=["coap://127.0.0.1:1"], **quick) as one:
        await one.event("request", timeout_s=20)
        await one.registered()
        assert one.device.board.count("REGISTERING") >= 2


async def test_int_008_bootstrap_read(lab):
    """Bootstrap-Read"""
    control = {"0": {"0": 3, "1": 0, "2": {"0": 31}, "3": 65535}}
    tasks = [Session.account, write("/2", control), read("/1"), read("/2", SENML_CBOR), read("/2", SENML_JSON)]
    async with session(lab, *tasks) as one:
        await one.event("end")
        answers = one.events("response")
        assert [answer["code"] for answer in answers] == ["2.04"] * 3 + ["2.05"] * 3 + ["2.04"]
        assert [answer["format"] for answer in answers[3:6]] == [TLV, SENML_CBOR, SENML_JSON]
        assert answers[3]["content"]["0"].items() >= SERVER.items()
        assert answers[4]["content"] == answers[5]["content"] == control
        await one.registered()


async def test_int_009_inconsistent_configuration(lab):
    """Inconsistent configuration"""
    async with session(lab, write("/1/0/5", 86400, TEXT)) as one:
        await one.event("failed")
        assert one.answers() == [("BootstrapWriteRequest", "/1/0/5", "2.04"), (FINISH, "/bs", "4.06")]
        await one.plan(*one.account())
        await one.event("end", timeout_s=15)
        await one.registered()


async def test_x_34_factory_reset(lab):
    """Factory reset"""
    async with session(lab, Session.account) as one:
        await one.registered()
        changed(await one.device.execute("/3/0/5"))
        await one.event("request", times=2)
        await one.registered(times=2)
