"""OSCORE (RFC 8613): one security context, and how messages are protected with it and opened.

AES-CCM-16-64-128 and HKDF-SHA-256, the pair that everybody has. What goes over the wire is the outer message, with
the OSCORE option and a ciphertext as payload; inside are the code, the options and the payload that are meant.
"""

from hashlib import sha256

from coap import ccm
from coap.errors import BadOption, BadRequest, FormatError, Unauthorized
from coap.message import CON, encode, uint
from compat import const

AEAD = 10  # AES-CCM-16-64-128, in COSE's registry of algorithms
OSCORE = 9  # the option
LONGEST_ID = 7  # bytes of a sender or recipient id: the nonce has 13, less 6 (RFC 8613 section 3.3)

_OBSERVE = const(6)
_OUTER = const((3, 7))  # Uri-Host and Uri-Port stay outside (RFC 8613 section 4.1)
_KEY_LENGTH = const(16)
_NONCE_LENGTH = const(13)
_HASH_BLOCK = const(64)
_WINDOW = const(32)  # requests: how far an older one may be behind the newest
_ALL_SEEN = const(0xFFFFFFFF)
_LAST_NUMBER = const((1 << 40) - 1)  # RFC 8613 section 7.2.1
_PIV = const(7)  # the flag bits of the option: length of the Partial IV ...
_KID = const(8)  # ... whether there is a kid ...
_KID_CONTEXT = const(16)  # ... and a kid context
_RESERVED = const(0xE0)
_FETCH = const(5)
_POST = const(2)


# -- the OSCORE option (RFC 8613 section 6.1) -------------------------------------------------------------------------


def encode_option(piv=b"", kid=None, kid_context=None):
    """The value of the OSCORE option."""
    flags = len(piv) | (0 if kid is None else _KID) | (0 if kid_context is None else _KID_CONTEXT)
    value = bytes((flags,)) + piv if flags else b""
    if kid_context is not None:
        value += bytes((len(kid_context),)) + kid_context
    return value + (kid or b"")


def decode_option(value):
    """(Partial IV, kid or None, kid context or None) of an OSCORE option; raises FormatError."""
    if not value:
        return b"", None, None
    flags = value[0]
    end = 1 + (flags & _PIV)
    if flags & _RESERVED or flags & _PIV > 5 or not flags or end > len(value):
        raise FormatError("OSCORE option")
    piv, kid, kid_context = value[1:end], None, None
    if flags & _KID_CONTEXT:
        start = end + 1
        if start > len(value) or start + value[end] > len(value):
            raise FormatError("OSCORE option")
        end = start + value[end]
        kid_context = value[start:end]
    if flags & _KID:
        kid = value[end:]
    elif end < len(value):
        raise FormatError("OSCORE option")
    return piv, kid, kid_context


# -- keys (RFC 8613 section 3.2, RFC 5869) ----------------------------------------------------------------------------


def hmac(key, data):
    """HMAC-SHA-256 (RFC 2104)."""
    if len(key) > _HASH_BLOCK:
        key = sha256(key).digest()
    key = key + bytes(_HASH_BLOCK - len(key))
    inner = sha256(bytes([byte ^ 0x36 for byte in key]))
    inner.update(data)
    outer = sha256(bytes([byte ^ 0x5C for byte in key]))
    outer.update(inner.digest())
    return outer.digest()


def _derive(secret, salt, id, id_context, kind, length):
    """The key of one side, or the Common IV: HKDF, whose output fits into one block of it."""
    context = b"\xf6" if id_context is None else byte_string(id_context)
    info = b"\x85" + byte_string(id) + context + bytes((AEAD, 0x60 | len(kind))) + kind + bytes((length,))
    return hmac(hmac(salt, secret), info + b"\1")[:length]


def byte_string(data):
    """In CBOR, up to 255 bytes."""
    length = len(data)
    return (bytes((0x40 | length,)) if length < 24 else bytes((0x58, length))) + data


