"""A Bot API server that says yes to everything, as cheaply as it can: what is measured is the bot, not Telegram.

`python -m fieldservice.bench.null_telegram` prints its port and serves until its standard input ends. `/count` tells
how many calls there were: an update that was dropped would look fast.
"""

from __future__ import annotations

import asyncio
import json
import sys

MESSAGE = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": "x"}
YES = json.dumps({"ok": True, "result": True}).encode()
SENT = json.dumps({"ok": True, "result": MESSAGE}).encode()


class Null(asyncio.Protocol):
    """One kept-alive connection of HTTP/1.1."""

    calls = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client."""
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end].lower()
            size = _length(head)
            if len(self.buffer) < end + 4 + size:
                return
            self.buffer = self.buffer[end + 4 + size :]
            self._answer(head.split(b" ", 2)[1])

    def _answer(self, path: bytes) -> None:
        if path == b"/count":
            body = str(Null.calls).encode()
        else:
            Null.calls += 1
            body = SENT if path.endswith((b"/sendmessage", b"/editmessagetext")) else YES
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self.transport.write(head % len(body) + body)


def _length(head: bytes) -> int:
    """Bytes of the body: its length is always given, for nothing is sent in chunks but files."""
    at = head.find(b"content-length:")
    return int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


async def main() -> None:
    """Serve until the parent closes our standard input."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Null, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
