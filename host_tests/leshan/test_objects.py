"""OMA's cases of the core objects beside firmware (600-999) and of additional objects (1000-2099), with Leshan as the
server. Periods of notification are shorter than OMA's."""

from host_tests.leshan.device import TEXT, TLV, changed, code, contains, content
from host_tests.leshan.test_discovery import links
from host_tests.leshan.test_reporting import stream

IDENTITY = {
    "0": "Host Device ID #1",
    "1": "Host Device Manufacturer #1",
    "2": "Host Device Model #1",
    "3": "Host Device Software Version #1",
}


async def observe_instance(device, path, count=2):
    """WA with a short window, Observe, some notifications, cancel; returns them."""
    changed(await device.attributes(path, "pmin=1&pmax=2"))
    since = device.mark()
    answer = await device.observe(path, TLV)
    code(answer, "2.05")
    found = await stream(device, answer, since, count, 1, 2)
    assert "observe" not in await device.cancel(answer["observation"], active=True)
    return found


async def test_int_652_firmware_version(lab):
    """Firmware version"""
    device = await lab.shared("c6.py")
    content(await device.read("/3/0/3", TEXT), TEXT, "1.0")


async def test_int_701_connectivity_monitoring_read(lab):
    """Read Connectivity Monitoring"""
    device = await lab.shared("c5.py")
    monitor = {"0": 7, "1": {"0": 7, "1": 21}, "2": -92, "3": -11, "5": {"0": "192.0.2.1"}, "6": 5}
    monitor.update({"4": {"0": "192.0.2.7", "1": "2001:db8::7"}, "7": {"0": "lab"}, "8": 268435455, "9": 1, "10": 262})
    contains(await device.read("/4/0", TLV), TLV, monitor)


async def test_int_705_connectivity_monitoring_not_writable(lab):
    """Nothing to write in Connectivity Monitoring"""
    device = await lab.shared("c5.py")
    code(await device.write("/4/0/2", -50, TEXT), "4.05")
    content(await device.read("/4/0/2", TEXT), TEXT, -92)


async def test_int_805_location_not_writable(lab):
    """Nothing to write in Location"""
    device = await lab.shared("c7.py")
    code(await device.write("/6/0/0", 1.5, TEXT), "4.05")


async def test_int_710_connectivity_monitoring_observe(lab):
    """Observe Connectivity Monitoring"""
    async with lab.registered("c5.py") as device:
        for one in await observe_instance(device, "/4/0"):
            assert one["content"].items() >= {"0": 7, "2": -92}.items()


async def test_int_801_location_read(lab):
    """Read Location"""
    device = await lab.shared("c7.py")
    answer = await device.read("/6/0", TLV)
    contains(answer, TLV, {"2": 140.0, "3": 100.0, "5": 1367491215, "6": 3.0})
    assert abs(answer["content"]["0"] - 43.5723) < 1e-4 and abs(answer["content"]["1"] - 153.2176) < 1e-4


async def test_int_810_location_observe(lab):
    """Observe Location"""
    async with lab.registered("c7.py") as device:
        for one in await observe_instance(device, "/6/0"):
            assert one["content"]["5"] == 1367491215


async def test_int_901_statistics(lab):
    """Connectivity Statistics"""
    async with lab.registered("c9.py") as device:
        changed(await device.execute("/7/0/6"))
        for _ in range(40):
            code(await device.read("/3/0/0", TEXT), "2.05")
        changed(await device.execute("/7/0/7"))
        counted = (await device.read("/7/0", TLV))["content"]
        assert counted["2"] >= 1 and counted["3"] >= 1 and counted["4"] >= counted["5"] > 28
        for _ in range(40):
            code(await device.read("/3/0/0", TEXT), "2.05")
        content(await device.read("/7/0", TLV), TLV, counted)
        changed(await device.execute("/7/0/6"))
        changed(await device.execute("/7/0/7"))
        contains(await device.read("/7/0", TLV), TLV, {"2": 0, "3": 0})


async def test_int_905_statistics_write(lab):
    """Write the collection period"""
    async with lab.registered("c9.py") as device:
        changed(await device.write("/7/0/8", 30, TLV))
        content(await device.read("/7/0/8", TLV), TLV, 30)


async def test_int_910_statistics_observe(lab):
    """Observe Connectivity Statistics"""
    async with lab.registered("c9.py") as device:
        changed(await device.attributes("/7/0", "pmin=1&pmax=2"))
        changed(await device.write("/7/0/8", 0, TLV))
        since = device.mark()
        answer = await device.observe("/7/0", TLV)
        changed(await device.execute("/7/0/6"))
        await stream(device, answer, since, 2, 1, 2)
        changed(await device.execute("/7/0/7"))
        await stream(device, answer, since, 4, 1, 2)
        assert "observe" not in await device.cancel(answer["observation"], active=True)


async def test_int_1200_cellular_read(lab):
    """Read Cellular Connectivity"""
    device = await lab.shared("c10.py")
    cellular = {"4": 3600, "5": 600, "8": "02", "9": "03", "11": {"0": "11:0"}}
    contains(await device.read("/10/0", TLV), TLV, cellular)


