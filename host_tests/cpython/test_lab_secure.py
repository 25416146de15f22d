"""The lab's servers over DTLS: who may register, go on, and be bootstrapped; with what credentials."""

import asyncio
import base64
import contextlib
import hashlib
import json
import logging
import socket

import pytest
from aiocoap import CON, DELETE, GET, POST, PUT, Context, Message

from dtls_host import client_context
from host_tests.cpython.dtls_pair import CLIENT, identity
from host_tests.cpython.dtls_tunnel import Tunnel
from host_tests.cpython.test_lab_bootstrap import Newcomer
from host_tests.cpython.test_lab_management import CHANGED, CONTENT, CREATED, DELETED, FakeDevice
from tools.lab import (
    Account,
    Configuration,
    Configurations,
    LabBootstrapServer,
    LabServer,
    StartError,
    Timeout,
    UsageError,
)
from tools.lab.credentials import BOOTSTRAP, Credentials
from tools.lab.listening import Security
from tools.lab.pki import Identity

LINKS = b"</1/0>,</3/0>"
ANSWERS = {(GET, "/3/0/9"): (CONTENT, 0, b"77"), (PUT, "/3303/0/5601"): (CHANGED, None, b"")}
QUERY = "lt=300&lwm2m=1.1&b=U"
KEY = bytes(range(16))


@contextlib.asynccontextmanager
async def lab(store=None, client_ca=None, **options):
    """A server with coap and coaps, where board-1 has a key."""
    store = store or Credentials()
    if not store.entries():
        store.add_psk("board-1", b"id of 1", KEY)
    async with LabServer(port=0, security=Security(0, store, client_ca=client_ca), **options) as server:
        yield server


def psk(name=b"id of 1", key=KEY):
    return client_context((name, key))


@contextlib.asynccontextmanager
async def plain_device(server, answers=ANSWERS):
    """A device without DTLS, not registered."""
    fake = FakeDevice(answers)
    fake.context = await Context.create_server_context(fake, bind=("127.0.0.1", 0), transports=["udp6"])
    fake.server = f"coap://127.0.0.1:{server.port}"
    try:
        yield fake
    finally:
        await fake.context.shutdown()


@contextlib.asynccontextmanager
async def device(server, context, endpoint="board-1", answers=ANSWERS):
    """A device with a session, registered as `endpoint`, if there is one; and its tunnel."""
    async with Tunnel.open(context, server.secure_port) as tunnel, plain_device(tunnel, answers) as fake:
        if endpoint:
            await fake.register(endpoint, LINKS)
        yield fake, tunnel


def scene(coroutine):
    asyncio.run(coroutine())


async def code_of(fake, method, path, body=b""):
    return (await fake.send(method, path, body)).code.dotted


def test_psk_device():
    """It registers, is read, written and observed, and de-registers: all in its session."""

    async def run():
        async with lab() as server, device(server, psk()) as (fake, tunnel):
            registration = server.registration("board-1")
            assert (registration.security, registration.address) == ("PSK", f"127.0.0.1:{tunnel.own_port}")
            assert (await server.read("board-1", "/3/0/9")).value == 77
            await server.write("board-1", "/3303/0/5601", 20.5)
            observation = await server.observe("board-1", "/3/0/9")
            fake.answers[GET, "/3/0/9"] = CONTENT, 0, b"78"
            fake.notify()
            assert (await observation.next()).value == 78
            assert await code_of(fake, POST, fake.location + "?lt=60") == "2.04"
            assert server.registration("board-1").lifetime_s == 60
            assert await code_of(fake, DELETE, fake.location) == "2.02"
            assert not len(server.registrations)
            assert all(datagram[0] in (20, 22, 23) for datagram in tunnel.received)  # records, no CoAP

    scene(run)


@pytest.mark.parametrize("trust", ["ca", "pin"])
def test_x509_device(trust):
    """A device with a certificate of the lab's CA; it trusts the server by that CA, or by the server's certificate."""

    async def run():
        store = Credentials()
        issued = store.issue("board-2")
        async with lab(store) as server:
            ways = {"ca": store.authority().certificate, "pin": lambda der: der == server.certificate}
            context = client_context(cert=issued.certificate, key=issued.key, **{trust: ways[trust]})
            async with device(server, context, "board-2"):
                assert server.registration("board-2").security == "X.509"
                assert (await server.read("board-2", "/3/0/9")).value == 77

    scene(run)


