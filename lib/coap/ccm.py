"""AES-CCM-16-64-128 (RFC 3610, RFC 9053 section 4.2): a key of 16 bytes, a nonce of 13, a tag of 8, up to 65535 bytes.

Both halves of CCM are modes that the cipher has in C: the tag is the last block of CBC over everything, and the key
stream is ECB over a row of counters.
"""

from struct import pack, pack_into

from compat_load import load

from compat import const

cipher = load("cryptolib") or load("compat_host")

TAG_LENGTH = 8

_ECB = const(1)
_CBC = const(2)
_BLOCK = const(16)
_FLAGS = b"\x59"  # of block B0: there is associated data, a tag of 8 bytes, a length of 2


def seal(key, nonce, aad, plaintext):
    """Ciphertext and tag of a plaintext; `aad` is authenticated as well, and must not be empty."""
    stream = _key_stream(key, nonce, len(plaintext))
    tag = _xor(_mac(key, nonce, aad, plaintext)[:TAG_LENGTH], stream[:TAG_LENGTH])
    return _xor(plaintext, stream[_BLOCK : _BLOCK + len(plaintext)]) + tag


def unseal(key, nonce, aad, sealed):
    """The plaintext, or None if it is not what `seal` made with this key, nonce and aad."""
    length = len(sealed) - TAG_LENGTH
    if length < 0:
        return None
    stream = _key_stream(key, nonce, length)
    plaintext = _xor(sealed[:length], stream[_BLOCK : _BLOCK + length])
    tag = _xor(_mac(key, nonce, aad, plaintext)[:TAG_LENGTH], stream[:TAG_LENGTH])
    difference = 0  # looked at as a whole: the time it takes must not tell how many bytes were right
    for i in range(TAG_LENGTH):
        difference |= tag[i] ^ sealed[length + i]
    return None if difference else plaintext


def _mac(key, nonce, aad, plaintext):
    """The last block of CBC over B0, the associated data and the plaintext (RFC 3610 section 2.2)."""
    lengths = pack(">HH", len(plaintext), len(aad))
    padding = bytes(-(2 + len(aad)) % _BLOCK)
    data = b"".join((_FLAGS, nonce, lengths, aad, padding, plaintext, bytes(-len(plaintext) % _BLOCK)))
    return cipher.aes(key, _CBC, bytes(_BLOCK)).encrypt(data)[-_BLOCK:]


def _key_stream(key, nonce, length):
    """S0, which hides the tag, and as many blocks more as `length` bytes need (RFC 3610 section 2.3)."""
    blocks = 1 + (length + _BLOCK - 1) // _BLOCK
    counters = bytearray((b"\1" + nonce + b"\0\0") * blocks)
    for number in range(1, blocks):
        pack_into(">H", counters, number * _BLOCK + 14, number)
    return cipher.aes(key, _ECB).encrypt(counters)


def _xor(one, other):
    """Two byte strings of one length; as numbers, for the loop is then in C."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")
