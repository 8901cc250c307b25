"""The server: it accepts connections in one event loop, and ends them at Ctrl-C or SIGTERM."""

import asyncio
import contextlib
import errno
import ipaddress
import signal
import socket
import sys
import traceback
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable, Iterable, Iterator

from ..errors import FacelmkError, MissingResource
from .answers import Answer, Refusal
from .api import Api
from .connection import Connection, Memory
from .guards import names_of_server
from .limits import Limits
from .models import ServedModels
from .request import Request
from .worker import Worker

BACKLOG = 128
SERVER_ERROR = 'This is an error of the server. Its console says what is wrong'


class Server:
    """Serves models at a host and a port; port 0 is a free one, which `url` names.

    The port is taken at once, and connections are accepted from `run` on. `names` are further names that this server
    answers to. `verbose` prints each request.
    """

    def __init__(
        self,
        models: ServedModels,
        host: str = '127.0.0.1',
        port: int = 0,
        limits: Limits | None = None,
        names: Iterable[str] = (),
        verbose: bool = False,
    ) -> None:
        self.models, self.limits, self.verbose = models, limits or Limits(), verbose
        self.socket = bind(host, port)
        self.asked = host, port
        self.host, self.port = self.socket.getsockname()[:2]
        self.names = names_of_server(host, names)
        self.memory = Memory(self.limits.memory)
        self.tasks: dict[asyncio.Task[None], Connection] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    @property
    def is_public(self) -> bool:
        """Whether other machines can reach this server."""
        return not ipaddress.ip_address(self.host.partition('%')[0]).is_loopback

    @property
    def url(self) -> str:
        """The address of the page, for a browser on this machine."""
        host = {'0.0.0.0': '127.0.0.1', '::': '::1'}.get(self.host, self.host)
        return f'http://[{host}]:{self.port}/' if ':' in host else f'http://{host}:{self.port}/'

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop` or a signal; `ready` is called when connections are accepted."""
        worker = Worker(self.limits.waiting, self.limits.wait_s)
        try:
            with translate_port_errors(*self.asked):
                asyncio.run(self._serve(worker, ready))
        finally:
            self.socket.close()
            worker.stop(self.limits.stop_s)

    def stop(self) -> None:
        """End `run`, from any thread."""
        if self._loop is not None and self._ended is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended already
                self._loop.call_soon_threadsafe(self._ended.set)

    async def _serve(self, worker: Worker, ready: Callable[[], None]) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self.api = Api(self.models, worker, self.limits, self.names)
        listener = await asyncio.start_server(self._accept, sock=self.socket, limit=self.limits.head, backlog=BACKLOG)
        with stop_at_signals(self._loop, self._ended):
            ready()
            await self._ended.wait()
            listener.close()
            await self._end_connections()

    async def _end_connections(self) -> None:
        """End idle connections at once, others after their answer or the time for it."""
        for task, connection in self.tasks.items():
            connection.is_last = True
            if connection.is_idle:
                task.cancel()
        if self.tasks:
            await asyncio.wait(list(self.tasks), timeout=self.limits.stop_s)
        for task in self.tasks:
            task.cancel()
        if self.tasks:
            await asyncio.wait(list(self.tasks), timeout=self.limits.stop_s)

    async def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        connection = Connection(reader, writer, self.limits, self.memory, self._respond)
        task, others = asyncio.current_task(), len(self.tasks)
        if others >= 2 * self.limits.connections or task is None:
            writer.transport.abort()
            return
        self.tasks[task] = connection
        try:
            with contextlib.suppress(asyncio.CancelledError):  # by `_end_connections`
                if others >= self.limits.connections:
                    await connection.refuse(Refusal(503, 'Too many connections. Try again', Retry_After='2'))
                else:
                    await connection.serve()
        finally:
            del self.tasks[task]

    async def _respond(self, connection: Connection, request: Request) -> Answer:
        """Answer a request; what went wrong inside is one sentence for the client."""
        try:
            answer = await self.api.respond(connection, request)
        except Refusal as refusal:
            self._log(connection, request, refusal.status)
            raise
        except ConnectionError:  # the client has gone
            raise
        except Exception as error:
            self._log(connection, request, 500)
            self._report(error)
            raise Refusal(500, SERVER_ERROR) from error  # the error may hold a path of this machine
        self._log(connection, request, answer.status)
        return answer

    def _log(self, connection: Connection, request: Request, status: int) -> None:
        if self.verbose:
            print(f'{connection.client} {request.method} {request.path[:100]!r} {status}', file=sys.stderr)

    def _report(self, error: Exception) -> None:
        """Print an error of ours: one line, or all of it if every request is printed."""
        if self.verbose:
            traceback.print_exception(error)
        else:
            print(f'facelmk: {type(error).__name__}: {error}', file=sys.stderr)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket with that address, which does not accept connections yet."""
    with translate_port_errors(host, port):
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        try:
            if sys.platform != 'win32':  # where this would let two servers share a port
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except BaseException:
            bound.close()
            raise
    return bound


@contextlib.contextmanager
def translate_port_errors(host: str, port: int) -> Iterator[None]:
    """Raise a FacelmkError for a host or a port that cannot be used."""
    try:
        yield
    except socket.gaierror as error:
        raise FacelmkError(
            f'--host {host} is not known here ({error.strerror}). Expected 127.0.0.1 or a name'
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise MissingResource(
                f'port {port} of {host} is in use by another program. Choose another one with --port N; --port 0 takes '
                'a free one'
            ) from error
        if error.errno in (errno.EACCES, errno.EADDRNOTAVAIL):
            raise MissingResource(
                f'{host}, port {port} cannot be used: {error.strerror}. Choose an address of this machine and a port '
                'from 1024'
            ) from error
        raise


@contextlib.contextmanager
def stop_at_signals(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> Iterator[None]:
    """Set `ended` at Ctrl-C and SIGTERM, where the system and this thread allow it."""
    numbers = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, ValueError, RuntimeError):  # Windows, or not the main thread
            loop.add_signal_handler(number, ended.set)
            numbers.append(number)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
