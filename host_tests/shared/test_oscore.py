"""OSCORE: the test vectors of RFC 8613 appendix C, those of RFC 3610 and RFC 5869, and what no peer may get past it."""

from coap import ccm, oscore
from coap.errors import BadOption, BadRequest, CoapError, FormatError, Unauthorized
from coap.message import decode, encode
from support import each, eq, noise, raises, truncated, unhex

SECRET = unhex("01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10")
SALT = unhex("9e 7c a9 22 23 78 63 40")
ID_CONTEXT = unhex("37 cb f3 21 00 17 a2 d3")
CHALLENGE = b"8 random"


def context(salt=SALT, sender=b"", recipient=b"\x01", id_context=None, number=20, challenge=None, reserve=None):
    """The client of appendix C.1, unless told."""
    made = oscore.Context(SECRET, salt, sender, recipient, id_context, reserve or (lambda: (number, number + 64)))
    made.challenge = challenge
    return made


# -- RFC 8613 appendix C ----------------------------------------------------------------------------------------------

# salt, sender id, recipient id, id context -> sender key, recipient key, sender nonce and recipient nonce for number 0
KEYS = [
    (  # C.1.1
        (SALT, b"", b"\x01", None),
        "f0910ed7295e6ad4b54fc793154302ff",
        "ffb14e093c94c9cac9471648b4f98710",
        "4622d4dd6d944168eefb54987c",
        "4722d4dd6d944169eefb54987c",
    ),
    (  # C.1.2
        (SALT, b"\x01", b"", None),
        "ffb14e093c94c9cac9471648b4f98710",
        "f0910ed7295e6ad4b54fc793154302ff",
        "4722d4dd6d944169eefb54987c",
        "4622d4dd6d944168eefb54987c",
    ),
    (  # C.2.1
        (b"", b"\x00", b"\x01", None),
        "321b26943253c7ffb6003b0b64d74041",
        "e57b5635815177cd679ab4bcec9d7dda",
        "bf35ae297d2dace910c52e99f9",
        "bf35ae297d2dace810c52e99f9",
    ),
    (  # C.2.2
        (b"", b"\x01", b"\x00", None),
        "e57b5635815177cd679ab4bcec9d7dda",
        "321b26943253c7ffb6003b0b64d74041",
        "bf35ae297d2dace810c52e99f9",
        "bf35ae297d2dace910c52e99f9",
    ),
    (  # C.3.1
        (SALT, b"", b"\x01", ID_CONTEXT),
        "af2a1300a5e95788b356336eeecd2b92",
        "e39a0c7c77b43f03b4b39ab9a268699f",
        "2ca58fb85ff1b81c0b7181b85e",
        "2da58fb85ff1b81d0b7181b85e",
    ),
    (  # C.3.2
        (SALT, b"\x01", b"", ID_CONTEXT),
        "e39a0c7c77b43f03b4b39ab9a268699f",
        "af2a1300a5e95788b356336eeecd2b92",
        "2da58fb85ff1b81d0b7181b85e",
        "2ca58fb85ff1b81c0b7181b85e",
    ),
]


def test_keys_and_nonces_of_appendix_c_1_to_c_3():
    def check(ids, sender_key, recipient_key, sender_nonce, recipient_nonce):
        made = context(*ids)
        eq(made._sender_key, unhex(sender_key))
        eq(made._recipient_key, unhex(recipient_key))
        eq(made._nonce(ids[1], b"\0"), unhex(sender_nonce))
        eq(made._nonce(ids[2], b"\0"), unhex(recipient_nonce))

    each(KEYS, check)


