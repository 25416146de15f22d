"""Object 2, LwM2M Access Control (OMA Core 1.1 section 7.3 and appendix E.3): who may do what with one instance."""

from lwm2m.object import Object
from lwm2m.path import MAX_ID


class AccessControl(Object):
    """The rights on /object_id/instance_id, or with MAX_ID as instance_id on Create.

    acl is {ssid: bits}, entry 0 for all servers that have no entry: 1 Read, Observe, Write-Attributes, 2 Write,
    4 Execute, 8 Delete, 16 Create. owner is the ssid of the one server that may change acl and owner, MAX_ID for none.
    """

    OID = 2
    VERSION = "1.1"
    RES = """
0 R! int object_id 1..65534
1 R! int instance_id 0..65535
2 RW* int acl 0..31
3 RW! int owner 0..65535
"""

    acl = {}  # replaced, never changed: the client has to know

    def __init__(self, object_id, instance_id=MAX_ID, owner=MAX_ID, acl=None):
        self.object_id = object_id
        self.instance_id = instance_id
        self.owner = owner
        if acl:
            self.acl = acl
