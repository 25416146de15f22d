"""OMA's cases of Firmware Update (751-780), with Leshan as the server; packages are pulled from Californium."""

import asyncio
import hashlib
import itertools

from host_tests.leshan.device import OPAQUE, TEXT, TLV, changed, code, contains, content

IDLE, DOWNLOADING, DOWNLOADED = 0, 1, 2
PUSH_LIMIT_MS = 30000

_names = itertools.count(1)


def package(version="2.0", size=5000):
    """What lib/lwm2m/file_sink.py takes."""
    words = f"board {version}".encode()
    body = bytes([len(words)]) + words + bytes(number * 7 % 256 for number in range(size))
    return b"MPFW" + hashlib.sha256(body).digest() + body


async def push(device, data):
    """PUT a package, by Block1 if it is long."""
    return await device.request("write", "/5/0/0", data.hex(), format=OPAQUE, timeout=PUSH_LIMIT_MS)


async def offered(device, data):
    """The URI under which a package can be pulled."""
    name = f"package-{next(_names)}"
    await device.leshan.call("file", name=name, hex=data.hex())
    return f"{device.leshan.ready['files']}/{name}"


async def pull(device, uri):
    """Write the Package URI."""
    return await device.write("/5/0/1", uri, TEXT)


async def state(device):
    """State and Update Result."""
    found = (await device.read("/5/0", TLV))["content"]
    return found["3"], found["5"]


async def reaches(device, *expected, timeout_s=15):
    """Wait until state and result are these."""
    seen = []
    async with asyncio.timeout(timeout_s):
        while not seen or seen[-1] != expected:
            seen.append(await state(device))
            await asyncio.sleep(0.05)
    return seen


async def reset(device):
    """Forget any package."""
    changed(await push(device, b"\0"))
    assert await state(device) == (IDLE, 0)


async def test_int_751_firmware_read(lab):
    """Read Firmware Update"""
    async with lab.registered("c8.py") as device:
        answer = await device.read("/5/0", TLV)
        contains(answer, TLV, {"3": IDLE, "5": 0})
        assert {"8", "9"} <= set(answer["content"]) and "0" not in answer["content"]


async def test_int_755_firmware_write_package(lab):
    """Write a package"""
    async with lab.registered("c8.py") as device:
        await reset(device)
        since = device.mark()
        changed(await push(device, package()))
        codes = [one["code"] for one in device.messages(since, way="in") if "block1" in one]
        assert len(codes) > 5 and codes == ["2.31"] * (len(codes) - 1) + ["2.04"]
        assert await state(device) == (DOWNLOADED, 0)
        contains(await device.read("/5/0", TLV), TLV, {"6": "board", "7": "2.0"})


async def test_int_756_firmware_write_uri(lab):
    """Write a package URI"""
    async with lab.registered("c8.py") as device:
        changed(await pull(device, ""))
        assert await state(device) == (IDLE, 0)
        changed(await pull(device, await offered(device, package())))
        seen = await reaches(device, DOWNLOADED, 0)
        assert set(seen) <= {(DOWNLOADING, 0), (DOWNLOADED, 0)}


async def test_int_760_firmware_observe_state(lab):
    """Observe the state of an update"""
    async with lab.registered("c8.py") as device:
        changed(await device.attributes("/5/0", "pmin=1&pmax=10"))
        since = device.mark()
        content(await device.observe("/5/0/3", TLV), TLV, IDLE)
        changed(await push(device, package()))
        values = []
        while DOWNLOADED not in values:
            values.append((await device.event("notification", since, times=len(values) + 1))["content"])
        assert set(values) <= {DOWNLOADING, DOWNLOADED}


async def install(device, version):
    """Execute Update, and look at the device after its restart."""
    since = device.mark()
    changed(await device.execute("/5/0/2"))
    await device.event("registered", since)
    done = await device.message(since, way="in", code="2.04")
    assert done["ms"] <= (await device.message(since, way="in", code="POST", path="/rd"))["ms"]
    assert await state(device) == (IDLE, 1)
    content(await device.read("/3/0/3", TEXT), TEXT, version)


async def test_int_770_firmware_push_update(lab):
    """Update by push"""
    async with lab.registered("c8.py") as device:
        await reset(device)
        changed(await push(device, package("2.1")))
        await reaches(device, DOWNLOADED, 0)
        await install(device, "2.1")


async def test_int_771_firmware_pull_update(lab):
    """Update by pull"""
    async with lab.registered("c8.py") as device:
        changed(await pull(device, ""))
        changed(await pull(device, await offered(device, package("2.2"))))
        await reaches(device, DOWNLOADED, 0)
        await install(device, "2.2")


async def test_int_772_update_without_package(lab):
    """Update without package"""
    async with lab.registered("c8.py") as device:
        code(await device.execute("/5/0/2"), "4.05")
        assert await state(device) == (IDLE, 0)


async def test_int_773_not_enough_storage(lab):
    """Not enough storage"""
    async with lab.registered("c8.py") as device:
        code(await push(device, package(size=30000)), "4.13")
        assert await state(device) == (IDLE, 2)
        await reset(device)
        changed(await pull(device, await offered(device, package(size=30000))))
        await reaches(device, IDLE, 2)


async def test_int_776_integrity_failure(lab):
    """Integrity failure"""
    async with lab.registered("c8.py") as device:
        corrupt = package()[:-1] + b"\0"
        assert (await push(device, corrupt))["code"][0] == "4"
        assert await state(device) == (IDLE, 5)
        await reset(device)
        changed(await pull(device, await offered(device, corrupt)))
        await reaches(device, IDLE, 5)


async def test_int_777_unsupported_package_type(lab):
    """Unsupported package type"""
    async with lab.registered("c8.py") as device:
        assert (await push(device, b"GIF89a" + bytes(3000)))["code"][0] == "4"
        assert await state(device) == (IDLE, 6)
        await reset(device)
        changed(await pull(device, await offered(device, b"GIF89a" + bytes(3000))))
        await reaches(device, IDLE, 6)


async def test_int_778_invalid_uri(lab):
    """Invalid URI"""
    async with lab.registered("c8.py") as device:
        for uri in (f"{lab.leshan.ready['files']}/not-there", "no URI at all"):
            assert (await pull(device, uri))["code"] in ("2.04", "4.00")
            await reaches(device, IDLE, 7)
            await reset(device)


async def test_int_779_install_failure(lab):
    """Installation fails"""
    async with lab.registered("c8.py") as device:
        changed(await push(device, package("bad")))
        changed(await device.execute("/5/0/2"))
        seen = await reaches(device, DOWNLOADED, 8)
        assert set(seen) <= {(3, 0), (DOWNLOADED, 8)}
        content(await device.read("/3/0/3", TEXT), TEXT, "1.0")


async def test_int_780_unsupported_protocol(lab):
    """Unsupported protocol"""
    async with lab.registered("c8.py") as device:
        assert (await pull(device, "ftp://127.0.0.1/package"))["code"] in ("2.04", "4.00")
        await reaches(device, IDLE, 9)
