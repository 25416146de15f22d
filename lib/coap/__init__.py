"""CoAP: RFC 7252 (messages, exchanges), 7641 (observe), 7959 (blocks), 8132 (FETCH, iPATCH).

No LwM2M, no socket, no clock.
"""
