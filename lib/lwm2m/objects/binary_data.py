"""Object 19, BinaryAppDataContainer (OMA registry): bytes of an application, such as a meter's own protocol."""

from lwm2m.object import Object
from lwm2m.objects import tell


class BinaryAppData(Object):
    """data is {id: bytes}; on_data(data), if given, is called when a server has written other bytes.

    priority is 0 immediate, 1 best effort, 2 the latest only; creation_time seconds since 1970; description and format
    are free text of 32 bytes at most, app_id a number of 16 bits. Raises ConfigError.
    """

    OID = 19
    RES = """
0 RW!* opaque data
1 RW int priority 0..254
2 RW time creation_time 0..
3 RW str description 0..32
4 RW str format 0..32
5 RW int app_id 0..65535
"""
    priority = creation_time = description = format = app_id = None

    def __init__(self, data=None, on_data=None, **resources):
        self.data = data  # a Create that gives none is refused
        self._on_data = on_data
        tell(self, resources)

    def write_data(self, data):
        """A server's write: the values last longer than the datagram they came in."""
        if self.set("data", {riid: bytes(data[riid]) for riid in data}) and self._on_data:
            self._on_data(self.data)
