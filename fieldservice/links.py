"""How soon a connection notices that nobody is at its other end any more: PostgreSQL and Redis, from both sides.

Left to itself TCP waits a quarter of an hour for an answer, and for ever where nothing is asked: a machine that was cut
off would keep its locks and its seat, and the others their places in a queue. Unix sockets ignore all this.
"""

from __future__ import annotations

from typing import Any

#: milliseconds something sent may stay without an answer
UNANSWERED = 20_000
#: seconds: somebody who says nothing is asked after `idle`, then `count` times every `interval`: gone after 25
KEEPALIVE = {"idle": 10, "interval": 5, "count": 3}
#: libpq's parameters of this side
CLIENT = {"connect_timeout": 5, "tcp_user_timeout": UNANSWERED} | {f"keepalives_{k}": v for k, v in KEEPALIVE.items()}
#: the same for PostgreSQL's side of the connection; who holds a transaction open and does nothing loses it
SERVER = {
    "tcp_user_timeout": UNANSWERED,
    "client_connection_check_interval": 10_000,
    "idle_in_transaction_session_timeout": 60_000,
} | {f"tcp_keepalives_{name}": value for name, value in KEEPALIVE.items()}
#: of the worker and the beat; longer than people wait, shorter than a tick
BROKER = {"socket_connect_timeout": 5, "socket_timeout": 10, "socket_keepalive": True, "health_check_interval": 10}


def watched(entry: dict[str, Any], **server: object) -> dict[str, Any]:
    """Django's DATABASES entry with all this, and more settings of the server's side. What the address says wins.

    Behind a pooler of transactions (DISABLE_SERVER_SIDE_CURSORS) the server keeps no plans: they belong to a session.
    """
    given = {"prepare_threshold": None if entry.get("DISABLE_SERVER_SIDE_CURSORS") else 5} | entry.get("OPTIONS", {})
    ours = " ".join(f"-c {name}={value}" for name, value in (SERVER | server).items())
    options = CLIENT | given | {"options": f"{ours} {given.get('options', '')}".rstrip()}
    return entry | {"OPTIONS": options, "CONN_HEALTH_CHECKS": True, "CONN_MAX_AGE": 60}
