"""Secrets that are easy to find again, the objects that hold them, and a search for them in all that leaves a client.

The tables of these objects allow servers everything: what keeps the secrets is that the objects are closed.
"""

import binascii

from lwm2m.object import Object
from lwm2m.objects.access_control import AccessControl
from lwm2m.objects.security import Security
from support import noise

_WINDOW = 6  # bytes in a row that no other message has by chance


def _mark(seed):
    """16 bytes of which no two are alike in any two marks' windows."""
    state = b""
    for part in noise(64, 31, seed):
        state += part
    return state[:16]


KEYS = [_mark(seed) for seed in (0x51, 0x52, 0x53, 0x54, 0x55, 0x56)]
IDENTITIES = [b"qxjvkzgwpfbd", b"wvkhzqpjxgtf"]
HOSTS = [b"zqxjkvhwgpbm", b"kwvpfgqxjzdn"]
NAMES = [b"jxqzvwkphgfb", b"vkzgqjxwtnpd", b"gqzxwjvkbhtm", b"xvqjgzkwfpcd"]
SECRETS = KEYS + IDENTITIES + HOSTS + NAMES


class OpenSecurity(Security):
    """Object 0 with a table that forbids nothing."""

    RES = Security.RES.replace(" -", " RW")


class OpenOscore(Object):
    """Object 21 in the same way."""

    OID = 21
    RES = """
0 RW! opaque master_secret
1 RW! opaque sender_id
2 RW! opaque recipient_id
5 RW opaque salt
9 E none act
"""

    def __init__(self):
        self.master_secret, self.sender_id, self.recipient_id = KEYS[4], NAMES[1], NAMES[2]
        self.salt = KEYS[5]
        self.acts = 0

    def act(self, args):
        """Execute."""
        self.acts += 1


class OpenBroker(Object):
    """Object 23, MQTT Server, of which a user's name is enough here."""

    OID = 23
    RES = "\n2 RW! str user\n"

    def __init__(self):
        self.user = NAMES[3].decode()


def closed_objects():
    """Two accounts' Security, and Security of a Bootstrap-Server, OSCORE and MQTT Server."""
    accounts = []
    for number in (0, 1):
        security = OpenSecurity("coap://" + HOSTS[number].decode(), number + 1, 0)
        security.identity, security.secret_key, security.server_key = IDENTITIES[number], KEYS[number], KEYS[number + 2]
        security.sni = NAMES[0].decode()
        security.oscore = (21, 0)
        security.ciphersuites = {0: 49320}
        accounts.append(security)
    bootstrap = OpenSecurity("coap://bootstrap", None)
    bootstrap.bootstrap = True
    return accounts + [bootstrap, OpenOscore(), OpenBroker()]


def rights_on(objects):
    """Object 2 that gives all servers all rights on what it never may: the closed objects as well."""
    rules = [AccessControl(oid, acl={0: 31}) for oid in (0, 21, 23)]
    seen = {}
    for obj in objects:
        iid = seen[obj.OID] = seen.get(obj.OID, -1) + 1
        rules.append(AccessControl(obj.OID, iid, owner=1, acl={0: 31}))
    return rules


def leaks(data):
    """Those of SECRETS of which a part is in data (bytes or str): plain, as hex, as base64, or as a repr."""
    if isinstance(data, str):
        data = data.encode()
    if not _found:
        _found.extend([(secret, list(_forms(secret))) for secret in SECRETS])
    return [secret for secret, forms in _found if [1 for form in forms if form in data]]


_found = []  # (secret, its forms)


def _forms(secret):
    for start in range(len(secret) - _WINDOW + 1):
        part = secret[start : start + _WINDOW]
        digits = binascii.hexlify(part)
        yield part
        yield digits
        yield digits.decode().upper().encode()
        yield b" ".join([digits[at : at + 2] for at in range(0, len(digits), 2)])
        yield repr(part)[2:-1].encode()
        whole = binascii.b2a_base64(part).strip()  # as it stands there where the part begins at a third byte
        yield whole
        yield whole.replace(b"+", b"-").replace(b"/", b"_")
