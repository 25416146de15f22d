"""What a bootstrap server hands out to whom: server accounts and access control, from Python or a JSON file.

    {"default": {"servers": [{"uri": "coap://192.168.1.10:5683", "ssid": 101, "lifetime": 300}]},
     "endpoints": {"board-7": {"servers": [{"uri": "coap://192.168.1.10", "ssid": 101, "allow_send": true},
                                           {"uri": "coap://192.168.1.11", "ssid": 102, "server": {"13": 1}}],
                               "access": [{"object": 3303, "instance": 0, "owner": 101, "acl": {"102": 1}}],
                               "delete": ["/"], "discover": false, "format": "senml-cbor"}}}

A server has, besides: "binding", "psk_identity" and "psk_key" (hex digits) for coaps, and under "server" and "security"
any further resources of its /1 and /0. Without "uri" it is the lab server in the same process.
"""

import itertools
import json
import pathlib
from collections.abc import Collection
from dataclasses import dataclass, field, fields
from typing import Any

from . import paths, payload, uris
from .errors import UsageError

SECURITY, SERVER, ACCESS = 0, 1, 2  # object ids
WRITABLE = (payload.TLV, payload.SENML_CBOR, payload.SENML_JSON)  # what whole objects can be written in here

_PSK, _NO_SEC = 0, 3  # /0/x/2
_MAX_SSID = 65534
_MAX_LIFETIME_S = 2**32 - 1
_ALL_RIGHTS = 31


@dataclass(frozen=True)
class Account:
    """One server: an instance of /0 and one of /1. `uri` of None is the lab server in the same process."""

    uri: str | None = None
    ssid: int = 101
    lifetime: int = 300
    binding: str = "U"
    allow_send: bool = False  # whether /1/x/23, Mute Send, is written as false; a device without it sends nothing
    psk_identity: str | None = None
    psk_key: bytes = field(default=b"", repr=False)
    server: dict[int, Any] = field(default_factory=dict)  # further resources of /1/x
    security: dict[int, Any] = field(default_factory=dict, repr=False)  # and of /0/x

    def __post_init__(self) -> None:
        if self.uri is not None:
            uris.checked(self.uri)
        _expect(1 <= self.ssid <= _MAX_SSID, f"ssid is {self.ssid}, not a number from 1 to {_MAX_SSID}")
        _expect(0 <= self.lifetime <= _MAX_LIFETIME_S, f"lifetime is {self.lifetime}, not a number of seconds")
        _expect(self.binding.isascii() and self.binding.isalpha(), f"binding is {self.binding!r}, which has no letters")
        secure = self.uri is not None and self.uri.startswith("coaps")
        keyed = bool(self.psk_identity and self.psk_key) or bool(self.security)
        _expect(keyed or not secure, f"{self.uri} needs psk_identity and psk_key")

    def security_instance(self, uri: str) -> dict[int, Any]:
        identity = (self.psk_identity or "").encode()
        mode = _PSK if identity else _NO_SEC
        return {0: uri, 1: False, 2: mode, 3: identity, 4: b"", 5: self.psk_key, 10: self.ssid} | self.security

    def server_instance(self) -> dict[int, Any]:
        muted = {23: False} if self.allow_send else {}
        return {0: self.ssid, 1: self.lifetime, 6: True, 7: self.binding} | muted | self.server


@dataclass(frozen=True)
class Access:
    """One instance of /2: what `acl` ({ssid: rights}, 0 for everybody else) may do with an instance; 65535 for Create.

    Rights: R 1, W 2, E 4, D 8, C 16.
    """

    object: int
    instance: int
    owner: int
    acl: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, highest in (("object", paths.MAX_ID), ("instance", 0xFFFF), ("owner", 0xFFFF)):
            value = getattr(self, name)
            _expect(0 <= value <= highest, f"{name} is {value}, not a number from 0 to {highest}")
        for ssid, rights in self.acl.items():
            good = 0 <= ssid <= _MAX_SSID and isinstance(rights, int) and 0 <= rights <= _ALL_RIGHTS
            _expect(good, f"acl has {ssid}: {rights!r}, not a Short Server ID and rights from 0 to {_ALL_RIGHTS}")

    def values(self) -> dict[int, Any]:
        return {0: self.object, 1: self.instance, 2: dict(self.acl), 3: self.owner}


@dataclass(frozen=True)
class Configuration:
    """All that one device gets. `delete` of None are /0 and /1, and /2 where the device has some; `content_format` of
    None is what the device prefers, else TLV."""

    servers: tuple[Account, ...]
    access: tuple[Access, ...] = ()
    delete: tuple[str, ...] | None = None
    discover: bool = True
    content_format: int | None = None

    def __post_init__(self) -> None:
        _expect(bool(self.servers), "there are no servers in it")
        numbers = [account.ssid for account in self.servers]
        _expect(len(set(numbers)) == len(numbers), "two servers have the same ssid")
        if self.content_format not in (None, *WRITABLE):
            names = ", ".join(payload.format_name(each) for each in WRITABLE)
            raise UsageError(f"accounts are not written in {payload.format_name(self.content_format)}, only in {names}")
        for path in self.delete or ():
            _expect(len(paths.parse(path)) < 3, f"{path} in delete is neither an object nor an instance")

    def objects(self, bootstrap_accounts: Collection[int], lab_uri: str) -> dict[int, dict[int, Any]]:
        """The instances of /0, /1 and /2, of /0 beside those that are the device's accounts for bootstrapping."""
        free = (iid for iid in itertools.count() if iid not in bootstrap_accounts)
        security = {
            iid: each.security_instance(each.uri or lab_uri) for iid, each in zip(free, self.servers, strict=False)
        }
        contents = {SECURITY: security, SERVER: {iid: each.server_instance() for iid, each in enumerate(self.servers)}}
        if self.access:
            contents[ACCESS] = {iid: each.values() for iid, each in enumerate(self.access)}
        return contents


