"""Wireshark reads a session of the board with the lab server: with the key all of it, without it nothing but DTLS."""

from host_tests.interop.board import ENDPOINT, running
from host_tests.interop.network import Proxy
from host_tests.interop.wireshark import DTLS, Capture, write_pcap
from tools.lab import LabServer
from tools.lab.credentials import Credentials
from tools.lab.listening import Security

IDENTITY, KEY = "an identity that anybody may see", bytes(range(0x30, 0x40))
GET, POST, DELETE, CREATED, DELETED, CONTENT = "1", "2", "4", "65", "66", "69"
HELLO, VERIFY, SERVER_HELLO, SERVER_DONE, KEY_EXCHANGE, FINISHED = "1", "3", "2", "14", "16", "20"
CIPHER_SPEC, ALERT, HANDSHAKE, DATA = "20", "21", "22", "23"
_ERROR = "8388608"  # Wireshark's severity
SUITES = {"unix": "0x00a8", "cpython": "0xc0a8"}  # TLS_PSK_WITH_AES_128_GCM_SHA256 and ..._CCM_8


async def session(interpreter, folder):
    """Have a board register, be read and de-register; what went over the wire as a pcap file, and the Location-Path."""
    store = Credentials()
    store.add_psk(ENDPOINT, IDENTITY.encode(), KEY)
    options = ("--interpreter", interpreter, "--psk-identity", IDENTITY, "--psk-key", KEY.hex(), "--lifetime", "300")
    async with (
        LabServer(port=None, security=Security(0, store)) as server,
        Proxy.before(server.secure_port) as proxy,
        running(proxy.uri.replace("coap:", "coaps:"), options=options) as board,
    ):
        await server.wait_registered(ENDPOINT, 15)
        location = server.registration().location
        assert (await server.read(ENDPOINT, "/3/0/16")).value == "U"
        assert await board.stop() == 0
    write_pcap(folder / "session.pcap", proxy.passed)
    return folder / "session.pcap", location


async def test_with_and_without_the_key(tshark, tmp_path, interpreter):
    """Register, Read and De-register are found, as they were meant, and no broken packet; without the key the identity
    is all that can be read."""
    path, location = await session(interpreter, tmp_path)
    await _all_of_it(Capture(tshark, path, *DTLS, "-o", f"dtls.psk:{KEY.hex()}"), SUITES[interpreter], location)
    await _nothing(Capture(tshark, path, *DTLS))


async def _all_of_it(found, suite, location):
    names = ("udp.dstport", "coap.code", "coap.opt.uri_path_recon", "coap.opt.uri_query")
    names += ("dtls.handshake.type", "dtls.handshake.ciphersuite", "_ws.malformed", "_ws.expert.severity")
    packets = await found.fields("frame", *names)
    assert {packet[6] for packet in packets} == {""}
    assert _ERROR not in [level for packet in packets for level in packet[7].split("|")]
    wanted = [HELLO, VERIFY, HELLO, SERVER_HELLO, SERVER_DONE, KEY_EXCHANGE, FINISHED, FINISHED]
    assert [kind for packet in packets for kind in packet[4].split("|") if kind in wanted] == wanted
    assert [packet[5] for packet in packets if packet[4].split("|")[0] == SERVER_HELLO] == [suite]
    said = [(packet[0] == "5683", *packet[1:4]) for packet in packets if packet[1]]
    assert said == [
        (True, POST, "/rd", f"ep={ENDPOINT}|lt=300|lwm2m=1.1|b=U"),
        (False, CREATED, "/rd", ""),
        (False, GET, "/3/0/16", ""),
        (True, CONTENT, "/3/0/16", ""),
        (True, DELETE, location, ""),
        (False, DELETED, location, ""),
    ]


async def _nothing(blind):
    packets = await blind.fields("frame", "dtls.record.content_type", "coap.code", "_ws.malformed", "udp.payload")
    kinds = [kind for packet in packets for kind in packet[0].split("|")]
    assert {*kinds} <= {CIPHER_SPEC, ALERT, HANDSHAKE, DATA} and kinds.count(DATA) == 6
    assert {packet[1:3] for packet in packets} == {("", "")}
    payloads = [bytes.fromhex(packet[3]) for packet in packets]
    assert sum(IDENTITY.encode() in payload for payload in payloads) == 1
    assert not [payload for payload in payloads if ENDPOINT.encode() in payload or b"oma.lwm2m" in payload]
