"""Files in memory: one record per upload, one file_id per bot, bounded by bytes."""

from __future__ import annotations

import hashlib
import mimetypes
from collections import OrderedDict
from dataclasses import dataclass

from .errors import JSON, ApiError, bad_request
from .pictures import picture_size, scaled_sizes

MAX_DOWNLOAD = 20 * 1024 * 1024
PREFIXES = {
    "photo": "AgAC", "document": "BQAC", "video": "BAAC", "voice": "AwAC", "audio": "CQAC",
    "sticker": "CAAC", "animation": "CgAC", "video_note": "DQAC",
}  # fmt: skip
FOLDERS = {"photo": "photos", "voice": "voice", "sticker": "stickers", "audio": "music", "video": "videos",
           "animation": "animations", "video_note": "video_notes"}  # fmt: skip
EXTENSIONS = {"photo": ".jpg", "voice": ".oga", "sticker": ".webp", "video": ".mp4", "animation": ".mp4",
              "video_note": ".mp4", "audio": ".mp3"}  # fmt: skip


@dataclass(slots=True)
class StoredFile:
    """One uploaded file. `size` may exceed the content: tests claim large files without carrying them."""

    unique: str
    kind: str
    content: bytes
    name: str
    mime: str
    size: int
    number: int
    width: int = 0
    height: int = 0

    @property
    def path(self) -> str:
        """What getFile calls `file_path`."""
        extension = EXTENSIONS.get(self.kind) or "." + self.name.rpartition(".")[2] if "." in self.name else ""
        return f"{FOLDERS.get(self.kind, 'documents')}/file_{self.number}{EXTENSIONS.get(self.kind, extension)}"


class FileStore:
    """All files of the sandbox; the oldest go when `limit` bytes are passed."""

    def __init__(self, limit: int = 256 * 1024 * 1024, salt: str = "") -> None:
        self.limit = limit
        self.salt = salt
        self.total = 0
        self.files: OrderedDict[str, StoredFile] = OrderedDict()
        self.count = 0

    def add(self, kind: str, content: bytes, name: str = "", mime: str = "", size: int | None = None) -> StoredFile:
        """Keep a file. Photos must be pictures (400 IMAGE_PROCESS_FAILED), nothing may be empty."""
        if not content:
            raise bad_request("file must be non-empty")
        if len(content) > 50 * 1024 * 1024:
            raise ApiError(413, "Request Entity Too Large")
        width, height = picture_size(content) or (0, 0)
        if kind == "photo":
            _check_photo(content, width, height)
        self.count += 1
        unique = "AQAD" + hashlib.blake2b(f"{self.salt}:{self.count}".encode(), digest_size=6).hexdigest()
        # The name decides, as on the real server: clients label every part application/octet-stream.
        mime = mimetypes.guess_type(name)[0] or mime or "application/octet-stream"
        stored = StoredFile(unique, kind, content, name, mime, size or len(content), self.count, width, height)
        self.files[unique] = stored
        self.total += len(content)
        while self.total > self.limit and len(self.files) > 1:
            self.total -= len(self.files.popitem(last=False)[1].content)
        return stored

    def file_id(self, bot_id: int, unique: str, kind: str) -> str:
        """The id of a file for one bot: another bot cannot use it."""
        signature = hashlib.blake2b(f"{self.salt}:{bot_id}:{unique}".encode(), digest_size=12).hexdigest()
        return f"{PREFIXES.get(kind, 'BQAC')}{unique}-{signature}"

    def by_file_id(self, bot_id: int, file_id: str) -> StoredFile | None:
        """The file behind an id issued to this bot; None for foreign, unknown or forgotten ones."""
        unique = file_id[4:].partition("-")[0].partition("_")[0]
        stored = self.files.get(unique)
        if stored is None:
            return None
        sizes = [unique, *(f"{unique}_{n}" for n in range(4))]
        return stored if any(file_id == self.file_id(bot_id, size, stored.kind) for size in sizes) else None

    def media_json(self, stored: StoredFile, extra: JSON | None = None) -> JSON | list[JSON]:
        """The media part of a message with `_file` marks instead of ids (ids depend on the reading bot)."""
        if stored.kind == "photo":
            return [
                {"_file": f"{stored.unique}_{n}" if n < last else stored.unique, "_kind": "photo",
                 "width": w, "height": h, "file_size": max(1, stored.size * w // max(stored.width, 1))}
                for sizes in [scaled_sizes(stored.width, stored.height)]
                for last in [len(sizes) - 1]
                for n, (w, h) in enumerate(sizes)
            ]  # fmt: skip
        media: JSON = {"_file": stored.unique, "_kind": stored.kind, "file_size": stored.size}
        if stored.kind in ("document", "audio", "video", "animation"):
            media |= {"file_name": stored.name, "mime_type": stored.mime}
        return media | (extra or {})


def _check_photo(content: bytes, width: int, height: int) -> None:
    if len(content) > 10 * 1024 * 1024:
        raise bad_request("file is too big for a photo")
    if not width or not height:
        raise bad_request("IMAGE_PROCESS_FAILED")
    if width + height > 10000 or max(width, height) > 20 * min(width, height):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")
