"""A board that is a gateway, and aiocoap as its server: paths with a prefix go where they should."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

from aiocoap import CHANGED, CONTENT, CREATED, GET, NOT_FOUND, POST, PUT, Context, Message, resource

from host_tests.interop.board import running
from host_tests.interop.network import free_port

SENML_JSON = 110
LINK = 40


class Registry(resource.Resource):
    """Accepts every Register and Update."""

    def __init__(self):
        super().__init__()
        self.requests = []

    async def render(self, request):
        self.requests.append(request)
        if request.opt.uri_path == ("rd",):
            return Message(code=CREATED, location_path=("rd", "1"))
        return Message(code=CHANGED)


@contextlib.asynccontextmanager
async def gateway() -> AsyncIterator:
    """(the Register, ask(code, path, **options) -> aiocoap's request) of a board that has registered."""
    registry, port = Registry(), free_port()
    context = await Context.create_server_context(registry, bind=("127.0.0.1", port), transports=["udp6"])

    def ask(code, path, **options):
        message = Message(code=code, uri_path=path.strip("/").split("/"), **options)
        message.remote = registry.requests[0].remote
        return context.request(message)

    try:
        async with running(f"coap://127.0.0.1:{port}", program="gateway.py") as board:
            await board.printed("-> REGISTERED")
            async with asyncio.timeout(20):
                yield registry.requests[0], ask
    finally:
        await context.shutdown()


async def test_end_devices():
    """What a Register tells of them, Read, Discover, Write, Create, and an observation."""
    async with gateway() as (register, ask):
        links = register.payload.decode().split(",")
        assert links[-3:] == ["</25>;ver=2.0", "</25/0>", "</25/1>"]
        answer = await ask(GET, "/25/1/3").response
        assert answer.payload == b"</16/0>"
        assert (await ask(GET, "/dev1/16/0/0/0").response).payload == b"Pump 7"
        assert (await ask(GET, "/dev0/16/0/0/0").response).code == NOT_FOUND
        assert (await ask(GET, "/dev2/16").response).code == NOT_FOUND
        answer = await ask(GET, "/dev1/16", accept=LINK).response
        assert answer.payload == b"</16>,</16/0>,</16/0/0>;dim=1"

        content = json.dumps([{"n": "/dev1/16/0/0/1", "vs": "ACME"}]).encode()
        answer = await ask(POST, "/dev1/16/0", payload=content, content_format=SENML_JSON).response
        assert answer.code == CHANGED
        answer = await ask(GET, "/dev1/16/0", accept=SENML_JSON).response
        assert {name for name, _ in named(answer)} == {"/dev1/16/0/0/0", "/dev1/16/0/0/1"}
        content = json.dumps([{"n": "/dev1/16/4/0/0", "vs": "new"}]).encode()
        answer = await ask(POST, "/dev1/16", payload=content, content_format=SENML_JSON).response
        assert (answer.code, answer.opt.location_path) == (CREATED, ("dev1", "16", "4"))

        assert (await ask(PUT, "/dev0/3303/0/5700", uri_query=("st=0.25",)).response).code == CHANGED
        observation = ask(GET, "/dev0/3303/0/5700", accept=SENML_JSON, observe=0)
        told = [named(await observation.response)[0]]
        async for notification in observation.observation:
            told.append(named(notification)[0])
            if len(told) == 4:
                break
        assert {name for name, _ in told} == {"/dev0/3303/0/5700"}
        values = [value for _, value in told]
        assert values == sorted(values)
        assert len(set(values)) == 4


def named(message):
    """[(name, value)] of an answer in SenML JSON."""
    assert (message.code, message.opt.content_format) == (CONTENT, SENML_JSON)
    found, base = [], ""
    for record in json.loads(message.payload):
        base = record.get("bn", base)
        found.append((base + record.get("n", ""), record.get("v", record.get("vs"))))
    return found
