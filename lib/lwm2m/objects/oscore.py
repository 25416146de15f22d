"""Object 21, OSCORE (OMA Core 1.1 appendix E, object version 2.0): the keys under which everything is said to and by a
server. A Security instance links to it (/0/x/17). No server may see it, only a Bootstrap-Server writes it."""

from lwm2m.object import Object


class Oscore(Object):
    """One server's keys; sender is this device, recipient what the server is called. For what is usable see
    lwm2m.oscore_keys."""

    OID = 21
    VERSION = "2.0"
    RES = """
0 -! opaque secret
1 -! opaque sender_id
2 -! opaque recipient_id
3 - int aead
4 - int hmac
5 - opaque salt
6 - opaque id_context
"""
    secret = sender_id = recipient_id = aead = hmac = salt = id_context = None
    folder = ""  # where config.json lies that has brought it
    context = None  # (what it was made of, coap.oscore.Context), see lwm2m.oscore
