"""Interface 3 with the real board program: every operation of the lab server, every level, every format there is."""

import pytest
from aiocoap import DELETE, FETCH, GET, POST, PUT, Message

from host_tests.interop.board import ENDPOINT, registered, until
from tools.lab import DeviceError
from tools.lab.payload import LINKS, OPAQUE, TEXT, TLV


async def test_read_on_all_levels_and_in_all_formats():
    """Object, instance, resource and resource instance, as text, TLV and opaque; what the Accept option cannot get."""
    async with registered(program="workshop.py") as (server, _):

        async def read(path, accept=None):
            result = await server.read(ENDPOINT, path, accept=accept)
            return result.content_format, result.value

        assert (await read("/3"))[1][0].items() >= {0: "microlwm2m", 9: 77, 11: {0: 0}, 16: "U"}.items()
        content_format, account = await read("/1/0")
        assert (content_format, account[0], account[1], account[6], account[7]) == (TLV, 1, 86400, True, "U")
        assert (await read("/3/0/9")) == (TEXT, 77)
        assert (await read("/3/0/9", TLV)) == (TLV, 77)
        assert (await read("/3/0/11")) == (TLV, {0: 0})
        assert (await read("/3/0/11/0")) == (TEXT, 0)
        assert (await read("/3/0/11/0", TLV)) == (TLV, 0)
        assert (await read("/32770/0/10")) == (OPAQUE, b"")
        assert (await read("/32770/0/10", TLV)) == (TLV, b"")
        assert (await read("/32771")) == (TLV, {})
        for path, accept, code in [
            ("/3/0/4", None, "4.05"),  # executable
            ("/32770/0/6", None, "4.05"),  # writable only
            ("/3/0/9/0", None, "4.04"),  # not multiple
            ("/3/0/99", None, "4.04"),
            ("/3/7", None, "4.04"),
            ("/99", None, "4.04"),
            ("/0", None, "4.01"),
            ("/3/0", TEXT, "4.06"),
            ("/3/0/9", OPAQUE, "4.06"),
            ("/3/0/9", 9999, "4.06"),
        ]:
            with pytest.raises(DeviceError) as refused:
                await read(path, accept)
            assert refused.value.code == code, path


async def test_write_replaces_or_updates():
    """PUT and POST on a resource, a multiple one, one of its instances and an object instance; all or nothing."""
    async with registered(program="workshop.py") as (server, _):

        async def value(path):
            return (await server.read(ENDPOINT, path)).value

        await server.write(ENDPOINT, "/32770/0/0", "hällo")
        await server.write(ENDPOINT, "/32770/0/1", -7)
        await server.write(ENDPOINT, "/32770/0/10", b"\x00\xff")
        assert [await value(f"/32770/0/{rid}") for rid in (0, 1, 10)] == ["hällo", "-7", b"\x00\xff"]

        await server.write(ENDPOINT, "/32770/0/2/3", 300)
        assert await value("/32770/0/2") == {0: b"\x0a", 3: b"\x01\x2c"}
        await server.write(ENDPOINT, "/32770/0", {2: {1: 11}}, partial=True)
        assert (await value("/32770/0/2")).keys() == {0, 1, 3}
        await server.write(ENDPOINT, "/32770/0/2", {5: 50})
        assert await value("/32770/0/2") == {5: b"\x32"}

        await server.write(ENDPOINT, "/32770/0", {0: "new", 1: 5}, partial=True)
        assert (await value("/32770/0/10")) == b"\x00\xff"
        await server.write(ENDPOINT, "/32770/0", {0: "only"})
        after = await value("/32770/0")
        assert (after[0], after[1], after[10]) == (b"only", b"\x00", b"")

        for path, content, options, code in [
            ("/32770/0", {0: "half", 1: 5000}, {"partial": True}, "4.00"),  # 1 is out of its range: 0 must stay
            ("/32770/0", {0: "half", 3: 5}, {"partial": True}, "4.05"),  # 3 is read-only
            ("/32770/0/3", 5, {}, "4.05"),
            ("/32770/0/1", b"x", {"content_format": 9999}, "4.15"),
            ("/32770/0/1", b"many", {"content_format": TEXT}, "4.00"),
            ("/32770/0/2/9", 1, {}, "4.04"),
            ("/32770/1/0", "x", {}, "4.04"),
        ]:
            with pytest.raises(DeviceError) as refused:
                await server.write(ENDPOINT, path, content, **options)
            assert refused.value.code == code, path
        assert await value("/32770/0/0") == "only"


async def test_what_the_server_writes_happens_on_the_board():
    """/3311/0: on and dimmer reach the pin of the LED; a colour in the same write does no harm to a plain LED."""
    async with registered(program="workshop.py", steered=True) as (server, board):
        assert board.room.get("led") == 0
        await server.write(ENDPOINT, "/3311/0", {5850: True, 5851: 50}, partial=True)
        await until(lambda: 0.4 < board.room.get("led") < 0.6)
        await server.write(ENDPOINT, "/3311/0/5850", False)
        await until(lambda: board.room.get("led") == 0)
        assert (await server.read(ENDPOINT, "/3311/0/5851")).value == 50