# -- the security context ---------------------------------------------------------------------------------------------


class Context:
    """What two sides share, seen from ours (RFC 8613 section 3.1).

    reserve() is called for the numbers of our messages: it returns (first, end) of a range that is never given out
    again, whatever happens to the device, and raises OSError if it cannot. challenge is None if the other side cannot
    have sent anything yet, else an Echo value: after a restart, its first request has to bring it (appendix B.1.2).
    """

    challenge: bytes | None = None

    def __init__(self, secret, salt, sender_id, recipient_id, id_context, reserve):
        self.sender_id = sender_id
        self.recipient_id = recipient_id
        self.kid_context = id_context  # what requests of ours show
        self._names = None, id_context  # what those of the peer may show
        self._made_of = secret, salt, sender_id, recipient_id
        self._sender_key = _derive(secret, salt, sender_id, id_context, b"Key", _KEY_LENGTH)
        self._recipient_key = _derive(secret, salt, recipient_id, id_context, b"Key", _KEY_LENGTH)
        self._common_iv = _derive(secret, salt, b"", id_context, b"IV", _NONCE_LENGTH)
        self._reserve = reserve
        self._number = self._end = 0
        self._newest = -1  # number of a request, and a bit for each of the 32 up to it: whether it was there
        self._seen = 0

    def renewed(self, id_context, kid_context):
        """A context with the same keys but for a random ID Context, which makes them new: no number was ever used."""
        made = Context(*self._made_of, id_context, lambda: (0, _LAST_NUMBER))
        made.kid_context = kid_context
        made._names += (kid_context,)
        return made

    def fingerprint(self):
        """8 bytes that tell the row of numbers of ours, which is one for each key, from all others."""
        return sha256(self._sender_key + self._common_iv).digest()[:8]

    # -- out ------------------------------------------------------------------------------------------------------

    def protect_request(self, code, options, payload):
        """(outer code, outer options, ciphertext, Partial IV) of a request; raises OSError if there is no number."""
        piv = self._next_piv()
        inner, outer = _split(options, False)
        outer.append((OSCORE, encode_option(piv, self.sender_id, self.kid_context)))
        aad, nonce = self._aad(self.sender_id, piv), self._nonce(self.sender_id, piv)
        outer_code = _FETCH if _has_observe(options) else _POST
        return outer_code, outer, ccm.seal(self._sender_key, nonce, aad, _plaintext(code, inner, payload)), piv

    def protect_response(self, code, options, payload, request_piv, has_own_piv):
        """(outer options, ciphertext) of a response to the request with that Partial IV. One response may do without
        a Partial IV of its own, if nothing else was ever said under the request's; others raise OSError if there is
        no number."""
        id, piv, value = self.recipient_id, request_piv, b""
        if has_own_piv:
            id, piv = self.sender_id, self._next_piv()
            value = encode_option(piv)
        inner, outer = _split(options, True)
        outer.append((OSCORE, value))
        aad, nonce = self._aad(self.recipient_id, request_piv), self._nonce(id, piv)
        return outer, ccm.seal(self._sender_key, nonce, aad, _plaintext(code, inner, payload))

    def _next_piv(self):
        """The Partial IV that is next: a number without leading zero bytes (RFC 8613 section 5)."""
        if self._number == self._end:
            self._number, self._end = self._reserve()
        number = self._number
        if number > _LAST_NUMBER:
            raise OSError("OSCORE numbers are used up")
        self._number = number + 1
        return uint(number) or b"\0"

    # -- in -------------------------------------------------------------------------------------------------------

    def open_request(self, value, sealed):
        """(plaintext, Partial IV) of a request with this OSCORE option and payload. Raises the CoapError that answers
        it, unprotected (RFC 8613 section 8.2); whether it is fresh is then for `accept` to say."""
        try:
            piv, kid, kid_context = decode_option(value)
        except FormatError:
            kid = kid_context = piv = b""
        if not piv or kid is None:
            raise BadOption("Failed to decode COSE")
        if kid != self.recipient_id or kid_context not in self._names:
            raise Unauthorized("Security context not found")
        if self.challenge is None and self._is_replay(int.from_bytes(piv, "big")):
            raise Unauthorized("Replay detected")
        aad, nonce = self._aad(kid, piv), self._nonce(kid, piv)
        plaintext = ccm.unseal(self._recipient_key, nonce, aad, sealed)
        if not plaintext:
            raise BadRequest("Decryption failed")
        return plaintext, piv

    def accept(self, piv, echo):
        """Whether a request that was opened, with this Echo option or None, is certainly no replay; from then on it
        would be one."""
        number = int.from_bytes(piv, "big")
        if self.challenge is not None:
            if echo != self.challenge:
                return False
            self._synchronise(number)
        elif number > self._newest:
            ahead = number - self._newest
            self._seen = (self._seen << ahead | 1) & _ALL_SEEN if ahead < _WINDOW else 1
            self._newest = number
        else:
            self._seen |= 1 << self._newest - number
        return True

    def nonce_of(self, piv):
        """The nonce of a request of ours."""
        return self._nonce(self.sender_id, piv)

    def open_response(self, value, sealed, request_piv, request_nonce=None):
        """The plaintext of a response to our request with that Partial IV, and that nonce if it was of another context;
        raises FormatError."""
        piv, kid, kid_context = decode_option(value)
        if kid not in (None, self.recipient_id) or kid_context not in self._names:
            raise FormatError("of another OSCORE context")
        nonce = self._nonce(self.recipient_id, piv) if piv else request_nonce or self.nonce_of(request_piv)
        plaintext = ccm.unseal(self._recipient_key, nonce, self._aad(self.sender_id, request_piv), sealed)
        if not plaintext:
            raise FormatError("OSCORE: decryption failed")
        if piv and self.challenge is not None:  # it answers what we have just asked: no older number is fresh
            self._synchronise(int.from_bytes(piv, "big"))
        return plaintext

    def _is_replay(self, number):
        behind = self._newest - number
        return behind >= 0 and (behind >= _WINDOW or self._seen >> behind & 1 == 1)

    def _synchronise(self, number):
        """Whatever comes from now on is newer than this."""
        self.challenge = None
        self._newest, self._seen = number, _ALL_SEEN

    # -- what is authenticated, and under which nonce -----------------------------------------------------------------

    def _aad(self, request_kid, request_piv):
        """RFC 8613 section 5.4, as the Enc_structure of COSE (RFC 9052 section 5.3)."""
        kid, piv = byte_string(request_kid), byte_string(request_piv)
        length = bytes((0x40 | 5 + len(kid) + len(piv),))
        return b"".join((b"\x83\x68Encrypt0\x40", length, b"\x85\1\x81\x0a", kid, piv, b"\x40"))

    def _nonce(self, id, piv):
        """RFC 8613 section 5.2."""
        number = len(id) << 96 | int.from_bytes(id, "big") << 40 | int.from_bytes(piv, "big")
        return (number ^ int.from_bytes(self._common_iv, "big")).to_bytes(_NONCE_LENGTH, "big")


def _has_observe(options):
    return bool([1 for option in options if option[0] == _OBSERVE])


def _split(options, is_response):
    """(inner, outer) options. Observe is in both; in a notification the inner one is empty (RFC 8613 section 4.1.3.5).
    The outer ones are those below the OSCORE option."""
    inner, outer = [], []
    for option in options:
        if option[0] == _OBSERVE:
            inner.append((_OBSERVE, b"") if is_response else option)
            outer.append(option)
        elif option[0] in _OUTER:
            outer.append(option)
        else:
            inner.append(option)
    return inner, outer


def _plaintext(code, options, payload):
    """Code, options and payload, as a message has them but for header and token (RFC 8613 section 5.3)."""
    return encode(CON, 0, code, b"", options, payload)[3:]  # the low byte of the Message ID is next to the options
