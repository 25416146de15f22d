"""The bootstrap server's configuration: a JSON file, the command line, and one sentence for each mistake."""

import json

import pytest

from tools.lab import Access, Account, Configuration, UsageError, bootstrap_config, cli

GOOD = {
    "default": {"servers": [{"uri": "coap://192.168.1.10:5683", "ssid": 101, "lifetime": 300}]},
    "endpoints": {
        "board-7": {
            "servers": [
                {"uri": "coaps://192.168.1.10", "psk_identity": "board-7", "psk_key": "c0ffee", "allow_send": True},
                {"ssid": 102, "binding": "UT", "server": {"2": 5, "16": False}, "security": {"11": 3, "5": "00ff"}},
            ],
            "access": [{"object": 3303, "instance": 65535, "owner": 65535, "acl": {"0": 1, "102": 17}}],
            "delete": ["/", "/3303/7"],
            "discover": False,
            "format": "senml-cbor",
        }
    },
}


def load(tmp_path, document):
    file = tmp_path / "bootstrap.json"
    file.write_text(document if isinstance(document, str) else json.dumps(document))
    return bootstrap_config.load(file)


def test_a_file_with_everything(tmp_path):
    configurations = load(tmp_path, GOOD)
    assert configurations.get("anybody") == Configuration((Account("coap://192.168.1.10:5683"),))
    first = Account("coaps://192.168.1.10", psk_identity="board-7", psk_key=b"\xc0\xff\xee", allow_send=True)
    second = Account(None, ssid=102, binding="UT", server={2: 5, 16: False}, security={11: 3, 5: b"\x00\xff"})
    access = Access(3303, 65535, 65535, {0: 1, 102: 17})
    mine = configurations.get("board-7")
    assert mine == Configuration((first, second), (access,), ("/", "/3303/7"), False, 112)
    assert configurations.needs_lab
    assert not load(tmp_path, {"default": GOOD["default"]}).needs_lab
    assert load(tmp_path, {"endpoints": GOOD["endpoints"]}).get("anybody") is None
    contents = mine.objects({1})
    assert contents[0] == {
        0: {0: "coaps://192.168.1.10", 1: False, 2: 0, 3: b"board-7", 4: b"", 5: b"\xc0\xff\xee", 10: 101},
        2: {0: "", 1: False, 2: 3, 3: b"", 4: b"", 5: b"\x00\xff", 10: 102, 11: 3},  # the lab server's comes later
    }
    assert contents[1] == {
        0: {0: 101, 1: 300, 6: True, 7: "U", 23: False},
        1: {0: 102, 1: 300, 6: True, 7: "UT", 2: 5, 16: False},
    }
    assert contents[2] == {0: {0: 3303, 1: 65535, 2: {0: 1, 102: 17}, 3: 65535}}


def test_the_example_in_the_docstring(tmp_path):
    """It is a file that works."""
    example = bootstrap_config.__doc__.partition("    {")[2].partition("\n\n")[0]
    configurations = load(tmp_path, "{" + example)
    assert [account.ssid for account in configurations.get("board-7").servers] == [101, 102]


