"""Mistakes of a person: one sentence that names the mistake, exit status 2, never a traceback."""

import json
import re
import socket

import pytest

from host_tests.interop.board import PROGRAMS, start

SERVER = "coap://127.0.0.1:5683"


async def refused(state_dir, *arguments):
    """The one line that a board leaves behind besides boot.py's."""
    board = await start(state_dir, *arguments)
    try:
        status = await board.ended()
    finally:
        if board.runs:
            await board.stop()
    lines = [line for line in board.lines if not line.startswith(("Wi-Fi:", "info endpoint", "info server 1: STOPPED"))]
    assert (status, len(lines)) == (2, 1), board.lines
    return lines[0]


async def test_local_port_in_use(interpreter, tmp_path):
    """Somebody else has it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", 0))
        port = other.getsockname()[1]
        arguments = ("--server", SERVER, "--local-port", str(port), "--interpreter", interpreter)
        assert await refused(tmp_path, *arguments) == f"local port {port} is in use"


async def test_no_configuration(interpreter, tmp_path):
    """config.json is not there; and the server is not in it."""
    program = ("--program", str(PROGRAMS / "forgetful.py"), "--interpreter", interpreter)
    assert re.match("config.json is missing: it must name at least the server", await refused(tmp_path, *program))
    assert re.match("config.json: server is missing, as in", await refused(tmp_path))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "config.json is no valid JSON"),
        ("[]", "config.json: it must be an object in braces"),
        ('{"server": 7}', "config.json: server must be a URI, an object, or a list of these"),
        ('{"server": "http://lab"}', "config.json: server must be like coap://host:port, not http://lab"),
        ('{"server": "coaps://lab"}', "config.json: coaps://lab: coaps:// needs a pre-shared key or certificates"),
        ('{"server": "coap://lab", "lifetime": "long"}', "config.json: lifetime must be a number from 0 to 2147483647"),
        ('{"server": "coap://lab", "ednpoint": "x"}', "config.json: there is no setting called ednpoint; there are"),
        ('{"server": "coap://lab", "limits": {"NO": 1}}', "limits: there is no bound called NO"),
    ],
)
async def test_broken_configuration(tmp_path, text, sentence):
    """What a person may have typed into config.json."""
    (tmp_path / "config.json").write_text(text)
    assert (await refused(tmp_path)).startswith(sentence)


async def test_options_go_into_a_good_file_only(tmp_path):
    """--server cannot be put into a file that is no JSON; a file that is keeps what is not mentioned."""
    (tmp_path / "config.json").write_text("{")
    assert "is not valid JSON" in await refused(tmp_path, "--server", SERVER)
    (tmp_path / "config.json").write_text('{"lifetime": 60, "limits": {"QUEUE": 4}}')
    arguments = ("--server", SERVER, "--set", "SAMPLE_ms=0")
    assert "SAMPLE_ms must be" in await refused(tmp_path, *arguments)
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["lifetime"], config["limits"]) == (60, {"QUEUE": 4, "SAMPLE_ms": 0})


async def test_a_mistake_in_an_object_table(interpreter, tmp_path):
    """The sentence names class and row."""
    program = ("--program", str(PROGRAMS / "mistake.py"), "--interpreter", interpreter)
    line = await refused(tmp_path, "--server", SERVER, *program)
    assert line.startswith("Lamp: row '1 RX int level 0..100': operations are")
