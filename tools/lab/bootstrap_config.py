"""What a bootstrap server hands out to whom: server accounts and access control, from Python or a JSON file.

    {"default": {"servers": [{"uri": "coap://192.168.1.10:5683", "ssid": 101, "lifetime": 300}]},
     "endpoints": {"board-7": {"servers": [{"uri": "coap://192.168.1.10", "ssid": 101, "allow_send": true},
                                           {"uri": "coap://192.168.1.11", "ssid": 102, "server": {"13": 1}}],
                               "access": [{"object": 3303, "instance": 0, "owner": 101, "acl": {"102": 1}}],
                               "delete": ["/"], "discover": false, "format": "senml-cbor"}}}

A server has, besides: "binding", and under "server" and "security" any further resources of its /1 and /0. Without
"uri" it is the lab server in the same process. For coaps there are "psk_identity" and "psk_key" (hex digits); or
"cert", "key" and "server_cert", files (PEM or DER, beside this one) of the device's certificate and of the server's,
with "matching_type", "sni" and "certificate_usage" (/0/x/13 to 15) if wanted; or "credentials": "psk" or "x509", those
that the lab's credentials file has for the device, or makes for it. The lab server goes out with "psk" to a device that
has come over coaps, if nothing else is said.
"""

import itertools
import json
import pathlib
from collections.abc import Collection
from dataclasses import dataclass, field, fields
from typing import Any

from . import paths, payload, pki
from .account import Account, expect
from .errors import UsageError
from .library import load_certificate

SECURITY, SERVER, ACCESS = 0, 1, 2  # object ids
WRITABLE = (payload.TLV, payload.SENML_CBOR, payload.SENML_JSON)  # what whole objects can be written in here

_MAX_SSID = 65534
_ALL_RIGHTS = 31


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
            expect(0 <= value <= highest, f"{name} is {value}, not a number from 0 to {highest}")
        for ssid, rights in self.acl.items():
            good = 0 <= ssid <= _MAX_SSID and isinstance(rights, int) and 0 <= rights <= _ALL_RIGHTS
            expect(good, f"acl has {ssid}: {rights!r}, not a Short Server ID and rights from 0 to {_ALL_RIGHTS}")

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
        expect(bool(self.servers), "there are no servers in it")
        numbers = [account.ssid for account in self.servers]
        expect(len(set(numbers)) == len(numbers), "two servers have the same ssid")
        if self.content_format not in (None, *WRITABLE):
            names = ", ".join(payload.format_name(each) for each in WRITABLE)
            raise UsageError(f"accounts are not written in {payload.format_name(self.content_format)}, only in {names}")
        for path in self.delete or ():
            expect(len(paths.parse(path)) < 3, f"{path} in delete is neither an object nor an instance")

    def objects(self, bootstrap_accounts: Collection[int]) -> dict[int, dict[int, Any]]:
        """The instances of /0, /1 and /2, of /0 beside those that are the device's accounts for bootstrapping.

        The accounts have their URIs and credentials by now, see LabBootstrapServer.
        """
        free = (iid for iid in itertools.count() if iid not in bootstrap_accounts)
        security = {iid: each.security_instance(each.uri or "") for iid, each in zip(free, self.servers, strict=False)}
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
        return any(account.uri is None for account in self.accounts)

    @property
    def accounts(self) -> list[Account]:
        """Those of all devices."""
        configurations = [*self.endpoints.values(), *([self.default] if self.default else [])]
        return [account for each in configurations for account in each.servers]


def load(file: pathlib.Path) -> Configurations:
    """Read a JSON file as this module's docstring shows it. Raises UsageError with a sentence that names the place."""
    try:
        document = json.loads(file.read_text("utf-8"))
    except OSError as problem:
        raise UsageError(f"cannot read {file}: {problem.strerror}") from None
    except (ValueError, RecursionError) as problem:
        raise UsageError(f"{file} is not JSON: {problem}") from None
    try:
        return _configurations(document, file.parent)
    except UsageError as problem:
        raise UsageError(f"{file}: {problem}") from None


def _configurations(document: Any, folder: pathlib.Path) -> Configurations:
    taken = _members(document, {"default": dict, "endpoints": dict}, "the file")
    expect(bool(taken), 'the file has neither "default" nor "endpoints"')
    default = _configuration(taken["default"], "default", folder) if "default" in taken else None
    endpoints = {name: _configuration(each, name, folder) for name, each in taken.get("endpoints", {}).items()}
    return Configurations(default, endpoints)


def _configuration(document: Any, place: str, folder: pathlib.Path) -> Configuration:
    kinds = {"servers": list, "access": list, "delete": list, "discover": bool, "format": str}
    taken = _members(document, kinds, place)
    taken["servers"] = tuple(_account(each, f"{place}, servers", folder) for each in taken.get("servers", []))
    if "access" in taken:
        taken["access"] = tuple(_access(each, f"{place}, access") for each in taken["access"])
    if "delete" in taken:
        expect(all(isinstance(path, str) for path in taken["delete"]), f"{place}: delete is a list of paths")
        taken["delete"] = tuple(taken["delete"])
    if "format" in taken:
        name = taken.pop("format")
        expect(name in payload.FORMATS, f"{place}: {name!r} is not a format, there are {', '.join(payload.FORMATS)}")
        taken["content_format"] = payload.FORMATS[name]
    return _made(Configuration, taken, place)


def _account(document: Any, place: str, folder: pathlib.Path) -> Account:
    kinds = {"uri": str, "ssid": int, "lifetime": int, "binding": str, "allow_send": bool, "credentials": str}
    kinds |= {"psk_identity": str, "psk_key": str, "cert": str, "key": str, "server_cert": str, "sni": str}
    kinds |= {"matching_type": int, "certificate_usage": int, "server": dict, "security": dict}
    taken = _members(document, kinds, place)
    taken |= {
        name: _file(folder / taken[name], name, place) for name in ("cert", "key", "server_cert") if name in taken
    }
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


def _file(file: pathlib.Path, name: str, place: str) -> bytes:
    """DER of a certificate or of a key in a file."""
    try:
        data = file.read_bytes()
        return pki.der_key(data) if name == "key" else pki.der(load_certificate(data))
    except OSError as problem:
        raise UsageError(f"{place}: {name}, {file}, cannot be read: {problem.strerror}") from None
    except ValueError as problem:
        raise UsageError(f"{place}: {name}, {file}: {problem}") from None


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
    expect(not missing, f"{place}: {', '.join(missing)} is missing")
    acl = taken.get("acl", {})
    expect(all(ssid.isascii() and ssid.isdigit() for ssid in acl), f"{place}: acl has Short Server IDs for names")
    return _made(Access, taken | {"acl": {int(ssid): rights for ssid, rights in acl.items()}}, place)


def _made(kind: Any, values: dict[str, Any], place: str) -> Any:
    try:
        return kind(**values)
    except UsageError as problem:
        raise UsageError(f"{place}: {problem}") from None


def _members(document: Any, kinds: dict[str, type], place: str) -> dict[str, Any]:
    """The members of a JSON object, all of them known and of the right kind."""
    expect(isinstance(document, dict), f"{place} is not a JSON object")
    for name, value in document.items():
        expect(name in kinds, f"{place} has {name!r}, there are only {', '.join(kinds)}")
        shown = "no text" if name == "psk_key" else f"{value!r}, which is no {kinds[name].__name__}"
        expect(type(value) is kinds[name], f"{place}: {name} is {shown}")
    return dict(document)
