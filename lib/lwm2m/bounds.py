"""What a bound of Config may be set to; imported if one is set."""

from lwm2m.config import ConfigError


def check(name, default, value):
    """Raise ConfigError if `value` does not suit the bound called `name`, whose default is `default`."""
    if name[:1] == "_" or default is None or callable(default):
        raise ConfigError("limits: there is no bound called %s" % name)
    if isinstance(value, bool) or not isinstance(value, (int, type(default))) or value < 0:
        raise ConfigError("limits: %s must be a number, 0 or more, not %s" % (name, value))
    if name == "BLOCK_SIZE" and value not in (16, 32, 64, 128, 256, 512, 1024):
        raise ConfigError("limits: BLOCK_SIZE must be a power of two from 16 to 1024, not %s" % value)
    if value < 1 and name in (
        "ACK_RANDOM_FACTOR",
        "ACK_TIMEOUT_ms",
        "NSTART",
        "QUEUE",
        "TOKEN_LENGTH",
        "SAMPLE_ms",
        "SENDS",
        "STORED",
        "RETRY_FIRST_s",
        "RETRY_MAX_s",
    ):
        raise ConfigError("limits: %s must be at least 1, not %s" % (name, value))
    if name == "TOKEN_LENGTH" and value > 8:
        raise ConfigError("limits: TOKEN_LENGTH must be at most 8, not %s" % value)
