"""Hostile payloads: mutations of valid ones raise FormatError or a CoapError, or are content, and nothing else happens.

The mutations are the same in each run.
"""

from lwm2m import formats
from mutation import Chance, scrambled
from parsers_formats import ASKED, PATHS, REFUSALS, check, seeds, values
from support import noise, raises, show

ROUNDS = 10000  # of each format


def run(ct):
    """[accepted, refused]."""
    module = formats.get(ct)
    valid = seeds(module)
    chance = Chance(20240 + ct)
    count = [0, 0]
    for number in range(ROUNDS):
        payload = scrambled(valid[number % len(valid)], chance.pick(valid), chance)
        check_loudly(module, chance.pick(ASKED), payload, count)
    for payload in noise(500, 60, ct):
        check_loudly(module, PATHS[1], payload, count)
    assert count[0] + count[1] == ROUNDS + 500
    return count


def check_loudly(module, path, payload, count):
    try:
        count[0 if check(module, path, payload) else 1] += 1
    except Exception:
        print("format %d, path %r, payload %s" % (module.CT, path, show(payload)))
        raise


def test_text():
    run(0)


def test_opaque():
    run(42)


def test_cbor():
    assert min(run(60)) > 100


def test_senml_json():
    assert min(run(110)) > 100


def test_senml_cbor():
    assert min(run(112)) > 100


def test_tlv():
    assert min(run(11542)) > 100


def test_lwm2m_json():
    assert min(run(11543)) > 100


def test_sizes_that_lie():
    """Every major type of CBOR with every size of its length, at every place of a record."""
    place = b"\x81\xa2\x00\x6a/33000/0/5\x08"
    for major in range(8):
        for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
            for argument in (b"\xff" * size, b"\x7f" + b"\xff" * (size - 1)):
                for before in (b"", b"\x81", b"\x81\xa1", b"\x81\xa1\x00", place, place + b"\x5f"):
                    payload = before + bytes([major << 5 | info]) + argument
                    for path in PATHS:
                        check_loudly(formats.get(112), path, payload, [0, 0])
                    values(formats.get(60), payload)


def test_long_payloads():
    """A record of a thousand names, a thousand records, and a thousand chunks."""
    for ct, payload in (
        (110, b'[{"n":"' + b"/3" * 1000 + b'","v":1}]'),
        (110, b'[{"n":"/3/0/' + b"9" * 5000 + b'","v":1}]'),
        (110, b"[" + b",".join([b"{}"] * 1000) + b"]"),
        (112, b"\x99\x03\xe8" + b"\xa0" * 1000),
        (112, b"\x81\xb9\x03\xe8" + b"\0\0" * 1000),
        (112, b"\x81\xa1\x00\x9f" + b"\x80" * 1000 + b"\xff"),
        (112, b"\x81\xa2\x00\x61/\x03\x7f" + b"\x60" * 1000 + b"\xff"),
    ):
        raises(REFUSALS, formats.get(ct).decode, (3, 0), payload)
    chunks = b"\x81\xa2\x00\x6a/33000/0/5\x08\x5f" + b"\x40" * 1000 + b"\xff"
    ((_, _, raw),) = formats.get(112).decode((33000, 0), chunks)
    assert raw == b""
