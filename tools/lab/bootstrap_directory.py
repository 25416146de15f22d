"""What devices ask of a bootstrap server: POST /bs and, since LwM2M 1.2, GET /bspack (OMA TRANS, "Bootstrap")."""

from typing import Any, Protocol

from aiocoap import CHANGED, CONTENT, GET, POST, Message
from aiocoap.error import BadRequest, MethodNotAllowed, NotFound, UnsupportedContentFormat
from aiocoap.numbers.codes import Code
from aiocoap.resource import Resource

from . import payload, senml
from .blocks import Blocks, SmallBlocks
from .bootstrap_config import WRITABLE
from .records import flatten


class Bootstrapper(Protocol):
    """Who serves the requests. Errors are aiocoap's, which carry the response code."""

    def begin(self, endpoint: str, preferred: int | None, remote: Any) -> None: ...
    def pack(self, endpoint: str, content_format: int, remote: Any) -> dict[int, Any]: ...


class BootstrapDirectory(Resource):
    """The whole tree of the server in one resource."""

    def __init__(self, bootstrapper: Bootstrapper, serves_packs: bool):
        super().__init__()
        self._block1, self._block2 = Blocks(), SmallBlocks()
        self._bootstrapper = bootstrapper
        self._serves_packs = serves_packs

    async def render(self, request: Message) -> Message:
        match tuple(request.opt.uri_path):
            case ("bs",):
                wanted, answer = POST, self._begin
            case ("bspack",) if self._serves_packs:
                wanted, answer = GET, self._pack
            case _:
                raise NotFound
        if request.code != wanted:
            raise MethodNotAllowed
        return answer(request)

    def _begin(self, request: Message) -> Message:
        parameters = _parameters(request)
        preferred = parameters.get("pct")
        if preferred is not None and not (preferred.isascii() and preferred.isdigit() and len(preferred) <= 5):
            raise BadRequest("pct is not a Content-Format")
        if preferred is not None and int(preferred) not in WRITABLE:
            raise UnsupportedContentFormat(f"pct is none of {', '.join(str(each) for each in WRITABLE)}")
        endpoint = parameters["ep"]
        self._bootstrapper.begin(endpoint, None if preferred is None else int(preferred), request.remote)
        return Message(code=CHANGED)

    def _pack(self, request: Message) -> Message:
        accept = request.opt.accept
        content_format = payload.SENML_CBOR if accept is None else int(accept)
        if content_format not in payload.COMPOSITE:
            return Message(code=Code.NOT_ACCEPTABLE)
        objects = self._bootstrapper.pack(_parameters(request)["ep"], content_format, request.remote)
        body = senml.encode(content_format, flatten((), objects))
        return Message(code=CONTENT, content_format=content_format, payload=body)


def _parameters(request: Message) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for item in request.opt.uri_query:
        name, _, value = item.partition("=")
        if name in parameters:
            raise BadRequest(f"{name} is given twice")
        parameters[name] = value
    if not parameters.get("ep") or not parameters["ep"].isprintable():
        raise BadRequest("ep, the endpoint name, is missing or cannot be shown")
    return parameters
