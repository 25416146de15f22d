"""OMA's cases of Discover and Write-Attributes (260, 261), with Leshan as the server."""

from host_tests.leshan.device import changed


def links(answer):
    """Link-format as {path: set of parameters}: the order of parameters does not matter."""
    assert (answer["code"], answer["format"]) == ("2.05", 40), answer
    text = bytes.fromhex(answer["payload"]).decode()
    parts = [link.split(";") for link in text.split(",")]
    return {part[0].strip("<>"): set(part[1:]) for part in parts}


async def test_int_260_discover(lab):
    """Discover"""
    async with lab.registered("c4.py") as device:
        found = links(await device.discover("/3"))
        rids = (0, 1, 2, 3, 4, 6, 7, 8, 9, 11, 16)
        assert {"/3", "/3/0", *(f"/3/0/{rid}" for rid in rids)} <= set(found)
        assert [found[f"/3/0/{rid}"] for rid in (6, 7, 8)] == [{"dim=2"}] * 3
        assert list(found) == sorted(found, key=lambda path: [int(part) for part in path[1:].split("/")])
        changed(await device.attributes("/3", "pmin=10&pmax=200"))
        found = links(await device.discover("/3/0"))
        assert "/3" not in found and found["/3/0"] in (set(), {"pmin=10", "pmax=200"})
        changed(await device.attributes("/3/0/7", "lt=1&gt=6&st=1"))
        found = links(await device.discover("/3/0"))
        assert found["/3/0/7"] == {"dim=2", "lt=1", "gt=6", "st=1"}
        found = links(await device.discover("/3/0/7"))
        assert found["/3/0/7"] == {"pmin=10", "pmax=200", "dim=2", "lt=1", "gt=6", "st=1"}


async def test_int_261_attributes_on_resource_instance(lab):
    """Attributes on a resource instance"""
    async with lab.registered("c1.py") as device:
        assert links(await device.discover("/3/0/11")) == {"/3/0/11": {"dim=1"}, "/3/0/11/0": set()}
        changed(await device.attributes("/3", "pmin=10&pmax=200"))
        changed(await device.attributes("/3/0", "pmax=320"))
        changed(await device.attributes("/3/0/11/0", "pmax=100&epmin=1&epmax=20"))
        assert links(await device.discover("/3/0/11")) == {
            "/3/0/11": {"dim=1", "pmin=10", "pmax=320"},
            "/3/0/11/0": {"pmax=100", "epmin=1", "epmax=20"},
        }
