"""Object 16, Portfolio (OMA registry): texts that others may look up, such as what the device is built into."""

from lwm2m.object import Object


class Portfolio(Object):
    """identity is {id: text}. For GSMA 0 is the host device's id, 1 its manufacturer, 2 its model and 3 the version of
    its software:

        client.add(Portfolio({0: "Pump 7", 1: "ACME"}))
        client.allow_create(Portfolio)  # servers may create and delete instances
    """

    OID = 16
    RES = """
0 RW!* str identity
"""

    def __init__(self, identity=None):
        self.identity = identity  # a Create that gives none is refused
