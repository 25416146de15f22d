"""boot.py joins Wi-Fi or says in one sentence why not; it never raises and never waits for long."""

import json
import runpy

import pytest

from host_tests.cpython.boards import ROOT, Bench

GOOD = {"ssid": "microlwm2m", "password": "virtual-board"}


@pytest.fixture
def bench(monkeypatch, tmp_path):
    """The fakes, in an empty board."""
    monkeypatch.chdir(tmp_path)
    return Bench(monkeypatch)


def boot(capsys, config=None):
    """Run boot.py with a config.json (a dict, or text as it is); returns what it printed, and what it left behind."""
    if config is not None:
        text = config if isinstance(config, str) else json.dumps(config)
        with open("config.json", "w") as file:
            file.write(text)
    left = runpy.run_path(str(ROOT / "boot.py"))
    output = capsys.readouterr().out
    assert output.count("\n") <= 1
    assert "secret" not in output
    assert "virtual-board" not in output
    return output, {name for name in left if not name.startswith("_")}


def test_joins(bench, capsys, monkeypatch):
    """The address is told, and nothing stays in the globals that main.py shares."""
    assert boot(capsys, {"wifi": GOOD}) == ("Wi-Fi: joined microlwm2m, address 127.0.0.1.\n", set())
    wlan = bench.load("network").WLAN()
    assert wlan.config("reconnects") == -1

    def connect(self, ssid, key):
        raise OSError("Wifi Internal State Error")  # what the radio says to that when it is connected

    monkeypatch.setattr(type(wlan), "connect", connect)
    assert boot(capsys)[0] == "Wi-Fi: joined microlwm2m, address 127.0.0.1.\n"  # after a soft reset


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (None, "there is no config.json"),
        ("", "not valid JSON"),
        ('{"wifi": ', "not valid JSON"),
        ("[1]", 'has no "wifi"'),
        ({"server": "coap://a"}, 'has no "wifi"'),
        ({"wifi": None}, 'has no "wifi"'),
        ({"wifi": "microlwm2m"}, "must be"),
        ({"wifi": {"password": "secret"}}, "must be"),
        ({"wifi": {"ssid": 5}}, "must be"),
        ({"wifi": {"ssid": "a", "password": 5}}, "must be"),
    ],
)
def test_nothing_to_join(bench, capsys, config, sentence):
    """The sentence names what is missing; the radio stays off."""
    assert sentence in boot(capsys, config)[0]
    assert not bench.load("network").WLAN().active()


@pytest.mark.parametrize(
    ("wifi", "sentence"),
    [
        ({"ssid": "microlwm2m", "password": "secret"}, "microlwm2m refuses the password; trying on."),
        ({"ssid": "microlwm2m"}, "microlwm2m refuses the password; trying on."),
        ({"ssid": "elsewhere", "password": "secret"}, "there is no network called elsewhere; trying on."),
    ],
)
def test_refusals(bench, capsys, wifi, sentence):
    """Told within seconds; the chip then tries for ever, and joins when the network becomes what it should be."""
    start_ms = bench.now_ms
    assert boot(capsys, {"wifi": wifi})[0] == f"Wi-Fi: {sentence}\n"
    assert bench.now_ms - start_ms < 1000
    bench.pass_ms(100000)
    wlan = bench.load("network").WLAN()
    assert not wlan.isconnected()
    bench.set(wifi__ssid=wifi["ssid"], wifi__password=wifi.get("password", ""))
    bench.pass_ms(200)
    assert wlan.isconnected()


def test_slow_network(bench, capsys):
    """After 15 s main.py gets its turn; joining goes on meanwhile."""
    bench.set(wifi__join_ms=20000)
    start_ms = bench.now_ms
    assert "no answer from microlwm2m within 15 s" in boot(capsys, {"wifi": GOOD})[0]
    assert 14000 < bench.now_ms - start_ms < 16000
    bench.pass_ms(20000)
    assert bench.load("network").WLAN().isconnected()


@pytest.mark.parametrize("error", [OSError("Wifi Internal State Error"), RuntimeError("Wifi Unknown Error 0x0102")])
def test_radio_errors_are_a_sentence(bench, capsys, monkeypatch, error):
    """What the port raises is told, not raised."""
    network = bench.load("network")

    def connect(self, ssid, key):
        raise error

    monkeypatch.setattr(network.WLAN, "connect", connect)
    assert boot(capsys, {"wifi": GOOD})[0] == f"Wi-Fi: not joined, the radio says: {error!r}\n"


def test_a_pc_has_its_own_network(monkeypatch, tmp_path, capsys):
    """Not a word there."""
    monkeypatch.chdir(tmp_path)
    Bench(monkeypatch)
    monkeypatch.delenv("BOARD_CHIP")
    assert boot(capsys, {"wifi": GOOD})[0] == ""
