"""What a device reads from its flash, as targets for fuzzing, see parsers.py. A flash is not hostile, but it wears out,
and people write config.json."""

import json
from struct import pack

from coap.errors import CoapError, FormatError
from configurations_bootstrap import c13, security, server, tlv
from configurations_firmware import PATH, Store, clean, package
from lwm2m import bootstrap_stored, file_sink, log, settings
from lwm2m.bootstrap_accounts import bootstrap_account, pairs
from lwm2m.config import Config, ConfigError, parse_uri
from lwm2m.file_sink import FileSink
from lwm2m.objects.firmware import Firmware
from lwm2m.sink import PackageError
from lwm2m.store import FileStore
from siege import RamSink


class _File:
    """An open file in RAM."""

    def __init__(self, data, keep=None):
        self._data, self._keep = data, keep

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._keep:
            self._keep(self._data)

    def read(self):
        return self._data

    def write(self, data):
        self._data += bytes(data)


class _Text(_File):
    def read(self):
        return str(self._data, "utf-8")


def config(data):
    """ConfigError, or settings of which a client can be made."""
    settings.open = lambda path: _Text(bytes(data))
    try:
        found = settings.load()
        Config(**found["limits"])
    except ConfigError as error:
        assert "\n" not in str(error) or b"\\n" in data or b"\n" in data
        return
    finally:
        del settings.open
    for one in found["servers"] + ([found["bootstrap"]] if found["bootstrap"] else []):
        parse_uri(one["uri"])


class _Slots(FileStore):
    """A FileStore whose two files are in RAM."""

    def __init__(self, *files):
        super().__init__()
        self.files = list(files)

    def _open(self, path, mode):
        slot = int(path[-1])
        if mode == "rb":
            if self.files[slot] is None:
                raise OSError(2)
            return _File(self.files[slot])
        return _File(b"", lambda data: self._put(slot, data))

    def _sync(self, file):
        """There is no flash."""

    def _put(self, slot, data):
        self.files[slot] = data

    def _remove(self, path):
        self.files[int(path[-1])] = None


def store(data):
    """Two files of any content: what is saved over them is found, and nothing of a removed one is. The first byte
    says how long the first is."""
    kept, log.warning = log.warning, lambda *words: None
    try:
        cut = 1 + (data[0] if data else 0)
        slots = _Slots(bytes(data[1:cut]), bytes(data[cut:]))
        assert slots.load("x") is None or bytes(slots.load("x")) in bytes(data)
        for text in (b"one", b"two"):
            slots.save("x", text)
            assert bytes(slots.load("x")) == text
        slots.remove("x")
        assert slots.load("x") is None
    finally:
        log.warning = kept


def accounts(data):
    """Accounts are taken up, or refused, and then those of config.json can be."""
    client = _client()
    try:
        bootstrap_stored.unpack(client, bytes(data))
        assert bootstrap_account(client) or pairs(client), "neither a server nor a Bootstrap-Server"
        client.accounts.rebuild()
        bootstrap_stored.unpack(client, bootstrap_stored.packed(client, {}))
    except (CoapError, FormatError, ValueError):
        bootstrap_stored.unpack(client, _FACTORY)
        assert bootstrap_account(client).uri == "coap://bs"


def _client():
    """A client whose accounts, and whatever else, may be replaced."""
    if not _clients:
        _clients.append(c13().client)
    return _clients[0]


_clients = []
_FACTORY = bootstrap_stored.packed(_client(), {})


def record(data):
    """The state of an update before a restart: taken up, or forgotten."""
    kept, log.warning, log.info = (log.warning, log.info), lambda *words: None, lambda *words: None
    client = _client()
    try:
        client.store = Store()
        client.store.kept["firmware"] = bytes(data)
        firmware = client.add(Firmware(RamSink(), list))
        assert 0 <= firmware.state <= 3 and 0 <= firmware.result <= 10
        if firmware.state in (1, 2):
            firmware.cancel({})
        client.drop(firmware)
    finally:
        log.warning, log.info = kept


def sink(data):
    """A package in pieces: refused, or one whose digest was that of its content."""
    clean()
    files = FileSink(PATH, 400)
    kept, file_sink.lasting = file_sink.lasting, lambda file: file.flush()  # a PC's disk would be slow
    try:
        files.begin(data[0] if data else None)
        for start in range(1, len(data), 50):
            files.write(data[start : start + 50])
        files.finish()
    except PackageError:
        return
    finally:
        files.abort()
        file_sink.lasting = kept
    body = bytes(data[1:])
    assert body == package(body[37 + body[36] :], str(body[37 : 37 + body[36]], "utf-8"))


_CONFIG = {
    "endpoint": "x",
    "server": [
        "coap://a",
        {"uri": "coap+tcp://b:1", "lifetime": 60, "ssid": 7},
        {"uri": "coap://c", "bootstrap": True},
    ],
    "limits": {"BLOCK_SIZE": 64, "ACK_RANDOM_FACTOR": 1.5},
    "queue_mode": True,
    "log": "debug",
    "lwm2m": "1.2",
}
_RECORD = {"state": 1, "result": 0, "uri": "coap://h/f", "offset": 0, "etag": "6531", "name": "a", "version": "1"}
_OWN = b"\xc8\x00\x09coap://bs\xc1\x01\x01\xc1\x02\x03"  # the account of a Bootstrap-Server
_TWO = b"".join(
    [
        pack(">HI", oid, len(part)) + part
        for oid, part in (
            (0, tlv(0, 1, _OWN) + security(0, key=b"0123456789abcdef") + security(2, b"coaps://b", 2)),
            (1, server(0) + server(1, 2, 60)),
            (2, tlv(0, 0, b"\xc1\x00\x03\xc1\x01\x00\x86\x02\x41\x01\x0f\x41\x02\x01\xc1\x03\x01")),
        )
    ]
)
_SLOT = b"\0\0\0\1\0\0\0\1\x0a\x0b\x0c\x0dx"

TARGETS = {
    "config": (
        config,
        (json.dumps(_CONFIG).encode(), b'{"server": "coap://h"}', b'{"server": "coap://h", "limits": {}}'),
    ),
    "store": (store, (b"\x0d" + _SLOT + _SLOT, b"\0" + _SLOT)),
    "accounts": (accounts, (_FACTORY, _TWO)),
    "record": (record, tuple([json.dumps(dict(_RECORD, state=state)).encode() for state in range(4)])),
    "sink": (sink, (b"\x46" + package(b"content", "demo 2.0"), b"\0" + package(b"", ""))),
}