# context, the request and what becomes of it
REQUESTS = [
    (  # C.4
        (SALT, b"", b"\x01", None),
        "44 01 5d1f 00003974  39 6c6f63616c686f7374  83 747631",
        "44 02 5d1f 00003974  39 6c6f63616c686f7374  62 0914  ff 612f1092f1776f1c1668b3825e",
    ),
    (  # C.5
        (b"", b"\x00", b"\x01", None),
        "44 01 71c3 0000b932  39 6c6f63616c686f7374  83 747631",
        "44 02 71c3 0000b932  39 6c6f63616c686f7374  63 091400  ff 4ed339a5a379b0b8bc731fffb0",
    ),
    (  # C.6
        (SALT, b"", b"\x01", ID_CONTEXT),
        "44 01 2f8e ef9bbf7a  39 6c6f63616c686f7374  83 747631",
        "44 02 2f8e ef9bbf7a  39 6c6f63616c686f7374  6b 19140837cbf3210017a2d3  ff 72cd7273fd331ac45cffbe55c3",
    ),
]


def test_requests_of_appendix_c_4_to_c_6():
    """Protected to the byte; and opened again by the other side, without the Uri-Host that stays outside."""

    def check(ids, plain, protected):
        request = decode(unhex(plain))
        code, options, sealed, piv = context(*ids).protect_request(request.code, request.options.pairs, request.payload)
        eq(piv, b"\x14")
        eq(encode(0, code, request.mid, request.token, options, sealed), unhex(protected))
        outer = decode(unhex(protected))
        salt, sender, recipient, id_context = ids
        server = context(salt, recipient, sender, id_context)
        plaintext, piv = server.open_request(outer.options.get(9), outer.payload)
        eq((plaintext, piv), (unhex("01 b3747631"), b"\x14"))
        eq(server.accept(piv, None), True)
        raises(Unauthorized, server.open_request, outer.options.get(9), outer.payload)

    each(REQUESTS, check)


# whether the response has a Partial IV of its own, which is 0 -> the response
RESPONSES = [
    (False, "64 44 5d1f 00003974  90  ff dbaad1e9a7e7b2a813d3c31524378303cdafae119106"),  # C.7
    (True, "64 44 5d1f 00003974  92 0100  ff 4d4c13669384b67354b2b6175ff4b8658c666a6cf88e"),  # C.8
]


def test_responses_of_appendix_c_7_and_c_8():
    def check(has_own_piv, protected):
        server = context(sender=b"\x01", recipient=b"", number=0)
        options, sealed = server.protect_response(0x45, (), b"Hello World!", b"\x14", has_own_piv)
        eq(encode(2, 0x44, 0x5D1F, unhex("00003974"), options, sealed), unhex(protected))
        outer = decode(unhex(protected))
        plaintext = context().open_response(outer.options.get(9), outer.payload, b"\x14")
        eq(plaintext, b"\x45\xffHello World!")
        raises(FormatError, context().open_response, outer.options.get(9), outer.payload, b"\x15")

    each(RESPONSES, check)


# -- what it stands on ------------------------------------------------------------------------------------------------


def test_ccm_of_rfc_3610():
    """Packet vectors 1, 2 and 3: their nonce has 13 bytes and their tag 8, as here."""
    key = unhex("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf")
    header = unhex("00 01 02 03 04 05 06 07")
    cases = [
        ("00000003020100a0a1a2a3a4a5", 0x1F, "588c979a61c663d2f066d0c2c0f989806d5f6b61dac384 17e8d12cfdf926e0"),
        ("00000004030201a0a1a2a3a4a5", 0x20, "72c91a36e135f8cf291ca894085c87e3cc15c439c9e43a3b a091d56e10400916"),
        ("00000005040302a0a1a2a3a4a5", 0x21, "51b1e5f44a197d1da46b0f8e2d282ae871e838bb64da859657 4adaa76fbd9fb0c5"),
    ]

    def check(nonce, end, sealed):
        plaintext = bytes(range(8, end))
        eq(ccm.seal(key, unhex(nonce), header, plaintext), unhex(sealed))
        eq(ccm.unseal(key, unhex(nonce), header, unhex(sealed)), plaintext)

    each(cases, check)


