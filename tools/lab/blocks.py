"""Block-wise transfer as a server does it for strangers (RFC 7959): aiocoap's, with bounds for what they may cost."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiocoap import Message
from aiocoap.blockwise import Block1Spool, Block2Cache
from aiocoap.error import BadRequest, RequestEntityIncomplete, RequestEntityTooLarge, ServiceUnavailable
from aiocoap.optiontypes import BlockOption

MAX_BODY = 65536  # bytes of a request; the largest real object lists have a few thousand
_MAX_TRANSFERS = 256  # requests that are on their way in blocks, or were in the last minutes
_SMALL = 2  # the exponent of blocks of 64 bytes


class Blocks(Block1Spool):
    """Requests that come in blocks. aiocoap answers a block out of order with 5.00; RFC 7959 2.9.2 wants 4.08."""

    def feed_and_take(self, req: Message) -> Message:
        block = req.opt.block1
        if block is not None and block.start + len(req.payload) > MAX_BODY:
            raise RequestEntityTooLarge(f"at most {MAX_BODY} bytes")
        if block is not None and block.start == 0 and len(self._assemblies._items) >= _MAX_TRANSFERS:
            raise ServiceUnavailable
        try:
            return super().feed_and_take(req)
        except ValueError:
            raise RequestEntityIncomplete from None


class SmallBlocks(Block2Cache):
    """Answers that leave in blocks. Over coap, a sender's address may be somebody else's (RFC 7252 11.3): so that this
    one does not get much of what it never asked for, the blocks are small."""

    async def extract_or_insert(self, req: Message, response_builder: Callable[[], Awaitable[Message]]) -> Any:
        block = req.opt.block2
        if req.remote.scheme == "coap" and (block is None or block.size_exponent > _SMALL):
            if block is not None and block.block_number:
                raise BadRequest("over coap there are blocks of 64 bytes only")
            req.opt.block2 = BlockOption.BlockwiseTuple(0, False, _SMALL)
        return await super().extract_or_insert(req, response_builder)
