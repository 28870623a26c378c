"""Processes whose clock of the day can be set while they run (Linux, and a C compiler)."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


@cache
def compiler() -> str | None:
    """Without one, clocks stay as they are."""
    return (shutil.which("cc") or shutil.which("gcc")) if sys.platform == "linux" else None


class Clocks:
    """The clocks of the processes of an installation, as files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.library = folder / "clock.so"

    def make(self) -> None:
        """Build what stands between a process and its clock; all clocks are right."""
        for old in self.folder.glob("*.clock"):
            old.unlink()
        if program := compiler():
            subprocess.run([program, "-shared", "-fPIC", "-O2", "-o", str(self.library), str(SOURCE)], check=True)

    def set(self, name: str, seconds: int) -> None:
        """The process sees a time so far from the true one, from now on and after a restart too."""
        path = self._file(name)
        if not path.exists():
            path.touch()
        with path.open("r+b", buffering=0) as file:
            file.write(struct.pack("=q", seconds))

    def environment(self, name: str) -> dict[str, str]:
        """For a process that is to have such a clock."""
        if not self.library.exists():
            return {}
        if not self._file(name).exists():
            self.set(name, 0)
        return {"LD_PRELOAD": str(self.library), "CHAOS_CLOCK": str(self._file(name))}

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}.clock"