def test_only_with_its_own_name():
    """Credentials are for one endpoint; one that has some comes with them, or not at all; others need none."""

    async def run():
        async with lab() as server, plain_device(server) as plain, device(server, psk(), None) as (fake, _):
            assert await code_of(fake, POST, f"/rd?ep=board-9&{QUERY}", LINKS) == "4.00"
            assert await code_of(plain, POST, f"/rd?ep=board-1&{QUERY}", LINKS) == "4.03"
            assert not len(server.registrations)
            assert await code_of(fake, POST, f"/rd?{QUERY}", LINKS) == "2.01"  # the credentials say the name
            assert server.registration().endpoint == "board-1"
            assert await code_of(plain, POST, f"/rd?ep=board-1&{QUERY}", LINKS) == "4.03"
            assert await code_of(plain, POST, f"/rd?ep=board-9&{QUERY}", LINKS) == "2.01"
            assert await code_of(plain, POST, f"/rd?{QUERY}", LINKS) == "4.00"

    scene(run)


def test_nobody_else_goes_on_with_a_registration():
    """Update, de-registration and Send: without DTLS, or with the credentials of another, they are 4.03."""

    async def run():
        store = Credentials()
        store.add_psk("board-1", b"id of 1", KEY)
        store.add_psk("board-2", b"id of 2", KEY)
        async with (
            lab(store) as server,
            plain_device(server) as plain,
            device(server, psk()) as (mine, _),
            device(server, psk(b"id of 2"), None) as (other, _),
        ):
            for stranger in (plain, other):
                assert await code_of(stranger, POST, mine.location + "?lt=60") == "4.03"
                assert await code_of(stranger, DELETE, mine.location) == "4.03"
                assert (await send(stranger)).code.dotted == "4.04"
            assert server.registration("board-1").lifetime_s == 300
            assert (await send(mine)).code.dotted == "2.04"
            await plain.register("board-9", LINKS)
            assert await code_of(mine, POST, plain.location) == "4.03"
            assert await code_of(mine, DELETE, plain.location) == "4.03"

    scene(run)


async def send(fake):
    """A Send of /3/0/9."""
    body = b'[{"n":"/3/0/9","v":77}]'
    message = Message(code=POST, uri=fake.server + "/dp", payload=body, content_format=110)
    async with asyncio.timeout(5):
        return await fake.context.request(message).response


def test_a_new_session_of_the_same_device():
    """An Update from there moves the registration and its observations; Send is welcome at once."""

    async def run():
        async with lab() as server, device(server, psk()) as (first, _):
            observation = await server.observe("board-1", "/3/0/9")
            token = observation.token
            async with device(server, psk(), None) as (second, tunnel):
                assert (await send(second)).code.dotted == "2.04"
                assert await code_of(second, POST, first.location) == "2.04"
                assert server.registration("board-1").address == f"127.0.0.1:{tunnel.own_port}"
                assert (await server.read("board-1", "/3/0/9")).value == 77
                assert len(second.requests) == 1
                assert (await server.observe("board-1", "/3/0/9")).token == token

    scene(run)


def test_a_session_that_is_over():
    """A request fails at once and says why, also one that is under way."""

    async def run():
        async with lab() as server, device(server, psk()) as (_, tunnel):
            tunnel._inside.close()  # the device hears nothing any more
            reading = asyncio.create_task(server.read("board-1", "/3/0/9", timeout_s=30))
            await asyncio.sleep(0.05)
            tunnel.close_session()
            with pytest.raises(Timeout, match=r"its DTLS session is over: the device ended it"):
                await asyncio.wait_for(reading, 5)
            with pytest.raises(Timeout, match=r"its DTLS session is over"):
                await server.read("board-1", "/3/0/9", timeout_s=30)

    scene(run)


