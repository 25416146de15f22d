"""What devices ask of the server: POST /rd, POST /rd/<id>, DELETE /rd/<id> (OMA TRANS 6.4.3), and POST /dp, Send."""

from collections.abc import Callable
from typing import Any, Protocol

from aiocoap import CHANGED, CREATED, DELETE, DELETED, POST, Message
from aiocoap.error import MethodNotAllowed, NotFound, UnsupportedContentFormat
from aiocoap.resource import Resource

from .blocks import Blocks
from .payload import COMPOSITE, LINKS, format_name


class Registrar(Protocol):
    """Who keeps the registrations. Errors are aiocoap's, which carry the response code."""

    def register(self, query: tuple[str, ...], object_list: bytes, remote: Any) -> str: ...
    def update(self, number: str, query: tuple[str, ...], object_list: bytes, remote: Any) -> None: ...
    def deregister(self, number: str, remote: Any) -> None: ...
    def send(self, content_format: int, payload: bytes, remote: Any) -> None: ...


class Directory(Resource):
    """The whole tree of the server in one resource: aiocoap's Site cannot serve /rd and /rd/<id> by the same."""

    def __init__(self, registrar: Registrar):
        super().__init__()
        self._block1 = Blocks()
        self._registrar = registrar

    async def render(self, request: Message) -> Message:
        match tuple(request.opt.uri_path):
            case ("rd",):
                operations: dict[Any, Callable[[Message], Message]] = {POST: self._register}
            case ("rd", _):
                operations = {POST: self._update, DELETE: self._deregister}
            case ("dp",):
                operations = {POST: self._send}
            case _:
                raise NotFound
        if request.code not in operations:
            raise MethodNotAllowed
        return operations[request.code](request)

    def _register(self, request: Message) -> Message:
        number = self._registrar.register(request.opt.uri_query, _object_list(request), request.remote)
        return Message(code=CREATED, location_path=("rd", number))

    def _update(self, request: Message) -> Message:
        self._registrar.update(request.opt.uri_path[1], request.opt.uri_query, _object_list(request), request.remote)
        return Message(code=CHANGED)

    def _deregister(self, request: Message) -> Message:
        self._registrar.deregister(request.opt.uri_path[1], request.remote)
        return Message(code=DELETED)

    def _send(self, request: Message) -> Message:
        content_format = request.opt.content_format
        if content_format not in COMPOSITE:
            raise UnsupportedContentFormat(f"a Send is {' or '.join(format_name(each) for each in COMPOSITE)}")
        self._registrar.send(int(content_format), request.payload, request.remote)
        return Message(code=CHANGED)


def _object_list(request: Message) -> bytes:
    if request.payload and request.opt.content_format not in (None, LINKS):
        raise UnsupportedContentFormat("the object list is link-format (40)")
    return request.payload
