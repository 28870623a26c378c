"""Just enough of picture formats: find the size, draw a sample, without an imaging library."""

from __future__ import annotations

import struct
import zlib

BOXES = (90, 320, 800, 1280)  # the longer sides Telegram makes


def picture_size(content: bytes) -> tuple[int, int] | None:
    """(width, height) of a PNG, JPEG, GIF or WebP; None when it is none of these."""
    try:
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack(">II", content[16:24])
            return width, height
        if content.startswith((b"GIF87a", b"GIF89a")):
            width, height = struct.unpack("<HH", content[6:10])
            return width, height
        if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
            return _webp_size(content)
        if content.startswith(b"\xff\xd8"):
            return _jpeg_size(content)
    except (struct.error, IndexError):
        pass
    return None


def _webp_size(content: bytes) -> tuple[int, int] | None:
    kind = content[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(content[24:27], "little"), 1 + int.from_bytes(content[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", content[26:30])
        return width & 0x3FFF, height & 0x3FFF
    return None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame header."""
    at = 2
    while at + 9 < len(content):
        if content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", content[at + 2 : at + 4])[0]
    return None


def scaled_sizes(width: int, height: int) -> list[tuple[int, int]]:
    """The sizes a photo is offered in, smallest first; the last one is the largest."""
    longest = max(width, height)
    sizes = [(max(1, width * box // longest), max(1, height * box // longest)) for box in BOXES if box < longest]
    return sizes if longest > BOXES[-1] else [*sizes, (width, height)]


def sample_photo(number: int = 0, width: int = 480, height: int = 320) -> bytes:
    """A small PNG (a sheet of paper with lines on a coloured table); `number` changes the colour."""
    table = [(94, 129, 172), (163, 190, 140), (208, 135, 112), (180, 142, 173)][number % 4]
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            rows += bytes(_sample_pixel(x / width, y / height, table))
    return _png(width, height, bytes(rows))


def _sample_pixel(x: float, y: float, table: tuple[int, int, int]) -> tuple[int, int, int]:
    if not (0.25 < x < 0.75 and 0.1 < y < 0.9):
        return table
    if 0.32 < x < 0.68 and 0.2 < y < 0.7 and int(y * 40) % 4 == 0:
        return (76, 86, 106)
    if 0.5 < x < 0.66 and 0.75 < y < 0.84:
        return (129, 161, 193)
    return (248, 248, 244)


def _png(width: int, height: int, rows: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body