def test_a_session_is_nobody_elses_at_the_same_address():
    """Another device from the same port, which begins with the same Message ID and token, is not the first."""

    def register(name):
        query = (f"ep={name}", *QUERY.split("&"))
        message = Message(code=POST, uri_path=("rd",), uri_query=query, content_format=40, payload=LINKS)
        message.mid, message.token, message.mtype = 7, b"t", CON
        return message.encode()

    async def run():
        store = Credentials()
        store.add_psk("board-1", b"id of 1", KEY)
        store.add_psk("board-2", b"id of 2", KEY)
        async with lab(store) as server, Tunnel.open(psk(), server.secure_port) as tunnel:
            first = Message.decode(await tunnel.ask(register("board-1")))
            await tunnel.begin(psk(b"id of 2"))
            second = Message.decode(await tunnel.ask(register("board-2")))
            assert (first.code, second.code) == (CREATED, CREATED)
            assert first.opt.location_path != second.opt.location_path
            assert {each.endpoint for each in server.registrations} == {"board-1", "board-2"}
            with pytest.raises(Timeout, match="its DTLS session is over"):
                await server.read("board-1", "/3/0/9")

    scene(run)


def test_credentials_change_while_the_server_runs():
    """A new device comes in at once; one whose credentials are gone is out: Update is 4.03, and no new session."""

    async def run():
        async with lab() as server:
            name, key = server.credentials.new_psk("board-7")
            async with device(server, psk(name, key), "board-7") as (fake, _):
                assert server.credentials.remove("board-7") == 1
                assert await code_of(fake, POST, fake.location) == "4.03"
            async with Tunnel.open(psk(name, key), server.secure_port) as tunnel:
                assert tunnel.error.alert == 115

    scene(run)


def test_credentials_come_while_a_device_is_registered_without():
    """From then on it has to come with them."""

    async def run():
        async with lab() as server, plain_device(server) as plain:
            await plain.register("board-5", LINKS)
            assert await code_of(plain, POST, plain.location) == "2.04"
            server.credentials.add_psk("board-5", b"id of 5", KEY)
            assert await code_of(plain, POST, plain.location) == "4.03"

    scene(run)


CA, OTHER_CA = identity("a CA of the customer"), identity("another")


@pytest.mark.parametrize(
    ("certificate", "alert"),
    [
        (identity("board-3", CA, CLIENT), None),
        (identity("board-3", CA), None),  # without an extended key usage it is for anything
        (identity("board-3", OTHER_CA, CLIENT), 42),
        (identity("board-3", CA, CLIENT, (), (-9, -2)), 42),
        (identity("board-3", CA, CLIENT, (), (2, 9)), 42),
        (identity("board-3"), 42),
    ],
    ids=["good", "any usage", "other CA", "expired", "future", "self-signed"],
)
def test_a_ca_of_ones_own(certificate, alert):
    """--client-ca: certificates of that CA are good for the endpoint in their common name, and for no other."""

    async def run():
        async with lab(client_ca=CA.cert) as server:
            context = client_context(
                cert=certificate.cert, key=certificate.key, ca=server.credentials.authority().certificate
            )
            async with device(server, context, None) as (fake, tunnel):
                if alert:
                    assert tunnel.error.alert == alert
                    return
                assert await code_of(fake, POST, f"/rd?ep=board-1&{QUERY}", LINKS) == "4.00"
                await fake.register("board-3", LINKS)
                assert server.registration("board-3").security == "X.509"
                async with plain_device(server) as plain:  # nothing in the credentials file tells of board-3
                    assert await code_of(plain, POST, f"/rd?ep=board-3&{QUERY}", LINKS) == "4.03"

    scene(run)


def test_no_coap_at_all():
    """port=None: coaps alone."""

    async def run():
        store = Credentials()
        store.add_psk("board-1", b"id of 1", KEY)
        async with LabServer(port=None, security=Security(0, store)) as server:
            assert server.uri == f"coaps://127.0.0.1:{server.secure_port}"
            async with device(server, psk()):
                assert (await server.read(None, "/3/0/9")).value == 77
        with pytest.raises(UsageError, match="nothing to do"):
            LabServer(port=None)

    scene(run)


