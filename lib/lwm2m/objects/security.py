"""Object 0, LwM2M Security (OMA Core 1.1 appendix E.1): how to reach a server. No server may see it, only a
Bootstrap-Server writes it."""

from lwm2m.object import Object


class Security(Object):
    """One server's URI and keys. mode: 0 PSK, 1 raw public key, 2 certificate, 3 NoSec, 4 certificate with EST."""

    OID = 0
    VERSION = "1.1"
    RES = """
0 -! str uri 0..255
1 -! bool bootstrap
2 -! int mode 0..4
3 -! opaque identity
4 -! opaque server_key
5 -! opaque secret_key
6 - int sms_mode 0..255
7 - opaque sms_key_parameters
8 - opaque sms_secret_key
9 - str sms_number
10 - int ssid 1..65534
11 - int hold_off
12 - int account_timeout
13 - uint matching_type 0..3
14 - str sni
15 - uint certificate_usage 0..3
16 -* uint ciphersuites
17 - link oscore
"""
    bootstrap = False
    identity = server_key = secret_key = b""
    sms_mode = sms_key_parameters = sms_secret_key = sms_number = hold_off = account_timeout = None
    matching_type = sni = certificate_usage = ciphersuites = oscore = None

    def __init__(self, uri, ssid, mode=3):
        self.uri = uri
        self.ssid = ssid
        self.mode = mode
