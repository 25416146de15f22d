"""What a bound of Config may be set to; imported if one is set."""

from compat import const
from lwm2m.config import ConfigError

_POSITIVE = const(
    "ACK_RANDOM_FACTOR ACK_TIMEOUT_ms NSTART QUEUE TOKEN_LENGTH SAMPLE_ms SENDS STORED RETRY_FIRST_s RETRY_MAX_s"
)
_MOST = {"ACK_RANDOM_FACTOR": 10, "MAX_RETRANSMIT": 20, "TOKEN_LENGTH": 8, "SPREAD_s": 86400}
_BIGGEST = const(0x7FFFFFFF)  # for all the others


def check(name, default, value):
    """Raise ConfigError if `value` does not suit the bound called `name`, whose default is `default`."""
    if not isinstance(default, (int, float)):
        raise ConfigError("limits: there is no bound called %s" % name)
    if isinstance(value, bool) or not isinstance(value, (int, type(default))) or not value >= 0:  # NaN is neither
        raise ConfigError("limits: %s must be a number, 0 or more, not %s" % (name, value))
    if name == "BLOCK_SIZE" and value not in (16, 32, 64, 128, 256, 512, 1024):
        raise ConfigError("limits: BLOCK_SIZE must be a power of two from 16 to 1024, not %s" % value)
    if value < 1 and name in _POSITIVE.split():
        raise ConfigError("limits: %s must be at least 1, not %s" % (name, value))
    most = _MOST.get(name, _BIGGEST)
    if value > most:
        raise ConfigError("limits: %s must be at most %d, not %s" % (name, most, value))
