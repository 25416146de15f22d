"""Object and resource definitions of the OMA registry (registry/objects.json, see registry/LICENSE)."""

import functools
import json
import pathlib
from dataclasses import dataclass

_FILE = pathlib.Path(__file__).parent / "registry" / "objects.json"
_UNITS_RESOURCE = 5701  # "Sensor Units", where IPSO objects say at run time what the registry leaves open


@dataclass(frozen=True)
class Resource:
    """One resource: `operations` is "R", "RW", "E"... or "" (bootstrap only), `type` the registry's word or ""."""

    id: int
    name: str
    operations: str
    multiple: bool
    mandatory: bool
    type: str
    range: str
    units: str


@dataclass(frozen=True)
class Object:
    id: int
    name: str
    version: str
    multiple: bool
    mandatory: bool
    resources: dict[int, Resource]

    def units_at_run_time(self, rid: int) -> bool:
        """Whether the value's unit is whatever the instance's resource 5701 says."""
        resource = self.resources[rid]
        return _UNITS_RESOURCE in self.resources and resource.type == "Float" and not resource.units


@functools.cache
def objects() -> dict[int, Object]:
    """All known objects by id."""
    return {entry["id"]: _object(entry) for entry in json.loads(_FILE.read_text("utf-8"))}


def resource(path: tuple[int, ...]) -> Resource | None:
    """The definition of the resource at a path of three or four ids, None if the registry here lacks it."""
    if len(path) < 3:
        return None
    known = objects().get(path[0])
    return known.resources.get(path[2]) if known else None


def type_of(path: tuple[int, ...]) -> str | None:
    """The type of the resource at `path`, None if the registry here lacks it."""
    known = resource(path)
    return known.type if known else None


def _object(entry: dict) -> Object:
    resources = {row["id"]: _resource(row) for row in entry["res"]}
    return Object(entry["id"], entry["name"], entry["ver"], entry["multi"], entry["mand"], resources)


def _resource(row: dict) -> Resource:
    return Resource(
        id=row["id"],
        name=row["name"],
        operations=row["op"],
        multiple=row["multi"],
        mandatory=row["mand"],
        type=row["type"],
        range=row.get("range", ""),
        units=row.get("units", ""),
    )
