"""What to make of a refusal, and when to try again (OMA Core 1.1 section 6.2.1.2). Imported by the first failure."""


def refusal(registration, message):
    """The event that an answer of 4.xx or 5.xx is: VERSION if another version or the whole object list may do, BUSY if
    the server says how long to wait, else REFUSED."""
    if registration.profile and registration.state == "REGISTERING":
        return "VERSION"
    if message.code == 0x8C and registration.version != "1.0":
        return "VERSION"
    max_age_s = message.options.uint(14)
    if message.code == 0xA3 and max_age_s is not None:
        registration.retry_after_ms = max(1, min(max_age_s, 86400)) * 1000
        return "BUSY"
    return "REFUSED"


def later(client, delay_ms):
    """A pause, made longer by chance, by up to a quarter or SPREAD_s: boards that lost their server together must not
    return together."""
    later_ms = max(min(delay_ms // 4, 1 << 24), client.config.SPREAD_s * 1000)
    return delay_ms + client.randbelow(later_ms + 1)


def delay_ms(registration):
    """Milliseconds to the next attempt, or None if the account allows no more.

    By /1/x/17-20 if the account has any of them, or if there is a Bootstrap-Server to turn to; else for ever, at
    growing distances. Counts the attempt.
    """
    registration.attempt += 1
    account, config = registration.account, registration.client.config
    if _has_policy(account) or registration.client.bootstrap or account.priority is not None:
        found_s = _by_policy_s(registration, account, config)
    else:
        found_s = min(config.RETRY_FIRST_s << min(registration.attempt - 1, 16), config.RETRY_MAX_s)
    return None if found_s is None else found_s * 1000


def due(registration, now):
    """When to begin anew after all attempts were in vain, ms, or None: an account that says how often means it."""
    account = registration.account
    if _has_policy(account) or account.bootstrap_on_failure is False:
        return None
    return now + registration.client.config.SEQUENCE_DELAY_s * 1000


def _has_policy(account):
    policy = (account.retry_count, account.retry_timer, account.sequence_delay, account.sequence_count)
    return policy != (None, None, None, None)


def _by_policy_s(registration, account, config):
    count = config.RETRY_COUNT if account.retry_count is None else account.retry_count
    timer_s = config.RETRY_TIMER_s if account.retry_timer is None else account.retry_timer
    if registration.attempt < count:
        return timer_s << min(registration.attempt - 1, 16)
    registration.attempt = 0
    registration.sequence += 1
    sequences = config.SEQUENCE_COUNT if account.sequence_count is None else account.sequence_count
    if registration.sequence >= sequences:
        return None
    return config.SEQUENCE_DELAY_s if account.sequence_delay is None else account.sequence_delay