def test_a_changed_bit_is_noticed():
    """Anywhere: in the ciphertext, in the tag, in what is only authenticated; and so is a byte too few or many."""
    key, nonce, aad = SECRET, bytes(13), b"header"
    sealed = ccm.seal(key, nonce, aad, b"a plaintext of more than a block")
    for i in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[i >> 3] ^= 1 << (i & 7)
        eq(ccm.unseal(key, nonce, aad, bytes(changed)), None)
    for short in truncated(sealed):
        eq(ccm.unseal(key, nonce, aad, short), None)
    eq(ccm.unseal(key, nonce, aad, sealed + b"\0"), None)
    eq(ccm.unseal(key, nonce, b"headeR", sealed), None)
    eq(ccm.unseal(key, bytes(12) + b"\1", aad, sealed), None)


def test_hkdf_of_rfc_5869():
    """Its test case 1, as far as one block of output, by the HMAC that HKDF consists of; RFC 4231 has the long key."""
    prk = oscore.hmac(bytes(range(13)), b"\x0b" * 22)
    eq(prk, unhex("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"))
    okm = oscore.hmac(prk, bytes(range(0xF0, 0xFA)) + b"\1")
    eq(okm, unhex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"))
    digest = oscore.hmac(b"\xaa" * 131, b"Test Using Larger Than Block-Size Key - Hash Key First")
    eq(digest, unhex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"))


# Partial IV, kid, kid context -> the option (RFC 8613 section 6.1 and 6.3)
OPTIONS = [
    ((b"", None, None), ""),
    ((b"\x05", b"\x25", None), "09 05 25"),
    ((b"\x05", b"", None), "09 05"),
    ((b"\x05", b"\x44\x61", b"\x44\x61\x6c"), "19 05 03 44616c 4461"),
    ((b"\x07", None, None), "01 07"),
    ((b"\x01\x02\x03\x04\x05", b"1234567", None), "0d 0102030405 31323334353637"),
    ((b"\x05", None, b""), "11 05 00"),
]


def test_option():
    def check(fields, value):
        eq(oscore.encode_option(*fields), unhex(value))
        eq(oscore.decode_option(unhex(value)), fields)

    each(OPTIONS, check)


def test_option_that_breaks_the_format():
    for text in ("00", "06 010203040506", "07 01020304050607", "29 05", "49 05", "89 05", "01", "05 01020304"):
        raises(FormatError, oscore.decode_option, unhex(text))
    raises(FormatError, oscore.decode_option, unhex("10  # a kid context without its length"))
    raises(FormatError, oscore.decode_option, unhex("19 05 03 4461  # of a kid context of 3 bytes"))
    raises(FormatError, oscore.decode_option, unhex("01 05 25  # a kid without its flag"))


# -- replay window ----------------------------------------------------------------------------------------------------


def arrive(server, number, echo=None):
    """Whether a request with this number is taken."""
    client = context(number=number)
    _, options, sealed, _ = client.protect_request(1, (), b"")
    try:
        _, piv = server.open_request(options[0][1], sealed)
    except Unauthorized:
        return False
    return server.accept(piv, echo)


def test_replay_window():
    """32 numbers wide (RFC 8613 section 3.2.2): each once, in any order; what is further behind is too old."""
    server = context(sender=b"\x01", recipient=b"")
    steps = [(0, True), (0, False), (5, True), (3, True), (3, False), (5, False), (36, True), (5, False), (4, False)]
    steps += [(6, True), (35, True), (68, True), (36, False), (37, True), (1 << 39, True), ((1 << 39) - 31, True)]
    steps += [((1 << 39) - 32, False), (68, False)]
    each(steps, lambda number, taken: eq(arrive(server, number), taken))


def test_a_forgery_does_not_move_the_window():
    server = context(sender=b"\x01", recipient=b"")
    error = raises(BadRequest, server.open_request, unhex("0d ffffffffff"), bytes(20))
    eq(str(error), "Decryption failed")
    eq(arrive(server, 0), True)


def test_after_a_restart_the_first_request_brings_the_echo():
    """RFC 8613 appendix B.1.2: nothing counts before, and nothing older than that afterwards."""
    server = context(sender=b"\x01", recipient=b"", challenge=CHALLENGE)
    steps = [(7, None, False), (8, b"8 Random", False), (8, CHALLENGE, True), (8, CHALLENGE, False)]
    steps += [(7, None, False), (9, None, True), (9, None, False)]
    each(steps, lambda number, echo, taken: eq(arrive(server, number, echo), taken))


def test_a_response_with_a_number_says_what_is_old():
    """It answers a request of this life, so that numbers up to its own cannot be fresh any more."""
    client = context(challenge=CHALLENGE)
    _, _, _, piv = client.protect_request(1, (), b"")
    server = context(sender=b"\x01", recipient=b"", number=40)
    options, sealed = server.protect_response(0x45, (), b"", piv, True)
    client.open_response(options[0][1], sealed, piv)
    eq(client.challenge, None)
    for number, taken in ((40, False), (41, True)):
        server = context(sender=b"\x01", recipient=b"", number=number)
        _, options, sealed, _ = server.protect_request(1, (), b"")
        if taken:
            client.open_request(options[0][1], sealed)
        else:
            raises(Unauthorized, client.open_request, options[0][1], sealed)


# -- numbers ----------------------------------------------------------------------------------------------------------


def test_a_number_is_reserved_before_it_is_used():
    ranges = [(254, 256), (256, 257), (300, 301), (1 << 20, 1 << 21)]
    client = context(reserve=lambda: ranges.pop(0))
    pivs = [client.protect_request(1, (), b"")[3] for _ in range(5)]
    eq(pivs, [b"\xfe", b"\xff", b"\1\0", b"\1\x2c", b"\x10\0\0"])
    eq(ranges, [])


def test_without_a_number_nothing_is_protected():
    """The store cannot be written: OSError each time, until it can."""
    works = []

    def reserve():
        if not works:
            raise OSError(28)
        return 7, 8

    client = context(reserve=reserve)
    for _ in range(2):
        raises(OSError, client.protect_request, 1, (), b"")
        raises(OSError, client.protect_response, 0x45, (), b"", b"\1", True)
    client.protect_response(0x45, (), b"", b"\1", False)
    works.append(True)
    eq(client.protect_request(1, (), b"")[3], b"\7")


def test_numbers_end():
    """40 bits (RFC 8613 section 7.2.1)."""
    client = context(number=(1 << 40) - 1)
    eq(client.protect_request(1, (), b"")[3], b"\xff\xff\xff\xff\xff")
    raises(OSError, client.protect_request, 1, (), b"")


# -- hostile bytes ----------------------------------------------------------------------------------------------------


def test_answers_to_what_cannot_be_opened():
    """RFC 8613 section 8.2."""
    cases = [
        ("", BadOption, "Failed to decode COSE"),
        ("01 05", BadOption, "Failed to decode COSE"),
        ("08 05", BadOption, "Failed to decode COSE"),
        ("e9 05", BadOption, "Failed to decode COSE"),
        ("09 05 02", Unauthorized, "Security context not found"),
        ("19 05 01 00 01", Unauthorized, "Security context not found"),
        ("09 05 01", BadRequest, "Decryption failed"),
    ]

    def check(value, kind, text):
        eq(str(raises(kind, context().open_request, unhex(value), bytes(9))), text)

    each(cases, check)


def test_noise():
    """Whatever bytes come, FormatError or the CoapError that answers them, and nothing is taken for a message."""
    server = context(sender=b"\x01", recipient=b"")
    good = server.protect_response(0x45, (), b"x" * 20, b"\x14", True)
    value = good[0][0][1]
    for data in noise(300, 40):
        state = len(data) % 12
        for call, arguments in (
            (oscore.decode_option, (data[:state],)),
            (server.open_request, (data[:state], data)),
            (server.open_request, (b"\x09\x01", data)),
            (server.open_response, (data[:state], data, b"\x14")),
            (server.open_response, (value, data, b"\x14")),
        ):
            try:
                found = call(*arguments)
            except (CoapError, FormatError):
                continue
            eq(call == oscore.decode_option and len(found), 3)
