"""HTTP for the synchronous test client: standard library only, one kept-alive connection per thread."""

from __future__ import annotations

import http.client
import json
import threading
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from .errors import SandboxError


class Wire:
    """JSON requests to the control API of the sandbox at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        parts = urlsplit(self.url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._local = threading.local()
        self._open: list[http.client.HTTPConnection] = []

    def get(self, *path: object, **query: object) -> Any:
        """GET; None values are left out of the query."""
        text = urlencode({key: value for key, value in query.items() if value is not None})
        return self._json("GET", _join(path) + (f"?{text}" if text else ""))

    def post(self, *path: object, **body: object) -> Any:
        """POST a JSON object."""
        return self._json("POST", _join(path), json.dumps(body).encode())

    def delete(self, *path: object) -> Any:
        return self._json("DELETE", _join(path))

    def content(self, path: str) -> bytes:
        """Raw bytes of an absolute path of the server."""
        return self._request("GET", path, None)[1]

    def _json(self, verb: str, path: str, body: bytes | None = None) -> Any:
        status, content = self._request(verb, "/sandbox/api" + path, body)
        answer = json.loads(content)
        if status >= 400:
            raise SandboxError(str(answer.get("error", answer)), status)
        return answer

    def _request(self, verb: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """One request. A kept-alive connection the server has closed is opened again once."""
        for attempt in (1, 2):
            connection = self._connection()
            try:
                connection.request(verb, path, body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                return response.status, response.read()
            except (http.client.HTTPException, ConnectionError, OSError) as error:
                self._forget()
                # A refused connection means no server; only a stale one is worth a second try.
                if attempt == 2 or isinstance(error, ConnectionRefusedError | TimeoutError):
                    raise SandboxError(f"no sandbox at {self.url}: {error or type(error).__name__}", 503) from error
        raise AssertionError("unreachable")

    def _connection(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = http.client.HTTPConnection(*self._address, timeout=70)
            self._open.append(found)
        return found

    def _forget(self) -> None:
        if connection := getattr(self._local, "connection", None):
            connection.close()
            self._open.remove(connection)
        self._local.connection = None

    def close(self) -> None:
        """Close the connections of all threads; a later request opens a new one."""
        for connection in self._open:
            connection.close()

    def __del__(self) -> None:
        self.close()


def _join(path: tuple[object, ...]) -> str:
    return "".join("/" + quote(str(part), safe="") for part in path)
