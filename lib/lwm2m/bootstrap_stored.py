"""How accounts are stored: for each object its id, a length, and all its instances in TLV.

Imported at the start, and whenever accounts are saved.
"""

from struct import pack
from struct import unpack as unpack_bytes

from coap.errors import CoapError, FormatError
from lwm2m import log
from lwm2m.bootstrap_accounts import KEPT, blank, bootstrap_account, pairs
from lwm2m.change import apply
from lwm2m.creating import by_instance
from lwm2m.formats import tlv
from lwm2m.writing import ALLOW, read_changes

_WRITABLE = (1, 2)  # what of the objects that are kept servers can write to: Server, Access Control


def packed(client, others):
    """Everything of the objects that are kept, and of others {(object id, instance id): [resource id]}."""
    objects = client.tree.objects
    out = bytearray()
    for oid in sorted(objects):
        found = [(objects[oid][iid], others.get((oid, iid))) for iid in sorted(objects[oid])]
        if oid not in KEPT:
            found = [one for one in found if one[1]]
        if found or oid in KEPT:
            payload = tlv.encode((oid,), _records(found))
            out.extend(pack(">HI", oid, len(payload)))
            out.extend(payload)
    return bytes(out)


def unpack(client, raw):
    """Put the objects that are kept back; returns ({}, [(object id, TLV)] of the others, for put_back_late). Raises
    CoapError or FormatError if this makes no sense."""
    for oid in KEPT:
        for obj in list(client.tree.objects.get(oid, {}).values()):
            client.drop(obj)
    late = []
    for oid, payload in _parts(raw):
        if oid in KEPT:
            client.tree.objects.setdefault(oid, {})  # even without instances
            _put_back(client, oid, payload)
        else:
            late.append((oid, payload))
    if not pairs(client) and not bootstrap_account(client):
        raise FormatError("no account")
    return {}, late


def _parts(raw):
    """(object id, TLV) of each object that was stored; raises FormatError."""
    position = 0
    while position < len(raw):
        if position + 6 > len(raw):
            raise FormatError("cut")
        oid, length = unpack_bytes(">HI", raw[position : position + 6])
        payload = raw[position + 6 : position + 6 + length]
        position += 6 + length
        if position > len(raw):
            raise FormatError("cut")
        yield oid, payload


def revert(client, raw):
    """Let the accounts and rights that are there have the values that are stored; what has gone or come stays so."""
    for oid, payload in _parts(raw):
        if oid in _WRITABLE:
            for iid, decoded in by_instance(tlv.decode((oid,), payload)):
                obj = client.tree.objects.get(oid, {}).get(iid)
                if obj:
                    stored = dict(read_changes(client.tree, obj, (oid, iid), tlv, decoded, True, ALLOW))
                    for row in obj.rows():
                        if "W" in row[1]:
                            obj.set(row[3], stored.get(row[3], getattr(type(obj), row[3], None)))


def put_back_late(client, late, others):
    """The rest, once the program has added its objects; what has no object any more is told and left out."""
    for oid, payload in late:
        try:
            for iid, rids in _put_back(client, oid, payload):
                others[oid, iid] = rids
        except (CoapError, FormatError, ValueError, OSError) as error:
            log.warning("/%d: what was stored is of no use: %r", oid, error)


def _put_back(client, oid, payload):
    """Returns [(instance id, [resource id])]."""
    done = []
    for iid, decoded in by_instance(tlv.decode((oid,), payload)):
        if iid is None:
            continue
        obj = client.tree.objects.get(oid, {}).get(iid) or blank(client, oid)
        apply(obj, read_changes(client.tree, obj, (oid, iid), tlv, decoded, True, ALLOW))
        if obj.iid is None:
            client.add(obj, iid)
        done.append((iid, [rid for _, rid, _ in decoded]))
    return done


def _records(instances):
    """Records for a format of (instance, resource ids or None for all), whoever may read them."""
    for obj, rids in instances:
        empty = True
        for row in obj.rows():
            value = getattr(obj, row[3], None)
            if value is not None and not callable(value) and (rids is None or int(row[0]) in rids):
                empty = False
                yield obj.iid, int(row[0]), row[2], value
        if empty:
            yield obj.iid, None, None, None
