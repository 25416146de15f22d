"""Objects 25 and 26, LwM2M Gateway and its routing (OMA registry): what a server learns of the end devices behind a
gateway. Those of object 25 are made by lwm2m.gateway."""

from lwm2m.object import Object


class GatewayDevice(Object):
    """Object 25: one end device. prefix is what paths to its objects begin with; objects() returns its object list, as
    a Register would tell it."""

    OID = 25
    VERSION = "2.0"
    RES = """
0 R! str device_id
1 R! str prefix
3 R! corelnk objects
"""

    def __init__(self, device_id, prefix, objects):
        self.device_id = device_id
        self.prefix = prefix
        self.objects = objects


class GatewayRouting(Object):
    """Object 26: which objects of end devices an object of the gateway stands for. The mapping is a list of links such
    as "</dev0/3303/0>,</dev1/3303/0>", or empty; what the object then does is the program's own affair:

        client.add(GatewayRouting(3303, "</dev0/3303/0>,</dev1/3303/0>"))
    """

    OID = 26
    RES = """
0 R! uint object_id
1 R! corelnk mapping
"""

    def __init__(self, object_id, mapping=""):
        self.object_id = object_id
        self.mapping = mapping
