"""Keys on their way through real processes: a bootstrap server's configuration, its log, the board's log and files."""

import asyncio
import contextlib
import json
import stat
import sys
from pathlib import Path

from host_tests.interop.board import ENDPOINT, ROOT, running, until
from host_tests.interop.network import free_port
from tools.lab import LabServer

KEY = bytes.fromhex("9f3c7b1de85a46022ab4d9617c0f58e3")
FORMS = (KEY.hex(), KEY.hex(" "), KEY.hex().upper(), repr(KEY)[2:-1], "nzx7HehaRgIqtNlhfA9Y4w")


async def test_a_bootstrap_tells_keys_to_nobody_else(interpreter, tmp_path):
    """At debug level neither the lab nor the board prints one; what holds them is for the owner's eyes only."""
    nobody = f"coaps://127.0.0.1:{free_port()}"
    async with LabServer(port=0) as lab:
        servers = [{"uri": lab.uri, "ssid": 1}]
        servers += [{"uri": nobody, "ssid": 2, "psk_identity": ENDPOINT, "psk_key": KEY.hex()}]
        config, port = tmp_path / "bootstrap.json", free_port()
        config.write_text(json.dumps({"endpoints": {ENDPOINT: {"servers": servers}}}))
        command = [sys.executable, "-m", "tools.lab", "bootstrap", "--port", str(port), "--config", str(config)]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, stdout=pipe, stderr=asyncio.subprocess.STDOUT
        )
        options = ("--bootstrap", "--log", "debug", "--interpreter", interpreter, "--heap", "1m")
        try:
            async with running(f"coap://127.0.0.1:{port}", options=options, HANDSHAKE_s=1) as board:
                await lab.wait_registered(ENDPOINT, 20)
                await board.printed("server 2: .*nobody answers")
                files = [path for path in board.state_dir.iterdir() if path.is_file()]
                assert [path.name for path in files if KEY in path.read_bytes()] == ["accounts.0"]
                assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        finally:
            process.terminate()
            printed = (await process.communicate())[0].decode()
    assert "bs-write" in printed and f"keys for {ENDPOINT} go out over coap" in printed
    for form in FORMS:
        assert not any(form in line for line in [*board.lines, *printed.splitlines()])


def processes_of(folder):
    """/proc folders of the processes that work in a folder."""
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and (process / "cwd").readlink() == folder.resolve():
                yield process


async def test_keys_on_the_command_line(interpreter):
    """They go into config.json; no line, no argument and no environment of the board itself has them."""
    uri = f"coaps://127.0.0.1:{free_port()}"
    options = ("--psk-identity", "me", "--psk-key", KEY.hex(), "--log", "debug", "--interpreter", interpreter)
    async with running(uri, options=options, HANDSHAKE_s=1) as board:
        await board.printed("nobody answers")
        config = board.state_dir / "config.json"
        assert KEY.hex() in config.read_text()
        assert stat.S_IMODE(config.stat().st_mode) == 0o600
        await until(lambda: board.count("next attempt") > 0)
        (own,) = [
            process for process in processes_of(board.state_dir) if b"start.py" in (process / "cmdline").read_bytes()
        ]
        assert not any(KEY.hex().encode() in (own / name).read_bytes() for name in ("cmdline", "environ"))
    assert not any(form in line for form in FORMS for line in board.lines)