def test_it_cannot_start():
    """The secure port is taken; certificate and key are of two: one sentence, and the first port is free again."""

    async def run():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
            holder.bind(("127.0.0.1", 0))
            taken = holder.getsockname()[1]
            server = LabServer(port=0, security=Security(taken, Credentials()))
            with pytest.raises(StartError, match=f"UDP port {taken} on 127.0.0.1 is already in use"):
                await server.start()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as again:
                again.bind(("127.0.0.1", server.port))
        own = Identity(CA.cert, OTHER_CA.key)
        with pytest.raises(StartError, match="the private key does not belong to the certificate"):
            await LabServer(port=0, security=Security(0, Credentials(), own)).start()

    scene(run)


@contextlib.asynccontextmanager
async def bootstrap(*accounts, **options):
    """A lab server and a bootstrap server beside it, both with coap and coaps; board-1 has a key for bootstrapping."""
    store = Credentials()
    store.add_psk("board-1", b"factory", KEY, BOOTSTRAP)
    configurations = Configurations(Configuration(accounts, **options))
    async with (
        LabServer(port=0, security=Security(0, store)) as server,
        LabBootstrapServer(port=0, security=Security(0, store), configurations=configurations, lab=server) as bs,
    ):
        yield server, bs


@contextlib.asynccontextmanager
async def newcomer(bs, context=None):
    """A device that asks for a bootstrap in a session."""
    async with Tunnel.open(context or psk(b"factory"), bs.secure_port) as tunnel:

        class Through:
            uri = f"coap://127.0.0.1:{tunnel.port}"

        async with Newcomer.of(Through) as fake:
            yield fake


def written(fake):
    """{resource of /0/1: value} of what was written in SenML JSON."""
    (body,) = (step[3] for step in fake.steps if step[:2] == (PUT, "/0"))
    found = {}
    for each in json.loads(body):
        number = int(each["n"].rpartition("/")[2])
        found[number] = base64.urlsafe_b64decode(each["vd"] + "==") if "vd" in each else each.get("v", each.get("vs"))
    return found


def test_bootstrap_with_a_key_for_the_lab(caplog):
    """The device gets the key that the credentials file has for it, made here, and registers with it."""

    async def run():
        async with bootstrap(Account(credentials="psk")) as (server, bs), newcomer(bs) as fake:
            assert (await fake.ask("ep=board-1&pct=110")).code == CHANGED
            assert (await bs.wait_finished("board-1")).state == "finished"
            told = written(fake)
            assert (told[0], told[2], told[3]) == (server.secure_uri, 0, b"board-1")
            assert server.credentials.psk_of("board-1") == (b"board-1", told[5])
            assert told[5].hex() not in caplog.text and repr(told[5]) not in caplog.text
            async with device(server, psk(told[3], told[5])):
                assert (await server.read("board-1", "/3/0/9")).value == 77
            assert (await fake.ask("ep=board-1&pct=110")).code == CHANGED  # again: it keeps its key
            assert (await bs.wait_finished("board-1")).state == "finished"
            assert server.credentials.psk_of("board-1") == (b"board-1", told[5])

    with caplog.at_level(logging.DEBUG):
        scene(run)


@pytest.mark.parametrize(("matching", "usage"), [(None, None), (1, None), (None, 2)])
def test_bootstrap_with_a_certificate_for_the_lab(matching, usage):
    """A new certificate and key of the lab's CA, and how the server is known: by itself, its SHA-256, or the CA."""

    async def run():
        account = Account(credentials="x509", matching_type=matching, certificate_usage=usage, sni="lab.test")
        async with bootstrap(account) as (server, bs), newcomer(bs) as fake:
            await fake.ask("ep=board-1&pct=110")
            assert (await bs.wait_finished("board-1")).state == "finished"
            told = written(fake)
            assert (told[0], told[2], told.get(13), told[14], told.get(15)) == (
                server.secure_uri,
                2,
                matching,
                "lab.test",
                usage,
            )
            expected = server.credentials.authority().certificate if usage == 2 else server.certificate
            assert told[4] == (hashlib.sha256(expected).digest() if matching == 1 else expected)
            trust = {"ca": told[4]} if usage == 2 else {"pin": lambda der: der == server.certificate}
            async with device(server, client_context(cert=told[3], key=told[5], **trust)):
                assert server.registration("board-1").security == "X.509"

    scene(run)


