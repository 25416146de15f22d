"""aiocoap's server with the same resources, the Python peer: peer.py PORT PATH... Runs on CPython."""

import asyncio
import sys

from aiocoap import Context, Message, resource


class Number(resource.Resource):
    """One number as text."""

    async def render_get(self, request: Message) -> Message:
        """2.05 with the number."""
        return Message(payload=b"21.25", content_format=0)


async def serve(port: int, paths: list[str]) -> None:
    """Answer for ever."""
    site = resource.Site()
    for path in paths:
        site.add_resource(path.split("/")[1:], Number())
    await Context.create_server_context(site, bind=("127.0.0.1", port))
    await asyncio.Event().wait()


asyncio.run(serve(int(sys.argv[1]), sys.argv[2:]))
