"""A bar chart as a PNG, without an imaging library: two bars a day, digits only, so it needs no fonts."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

Colour = tuple[int, int, int]
WHITE, GREY, INK = (255, 255, 255), (226, 229, 235), (71, 79, 96)
FIRST, SECOND = (66, 133, 244), (52, 168, 83)
WIDTH, HEIGHT, MARGIN, SCALE = 900, 480, 40, 3
#: 3 × 5 dots a digit, row by row
DOTS = {
    "0": ("###", "# #", "# #", "# #", "###"), "1": (" # ", "## ", " # ", " # ", "###"),
    "2": ("###", "  #", "###", "#  ", "###"), "3": ("###", "  #", "###", "  #", "###"),
    "4": ("# #", "# #", "###", "  #", "  #"), "5": ("###", "#  ", "###", "  #", "###"),
    "6": ("###", "#  ", "###", "# #", "###"), "7": ("###", "  #", "  #", "  #", "  #"),
    "8": ("###", "# #", "###", "# #", "###"), "9": ("###", "# #", "###", "  #", "###"),
    ".": ("   ", "   ", "   ", "   ", " # "),
}  # fmt: skip


class Canvas:
    """Pixels, row by row."""

    def __init__(self, width: int = WIDTH, height: int = HEIGHT) -> None:
        self.width, self.height = width, height
        self.rows = [bytearray(bytes(WHITE) * width) for _row in range(height)]

    def box(self, left: int, top: int, right: int, bottom: int, colour: Colour) -> None:
        """Fill a rectangle; what lies outside is cut off."""
        left, right = max(left, 0), min(right, self.width)
        if right <= left:
            return
        line = bytes(colour) * (right - left)
        for row in self.rows[max(top, 0) : max(bottom, 0)]:
            row[left * 3 : right * 3] = line

    def write(self, text: str, centre: int, top: int) -> None:
        """Digits and dots, centred."""
        left = centre - len(text) * 2 * SCALE
        for place, char in enumerate(text):
            for y, dots in enumerate(DOTS.get(char, ())):
                for x, dot in enumerate(dots):
                    if dot == "#":
                        at = (left + (place * 4 + x) * SCALE, top + y * SCALE)
                        self.box(*at, at[0] + SCALE, at[1] + SCALE, INK)

    def png(self) -> bytes:
        """The picture."""
        raw = b"".join(b"\x00" + bytes(row) for row in self.rows)
        head = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(raw, 6)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in chunks
        )


def bars(days: Sequence[tuple[str, int, int]]) -> bytes:
    """(label of digits, first bar, second bar) for each day, oldest first."""
    canvas, top = Canvas(), max([1, *(max(a, b) for _label, a, b in days)])
    floor, room = HEIGHT - MARGIN, HEIGHT - 2 * MARGIN - 20
    for part in range(5):
        line = floor - room * part // 4
        canvas.box(MARGIN, line, WIDTH - MARGIN // 2, line + 1, GREY)
    step = (WIDTH - 2 * MARGIN) // max(len(days), 1)
    width = max(step // 3, 2)
    every = -(-len(days) // 12)
    for place, (label, first, second) in enumerate(days):
        middle = MARGIN + step * place + step // 2
        for value, left, colour in ((first, middle - width, FIRST), (second, middle + 1, SECOND)):
            high = room * value // top
            canvas.box(left, floor - high, left + width, floor, colour)
            if value and len(days) <= 12:
                canvas.write(str(value), left + width // 2, floor - high - 7 * SCALE)
        if place % every == 0:
            canvas.write(label, middle, floor + 10)
    if len(days) > 12:
        canvas.write(str(top), MARGIN // 2 + 5, floor - room - 8)
    return canvas.png()
