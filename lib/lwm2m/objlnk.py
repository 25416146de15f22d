"""What may be written into a resource of type Objlnk (OMA Core 1.1 section 6.3.3). Imported by the first such Write."""

from coap.errors import BadRequest
from lwm2m.path import CLOSED, MAX_ID


def check(tree, path, link):
    """Raise BadRequest unless a link that is written under a path is null, or names an object, or an instance that
    exists, on the same device as what links to it (see lwm2m.gateway). Those of Security instances are looked at when a
    bootstrap ends; from elsewhere servers must not find out what there is of the closed objects."""
    oid, iid = link
    if path[0] == 0 or oid == iid == MAX_ID:
        return
    is_hidden = oid in CLOSED and path[0] not in CLOSED
    oid += path[0] >> 16 << 16
    instances = tree.objects.get(oid)
    if is_hidden or link[0] == MAX_ID or instances is None or (iid != MAX_ID and iid not in instances):
        raise BadRequest("link to nothing")
