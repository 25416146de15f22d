"""What an account is: instances of objects 0 and 1 that belong together (OMA Core 1.1 section 6.1.7.6)."""

from coap.errors import NotFound
from lwm2m import credentials
from lwm2m.config import ConfigError, parse_uri
from lwm2m.objects.security import Security
from lwm2m.objects.server import Server

KEPT = (0, 1, 2, 21)  # objects that are stored as a whole: Security, Server, Access Control, OSCORE
SCHEMES = ("coap", "coaps", "coap+tcp")  # of URIs that there is a transport for


def bootstrap_account(client):
    """The Security instance of the Bootstrap-Server, or None."""
    for security in client.tree.objects.get(0, {}).values():
        if security.bootstrap:
            return security
    return None


def pairs(client):
    """[(Server, Security)] of all complete accounts, in the order of their ids."""
    servers, securities = client.tree.objects.get(1, {}), client.tree.objects.get(0, {})
    found = []
    for iid in sorted(servers):
        for other in sorted(securities):
            server, security = servers[iid], securities[other]
            if not security.bootstrap and server.ssid is not None and server.ssid == security.ssid:
                if not _lack(server) and not _unusable(client, security):
                    found.append((server, security))
                    break
    return found


def inconsistency(client):
    """What is wrong with the accounts, as a sentence, or None (OMA Core 1.1 section 6.1.7.6)."""
    objects = client.tree.objects
    seen, ways = [], []
    for server in objects.get(1, {}).values():
        lacks = _lack(server)
        if lacks:
            return "/1/%d: %s is missing" % (server.iid, lacks)
        if server.ssid in seen:
            return "two accounts have the short server id %d" % server.ssid
        seen.append(server.ssid)
    for security in objects.get(0, {}).values():
        problem = _unusable(client, security)
        if problem:
            return "/0/%d: %s" % (security.iid, problem)
        if not security.bootstrap:
            if security.ssid in ways:
                return "two URIs have the short server id %d" % security.ssid
            ways.append(security.ssid)
    for control in objects.get(2, {}).values():
        lacks = _lack(control)
        if lacks:
            return "/2/%d: %s is missing" % (control.iid, lacks)
    return None if pairs(client) else "there is no complete account of a server"


def _lack(obj):
    """The name of a mandatory resource that has no value, or None."""
    for row in obj.rows():
        if "!" in row[1] and getattr(obj, row[3], None) is None:
            return row[3]
    return None


def _unusable(client, security):
    """What is wrong with a Security instance, or None."""
    uri = security.uri or ""
    scheme, _, rest = uri.partition(":")
    try:
        if scheme not in SCHEMES:
            return "no way to reach %s" % uri
        parse_uri("coap:" + rest)
    except ConfigError:
        return "no valid URI"
    if security.ssid is None and not security.bootstrap:
        return "ssid is missing"
    if security.oscore:
        from lwm2m import oscore_keys

        found = oscore_keys.link_problem(client, security)
        if found:
            return found
    return credentials.problem(security)


def blank(client, oid):
    """A new instance without any value, for a Bootstrap-Write; raises NotFound."""
    if oid == 0:
        return _without(Security("", 0), "uri mode ssid")
    if oid == 1:
        return _without(Server(0), "ssid lifetime binding notification_storing")
    if oid == 2:
        from lwm2m.objects.access_control import AccessControl

        return _without(AccessControl(0), "object_id instance_id")
    if oid == 21:
        from lwm2m.objects.oscore import Oscore

        return Oscore()
    make = client.tree.creators.get(oid)
    if make is None:
        raise NotFound()
    return make()


def _without(obj, names):
    for name in names.split():
        setattr(obj, name, None)
    return obj
