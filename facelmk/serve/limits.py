"""How much one client may ask for, so that slow, broken and greedy ones cost the others nothing."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """All limits of a server. Sizes are in bytes, times in seconds.

    A connection may wait `idle_s` for its next request. `head_s`, `body_s` and `write_s` are for all headers, for a
    whole picture and for a whole answer, however slowly their bytes arrive. `memory` is for the pictures of all
    clients. `waiting` pictures may wait for the network, each at most `wait_s`. A client may send `rate` requests a
    second, and `burst` at once. At the end, requests in progress have `stop_s` to finish.
    """

    connections: int = 256
    head: int = 16 << 10
    body: int = 20 << 20
    memory: int = 256 << 20
    waiting: int = 64
    rate: float = 1000.0
    burst: int = 2000
    idle_s: float = 30.0
    head_s: float = 10.0
    body_s: float = 30.0
    write_s: float = 30.0
    wait_s: float = 60.0
    stop_s: float = 5.0
