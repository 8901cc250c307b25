"""One connection: requests come in and answers go out, each within its time and its memory."""

import asyncio
from asyncio import IncompleteReadError, LimitOverrunError, StreamReader, StreamWriter
from collections.abc import Awaitable, Callable

from .answers import Answer, Refusal
from .limits import Limits
from .request import Request, parse_head

BLOCK = 64 << 10
LINGER_S = 2.0  # in which a refused body is read and dropped: else the client might never see the answer
CONTINUE = b'HTTP/1.1 100 Continue\r\n\r\n'
Respond = Callable[['Connection', Request], Awaitable[Answer]]


class Memory:
    """The bytes of all pictures that are being received or wait for the network."""

    def __init__(self, limit: int) -> None:
        self.limit, self.used = limit, 0

    def take(self, count: int) -> None:
        """Count some bytes; refuse them if there are too many already."""
        if self.used + count > self.limit:
            raise Refusal(503, 'The pictures of all clients fill the memory for them. Try again', Retry_After='2')
        self.used += count


class Connection:
    """Reads requests from a connection until it ends, and sends what `respond` answers to each."""

    def __init__(
        self, reader: StreamReader, writer: StreamWriter, limits: Limits, memory: Memory, respond: Respond
    ) -> None:
        self.reader, self.writer, self.limits, self.memory, self.respond = reader, writer, limits, memory, respond
        self.client = str((writer.get_extra_info('peername') or ('unknown',))[0])
        self.is_idle = True  # between two requests
        self.is_last = False  # whether the connection ends after this request
        self.held = 0  # bytes of the picture of this request
        self.unread = False  # whether a body, or what should have been a head, is still to come

    def is_gone(self) -> bool:
        """Whether the client has closed or reset the connection, so that an answer is of no use."""
        return self.writer.is_closing() or self.reader.at_eof()

    async def serve(self) -> None:
        """Answer one request after the other; a client that has gone is no error."""
        try:
            while await self._exchange():
                pass
        except (OSError, asyncio.TimeoutError, EOFError):
            pass
        finally:
            self.writer.close()

    async def refuse(self, refusal: Refusal) -> None:
        """Answer at once, whatever the client asks for."""
        try:
            await self._send(refusal.answer().to_bytes(keep_alive=False))
            await self._drop_rest()
        except (OSError, asyncio.TimeoutError):
            pass
        finally:
            self.writer.close()

    async def _exchange(self) -> bool:
        """Read and answer one request; return whether another one may follow."""
        self.is_idle, request = True, None
        first = await asyncio.wait_for(self.reader.readexactly(1), self.limits.idle_s)
        self.is_idle, self.unread = False, True
        try:
            request = await self._head(first)
            self.unread = request.has_body
            answer = await self.respond(self, request)
        except Refusal as refusal:
            answer = refusal.answer()
        finally:
            self.memory.used -= self.held
            self.held = 0
        keep_alive = request is not None and request.keep_alive and not self.unread and not self.is_last
        await self._send(answer.to_bytes(keep_alive, request is None or request.method != 'HEAD'))
        if self.unread:
            await self._drop_rest()
        return keep_alive

    async def _head(self, first: bytes) -> Request:
        if not first.isalpha():  # such as a client that speaks TLS
            raise Refusal(400, 'This is no HTTP request. The address begins with http://, not https://')
        try:
            head = await asyncio.wait_for(self.reader.readuntil(b'\r\n\r\n'), self.limits.head_s)
        except LimitOverrunError as error:
            raise Refusal(431, f'The headers are longer than {self.limits.head} bytes') from error
        except asyncio.TimeoutError as error:
            raise Refusal(408, f'The headers took longer than {self.limits.head_s:g} seconds') from error
        except IncompleteReadError as error:
            raise Refusal(400, 'The request ends within its headers') from error
        return parse_head(first + head)

    async def body(self, request: Request) -> bytearray:
        """Return the body of a request, whose Content-Length is required and limited."""
        if request.length is None:
            raise Refusal(411, 'Content-Length is missing. Send it, and no Transfer-Encoding')
        if request.length > self.limits.body:
            raise Refusal(413, f'{request.length} bytes are too many. Send at most {self.limits.body}')
        if request.expects_continue:
            self.writer.write(CONTINUE)
        elif request.headers.get('Expect'):
            raise Refusal(417, 'Expect: only 100-continue is known')
        try:
            content = await asyncio.wait_for(self._read(request.length), self.limits.body_s)
        except asyncio.TimeoutError as error:
            raise Refusal(408, f'The picture took longer than {self.limits.body_s:g} seconds') from error
        self.unread = False
        return content

    async def _read(self, length: int) -> bytearray:
        content = bytearray()
        while len(content) < length:
            block = await self.reader.read(min(BLOCK, length - len(content)))
            if not block:
                raise Refusal(400, f'The picture ends after {len(content)} bytes. Content-Length promises {length}')
            self.memory.take(len(block))
            self.held += len(block)
            content += block
        return content

    async def _send(self, content: bytes) -> None:
        """Send an answer; a client that does not read it in time is cut off."""
        self.writer.write(content)
        try:
            await asyncio.wait_for(self.writer.drain(), self.limits.write_s)
        except asyncio.TimeoutError:
            self.writer.transport.abort()
            raise

    async def _drop_rest(self) -> None:
        """Read what the client is still sending, for a short time."""

        async def drop() -> None:
            while await self.reader.read(BLOCK):
                pass

        if self.writer.can_write_eof():
            self.writer.write_eof()
        await asyncio.wait_for(drop(), LINGER_S)
