"""A geocoding server on this machine that answers as Yandex and as Nominatim do, or fails as they may."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

ADDRESS = "Россия, Тверь, улица Мира, 5"


class Provider:
    """`questions` are what it was asked; `trouble` makes it fail; `places`: address → (lat, lon, precision)."""

    def __init__(self) -> None:
        self.questions: list[dict[str, str]] = []
        self.times: list[float] = []
        self.places: dict[str, tuple[float, float, str]] = {ADDRESS: (56.8584, 35.9006, "exact")}
        self.trouble: Any = None
        self.charset = "utf-8"
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def _handler(provider) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                asked = {name: values[0] for name, values in parse_qs(url.query).items()} | {"path": url.path}
                provider.questions.append(asked)
                provider.times.append(time.monotonic())
                if isinstance(provider.trouble, float):
                    time.sleep(provider.trouble)
                status, body = 200, provider.answer(asked)
                if isinstance(provider.trouble, int) and not isinstance(provider.trouble, bool):
                    status = provider.trouble
                if isinstance(provider.trouble, bytes):
                    body = provider.trouble
                self.send_response(status)
                self.send_header("Content-Type", f"application/json; charset={provider.charset}")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):  # the one who asked has gone
                    self.wfile.write(body)

            def log_message(self, *args: object) -> None:
                """Tests print nothing."""

        return Handler

    def answer(self, asked: dict[str, str]) -> bytes:
        """What the service of this address says."""
        if "geocode" in asked:
            place = self.places.get(asked["geocode"])
            members = [_yandex(*place)] if place else []
            found: Any = {"response": {"GeoObjectCollection": {"featureMember": members}}}
        else:
            place = self.places.get(asked.get("q", ""))
            found = [_nominatim(*place)] if place else []
        return json.dumps(found).encode()


def _yandex(lat: float, lon: float, precision: str) -> dict[str, Any]:
    meta = {"GeocoderMetaData": {"precision": precision, "text": "the provider's own words"}}
    return {"GeoObject": {"metaDataProperty": meta, "name": "Мира, 5", "Point": {"pos": f"{lon} {lat}"}}}


def _nominatim(lat: float, lon: float, precision: str) -> dict[str, Any]:
    parts = {"exact": {"house_number": "5", "road": "Мира"}, "street": {"road": "Мира"}}.get(precision, {})
    return {"lat": str(lat), "lon": str(lon), "display_name": "Мира, 5", "address": parts | {"city": "Тверь"}}
