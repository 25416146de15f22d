"""Joins the Wi-Fi named in config.json; runs before main.py after every start. Whatever happens, main.py gets its turn.

One sentence tells the outcome. If the network is not there yet, the chip goes on trying by itself while main.py runs.
"""


def join_wifi(limit_s=15):
    """Try for at most limit_s seconds. Never raises."""
    from sensors import chip

    if chip.name() is None:
        return  # a PC, which has its own network
    try:
        wifi = read_settings()
        if wifi is not None:
            print("Wi-Fi: " + connect(wifi["ssid"], wifi.get("password"), limit_s))
    except Exception as error:
        print("Wi-Fi: not joined, the radio says: %r" % error)


def read_settings():
    """The "wifi" part of config.json, or None with a sentence about what is missing."""
    import json

    try:
        with open("config.json") as file:
            config = json.load(file)
    except OSError:
        return print("Wi-Fi: not joined, there is no config.json.")
    except ValueError:
        return print("Wi-Fi: not joined, config.json is not valid JSON.")
    wifi = config.get("wifi") if isinstance(config, dict) else None
    if wifi is None:
        return print('Wi-Fi: not joined, config.json has no "wifi".')
    if isinstance(wifi, dict) and isinstance(wifi.get("ssid"), str) and isinstance(wifi.get("password", ""), str):
        return wifi
    return print('Wi-Fi: not joined, "wifi" in config.json must be {"ssid": "...", "password": "..."}.')


def connect(ssid, password, limit_s):
    """The outcome as a sentence."""
    import network

    wlan = network.WLAN(network.WLAN.IF_STA)
    wlan.active(True)
    status = network.STAT_GOT_IP
    if not wlan.isconnected():  # a soft reset leaves the connection as it is
        wlan.config(reconnects=2)  # with endless attempts, the default, the chip never says what is wrong
        wlan.connect(ssid, password)
        status = wait(wlan, limit_s)
        wlan.config(reconnects=-1)
    if status == network.STAT_GOT_IP:
        return "joined %s, address %s." % (ssid, wlan.ipconfig("addr4")[0])
    wlan.connect(ssid, password)
    if status == network.STAT_NO_AP_FOUND:
        return "there is no network called %s; trying on." % ssid
    if status in (network.STAT_WRONG_PASSWORD, network.STAT_HANDSHAKE_TIMEOUT, 15):  # 15: 4-way handshake timeout
        return "%s refuses the password; trying on." % ssid
    return "no answer from %s within %d s (status %s); trying on." % (ssid, limit_s, status)


def wait(wlan, limit_s):
    """Wait until the attempt is over, or the time; returns the last status."""
    import time

    import network

    for _ in range(limit_s * 20):
        if wlan.status() not in (network.STAT_CONNECTING, network.STAT_IDLE):
            break
        time.sleep(0.05)
    return wlan.status()


join_wifi()
for _name in ("join_wifi", "read_settings", "connect", "wait"):
    del globals()[_name]  # main.py shares these globals and needs the RAM more
