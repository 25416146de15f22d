"""`python -m tools.device`: one virtual board in the foreground, running boot.py and main.py as a board does."""

import argparse
import asyncio
import hashlib
import json
import math
import os
import re
import sys
import tempfile
from pathlib import Path

from tools import mpy
from tools.board.names import CHIPS, ROOT
from tools.board.supervisor import Supervisor, SupervisorError

_BOARD = ROOT / "tools" / "board"
_LOG_LEVELS = ("error", "warning", "info", "debug")
# The access point that the virtual world has (board_world.DEFAULTS), so that boot.py has something to join.
_WIFI = {"ssid": "microlwm2m", "password": "virtual-board"}
_URI = re.compile(r"(coaps?|coap\+tcp)://(\[[0-9A-Fa-f:.]+\]|[^\s:/?#\[\]@]+)(:([0-9]{1,5}))?/?")

_FILES = ("cert", "key", "ca", "server_cert")  # options that are files of credentials
_OSCORE = {
    "sender_id": "what this device is called",
    "recipient_id": "what the server is called",
    "secret": "the master secret; others on this machine may see it",
    "salt": "the master salt, if there is one",
    "id_context": "the ID context, if there is one",
}

_HEAP = re.compile(r"[0-9]{1,10}[kKmM]?")
_LEAST_HEAP = 176 << 10  # enough for main.py to register; with 192k it has room for every request
_BIGGEST_HEAP = 1 << 30

_EPILOG = """The device ends by Ctrl-C or SIGTERM: it de-registers and the exit status is 0.
Exit status 1: the program failed; 2: a mistake in the configuration, told in one sentence.
MICROPYTHON=/path/to/micropython chooses another Unix port."""


class UsageError(Exception):
    """A mistake of the person who starts the device; one sentence."""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise UsageError(message)