async def test_attributes_and_discover():
    """Write-Attributes on three levels; Discover shows what is attached, what is multiple and what is there."""
    async with registered(program="workshop.py") as (server, _):
        await server.write_attributes(ENDPOINT, "/3303/0/5700", {"pmin": 1, "pmax": 30, "gt": 25.5, "st": 0.5})
        await server.write_attributes(ENDPOINT, "/3303/0", {"pmin": 4})
        links = (await server.discover(ENDPOINT, "/3303")).value
        assert links["/3303"] == {"ver": "1.1"}
        assert links["/3303/0"] == {"pmin": "4"}
        assert links["/3303/0/5700"] == {"pmin": "1", "pmax": "30", "gt": "25.5", "st": "0.5"}
        assert links["/3303/0/5605"] == {}
        assert (await server.discover(ENDPOINT, "/32770/0/2")).value["/32770/0/2"] == {"dim": "2"}

        await server.write_attributes(ENDPOINT, "/3303/0/5700", {"gt": None})
        assert "gt" not in (await server.discover(ENDPOINT, "/3303/0/5700")).value["/3303/0/5700"]
        for attributes in ({"pmin": "soon"}, {"color": 1}, {"lt": 9, "gt": 1}):
            with pytest.raises(DeviceError, match=r"4\.00"):
                await server.write_attributes(ENDPOINT, "/3303/0/5700", attributes)


async def test_execute_with_arguments():
    """None, one with a value; a broken list; a resource that is no executable; one that takes its time."""
    async with registered(program="workshop.py") as (server, _):
        await server.execute(ENDPOINT, "/32770/0/4")
        await server.execute(ENDPOINT, "/32770/0/4", "0='41'")
        assert (await server.read(ENDPOINT, "/32770/0/3")).value == "42"
        for path, arguments, code in [("/32770/0/4", "0='", "4.00"), ("/32770/0/0", "", "4.05")]:
            with pytest.raises(DeviceError) as refused:
                await server.execute(ENDPOINT, path, arguments)
            assert refused.value.code == code
        await server.execute(ENDPOINT, "/32770/0/9")
        assert (await server.read(ENDPOINT, "/32770/0/3")).value == "43"


async def test_create_and_delete():
    """An instance of the device's choice and one of the server's; the object list follows in Updates; the limits."""
    async with registered(program="workshop.py") as (server, board):
        with server.subscribe() as events:
            assert (await server.create(ENDPOINT, "/32771", {0: "first"})).location == "/32771/0"
            assert (await events.wait("update")).changes["objects"]["/32771/0"] == {}
            await server.create(ENDPOINT, "/32771", {0: "fifth", 1: 9}, instance=5)
            await events.wait("update")
            content = {0: {0: b"first", 1: b"\x00", 2: b"\x05"}, 5: {0: b"fifth", 1: b"\x09", 2: b"\x05"}}
            assert (await server.read(ENDPOINT, "/32771")).value == content
            assert (await server.delete(ENDPOINT, "/32771/0")).code == "2.02"
            assert "/32771/0" not in (await events.wait("update")).changes["objects"]
        for oid, resources, instance, code in [
            ("/32771", {0: "again"}, 5, "4.00"),  # is there already
            ("/32771", {1: 1}, None, "4.00"),  # a mandatory resource is missing
            ("/3303", {}, None, "4.05"),  # nobody allowed it
            ("/99", {}, None, "4.04"),
        ]:
            with pytest.raises(DeviceError) as refused:
                await server.create(ENDPOINT, oid, resources, instance=instance)
            assert refused.value.code == code
        for path, code in [("/32771/0", "4.04"), ("/3/0", "4.05")]:
            with pytest.raises(DeviceError) as refused:
                await server.delete(ENDPOINT, path)
            assert refused.value.code == code
        assert board.count("-> REGISTERING") == 1


async def test_requests_that_cannot_be():
    """What no operation of the lab server would send has a code of its own, and the board lives on."""
    async with registered(program="workshop.py") as (server, _):
        for code, path, content_format, payload, expected in [
            (FETCH, "/3/0", None, b"", "4.05"),
            (DELETE, "/3/0/9", None, b"", "4.05"),
            (PUT, "/3", TLV, b"", "4.05"),
            (POST, "/3/0/4/1", None, b"", "4.05"),
            (PUT, "/32770/0", TLV, bytes.fromhex("c1 01 05 c1"), "4.00"),
            (PUT, "/32770/0/1", LINKS, b"</1>", "4.15"),
        ]:
            message = Message(code=code, content_format=content_format, payload=payload)
            assert (await server.request(ENDPOINT, path, message)).code.dotted == expected, path
            assert (await server.request(ENDPOINT, "/3/0/9", Message(code=GET))).payload == b"77"