def test_bootstrap_over_coaps_leads_to_coaps():
    """An account that says nothing of security is the secure one for a device that came securely."""

    async def run():
        async with bootstrap(Account()) as (server, bs), newcomer(bs) as fake:
            await fake.ask("ep=board-1&pct=110")
            assert (await bs.wait_finished("board-1")).state == "finished"
            told = written(fake)
            assert (told[0], told[2]) == (server.secure_uri, 0)
            assert (told[3], told[5]) == server.credentials.psk_of("board-1")

    scene(run)


def test_a_ca_that_did_not_sign_the_server():
    """The lab's CA is no anchor for a certificate of somebody else: the bootstrap fails and says so."""

    async def run():
        store, other = Credentials(), identity("lab.test", CA)
        store.add_psk("board-1", b"factory", KEY, BOOTSTRAP)
        own = Security(0, store, Identity(other.cert, other.key))
        configurations = Configurations(Configuration((Account(credentials="x509", certificate_usage=2),)))
        async with (
            LabServer(port=0, security=own) as server,
            LabBootstrapServer(port=0, security=own, configurations=configurations, lab=server) as bs,
            newcomer(bs) as fake,
        ):
            with bs.subscribe() as events:
                await fake.ask("ep=board-1&pct=110")
                assert "the lab's CA, which --server-cert is not of" in (await events.wait("finished")).reason
            assert bs.session("board-1").state == "failed" and not store.knows("board-1", "server")

    scene(run)


def test_bootstrap_is_for_its_own_device():
    """Another name is 4.00; without DTLS an endpoint that has credentials is 4.03, and nobody gets any credentials."""

    async def run():
        async with bootstrap(Account(credentials="psk")) as (server, bs), newcomer(bs) as fake:
            assert (await fake.ask("ep=board-2")).code.dotted == "4.00"
            async with Newcomer.of(bs) as plain:
                assert (await plain.ask("ep=board-1")).code.dotted == "4.03"
                assert (await plain.ask("ep=board-2")).code.dotted == "4.03"
            assert not bs.sessions and server.credentials.psk_of("board-2") is None
            async with Tunnel.open(psk(), bs.secure_port) as tunnel:  # a key for the lab is none for the bootstrap
                assert tunnel.error.alert == 115

    scene(run)


def test_bootstrap_without_dtls_of_who_needs_none():
    """An account without credentials goes out over coap, too."""

    async def run():
        async with bootstrap(Account()) as (server, bs), Newcomer.of(bs) as plain:
            assert (await plain.ask("ep=board-2&pct=110")).code == CHANGED
            assert (await bs.wait_finished("board-2")).state == "finished"
            assert written(plain)[0] == server.uri

    scene(run)


def test_bootstrap_over_coaps_in_steps():
    """Discover, Write, Delete and Finish of a test go through the session."""

    async def run():
        store = Credentials()
        store.add_psk("board-1", b"factory", KEY, BOOTSTRAP)
        async with LabBootstrapServer(port=None, security=Security(0, store)) as bs, newcomer(bs) as fake:
            await fake.ask()
            session = await bs.wait_request("board-1")
            assert session.remote.scheme == "coaps"
            assert (await bs.discover(None)).code == "2.05"
            fake.answers[DELETE, "/"] = DELETED, None, b""
            assert (await bs.delete(None)).code == "2.02"
            assert (await bs.finish(None)).code == "2.04"

    scene(run)


def test_configurations_that_need_a_secure_lab():
    """Credentials of the file need a lab server that has it."""
    configurations = Configurations(Configuration((Account(credentials="psk"),)))
    with pytest.raises(UsageError, match="needs a lab server"):
        LabBootstrapServer(configurations=configurations)
    with pytest.raises(UsageError, match='"credentials" needs a lab server with coaps'):
        LabBootstrapServer(configurations=configurations, lab=LabServer())
