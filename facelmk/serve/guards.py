"""Which requests are answered: to a name of this server, not from another web page, and not too many a second."""

import ipaddress
import socket
import time
from collections import OrderedDict
from collections.abc import Iterable

from .answers import Refusal
from .request import Request

MAX_CLIENTS = 4096  # addresses whose requests are counted; the one that was silent for longest is forgotten
LOOPBACK_NAMES = ('localhost', '127.0.0.1', '::1')


def is_address(name: str) -> bool:
    """Whether a name is an IP address; no other machine can let such a name point here."""
    try:
        ipaddress.ip_address(name.partition('%')[0])
    except ValueError:
        return False
    return True


def host_of(header: str) -> str:
    """Return the name in a Host header, without the port."""
    name = header[1:].partition(']')[0] if header.startswith('[') else header.partition(':')[0]
    return name.lower().rstrip('.')


def names_of_server(host: str, others: Iterable[str] = ()) -> frozenset[str]:
    """Return the names that this server answers to besides IP addresses."""
    machine = socket.gethostname().lower()
    return frozenset({*LOOPBACK_NAMES, host.lower(), machine, f'{machine}.local', *(name.lower() for name in others)})


def check_host(request: Request, names: frozenset[str]) -> None:
    """Refuse a request for another server's name.

    A web page can let a name of its own point to 127.0.0.1 and then read what is served here (DNS rebinding).
    """
    header = request.header('Host')
    if not header:
        raise Refusal(400, 'The header Host is missing')
    name = host_of(header)
    if name not in names and not is_address(name):
        raise Refusal(
            403, f'This server does not answer to the name {name[:100]!r}. Start it with --allow-host NAME to add one'
        )


def check_origin(request: Request) -> None:
    """Refuse a request that a page of another origin sends through the user's browser."""
    origin, site = request.header('Origin'), request.header('Sec-Fetch-Site')
    foreign = origin and origin.partition('://')[2].lower() != request.header('Host').lower()
    if foreign or site not in ('', 'same-origin', 'none'):
        raise Refusal(403, 'Another web page sent this request. Only the page of this server may use its API')


class Rates:
    """Counts requests by client: each has a store of `burst` requests, which fills by `rate` a second."""

    def __init__(self, rate: float, burst: int) -> None:
        self.rate, self.burst = rate, burst
        self.clients: OrderedDict[str, tuple[float, float]] = OrderedDict()  # requests in store, and when that was

    def check(self, client: str) -> None:
        """Count one request; refuse it if the store of the client is empty."""
        now = time.monotonic()
        store, before = self.clients.pop(client, (float(self.burst), now))
        store = min(self.burst, store + (now - before) * self.rate)
        self.clients[client] = (store - 1 if store >= 1 else store, now)
        if len(self.clients) > MAX_CLIENTS:
            self.clients.popitem(last=False)
        if store < 1:
            raise Refusal(429, f'More than {self.rate:g} requests a second. Wait, then try again', Retry_After='1')