def parser() -> argparse.ArgumentParser:
    """The options; their names are public and stay."""
    p = _Parser(
        prog="python -m tools.device",
        description="One virtual board with an LwM2M client, in the foreground.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    p.add_argument("--server", action="append", metavar="URI", help="coap(s)://host:port; repeat for several servers")
    p.add_argument("--endpoint", metavar="NAME", help="endpoint client name (default: made from the MAC address)")
    p.add_argument("--lifetime", type=int, metavar="S", help="lifetime of the registration in seconds")
    p.add_argument("--binding", metavar="U", help="U for UDP, T for TCP (coap+tcp://); with Q for queue mode")
    p.add_argument("--queue-mode", action="store_true", help="sleep between updates")
    p.add_argument("--lwm2m-version", choices=("1.0", "1.1", "1.2"), help="version that the client speaks")
    p.add_argument("--bootstrap", action="store_true", help="--server is a bootstrap server")
    p.add_argument("--psk-identity", metavar="ID", help="DTLS: identity of the pre-shared key")
    p.add_argument("--psk-key", metavar="HEX", help="DTLS: pre-shared key; others on this machine may see it")
    p.add_argument("--cert", metavar="FILE", help="DTLS: client certificate, PEM or DER")
    p.add_argument("--key", metavar="FILE", help="DTLS: its private key")
    p.add_argument("--ca", metavar="FILE", help="DTLS: certificate of who signed the server's")
    p.add_argument("--server-cert", metavar="FILE", help="DTLS: the server's own certificate, in place of --ca")
    p.add_argument("--sni", metavar="NAME", help="DTLS: the server's name, if it is not that of the URI")
    for name, what in _OSCORE.items():
        p.add_argument(f"--oscore-{name.replace('_', '-')}", metavar="HEX", help=f"OSCORE: {what}")
    p.add_argument("--local-port", type=int, metavar="N", help="UDP port of the client (default: any)")
    p.add_argument("--interpreter", choices=("unix", "cpython"), default="unix", help="MicroPython or CPython")
    # More than an ESP32 has, as pointers are twice as long here, and pins and sensors, C on a board, are Python.
    p.add_argument("--heap", default="384k", metavar="BYTES", help="heap of MicroPython, k and m allowed (384k)")
    p.add_argument("--state-dir", metavar="DIR", help="the board's flash (default: one that is thrown away)")
    p.add_argument("--program", default=str(ROOT / "main.py"), metavar="FILE", help="instead of main.py")
    p.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a bound of Config; repeatable")
    p.add_argument("--log", choices=_LOG_LEVELS, help="how much the client tells (info)")
    p.add_argument("--chip", choices=CHIPS, default="esp32", help="the chip to play (esp32)")
    p.add_argument("--control", metavar="PATH|PORT", help="where `python -m tools.board` can steer this board")
    return p


def check(options: argparse.Namespace) -> None:
    """UsageError for values that cannot work."""
    for uri in options.server or ():
        match = _URI.fullmatch(uri)
        if not match or not 0 < int(match[4] or 5683) < 65536:
            raise UsageError(f"--server must look like coap://host:port or coaps://host:port, not {uri}")
    if options.lifetime is not None and not 0 <= options.lifetime < 1 << 31:
        raise UsageError(f"--lifetime must be a number of seconds from 0 to 2147483647, not {options.lifetime}")
    if options.local_port is not None and not 0 <= options.local_port < 65536:
        raise UsageError(f"--local-port must be from 0 to 65535, not {options.local_port}")
    if options.binding not in (None, "U", "UQ", "T", "TQ"):
        raise UsageError(f"--binding must be U, UQ, T or TQ, not {options.binding}: there are UDP and TCP")
    check_credentials(options)
    if options.bootstrap and len(options.server or ()) > 1:
        raise UsageError("--bootstrap makes the --server a bootstrap server, and there can be only one")
    if options.endpoint is not None and not options.endpoint.strip():
        raise UsageError("--endpoint must not be empty")
    if options.endpoint is not None and not _is_utf8(options.endpoint):
        raise UsageError("--endpoint must be UTF-8")
    if not _HEAP.fullmatch(options.heap) or not _LEAST_HEAP <= heap_bytes(options.heap) <= _BIGGEST_HEAP:
        raise UsageError(f"--heap must be a number of bytes from {_LEAST_HEAP >> 10}k to 1024m, not {options.heap}")
    if not Path(options.program).is_file():
        raise UsageError(f"--program {options.program} is not a file")


def check_credentials(options: argparse.Namespace) -> None:
    """UsageError for options that say half of what a handshake needs."""
    for one, other in (("psk_identity", "psk_key"), ("cert", "key")):
        if bool(getattr(options, one)) != bool(getattr(options, other)):
            raise UsageError(f"--{one} and --{other} come together".replace("_", "-"))
    certificates = options.cert or options.ca or options.server_cert
    if (options.psk_identity and certificates) or (options.ca and options.server_cert):
        raise UsageError("there must be --psk-identity and --psk-key, --server-cert or --ca, and only one of them")
    if options.psk_key and not re.fullmatch("([0-9A-Fa-f]{2}){1,64}", options.psk_key):
        raise UsageError("--psk-key must be 1 to 64 bytes in hex, two digits each")
    if oscore_keys(options) and len(options.server or ()) != 1:
        raise UsageError("--oscore-... are the keys of one --server")
    if options.psk_identity and (not _is_utf8(options.psk_identity) or len(options.psk_identity.encode()) > 128):
        raise UsageError("--psk-identity must have at most 128 bytes of UTF-8")


def _is_utf8(text: str) -> bool:
    """Whether the bytes that were typed are; Python keeps others as surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def heap_bytes(text: str) -> int:
    """The number behind "256k" or "1m"."""
    return int(text.rstrip("kKmM")) << {"k": 10, "m": 20}.get(text[-1].lower(), 0)


def limits(settings: list[str]) -> dict:
    """--set NAME=VALUE ... as the "limits" of config.json; the client checks the names."""
    values = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z]\w*", name):
            raise UsageError(f"--set must look like NAME=VALUE, not {setting}")
        try:
            values[name] = _number(text)
        except (ValueError, RecursionError):
            raise UsageError(f"--set {name} needs a number, not {text}") from None
    return values


def _number(text: str) -> int | float:
    """What JSON takes for a number; ValueError for all else, and for NaN and the infinite, which it does not have."""
    value = json.loads(text)
    if type(value) is not int and not (type(value) is float and math.isfinite(value)):
        raise ValueError(text)
    return value


def settings(options: argparse.Namespace) -> dict:
    """What the options say, in the words of config.json; nothing about what was not given."""
    servers = options.server or [None]
    if keys := oscore_keys(options):
        servers = [{"uri": servers[0], "oscore": keys}]
    config = {
        "endpoint": options.endpoint,
        "server": servers[0] if len(servers) == 1 else servers,
        "bootstrap": options.bootstrap or None,
        "lifetime": options.lifetime,
        "binding": options.binding,
        "queue_mode": options.queue_mode or None,
        "lwm2m": options.lwm2m_version,
        "local_port": options.local_port,
        "log": options.log,
        "limits": limits(options.set) or None,
        "psk_identity": options.psk_identity,
        "psk_key": options.psk_key,
        "sni": options.sni,
        **{name: name + ".der" for name in _FILES if getattr(options, name)},
    }
    return {name: value for name, value in config.items() if value is not None}


def oscore_keys(options: argparse.Namespace) -> dict[str, str]:
    """The "oscore" of a server in config.json; the client checks what it says."""
    given = {name: getattr(options, "oscore_" + name) for name in _OSCORE}
    return {name: text for name, text in given.items() if text is not None}


def credential_files(options: argparse.Namespace) -> dict[str, bytes]:
    """What the options say of certificates and keys, as the files that the board reads."""
    given = {name: Path(getattr(options, name)) for name in _FILES if getattr(options, name)}
    if not given:
        return {}
    from tools import credentials  # half of the start, for which most boards need not wait

    files = {}
    try:
        for name, path in given.items():
            convert = credentials.key_der if name == "key" else credentials.certificate_der
            files[name + ".der"] = convert(path)
    except credentials.CredentialError as error:
        raise UsageError(str(error)) from None
    return files


def write_files(state_dir: Path, files: dict[str, bytes]) -> None:
    """Put credentials into the board's flash, for its owner only."""
    for name, content in files.items():
        _replace(state_dir / name, content)


def write_config(path: Path, new: dict) -> None:
    """Put new settings into config.json and leave the others in it as they are."""
    if not new and path.exists():
        return
    config = _config_in(path) if path.exists() else {}
    new_limits = {**config.get("limits", {}), **new.get("limits", {})}
    config = {"wifi": _WIFI, **config, **new}
    if new_limits:
        config["limits"] = new_limits
    _replace(path, json.dumps(config, indent=2).encode() + b"\n")


def _replace(path: Path, content: bytes) -> None:
    """Have a file with this content, for its owner only. Neither a full disk nor a power cut may cost the old one."""
    written = path.with_suffix(".new")
    try:
        written.unlink(missing_ok=True)
        written.touch(mode=0o600)
        with written.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        written.replace(path)
    except OSError:
        written.unlink(missing_ok=True)
        raise


def _config_in(path: Path) -> dict:
    """What config.json says so far; UsageError if nothing can be added to it."""
    try:
        config = json.loads(path.read_text())
    except ValueError as error:
        raise UsageError(f"{path} is not valid JSON: {error}") from error
    except RecursionError:
        raise UsageError(f"{path} is not valid JSON: it is nested too deeply") from None
    if not isinstance(config, dict):
        raise UsageError(f"{path} must hold a JSON object")
    if not isinstance(config.get("limits", {}), dict):
        raise UsageError(f"the limits in {path} must be a JSON object")
    return config


def command(options: argparse.Namespace) -> tuple[list[str], dict[str, str]]:
    """How the interpreter is started: its command line, and what its environment needs."""
    micropython = mpy.micropython() if options.interpreter == "unix" else None
    if options.interpreter == "unix" and micropython is None and os.environ.get("MICROPYTHON"):
        raise UsageError(f"MICROPYTHON={os.environ['MICROPYTHON']} is not a program")
    files = [str(_BOARD / "start.py"), str(ROOT / "boot.py"), str(Path(options.program).resolve())]
    if micropython:
        heap = f"heapsize={heap_bytes(options.heap)}"
        path = f"{mpy.deployed(_BOARD / 'modules')}:{mpy.deployed()}"
        return [micropython, "-X", heap, *files], {"MICROPYPATH": ".frozen:" + path}
    if options.interpreter == "unix":
        print("no MicroPython for this machine: the board's files run on CPython instead", flush=True)
    path = f"{_BOARD / 'modules'}:{ROOT / 'lib'}"
    return [sys.executable, "-X", "utf8", "-u", *files], {"PYTHONPATH": path}


def mac_address(options: argparse.Namespace) -> str:
    """Twelve hex digits that stay the same for the same endpoint, or else the same state directory."""
    seed = options.endpoint or (options.state_dir and str(Path(options.state_dir).resolve())) or str(os.getpid())
    return "02" + hashlib.sha256(os.fsencode(seed)).hexdigest()[:10]  # 02: locally administered


def run(options: argparse.Namespace) -> int:
    """Check, write config.json, and be the board until it ends; the exit status."""
    check(options)
    argv, environment = command(options)
    new = settings(options)
    files = credential_files(options)
    with tempfile.TemporaryDirectory(prefix="board-") as thrown_away:
        state_dir = Path(options.state_dir or thrown_away).resolve()
        try:
            state_dir.mkdir(parents=True, exist_ok=True)
            write_files(state_dir, files)
            write_config(state_dir / "config.json", new)
        except OSError as error:
            raise UsageError(f"the board's folder {state_dir} cannot be used: {error.strerror}") from error
        mac = mac_address(options)
        supervisor = Supervisor(argv, environment, state_dir, options.chip, mac, options.control)
        return asyncio.run(supervisor.run())


def main(arguments: list[str] | None = None) -> int:
    """The exit status; mistakes become one sentence on stderr and 2."""
    try:
        return run(parser().parse_args(arguments))
    except (UsageError, SupervisorError) as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