def one(**members):
    return {"default": {"servers": [{"uri": "coap://host", **members}]}}


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ("", "is not JSON"),
        ("[" * 100000, "is not JSON"),
        ([], "the file is not a JSON object"),
        ({}, 'has neither "default" nor "endpoints"'),
        ({"defaults": {}}, "the file has 'defaults', there are only default, endpoints"),
        ({"default": []}, "the file: default is [], which is no dict"),
        ({"default": {}}, "default: there are no servers in it"),
        ({"endpoints": {"a": 7}}, "a is not a JSON object"),
        ({"default": {"servers": [7]}}, "default, servers is not a JSON object"),
        (one(uri="http://host"), "default, servers: 'http://host' is not the URI of a server: write coap://host:port"),
        (one(uri="coap://host:99999"), "is not the URI of a server"),
        (one(uri="coap://host/path"), "is not the URI of a server"),
        (one(uri="coap://me@host"), "is not the URI of a server"),
        (one(uri="coap://[::1"), "is not the URI of a server"),
        (one(uri="coap://" + "x" * 300), "is not the URI of a server"),
        (one(uri=7), "default, servers: uri is 7, which is no str"),
        (one(uri="coaps://host"), "coaps://host needs psk_identity and psk_key"),
        (one(ssid=0), "ssid is 0, not a number from 1 to 65534"),
        (one(ssid=True), "ssid is True, which is no int"),
        (one(lifetime=-1), "lifetime is -1, not a number of seconds"),
        (one(binding="U Q"), "binding is 'U Q', which has no letters"),
        (one(psk_key="xy"), "psk_key is not made of hex digits"),
        (one(server={"1": "x"}), "'x' is not a value of type Integer"),
        (one(server={"x": 1}), "'x' is not an id"),
        (one(name="x"), "default, servers has 'name', there are only uri, ssid, lifetime"),
        ({"default": {"servers": [{}, {}]}}, "default: two servers have the same ssid"),
        ({"default": {"servers": [{}], "delete": ["/3/0/0"]}}, "/3/0/0 in delete is neither an object nor an instance"),
        ({"default": {"servers": [{}], "delete": [3]}}, "default: delete is a list of paths"),
        ({"default": {"servers": [{}], "format": "xml"}}, "default: 'xml' is not a format, there are text,"),
        ({"default": {"servers": [{}], "format": "text"}}, "accounts are not written in text, only in tlv,"),
        ({"default": {"servers": [{}], "access": [{"object": 3}]}}, "default, access: instance, owner is missing"),
        (
            {"default": {"servers": [{}], "access": [{"object": 3, "instance": 0, "owner": 1, "acl": {"1": 32}}]}},
            "acl has 1: 32, not a Short Server ID and rights from 0 to 31",
        ),
        (
            {"default": {"servers": [{}], "access": [{"object": 3, "instance": 0, "owner": 1, "acl": {"x": 1}}]}},
            "acl has Short Server IDs for names",
        ),
        (
            {"default": {"servers": [{}], "access": [{"object": -3, "instance": 0, "owner": 1}]}},
            "object is -3, not a number from 0 to 65534",
        ),
    ],
)
def test_mistakes_in_the_file(tmp_path, document, sentence):
    with pytest.raises(UsageError) as mistake:
        load(tmp_path, document)
    assert str(mistake.value).startswith(str(tmp_path)) and sentence in str(mistake.value)
    assert "\n" not in str(mistake.value)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "say what to hand out: --server coap://host:port, or --config FILE"),
        (["--server", "host"], "'host' is not the URI of a server: write coap://host:port"),
        (["--server", "coap://host", "--ssid", "0"], "ssid is 0, not a number from 1 to 65534"),
        (["--server", "coap://host", "--delete", "3"], "'3' is not a path"),
        (["--server", "coap://host", "--format", "text"], "accounts are not written in text"),
        (["--server", "coap://host", "--format", "xml"], "'xml' is not a Content-Format: text, link-format,"),
        (["--config", "/no/such/file"], "cannot read /no/such/file: No such file or directory"),
        (["--config", "/"], "cannot read /: Is a directory"),
        (["--config", "/no/such/file", "--ssid", "1"], "--config says all"),
        (["--server", "coap://host", "--port", "70000"], "'70000' is not a port"),
    ],
)
def test_mistakes_on_the_command_line(words, sentence, capsys):
    """One sentence, exit code 2."""
    try:
        status = cli.main(["bootstrap", *words])
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    assert sentence in capsys.readouterr().err


def test_a_configuration_that_needs_the_lab_server(tmp_path, capsys):
    """The bootstrap server alone has no lab server to point to; serve has, and wants a port for its file."""
    file = tmp_path / "bootstrap.json"
    file.write_text('{"default": {"servers": [{"ssid": 101}]}}')
    assert cli.main(["bootstrap", "--port", "0", "--config", str(file)]) == 2
    assert "an account without a URI needs a lab server in the same process" in capsys.readouterr().err
    assert cli.main(["serve", "--bootstrap-config", str(file)]) == 2
    assert capsys.readouterr().err == "lab: --bootstrap-config needs --bootstrap-port\n"
