"""What a process that lives long does once, when all of it is loaded."""

from __future__ import annotations

import gc


def set_aside() -> None:
    """What was loaded at the start stays for ever: the garbage collector need not walk through it again and again."""
    gc.collect()
    gc.freeze()
