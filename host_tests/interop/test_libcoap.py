"""libcoap's coap-client against the board. The board answers nobody but its server, so the test is the server's socket:
it takes the Register, and passes on what coap-client and the board have to say to each other."""

import asyncio
import contextlib

from host_tests.interop.board import scripted
from host_tests.interop.network import Socket

PICTURE = b"0123456789abcdef" * 250


class Shell:
    """coap-client in front of a board."""

    def __init__(self, program, port):
        self._program, self._port = program, port

    async def start(self, path, *options):
        """A running coap-client for coap://127.0.0.1:port/path."""
        command = [self._program, *options, f"coap://127.0.0.1:{self._port}{path}"]
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)

    async def __call__(self, path, *options):
        """What coap-client prints: (stdout as bytes, stderr as text)."""
        process = await self.start(path, "-B", "5", *options)
        async with asyncio.timeout(15):
            out, err = await process.communicate()
        return out.removesuffix(b"\n"), err.decode()


@contextlib.asynccontextmanager
async def shell(coap_client, **options):
    """A Shell, its scripted server and the board."""
    async with scripted(**options) as (server, board), Socket.open() as front:
        clients = []

        def from_client(datagram, address):
            clients.append(address)
            server.to_device(datagram)

        front.heard = from_client
        server.relay = lambda datagram: front.send(datagram, clients[-1])
        yield Shell(coap_client, front.port), server, board


async def test_get(coap_client):
    """Text by default, TLV by Accept, links by Accept; error codes as libcoap names them."""
    async with shell(coap_client) as (coap, _, _):
        assert await coap("/3/0/9") == (b"77", "")
        assert await coap("/3/0/0") == (b"microlwm2m", "")
        assert await coap("/3/0/9", "-A", "11542") == (bytes.fromhex("c1 09 4d"), "")
        assert await coap("/32770/0/2", "-A", "11542") == (bytes.fromhex("86 02 41 00 0a 41 03 0d"), "")
        assert await coap("/3/0/9", "-A", "60") == (bytes.fromhex("18 4d"), "")
        links, _ = await coap("/32770", "-A", "40")
        assert links.startswith(b"</32770>,</32770/0>,</32770/0/0>,") and b"</32770/0/2>;dim=2," in links
        for path, options, code in [
            ("/3/0/99", (), "4.04"),
            ("/3/0/4", (), "4.05"),
            ("/0", (), "4.01"),
            ("/3/0/9", ("-A", "50"), "4.06"),
        ]:
            out, err = await coap(path, *options)
            assert not out and err.startswith(code), (path, err)


async def test_non_confirmable(coap_client):
    """-N: request and response are NON."""
    async with shell(coap_client) as (coap, _, _):
        assert await coap("/3/0/9", "-N") == (b"77", "")


async def test_put_and_post(coap_client):
    """A written text, an Execute with and without arguments; what may not be written."""
    async with shell(coap_client) as (coap, _, _):
        assert await coap("/32770/0/0", "-m", "put", "-t", "0", "-e", "from libcoap") == (b"", "")
        assert await coap("/32770/0/0") == (b"from libcoap", "")
        assert await coap("/32770/0/4", "-m", "post") == (b"", "")
        assert await coap("/32770/0/4", "-m", "post", "-e", "0='9'") == (b"", "")
        assert await coap("/32770/0/3") == (b"10", "")
        assert (await coap("/32770/0/3", "-m", "put", "-e", "1"))[1].startswith("4.05")
        assert (await coap("/32770/0/1", "-m", "put", "-t", "50", "-e", "1"))[1].startswith("4.15")
        assert (await coap("/32770/0/1", "-m", "put", "-t", "0", "-e", "many"))[1].startswith("4.00")
        assert (await coap("/3303", "-m", "delete"))[1].startswith("4.05")


async def test_a_slow_execute(coap_client):
    """Empty ACK, then the separate response, which libcoap acknowledges: the board sends it once."""
    async with shell(coap_client) as (coap, server, _):
        relayed, relay = [], server.relay
        server.relay = lambda datagram: (relayed.append(datagram), relay(datagram))
        assert await coap("/32770/0/9", "-m", "post", "-v", "6") != (b"", "")
        assert await coap("/32770/0/3") == (b"1", "")
        assert [datagram[0] >> 4 & 3 for datagram in relayed] == [2, 0, 2]  # ACK, CON, and the ACK of the GET


async def test_observe(coap_client):
    """-s: the first answer and two notifications arrive; at its end libcoap cancels, and the board forgets."""
    async with shell(coap_client) as (coap, server, _):
        process = await coap.start("/32770/0/3", "-s", "3", "-w")
        assert await process.stdout.readline() == b"0\n"
        for value in (b"1\n", b"2\n"):
            async with Socket.open() as other:  # a second coap-client, so to say, through the same server
                server.relay, relay = other.arrived.put_nowait, server.relay
                server.ask("POST", "/32770/0/4", token=b"x")
                answers = [await other.arrived.get() for _ in range(2)]  # the ACK, and the notification
                server.relay = relay
                relay(next(datagram for datagram in answers if datagram[4:5] != b"x"))
            assert await process.stdout.readline() == value
        async with asyncio.timeout(10):
            await process.communicate()
        assert process.returncode == 0


async def test_blockwise_get(coap_client, tmp_path):
    """-b: the picture in blocks of the client's choice."""
    async with shell(coap_client) as (coap, _, _):
        for size in ("16", "64", "512", "1024"):
            assert (await coap("/32772/0/1", "-b", size, "-o", str(tmp_path / size)))[1] == ""
            assert (tmp_path / size).read_bytes() == PICTURE


async def test_blockwise_put(coap_client, tmp_path):
    """-b and -f: 4 kB in blocks of 64, and of 1024, which the board turns down for 512; streamed, and collected."""
    (tmp_path / "body").write_bytes(PICTURE)
    async with shell(coap_client, options=("--heap", "512k")) as (coap, _, board):
        for size in ("64", "1024"):
            command = ("-m", "put", "-t", "42", "-b", size, "-f", str(tmp_path / "body"))
            assert await coap("/32770/0/6", *command) == (b"", "")
            assert await coap("/32770/0/7") == (b"4000", "")
            assert await coap("/32770/0/10", *command) == (b"", "")
            assert (await coap("/32770/0/10", "-b", "64"))[0] == PICTURE
            assert await coap("/32770/0/10", "-m", "put", "-t", "42") == (b"", "")
        assert not board.count(r"4\.08")


async def test_options(coap_client):
    """Uri-Host and Uri-Port do no harm, nor does an unknown elective option of 400 bytes; a critical one is 4.02."""
    async with shell(coap_client) as (coap, _, _):
        assert await coap("/3/0/9", "-O", "3,lab.example") == (b"77", "")
        assert await coap("/3/0/9", "-U") == (b"77", "")
        assert await coap("/3/0/9", "-O", "65000," + "x" * 400) == (b"77", "")
        assert (await coap("/3/0/9", "-O", "65001,x"))[1].startswith("4.02")
        assert (await coap("/3/0/9?pmin=1&pmax=9", "-m", "put")) == (b"", "")
        links, _ = await coap("/3/0/9", "-A", "40")
        assert sorted(links.split(b";")) == [b"</3/0/9>", b"pmax=9", b"pmin=1"]
        assert await coap("/3/0/9", "-T", "12345678") == (b"77", "")
