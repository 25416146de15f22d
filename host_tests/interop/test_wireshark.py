"""Wireshark as an independent reader of everything that the board says: registration, TLV, notifications, blocks."""

import contextlib

from host_tests.interop.board import ENDPOINT, running
from host_tests.interop.network import Proxy
from host_tests.interop.wireshark import Capture, write_pcap
from tools.lab import LabServer
from tools.lab.payload import CBOR, SENML_CBOR, SENML_JSON, TLV

FROM_DEVICE, FROM_SERVER = "udp.dstport == 5683", "udp.srcport == 5683"
CON, NON, ACK = "0", "1", "2"
POST, PUT, DELETE = "2", "3", "4"
CREATED, DELETED, CHANGED, CONTENT, CONTINUE = "65", "66", "68", "69", "95"
CODE, PATH, FORMAT = "coap.code", "coap.opt.uri_path_recon", "coap.opt.ctype"
TLV_NAME = "application/vnd.oma.lwm2m+tlv"


@contextlib.asynccontextmanager
async def captured(tshark, folder, **options):
    """A lab server and a board with a proxy between them; `capture()` stops the board and is what tshark reads."""
    async with (
        LabServer(port=0) as server,
        Proxy.before(server.port) as proxy,
        running(proxy.uri, **options) as board,
    ):

        async def capture():
            assert await board.stop() == 0
            write_pcap(folder / "session.pcap", proxy.passed)
            capture = Capture(tshark, folder / "session.pcap")
            assert await capture.packets("_ws.malformed") == []
            assert await capture.packets("_ws.expert.severity == error") == []
            assert len(await capture.packets("coap")) == len(proxy.passed)
            return capture

        await server.wait_registered(ENDPOINT)
        await board.printed("-> REGISTERED")
        yield server, board, capture


async def test_registration(tshark, tmp_path):
    """Register, two Updates and De-register: codes, paths, queries, formats, and the links."""
    options = ("--lifetime", "300")
    async with captured(tshark, tmp_path, program="workshop.py", options=options) as (server, _, capture):
        location = server.registration().location
        with server.subscribe() as events:
            await server.write(ENDPOINT, "/1/0/1", 120)
            await events.wait("update")
            await server.create(ENDPOINT, "/32771", {0: "new"})
            await events.wait("update")
        found = await capture()
        names = (CODE, PATH, "coap.opt.uri_query", FORMAT, "coap.payload_length", "udp.payload")
        requests = await found.fields(f"{FROM_DEVICE} && coap.code in {{1..31}}", *names)
        links = "application/link-format"
        assert [request[:4] for request in requests] == [
            (POST, "/rd", f"ep={ENDPOINT}|lt=300|lwm2m=1.1|b=U", links),
            (POST, location, "lt=120", ""),
            (POST, location, "", links),
            (DELETE, location, "", ""),
        ]
        register, _, update, _ = [bytes.fromhex(request[5])[-int(request[4] or 1) :] for request in requests]
        instances = {b"</1/0>", b"</3/0>", b"</3303/0>", b"</3311/0>", b"</32770/0>", b"</32772/0>"}
        versions = {b"</3>;ver=1.1", b"</3303>;ver=1.1"}
        assert set(register.split(b",")[1:]) == instances | versions | {b"</32771>"}
        assert set(update.split(b",")[1:]) == instances | versions | {b"</32771/0>"}
        answers = await found.fields(f"{FROM_SERVER} && coap.response_to", CODE, "coap.opt.location_path")
        assert answers == [(CREATED, location[1:].replace("/", "|")), (CHANGED, ""), (CHANGED, ""), (DELETED, "")]


async def test_reads_and_writes_in_tlv(tshark, tmp_path):
    """The names and values of resources in TLV, as Wireshark's own dissector knows them."""
    async with captured(tshark, tmp_path, program="workshop.py") as (server, _, capture):
        await server.read(ENDPOINT, "/3")
        await server.read(ENDPOINT, "/1/0")
        await server.read(ENDPOINT, "/3/0/11", accept=TLV)
        await server.write(ENDPOINT, "/1/0", {2: 1, 3: 70000, 6: False}, partial=True)
        await server.read(ENDPOINT, "/1/0")
        found = await capture()

        async def decoded(*names):
            resources = [f"lwm2mtlv.resource.{name}" for name in names]
            return await found.fields(f'{FROM_DEVICE} && {FORMAT} == "{TLV_NAME}"', "lwm2mtlv.object_name", *resources)

        device = ("Device", "microlwm2m", "77", "0", "U", "+00:00")
        first, _, errors, _ = await decoded(
            "manufacturer", "battery_level", "error_code", "supported_binding_and_modes", "utc_offset"
        )
        assert (first, errors) == (device, ("Device", "", "", "0", "", ""))
        _, before, _, after = await decoded(
            "short_server_id",
            "lifetime",
            "binding",
            "default_minimum_period",
            "default_maximum_period",
            "notification_storing_when_disabled_or_offline",
        )
        assert before == ("LwM2M Server", "1", "86400", "U", "0", "0", "1")
        assert after == ("LwM2M Server", "1", "86400", "U", "1", "70000", "0")


