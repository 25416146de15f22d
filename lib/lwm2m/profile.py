"""Profile ID (LwM2M 1.2, Core section 6.2.1): a Register that names its object list by a fingerprint. Used only by
programs that set `client.profile`."""

from binascii import hexlify
from hashlib import sha256

_CONTENT_FORMAT = 12
_URI_QUERY = 15


class Profile:
    """What every device of a kind has, as paths of its object list: client.profile = Profile("/1/0", "/3", "/3/0").

    The standard fixes no input of the hash, so that the server has to learn `pid` from whoever makes the devices. A
    server that refuses it is told the whole list.
    """

    def __init__(self, *paths):
        self._targets = ["<%s>" % path for path in paths]
        digest = sha256(",".join(self._targets).encode()).digest()
        self.pid = "6:" + str(hexlify(digest[:4]), "utf-8")  # 6 is SHA-256 cut to 32 bits (RFC 6920 section 9.4)

    def __call__(self, options, links):
        """Add `pid` to the options of a Register; returns the links that the profile does not cover."""
        options.append((_URI_QUERY, b"pid=" + self.pid.encode()))
        known = self._targets + ["</>"]
        rest = [link for link in links.split(",") if link.split(";")[0] not in known]
        if not rest:
            options[:] = [option for option in options if option[0] != _CONTENT_FORMAT]
        return ",".join(rest)