@dataclass(frozen=True)
class Configurations:
    """By endpoint name; `default` is for all others, None refuses them."""

    default: Configuration | None = None
    endpoints: dict[str, Configuration] = field(default_factory=dict)

    def get(self, endpoint: str) -> Configuration | None:
        return self.endpoints.get(endpoint, self.default)

    @property
    def needs_lab(self) -> bool:
        """Whether an account leaves out its URI."""
        all_of_them = [*self.endpoints.values(), *([self.default] if self.default else [])]
        return any(account.uri is None for each in all_of_them for account in each.servers)


def load(file: pathlib.Path) -> Configurations:
    """Read a JSON file as this module's docstring shows it. Raises UsageError with a sentence that names the place."""
    try:
        document = json.loads(file.read_text("utf-8"))
    except OSError as problem:
        raise UsageError(f"cannot read {file}: {problem.strerror}") from None
    except (ValueError, RecursionError) as problem:
        raise UsageError(f"{file} is not JSON: {problem}") from None
    try:
        return _configurations(document)
    except UsageError as problem:
        raise UsageError(f"{file}: {problem}") from None


def _configurations(document: Any) -> Configurations:
    taken = _members(document, {"default": dict, "endpoints": dict}, "the file")
    _expect(bool(taken), 'the file has neither "default" nor "endpoints"')
    default = _configuration(taken["default"], "default") if "default" in taken else None
    endpoints = {name: _configuration(each, name) for name, each in taken.get("endpoints", {}).items()}
    return Configurations(default, endpoints)


def _configuration(document: Any, place: str) -> Configuration:
    kinds = {"servers": list, "access": list, "delete": list, "discover": bool, "format": str}
    taken = _members(document, kinds, place)
    taken["servers"] = tuple(_account(each, f"{place}, servers") for each in taken.get("servers", []))
    if "access" in taken:
        taken["access"] = tuple(_access(each, f"{place}, access") for each in taken["access"])
    if "delete" in taken:
        _expect(all(isinstance(path, str) for path in taken["delete"]), f"{place}: delete is a list of paths")
        taken["delete"] = tuple(taken["delete"])
    if "format" in taken:
        name = taken.pop("format")
        _expect(name in payload.FORMATS, f"{place}: {name!r} is not a format, there are {', '.join(payload.FORMATS)}")
        taken["content_format"] = payload.FORMATS[name]
    return _made(Configuration, taken, place)


def _account(document: Any, place: str) -> Account:
    kinds = {"uri": str, "ssid": int, "lifetime": int, "binding": str, "allow_send": bool}
    kinds |= {"psk_identity": str, "psk_key": str, "server": dict, "security": dict}
    taken = _members(document, kinds, place)
    if "psk_key" in taken:
        try:
            taken["psk_key"] = bytes.fromhex(taken["psk_key"])
        except ValueError:
            raise UsageError(f"{place}: psk_key is not made of hex digits") from None
    if "server" in taken:
        taken["server"] = payload.from_json(taken["server"], (SERVER, 0))
    if "security" in taken:
        taken["security"] = _security(taken["security"], place)
    return _made(Account, taken, place)


def _security(document: dict[str, Any], place: str) -> dict[int, Any]:
    """Resources of /0, one by one: what is wrong with a key must not be told with the key itself."""
    found: dict[int, Any] = {}
    for name, value in document.items():
        try:
            found |= payload.from_json({name: value}, (SECURITY, 0))
        except UsageError:
            raise UsageError(f"{place}: security has no good value for {name!r}") from None
    return found


def _access(document: Any, place: str) -> Access:
    taken = _members(document, {"object": int, "instance": int, "owner": int, "acl": dict}, place)
    missing = [each.name for each in fields(Access) if each.name != "acl" and each.name not in taken]
    _expect(not missing, f"{place}: {', '.join(missing)} is missing")
    acl = taken.get("acl", {})
    _expect(all(ssid.isascii() and ssid.isdigit() for ssid in acl), f"{place}: acl has Short Server IDs for names")
    return _made(Access, taken | {"acl": {int(ssid): rights for ssid, rights in acl.items()}}, place)


def _made(kind: Any, values: dict[str, Any], place: str) -> Any:
    try:
        return kind(**values)
    except UsageError as problem:
        raise UsageError(f"{place}: {problem}") from None


def _members(document: Any, kinds: dict[str, type], place: str) -> dict[str, Any]:
    """The members of a JSON object, all of them known and of the right kind."""
    _expect(isinstance(document, dict), f"{place} is not a JSON object")
    for name, value in document.items():
        _expect(name in kinds, f"{place} has {name!r}, there are only {', '.join(kinds)}")
        shown = "no text" if name == "psk_key" else f"{value!r}, which is no {kinds[name].__name__}"
        _expect(type(value) is kinds[name], f"{place}: {name} is {shown}")
    return dict(document)


def _expect(condition: bool, sentence: str) -> None:
    if not condition:
        raise UsageError(sentence)
