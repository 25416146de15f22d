"""CoAP code numbers as people write them (RFC 7252 section 12.1)."""


def dotted(code):
    """0x84 -> "4.04"."""
    return "%d.%02d" % (code >> 5, code & 31)
