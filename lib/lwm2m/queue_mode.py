"""Queue mode (OMA Core 1.1 section 6.5): how long a device listens. Imported by devices that sleep."""


def due(registration):
    """When the awake time is over, ms: AWAKE_ms or MAX_TRANSMIT_WAIT after the last message; None while
    something is under way, whose end calls poll."""
    exchange, config = registration.exchange, registration.client.config
    jobs = registration.client.jobs
    if exchange.busy or exchange.waiting or (jobs and jobs.owes(registration)):
        return None
    return exchange.touched + (config.AWAKE_ms or config.max_transmit_wait_ms())