async def test_notifications(tshark, tmp_path):
    """Observe, notifications in TLV, NON and CON, with one token, a growing sequence and the value as a float."""
    bounds = {"steered": True, "CON_EVERY": 2}
    async with captured(tshark, tmp_path, program="workshop.py", **bounds) as (server, board, capture):
        observation = await server.observe(ENDPOINT, "/3303/0/5700", accept=TLV)
        for celsius in (20.5, 30):
            await board.warm(celsius)
            assert (await observation.next()).value == celsius
        await server.cancel(ENDPOINT, "/3303/0/5700")
        found = await capture()
        names = ("coap.type", "coap.opt.observe", PATH, "lwm2mtlv.identifier", "lwm2mtlv.value.float")
        said = await found.fields(f'{FROM_DEVICE} && {FORMAT} == "{TLV_NAME}"', *names)
        path = "/3303/0/5700"
        assert [packet[1:4] for packet in said] == [(number, path, "5700") for number in ("0", "1", "2", "")]
        assert [packet[0] for packet in said] == [ACK, NON, CON, ACK]
        assert [packet[4] for packet in said[1:]] == ["20.5", "30", "30"]
        tokens = await found.fields("coap.token", "coap.token")
        assert tokens.count((observation.token.hex(),)) == 6  # two requests, their answers, two notifications
        assert len(await found.packets(f"{FROM_SERVER} && coap.type == 2 && coap.code == 0")) == 1


async def test_blocks(tshark, tmp_path):
    """Wireshark puts the blocks of either direction together again."""
    async with captured(tshark, tmp_path, program="workshop.py", BLOCK_SIZE=1024) as (server, _, capture):
        await server.write(ENDPOINT, "/32770/0/6", bytes(5000))
        await server.read(ENDPOINT, "/32772/0/1")
        found = await capture()
        names = (CODE, PATH, "coap.block.count", "coap.block.reassembled.length")
        whole = await found.fields("coap.block.reassembled.length", *names)
        assert whole == [(PUT, "/32770/0/6", "5", "5000"), (CONTENT, "/32772/0/1", "4", "4000")]
        assert await found.packets("coap.block.error || coap.block.overlap || coap.block.multiple_tails") == []
        answers = await found.fields(f"{FROM_DEVICE} && coap.opt.block_number && coap.code != 69", CODE)
        assert answers == [(CONTINUE,)] * 4 + [(CHANGED,)]


async def test_cbor_and_senml(tshark, tmp_path):
    """The same values in CBOR, SenML CBOR, SenML JSON, and in the answer to a FETCH, as Wireshark sees them."""
    async with captured(tshark, tmp_path, program="workshop.py") as (server, _, capture):
        await server.read(ENDPOINT, "/3/0/9", accept=CBOR)
        await server.read(ENDPOINT, "/1/0", accept=SENML_CBOR)
        await server.read(ENDPOINT, "/1/0", accept=SENML_JSON)
        await server.read_composite(ENDPOINT, ["/3/0/9", "/1/0/7", "/99"])
        found = await capture()

    async def decoded(format, *names):
        return await found.fields(f'{FROM_DEVICE} && {FORMAT} == "{format}"', *names)

    assert await decoded("application/cbor", "cbor.type.uint") == [("77",)]
    names = ("cbor.type.nint", "cbor.type.textstring", "cbor.type.uint", "cbor.type.simple_data")
    single, several = await decoded("application/senml+cbor", *names)
    assert single[:2] == ("1", "/1/0/|0|1|2|3|5|6|7|U|23")  # -1 - 1 is the base name; names, one string
    assert "86400" in single[2].split("|") and single[3] == "21|20"  # storing is true, mute is false
    assert sorted(word for word in several[1].split("|") if "/" in word or word == "U") == ["/1/0/", "/3/0/", "U"]
    (said,) = await decoded("application/senml+json", "json.key", "json.value.string", "json.value.number")
    assert said[0].split("|")[:3] == ["bn", "n", "v"]
    assert said[1].split("|")[:2] == ["/1/0/", "0"] and said[2].split("|")[:2] == ["1", "86400"]


async def test_send(tshark, tmp_path):
    """POST /dp with SenML CBOR, as a button has it sent."""
    program = "../../leshan/programs/c1_send.py"
    async with captured(tshark, tmp_path, program=program, steered=True) as (_, board, capture):
        board.room.press()
        await board.printed("send: 1 2.04")
        found = await capture()
    names = (CODE, PATH, FORMAT, "cbor.type.textstring", "cbor.type.uint")
    assert await found.fields(f'{FROM_DEVICE} && {PATH} == "/dp"', *names) == [
        (POST, "/dp", "application/senml+cbor", "/1/0/|1|/3/0/|11/0", "0|2|86400|0|2|0")
    ]