async def test_int_1201_cellular_1_1_read(lab):
    """Read Cellular Connectivity 1.1"""
    device = await lab.shared("c11.py")
    found = links(await device.discover("/10"))
    assert found["/10"] == {"ver=1.1"}
    assert {"/10/0", *(f"/10/0/{rid}" for rid in (4, 5, 8, 9, 11, 13, 14))} <= set(found)
    contains(await device.read("/10/0", TLV), TLV, {"4": 3600, "5": 600, "11": {"0": "11:0"}, "13": 3, "14": 1})


async def test_int_1202_cellular_set_psm(lab):
    """Set a power saving mode"""
    device = await lab.shared("c11.py")
    assert "/10/0/14" in links(await device.discover("/10/0"))
    content(await device.read("/10/0/13", TLV), TLV, 3)
    since = device.mark()
    changed(await device.write("/10/0/14", 2))
    assert device.messages(since, code="PUT")[0]["payload"] == "c10e02"
    content(await device.read("/10/0/14", TLV), TLV, 2)
    changed(await device.write("/10/0/14", 1))


async def observe_resources(device, values):
    """WA with a short window and Observe on each of these resources of /10/0; two notifications of each."""
    tokens = {}
    since = device.mark()
    for rid, value in values.items():
        changed(await device.attributes(f"/10/0/{rid}", "pmin=1&pmax=2"))
        answer = await device.observe(f"/10/0/{rid}", TLV)
        content(answer, TLV, value)
        tokens[answer["observation"]] = value
    for token, value in tokens.items():
        assert (await device.event("notification", since, observation=token, times=2))["content"] == value


async def test_int_1203_cellular_observe_psm(lab):
    """Observe power saving"""
    async with lab.registered("c11.py") as device:
        await observe_resources(device, {13: 3, 14: 1})


async def test_int_1204_cellular_observe_timers(lab):
    """Observe timers"""
    async with lab.registered("c10.py") as device:
        await observe_resources(device, {4: 3600, 5: 600, 8: "02", 9: "03"})


async def test_int_1250_apn_profile(lab):
    """APN profile"""
    async with lab.registered("c10.py") as device:
        since = device.mark()
        answer = await device.create("/11", {"0": "second", "4": 3})
        assert (answer["code"], answer["location"]) == ("2.01", "/11/1"), answer
        assert "</11/1>" in (await device.event("updated", since))["links"]
        changed(await device.execute("/1/0/8"))
        await device.event("updated", since, times=2)
        changed(await device.write("/11/1/3", True))
        assert "11:1" in (await device.read("/10/0/11", TLV))["content"].values()


async def test_int_1630_portfolio_create(lab):
    """Create a Portfolio instance"""
    async with lab.registered("c12.py") as device:
        assert links(await device.discover("/16/0"))["/16/0/0"] == {"dim=4"}
        second = {"0": "Host Device ID #2", "1": "Host Device Model #2"}
        since = device.mark()
        answer = await device.create("/16/1", {"0": second})
        assert answer["code"] == "2.01", answer
        (post,) = device.messages(since, way="out", code="POST", path="/16")
        assert post["payload"].startswith("08012e88002b480011")
        assert links(await device.discover("/16/1"))["/16/1/0"] == {"dim=2"}
        found = await device.read("/16", TLV)
        content(found, TLV, {"0": {"0": IDENTITY}, "1": {"0": second}})
        answer = await device.create("/16", {"0": {"0": "third"}})
        assert (answer["code"], answer["location"]) == ("2.01", "/16/2")


async def test_int_1635_portfolio_delete(lab):
    """Delete Portfolio instances"""
    async with lab.registered("c12.py") as device:
        code(await device.create("/16/1", {"0": {"0": "Host Device ID #2"}}), "2.01")
        assert {"/16/0", "/16/1"} <= set(links(await device.discover("/16")))
        since = device.mark()
        code(await device.delete("/16/0"), "2.02")
        code(await device.delete("/16/1"), "2.02")
        assert links(await device.discover("/16")).keys() == {"/16"}
        await device.leshan.wait(
            lambda event: event["event"] == "updated" and "</16>" in (event["links"] or "").split(","), since
        )


async def test_int_1900_binary_data_observe(lab):
    """Observe binary application data"""
    async with lab.registered("c15.py") as device:
        assert {"/19", "/19/0", "/19/0/0"} <= set(links(await device.discover("/19")))
        for one in await observe_instance(device, "/19/0/0"):
            assert one["content"] == {"0": "010203"}


async def test_int_1901_binary_data_write(lab):
    """Write binary application data"""
    device = await lab.shared("c15.py")
    for value in ("c0ffee00ff", "00"):
        changed(await device.write("/19/1/0", {"0": value}))
        content(await device.read("/19/1/0", TLV), TLV, {"0": value})


async def test_int_2000_event_log_start(lab):
    """Start the event log"""
    async with lab.registered("c16.py") as device:
        content(await device.read("/20/0/4013", TLV), TLV, 3)
        changed(await device.execute("/20/0/4011"))
        assert (await device.read("/20/0/4013", TLV))["content"] & 1 == 0


async def test_int_2001_event_log_read(lab):
    """Read the event log"""
    device = await lab.shared("c16.py")
    contains(await device.read("/20/0", TLV), TLV, {"4010": 0, "4013": 3, "4014": b"boot\n".hex()})
