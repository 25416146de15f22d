"""DTLS for a device that speaks plain CoAP: what it sends to the tunnel goes on to a server in a session, and back."""

import asyncio
import contextlib

from dtls_host import DtlsError, Session


class Tunnel:
    """`port` is where the device sends to. `error` is the DtlsError that ended the session, if one did; `sent` and
    `received` are the datagrams towards the server and from it."""

    def __init__(self):
        self.error, self.sent, self.received = None, [], []
        self.ended = asyncio.Event()
        self._device = self._answered = None

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, context, server_port, name="localhost"):
        """A tunnel to 127.0.0.1:server_port, once its session stands or has failed."""
        self, loop = cls(), asyncio.get_running_loop()
        inside, outside = _Side(self._from_device), _Side(self._from_server)
        await loop.create_datagram_endpoint(lambda: inside, local_addr=("127.0.0.1", 0))
        await loop.create_datagram_endpoint(lambda: outside, remote_addr=("127.0.0.1", server_port))
        self._inside, self._outside = inside.transport, outside.transport
        try:
            await self.begin(context, name)
            yield self
        finally:
            self._inside.close()
            self._outside.close()

    @property
    def port(self):
        return self._inside.get_extra_info("sockname")[1]

    @property
    def own_port(self):
        """Where the server sees us."""
        return self._outside.get_extra_info("sockname")[1]

    async def begin(self, context, name="localhost"):
        """Begin a session from the same port, as a device does that has restarted."""
        self._stands = asyncio.Event()
        self.session = Session(context, name)
        self._flush()
        async with asyncio.timeout(5):
            await self._stands.wait()

    async def ask(self, datagram):
        """What the server answers to a datagram, without a device."""
        self._answered = asyncio.get_running_loop().create_future()
        self.session.send(datagram)
        self._flush()
        async with asyncio.timeout(5):
            return await self._answered

    def close_session(self):
        """Say close_notify."""
        self.session.close()
        self._flush()

    def _from_device(self, data, address):
        self._device = address
        self.session.send(data)
        self._flush()

    def _from_server(self, data, _):
        self.received.append(data)
        try:
            plain = self.session.receive(data)
        except DtlsError as error:
            self.error, plain = error, []
        self._flush()
        if self.session.established or self.error:
            self._stands.set()
        if self.session.closed or self.error:
            self.ended.set()
        for each in plain:
            if self._device:
                self._inside.sendto(each, self._device)
            elif not self._answered.done():
                self._answered.set_result(each)

    def _flush(self):
        for datagram in self.session.take():
            self.sent.append(datagram)
            self._outside.sendto(datagram)


class _Side(asyncio.DatagramProtocol):
    def __init__(self, heard):
        self.datagram_received = heard

    def connection_made(self, transport):
        self.transport = transport
